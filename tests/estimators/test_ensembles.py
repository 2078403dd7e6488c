"""Estimators with several models, and with scaled features."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from fastmlp import Callback, ConfigError, MLPClassifier, MLPRegressor
from fastmlp.base.random import model_seed
from fastmlp.training.run import Run

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (150, 5))
CLASSES = np.array(["a", "b", "c"])[
    ((X - 3) @ RNG.normal(size=(5, 3)) + RNG.normal(size=(150, 3))).argmax(1)
]
TARGETS: dict[str, Any] = {
    "multiclass": CLASSES,
    "binary": CLASSES == "a",
    "multilabel": np.column_stack([X[:, 0] > 3, X[:, 1] + X[:, 2] > 6]).astype(int),
    "regression": X @ RNG.normal(size=5),
    "two targets": X @ RNG.normal(size=(5, 2)),
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def estimator(task: str, **parameters: Any) -> Any:
    kind = MLPRegressor if task in ("regression", "two targets") else MLPClassifier
    return kind(**{"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 7, **parameters})


def alone(task: str, number: int, **parameters: Any) -> Any:
    return estimator(task, random_state=model_seed(7, number), **parameters)


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_ensemble_is_the_average_of_its_random_states(task: str, solver: str) -> None:
    y = TARGETS[task]
    model = estimator(task, n_models=3, solver=solver).fit(X, y)
    ones = [alone(task, k, solver=solver).fit(X, y) for k in (1, 2, 3)]
    for one, own in zip(ones, model.estimators_, strict=True):
        assert all(map(np.array_equal, one.coefs_, own.coefs_))
        assert np.array_equal(one.predict(X), own.predict(X))
        assert one.get_params() == own.get_params()
    assert all(map(np.array_equal, model.coefs_, ones[0].coefs_))
    shown, std = model.predict(X, return_std=True)
    assert np.array_equal(shown, model.predict(X))
    if task in ("regression", "two targets"):
        values = [one.predict(X) for one in ones]
        assert np.array_equal(shown, np.mean(values, axis=0))
        np.testing.assert_allclose(std, np.std(values, axis=0), rtol=1e-6, atol=1e-12)
        return
    each = [one.predict_proba(X) for one in ones]
    mean, deviation = model.predict_proba(X, return_std=True)
    assert np.array_equal(mean, np.mean(each, axis=0))
    np.testing.assert_allclose(deviation, np.std(each, axis=0), rtol=1e-6, atol=1e-12)
    if task == "multilabel":
        assert np.array_equal(shown, mean > 0.5)
        np.testing.assert_allclose(std, np.std(each, axis=0), rtol=1e-6, atol=1e-12)
    else:
        best = mean.argmax(axis=1)
        assert np.array_equal(shown, model.classes_[best])
        rows = np.arange(len(best))
        np.testing.assert_allclose(std, np.std(each, axis=0)[rows, best], rtol=1e-6, atol=1e-12)


def test_ensembles_are_copied_pickled_and_repeated() -> None:
    model = estimator("multiclass", n_models=3, early_stopping=True).fit(X, CLASSES)
    again = clone(model).set_params(n_threads=1).fit(X, CLASSES)
    for other in (again, pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other.predict_proba(X), model.predict_proba(X))
    given = np.random.RandomState(3)
    drawn = estimator("multiclass", n_models=2, random_state=given).fit(X, CLASSES)
    single = estimator("multiclass", random_state=np.random.RandomState(3)).fit(X, CLASSES)
    assert np.array_equal(drawn.estimators_[0].predict_proba(X), single.predict_proba(X))


def test_all_models_are_trained_further() -> None:
    model = estimator("binary", n_models=2, scale="standard")
    ones = [alone("binary", k, scale="standard") for k in (1, 2)]
    y = TARGETS["binary"]
    for part in (slice(0, 60), slice(60, 150)):
        for each in (model, *ones):
            each.partial_fit(X[part], y[part], classes=[False, True])
    mean = np.mean([one.predict_proba(X) for one in ones], axis=0)
    assert np.array_equal(model.predict_proba(X), mean)
    with pytest.raises(ConfigError, match="n_models must be 2 to train these further, got 3"):
        model.set_params(n_models=3).partial_fit(X, y)
    warm = estimator("binary", n_models=2, warm_start=True).fit(X, y)
    before = warm.predict_proba(X)
    assert not np.array_equal(warm.fit(X, y).predict_proba(X), before)
    assert not hasattr(warm.set_params(n_models=1, warm_start=False).fit(X, y), "estimators_")


def test_a_model_that_diverges_is_left_out() -> None:
    class Spoiling(Callback):
        def __init__(self, *numbers: int):
            self.numbers = numbers

        def on_progress(self, run: Run) -> None:
            if run.number in self.numbers:
                run.network.params[0] = np.inf

    model = estimator("multiclass", n_models=3, callbacks=[Spoiling(1)])
    with pytest.warns(RuntimeWarning, match="model 1 of 3 is left out of the ensemble"):
        model.fit(X, CLASSES)
    kept = [alone("multiclass", k).fit(X, CLASSES).predict_proba(X) for k in (2, 3)]
    assert np.array_equal(model.predict_proba(X), np.mean(kept, axis=0))
    model = estimator("multiclass", n_models=2, callbacks=[Spoiling(1, 2)])
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, CLASSES)
    assert not hasattr(model, "coefs_")


def test_what_models_warn_of_is_said_once_to_the_caller() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations .* \(models 1, 2") as seen:
        estimator("multiclass", n_models=2).fit(X, CLASSES)
    assert [warning.filename for warning in seen] == [__file__]


def test_verbose_names_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    estimator("multiclass", n_models=2, verbose=True).fit(X, CLASSES)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("Model 2: Iteration ")]) == 4


def test_a_single_model_has_no_spread() -> None:
    for model in (estimator("multiclass").fit(X, CLASSES), estimator("binary").fit(X, CLASSES)):
        for method in (model.predict, model.predict_proba):
            with pytest.raises(ConfigError, match="needs several models, got one"):
                method(X, return_std=True)


@pytest.mark.parametrize("n_models", [0, 2.5, "two", None])
def test_other_numbers_of_models_are_refused(n_models: Any) -> None:
    with pytest.raises(ValueError, match="'n_models' parameter"):
        estimator("multiclass", n_models=n_models).fit(X, CLASSES)


# --- scale ---


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize(
    ("scale", "scaler"), [("standard", StandardScaler()), ("minmax", MinMaxScaler())]
)
def test_scaling_is_that_of_a_pipeline(solver: str, scale: str, scaler: Any) -> None:
    for task in ("multiclass", "regression"):
        y = TARGETS[task]
        model = estimator(task, solver=solver, scale=scale).fit(X, y)
        outside = make_pipeline(scaler, estimator(task, solver=solver)).fit(X, y)
        np.testing.assert_allclose(
            model._outputs(X), outside[-1]._outputs(outside[0].transform(X)), rtol=1e-7
        )


def test_scaling_is_fitted_once_on_rows_for_training() -> None:
    model = estimator("binary", scale="standard", warm_start=True)
    y = TARGETS["binary"]
    model.fit(X[:100], y[:100])
    offset = model._scaling.offset.copy()
    np.testing.assert_allclose(offset, X[:100].mean(axis=0))
    model.fit(X[50:] + 100, y[50:])
    assert np.array_equal(model._scaling.offset, offset)


def test_scaling_applies_to_sparse_rows_and_beside_categories() -> None:
    y = TARGETS["multiclass"]
    shown = estimator("multiclass", scale="maxabs").fit(X, y).predict_proba(X)
    rows = sparse.csr_array(X)
    model = estimator("multiclass", scale="maxabs").fit(rows, y)
    np.testing.assert_allclose(model.predict_proba(rows), shown, rtol=1e-7)
    frame = pd.DataFrame(X).rename(columns=str).assign(kind=CLASSES)
    scaled = [
        estimator("binary", scale=scale).fit(frame, TARGETS["binary"]).predict_proba(frame)
        for scale in (None, "standard", "minmax")
    ]
    assert np.array_equal(scaled[0], scaled[1]) and not np.array_equal(scaled[0], scaled[2])


def test_unknown_scalers_are_refused() -> None:
    with pytest.raises(ValueError, match="'scale' parameter"):
        estimator("multiclass", scale="unknown").fit(X, CLASSES)
