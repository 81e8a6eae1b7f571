"""What processes used of their cores in a span of time."""

from collections.abc import Mapping, Sequence
from time import perf_counter

from bench.meters import cpu_seconds, spent

__all__ = ["Span"]


class Span:
    """From its making until `end`."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = parts
        self._before, self._start = cpu_seconds(parts), perf_counter()
        self._after: Mapping[str, float] = {}
        self.seconds = 0.0

    def end(self) -> "Span":
        self.seconds, self._after = perf_counter() - self._start, cpu_seconds(self._parts)
        return self

    @property
    def used(self) -> dict[str, float]:
        """Seconds on a core, of each part."""
        return {name: self._after[name] - before for name, before in self._before.items()}

    @property
    def busy(self) -> dict[str, float]:
        """The share of a core that each part had."""
        return {name: round(used / self.seconds, 4) for name, used in self.used.items()}

    def per(self, deliveries: int) -> dict[str, float]:
        """CPU µs of each part, and of all."""
        return spent(self._before, self._after, deliveries)
