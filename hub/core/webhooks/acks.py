"""How long partners take to accept: a histogram of buckets that each are a quarter wider. Pure."""

from collections.abc import Mapping
from math import ceil, log
from typing import Final

__all__ = ["bucket_of", "quantile"]

_FIRST: Final = 0.001
_WIDER: Final = log(1.25)
_LAST: Final = 90
"""A millisecond is the first bucket's end, the last one's is six days."""


def bucket_of(seconds: float) -> int:
    """The number of the bucket, from 0."""
    if seconds <= _FIRST:
        return 0
    return min(_LAST, ceil(log(seconds / _FIRST) / _WIDER))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Seconds within which that share was accepted, to a quarter; None of nothing."""
    total = sum(counts.values())
    wanted, seen = ceil(total * share), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted and counts[bucket]:
            return float(_FIRST * 1.25**bucket)
    return None
