"""Whole runs on sparse features: the bits of the same rows, dense, and nothing is made dense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp import DataError, Dataset, TrainConfig
from fastmlp.base import conversion
from fastmlp.reports.run_folder import RunFolder
from fastmlp.training.fit import fit, start
from fastmlp.training.plan import LISTS_FEATURES
from fastmlp.training.result import TrainResult

SHORT = {"hidden_layer_sizes": (12,), "epochs": 2, "batch_size": 16, "dtype": "float64"}


def rows(n: int = 150, features: int = 90, share: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, (n, features)) * (rng.random((n, features)) < share)
    return X.astype(float), X @ rng.normal(size=features)


def labels(numbers: np.ndarray) -> np.ndarray:
    return np.digitize(numbers, np.quantile(numbers, [0.3, 0.6]))


def both(y: Any = labels, **settings: Any) -> tuple[TrainResult, TrainResult]:
    """Results on sparse rows, and on the same rows, dense."""
    X, numbers = rows()
    config = TrainConfig(**{**SHORT, **settings})
    found, twin = (
        fit(config, Dataset(features, y(numbers))) for features in (scipy.sparse.csc_array(X), X)
    )
    return found, twin


def assert_same_bits(found: TrainResult, twin: TrainResult) -> None:
    assert found.plan.inputs.kind == twin.plan.inputs.kind != "dense"
    assert found.predictor.network.params.tobytes() == twin.predictor.network.params.tobytes()
    assert found.history.rows == twin.history.rows
    assert found.metrics == twin.metrics
    assert None not in found.metrics.values() or not found.predictor.task.has_accuracy


@pytest.fixture
def nothing_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way of a sparse matrix to become dense raises."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a sparse matrix is made dense")

    for form in ("csr", "csc", "coo"):
        for kind in ("array", "matrix"):
            for name in ("toarray", "todense"):
                cls = getattr(scipy.sparse, f"{form}_{kind}")
                monkeypatch.setattr(cls, name, refuse)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", ["none", "minmax", "maxabs"])
@pytest.mark.parametrize("mode", ["stochastic", "minibatch", "batch"])
def test_a_run_has_the_bits_of_the_same_rows_dense(mode: str, scale: str, dtype: str) -> None:
    assert_same_bits(*both(mode=mode, scale=scale, dtype=dtype))


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"optimizer": "nesterov", "l2": 0.01, "dropout": 0.3},
        {"mode": "stochastic", "l1": 0.001},
        {"classes": (0, 2), "class_weight": "balanced", "early_stopping": 1},
        {"split": "60-40", "validation": 20, "accumulate": True},
        {"y": lambda numbers: numbers, "target_scale": "standard"},
        {"y": lambda numbers: np.stack([numbers > 0, numbers < 1], axis=1)},
        {"hidden_layer_sizes": ()},
    ],
    ids=[
        "adam",
        "nesterov",
        "stochastic",
        "classes",
        "accumulate",
        "regression",
        "labels",
        "no hidden",
    ],
)
def test_every_setting_goes_with_sparse_rows(settings: dict[str, Any]) -> None:
    assert_same_bits(*both(**{"scale": "maxabs", **settings}))


@pytest.mark.parametrize("scale", ["standard", "standard_global"])
@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_means_and_deviations_are_those_of_dense_rows_but_for_rounding(
    mode: str, scale: str
) -> None:
    found, twin = both(mode=mode, scale=scale)
    assert found.plan.inputs.kind == twin.plan.inputs.kind == "shifted lists"
    np.testing.assert_allclose(
        found.predictor.network.params, twin.predictor.network.params, rtol=0, atol=1e-11
    )


def test_sparse_rows_are_lists_whatever_their_width_and_density() -> None:
    X, numbers = rows(features=LISTS_FEATURES // 8, share=1.0)
    result = fit(TrainConfig(**SHORT), Dataset(scipy.sparse.csr_array(X), labels(numbers)))
    assert result.plan.inputs.kind == "shifted lists"
    dense = fit(TrainConfig(**SHORT, scale="maxabs"), Dataset(X, labels(numbers)))
    assert dense.plan.inputs.kind == "dense"
    np.testing.assert_allclose(
        result.predictor.network.params, dense.predictor.network.params, rtol=0, atol=1e-11
    )


@pytest.mark.parametrize(
    ("feature_range", "scale"), [(None, "maxabs"), ((0.0, 8.0), "unit")], ids=str
)
def test_by_default_zeros_stay_zero(feature_range: Any, scale: str) -> None:
    X, numbers = rows()
    data = Dataset(scipy.sparse.csr_array(X), labels(numbers), feature_range=feature_range)
    run = start(TrainConfig(**SHORT), data)
    assert run.config.scale == scale
    assert not run.prepared.train.sparse.shift.size


@pytest.mark.usefixtures("nothing_dense")
@pytest.mark.parametrize("scale", ["auto", "minmax", "standard", "standard_global"])
@pytest.mark.parametrize("form", ["csr_array", "csr_matrix", "csc_array", "coo_matrix"])
def test_nothing_is_made_dense(form: str, scale: str, tmp_path: Path) -> None:
    X, numbers = rows()
    value = getattr(scipy.sparse, form)(X)
    data = Dataset(value, labels(numbers), value, labels(numbers))
    config = TrainConfig(**SHORT, scale=scale, split="80-20", log_every=3)
    result = fit(config, data)
    assert result.metrics["test_accuracy"] == pytest.approx(result.metrics["test_accuracy"])
    assert result.predictor.predict(value).shape == (150,)
    assert result.predictor.predict_proba(value).shape == (150, 3)
    RunFolder(tmp_path, result.config).write(result, {})
    loaded = fastmlp.Predictor.load(tmp_path / "model.safetensors")
    assert loaded.outputs(value).tobytes() == result.predictor.outputs(value).tobytes()


@pytest.mark.usefixtures("nothing_dense")
@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_rows_of_a_million_features_that_no_memory_would_hold_dense(mode: str) -> None:
    n, features, numbers = 200, 10**6, 20
    rng = np.random.default_rng(0)
    columns = rng.integers(0, features, n * numbers)
    columns[::numbers] = np.arange(n) % 2  # separates the classes
    parts = (np.ones(n * numbers), columns, np.arange(n + 1) * numbers)
    X, y = scipy.sparse.csr_array(parts, shape=(n, features)), np.arange(n) % 2
    config = TrainConfig(hidden_layer_sizes=(2,), epochs=3, mode=mode, seed=1)
    result = fit(config, Dataset(X, y))
    assert result.plan.block_rows == {"minibatch": 32, "stochastic": 1}[mode]
    assert result.status == "finished"
    assert result.predictor.predict(X).shape == (n,)


def test_what_needs_dense_rows_gets_them_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    found, twin = both(input_dropout=0.2, scale="maxabs")
    assert found.plan.inputs.kind == twin.plan.inputs.kind == "dense"
    assert found.predictor.network.params.tobytes() == twin.predictor.network.params.tobytes()
    monkeypatch.setattr(conversion, "MAX_DENSE_BYTES", 1000)
    words = (
        r"X must have .*, which input_dropout needs, got a sparse matrix of shape \(\d+, 90\)"
        r".*; set input_dropout to 0, select columns"
    )
    with pytest.raises(DataError, match=words):
        both(input_dropout=0.2)


def test_large_offsets_are_taken_off_dense_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    X, numbers = rows()
    X[:, 0] = 1000 + np.arange(len(X)) % 3
    y, sparse = labels(numbers), scipy.sparse.csr_array(X)
    for mode in ("minibatch", "stochastic"):
        config = TrainConfig(**SHORT, scale="standard", mode=mode)
        found, twin = (fit(config, Dataset(features, y)) for features in (sparse, X))
        assert found.plan.inputs.kind == twin.plan.inputs.kind != "shifted lists"
        np.testing.assert_allclose(
            found.predictor.network.params, twin.predictor.network.params, rtol=0, atol=1e-9
        )
        np.testing.assert_array_equal(found.predictor.outputs(sparse), found.predictor.outputs(X))
    monkeypatch.setattr(conversion, "MAX_DENSE_BYTES", 1000)
    words = (
        r"which scale standard, which takes 1\.2.e\+03 off a feature, needs.*with scale maxabs, s"
    )
    with pytest.raises(DataError, match=words):
        fit(config, Dataset(sparse, y))
    with pytest.raises(DataError, match=words):
        found.predictor.outputs(sparse)
