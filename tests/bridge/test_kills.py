"""Bridges and the store killed at each step of a delivery: a small `bench.webhooks crash`."""

from bench.webhooks.kills import KINDS, opened_kills

AGAIN = {"sent", "answered"}
"""The partner has read the request, and nobody has written down that it was accepted."""


async def test_killed_at_each_step() -> None:
    """Twice each, under load: nothing is lost, each lane stays in order, and what comes again is
    the same by its id and its body.
    """
    async with opened_kills(seed=7) as kills:
        outcomes = [await kills.one(kind) for kind in KINDS * 2]
    amiss = ("otherIdOrBody", "outOfOrder")
    assert [] == [
        each for each in outcomes if each.lost or any(each.counts[name] for name in amiss)
    ]
    assert kills.waiting == 0
    assert all(each.again for each in outcomes if each.kind in AGAIN)
