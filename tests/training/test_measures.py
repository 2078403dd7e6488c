"""What can be monitored besides losses and accuracies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from fastmlp import Dataset, fit
from fastmlp.data.split import Parts
from fastmlp.model.task import Task
from fastmlp.training.config import TrainConfig
from fastmlp.training.fit import finish, start
from fastmlp.training.measures import r2, validation_score
from fastmlp.training.prepare import prepare_parts
from fastmlp.training.run import Run
from toys import BARE, blobs, lines, settings, twin_of


@pytest.mark.parametrize(
    "penalty", [{}, {"l2": 0.3, "l1": 0.1}, {"l2": 3.0, "penalty_per_row": True}]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_objective_is_loss_and_penalty_before_each_update(
    weighted: bool, penalty: dict[str, float]
) -> None:
    data = blobs(46)
    weights = np.random.default_rng(0).uniform(0, 2, 46) if weighted else None
    config = settings(**BARE, **penalty, monitor="train_objective", epochs=2, batch_size=20)
    run = start(config, data, sample_weight=weights)
    steps = twin_of(run)[2]
    expected = [
        sum((step.loss / step.weight + step.penalty) * step.rows for step in epoch) / 46
        for epoch in (steps[:3], steps[3:])
    ]
    history = finish(run).history
    np.testing.assert_allclose(history["train_objective"], expected, rtol=1e-12)
    assert history.columns[-1] == "train_objective"


def test_without_a_penalty_the_objective_is_the_loss() -> None:
    history = fit(settings(**BARE, monitor="train_objective"), blobs(30)).history
    np.testing.assert_allclose(history["train_objective"], history["train_loss"], rtol=1e-14)


def test_what_is_not_monitored_is_not_measured() -> None:
    assert "train_objective" not in fit(settings(**BARE), blobs(30)).history.columns


def test_the_penalty_of_a_batch_is_that_of_a_row_for_a_batch_of_one_size() -> None:
    """With batches of 10 of 30 rows, l2 per row is a tenth of l2."""
    shared, own = (
        fit(settings(**BARE, l2=l2, penalty_per_row=per_row, batch_size=10), blobs(30))
        for l2, per_row in ((0.5, True), (0.05, False))
    )
    for one, other in zip(
        shared.predictor.network.weights, own.predictor.network.weights, strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(shared.history["penalty"], own.history["penalty"], rtol=1e-12)


def test_the_score_of_classes_is_the_accuracy() -> None:
    history = fit(
        settings(split="none", validation=0.5, monitor="validation_score"), blobs(60)
    ).history
    assert history["validation_score"] == history["validation_accuracy"]


@pytest.mark.parametrize("n_outputs", [None, 3])
def test_the_score_of_numbers_is_their_r2(n_outputs: int | None) -> None:
    data = lines(60, n_outputs)
    config = settings(
        split="none", validation=0.5, scale="none", monitor="validation_score", early_stopping=2
    )
    run = start(config, data)
    result = finish(run)
    targets = run.prepared.validation.targets  # type: ignore[union-attr]
    outputs = run.evaluate(run.prepared.validation, want_outputs=True).outputs  # type: ignore[union-attr]
    assert max(result.history["validation_score"]) == pytest.approx(r2_score(targets, outputs))
    assert result.kept_epoch == 1 + np.argmax(result.history["validation_score"])


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_validation_rows_can_have_weights(kind: str) -> None:
    rng = np.random.default_rng(1)
    X, weights = rng.normal(size=(40, 2)), rng.uniform(0, 2, 20)
    y = X[:, 0] if kind == "regression" else (X[:, 0] > 0).astype(int)
    task = Task(kind, 1, None if kind == "regression" else np.array([0, 1]))
    output, loss = (
        ("identity", "squared_error")
        if kind == "regression"
        else ("sigmoid", "binary_cross_entropy")
    )
    config = TrainConfig(
        dtype="float64", scale="none", output_activation=output, loss=loss, learning_rate=0.1,
        hidden_layer_sizes=(3,), batch_size=8, weight_init="zeros", monitor="validation_score",
        target_scale="none", optimizer="sgd", schedule="constant", clip_norm=0.0,
    )  # fmt: skip
    parts = Parts(X[:20], y[:20], X[20:], y[20:], None, None, None, weights)
    run = Run(config, prepare_parts(parts, config, task))
    found = validation_score(run, {})
    outputs = run.evaluate(run.prepared.validation, want_outputs=True).outputs[:, 0]  # type: ignore[union-attr]
    score = r2_score if kind == "regression" else accuracy_score
    predicted = outputs if kind == "regression" else outputs >= 0.5
    assert found == pytest.approx(score(y[20:], predicted, sample_weight=weights))


def test_r2_where_all_targets_are_equal() -> None:
    ones, weights = np.ones((4, 1)), np.ones(4)
    assert r2(ones, ones, weights) == 1
    assert r2(ones, ones + 1, weights) == 0
    both = np.hstack([ones, np.arange(4.0)[:, None]])
    assert r2(both, both + np.array([1, 0]), weights) == 0.5


# --- the rest of what a drop-in needs ---


def test_rows_can_be_taken_in_the_datas_order() -> None:
    run = start(settings(**BARE, sampling="in_order", epochs=2), blobs(46))
    weights, biases, _ = twin_of(run)
    finish(run)
    for one, other in zip(
        [*run.network.weights, *run.network.biases], [*weights, *biases], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def test_orders_can_come_from_elsewhere() -> None:
    data = blobs(46)
    backwards = Dataset(data.X[::-1], data.y[::-1])
    expected = fit(settings(**BARE, sampling="in_order"), backwards)
    run = start(settings(**BARE), data)
    run.steps.orders.draw = lambda epoch: np.arange(46)[::-1].copy()
    assert finish(run).history["train_loss"] == expected.history["train_loss"]


def test_without_a_limit_a_loss_may_rise() -> None:
    data = lines(40)
    config = settings(
        **BARE, learning_rate=0.5, hidden_layer_sizes=(), epochs=1, mode="batch", clip_norm=0.0
    )
    start_from = ([np.full((2, 1), 1e5)], [np.zeros(1)])
    spoilt = Dataset(data.X * 100, data.y)
    with pytest.raises(ArithmeticError, match="rose to"):
        fit(config.replace(epochs=5), spoilt, initial_weights=start_from)
    result = fit(config.replace(epochs=5, loss_limit=0), spoilt, initial_weights=start_from)
    assert result.history["train_loss"][-1] > 1e6 * result.history["train_loss"][0]
