"""`python -m bench.first`: from a fresh clone to the first tracked order on a screen, in seconds.

As somebody new does it: `git clone` of the commit that is checked out here, then `make demo`, with
empty caches of pip and npm, and the address that it prints opened in a Chromium of phone size.
Prints one JSON object; the seconds count from the start of the clone. Needs `.[pages]` here, and
Node there; the time depends on the network. `--caches` leaves the machine's caches as they are.
"""

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from bench.machine import machine
from bench.pages.stage import chromium

__all__ = ["main"]

_ROOT: Final = Path(__file__).parent.parent
_PHONE: Final = {"width": 390, "height": 844}
_COMMANDS: Final = ("git clone URL ordercast && cd ordercast", "make demo")
_WITHIN: Final = 15 * 60.0
_RIDER_WITHIN_MS: Final = 120_000.0


@asynccontextmanager
async def _demo(clone: Path, environment: dict[str, str]) -> AsyncIterator[asyncio.StreamReader]:
    """What `make demo` prints. It is interrupted at the end, as by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        "make",
        "demo",
        cwd=clone,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        with suppress(ProcessLookupError):  # it may have failed
            os.killpg(process.pid, signal.SIGINT)
        await process.communicate()


def _environment(home: Path, *, caches: bool) -> dict[str, str]:
    """Ours, outside any virtual environment; without the caches, unless they are to stay."""
    kept = {name: told for name, told in os.environ.items() if name != "VIRTUAL_ENV"}
    empty = {"XDG_CACHE_HOME": str(home / "pip"), "npm_config_cache": str(home / "npm")}
    return kept if caches else kept | empty


async def _address(lines: asyncio.StreamReader) -> str:
    async for line in lines:
        *_, last = line.decode().split() or [""]
        if last.endswith("/track"):
            return last
    raise SystemExit("bench.first: `make demo` printed no address of a tracked order")


async def _watched(page: Page, address: str, since: float) -> dict[str, float]:
    await page.goto(address)
    await page.locator("[aria-current=step]").wait_for()
    seen = {"orderOnScreen": time.monotonic() - since}
    await page.locator(".sign.rider").wait_for(timeout=_RIDER_WITHIN_MS)
    return seen | {"riderOnMap": time.monotonic() - since}


async def _measure(home: Path, *, caches: bool) -> dict[str, Any]:
    clone, environment = home / "ordercast", _environment(home, caches=caches)
    since = time.monotonic()
    cloning = await asyncio.create_subprocess_exec("git", "clone", "--quiet", _ROOT, clone)
    if await cloning.wait():
        raise SystemExit("bench.first: git clone failed")
    moments = {"cloned": time.monotonic() - since}
    async with chromium() as browser, _demo(clone, environment) as lines:
        async with asyncio.timeout(_WITHIN):
            address = await _address(lines)
        moments["addressPrinted"] = time.monotonic() - since
        page = await browser.new_page(viewport=_PHONE)
        moments |= await _watched(page, address, since)
    return {name: round(moment, 1) for name, moment in moments.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.first", description=__doc__)
    parser.add_argument("--caches", action="store_true", help="with the machine's own caches")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oc") as home:
        seconds = asyncio.run(_measure(Path(home), caches=given.caches))
    told = {"commands": _COMMANDS, "caches": given.caches, "seconds": seconds, "machine": machine()}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
