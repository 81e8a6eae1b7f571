"""Training once a day, by one worker for all of them."""

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from msgspec import structs

from hub.eta.estimator import Estimator
from hub.eta.model import Model, load, packed, path_in, save, unpacked
from hub.store.connection import Connection
from hub.store.leases import Leases
from hub.store.models import ModelStore
from hub.worker import retraining, worker
from hub.worker.retraining import ModelFile, Retraining
from hub.worker.worker import Led
from tests.eta.making import town
from tests.eta.test_warehouse import ended

DAY, HOUR, NOW = 86_400.0, 3600.0, 1_800_000_000.0


@pytest.fixture
def models(connection: Connection) -> ModelStore:
    return ModelStore(connection)


def duty(models: ModelStore, data_dir: Path, warehouse: Path | str) -> Retraining:
    """Of a worker with a data directory of its own."""
    return Retraining(str(warehouse), data_dir, models, ModelFile(models, data_dir))


async def due_at_once(connection: Connection) -> None:
    await connection.ask("HSET", "oc:{eta}:trained", "due", 0)


async def due(connection: Connection) -> float:
    return float(await connection.ask("HGET", "oc:{eta}:trained", "due"))


def model_until(until: float, orders: int = 1) -> Model:
    return Model(Estimator(), until, orders, {})


def warehouse(root: Path) -> Path:
    """Three days of delivered orders."""
    rows = [_row(order.features.created_at, order.seconds) for order in town(3.0, per_day=100)]
    write_deltalake(str(root / "orders"), pa.Table.from_pylist(rows))
    return root


def _row(placed: float, seconds: float) -> dict[str, Any]:
    created, delivered = (datetime.fromtimestamp(at, UTC) for at in (placed, placed + seconds))
    return ended(created_at=created, ended_at=delivered)


async def test_the_day_is_counted_by_the_store(models: ModelStore, connection: Connection) -> None:
    """From the first worker's first look on, and not from any start."""
    assert not await models.claim(NOW, DAY, HOUR)
    for later in (1.0, DAY / 2, DAY - 1.0):
        restarted = ModelStore(connection)
        assert not await restarted.claim(NOW + later, DAY, HOUR)
    assert await models.claim(NOW + DAY, DAY, HOUR)


async def test_one_of_two_trains(models: ModelStore, connection: Connection) -> None:
    """Whatever became of their leases; and another after an hour, if nothing was heard of it."""
    await due_at_once(connection)
    other = ModelStore(connection)
    claims = await asyncio.gather(*(each.claim(NOW, DAY, HOUR) for each in (models, other)))
    assert sorted(claims) == [False, True]
    assert not await other.claim(NOW + HOUR - 1.0, DAY, HOUR)
    assert await other.claim(NOW + HOUR, DAY, HOUR)


async def test_the_age_is_that_of_the_model_file(
    models: ModelStore, connection: Connection, tmp_path: Path
) -> None:
    """Where the store knows of none yet, as after it was lost."""
    save(path_in(tmp_path), model_until(NOW - 3 * DAY))
    os.utime(path_in(tmp_path), (NOW - HOUR, NOW - HOUR))
    await ModelFile(models, tmp_path).step()
    assert await due(connection) == NOW - HOUR + DAY


async def test_a_file_with_less_in_it_is_not_offered(models: ModelStore, tmp_path: Path) -> None:
    """Nor one that cannot be read; the next that is written is looked at again."""
    assert await models.offer(NOW, packed(model_until(NOW)), 0.0)
    file, path = ModelFile(models, tmp_path), path_in(tmp_path)
    await file.step()
    save(path, model_until(NOW - 1.0, orders=2))
    await file.step()
    path.write_text("{}")
    os.utime(path, (1.0, 1.0))
    await file.step()
    assert await models.trained(NOW) is None
    save(path, model_until(NOW + 1.0, orders=3))
    await file.step()
    found = await models.trained(NOW)
    assert found is not None
    assert unpacked(found[1]).orders == 3


async def test_what_one_worker_has_trained_all_have(
    models: ModelStore, connection: Connection, tmp_path: Path
) -> None:
    """By a real training, from a warehouse's URL; the next worker's is measured against it."""
    url = warehouse(tmp_path / "warehouse").as_uri()
    await due_at_once(connection)
    await duty(models, tmp_path / "one", url).step()
    trained = await models.trained()
    assert trained is not None
    assert trained[0] == unpacked(trained[1]).trained_until
    first = await due(connection)
    assert first == pytest.approx(time.time() + DAY, abs=60.0)

    told = structs.replace(unpacked(trained[1]), trained_until=trained[0] + 1.0, orders=7)
    await models.offer(told.trained_until, packed(told), 0.0)
    await duty(models, tmp_path / "two", url).step()
    fetched = load(path_in(tmp_path / "two"))
    assert fetched is not None
    assert fetched.orders == 7
    assert await due(connection) >= first


async def test_a_training_that_fails_is_tried_again_in_an_hour(
    models: ModelStore, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining.time, "time", lambda: NOW)
    await due_at_once(connection)
    await duty(models, tmp_path, tmp_path / "none").step()
    assert await due(connection) == NOW + HOUR
    assert await models.trained() is None


async def test_a_store_s_model_of_another_version_is_left_alone(
    models: ModelStore, tmp_path: Path
) -> None:
    await models.offer(NOW, b"{}", 0.0)
    await ModelFile(models, tmp_path).fetch()
    assert not path_in(tmp_path).exists()


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """What a training never comes to the end of: a pipe that nobody writes to."""
    path = tmp_path / "endless.csv"
    os.mkfifo(path)
    return path


async def test_a_training_keeps_its_lease_and_ends_with_it(
    models: ModelStore,
    connection: Connection,
    tmp_path: Path,
    endless: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process too."""
    monkeypatch.setattr(worker, "_LEASE", 0.5)
    await due_at_once(connection)
    training = Led(duty(models, tmp_path, endless), Leases(connection, "one"), "eta-training")
    step = asyncio.create_task(training.step())
    # Opened as soon as the training has opened it: longer than a lease that nobody renews.
    pipe = await asyncio.to_thread(os.open, endless, os.O_WRONLY)
    assert not await Leases(connection, "two").hold("eta-training", 10)
    await connection.ask("SET", "oc:lease:eta-training", "two")
    await step
    with pytest.raises(BrokenPipeError):
        os.write(pipe, b"created_at")
    os.close(pipe)
    assert await connection.ask("GET", "oc:lease:eta-training") == b"two"
