"""What scikit-learn's estimators have not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import classes, counts, fit_quietly, labels, numbers
from sklearn.utils import compute_sample_weight

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (7, 6), "max_iter": 6, "batch_size": 16, "random_state": 0}


def classifier(**parameters: Any) -> MLPClassifier:
    return fit_quietly(MLPClassifier(**{**USUAL, **parameters}), *classes())


def regressor(**parameters: Any) -> MLPRegressor:
    return fit_quietly(MLPRegressor(**{**USUAL, **parameters}), *numbers())


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.coefs_, other.coefs_, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "parameters",
    [
        {"activation": "gelu"}, {"activation": "leaky_relu(0.2)"}, {"activation": ["tanh", "relu"]},
        {"solver": "adamw(weight_decay=0.5)"}, {"solver": "rmsprop"}, {"solver": "sgd(0.5)"},
        {"loss": "squared_error"}, {"loss": "mean_squared_error"}, {"schedule": "cosine"},
        {"schedule": "step(every=2)"}, {"schedule": "plateau(patience=0, min_delta=1)"},
        {"schedule": "adaptive(factor=0.5)", "tol": 1.0, "n_iter_no_change": 1},
        {"schedule": "invscaling"}, {"dropout": 0.3}, {"dropout": [0.0, 0.3]},
        {"weight_init": "orthogonal"}, {"bias_init": "constant(0.3)"}, {"label_smoothing": 0.2},
        {"class_weight": "balanced"}, {"class_weight": {0: 3.0, 1: 0.5}},
    ],
    ids=str,
)  # fmt: skip
def test_every_extra_makes_a_difference_and_can_be_repeated(parameters: dict[str, Any]) -> None:
    X, y = classes(50)
    y = np.minimum(y, 1)  # classes of different sizes
    plain, first, second = (
        fit_quietly(MLPClassifier(**{**USUAL, **extra}), X, y)
        for extra in ({}, parameters, parameters)
    )
    assert not same(first, plain)
    assert same(first, second)
    assert first.score(X, y) > 0.3


@pytest.mark.parametrize("schedule", ["cosine", "invscaling", "adaptive", "plateau(patience=1)"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
def test_schedules_go_with_solvers(solver: str, schedule: str) -> None:
    assert np.isfinite(regressor(solver=solver, schedule=schedule).loss_)


@pytest.mark.parametrize("loss", ["absolute_error", "huber(delta=0.5)", "mean_squared_error"])
def test_losses_of_a_regression(loss: str) -> None:
    model = regressor(loss=loss, max_iter=150, learning_rate_init=0.01)
    assert model.score(*numbers()) > 0.5
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_class_weights_are_weights_of_rows() -> None:
    X, y = classes()
    weight = {0: 2.0, 2: 0.25}
    given = np.random.RandomState(0).uniform(0.5, 1, len(X))
    by_class = fit_quietly(MLPClassifier(**USUAL, class_weight=weight), X, y, given)
    by_row = fit_quietly(MLPClassifier(**USUAL), X, y, given * compute_sample_weight(weight, y))
    assert same(by_class, by_row)


def test_class_weights_of_labels() -> None:
    X, Y = labels()
    balanced = fit_quietly(MLPClassifier(**USUAL, class_weight="balanced"), X, Y)
    assert not same(balanced, fit_quietly(MLPClassifier(**USUAL), X, Y))


def test_rows_given_for_validation_are_only_looked_at() -> None:
    X, y = classes()
    X_val, y_val = classes(30, seed=7)
    plain = fit_quietly(MLPClassifier(**USUAL), X, y)
    seen = fit_quietly(MLPClassifier(**USUAL), X, y, X_val=X_val, y_val=y_val)
    assert same(plain, seen)
    assert len(seen.validation_loss_curve_) == len(seen.validation_scores_) == seen.n_iter_ == 6
    assert seen.validation_scores_[-1] == seen.score(X_val, y_val)
    assert seen.best_validation_score_ == max(seen.validation_scores_)
    probability = seen.predict_proba(X_val)[np.arange(30), y_val]
    np.testing.assert_allclose(seen.validation_loss_curve_[-1], -np.log(probability).mean())
    assert plain.validation_loss_curve_ is None and plain.validation_scores_ is None


def test_early_stopping_takes_the_rows_given_for_validation() -> None:
    X, y = numbers()
    X_val, y_val = numbers(30, seed=1)
    model = MLPRegressor(**{**USUAL, "max_iter": 80}, early_stopping=True, learning_rate_init=0.05)
    fit_quietly(model, X, y, X_val=X_val, y_val=y_val)
    assert model.t_ == model.n_iter_ * len(X)  # none of them was held out
    assert model.score(X_val, y_val) == pytest.approx(max(model.validation_scores_))
    assert model.best_loss_ is None


@pytest.mark.parametrize("outputs", [1, 3])
def test_lbfgs_validates_each_iteration(outputs: int) -> None:
    X, y = numbers(outputs=outputs)
    model = fit_quietly(MLPRegressor(**USUAL, solver="lbfgs"), X, y, X_val=X, y_val=y)
    assert len(model.loss_curve_) == len(model.validation_scores_) == model.n_iter_ == 6
    assert model.loss_curve_[-1] == model.loss_ == model.best_loss_
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))
    penalty = model.alpha / 2 / len(X) * sum((w**2).sum() for w in model.coefs_)
    assert model.validation_loss_curve_[-1] + penalty == pytest.approx(model.loss_)


def test_a_warm_start_with_early_stopping_keeps_the_best_of_all_fits() -> None:
    X, y = classes()
    X_val, y_val = classes(30, seed=7)
    model = MLPClassifier(**{**USUAL, "max_iter": 20}, early_stopping=True, warm_start=True)
    fit_quietly(model, X, y, X_val=X_val, y_val=y_val)
    best = model.best_validation_score_
    model.set_params(learning_rate_init=10.0, max_iter=2)  # which spoils it
    fit_quietly(model, X, y, X_val=X_val, y_val=y_val)
    assert model.score(X_val, y_val) == max(model.validation_scores_) >= best
    assert len(model.validation_scores_) > model.n_iter_


def test_dropout_of_later_epochs_of_partial_fit_differs() -> None:
    X, y = classes()

    def trained(epochs: int) -> MLPClassifier:
        model = MLPClassifier(**USUAL, dropout=0.5, shuffle=False)
        for _ in range(epochs):
            fit_quietly(model, X, y, method="partial_fit", classes=[0, 1, 2])
        return model

    whole = fit_quietly(MLPClassifier(**{**USUAL, "max_iter": 3}, dropout=0.5, shuffle=False), X, y)
    assert same(trained(3), whole)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_threads_change_no_bit(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmlp.estimators.problem.WORTH_A_TEAM", 0.0)
    X, y = np.random.RandomState(0).rand(300, 40), np.arange(300) % 3
    first, second = (
        fit_quietly(
            MLPClassifier((1100,), solver=solver, max_iter=2, random_state=0, n_threads=n), X, y
        )
        for n in (1, 2)
    )
    assert same(first, second)
    assert first.predict_proba(X).tobytes() == second.predict_proba(X).tobytes()


def test_bytes_are_what_their_numbers_are() -> None:
    X, y = classes()
    whole = (20 * X + 128).clip(0, 255).astype(np.uint8)
    as_bytes = fit_quietly(MLPClassifier(**USUAL), whole, y)
    as_floats = fit_quietly(MLPClassifier(**USUAL), whole.astype(float), y)
    assert same(as_bytes, as_floats)
    assert np.array_equal(as_bytes.predict_proba(whole), as_floats.predict_proba(whole))


# --- what is refused ---


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "rely"}, r"The 'activation' parameter of MLPClassifier must be a str"),
        ({"activation": ["relu"]}, r"one for each of the 2 hidden layers, got 1"),
        ({"activation": "exponential"}, r"for the output layer only"),
        ({"solver": "adamm"}, r"The 'solver' parameter of MLPClassifier must be"),
        ({"schedule": "cosinus"}, r"The 'schedule' parameter of MLPClassifier must be"),
        ({"dropout": 1.0}, r"The 'dropout' parameter of MLPClassifier must be"),
        ({"dropout": [0.1]}, r"one for each of the 2 hidden layers, got 1"),
        ({"dropout": 0.1, "solver": "lbfgs"}, r"dropout does not go with solver 'lbfgs'"),
        ({"loss": "poisson"}, r"poisson"),
        ({"loss": "absolute_error"}, r"absolute_error does not go with output activation softmax"),
        ({"label_smoothing": 0.1, "loss": "squared_error"}, r"label_smoothing"),
        ({"callbacks": [print]}, r"callbacks must hold instances of fastmlp.Callback"),
        ({"callbacks": [fastmlp.Callback]}, r"callbacks must hold instances of fastmlp.Callback"),
        ({"n_threads": 0}, r"The 'n_threads' parameter of MLPClassifier must be"),
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be > 0, got \[3, 0\]"),
        ({"schedule": "cosine", "solver": "lbfgs"}, r"schedule does not go with solver 'lbfgs'"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_carried_out_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**parameters)


def test_negative_numbers_have_no_poisson_loss() -> None:
    X, y = counts()
    with pytest.raises(ValueError, match="y must be at least 0 for loss 'poisson'"):
        MLPRegressor(loss="poisson").fit(X, y - 5)


def test_rows_for_validation_need_their_targets() -> None:
    X, y = classes()
    with pytest.raises(ValueError, match="X_val and y_val must be given together, got no y_val"):
        MLPClassifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match=r"known from training \(0, 1, 2\), got 3"):
        MLPClassifier().fit(X, y, X_val=X, y_val=y + 1)
