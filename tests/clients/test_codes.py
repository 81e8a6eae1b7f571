import pytest

from schemas.codes import comes_back


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1000, False),
        (1001, True),
        (1006, True),
        (1009, False),
        (1011, True),
        (1012, True),
        (1013, True),
        (2999, False),
        (3000, True),
        (3499, True),
        (3500, False),
        (3999, False),
        (4000, True),
        (4001, True),
        (4008, True),
        (4009, True),
        (4029, True),
        (4499, True),
        (4500, False),
        (4501, False),
        (4503, False),
        (4509, False),
        (4999, False),
        (5000, False),
    ],
)
def test_the_range_says_whether_to_come_back(code: int, expected: bool) -> None:
    """Every boundary of the close-code ranges, as contract 9 draws them."""
    assert comes_back(code) is expected
