"""Predictions take a way of their own past scikit-learn's checks, and use buffers that are kept."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from problems import fit_quietly
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.base.errors import ConfigError
from fastmlp.estimators import predicting
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.scalers import NO_SCALING

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
TARGETS: dict[str, Any] = {
    "classes": np.arange(60) % 3,
    "texts": np.array(["ape", "bee", "cat"])[np.arange(60) % 3],
    "objects": np.array(["ape", "bee"], object)[np.arange(60) % 2],
    "truths": np.arange(60) % 2 == 0,
    "numbers": np.array([-1.0, 1.0])[np.arange(60) % 2],
    "one": np.full(60, 7),
    "labels": (RNG.random((60, 3)) < 0.5).astype(int),
}


def fitted(y: Any = TARGETS["classes"], X: Any = X, **settings: Any) -> Any:
    settings = {"max_iter": 3, "random_state": 0, "learning_rate_init": 0.1, **settings}
    return fit_quietly(MLPClassifier((7,), **settings), X, y)


# --- scikit-learn's checks ---


@pytest.mark.parametrize(
    "bad",
    [
        np.array([[1.0, 2.0, 3.0, 4.0, np.nan]]),
        np.full((2, 5), -np.inf),
        np.full((2, 5), np.inf, np.float32),
        np.zeros((2, 4)),
        np.zeros(5),
        np.zeros((0, 5)),
        np.zeros((1, 1, 5)),
        np.zeros((2, 5), complex),
        np.array([["ape"] * 5]),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_bad_rows_are_refused_in_the_words_of_scikit_learn(bad: np.ndarray, method: str) -> None:
    model = fitted()
    with pytest.raises(ValueError) as expected:
        kinds = predicting.DTYPES
        validate_data(model, bad, accept_sparse=["csr", "csc"], dtype=kinds, reset=False)
    with pytest.raises(ValueError) as found:
        getattr(model, method)(bad)
    assert str(found.value) == str(expected.value)


def test_only_a_fitted_model_predicts() -> None:
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)


@pytest.mark.parametrize(
    "form",
    [
        lambda X: X.astype(np.float32).astype(float),
        lambda X: np.asfortranarray(X),
        lambda X: X[::-1][::-1],
        lambda X: X.tolist(),
        lambda X: X.astype(">f8"),
        lambda X: X.astype(object),
        lambda X: pd.DataFrame(X),
        lambda X: np.ma.masked_array(X),
        lambda X: np.ascontiguousarray(X),
    ],
)
def test_rows_of_any_form_are_predicted_alike(form: Any) -> None:
    rows = X.astype(np.float32).astype(float)[:9]
    expected = fitted().predict_proba(rows.copy())
    np.testing.assert_array_equal(fitted().predict_proba(form(rows)), expected)


def test_a_matrix_without_the_names_of_the_fit_is_warned_of() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = fitted(X=frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        predicted = model.predict(X)
    np.testing.assert_array_equal(predicted, model.predict(frame))


@pytest.mark.parametrize(("kind", "checked"), [(float, 0), (np.uint8, 0), (np.int64, 1)])
def test_plain_rows_are_checked_once(
    kind: type, checked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, seen = fitted(), []
    monkeypatch.setattr(
        predicting, "validate_data", lambda *a, **k: (seen.append(a), a[1] + 0.0)[1]
    )
    model.predict(np.abs(X).astype(kind))
    assert len(seen) == checked


@pytest.mark.parametrize("form", ["csc_array", "coo_matrix", "csr_matrix", "lil_array"])
def test_sparse_rows_of_any_form_are_predicted_alike(form: str) -> None:
    rows = X[:9] * (X[:9] > 0)
    expected = fitted().predict_proba(scipy.sparse.csr_array(rows))
    np.testing.assert_allclose(expected, fitted().predict_proba(rows), rtol=1e-12)
    found = fitted().predict_proba(getattr(scipy.sparse, form)(rows))
    np.testing.assert_array_equal(found, expected)
    full = scipy.sparse.csr_array(np.ones_like(rows))
    full.data = rows.ravel()  # with the zeros listed
    np.testing.assert_array_equal(fitted().predict_proba(full), expected)


# --- labels ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", TARGETS)
def test_labels_are_those_of_the_label_binarizer(kind: str, dtype: str) -> None:
    model = fitted(TARGETS[kind], X.astype(dtype))
    outputs = model._outputs(X.astype(dtype))
    flat = outputs.ravel() if outputs.shape[1] == 1 else outputs
    expected = model._label_binarizer.inverse_transform(flat)
    found = model.predict(X.astype(dtype))
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)
    assert kind == "one" or len(np.unique(found)) > 1


def test_a_probability_of_one_half_is_no_sign_of_a_class() -> None:
    model = fitted(TARGETS["truths"])
    for array in (*model.coefs_, *model.intercepts_):
        array[...] = 0
    assert model.predict_proba(X[:2]).tolist() == [[0.5, 0.5]] * 2
    assert model.predict(X[:2]).tolist() == [False, False]


def test_an_only_class_is_predicted_whatever_the_output() -> None:
    model = fitted(TARGETS["one"])
    for bias in (-100.0, 100.0):
        model.intercepts_[-1][...] = bias
        assert model.predict(X[:3]).tolist() == [7, 7, 7]


def test_labels_of_a_sparse_target_come_back_sparse() -> None:
    model = fitted(scipy.sparse.csr_matrix(TARGETS["labels"]))
    found = model.predict(X)
    assert scipy.sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), model.predict_proba(X) > 0.5)


# --- weights ---


def test_changed_weights_count_at_once() -> None:
    model = fitted()
    first = model.predict_proba(X[:4])
    weight = model.coefs_[0][0, 0]
    model.coefs_[0][0, 0] += 1  # in place
    second = model.predict_proba(X[:4])
    assert (second != first).any()
    model.coefs_[0][0, 0] = weight  # subtracting 1 may leave another last digit
    np.testing.assert_array_equal(model.predict_proba(X[:4]), first)
    model.intercepts_ = [biases + 0.5 * np.arange(biases.size) for biases in model.intercepts_]
    assert (model.predict_proba(X[:4]) != first).all()
    model.coefs_, model.intercepts_ = fitted().coefs_, fitted().intercepts_
    np.testing.assert_array_equal(model.predict_proba(X[:4]), first)


@pytest.mark.parametrize("warm", [False, True])
def test_trained_weights_count_at_once(warm: bool) -> None:
    y = TARGETS["classes"]
    model, twin = fitted(warm_start=warm), fitted(warm_start=warm)
    for _ in range(3):
        before = model.predict_proba(X[:4])
        for each in (model, twin):
            fit_quietly(each, X, y, method="fit" if warm else "partial_fit")
        after = model.predict_proba(X[:4])
        assert (after != before).any()
        # The twin predicts for the first time, in buffers that hold the model's weights.
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(twin)).predict_proba(X[:4]), after)


def test_weights_that_are_not_finite_are_refused_though_another_had_them() -> None:
    model = fitted(activation="tanh")
    model.predict(X[:1])
    model.coefs_[0][0, 0] = np.nan
    activations = [ACTIVATIONS.parse(name) for name in ("tanh", "softmax")]
    network = Network.of_sizes((5, 7, 3), activations, "float64")
    for views, arrays in ((network.weights, model.coefs_), (network.biases, model.intercepts_)):
        for view, array in zip(views, arrays, strict=True):
            view[...] = array
    other = Predictor(network, NO_SCALING, Task("regression", 3))
    assert np.isnan(other.predict(X[:1])).all()
    with pytest.raises(ConfigError, match="weights must be finite"):
        model.predict(X[:1])


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_weights_that_do_not_fit_are_refused(name: str) -> None:
    model = fitted()
    model.predict(X[:1])
    getattr(model, name).pop()
    with pytest.raises(ConfigError, match="must"):
        model.predict(X[:1])


@pytest.mark.parametrize("n", [3, 2000])
def test_weights_for_another_number_of_features_are_refused(n: int) -> None:
    model = fitted()
    model.coefs_[0] = np.resize(model.coefs_[0], (n, model.coefs_[0].shape[1]))
    with pytest.raises(ConfigError, match=f"for each of X's {X.shape[1]} features, got {n};"):
        model.predict(X[:1])


# --- copies and threads ---


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_predictions_leave_nothing_in_the_model(estimator: Any) -> None:
    model = fit_quietly(estimator(hidden_layer_sizes=(7,), max_iter=3), X, np.arange(60) % 2)
    before = pickle.dumps(model)
    expected = model.predict(X[:3])
    assert pickle.dumps(model) == before
    np.testing.assert_array_equal(pickle.loads(before).predict(X[:3]), expected)
    assert not any(name.endswith("_") for name in vars(clone(model)))


def test_eight_threads_each_get_their_own_predictions() -> None:
    models = [fitted(random_state=seed) for seed in range(4)] * 2
    expected = [model.predict_proba(X[:5]).tobytes() for model in models]
    assert len(set(expected)) == 4
    line = threading.Barrier(len(models))

    def work(model: Any) -> set[bytes]:
        line.wait()
        return {model.predict_proba(X[:5]).tobytes() for _ in range(200)}

    with ThreadPoolExecutor(len(models)) as pool:
        found = list(pool.map(work, models))
    assert found == [{bits} for bits in expected]
