"""How much of everything the parts do; the defaults are what the figures are measured with."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Sizes"]


def _size(default: Any, what: str) -> Any:
    return field(default=default, metadata={"help": f"{what} ({default})"})


@dataclass(frozen=True, slots=True)
class Sizes:
    orders: int = _size(10_000, "of `throughput`; each has four events")
    rounds: int = _size(2, "turns of `throughput` and `latency`, and of both sides of `stuck`")
    rate: float = _size(500.0, "status changes a second, of `latency`")
    beside: float = _size(200.0, "the same, of `stuck` and `backlog`")
    seconds: float = _size(20.0, "for which changes are made")
    stuck: int = _size(1_000, "orders that get nowhere")
    same: int = _size(100, "of these, how many hang at the healthy partner's origin")
    kills: int = _size(200, "of `crash`")
    waiting: int = _size(100_000, "deliveries of `backlog`")
    hold: float = _size(30.0, "seconds for which they are watched")
    seed: int = _size(20_261_122, "of `crash`: what is killed, and when")
