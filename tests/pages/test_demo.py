"""The demo, where the pages are built."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.demo.test_demo import start

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_tells_the_tracking_pages_address(short_dir: Path) -> None:
    """A short one of an order on its way, the Desk's, and the first order's own with its token."""
    demo = start(short_dir, "--orders-per-minute", "120", "--minutes", "5")
    assert demo.stdout is not None
    head = [await asyncio.to_thread(demo.stdout.readline) for _ in range(5)]
    demo.send_signal(signal.SIGINT)
    await asyncio.to_thread(demo.communicate, timeout=40)
    told = [line.split()[-1] for line in head]
    assert told[1].endswith("/track")
    assert told[3].endswith("/desk")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/track/ord_\w+#[\w.-]+", told[4])
