"""How long partners take."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hub.core.webhooks.acks import bucket_of, quantile

TIMES = st.lists(st.floats(0.001, 400_000, allow_nan=False), min_size=1, max_size=50)


@given(TIMES, st.floats(0.01, 1.0))
def test_quantiles_are_right_to_a_quarter(times: list[float], share: float) -> None:
    """Never below the true one, and at most a quarter above it."""
    told = quantile(Counter(map(bucket_of, times)), share)
    ranked = sorted(times)
    true = ranked[max(0, -int(-len(times) * share // 1) - 1)]
    assert told is not None
    assert true * 0.999 <= told <= true * 1.2501


def test_of_nothing() -> None:
    assert quantile({}, 0.5) is None
    assert bucket_of(0.0) == bucket_of(0.001) == 0
    assert bucket_of(1e9) == 90
