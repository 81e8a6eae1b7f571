"""What went wrong with an attempt, in words that a partner's engineer understands."""

import errno
import ssl
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog

from hub.bridge.addresses import AddressRefusedError
from hub.core.webhooks.outcome import Fault

__all__ = ["Timeouts", "explain"]

_log: Final = structlog.get_logger("hub.bridge")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to resolve, connect and shake hands; and for all of it, by the wall clock."""

    connect: float = 3.0
    total: float = 10.0


_LATE_NAME: Final = "the host's name did not resolve in time"
_NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
_WITHOUT_MEANS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CERTIFICATE: Final = {
    # OpenSSL's X509_V_ERR_…
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "its chain ends in an authority that is not known",
    20: "its issuer is not known, or an intermediate certificate is missing",
    21: "its issuer is not known, or an intermediate certificate is missing",
    62: "it is for another host",
    64: "it is for another address",
}
_HANDSHAKE: Final = {
    # What OpenSSL's reasons contain.
    "CERTIFICATE_REQUIRED": "a client certificate is asked for, and there is none",
    "HANDSHAKE_FAILURE": "it was refused; perhaps a client certificate is asked for",
    "PROTOCOL_VERSION": "TLS 1.2 or later is needed",
    "UNSUPPORTED_PROTOCOL": "TLS 1.2 or later is needed",
    "NO_APPLICATION_PROTOCOL": "HTTP/1.1 is needed",
    "UNRECOGNIZED_NAME": "the host's name is not known there",
    "WRONG_VERSION_NUMBER": "the port does not speak TLS",
}


def explain(failure: Exception, stage: Fault, limits: Timeouts) -> tuple[Fault, str]:
    """Which fault it is, and a sentence for the partner: no address of ours, no stack."""
    match failure:
        case TimeoutError():
            return stage, _late(stage, limits)
        case aiohttp.ClientConnectorError(os_error=AddressRefusedError() as refused):
            return Fault.REFUSED_ADDRESS, f"refused: {_refused(failure, refused)}"
        case aiohttp.ClientConnectorDNSError():
            late = "in time" in (failure.os_error.strerror or "")
            return Fault.DNS, _LATE_NAME if late else "the host's name does not resolve"
        case aiohttp.ClientConnectorError():
            return _not_connected(failure.os_error, stage)
        case aiohttp.ClientConnectionError():
            return _cut_off(failure)
        case aiohttp.ClientResponseError():
            return Fault.PROTOCOL, _not_http(failure.message)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Fault.REQUEST, "the request failed: the URL is not valid"
    return _unforeseen(failure)


def _unforeseen(failure: Exception) -> tuple[Fault, str]:
    """A matter of ours, which the partner's engineer can do nothing about."""
    _log.error("attempt failed on our side", exc_info=failure)
    return Fault.REQUEST, "the request failed before it was sent"


def _late(stage: Fault, limits: Timeouts) -> str:
    connect = f"{min(limits.connect, limits.total):g} s"
    match stage:
        case Fault.DNS:
            return _LATE_NAME
        case Fault.CONNECT:
            return f"no connection within {connect}"
        case Fault.TLS:
            return f"the TLS handshake did not end within {connect}"
    return f"no answer within {limits.total:g} s"


def _refused(failure: Exception, refused: AddressRefusedError) -> str:
    """An address in the URL is the partner's own; one that a name led to may be one of ours."""
    reason = refused.strerror or ""
    if isinstance(failure, aiohttp.ClientConnectorDNSError) and "public" in reason:
        return "the host's name leads to an address that is not public"
    return reason.rpartition(": ")[2]


def _not_connected(error: OSError, stage: Fault) -> tuple[Fault, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(error.verify_code, error.verify_message)
        return Fault.TLS, f"the certificate was not accepted: {why}"
    if isinstance(error, ssl.SSLError):
        return Fault.TLS, _no_handshake(error.reason)
    if stage is Fault.TLS:
        return Fault.TLS, "the TLS handshake failed: the connection was closed"
    if error.errno in _WITHOUT_MEANS:
        return _unforeseen(error)
    if isinstance(error, ConnectionRefusedError):
        return Fault.CONNECT, "could not connect: nothing listens at the port"
    if error.errno in _NO_ROUTE:
        return Fault.CONNECT, "could not connect: the host cannot be reached"
    return Fault.CONNECT, "could not connect"


def _no_handshake(reason: str | None) -> str:
    words = (words for part, words in _HANDSHAKE.items() if part in (reason or ""))
    return ": ".join(("the TLS handshake failed", *[*words][:1]))


def _cut_off(failure: aiohttp.ClientConnectionError) -> tuple[Fault, str]:
    match failure:
        case aiohttp.ServerDisconnectedError(message=str()):
            return Fault.RESET, "the connection was closed without an answer"
        case aiohttp.ServerDisconnectedError():
            return Fault.RESET, "the connection was closed in the middle of the answer's header"
        case OSError(strerror=str(reason)) if "CERTIFICATE_REQUIRED" in reason:
            # By TLS 1.3 this comes when our half of the handshake is over.
            return Fault.TLS, _no_handshake(reason)
    return Fault.RESET, "the connection was reset before an answer"


def _not_http(message: str) -> str:
    """`message` is aiohttp's own."""
    if message.startswith(("Got more than", "Too many headers")):
        return "the answer's header is too large"
    return "the answer was not HTTP"
