"""Webhook receivers that mean no good, by name, each with what a sender should make of it.

`python -m bench.hostile [--port 8900]` serves every behaviour that plain HTTP can show on the
loopback, at `/NAME`, and prints the list. Whoever writes a webhook sender can point it there:
it should end within its own total timeout, in the verdict that the list gives, with its memory
bounded, and the next request to `/healthy-200` should go well. Behaviours that need an address,
a name or a certificate of their own are in the table too, for tests in the same process:
`Behaviour.place` sets them up. `tests/bridge/test_hostile.py` sends to all of them.

A verdict follows the rule that the status line alone decides: what comes after a whole header
with a 2xx changes nothing any more, and what comes before one is no answer.
"""

from bench.hostile import (
    addresses,
    certificates,
    delays,
    endings,
    hints,
    redirects,
    sizes,
    tongues,
)
from bench.hostile.behaviour import BEHAVIOURS, HEALTHY, MARGIN, Behaviour, Ends, Place
from bench.hostile.server import HostileServer

__all__ = [
    "BEHAVIOURS",
    "HEALTHY",
    "MARGIN",
    "Behaviour",
    "Ends",
    "HostileServer",
    "Place",
    "addresses",
    "certificates",
    "delays",
    "endings",
    "hints",
    "redirects",
    "sizes",
    "tongues",
]
