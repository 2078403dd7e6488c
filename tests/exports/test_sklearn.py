"""Predictors from estimators, and estimators converted by skl2onnx."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import fastmlp
from fastmlp import Predictor

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
LABELS = make_multilabel_classification(100, 4, n_classes=3, random_state=0)
TARGETS: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "classes": (X, NAMES[Y]), "two classes": (X, Y == 1), "labels": LABELS,
    "numbers": (X[:, 1:], X[:, 0]), "pairs": (X[:, 2:], X[:, :2]),
}  # fmt: skip


def fitted(target: str, library: Any = None, **settings: Any) -> tuple[Any, np.ndarray]:
    rows, y = TARGETS[target]
    kind = "MLPRegressor" if target in ("numbers", "pairs") else "MLPClassifier"
    theirs = {"MLPRegressor": MLPRegressor, "MLPClassifier": MLPClassifier}[kind]
    model = theirs if library is None else getattr(library, kind)
    usual = {"hidden_layer_sizes": (5, 4), "max_iter": 3, "random_state": 0, "tol": 10.0}
    return model(**{**usual, **settings}).fit(rows, y), rows


def check_same(predictor: Predictor, estimator: Any, rows: np.ndarray) -> None:
    np.testing.assert_allclose(predictor.outputs(rows).shape[0], len(rows))
    expected = estimator.predict(rows)
    if predictor.task.kind == "regression":
        np.testing.assert_allclose(predictor.predict(rows), expected, rtol=1e-6)
        return
    np.testing.assert_array_equal(predictor.predict(rows), expected)
    found = predictor.predict_proba(rows)
    np.testing.assert_allclose(found, estimator.predict_proba(rows), atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", TARGETS)
def test_scikit_learns_estimators_become_predictors(target: str, activation: str) -> None:
    estimator, rows = fitted(target, activation=activation)
    check_same(Predictor.from_sklearn(estimator), estimator, rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS)
def test_our_estimators_become_predictors(target: str) -> None:
    estimator, rows = fitted(target, fastmlp, activation=("gelu", "elu(0.5)"), dropout=0.1)
    predictor = Predictor.from_sklearn(estimator)
    check_same(predictor, estimator, rows)
    predictor.network.weights[0][...] = 0  # a copy
    assert estimator.coefs_[0].any()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_mean=False),
                                    MinMaxScaler((-1, 3)), MaxAbsScaler()], ids=str)  # fmt: skip
def test_a_scaler_before_becomes_the_scaling(scaler: Any, tmp_path: Any) -> None:
    model = make_pipeline(scaler, MLPClassifier((5,), max_iter=3, random_state=0)).fit(X, NAMES[Y])
    predictor = Predictor.from_sklearn(model)
    check_same(predictor, model, X)
    predictor.save(tmp_path / "model.safetensors")
    check_same(Predictor.load(tmp_path / "model.safetensors"), model, X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("steps", "y", "message"),
    [
        ([RobustScaler()], Y, "the step before an MLP must be StandardScaler, MaxAbsScaler, or"),
        ([MinMaxScaler(clip=True)], Y, "MinMaxScaler without clip, got"),
        ([StandardScaler(), MaxAbsScaler()], Y, "got 2 steps before the MLP"),
        ([], 0 * Y, "two classes or more, got 1"),
    ],
)
def test_steps_and_classes_that_are_refused(steps: list[Any], y: Any, message: str) -> None:
    estimator = make_pipeline(*steps, MLPClassifier((3,), max_iter=1)).fit(X, y)
    with pytest.raises(fastmlp.ConfigError, match=message):
        Predictor.from_sklearn(estimator)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MLPClassifier(), "estimator must be a fitted MLPClassifier or MLPRegressor, got"),
        (StandardScaler(), "got StandardScaler without coefs_"),
    ],
)
def test_what_is_no_fitted_perceptron_is_refused(estimator: Any, message: str) -> None:
    with pytest.raises(fastmlp.ConfigError, match=message):
        Predictor.from_sklearn(estimator)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("has_scaler", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_skl2onnx_converts_our_estimators(target: str, has_scaler: bool) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    skl2onnx = pytest.importorskip("skl2onnx")
    estimator, rows = fitted(target, fastmlp)
    rows = rows.astype(np.float32)
    if has_scaler:
        estimator = make_pipeline(StandardScaler(), estimator).fit(*TARGETS[target])
    model = skl2onnx.to_onnx(estimator, rows[:1])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(None, {session.get_inputs()[0].name: rows})
    expected = estimator.predict(rows)
    if target in ("numbers", "pairs"):
        np.testing.assert_allclose(found[0].reshape(expected.shape), expected, atol=1e-5)
        return
    np.testing.assert_array_equal(found[0], expected)
    assert isinstance(found[1], np.ndarray)
    np.testing.assert_allclose(found[1], estimator.predict_proba(rows), atol=1e-5)
