"""Close codes: the range alone says whether to come back."""

import pytest

from schemas.codes import CloseCode, comes_back

COME_BACK = {1001, 1006, 1011, 1012, 1013, 4001, 4008, 4009, 4029}


@pytest.mark.parametrize("code", CloseCode)
def test_each_code_of_ours(code: CloseCode) -> None:
    """Passing troubles bring a client back, its own faults do not."""
    assert (code in COME_BACK) == comes_back(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2999, False),
        (3000, True),
        (3499, True),
        (3500, False),
        (3999, False),
        (4000, True),
        (4499, True),
        (4500, False),
        (4999, False),
        (5000, False),
        (1000, False),
        (1009, False),
    ],
)
def test_the_edges_of_the_ranges(code: int, expected: bool) -> None:
    """A code that a client has never seen is judged by its range."""
    assert expected == comes_back(code)
