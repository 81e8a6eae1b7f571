"""Which pages may use a hub."""

import pytest

from hub.core.callers.origins import check_origin, is_allowed, may_connect

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("told", "checked"),
    [
        (SHOP, SHOP),
        ("HTTPS://Shop.Example:443", SHOP),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("*", "*"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(told: str, checked: str) -> None:
    """Or it would never match."""
    assert checked == check_origin(told)


@pytest.mark.parametrize(
    "told",
    [
        "shop.example",
        "null",
        f"{SHOP}/",
        f"{SHOP}/orders",
        f"{SHOP}?a",
        "https://*.shop.example",
        "https://me@shop.example",
        "https://shop.example:",
        "https://shop.example:65536",
        "https://",
        "https://shop .example",
        f"{SHOP}\n",
        "",
    ],
)
def test_what_is_no_origin(told: str) -> None:
    """It is named."""
    with pytest.raises(ValueError, match="is no origin") as refused:
        check_origin(told)
    assert told in str(refused.value)


@pytest.mark.parametrize("origin", ["http://shop.example", f"{SHOP}:444", "https://a.shop.example"])
def test_an_origin_is_allowed_to_the_letter(origin: str) -> None:
    """Scheme, host and port."""
    assert is_allowed(SHOP, [SHOP])
    assert not is_allowed(origin, [SHOP])
    assert is_allowed(origin, ["*"])


@pytest.mark.parametrize("allowed", [(), (SHOP,)])
def test_ones_own_pages_may_always_connect(allowed: tuple[str, ...]) -> None:
    """By the host they ask, whatever others are allowed beside."""
    assert may_connect("https://hub.example", "hub.example", allowed)
    assert may_connect("http://hub.example:8000", "hub.example:8000", allowed)
    assert not may_connect("https://evil.example", "hub.example", allowed)
    assert not may_connect("null", None, allowed)
    assert not may_connect("null", "", allowed)
