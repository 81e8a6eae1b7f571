"""The worker that learns how long orders take, and the hubs that say so."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from hub.errors import UnavailableError
from hub.eta.estimator import Estimator
from hub.eta.model import Model, packed
from hub.services.estimates import unpacked
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.log import Log
from hub.store.models import ModelStore
from hub.worker import learning
from hub.worker.learning import READER, Learning
from schemas.lifecycle import Role
from tests.hub.harness import RunningHub, advance, hubs, move, now, place


@pytest.fixture
async def hub(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store) as (hub,):
        yield hub


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(learning, "_BLOCK", 0.001)


Make = Callable[[], Learning]


@pytest.fixture
def learner(hub: RunningHub) -> Iterator[Make]:
    """A worker's duty; each call is another worker."""
    readers: list[Log] = []

    def make() -> Learning:
        state = hub.state
        readers.append(Log(state.connection, READER))
        models = ModelStore(state.connection)
        parts = (readers[-1], state.order_store, models, state.order_index, state.roster)
        return Learning(*parts)

    yield make
    for reader in readers:
        reader.close()


async def learned(connection: Connection) -> Estimator:
    found = await ModelStore(connection).load()
    assert found is not None
    return unpacked(found[1]).estimator


async def offer(hub: RunningHub, model: Model) -> None:
    """What some worker has trained."""
    await ModelStore(hub.state.connection).offer(model.trained_until, packed(model), 0.0)


async def deliver(hub: RunningHub, minutes: int = 20) -> None:
    """An order that was over so long after it was placed, as its courier tells."""
    order = await place(hub.platform)
    await advance(hub.platform, order, "CONFIRMED")
    body = {"status": "COMPLETED", "timestamp": now(min(minutes * 60, 290))}
    response = await hub.platform.post(f"/v1/orders/{order['orderId']}/status", json=body)
    assert response.json()["applied"]


def actuals() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        if metric.name == "ordercast_eta_actuals"
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


async def test_each_delivery_teaches_once(hub: RunningHub, learner: Make) -> None:
    """Also where another worker takes over in between."""
    before = actuals()
    one, two = learner(), learner()
    for _ in range(3):
        await deliver(hub)
    await one.step()
    errors = len(Estimator().conformal.errors)
    assert len((await learned(hub.state.connection)).conformal.errors) == errors + 3
    await deliver(hub)
    await two.step()
    assert len((await learned(hub.state.connection)).conformal.errors) == errors + 4
    assert actuals() == before + 4


async def test_who_was_outrun_begins_anew(hub: RunningHub, learner: Make) -> None:
    """Two who both think that they lead: the store takes one's model, the other goes on from it."""
    one, two = learner(), learner()
    await one.step()
    await two.step()
    await deliver(hub)
    await one.step()
    await two.step()
    for each in (one, two):
        await each.step()
    errors = len(Estimator().conformal.errors)
    assert len((await learned(hub.state.connection)).conformal.errors) == errors + 1


async def test_cancelled_orders_teach_nothing(hub: RunningHub, learner: Make) -> None:
    order = await place(hub.platform)
    await move(hub.platform, order, "CANCELLED")
    await learner().step()
    assert (await learned(hub.state.connection)).conformal.errors == Estimator().conformal.errors


async def test_a_trained_model_is_adopted_once(hub: RunningHub, learner: Make) -> None:
    """It, and then what is learned on top of it; also by the next worker."""
    trained = Estimator()
    trained.conformal.learn(0.5)
    await offer(hub, Model(trained, 1e9, 1, {}))
    await learner().step()
    assert (await learned(hub.state.connection)).conformal.errors[-1] == 0.5
    await deliver(hub)
    following = learner()
    await following.step()
    await following.step()
    errors = (await learned(hub.state.connection)).conformal.errors
    assert errors[-2] == 0.5


async def test_what_is_broken_is_passed_over(hub: RunningHub, learner: Make) -> None:
    await offer(hub, Model(Estimator(), 1e9, 1, {}, version=0))
    await ModelStore(hub.state.connection).save(0, msgspec.msgpack.encode({"estimator": 1}))
    await learner().step()
    assert (await learned(hub.state.connection)).fits()
    await hub.state.estimates._refresh()


async def test_hubs_follow_the_model(hub: RunningHub, learner: Make) -> None:
    """An order's first estimate is the model's."""
    trained = Estimator()
    for place_of in range(2000):
        trained.conformal.learn(-2.0 + place_of % 100 / 100)
    await offer(hub, Model(trained, 1e9, 1, {}))
    before = await first_estimate(hub)
    await learner().step()
    await hub.state.estimates._refresh()
    assert await first_estimate(hub) < before


async def first_estimate(hub: RunningHub) -> int:
    order = await place(hub.platform)
    answer = await hub.platform.get(f"/v1/orders/{order['orderId']}/events")
    event: dict[str, Any] = answer.json()["events"][0]
    assert event["eta"]["p10"] < event["eta"]["p50"] < event["eta"]["p90"]
    return int(event["estimatedTime"])


async def test_watchers_are_told_when_it_moves(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an estimate of its own, in the order of the events."""
    moved = {"estimatedTime": 7, "eta": {"p10": now(60), "p50": now(400), "p90": now(900)}}
    monkeypatch.setattr("hub.core.orders.running.RunningEstimate.moved", lambda *_: moved)
    monkeypatch.setattr("hub.services.fanout._ESTIMATE_EVERY", 1)
    order = await place(hub.platform)
    async with hub.stream(Role.CUSTOMER, orders=[order["orderId"]]) as wire:
        await wire.subscribe(order["orderId"])
        told = await wire.until("estimate")
        assert told == {"type": "estimate", "orderId": order["orderId"], **moved}


async def test_the_store_away_is_waited_for(hub: RunningHub, learner: Make) -> None:
    """A step that fails loses nothing."""
    one = learner()
    await one.step()
    await deliver(hub)
    away, one._models._connection = one._models._connection, _Away()  # type: ignore[assignment]
    with pytest.raises(UnavailableError):
        await one.step()
    one._models._connection = away
    await one.step()
    errors = len(Estimator().conformal.errors)
    assert len((await learned(hub.state.connection)).conformal.errors) == errors + 1


class _Away:
    async def ask(self, *_: object) -> None:
        raise UnavailableError("away")
