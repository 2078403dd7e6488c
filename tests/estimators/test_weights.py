"""Weights of rows and classes: which are refused, and what is reported with them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from problems import classes, fit_quietly, labels, numbers
from sklearn.exceptions import ConvergenceWarning

from fastmlp import DataError, MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 4, "batch_size": 16, "random_state": 0}
X, Y = classes()
WEIGHTS = np.random.RandomState(1).uniform(0.1, 3, len(X))


def same(one: Any, other: Any) -> bool:
    return all(map(np.array_equal, one.coefs_, other.coefs_))


# --- what is refused ---


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_weights_below_0_are_refused(cls: Any, solver: str) -> None:
    bad = WEIGHTS.copy()
    bad[7] = -1e-9
    methods = ["fit"] if solver == "lbfgs" else ["fit", "partial_fit"]
    for method in methods:
        given = {"classes": [0, 1, 2]} if (method, cls) == ("partial_fit", MLPClassifier) else {}
        with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
            getattr(cls(**USUAL, solver=solver), method)(X, Y, sample_weight=bad, **given)


def test_weights_whose_sum_is_infinite_are_refused() -> None:
    for cls in (MLPClassifier, MLPRegressor):
        with pytest.raises(ValueError, match="sample_weight must have a finite sum"):
            cls(**USUAL).fit(X, Y, sample_weight=np.full(len(X), 1e308))
    with pytest.raises(ValueError, match="sample_weight times class_weight must have a finite sum"):
        MLPClassifier(**USUAL, class_weight={0: 1e308}).fit(X, Y)


@pytest.mark.parametrize("weight", [-1, -1e-9, np.nan, np.inf])
def test_class_weights_are_finite_and_at_least_0(weight: float) -> None:
    message = r"class_weight must hold finite weights of at least 0, got .* for class 1"
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**USUAL, class_weight={1: weight}).fit(X, Y)
    several = [{0: 1.0, 1: 2.0}, {0: 1.0, 1: weight}, {1: 3.0}]
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**USUAL, class_weight=several).fit(*labels())


@pytest.mark.parametrize(
    ("class_weight", "y", "message"),
    [
        ({9: 2.0}, Y, "not in class_weight"),
        ([{0: 1.0}], Y, "must be a dictionary or 'balanced' where each row has one class"),
        ({0: 1.0}, labels()[1], "For multi-output, class_weight should be a list of dicts"),
        ([{0: 1.0}], labels()[1], "number of elements in class_weight should match"),
        ("even", Y, "class_weight"),
    ],
)
def test_class_weights_fit_the_classes(class_weight: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**USUAL, class_weight=class_weight).fit(X, y)


# --- chunks ---


@pytest.mark.parametrize("labels_of", [lambda y: y, lambda y: np.array(["a", "b", "c"])[y]])
def test_class_weights_count_over_all_classes_not_those_of_a_chunk(labels_of: Any) -> None:
    names = labels_of(np.arange(3))
    by_class = MLPClassifier(**USUAL, class_weight={names[2]: 9.0, names[0]: 0.5})
    by_row = MLPClassifier(**USUAL)
    factors = np.array([0.5, 1.0, 9.0])
    for chunk in (Y < 2, Y > 0, Y == 2, Y < 3):
        y = labels_of(Y[chunk])
        given = {"classes": names, "method": "partial_fit"}
        fit_quietly(by_class, X[chunk], y, sample_weight=WEIGHTS[chunk], **given)
        weights = WEIGHTS[chunk] * factors[Y[chunk]]
        fit_quietly(by_row, X[chunk], y, sample_weight=weights, **given)
    assert same(by_class, by_row)


def test_class_weights_of_labels_count_in_chunks_that_lack_them() -> None:
    X, several = labels()
    chunk = several[:, 0] == 0
    weights = [{0: 1.0, 1: 5.0}, {0: 2.0, 1: 1.0}, {1: 3.0}]
    by_class = MLPClassifier(**USUAL, class_weight=weights)
    by_row = np.prod([[w.get(v, 1.0) for v in several[:, k]] for k, w in enumerate(weights)], 0)
    plain = MLPClassifier(**USUAL)
    given = {"classes": [0, 1, 2], "method": "partial_fit"}
    fit_quietly(by_class, X[chunk], several[chunk], **given)
    fit_quietly(plain, X[chunk], several[chunk], sample_weight=by_row[chunk], **given)
    assert same(by_class, plain)


def test_balanced_weights_are_refused_in_chunks_as_by_sgd() -> None:
    from sklearn.linear_model import SGDClassifier

    said = []
    for model in (SGDClassifier(class_weight="balanced"), MLPClassifier(class_weight="balanced")):
        with pytest.raises(ValueError, match="is not supported for partial_fit") as caught:
            model.partial_fit(X, Y, classes=[0, 1, 2])
        said.append(str(caught.value)[:40])
    assert said[0] == said[1]


def test_warm_chunks_may_lack_classes() -> None:
    cold, warm = (MLPClassifier(**USUAL, warm_start=warm_start) for warm_start in (False, True))
    for model in (cold, warm):
        for chunk in (Y < 2, Y > 0, Y == 1):
            fit_quietly(model, X[chunk], Y[chunk], method="partial_fit", classes=[0, 1, 2])
    assert same(cold, warm)
    with pytest.raises(ValueError, match="classes not in"):
        warm.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="warm_start can only be used"):
        warm.fit(X[Y < 2], Y[Y < 2])


# --- held-out rows ---


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_rows_held_out_need_a_weight(cls: Any) -> None:
    weights = np.zeros(len(X))
    weights[:3] = 1.0
    refused = 0
    for seed in range(6):
        model = cls(**{**USUAL, "random_state": seed}, early_stopping=True)
        try:
            fit_quietly(model, X, Y, sample_weight=weights)
        except ValueError as error:
            assert "row held out for early_stopping must have a weight above 0" in str(error)
            refused += 1
        else:
            assert np.isfinite(model.best_validation_score_)
    assert refused
    fit_quietly(model, X, Y, sample_weight=weights, X_val=X, y_val=Y)


# --- what is reported ---


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 1e-4, 100.0])
def test_lbfgs_reports_the_weighted_objective(outputs: int, weighted: bool, alpha: float) -> None:
    X, y = numbers(outputs=outputs)
    weights = WEIGHTS if weighted else np.ones(len(X))
    model = MLPRegressor(**USUAL, solver="lbfgs", alpha=alpha)
    fit_quietly(model, X, y, sample_weight=WEIGHTS if weighted else None, X_val=X, y_val=y)
    off = np.square(y - model.predict(X)).reshape(len(X), -1).mean(axis=1) / 2
    penalty = alpha / 2 / weights.sum() * sum((w**2).sum() for w in model.coefs_)
    assert model.loss_ == pytest.approx(np.average(off, weights=weights) + penalty)
    assert model.loss_curve_[-1] == pytest.approx(model.loss_)
    assert model.best_loss_ == pytest.approx(min(model.loss_curve_))


@pytest.mark.parametrize("factor", [1e148, 1e152, 1e155, 1e300])
@pytest.mark.parametrize("what", ["targets", "features"])
def test_lbfgs_names_an_overflow(factor: float, what: str) -> None:
    X, y = numbers()
    X, y = (X * factor, y) if what == "features" else (X, y * factor)
    with pytest.raises(ValueError, match=r"(overflows|exceed) float64.*; scale th"):
        MLPRegressor(**USUAL, solver="lbfgs").fit(X, y)


def test_large_numbers_short_of_an_overflow_train_or_warn() -> None:
    X, y = numbers()
    for factor in (1e3, 1e30, 1e100, 1e140):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = MLPRegressor(**{**USUAL, "max_iter": 50}, solver="lbfgs").fit(X, y * factor)
        assert np.isfinite(model.loss_)
        assert model.n_iter_ > 0 or any(w.category is ConvergenceWarning for w in caught)


def test_the_best_score_is_finite_after_a_divergence() -> None:
    model = MLPRegressor(
        **{**USUAL, "max_iter": 20}, solver="sgd", early_stopping=True, warm_start=True,
        learning_rate_init=1e150, activation="identity",
    )  # fmt: skip
    fit_quietly(model, 1e5 * X, Y)
    assert np.isnan(model.validation_scores_[-1])
    assert model.best_validation_score_ is None or np.isfinite(model.best_validation_score_)
    fit_quietly(model.set_params(learning_rate_init=1e-3), X, Y)
    finite = [score for score in model.validation_scores_ if np.isfinite(score)]
    assert finite and model.best_validation_score_ == max(finite)
    # The optimizer does not continue with the state that diverged.
    fit_quietly(model.set_params(early_stopping=False), X, Y, method="partial_fit")
    assert np.isfinite(model.loss_) and np.isfinite(model.best_loss_)


@pytest.mark.parametrize("weight", [None, "2", [1.0], 1j])
def test_class_weights_are_numbers(weight: Any) -> None:
    with pytest.raises(
        ValueError, match="class_weight must hold finite weights of at least 0, got"
    ):
        MLPClassifier(**USUAL, class_weight={1: weight}).fit(X, Y)


@pytest.mark.parametrize("form", [np.asarray, pd.Series, pl.Series])
@pytest.mark.parametrize("dtype", ["datetime64[ms]", "timedelta64[ms]"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_dates_are_no_weights(cls: Any, dtype: str, form: Any) -> None:
    dates = form(np.arange(len(X)).astype(dtype))
    with pytest.raises(DataError, match="sample_weight must hold numbers, got dtype"):
        cls(**USUAL).fit(X, Y, sample_weight=dates)


def test_labels_without_class_weights_count_once() -> None:
    X, y = labels()
    ones = [{0: 1.0, 1: 1.0}] * y.shape[1]
    for none in ([None] * y.shape[1], [None, *ones[1:]]):
        models = [fit_quietly(MLPClassifier(**USUAL, class_weight=w), X, y) for w in (ones, none)]
        assert same(*models)
    with pytest.raises(ValueError, match="class_weight must hold a dictionary, 'balanced' or None"):
        MLPClassifier(**USUAL, class_weight=[2.0] * y.shape[1]).fit(X, y)
