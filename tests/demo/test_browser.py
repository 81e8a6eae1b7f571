"""The pages that the demo opens by itself."""

import click
import pytest

from hub.demo import browser


@pytest.mark.parametrize(("display", "opened"), [(":0", ["http://a", "http://b"]), ("", [])])
def test_pages_are_opened_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch, display: str, opened: list[str]
) -> None:
    """And nowhere else."""
    launched: list[str] = []
    monkeypatch.setattr(click, "launch", launched.append)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    browser.show("http://a", "http://b")
    assert opened == launched
