"""What a browser must be allowed to fetch, for each kind of template."""

import pytest

from hub.core.maptiles import check_tiles, tiles_source

PATH = "/{z}/{x}/{y}.png"


@pytest.mark.parametrize(
    ("template", "source"),
    [
        (f"https://tiles.example{PATH}", "https://tiles.example"),
        (f"http://127.0.0.1:8080{PATH}?v=1", "http://127.0.0.1:8080"),
        (f"https://{{s}}.tiles.example{PATH}", "https://*.tiles.example"),
        ("https://wprd0{s}.is.example/tile?x={x}&y={y}&z={z}", "https://*.is.example"),
        (f"/tiles{PATH}", None),
    ],
)
def test_the_source_of_a_template(template: str, source: str | None) -> None:
    """Its origin, with a wildcard for what varies; the page's own needs no word."""
    assert source == tiles_source(check_tiles(template))


@pytest.mark.parametrize(
    "template",
    [
        "x",
        "ftp://t.example" + PATH,
        "https://t.example/{z}/{x}.png",
        "https://t.example/{z}/{x}/{y}/{key}.png",
        "https://t.example; script-src */{z}/{x}/{y}",
        "https://t.example/{z}/{x}/{y} .png",
    ],
)
def test_what_is_no_template(template: str) -> None:
    """It would not work, or say something else in the policy."""
    with pytest.raises(ValueError, match="must be like"):
        check_tiles(template)
