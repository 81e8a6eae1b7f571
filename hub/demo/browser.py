"""Pages in the browser of whoever looks on, where there is a screen."""

import os
import sys

import click

__all__ = ["show"]

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def show(*addresses: str) -> None:
    """Open each. Without a screen a browser would be one of the terminal, and take it over."""
    if sys.platform == "darwin" or any(os.environ.get(name) for name in _SCREENS):
        for address in addresses:
            click.launch(address)
