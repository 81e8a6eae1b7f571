"""Names to addresses without a waiting thread: what the hosts file says, or else DNS by c-ares.

`getaddrinfo` holds a thread for as long as a name's servers are silent, so that as many such names
as there are threads stop the resolution of every other. Here a silent name holds two queries and
a timer, until its deadline.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from aiodns import DNSResolver
from aiodns.error import ARES_ETIMEOUT, DNSError
from pycares import AresError

__all__ = ["Address", "Resolver", "literal", "looks_numeric"]

Address = IPv4Address | IPv6Address

_HOSTS: Final = Path("/etc/hosts")
_ASK_AGAIN: Final = 0.4  # seconds; c-ares doubles them after each round of the servers
_ROUNDS: Final = 3
_SHARED_FOR: Final = 1.0
_NAMES_MAX: Final = 16_384  # two queries each, of the 65,536 that the id of RFC 1035 tells apart


def literal(host: str) -> Address | None:
    """The address that `host` spells as RFC 1123 or RFC 4291 has it, a zone dropped, or None."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def looks_numeric(host: str) -> bool:
    """Whether some resolvers take `host` for an IPv4 address: `127.1`, `2130706433`, `0x7f.1`.

    It is no name, since a top-level domain is alphabetic (RFC 1123, 2.1).
    """
    last = host.removesuffix(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")


class Resolver:
    """Looks names up; made anywhere, used in any loop, and never to be closed.

    `servers`: DNS servers as `address:port`, by default those of the system; `hosts`: a file in
    the form of hosts(5).

    A lookup shares its channel to DNS with those that begin within a second of it; the channel
    ends with the last of them, and with it every query that is still unanswered. So nothing is
    open between lookups, and c-ares, which keeps an answer for its TTL as long as the channel
    lives, keeps none for long.
    """

    def __init__(self, servers: Sequence[str] = (), hosts: Path = _HOSTS) -> None:
        self._servers = servers
        self._hosts = hosts
        self._channel: _Channel | None = None

    async def lookup(
        self,
        host: str,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        *,
        deadline: float,
    ) -> list[Address]:
        """The addresses of `host`, at least one, in the order in which to try them (RFC 6724).

        `family` AF_UNSPEC asks for A and AAAA (RFC 3596) at once. Raises socket.gaierror, after
        `deadline` seconds at the latest: with EAI_AGAIN if nobody answered in time, EAI_MEMORY if
        we lack descriptors or threads, EAI_NONAME otherwise.
        """
        address = literal(host)
        try:
            async with asyncio.timeout(deadline):
                found = [address] if address else await self._find(_name(host), family)
        except TimeoutError:
            raise _late() from None
        if not (found := _only(family, found)):
            raise _unresolved("it has no address of this family")
        return found

    async def _find(self, name: str, family: socket.AddressFamily) -> list[Address]:
        async with self._shared() as channel:
            # c-ares would add ::1 to a localhost that the file knows as 127.0.0.1 alone.
            written = channel.hosts.get(name.removesuffix(".").lower(), [])
            return _only(family, written) or await channel.ask(name, family)

    @asynccontextmanager
    async def _shared(self) -> AsyncIterator["_Channel"]:
        now = asyncio.get_running_loop().time()
        channel = self._channel
        if channel is None or channel.is_spent(now):
            channel = self._channel = _Channel(self._servers, self._hosts, now)
        channel.names += 1
        channel.under_way += 1
        try:
            yield channel
        finally:
            channel.under_way -= 1
            if not channel.under_way:
                if channel is self._channel:
                    self._channel = None
                await channel.dns.close()


class _Channel:
    """A channel to DNS, and the hosts file as it was when the channel was opened."""

    def __init__(self, servers: Sequence[str], hosts: Path, now: float) -> None:
        try:
            # Without `lookups`, whose text pycares 5.2.1 frees before c-ares has read it.
            self.dns = DNSResolver(servers, timeout=_ASK_AGAIN, tries=_ROUNDS)
        except AresError as error:  # no descriptor or thread is left
            raise _unresolved(str(error), socket.EAI_MEMORY) from None
        self.hosts = _read_hosts(hosts)
        self.opened = now
        self.names = 0
        self.under_way = 0

    def is_spent(self, now: float) -> bool:
        return self.names >= _NAMES_MAX or now - self.opened >= _SHARED_FOR

    async def ask(self, name: str, family: socket.AddressFamily) -> list[Address]:
        try:
            answer = await self.dns.getaddrinfo(name, family, type=socket.SOCK_STREAM)
        except DNSError as error:
            code, reason = error.args
            raise _late() if code == ARES_ETIMEOUT else _unresolved(reason) from None
        found = (ip_address(node.addr[0].decode()) for node in answer.nodes)
        return list(dict.fromkeys(found))


def _name(host: str) -> str:
    """`host` as DNS knows it: ASCII (RFC 3490), labels of 1 to 63 bytes. Raises gaierror."""
    if not host or looks_numeric(host):
        raise _unresolved("it is neither a name nor a well-formed address")
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise _unresolved("it is not a valid name") from None


def _read_hosts(path: Path) -> dict[str, list[Address]]:
    """Addresses by name in small letters; a line that is not in the form is passed over."""
    found: dict[str, list[Address]] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        first, *names = line.partition("#")[0].split() or [""]
        if (address := literal(first)) is not None:
            for name in names:
                found.setdefault(name.lower(), []).append(address)
    return {name: list(dict.fromkeys(addresses)) for name, addresses in found.items()}


def _only(family: socket.AddressFamily, addresses: Iterable[Address]) -> list[Address]:
    versions = {socket.AF_INET: {4}, socket.AF_INET6: {6}}.get(family, {4, 6})
    return [address for address in addresses if address.version in versions]


def _unresolved(reason: str, code: int = socket.EAI_NONAME) -> socket.gaierror:
    return socket.gaierror(code, f"the name does not resolve: {reason}")


def _late() -> socket.gaierror:
    return _unresolved("it was not answered in time", socket.EAI_AGAIN)
