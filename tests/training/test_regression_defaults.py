"""A regression by defaults: what they are, and that no table makes them diverge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sklearn import datasets
from sklearn.metrics import r2_score

from fastmlp import DataError, Dataset, MLPRegressor, TrainConfig, fit
from fastmlp.data.split import parts
from fastmlp.training.resolve import resolve, resolve_settings
from toys import blobs, counts, friedman, lines, settings, tags

OF_REGRESSION = {
    "target_scale": "standard", "weight_init": "glorot_uniform", "learning_rate": 0.1,
    "optimizer": "sgd(momentum=0.9, nesterov=true)", "schedule": "cosine", "clip_norm": 2.0,
}  # fmt: skip
OF_CLASSES = {
    "target_scale": "none", "weight_init": "he_normal", "learning_rate": 0.1,
    "optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0,
}  # fmt: skip


def resolved(dataset: Dataset, **changes: Any) -> dict[str, Any]:
    config = resolve(TrainConfig(**changes), dataset).config.to_dict()
    return {name: config[name] for name in OF_REGRESSION}


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [(lines(), OF_REGRESSION), (lines(n_outputs=2), OF_REGRESSION), (blobs(), OF_CLASSES),
     (blobs(n_classes=2), OF_CLASSES), (tags(), OF_CLASSES)],
)  # fmt: skip
def test_defaults_follow_from_the_task(dataset: Dataset, expected: dict[str, Any]) -> None:
    assert resolved(dataset) == expected


@pytest.mark.parametrize(
    "given",
    [{"target_scale": "minmax"}, {"weight_init": "he_normal"}, {"optimizer": "adam"},
     {"schedule": "constant"}, {"clip_norm": 0.0}, {"clip_norm": 7.0}, {"optimizer": "sgd"}],
)  # fmt: skip
def test_given_settings_are_kept_and_others_unchanged(given: dict[str, Any]) -> None:
    rate = {"learning_rate": 0.001} if given.get("optimizer") == "adam" else {}
    assert resolved(lines(), **given) == {**OF_REGRESSION, **rate, **given}


@pytest.mark.parametrize(
    ("changes", "scale"),
    [
        ({}, "standard"),
        ({"loss": "mean_squared_error"}, "standard"),
        ({"loss": "absolute_error"}, "standard"),
        ({"loss": "huber(delta=2.0)"}, "standard"),
        ({"loss": "poisson"}, "none"),
        ({"loss": "binary_cross_entropy"}, "none"),
        ({"output_activation": "sigmoid"}, "none"),
        ({"output_activation": "tanh"}, "none"),
        ({"output_activation": "relu"}, "none"),
        ({"output_activation": "exponential"}, "none"),
    ],
)
def test_targets_are_scaled_unless_the_output_bounds_them(
    changes: dict[str, Any], scale: str
) -> None:
    dataset = lines()
    bounded = Dataset(dataset.X, (dataset.y - dataset.y.min()) / np.ptp(dataset.y))
    assert resolved(bounded, **changes)["target_scale"] == scale


def test_stochastic_mode_stays_plain() -> None:
    found = resolved(lines(), mode="stochastic")
    plain = {name: OF_CLASSES[name] for name in ("optimizer", "schedule", "clip_norm")}
    assert found == {**OF_REGRESSION, **plain, "learning_rate": 0.01}


def test_unscaled_targets_are_not_clipped() -> None:
    assert resolved(lines(), target_scale="none")["clip_norm"] == 0


def test_what_the_task_decides_stays_auto_until_it_is_known() -> None:
    names = ("weight_init", "optimizer", "schedule", "clip_norm")
    config = resolve_settings(TrainConfig())
    assert {getattr(config, name) for name in names} == {"auto"}
    assert config.learning_rate == 0.1
    config = resolve_settings(TrainConfig(task="regression"))
    assert all(getattr(config, name) == OF_REGRESSION[name] for name in names)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_the_estimator_keeps_targets_as_they_are() -> None:
    dataset = lines()
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(
        dataset.X, dataset.y
    )
    scaled = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(
        dataset.X, 10 * dataset.y
    )
    assert scaled.loss_curve_[0] > 5 * model.loss_curve_[0]


def score(dataset: Dataset, seed: int) -> float:
    """R2 on the test part of a run by defaults."""
    split = parts(dataset, seed=seed)
    assert split.X_test is not None and split.y_test is not None
    predicted = fit(TrainConfig(seed=seed), dataset).predictor.predict(split.X_test)
    assert np.isfinite(predicted).all()
    return float(r2_score(split.y_test, predicted))


def prices(n: int, seed: int = 0) -> Dataset:
    """Prices of houses from the year, the rooms and two columns of long tails, all unscaled."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [rng.integers(1900, 2020, n), rng.integers(1, 9, n), rng.lognormal(7, 1, n),
         rng.lognormal(0, 2, n)]
    ).astype(float)  # fmt: skip
    y = 2e3 * (X[:, 0] - 1890) + 4e4 * X[:, 1] + 30 * X[:, 2] + rng.normal(0, 1e4, n)
    return Dataset(X, y, name="prices")


def toy(name: str) -> Dataset:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return Dataset(X, np.asarray(y, float), name=name)


# What scikit-learn's MLPRegressor reaches, by defaults, on standardised features and targets, on
# the same parts: 0.40, 0.93, 0.91, 0.85, 0.92, 0.96.
@pytest.mark.parametrize(
    ("dataset", "least"),
    [(toy("diabetes"), 0.37), (toy("iris"), 0.89), (toy("wine"), 0.87),
     (toy("breast_cancer"), 0.81), (friedman(1000, 1.0), 0.88), (prices(400), 0.9)],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_toy_sets_are_learned_by_defaults(dataset: Dataset, least: float) -> None:
    assert np.mean([score(dataset, seed) for seed in range(5)]) > least


@pytest.mark.filterwarnings("ignore:batch_size 32 is more than the")
@pytest.mark.parametrize("seed", range(5))
def test_twenty_rows_do_not_diverge(seed: int) -> None:
    score(toy("linnerud"), seed)


@pytest.mark.filterwarnings("ignore:batch_size 32 is more than the")
@limits(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(12, 300),
    n_features=st.sampled_from([1, 3, 10, 200]),
    n_outputs=st.sampled_from([None, 2]),
    unit=st.sampled_from([1e-20, 1e-3, 1.0, 1e5, 1e12]),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    outlier=st.sampled_from([1.0, 1e3, 1e6, 1e9]),
    where=st.sampled_from(["target", "feature"]),
    kind=st.sampled_from(["lines", "noise", "constant"]),
)
def test_no_raw_table_diverges(
    seed: int, n: int, n_features: int, n_outputs: int | None, unit: float, offset: float,
    outlier: float, where: str, kind: str,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    X = rng.lognormal(0, 1.5, (n, n_features)) * 10.0 ** rng.integers(-6, 9, n_features)
    columns = n_outputs or 1
    y = {
        "lines": (X / X.mean(axis=0)) @ rng.normal(size=(n_features, columns)),
        "noise": rng.standard_cauchy((n, columns)),
        "constant": np.zeros((n, columns)),
    }[kind]
    y = unit * (y + offset * np.arange(1, columns + 1))
    row = rng.integers(n)
    (X if where == "feature" else y)[row, 0] *= outlier
    dataset = Dataset(X, y if n_outputs else y[:, 0])
    result = fit(TrainConfig(seed=seed % 7), dataset, threads=1)
    predicted = result.predictor.predict(X)
    assert np.isfinite(predicted).all()
    if kind == "constant" and (where == "feature" or outlier == 1):
        expected = y.reshape(predicted.shape)
        np.testing.assert_allclose(predicted, expected, rtol=1e-6, atol=1e-30)


def test_an_outlier_among_validation_rows_is_no_divergence() -> None:
    dataset = lines(100)
    split = parts(dataset)
    assert split.X_validation is not None
    (row,) = np.flatnonzero((split.X_validation[0] == dataset.X).all(axis=1))
    y = dataset.y.copy()
    y[row] = 1e7
    assert fit(settings(), Dataset(dataset.X, y)).status == "finished"


@pytest.mark.parametrize("offset", [100.0, 1e6, 1e9, -1e12])
def test_predictions_resolve_targets_far_from_zero(offset: float) -> None:
    dataset = lines(200)
    result = fit(settings(dtype="float32", epochs=20), Dataset(dataset.X, offset + dataset.y))
    predicted = result.predictor.predict(dataset.X)
    assert predicted.dtype == (np.float32 if offset == 100 else np.float64)
    assert r2_score(dataset.y, predicted.astype(np.float64) - offset) > 0.95


def test_outputs_of_different_size_are_learned_alike() -> None:
    dataset = lines(300, 3)
    y = dataset.y * [1e-6, 1.0, 1e8] + [0, 2000, 0]
    result = fit(settings(epochs=20), Dataset(dataset.X, y))
    assert min(r2_score(y, result.predictor.predict(dataset.X), multioutput="raw_values")) > 0.95


@pytest.mark.parametrize(
    ("size", "changes", "message"),
    [
        *(
            (1e39, changes, "y must be finite and in the range of float32, got 1e+39: the targets "
             "exceed float32; use dtype float64 (an estimator uses that of X), or scale them")
            for changes in ({}, {"loss": "poisson"}, {"target_scale": "none"})
        ),
        (1e25, {"target_scale": "none"}, "targets exceed float32: y reaches 1e+25 in size, which "
         "loss squared_error squares; use dtype float64, or scale them (target_scale standard; "),
        (1e200, {"target_scale": "none", "dtype": "float64"}, "targets exceed float64: y reaches "
         "1e+200 in size, which loss squared_error squares; scale them (target_scale standard; "),
        (1e200, {"dtype": "float64"}, "targets exceed float64: y spreads from 0 to 1e+200, too "
         "far for target_scale standard; divide y by a constant"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", [0, -1])
def test_targets_beyond_the_dtype_are_refused(
    size: float, changes: dict[str, Any], message: str, where: int
) -> None:
    dataset = counts(60)
    y = np.zeros(60)
    y[where] = size
    # In the order of the rows: the last one belongs to the validation part.
    given = {"split": "none", "hold_out": "last", "dtype": "float32", **changes}
    if "spreads" in message and where == -1:
        given["validation"] = 0.0
        given.pop("hold_out")
    with pytest.raises(DataError) as caught:
        fit(settings(**given), Dataset(dataset.X, y))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("size", [1e39, 1e25])
def test_the_estimator_refuses_targets_beyond_float32(size: float) -> None:
    dataset = lines()
    with pytest.raises(ValueError, match=r"targets exceed float32.*dtype float64.* or scale"):
        MLPRegressor(max_iter=3).fit(dataset.X.astype(np.float32), dataset.y * size)


def test_absolute_errors_may_be_as_large_as_the_dtype_holds() -> None:
    dataset = lines()
    config = settings(loss="absolute_error", target_scale="none", dtype="float32")
    assert fit(config, Dataset(dataset.X, dataset.y * 1e25)).status == "finished"
