"""A token bucket: so many a second sustained, and so many at once."""

from functools import lru_cache

__all__ = ["Bucket"]


class Bucket:
    """`rate` a second, bursts of `burst`. Times are seconds of any one clock.

    It is kept as the moment at which it will be full again: the generic cell rate algorithm
    (ITU-T I.371), one number instead of two.
    """

    __slots__ = ("_full_at", "_lead", "_step")

    def __init__(self, rate: float, burst: float) -> None:
        self._step, self._lead = _terms(rate, burst)
        self._full_at = 0.0

    def take(self, now: float) -> bool:
        full_at = self._full_at
        if full_at - now > self._lead:
            return False
        self._full_at = (full_at if full_at > now else now) + self._step
        return True


@lru_cache(maxsize=64)
def _terms(rate: float, burst: float) -> tuple[float, float]:
    """Seconds to refill one, and by how many the bucket may run ahead: the same objects for all.

    Unix times are not exact to the last step, hence a little less than one.
    """
    return 1 / rate, (burst - 0.999) / rate
