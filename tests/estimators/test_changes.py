"""Parameters that change from one call of partial_fit, or warm fit, to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import both, classes, counts, fit_quietly, numbers

from fastmlp import MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 3, "batch_size": 16, "random_state": 0}
X, Y = classes()
CLASSES = [0, 1, 2]

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"solver": "adam"},
    "adam, other betas": {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "sgd": {"solver": "sgd"},
    "sgd, plain momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "sgd, less momentum": {"solver": "sgd", "momentum": 0.5},
    "sgd, no momentum": {"solver": "sgd", "momentum": 0.0},
    "sgd of fastmlp": {"solver": "sgd(0.9)"},
    "adamw": {"solver": "adamw(weight_decay=0.1)"},
    "rmsprop": {"solver": "rmsprop"},
}
# Whose state means the same: velocities that hold the rate, or Adam's moments.
ALIKE = [
    {"adam", "adam, other betas"},
    {"sgd", "sgd, plain momentum", "sgd, less momentum"},
]
CHANGES: list[dict[str, Any]] = [
    {"learning_rate": "adaptive", "solver": "sgd"},
    {"learning_rate": "invscaling", "solver": "sgd"},
    {"learning_rate_init": 0.1}, {"batch_size": 7}, {"batch_size": 1}, {"batch_size": "auto"},
    {"schedule": "cosine"}, {"schedule": "step(every=1)"}, {"schedule": "plateau"},
    {"dropout": 0.5}, {"dropout": [0.3]}, {"alpha": 1.0}, {"activation": "tanh"},
    {"activation": ["gelu"]}, {"shuffle": False}, {"max_iter": 1}, {"label_smoothing": 0.2},
    {"class_weight": {0: 3.0}}, {"loss": "squared_error"}, {"random_state": 1}, {"tol": 0.5},
    {"n_iter_no_change": 1}, {"weight_init": "he_normal"}, {"power_t": 0.9}, {"n_threads": 1},
]  # fmt: skip


def chunk(model: Any, half: int, **fit: Any) -> Any:
    rows = slice(half, None, 2)
    return fit_quietly(model, X[rows], Y[rows], method="partial_fit", classes=CLASSES, **fit)


def same(one: Any, other: Any) -> bool:
    return all(map(np.array_equal, one.coefs_, other.coefs_))


@pytest.mark.parametrize("first", OPTIMIZERS)
@pytest.mark.parametrize("later", OPTIMIZERS)
def test_another_optimizer_begins_with_a_fresh_state(first: str, later: str) -> None:
    model = chunk(MLPClassifier(**USUAL, **OPTIMIZERS[first]), 0)
    fresh = chunk(MLPClassifier(**USUAL, **OPTIMIZERS[first]), 0)
    fresh._continuation = None
    for each in (model, fresh):
        defaults = MLPClassifier(**USUAL).get_params()
        chunk(each.set_params(**{**defaults, **OPTIMIZERS[later]}), 1)
        assert np.isfinite(each.loss_) and all(np.isfinite(w).all() for w in each.coefs_)
    goes_on = first == later or any({first, later} <= kind for kind in ALIKE)
    is_stateless = later == "sgd, no momentum"
    assert same(model, fresh) == (is_stateless or not goes_on)


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("before", ["adam", "sgd"])
def test_every_parameter_may_change_between_chunks(change: dict[str, Any], before: str) -> None:
    model = chunk(MLPClassifier(**{**USUAL, "solver": before}), 0)
    weights = [w.copy() for w in model.coefs_]
    chunk(model.set_params(**change), 1)
    assert not any(map(np.array_equal, weights, model.coefs_))
    assert np.isfinite(model.loss_) and len(model.loss_curve_) == 2
    chunk(model.set_params(**{name: getattr(MLPClassifier(**USUAL), name) for name in change}), 0)
    assert np.isfinite(model.loss_)
    assert model.predict_proba(X).shape == (len(X), 3)


@pytest.mark.parametrize(
    "change",
    [{"alpha": 1.0}, {"batch_size": 7}, {"batch_size": 1}, {"activation": "tanh"},
     {"shuffle": False}, {"random_state": 9}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_what_changes_is_followed_as_scikit_learn_does(change: dict[str, Any], solver: str) -> None:
    models = both("MLPClassifier", solver=solver)
    for model in models:
        chunk(chunk(model, 0).set_params(**change), 1)
    theirs, ours = models
    for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("sizes", [(6,), 6, (5, 5), (), [5, 1]])
def test_other_layers_are_refused_with_the_way_back(sizes: Any) -> None:
    model = chunk(MLPClassifier(**USUAL), 0).set_params(hidden_layer_sizes=sizes)
    with pytest.raises(
        ValueError, match=r"hidden_layer_sizes must be \(5,\) to train these weights"
    ):
        chunk(model, 1)
    with pytest.raises(
        ValueError, match=r"hidden_layer_sizes must be \(5,\) to train these weights"
    ):
        model.set_params(warm_start=True).fit(X, Y)
    chunk(model.set_params(hidden_layer_sizes=[5]), 1)
    fit_quietly(model.set_params(warm_start=False, hidden_layer_sizes=sizes), X, Y)
    assert len(model.coefs_) == len(np.atleast_1d(sizes)) + 1


def test_another_schedule_begins_with_its_own_rate() -> None:
    model = MLPClassifier(
        **{**USUAL, "max_iter": 30}, solver="sgd", learning_rate="adaptive", tol=10.0,
        n_iter_no_change=1,
    )  # fmt: skip
    fit_quietly(model, X, Y)
    assert model._continuation is not None and model._continuation.rate_factor < 1
    constant = chunk(model.set_params(learning_rate="constant", momentum=0.0), 0)
    assert constant._continuation is not None and constant._continuation.rate_factor == 1


def test_another_loss_gets_its_own_outputs() -> None:
    X, y = counts()
    model = fit_quietly(MLPRegressor(**USUAL), X, y, method="partial_fit")
    assert model.out_activation_ == "identity"
    fit_quietly(model.set_params(loss="poisson"), X, y, method="partial_fit")
    assert model.out_activation_ == "exp" and (model.predict(X) > 0).all()


@pytest.mark.parametrize("first", ["adam", "lbfgs", "sgd"])
@pytest.mark.parametrize("later", ["adam", "lbfgs", "sgd"])
@pytest.mark.parametrize("stops", [(False, True), (True, False), (True, True), (False, False)])
def test_warm_fits_may_change_solver_and_rule(
    first: str, later: str, stops: tuple[bool, bool]
) -> None:
    X, y = numbers()
    model = MLPRegressor(**USUAL, warm_start=True, solver=first, early_stopping=stops[0])
    fit_quietly(fit_quietly(model, X, y).set_params(solver=later, early_stopping=stops[1]), X, y)
    assert np.isfinite(model.loss_)
    by_score = stops[1] and later != "lbfgs"
    assert (model.best_loss_ is None) == by_score
    if by_score:
        assert model.best_validation_score_ == max(model.validation_scores_)


def test_rows_may_change_their_type_between_chunks() -> None:
    model = chunk(MLPClassifier(**USUAL), 0)
    for rows in (X.astype(np.float32), (X > 0).astype(np.uint8), X > 0, X.astype(int).tolist()):
        fit_quietly(model, rows, Y, method="partial_fit")
        assert np.isfinite(model.loss_)


@pytest.mark.parametrize(
    "bad",
    [{"max_iter": 0}, {"alpha": -1.0}, {"solver": "sdg"}, {"dropout": 1.5}, {"tol": -1.0},
     {"learning_rate_init": 0.0}, {"label_smoothing": 2.0}, {"activation": "rely"}],
)  # fmt: skip
def test_invalid_parameter_is_named_at_later_calls_of_partial_fit(bad: dict[str, Any]) -> None:
    model = chunk(MLPClassifier(**USUAL), 0).set_params(**bad)
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of MLPClassifier"):
        chunk(model, 1)


@pytest.mark.parametrize("sizes", [(5.5,), (5.0,), ["5"], (None,)])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_sizes_of_layers_are_integers(cls: Any, sizes: Any) -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes must hold integers, got"):
        cls(**{**USUAL, "hidden_layer_sizes": sizes}).fit(X, Y)
