"""Where a webhook may go, in every spelling."""

import re
import socket
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridge import addresses
from hub.bridge.addresses import AddressGuard, AddressRefusedError, GuardedResolver, refusal
from hub.bridge.resolver import Address, Resolver


class Names(Resolver):
    """A resolver that knows what the test says, and keeps what it was asked."""

    def __init__(self, **known: list[str]) -> None:
        super().__init__()
        self.known = {"localhost": ["127.0.0.1"]} | known
        self.asked: list[str] = []
        self.deadlines: set[float] = set()

    async def lookup(
        self,
        host: str,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        *,
        deadline: float,
    ) -> list[Address]:
        self.asked.append(host)
        self.deadlines.add(deadline)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [ip_address(each) for each in self.known[host]]


def guarding(*allow: str, **known: list[str]) -> AddressGuard:
    return AddressGuard(allow, resolver=Names(**known))


def url_of(address: str) -> str:
    return f"https://[{address}]:8443/hook" if ":" in address else f"https://{address}/hook"


# fmt: off
BLOCKS = [
    # IANA's special-purpose registries of 2025-10-09, without NAT64 and v4-mapped, which are
    # judged by what they carry.
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32",
    "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24",
    "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
    "::1/128", "::/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32",
    "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32",
    "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32",
    "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
    # What other guards refuse besides.
    "168.63.129.16/32", "169.254.169.254/32", "224.0.0.0/4", "239.0.0.0/8", "::/96",
    "::ffff:0:0:0/96", "::5efe:0:0/96", "fec0::/10", "fd00:ec2::254/128", "ff00::/8",
    # Outside of global unicast nothing is let in.
    "100::/8", "200::/7", "1000::/4", "4000::/3", "8000::/1",
]

REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.100.100.200", "127.0.0.1", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "192.0.0.192", "192.88.99.1", "192.168.0.1", "224.0.0.1",
    "239.255.255.250", "255.255.255.255",
    "::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    "100::1", "3fff::1", "5f00::1", "4000::1",
    # v4-mapped
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0.0.0.0", "::ffff:168.63.129.16",
    # v4-compatible
    "::127.0.0.1", "::7f00:1", "::8.8.8.8",
    # SIIT
    "::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "::ffff:0:8.8.8.8",
    # NAT64, and the prefix of its local use
    "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:808:8:800::",
    # between the two, and beyond
    "64:ff9b:0:0:0:1:808:808", "64:ff9b:2::1", "64:ff9c::1",
    # 6to4
    "2002:7f00:1::", "2002:7f00:1::1", "2002:a00:1::", "2002:a9fe:a9fe::", "2002:808:808::",
    # Teredo: the address of a server, then the complement of the client's
    "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe",
    # ISATAP
    "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:10.0.0.1", "fe80::5efe:8.8.8.8",
    "::5efe:7f00:1", "::5efe:8.8.8.8",
]

TAKEN = [
    "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1",
    # The neighbours of the blocks.
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
    "192.31.195.255", "192.31.197.0", "192.52.192.255", "192.52.194.0", "192.88.98.255",
    "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.47.255", "192.175.49.0",
    "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
    "203.0.114.0", "223.255.255.255", "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::",
    "2001:ffff::", "2003::", "2620:4f:7fff::", "2620:4f:8001::", "3ffe:ffff::", "3fff:1000::",
    # What carries a public IPv4 address.
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::5efe:808:808",
]
# fmt: on


@pytest.mark.parametrize("block", BLOCKS)
async def test_blocks_are_refused_whole(block: str) -> None:
    """From the first address to the last, as an address and in a URL."""
    network = ip_network(block)
    for address in (network[0], network[network.num_addresses // 2], network[-1]):
        reason = f"{address} is not a public address"
        assert reason == refusal(address) == await guarding().check(url_of(str(address)))


@pytest.mark.parametrize("address", REFUSED)
async def test_refused(address: str) -> None:
    """Loopback, private, link-local, metadata, reserved, and IPv6 forms that carry such."""
    assert refusal(ip_address(address)) is not None
    assert "is not a public address" in str(await guarding().check(url_of(address)))


@pytest.mark.parametrize("address", TAKEN)
async def test_taken(address: str) -> None:
    """Public addresses, and their neighbours across each border of the table."""
    assert refusal(ip_address(address)) is None
    assert await guarding().check(url_of(address)) is None


@given(st.ip_addresses())
def test_at_least_as_strict_as_the_library(address: Address) -> None:
    """What Python's own table calls private is refused; v4-mapped is judged as IPv4."""
    if address.is_private and not (isinstance(address, IPv6Address) and address.ipv4_mapped):
        assert refusal(address) is not None


CARRIERS: dict[str, Callable[[int], int]] = {
    "v4-mapped": lambda v4: 0xFFFF << 32 | v4,
    "v4-compatible": lambda v4: v4,
    "SIIT": lambda v4: 0xFFFF << 48 | v4,
    "NAT64": lambda v4: 0x64_FF9B << 96 | v4,
    "NAT64 of local use": lambda v4: 0x64_FF9B_0001 << 80 | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80,
    "ISATAP": lambda v4: 0x2606_4700 << 96 | 0x5EFE << 32 | v4,
    "ISATAP, universal": lambda v4: 0x2606_4700 << 96 | 0x0200_5EFE << 32 | v4,
    "ISATAP, link-local": lambda v4: 0xFE80 << 112 | 0x5EFE << 32 | v4,
    "Teredo": lambda v4: 0x2001_0000_0808_0808 << 64 | (v4 ^ 0xFFFF_FFFF),
}


def is_special(address: Address) -> bool:
    return (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


SPECIAL = st.one_of(
    *(
        st.ip_addresses(network=network)
        for network in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
    ),
    *(st.ip_addresses(network=network) for network in ("192.168.0.0/16", "224.0.0.0/3")),
    st.ip_addresses(v=4).filter(is_special),
)


@given(SPECIAL)
def test_no_carrier_brings_a_special_address_in(address: Address) -> None:
    """What Python calls private, loopback, multicast and so on is refused in each IPv6 form."""
    assert refusal(address) is not None
    for name, carry in CARRIERS.items():
        assert refusal(IPv6Address(carry(int(address)))) is not None, name


FORM = "the URL's host is neither a name nor a well-formed address"
ESCAPE = "the URL has a character that must be escaped"
HOST = "the URL must name a host"
HTTPS = "the URL must be https"
LOCAL = "127.0.0.1 is not a public address"
NAME = "the URL's host is not a valid name"
USER = "the URL must not carry credentials"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        # Schemes.
        ("http://8.8.8.8/hook", HTTPS),
        ("http://name.invalid/hook", HTTPS),
        ("HTTP://8.8.8.8/hook", HTTPS),
        ("ftp://8.8.8.8/hook", HTTPS),
        ("file:///etc/passwd", HTTPS),
        ("gopher://8.8.8.8:6379/_FLUSHALL", HTTPS),
        ("//8.8.8.8/hook", HTTPS),
        ("8.8.8.8/hook", HTTPS),
        ("", HTTPS),
        # No host.
        ("https:8.8.8.8", HOST),
        ("https:///hook", HOST),
        ("https://", HOST),
        ("https://:443/", HOST),
        ("https://?hook", HOST),
        ("https://./", NAME),
        # Credentials.
        ("https://user@8.8.8.8/", USER),
        ("https://user:secret@8.8.8.8/", USER),
        ("https://8.8.8.8@127.0.0.1/", USER),
        ("https://8.8.8.8:443@127.0.0.1/", USER),
        ("https://@8.8.8.8/", USER),
        # IPv4 as only some resolvers read it.
        ("https://127.1/", FORM),
        ("https://127.0.1/", FORM),
        ("https://2130706433/", FORM),
        ("https://0/", FORM),
        ("https://0x7f000001/", FORM),
        ("https://0x7f.1/", FORM),
        ("https://127.0x1/", FORM),
        ("https://0X7F.0.0.1/", FORM),
        ("https://0177.0.0.1/", FORM),
        ("https://017700000001/", FORM),
        ("https://127.0.0.01/", FORM),
        ("https://127.000.000.001/", FORM),
        ("https://256.0.0.1/", FORM),
        ("https://8.8.8.8.8/", FORM),
        ("https://127.1./", FORM),
        ("https://１２７.1/", FORM),
        ("https://١٢٧.0.0.1/", FORM),
        ("https://%31%32%37.0.0.1/", HOST),
        # Trailing dots, full-width digits and dots.
        ("https://127.0.0.1./", LOCAL),
        ("https://127.0.0.1../", NAME),
        ("https://１２７.0.0.1/", LOCAL),
        ("https://127。0。0。1/", LOCAL),
        ("https://127．0｡0.1/", LOCAL),
        ("https://①②⑦.0.0.1/", LOCAL),
        # IPv6.
        ("https://[0:0:0:0:0:0:0:1]/", "::1 is not a public address"),
        ("https://[::0001]:443/", "::1 is not a public address"),
        ("https://[FE80::1]/", "fe80::1 is not a public address"),
        ("https://[fe80::1%25eth0]/", HOST),
        ("https://[fe80::1%eth0]/", HOST),
        ("https://[2606:4700:4700::1111%25eth0]/", HOST),
        ("https://[::1/", "this is not a URL"),
        ("https://::1/", "this is not a URL"),
        ("https://2606:4700:4700::1111/", "this is not a URL"),
        ("https://[zz::1]/", "this is not a URL"),
        ("https://[8.8.8.8]/", "this is not a URL"),
        ("https://[v1.name]/", FORM),
        ("https://name[2606:4700:4700::1111]/", FORM),
        ("https://[2606:4700:4700::1111]name/", FORM),
        # Ports.
        ("https://8.8.8.8:0/", "the URL's port is not valid"),
        ("https://8.8.8.8:65536/", "this is not a URL"),
        ("https://8.8.8.8:-1/", "this is not a URL"),
        ("https://8.8.8.8:port/", "this is not a URL"),
        ("https://8.8.8.8:４４３/", "this is not a URL"),
        # Characters.
        ("https://8.8.8.8/a b", ESCAPE),
        (" https://8.8.8.8/", ESCAPE),
        ("https://8.8.8.8/\n", ESCAPE),
        ("https://8.8.8.8/a\r\nHost: x", ESCAPE),
        ("https://8.8.8.8\t.example/", ESCAPE),
        ("https://8.8.8.8\x00.example/", ESCAPE),
        ("https://8.8.8.8/\x7f", ESCAPE),
        ("https://8.8.8.8\\@127.0.0.1/", ESCAPE),
        ("https:\\\\8.8.8.8/", ESCAPE),
        ("https://8.8.8.8/#part", "the URL must not have a fragment"),
        # Names.
        ("https://localhost/", LOCAL),
        ("https://LOCALHOST:8000/", LOCAL),
        ("https://localhost./", LOCAL),
        ("https://localhost。/", LOCAL),
        ("https://ｌｏｃａｌｈｏｓｔ/", LOCAL),
        ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", LOCAL),
        ("https://local\u00adhost/", NAME),
        ("https://\u200blocalhost/", NAME),
        ("https://bü\x85cher.example/", NAME),
        ("https://a<b.example/", NAME),
        ("https://example℀/", "this is not a URL"),
        ("https://" + "a" * 64 + ".example/", NAME),
        ("https://" + "ü" * 64 + ".example/", NAME),
        ("https://..example/", NAME),
    ],
)
async def test_urls_refused(url: str, reason: str) -> None:
    """Each is refused at registration, with the sentence that fits."""
    assert await guarding().check(url) == reason


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/hook",
        "https://8.8.8.8:8443/hook?order=1",
        "https://8.8.8.8:65535/",
        "https://8.8.8.8:/",
        "https://8.8.8.8./",
        "HTTPS://8.8.8.8",
        "https://８.8.8.8/",
        "https://8。8。8。8/",
        "https://[2606:4700:4700::1111]/hook",
        "https://[2606:4700:4700::1111]:8443",
        "https://[2606:4700:4700:0:0:0:0:1111]/",
        # These do not resolve: they are judged when they are dialled.
        "https://name.invalid/hook",
        "https://name.invalid./hook",
        "https://bücher.invalid/",
        "https://xn--bcher-kva.invalid/",
        "https://a_b.invalid/",
        "https://metadata.google.internal/",
    ],
)
async def test_urls_taken(url: str) -> None:
    """https to a public address, or to a name that may become one."""
    assert await guarding().check(url) is None


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("Partner.Example", "partner.example"),
        ("partner.example.", "partner.example"),
        ("ｐartner。example", "partner.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("☃.example", "xn--n3h.example"),
    ],
)
async def test_names_are_asked_for_as_they_are_dialled(host: str, asked: str) -> None:
    """IDNA as the sender has it: the name that is judged is the one that is called later."""
    names = Names()
    assert await AddressGuard(resolver=names).check(f"https://{host}/hook") is None
    assert [asked] == names.asked


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:9/hook", True),
        ("https://127.0.0.1:9/hook", True),
        ("http://127.255.255.254/", True),
        ("http://128.0.0.0/", False),
        ("http://[::ffff:127.0.0.1]:9/hook", True),
        ("https://[::ffff:7f00:1]:9/hook", True),
        ("http://[::ffff:10.2.2.3]:9/hook", False),
        ("http://[64:ff9b::127.0.0.1]/", False),
        ("https://[64:ff9b::127.0.0.1]/", False),
        ("https://[2002:7f00:1::]/", False),
        ("https://[::127.0.0.1]/", False),
        ("http://localhost:9/hook", True),
        ("https://localhost:9/hook", True),
        ("http://127.1/", False),
        ("http://10.1.2.3/", True),
        ("http://10.2.2.3/", False),
        ("https://10.2.2.3/", False),
        ("http://8.8.8.8/", False),
        ("https://8.8.8.8/", True),
        ("http://[::1]/", True),
        ("http://[fd12:3456::1]/", True),
        ("https://[fd12:3456::1]/", True),
        ("https://[fd12:3457::1]/", False),
        ("http://[fd12:3456::1%25eth0]/", False),
        ("http://user@127.0.0.1/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
async def test_exceptions(url: str, taken: bool) -> None:
    """Addresses inside the allowed ranges are let in, by plain http too; nothing else is."""
    guard = guarding("127.0.0.0/8", "10.1.0.0/16", "::1/128", "fd12:3456::/32")
    assert taken is (await guard.check(url) is None)


@pytest.mark.parametrize(
    "network", ["nonsense", "", "10.0.0.1/8", "10.0.0.0/33", "127.1/8", "fd00::1/8", "::/129"]
)
def test_exceptions_are_networks(network: str) -> None:
    """What is no CIDR is refused at once, by its text."""
    with pytest.raises(ValueError, match=re.escape(network) or "''"):
        AddressGuard([network])


def test_allowing_by_mapped_form() -> None:
    """A v4-mapped address is the IPv4 address that it carries."""
    allow = [ip_network("127.0.0.0/8")]
    assert refusal(ip_address("::ffff:127.0.0.1"), allow, plain=True) is None
    assert refusal(ip_address("64:ff9b::127.0.0.1"), allow) is not None


def test_a_zone_changes_nothing() -> None:
    """An address with a zone is judged as the one without."""
    assert refusal(ip_address("fe80::1%eth0")) is not None
    assert refusal(ip_address("::ffff:10.0.0.1%1")) is not None
    assert refusal(ip_address("fe80::1%eth0"), [ip_network("fe80::/10")], plain=True) is None


async def test_a_mixed_answer_is_refused_whole() -> None:
    """A name with one public and one private address goes nowhere."""
    for answer in (["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "2606:4700::1", "::ffff:10.0.0.1"]):
        guard = guarding(partner=answer)
        assert "not a public address" in str(await guard.check("https://partner/"))
        with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1|a00:1"):
            await GuardedResolver(guard, plain=False).resolve("partner", 443)


async def test_plain_http_is_judged_when_dialled() -> None:
    """A name that was allowed for plain http is refused once it is at a public address."""
    guard = guarding(partner=["8.8.8.8", "2606:4700::1"])
    found = await GuardedResolver(guard, plain=False).resolve("partner", 443, socket.AF_UNSPEC)
    assert [
        ("8.8.8.8", 443, socket.AF_INET),
        ("2606:4700::1", 443, socket.AF_INET6),
    ] == [(each["host"], each["port"], each["family"]) for each in found]
    with pytest.raises(AddressRefusedError, match="https"):
        await GuardedResolver(guard, plain=True).resolve("partner", 80)


async def test_a_name_is_asked_for_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """For registration an answer is kept, also that there is none, but not too many of them."""
    names = Names()
    guard = AddressGuard(resolver=names)
    monkeypatch.setattr(addresses, "_KNOWN_MAX", 2)
    for host in ("a.invalid", "localhost", "a.invalid", "b.invalid", "a.invalid"):
        await guard.check(f"https://{host}/")
    assert ["a.invalid", "localhost", "b.invalid", "a.invalid"] == names.asked
    assert {1.0} == names.deadlines
