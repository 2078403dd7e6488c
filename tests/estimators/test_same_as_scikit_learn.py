"""The same random state, data and parameters: scikit-learn's model but for rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import both, classes, counts, fit_quietly, labels, numbers

from fastmlp import MLPClassifier

CLASSIFIER, REGRESSOR = "MLPClassifier", "MLPRegressor"
SGD = {"solver": "sgd", "learning_rate_init": 0.1}
FITS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "adam": (CLASSIFIER, classes(), {}),
    "two classes": (CLASSIFIER, classes(k=2), {}),
    "one class": (CLASSIFIER, classes(k=1), {}),
    "labels": (CLASSIFIER, labels(), {}),
    "numbers": (REGRESSOR, numbers(), {}),
    "several numbers": (REGRESSOR, numbers(outputs=3), {}),
    "poisson": (REGRESSOR, counts(), {"loss": "poisson"}),
    "no hidden layer": (CLASSIFIER, classes(), {"hidden_layer_sizes": ()}),
    "two hidden layers": (CLASSIFIER, classes(), {"hidden_layer_sizes": (5, 6)}),
    "a number for a layer": (REGRESSOR, numbers(), {"hidden_layer_sizes": 5}),
    **{
        name: (CLASSIFIER, classes(), {"activation": name})
        for name in ("identity", "logistic", "tanh")
    },
    "batch of all": (CLASSIFIER, classes(), {"batch_size": "auto"}),
    "batches of one": (CLASSIFIER, classes(), {"batch_size": 1}),
    "batches of one, plain sgd": (
        CLASSIFIER, classes(), {**SGD, "batch_size": 1, "momentum": 0, "alpha": 0}
    ),
    "in order": (CLASSIFIER, classes(), {"shuffle": False}),
    "a strong penalty": (CLASSIFIER, classes(), {"alpha": 3.0}),
    "no penalty": (CLASSIFIER, classes(), {"alpha": 0.0}),
    "adam's numbers": (
        CLASSIFIER, classes(), {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}
    ),
    "sgd": (CLASSIFIER, classes(), SGD),
    "sgd, plain momentum": (CLASSIFIER, classes(), {**SGD, "nesterovs_momentum": False}),
    "sgd, no momentum": (CLASSIFIER, classes(), {**SGD, "momentum": 0.0}),
    "sgd, momentum of one": (REGRESSOR, numbers(), {**SGD, "momentum": 1.0}),
    "invscaling": (CLASSIFIER, classes(), {**SGD, "learning_rate": "invscaling", "power_t": 0.3}),
    "adaptive": (
        REGRESSOR, numbers(),
        {**SGD, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.05, "max_iter": 60},
    ),
    "adam knows no schedule": (CLASSIFIER, classes(), {"learning_rate": "invscaling"}),
    "stops": (CLASSIFIER, classes(), {"n_iter_no_change": 2, "tol": 0.05, "max_iter": 60}),
    "never stops": (CLASSIFIER, classes(), {"n_iter_no_change": np.inf, "tol": 1.0}),
    "stops early": (CLASSIFIER, classes(), {"early_stopping": True, "max_iter": 60}),
    "stops early, two classes": (
        CLASSIFIER, classes(k=2), {"early_stopping": True, "max_iter": 60, "tol": 0.0}
    ),
    "stops early, labels": (CLASSIFIER, labels(), {"early_stopping": True, "max_iter": 60}),
    "stops early, numbers": (
        REGRESSOR, numbers(), {"early_stopping": True, "validation_fraction": 0.3, "max_iter": 60}
    ),
    "stops early, several numbers": (
        REGRESSOR, numbers(outputs=2), {**SGD, "early_stopping": True, "n_iter_no_change": 2}
    ),
    "lbfgs": (CLASSIFIER, classes(), {"solver": "lbfgs"}),
    "lbfgs, labels": (CLASSIFIER, labels(), {"solver": "lbfgs", "alpha": 0.1}),
    "lbfgs, numbers": (REGRESSOR, numbers(), {"solver": "lbfgs", "activation": "tanh"}),
    "lbfgs, poisson": (REGRESSOR, counts(), {"solver": "lbfgs", "loss": "poisson"}),
}  # fmt: skip


def assert_same_model(model: Any, theirs: Any, rtol: float = 1e-7) -> None:
    for one, other in zip(
        [*model.coefs_, *model.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol / 100)


def assert_same_attributes(model: Any, theirs: Any, rtol: float = 1e-7) -> None:
    for name in vars(theirs):
        if not name.endswith("_") or name in ("coefs_", "intercepts_"):
            continue
        expected, found = getattr(theirs, name), getattr(model, name)
        if isinstance(expected, (float, list)):
            np.testing.assert_allclose(found, expected, rtol=rtol, err_msg=name)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", FITS)
def test_fits_are_the_same(case: str, weighted: bool) -> None:
    name, (X, y), parameters = FITS[case]
    weights = np.random.RandomState(1).uniform(0.2, 2, len(X)) if weighted else None
    theirs, ours = both(name, **parameters)
    for model in (theirs, ours):
        fit_quietly(model, X, y, sample_weight=weights)
    assert_same_model(ours, theirs)
    assert_same_attributes(ours, theirs)
    np.testing.assert_allclose(ours.score(X, y), theirs.score(X, y), rtol=1e-7)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("name", [CLASSIFIER, REGRESSOR])
def test_loss_curves_from_given_weights_in_the_datas_order(name: str, solver: str) -> None:
    X, y = classes() if name == CLASSIFIER else numbers()
    theirs, ours = both(name, solver=solver, shuffle=False, warm_start=True, max_iter=1)
    rng = np.random.RandomState(0)
    for model in (theirs, ours):
        fit_quietly(model, X, y)
    given = [rng.normal(0, 0.5, array.shape) for array in (*ours.coefs_, *ours.intercepts_)]
    for model in (theirs, ours):
        for array, values in zip((*model.coefs_, *model.intercepts_), given, strict=True):
            array[...] = values
        fit_quietly(model.set_params(max_iter=30), X, y)
    assert ours.n_iter_ == theirs.n_iter_ > 5
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert_same_model(ours, theirs)


def test_float32_stays_float32_and_differs_by_its_rounding() -> None:
    X, y = classes()
    theirs, ours = both(CLASSIFIER)
    for model in (theirs, ours):
        fit_quietly(model, X.astype(np.float32), y)
    assert {a.dtype for a in (*ours.coefs_, *ours.intercepts_)} == {np.dtype(np.float32)}
    assert ours.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_same_model(ours, theirs, rtol=1e-3)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize(
    "parameters",
    [{}, SGD, {**SGD, "learning_rate": "invscaling"},
     {**SGD, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.5}],
    ids=str,
)  # fmt: skip
def test_epochs_of_partial_fit_continue(parameters: dict[str, Any]) -> None:
    X, y = classes()
    theirs, ours = both(CLASSIFIER, **parameters)
    for model in (theirs, ours):
        for part in (slice(0, 40), slice(20, 50), slice(10, 60), slice(0, 60), slice(0, 9)):
            fit_quietly(model, X[part], y[part], method="partial_fit", classes=np.arange(3))
    assert_same_model(ours, theirs)
    assert_same_attributes(ours, theirs)


def test_partial_fit_continues_after_fit() -> None:
    X, y = numbers()
    theirs, ours = both(REGRESSOR)
    for model in (theirs, ours):
        fit_quietly(model, X, y)
        fit_quietly(model, X[:30], y[:30], method="partial_fit")
    assert_same_model(ours, theirs)
    assert_same_attributes(ours, theirs)


@pytest.mark.parametrize(
    "parameters",
    [{}, {**SGD, "learning_rate": "invscaling"}, {"solver": "lbfgs"},
     {"tol": 0.1, "n_iter_no_change": 2}],
    ids=str,
)  # fmt: skip
def test_warm_start_continues(parameters: dict[str, Any]) -> None:
    X, y = classes()
    theirs, ours = both(CLASSIFIER, warm_start=True, **parameters)
    for model in (theirs, ours):
        for _ in range(3):
            fit_quietly(model, X, y)
    assert_same_model(ours, theirs, rtol=1e-6)
    assert_same_attributes(ours, theirs, rtol=1e-6)


def test_random_states_are_consumed_as_in_scikit_learn() -> None:
    X, y = classes()
    states = [np.random.RandomState(5), np.random.RandomState(5)]
    for model, state in zip(both(CLASSIFIER, early_stopping=True), states, strict=True):
        fit_quietly(model.set_params(random_state=state), X, y)
    assert states[0].randint(2**31) == states[1].randint(2**31)


def test_predictions_follow_weights_set_by_hand() -> None:
    X, y = classes()
    theirs, ours = both(CLASSIFIER)
    for model in (theirs, ours):
        fit_quietly(model, X, y)
        model.coefs_[1][:, 0] += 1
        model.intercepts_[1] = model.intercepts_[1] - 0.5
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_parameters_and_defaults_equal_scikit_learns_and_come_first() -> None:
    theirs, ours = both(CLASSIFIER)[0].__class__(), MLPClassifier()
    expected = theirs.get_params()
    assert {name: ours.get_params()[name] for name in expected} == expected
    from inspect import signature

    names = list(signature(MLPClassifier).parameters)
    assert names[: len(expected)] == list(signature(type(theirs)).parameters)
