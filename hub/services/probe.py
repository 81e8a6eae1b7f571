"""A hub's proof that its bus delivers: a message to itself, by the way that all others go."""

import asyncio
import time
from typing import Final

from hub.metrics import PROBE_AGE
from hub.store.bus import Bus
from hub.store.keys import probe
from hub.store.link import pack

__all__ = ["PROBE_LIMIT", "Probe"]

INTERVAL: Final = 2.0
PROBE_LIMIT: Final = 10.0
"""Seconds without a probe after which the bus counts as dead, and the hub as not ready."""


class Probe:
    def __init__(self, hub_id: str) -> None:
        self.channel = probe(hub_id)
        self._word = pack("SPUBLISH", self.channel, b"!")
        self._seen = time.monotonic()
        self.received = 0

    def age(self) -> float:
        """Seconds since a probe last came back."""
        return time.monotonic() - self._seen

    def restart(self) -> None:
        """A new connection has until the limit to prove itself; the last one's silence is past."""
        self._seen = time.monotonic()

    def on_message(self, payload: bytes) -> None:
        self._seen = time.monotonic()
        self.received += 1

    async def run(self, bus: Bus) -> None:
        while True:
            PROBE_AGE.set(self.age())
            bus.tell(self.channel, self._word)
            await asyncio.sleep(INTERVAL)
