"""Forests, their training, the model file, and what the past makes of them."""

from math import log
from pathlib import Path

import lightgbm
import msgspec
import numpy as np
import pytest

from hub.core.orders.estimate import Remaining
from hub.eta import training
from hub.eta.estimator import INPUTS, Estimator
from hub.eta.evaluation import evaluate
from hub.eta.forest import Forest, Forests, from_dump
from hub.eta.model import Model, ModelError, load, path_in, save
from hub.eta.past import Past, PastOrder
from hub.eta.replay import Replay, first_growth
from hub.eta.retraining import train
from hub.eta.scores import band
from tests.eta.making import DAY, START, features, town

TOWN = town(5.0, per_day=250)


@pytest.fixture(scope="module")
def lived() -> Estimator:
    estimator = Estimator()
    replay = Replay(estimator, first_growth(TOWN, START + 4 * DAY), grow=True)
    for _ in replay.run(TOWN):
        pass
    replay.finish()
    return estimator


def test_the_walker_says_what_lightgbm_says() -> None:
    chance = np.random.default_rng(1)
    inputs = chance.normal(size=(800, 5))
    targets = inputs[:, 0] * 2 + np.abs(inputs[:, 1]) + chance.normal(size=800)
    parameters = {"num_leaves": 8, "use_missing": False, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(inputs, targets), 20)
    forest = from_dump(booster.dump_model())
    assert len(forest.trees) == 20
    told = [forest.predict(list(map(float, each))) for each in inputs]
    assert np.allclose(told, booster.predict(inputs), rtol=0, atol=1e-12)


def test_a_tree_that_could_not_be_split_is_a_leaf() -> None:
    booster = lightgbm.train(
        {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(np.zeros((50, 2)), np.ones(50)), 2
    )
    assert from_dump(booster.dump_model()).predict([0.0, 0.0]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "tree",
    [
        (),
        ((0, 0.5, 0, 1), (-1, 1.0, 0, 0)),
        ((0, 0.5, 1, 3), (-1, 1.0, 0, 0), (-1, 1.0, 0, 0)),
        ((9, 0.5, 1, 2), (-1, 1.0, 0, 0), (-1, 1.0, 0, 0)),
        ((-2, 0.5, 1, 2), (-1, 1.0, 0, 0), (-1, 1.0, 0, 0)),
    ],
    ids=["empty", "circle", "beyond its end", "beyond the features", "no feature"],
)
def test_a_tree_with_a_walk_that_does_not_end_is_seen(tree: tuple[()]) -> None:
    assert not Forest((tree,)).fits(3)
    assert not Forests(high=Forest((tree,))).fit(3)
    assert Forest((((0, 0.5, 1, 2), (-1, 1.0, 0, 0), (-1, 2.0, 0, 0)),)).fits(3)


def test_nothing_is_known_before_it_happened() -> None:
    """However the later orders end, the estimates told before that are the same."""
    at = START + 4 * DAY
    other = [
        order
        if order.delivered_at < at
        else PastOrder(order.features, 60.0 + (at - order.features.created_at) % 9_000.0 + 500.0)
        for order in TOWN
    ]
    other = [
        order if order.delivered_at >= at or order.features.created_at >= at else mine
        for order, mine in zip(other, TOWN, strict=True)
    ]

    def told(orders: list[PastOrder]) -> list[float]:
        replay = Replay(Estimator(), first_growth(orders, at - DAY), grow=True)
        known = [order for order in orders if order.features.created_at < at]
        return [placed.forecast.middle for _, placed in replay.run(known)]

    kept = [o.seconds == m.seconds for o, m in zip(other, TOWN, strict=True)]
    assert not all(kept)
    assert told(other) == told(TOWN)


@pytest.mark.parametrize("forests", [False, True])
def test_a_week_is_scored(forests: bool) -> None:
    """Better than one number for all, and as sure as it says."""
    found = evaluate(Past(TOWN, {"no store": 2}), START + 4 * DAY, forests=forests)
    assert found["model"] == ("lightgbm" if forests else "linear")
    assert found["n"] == sum(order.features.created_at >= START + 4 * DAY for order in TOWN)
    assert found["mae"] < 0.9 * found["median_mae"]
    assert 0.7 < found["coverage80"] < 0.9
    assert 0.4 < found["late_p50"] < 0.6
    assert 0.04 < found["late_p90"] < 0.16
    assert list(found["remaining"]) == ["0", "20", "40", "60"]
    assert found["dropped"] == {"no store": 2}


def test_with_little_to_learn_from_it_still_answers() -> None:
    few = TOWN[:3]
    found = evaluate(Past(few, {}), few[1].features.created_at)
    assert (found["n"], found["model"], found["trained_on"]) == (2, "linear", 0)
    assert found["median_mae"] is None
    assert evaluate(Past([], {}), START)["mae"] is None


def test_a_model_is_the_same_after_it_was_written(tmp_path: Path, lived: Estimator) -> None:
    path = path_in(tmp_path)
    assert load(path) is None
    assert lived.forests
    save(path, Model(lived, START, 1, {"mae": 1.0}))
    found = load(path)
    assert found is not None
    order = features(START + 7 * DAY, store="s3")
    assert found.estimator.forecast(order) == lived.forecast(order)
    assert found.score == {"mae": 1.0}
    assert [each.name for each in path.parent.iterdir()] == ["model.json"]


def _broken(text: bytes, **changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(text), **changes})


@pytest.mark.parametrize("kind", ["text", "version", "inputs", "ridge", "forest", "null"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, kind: str, lived: Estimator) -> None:
    path = path_in(tmp_path)
    save(path, Model(lived, START, 1, {}))
    text = path.read_bytes()
    estimator = msgspec.json.decode(text)["estimator"]
    bad_tree = {"trees": [[[0, 1.0, 0, 0]]]}
    path.write_bytes(
        {
            "text": b"\x80\x04pickle",
            "version": _broken(text, version=2),
            "inputs": _broken(text, inputs=list(reversed(INPUTS))),
            "ridge": _broken(
                text, estimator={**estimator, "ridge": {"weights": [1.0], "covariance": [[1.0]]}}
            ),
            "forest": _broken(
                text,
                estimator={**estimator, "forests": {**estimator["forests"], "low": bad_tree}},
            ),
            "null": text.replace(b'"trained_until":', b'"trained_until":null,"x":'),
        }[kind]
    )
    with pytest.raises(ModelError, match=r"model\.json: "):
        load(path)


def test_a_model_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, lived: Estimator
) -> None:
    path = path_in(tmp_path)
    path.parent.write_text("in the way")
    with pytest.raises(ModelError):
        save(path, Model(lived, START, 1, {}))


def test_a_worse_model_does_not_take_the_place() -> None:
    """One that says nonsense loses its place; an equal one keeps it."""
    good = train(TOWN, None)
    assert good.better
    assert good.former is None
    at = INPUTS.index("items")
    wrong = Forest((((at, 2.5, 1, 2), (-1, 0.6, 0, 0), (-1, -0.6, 0, 0)),))
    spoiled = Estimator(forests=Forests(wrong, wrong, wrong))
    again = train(TOWN, Model(spoiled, START, 1, {}))
    assert again.better
    assert again.former is not None
    assert again.former["pinball_p50"] > again.model.score["pinball_p50"]
    assert not train(TOWN, good.model).better


def test_the_way_that_was_learned_outlives_the_training(lived: Estimator) -> None:
    lived.road.ridge.weights[0] = log(0.5)
    assert train(TOWN[:50], Model(lived, START, 1, {})).model.estimator.road is lived.road


def test_the_last_examples_are_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def examples() -> list[training.Example]:
        replay = Replay(Estimator(), START, grow=False)
        for _ in replay.run(TOWN):
            pass
        return list(replay.examples)

    whole = examples()
    monkeypatch.setattr(training, "LATEST", 100)
    assert examples() == whole[-100:]


def test_the_bands_of_the_metric() -> None:
    eta = Remaining(10.0, 20.0, 30.0)
    bands = [band(eta, seconds) for seconds in (9.0, 10.0, 20.0, 25.0, 30.0, 31.0)]
    assert bands == ["below_p10", "below_p50", "below_p50", "below_p90", "below_p90", "above_p90"]
