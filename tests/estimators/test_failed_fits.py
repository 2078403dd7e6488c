"""A fit that fails on what it was given leaves the fitted model as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from problems import classes, fit_quietly, labels, numbers

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 3, "batch_size": 16, "random_state": 0}
X, Y = classes()
HOLED = np.where(np.arange(X.size).reshape(X.shape) == 5, np.nan, X)
LARGE = X * 1e200


class Failing(fastmlp.Callback):
    """Fails at the first event of a name."""

    def __init__(self, event: str):
        def fail(*_: Any) -> None:
            raise KeyError("mine")

        setattr(self, event, fail)


Fit = Callable[[Any], Any]
# What fails: for classifiers (C), regressors (R) or both; at the first fit, too (f), or only at
# later ones, by comparison with the first (p).
FAILURES: dict[str, tuple[str, Fit]] = {
    "weights of another length": ("CRf", lambda m: m.fit(X, Y, sample_weight=np.ones(3))),
    "weights below 0": ("CRf", lambda m: m.fit(X, Y, sample_weight=-np.ones(len(X)))),
    "weights that are NaN": ("CRf", lambda m: m.fit(X, Y, sample_weight=np.full(len(X), np.nan))),
    "weights of 0": ("CRf", lambda m: m.fit(X, Y, sample_weight=np.zeros(len(X)))),
    "weights of texts": ("CRf", lambda m: m.fit(X, Y, sample_weight=["a"] * len(X))),
    "rows fewer than labels": ("CRf", lambda m: m.fit(X[:-1], Y)),
    "NaN": ("CRf", lambda m: m.fit(HOLED, Y)),
    "another number of features, y too short": ("CRf", lambda m: m.fit(X[:, :3], Y[:-1])),
    "no rows": ("CRf", lambda m: m.fit(X[:0], Y[:0])),
    "texts": ("CRf", lambda m: m.fit(np.full(X.shape, "a"), Y)),
    "y of three dimensions": ("CRf", lambda m: m.fit(X, np.zeros((len(X), 2, 2)))),
    "fractions as classes": ("Cf", lambda m: m.fit(X, Y + 0.5)),
    "dates as numbers": ("Rf", lambda m: m.fit(X, Y.astype("M8[D]"))),
    "no y_val": ("CRf", lambda m: m.fit(X, Y, X_val=X)),
    "y_val too short": ("CRf", lambda m: m.fit(X, Y, X_val=X, y_val=Y[:-1])),
    "unknown y_val": ("Cf", lambda m: m.fit(X, Y % 2, X_val=X, y_val=Y)),
    "y_val of two columns": ("CRf", lambda m: m.fit(X, Y, X_val=X, y_val=np.c_[Y, Y])),
    "NaN in X_val": ("CRf", lambda m: m.fit(X, Y, X_val=HOLED, y_val=Y)),
    "X_val of other features": ("CRf", lambda m: m.fit(X, Y, X_val=X[:, :3], y_val=Y)),
    "a callback of a wrong type": ("CRf", lambda m: m.set_params(callbacks=[print]).fit(X, Y)),
    "a callback that fails at first": (
        "CRp", lambda m: m.set_params(callbacks=[Failing("on_setup")]).partial_fit(X, Y)
    ),
    "a callback that fails in the first epoch": (
        "CRf", lambda m: m.set_params(callbacks=[Failing("on_progress")]).fit(X, Y)
    ),
    "layers of no units": ("CRf", lambda m: m.set_params(hidden_layer_sizes=(0,)).fit(X, Y)),
    "an unknown activation": ("CRf", lambda m: m.set_params(activation="rely").fit(X, Y)),
    "activations for other layers": (
        "CRf", lambda m: m.set_params(activation=["relu", "tanh"]).fit(X, Y)
    ),
    "an activation for outputs": (
        "CRf", lambda m: m.set_params(activation="exponential").fit(X, Y)
    ),
    "an unknown solver": ("CRf", lambda m: m.set_params(solver="adamm").fit(X, Y)),
    "dropout with lbfgs": ("CRf", lambda m: m.set_params(solver="lbfgs", dropout=0.5).fit(X, Y)),
    "an alpha below 0": ("CRf", lambda m: m.set_params(alpha=-1).fit(X, Y)),
    "a random state of a wrong type": ("CRf", lambda m: m.set_params(random_state="a").fit(X, Y)),
    "an unknown loss": ("CRf", lambda m: m.set_params(loss="poison").fit(X, Y)),
    "a loss for other outputs": ("Cf", lambda m: m.set_params(loss="huber").fit(X, Y)),
    "negative numbers with poisson": ("Rf", lambda m: m.set_params(loss="poisson").fit(X, -Y - 1)),
    "class weights below 0": ("Cf", lambda m: m.set_params(class_weight={0: -1}).fit(X, Y)),
    "weights of unknown classes": ("Cf", lambda m: m.set_params(class_weight={9: 1}).fit(X, Y)),
    "too few rows to hold out": (
        "CRf", lambda m: m.set_params(early_stopping=True, validation_fraction=0.01).fit(X, Y)
    ),
    "divergence": (
        "Rf", lambda m: m.set_params(solver="sgd", learning_rate_init=1e9).fit(LARGE, Y)
    ),
    "overflow": ("Rf", lambda m: m.set_params(solver="lbfgs").fit(LARGE, Y)),
    "partial_fit: weights": ("CRp", lambda m: m.partial_fit(X, Y, sample_weight=np.ones(3))),
    "partial_fit: NaN": ("CRp", lambda m: m.partial_fit(HOLED, Y)),
    "partial_fit: features": ("CRp", lambda m: m.partial_fit(X[:, :3], Y)),
    "partial_fit: unknown classes": ("Cp", lambda m: m.partial_fit(X, Y + 1)),
    "partial_fit: other classes": ("Cp", lambda m: m.partial_fit(X, Y, classes=[1, 2, 3])),
    "partial_fit: balanced": (
        "Cp", lambda m: m.set_params(class_weight="balanced").partial_fit(X, Y)
    ),
    "partial_fit: two columns": ("CRp", lambda m: m.partial_fit(X, np.c_[Y, Y])),
    "partial_fit: early stopping": (
        "CRp", lambda m: m.set_params(early_stopping=True).partial_fit(X, Y)
    ),
    "partial_fit: lbfgs": ("CRp", lambda m: m.set_params(solver="lbfgs").partial_fit(X, Y)),
    "partial_fit: other layers": (
        "CRp", lambda m: m.set_params(hidden_layer_sizes=(6,)).partial_fit(X, Y)
    ),
    "partial_fit: more layers": (
        "CRp", lambda m: m.set_params(hidden_layer_sizes=(5, 5)).partial_fit(X, Y)
    ),
    "warm: features": ("CRp", lambda m: m.set_params(warm_start=True).fit(X[:, :3], Y)),
    "warm: weights": ("CRp", lambda m: m.set_params(warm_start=True).fit(X, Y, np.ones(3))),
    "warm: classes": ("Cp", lambda m: m.set_params(warm_start=True).fit(X, Y % 2)),
    "warm: more classes": ("Cp", lambda m: m.set_params(warm_start=True).fit(X, np.arange(60))),
    "warm: layers": (
        "CRp", lambda m: m.set_params(warm_start=True, hidden_layer_sizes=(6,)).fit(X, Y)
    ),
    "warm: y_val": (
        "CRp", lambda m: m.set_params(warm_start=True).fit(X, Y, X_val=X, y_val=np.c_[Y, Y])
    ),
}  # fmt: skip


def cases(*when: str) -> list[tuple[Any, str]]:
    return [
        (cls, failure)
        for failure, (which, _) in FAILURES.items()
        for letter, cls in (("C", MLPClassifier), ("R", MLPRegressor))
        if letter in which and any(time in which for time in when)
    ]


def fitted(model: Any) -> dict[str, Any]:
    """Return a deep copy of what a fit has left."""
    params = model.get_params()
    return {name: copy.deepcopy(value) for name, value in vars(model).items() if name not in params}


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if hasattr(one, "__dict__"):
        return type(one) is type(other) and all(
            equal(value, vars(other)[name]) for name, value in vars(one).items()
        )
    return bool(one == other)


def assert_unchanged(model: Any, fit: Fit, X: Any = X) -> None:
    before, predicted = fitted(model), model.predict(X)
    score = model.predict_proba(X) if hasattr(model, "predict_proba") else None
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        fit_quietly(_Calling(model), fit, method="call")
    after = fitted(model)
    assert set(after) == set(before)
    for name, value in before.items():
        assert equal(value, after[name]), name
    np.testing.assert_array_equal(model.predict(X), predicted)
    if score is not None:
        np.testing.assert_array_equal(model.predict_proba(X), score)


class _Calling:
    def __init__(self, model: Any):
        self.model = model

    def call(self, fit: Fit) -> None:
        fit(self.model)


@pytest.mark.parametrize(("cls", "failure"), cases("f", "p"))
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_refit_that_fails_leaves_the_model_as_it_was(cls: Any, failure: str, method: str) -> None:
    _, fit = FAILURES[failure]
    model = cls(**USUAL)
    given = {"classes": [0, 1, 2]} if (cls, method) == (MLPClassifier, "partial_fit") else {}
    fit_quietly(model, X, Y, method=method, **given)
    assert_unchanged(model, fit)


@pytest.mark.parametrize(("cls", "failure"), cases("f"))
def test_a_first_fit_that_fails_leaves_nothing(cls: Any, failure: str) -> None:
    _, fit = FAILURES[failure]
    model = cls(**USUAL)
    with pytest.raises((ValueError, TypeError, KeyError)):
        fit_quietly(_Calling(model), fit, method="call")
    assert fitted(model) == {}
    with pytest.raises(Exception, match="not fitted"):
        model.predict(X)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_frames_and_other_targets_leave_the_names_and_classes(solver: str) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = fit_quietly(MLPClassifier(**USUAL, solver=solver), frame, Y)
    other = pandas.DataFrame(X[:, :3], columns=list("xyz"))
    assert_unchanged(model, lambda m: m.fit(other, Y.astype(str), sample_weight=[1.0]), frame)
    assert list(model.feature_names_in_) == list("abcd")
    assert_unchanged(model, lambda m: m.fit(other, np.eye(3)[Y], sample_weight=[1.0]), frame)
    several = fit_quietly(MLPClassifier(**USUAL, solver=solver), *labels())
    assert_unchanged(several, lambda m: m.fit(X, Y, sample_weight=[1.0]))
    outputs = fit_quietly(MLPRegressor(**USUAL, solver=solver), *numbers(outputs=2))
    assert_unchanged(outputs, lambda m: m.fit(X, Y, sample_weight=[1.0]))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_what_was_trained_before_a_callback_fails_is_kept(solver: str) -> None:
    class Third(fastmlp.Callback):
        def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
            if row["epoch"] == 3:
                raise KeyError("mine")

    model = MLPClassifier(**{**USUAL, "max_iter": 9}, solver=solver, callbacks=[Third()])
    with pytest.raises(KeyError, match="mine"):
        fit_quietly(model, X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    shorter = fit_quietly(MLPClassifier(**USUAL, solver=solver), X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), shorter.predict_proba(X))


def test_a_setting_for_the_next_fit_changes_no_prediction() -> None:
    model = fit_quietly(MLPClassifier(**USUAL), X, Y)
    expected = model.predict_proba(X)
    for change in ({"activation": "tanh"}, {"activation": "rely"}, {"hidden_layer_sizes": (9, 9)}):
        model.set_params(**change)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
