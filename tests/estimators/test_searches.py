"""Estimators inside searches of other libraries."""

from __future__ import annotations

import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

from fastmlp import MLPClassifier
from toys import blobs


def test_halving_grid_search_finds_the_better_rate() -> None:
    data = blobs(90)
    model = MLPClassifier(hidden_layer_sizes=(8,), max_iter=4, solver="sgd", random_state=0, tol=0)
    search = HalvingGridSearchCV(
        model, {"learning_rate_init": [1e-6, 0.3]}, cv=2, random_state=0, factor=2
    )
    with pytest.warns(UserWarning):  # of the number of iterations
        search.fit(data.X, data.y)
    assert search.best_params_ == {"learning_rate_init": 0.3}
    assert search.score(data.X, data.y) > 0.9


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
def test_optuna_search_finds_a_good_rate() -> None:
    optuna = pytest.importorskip("optuna")
    integration = pytest.importorskip("optuna_integration")
    data = blobs(90)
    model = MLPClassifier(hidden_layer_sizes=(8,), max_iter=4, solver="sgd", random_state=0, tol=0)
    space = {"learning_rate_init": optuna.distributions.FloatDistribution(1e-6, 0.5, log=True)}
    search = integration.OptunaSearchCV(model, space, cv=2, n_trials=8, random_state=0)
    search.fit(data.X, data.y)
    assert search.best_params_["learning_rate_init"] > 0.01
    assert search.score(data.X, data.y) > 0.9
