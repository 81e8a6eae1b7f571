import io
from contextlib import redirect_stdout

import pytest

from clients.examples import place_order, receive_webhooks, ride, watch_order
from tests.clients.fake_hub import FakeHub, answer_rider
from tests.clients.orders import Log


@pytest.mark.parametrize("example", [watch_order, ride, place_order, receive_webhooks])
def test_each_explains_itself(example: object, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` tells how an example is run."""
    with pytest.raises(SystemExit) as caught:
        example.main(["--help"])  # type: ignore[attr-defined]

    assert caught.value.code == 0
    assert "usage" in capsys.readouterr().out


async def test_watch_order_prints_and_ends(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example prints an order's state and ends when it is finished."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hub.orders["ord_1"] = Log("ord_1")
    hub.orders["ord_1"].append("COMPLETED")

    with redirect_stdout(io.StringIO()) as out:
        await watch_order.watch(hub.url, "token", ["ord_1"], "json")

    assert out.getvalue().splitlines() == ["ord_1 is COMPLETED (seq 2)", "ord_1 is finished"]


def test_the_line_of_a_ride() -> None:
    """A ride starts and ends where it was told, in steps no longer than speed allows."""
    points = list(ride.line((31.0, 121.0), (31.001, 121.0), speed=10.0, seconds=1.0))

    assert (points[0], points[-1]) == ((31.0, 121.0), (31.001, 121.0))
    assert len(points) == 13


async def test_ride_arrives(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's last fix is its destination."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hub.answer = answer_rider
    arguments = [hub.url, "rider-7", "token", "31.0,121.0", "31.00001,121.0", "--every", "0.01"]
    given = ride.parser().parse_args(arguments)

    with redirect_stdout(io.StringIO()) as out:
        await ride.ride(given)

    assert out.getvalue() == "arrived; 0 fixes dropped on the way\n"
    assert hub.received[-1]["lat"] == 31.00001
