"""When a webhook that may wait is due: after a delay, and not in quiet hours. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

__all__ = ["Quiet", "due_at"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `start` to `end` by the clocks of `zone`, each day; over midnight where `end` is the
    earlier.
    """

    start: time
    end: time
    zone: tzinfo


def due_at(told: float, delay: float, quiet: Quiet | None, now: float) -> float:
    """When what was told at `told` may be sent, at `now` or later (Unix seconds)."""
    due = max(now, told + delay)
    return due if quiet is None else _after(due, quiet)


def _after(moment: float, quiet: Quiet) -> float:
    """The moment, or the end of the quiet hours that it lies in.

    Where clocks are set, an end that comes twice is the first of them that is later; one that is
    left out is as much later as the clocks are set forward.
    """
    local = datetime.fromtimestamp(moment, quiet.zone)
    clock = local.time()
    if quiet.start < quiet.end:
        inside, tomorrow = quiet.start <= clock < quiet.end, False
    else:
        inside, tomorrow = not quiet.end <= clock < quiet.start, clock >= quiet.start
    if not inside:
        return moment
    date = local.date() + timedelta(days=tomorrow)
    ends = (datetime.combine(date, quiet.end, quiet.zone).replace(fold=fold) for fold in (0, 1))
    return min((each.timestamp() for each in ends if each.timestamp() > moment), default=moment)
