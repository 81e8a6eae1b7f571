"""Where a webhook may go, in every spelling."""

import socket
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridge.addresses import AddressGuard, AddressRefusedError, GuardedResolver, refusal

# fmt: off
REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
    "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1",
    "::ffff:0:808:808", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a00:1::", "2002:808:808::", "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:10.0.0.1", "::5efe:7f00:1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
]

TAKEN = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
    "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255", "2606:4700:4700::1111",
    "2001:4860:4860::8888", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    "2606:4700::5efe:808:808",
]
# fmt: on


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address: str) -> None:
    """Loopback, private, link-local, metadata, reserved, and IPv6 forms that carry such."""
    assert refusal(ip_address(address)) is not None


@pytest.mark.parametrize("address", TAKEN)
def test_taken(address: str) -> None:
    """Public addresses, and their neighbours across each border of the table."""
    assert refusal(ip_address(address)) is None


@given(st.ip_addresses())
def test_at_least_as_strict_as_the_library(address: object) -> None:
    """What Python's own table calls private is refused; v4-mapped is judged as IPv4."""
    judged = ip_address(str(address))
    if judged.is_private and not (isinstance(judged, IPv6Address) and judged.ipv4_mapped):
        assert refusal(judged) is not None


@pytest.mark.parametrize(
    "url",
    [
        *(f"https://{each}/hook" for each in REFUSED if ":" not in each),
        *(f"https://[{each}]:8443/hook" for each in REFUSED if ":" in each),
        "http://8.8.8.8/hook",
        "http://name.invalid/hook",
        "HTTP://8.8.8.8/hook",
        "ftp://8.8.8.8/hook",
        "file:///etc/passwd",
        "gopher://8.8.8.8:6379/_FLUSHALL",
        "//8.8.8.8/hook",
        "8.8.8.8/hook",
        "https:8.8.8.8",
        "https:///hook",
        "https://",
        "",
        "https://user@8.8.8.8/",
        "https://user:secret@8.8.8.8/",
        "https://8.8.8.8@127.0.0.1/",
        "https://@8.8.8.8/",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://127.000.000.001/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://①②⑦.0.0.1/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[zz::1]/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:port/",
        "https://8.8.8.8/a b",
        "https://8.8.8.8/a\r\nHost: x",
        "https://8.8.8.8\\@127.0.0.1/",
        "https://8.8.8.8/#part",
        "https://localhost/",
        "https://LOCALHOST:8000/",
        "https://localhost./",
        "https://" + "a" * 64 + ".example/",
        "https://..example/",
    ],
)
async def test_urls_refused(url: str) -> None:
    """Each is refused at registration, with a sentence."""
    assert await AddressGuard().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/hook",
        "https://8.8.8.8:8443/hook?order=1",
        "HTTPS://8.8.8.8",
        "https://[2606:4700:4700::1111]/hook",
        "https://[::ffff:8.8.8.8]/hook",
        "https://name.invalid/hook",  # does not resolve: judged when it is dialled
    ],
)
async def test_urls_taken(url: str) -> None:
    """https to a public address, or to a name that may become one."""
    assert await AddressGuard().check(url) is None


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:9/hook", True),
        ("https://127.0.0.1:9/hook", True),
        ("http://[::ffff:127.0.0.1]:9/hook", True),
        ("http://localhost:9/hook", True),
        ("http://10.1.2.3/", True),
        ("http://10.2.2.3/", False),
        ("http://8.8.8.8/", False),
        ("https://8.8.8.8/", True),
        ("http://[::1]/", True),
        ("http://user@127.0.0.1/", False),
    ],
)
async def test_exceptions(url: str, taken: bool) -> None:
    """Addresses inside the allowed ranges are let in, by plain http too; nothing else is."""
    guard = AddressGuard(["127.0.0.0/8", "10.1.0.0/16", "::1/128"])
    assert taken is (await guard.check(url) is None)


@pytest.mark.parametrize("network", ["nonsense", "10.0.0.1/8", "10.0.0.0/33"])
def test_exceptions_are_networks(network: str) -> None:
    """What is no CIDR is refused at once."""
    with pytest.raises(ValueError, match=r"."):
        AddressGuard([network])


class Answers(AddressGuard):
    """A guard whose resolver answers as the test says."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self._answers = [ip_address(each) for each in addresses]

    async def resolve(self, host: str, port: int, family: int) -> list[object]:  # type: ignore[override]
        return list(self._answers)


async def test_a_mixed_answer_is_refused_whole() -> None:
    """A name with one public and one private address goes nowhere."""
    guard = Answers("8.8.8.8", "10.0.0.1")
    assert await guard.check("https://partner.example/") == "10.0.0.1 is not a public address"
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        await GuardedResolver(guard, plain=False).resolve("partner.example", 443)


async def test_plain_http_is_judged_when_dialled() -> None:
    """A name that was allowed for plain http is refused once it is at a public address."""
    guard = Answers("8.8.8.8")
    found = await GuardedResolver(guard, plain=False).resolve("partner.example", 443)
    assert [(each["host"], each["family"]) for each in found] == [("8.8.8.8", socket.AF_INET)]
    with pytest.raises(AddressRefusedError, match="https"):
        await GuardedResolver(guard, plain=True).resolve("partner.example", 80)


def test_allowing_by_mapped_form() -> None:
    """A v4-mapped address is the IPv4 address that it carries."""
    allow = [ip_network("127.0.0.0/8")]
    assert refusal(ip_address("::ffff:127.0.0.1"), allow, plain=True) is None
    assert refusal(ip_address("64:ff9b::127.0.0.1"), allow) is not None
