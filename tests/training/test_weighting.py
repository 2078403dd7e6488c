"""Sample weights and class weights: read, applied, and equal to repeated rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from fastmlp import CallbackError, ConfigError, DataError, Dataset, LambdaCallback, TrainConfig, fit
from fastmlp.training.fit import start
from fastmlp.training.result import TrainResult
from fastmlp.training.run import Run
from fastmlp.training.weighting import class_weights, parse_class_weight
from harness import features
from toys import BARE, blobs, layers, lines, noise, settings, tags

LABELS: dict[str, np.ndarray] = {
    "integers": np.array([3, 7, 3, 3, 9, 7, 3, 3]),
    "texts": np.array(["ape", "bee", "ape", "ape", "ape"]),
    "truth values": np.array([True, False, True, True]),
    "equal": np.array([0, 1, 2, 2, 1, 0]),
}


def arrays_of(result: TrainResult) -> list[np.ndarray]:
    network = result.predictor.network
    return [*network.weights, *network.biases]


# --- class weights ---


def test_pairs_become_weights_by_label() -> None:
    assert parse_class_weight("3=2, 7 = 0.5 ,a=b=0") == {"3": 2.0, "7": 0.5, "a=b": 0.0}
    assert parse_class_weight("none") == parse_class_weight("balanced") == {}


@pytest.mark.parametrize("name", LABELS)
def test_balanced_weights_are_those_of_scikit_learn(name: str) -> None:
    y = LABELS[name]
    classes = np.unique(y)
    expected = dict(
        zip(classes, compute_class_weight("balanced", classes=classes, y=y), strict=True)
    )
    found = class_weights("balanced", y, classes)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [expected[label] for label in y], rtol=1e-15)


def test_a_class_without_rows_balances_nothing() -> None:
    found = class_weights("balanced", np.array([0, 0, 1]), np.array([0, 1, 2]))
    np.testing.assert_allclose(found, [0.5, 0.5, 1.0])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("integers", "7=2,9=0", [1, 2, 1, 1, 0, 2, 1, 1]),
        ("texts", "bee=0.5", [1, 0.5, 1, 1, 1]),
        ("truth values", "False=3", [1, 3, 1, 1]),
    ],
)
def test_classes_that_are_not_named_weigh_1(name: str, text: str, expected: list[float]) -> None:
    y = LABELS[name]
    assert class_weights(text, y, np.unique(y)).tolist() == expected


def test_an_unknown_class_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        fit(settings(class_weight="1=2,7=3"), blobs())
    assert str(caught.value) == "class_weight names class '7', which is not among 0, 1, 2"


def test_balanced_counts_only_training_part() -> None:
    dataset = Dataset(noise(50).X, np.arange(50) % 5 == 0)
    train = start(settings(class_weight="balanced", validation=7), dataset).prepared.train
    rare = train.targets[:, 0] == 1
    n, n_rare = len(rare), int(rare.sum())
    assert 0 < n_rare < n < 40
    np.testing.assert_allclose(train.weights[rare], n / (2 * n_rare))
    np.testing.assert_allclose(train.weights[~rare], n / (2 * (n - n_rare)))


# --- sample weights ---


def identified(n: int = 60, **parts: Any) -> Dataset:
    """Each row's feature is its number."""
    return Dataset(np.arange(float(n))[:, None], np.arange(n) % 3, **parts)


@pytest.mark.parametrize("changes", [{}, {"split": "none"}, {"validation": 0}, {"seed": 5}])
def test_each_training_row_keeps_its_weight(changes: dict[str, Any]) -> None:
    config = settings(scale="none").replace(**changes)
    train = start(config, identified(), sample_weight=np.arange(1.0, 61)).prepared.train
    assert train.weights.dtype == np.float64
    np.testing.assert_array_equal(train.weights, features(train)[:, 0] + 1)


@pytest.mark.parametrize(("split", "pooled"), [("official", False), ("80-20", True)])
def test_rows_of_a_test_part_that_are_pooled_weigh_1(split: str, pooled: bool) -> None:
    dataset = identified(X_test=np.full((30, 1), -1.0), y_test=np.arange(30) % 3)
    config = settings(scale="none", split=split)
    train = start(config, dataset, sample_weight=np.arange(2.0, 62)).prepared.train
    own = features(train)[:, 0] >= 0
    assert own.all() != pooled
    np.testing.assert_array_equal(train.weights, np.where(own, features(train)[:, 0] + 2, 1))


def test_rows_of_classes_that_are_dropped_take_their_weights_with_them() -> None:
    config = settings(scale="none", classes=("0", "2"))
    train = start(config, identified(), sample_weight=np.arange(1.0, 61)).prepared.train
    assert len(train.X) == 29
    np.testing.assert_array_equal(train.weights, features(train)[:, 0] + 1)


def test_sample_and_class_weights_are_multiplied() -> None:
    config = settings(scale="none", class_weight="1=10")
    train = start(config, identified(), sample_weight=np.arange(1.0, 61)).prepared.train
    factor = np.where(train.labels == 1, 10, 1)
    np.testing.assert_array_equal(train.weights, (features(train)[:, 0] + 1) * factor)


def test_weights_may_come_as_a_list_and_are_left_as_they_were() -> None:
    given = [1, 2, 3] * 20
    assert set(start(settings(), identified(), sample_weight=given).prepared.train.weights) == {
        1.0, 2.0, 3.0,
    }  # fmt: skip
    assert given == [1, 2, 3] * 20


def test_without_weights_none_are_kept() -> None:
    assert start(settings(), blobs()).prepared.train.weights.size == 0


@pytest.mark.parametrize("shape", [(119,), (120, 1), ()])
def test_weights_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"^sample_weight must have shape \(120,\), .* got \("):
        fit(settings(), blobs(), sample_weight=np.ones(shape))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_weight_out_of_range_is_refused(bad: float) -> None:
    weight = np.ones(120)
    weight[17] = bad
    with pytest.raises(DataError, match=r"^sample_weight must be finite, at least 0 and somewhere"):
        fit(settings(), blobs(), sample_weight=weight)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(DataError, match="somewhere above 0, got 0 to 0; leave it out"):
        fit(settings(), blobs(), sample_weight=np.zeros(120))
    message = "^some row of the training part must have a weight above 0, got 0 for all; raise"
    with pytest.raises(ConfigError, match=message):
        fit(settings(class_weight="0=0,1=0,2=0"), blobs())


def test_sample_weights_mean_nothing_to_an_update_per_sample() -> None:
    with pytest.raises(ConfigError) as caught:
        fit(settings(mode="stochastic"), blobs(), sample_weight=np.ones(120))
    message = str(caught.value)
    assert message.startswith("sample weights do not go with mode stochastic: ")
    assert message.endswith("; use mode minibatch or batch")


# --- weighted training ---


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"l1": 0.01, "l2": 0.1, "clip_norm": 0.1},
        {"accumulate": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "draw",
    [
        lambda: blobs(30),
        lambda: blobs(30, 2),
        lambda: lines(30, 2),
        lambda: tags(30),
    ],
    ids=["multiclass", "binary", "regression", "multilabel"],
)
def test_a_weighted_fit_is_a_fit_on_repeated_rows(
    draw: Callable[[], Dataset], changes: dict[str, Any]
) -> None:
    dataset = draw()
    config = settings(**BARE, target_scale="none", mode="batch", epochs=5).replace(**changes)
    times = np.random.default_rng(1).integers(0, 4, 30)
    repeated = draw()
    rows = np.repeat(np.arange(30), times)
    vars(repeated).update(X=dataset.X[rows], y=dataset.y[rows])
    n_outputs = start(config, dataset).task.n_outputs
    start_from = layers((2, 6, n_outputs))
    weighted = fit(config, dataset, initial_weights=start_from, sample_weight=times)
    expected = fit(config, repeated, initial_weights=start_from)
    for one, other, before in zip(
        arrays_of(weighted), arrays_of(expected), [*start_from[0], *start_from[1]], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        assert np.abs(one - before).max() > 1e-4
    np.testing.assert_allclose(
        weighted.history["train_loss"], expected.history["train_loss"], rtol=1e-12
    )


def test_class_weights_are_weights_of_their_rows() -> None:
    dataset = blobs(60)
    by_class = fit(settings(**BARE, class_weight="0=2,2=0.5"), dataset)
    by_row = fit(settings(**BARE), dataset, sample_weight=np.array([2, 1, 0.5])[dataset.y])
    assert by_class.history.rows == by_row.history.rows
    np.testing.assert_array_equal(
        by_class.predictor.network.params, by_row.predictor.network.params
    )


def test_equal_weights_of_any_size_change_nothing_but_rounding() -> None:
    plain = fit(settings(), blobs())
    weighted = fit(settings(), blobs(), sample_weight=np.full(120, 4.0))
    np.testing.assert_allclose(
        weighted.history["train_loss"], plain.history["train_loss"], rtol=1e-12
    )
    for one, other in zip(arrays_of(weighted), arrays_of(plain), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_weights_apply_in_training_only() -> None:
    config = settings(learning_rate=1e-300)
    plain = fit(config, noise())
    weighted = fit(config, noise(), sample_weight=np.arange(1.0, 61))
    for name in ("validation_loss", "validation_accuracy", "test_loss", "test_accuracy"):
        assert weighted.metrics[name] == plain.metrics[name]
    assert weighted.metrics["train_loss"] != plain.metrics["train_loss"]
    assert weighted.metrics["train_accuracy"] == plain.metrics["train_accuracy"]


def test_a_run_that_did_not_begin_is_measured_without_weights() -> None:
    def begun(weight: np.ndarray | None) -> dict[str, Any]:
        def fail(run: Run) -> None:
            raise ValueError

        with pytest.raises(CallbackError) as caught:
            fit(settings(), blobs(), sample_weight=weight,
                callbacks=[LambdaCallback(on_train_begin=fail)])  # fmt: skip
        metrics: dict[str, Any] = caught.value.result.metrics
        return metrics

    assert begun(np.arange(1.0, 121)) == begun(None)


def test_a_rare_class_is_found_when_it_weighs_more() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 20 == 0).astype(int)
    dataset = Dataset(rng.normal(0, 1, (400, 2)) + y[:, None], y)
    config = settings(**BARE, hidden_layer_sizes=(), epochs=20)

    def found(**changes: Any) -> float:
        predicted = fit(config.replace(**changes), dataset).predictor.predict(dataset.X)
        return float(predicted[y == 1].mean())

    assert found(class_weight="balanced") > 0.5 > 0.3 > found()


def test_a_batch_without_weight_changes_no_weight() -> None:
    # Two batches of rows in order; the second weighs nothing.
    dataset = blobs(20)
    weight = np.repeat([1.0, 0.0], 10)
    config = settings(**BARE, epochs=1, sampling="shuffle")
    run = start(config, dataset, sample_weight=weight)
    before = run.network.params.copy()
    steps = run.steps
    steps.start_epoch(1, np.full(2, 0.1))
    steps._order = np.arange(20)
    steps.advance(1)
    after_one = run.network.params.copy()
    steps.advance(2)
    assert not np.array_equal(after_one, before)
    np.testing.assert_array_equal(run.network.params, after_one)
    assert steps.report.weight.tolist() == [10, 0]
    assert np.isfinite(steps.worst_step_loss())


def test_class_weights_may_be_a_dictionary() -> None:
    assert TrainConfig(class_weight={3: 2.0, "b": 0.5}).class_weight == "3=2.0,b=0.5"


@pytest.mark.parametrize("form", [np.asarray, pd.Series])
@pytest.mark.parametrize("dtype", ["datetime64[ms]", "timedelta64[ms]", "complex128"])
def test_weights_are_numbers(dtype: str, form: Any) -> None:
    weight = form(np.arange(1, 121).astype(dtype))
    with pytest.raises(DataError, match=r"^sample_weight must hold numbers, got dtype"):
        fit(settings(), blobs(), sample_weight=weight)


@pytest.mark.parametrize(
    ("dtype", "factor"), [("float32", 1e39), ("float32", 1e-35), ("float64", 1e-300)]
)
def test_weights_that_the_network_cannot_count_are_refused(dtype: str, factor: float) -> None:
    with pytest.raises(DataError, match=f"sample weights must be in the range of {dtype}, and so"):
        fit(settings(dtype=dtype), blobs(), sample_weight=np.full(120, factor))


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_the_unit_of_weights_does_not_matter(factor: float) -> None:
    weight = np.random.default_rng(0).uniform(1, 2, 120)
    config = settings(dtype="float32")
    one, other = (fit(config, blobs(), sample_weight=w) for w in (weight, weight * factor))
    for a, b in zip(one.history["train_loss"], other.history["train_loss"], strict=True):
        assert a == pytest.approx(b, rel=1e-5)
