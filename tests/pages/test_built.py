"""What is built: what each page loads."""

import re

import pytest

from hub.transports.pages import BUILT

TEXTS = {"track": "Your rider is at the door", "ride": "Your access code", "desk": "Dead webhooks"}


def scripts(page: str) -> str:
    """All that the page loads before it is shown."""
    html = (BUILT / f"{page}.html").read_text()
    names = re.findall(r'(?:src|href)="/pages/([^"]+\.js)"', html)
    return "".join((BUILT / name).read_text() for name in names)


@pytest.mark.parametrize("page", TEXTS)
def test_a_page_loads_its_own_texts_alone(page: str) -> None:
    """A customer's phone has no use for what a dispatcher reads."""
    loaded = scripts(page)
    assert [page] == [name for name, text in TEXTS.items() if text in loaded]
