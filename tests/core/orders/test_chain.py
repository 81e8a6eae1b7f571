"""The canonical JSON of events is that of RFC 8785, whichever way it is written."""

from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hub.core.orders.chain import canonical

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
LEAVES = (
    st.none() | st.booleans() | WHOLE | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_it_is_what_the_reference_writes(event: dict[str, Any]) -> None:
    """Of text in any script, numbers of any kind, and names in any order."""
    assert rfc8785.dumps(event) == canonical(event)
