"""Which addresses a webhook may go to: the table, and the guard that asks it.

A partner's URL is a stranger's word. It is checked when it is registered, for the caller's sake,
and each address again when it is dialled, which is what keeps the bridge out of our own network:
a name may resolve to something else by then.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["AddressGuard", "AddressRefusedError", "GuardedResolver", "refusal"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's special-purpose registries (RFC 6890 and its updates), and addresses inside clouds.
_NOT_GLOBAL_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local, and every cloud's metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_NOT_GLOBAL_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4: carries any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})

_RESOLVE_DEADLINE: Final = 1.0
_KNOWN_FOR: Final = 60.0
_KNOWN_MAX: Final = 4096
_RESOLVER_THREADS: Final = 32


class AddressRefusedError(OSError):
    """The address is none that a webhook may go to."""


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a v4-mapped, NAT64 or ISATAP address."""
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
    """Why a webhook may not go to `address`, or None. `plain`: by http, without TLS."""
    carried = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    judged = carried or address
    if any(judged in network for network in allow if network.version == judged.version):
        return None
    if not _is_global(address):
        return f"{address} is not a public address"
    return "the URL must be https" if plain else None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _looks_numeric(host: str) -> bool:
    """`127.1`, `2130706433`, `0x7f.1`: what some resolvers take for an IPv4 address."""
    last = host.rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")


def _host(parts: SplitResult) -> str:
    """The host as it will be looked up. Raises ValueError with a sentence."""
    host = parts.hostname or ""
    if not host or "%" in host:
        raise ValueError("the URL must name a host")
    if ":" in host:
        if _literal(host) is None:
            raise ValueError("the URL's host is neither a name nor a well-formed address")
        return host
    try:
        # Folds full-width digits and dots, as clients do.
        host = host.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        raise ValueError("the URL's host is not a valid name") from None
    if not host or (_literal(host) is None and _looks_numeric(host)):
        raise ValueError("the URL's host is neither a name nor a well-formed address")
    return host


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
    """`allow`: CIDRs that are let in although they are not public, and also by plain http.

    Raises ValueError for what is no CIDR.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.allow: tuple[Network, ...] = tuple(ip_network(each) for each in allow)
        self._known: dict[str, tuple[float, list[Address]]] = {}
        # Of its own: names that never resolve must not keep other work from its threads.
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="resolve")

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
        literal = _literal(host)
        addresses = [literal] if literal else await self._lookup(host)
        if not addresses and plain:
            return "the URL must be https"
        return next(filter(None, (self.refusal(each, plain=plain) for each in addresses)), None)

    def refusal(self, address: Address, *, plain: bool) -> str | None:
        return refusal(address, self.allow, plain=plain)

    async def resolve(self, host: str, port: int, family: int) -> list[Address]:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [ip_address(str(row[4][0]).partition("%")[0]) for row in found]

    async def _lookup(self, host: str) -> list[Address]:
        """For registration alone: a minute old is good enough, since dialling asks anew."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(host)
        if known is not None and now - known[0] < _KNOWN_FOR:
            return known[1]
        try:
            async with asyncio.timeout(_RESOLVE_DEADLINE):
                found = await self.resolve(host, 0, socket.AF_UNSPEC)
        except (OSError, UnicodeError):
            found = []
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[host] = (now, found)
        return found


class GuardedResolver(AbstractResolver):
    """A name with any refused address is refused whole: a mixed answer is an attack."""

    def __init__(self, guard: AddressGuard, *, plain: bool) -> None:
        self._guard = guard
        self._plain = plain

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await self._guard.resolve(host, port, family)
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
