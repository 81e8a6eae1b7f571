"""Which addresses a webhook may go to: the table, and the guard that asks it.

A partner's URL is a stranger's word. It is checked when it is registered, for the caller's sake,
and each address again when it is dialled, which is what keeps the bridge out of our own network:
a name may resolve to something else by then.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from hub.bridge.resolver import Address, Resolver, literal, looks_numeric

__all__ = ["AddressGuard", "AddressRefusedError", "GuardedResolver", "refusal"]

Network = IPv4Network | IPv6Network

# IANA's IPv4 special-purpose registry of 2025-10-09 (RFC 6890, RFC 8190) and addresses inside
# clouds. The few of these blocks that are reachable from everywhere serve no webhooks.
_NOT_GLOBAL_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local, RFC 3927, and every cloud's metadata
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # protocol assignments, RFC 6890
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112, and broadcast, RFC 919
    )
)
# Of IPv6 nothing but global unicast (RFC 4291) is let in, so that whatever lies in ::/8 is refused
# as a block, every old way of writing IPv4 in IPv6 with it; then come the exceptions of the
# registry of 2025-10-09 inside it.
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_NOT_GLOBAL_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks and further protocols, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: carries any IPv4 address
        "2620:4f:8000::/48",  # AS112, RFC 7534
        "3fff::/20",  # documentation, RFC 9637
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052; the local-use one of RFC 8215 is refused
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})  # RFC 5214, 6.1

_REGISTER_DEADLINE: Final = 1.0
_DIAL_DEADLINE: Final = 2.0  # of the three seconds to connect, so that some are left for it
_KNOWN_FOR: Final = 60.0
_KNOWN_MAX: Final = 4096


class AddressRefusedError(OSError):
    """The address is none that a webhook may go to."""


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that traffic to `address` would reach: v4-mapped, NAT64 or ISATAP."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if address in _NAT64 or (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        return IPv4Address(number & 0xFFFF_FFFF)
    return None


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_GLOBAL_V4)
    carried = _carried(address)
    if carried is not None and not _is_global(carried):
        return False
    if carried is not None and (address.ipv4_mapped or address in _NAT64):
        return True
    return address in _GLOBAL_V6 and not any(address in network for network in _NOT_GLOBAL_V6)


def refusal(address: Address, allow: Sequence[Network] = (), *, plain: bool = False) -> str | None:
    """Why a webhook may not go to `address`, as a sentence, or None.

    `allow`: networks that are let in although they are not public; `plain`: by http, without TLS,
    which is for `allow` alone. A v4-mapped address (RFC 4291, 2.5.5.2) is the IPv4 address that
    the kernel dials for it, for `allow` too.
    """
    carried = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    judged = carried or address
    if any(judged in network for network in allow if network.version == judged.version):
        return None
    if not _is_global(address):
        return f"{address} is not a public address"
    return "the URL must be https" if plain else None


def _host(parts: SplitResult) -> str:
    """The host as the sender will look it up. Raises ValueError with a sentence."""
    host = parts.hostname or ""
    if not host or "%" in host:
        raise ValueError("the URL must name a host")
    if ":" in host or "[" in parts.netloc or "]" in parts.netloc:
        if not _is_bracketed(parts.netloc, host):
            raise ValueError("the URL's host is neither a name nor a well-formed address")
        return host
    try:
        # yarl is what the sender reads URLs by; the codec refuses labels that no name can have.
        host = (URL.build(scheme="https", host=host).raw_host or "").encode("idna").decode("ascii")
    except ValueError:
        raise ValueError("the URL's host is not a valid name") from None
    host = host.removesuffix(".")
    if not host or (literal(host) is None and looks_numeric(host)):
        raise ValueError("the URL's host is neither a name nor a well-formed address")
    return host


def _is_bracketed(netloc: str, host: str) -> bool:
    """Whether `netloc` is an IPv6 literal in brackets and at most a port (RFC 3986, 3.2.2)."""
    before, _, rest = netloc.partition("[")
    after = rest.rpartition("]")[2]
    return isinstance(literal(host), IPv6Address) and not before and after[:1] in ("", ":")


def _split(url: str) -> SplitResult:
    """Raises ValueError with a sentence."""
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise ValueError("the URL has a character that must be escaped")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("this is not a URL") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("the URL must be https")
    if "@" in parts.netloc:
        raise ValueError("the URL must not carry credentials")
    if port == 0:
        raise ValueError("the URL's port is not valid")
    if parts.fragment:
        raise ValueError("the URL must not have a fragment")
    return parts


class AddressGuard:
    """Judges URLs and looks up hosts; it needs no loop to be made, and no closing.

    `allow`: CIDRs (RFC 4632) that are let in although they are not public, and by plain http too.
    Raises ValueError, with the text, for what is no CIDR or has bits set beyond its length.
    """

    def __init__(self, allow: Iterable[str] = (), *, resolver: Resolver | None = None) -> None:
        self.allow: tuple[Network, ...] = tuple(ip_network(each) for each in allow)
        self._resolver = resolver or Resolver()
        self._known: dict[str, tuple[float, list[Address]]] = {}

    async def check(self, url: str) -> str | None:
        """Why `url` may not be registered, as a sentence, or None.

        A name that does not resolve within a second is taken; the address is checked when it is
        dialled.
        """
        try:
            parts = _split(url)
            host = _host(parts)
        except ValueError as error:
            return str(error)
        plain = parts.scheme == "http"
        address = literal(host)
        addresses = [address] if address else await self._lookup(host)
        if not addresses and plain:
            return "the URL must be https"
        return next(filter(None, (self.refusal(each, plain=plain) for each in addresses)), None)

    def refusal(self, address: Address, *, plain: bool) -> str | None:
        """Why a webhook may not go to `address`, as a sentence, or None: `refusal` by `allow`."""
        return refusal(address, self.allow, plain=plain)

    async def resolve(
        self,
        host: str,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        *,
        deadline: float = _DIAL_DEADLINE,
    ) -> list[Address]:
        """All addresses of `host`, not judged. Raises OSError, within `deadline` seconds."""
        return await self._resolver.lookup(host, family, deadline=deadline)

    async def _lookup(self, host: str) -> list[Address]:
        """For registration alone: a minute old is good enough, since dialling asks anew."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(host)
        if known is not None and now - known[0] < _KNOWN_FOR:
            return known[1]
        try:
            found = await self.resolve(host, deadline=_REGISTER_DEADLINE)
        except OSError:
            found = []
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[host] = (now, found)
        return found


class GuardedResolver(AbstractResolver):
    """What aiohttp dials by. A name with any refused address is refused whole: a mixed answer is
    an attack.

    `deadline`: seconds for a name, by default such that some of those to connect are left.
    """

    def __init__(
        self, guard: AddressGuard, *, plain: bool, deadline: float = _DIAL_DEADLINE
    ) -> None:
        self._guard = guard
        self._plain = plain
        self._deadline = deadline

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """One entry for each address. Raises AddressRefusedError, and OSError for no address."""
        addresses = await self._guard.resolve(host, family, deadline=self._deadline)
        for address in addresses:
            if reason := self._guard.refusal(address, plain=self._plain):
                raise AddressRefusedError(None, f"{host}: {reason}")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing of its own to release."""
