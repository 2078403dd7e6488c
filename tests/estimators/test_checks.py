"""scikit-learn's own checks of estimators, none of them expected to fail."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor

# They warn of what estimators warn of: few iterations, columns for vectors.
pytestmark = pytest.mark.filterwarnings("ignore")


def by(*solvers: str) -> list[Any]:
    return [cls(solver=solver) for cls in (MLPClassifier, MLPRegressor) for solver in solvers]


@parametrize_with_checks(by("adam", "lbfgs"))
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.soak  # the loop is that of adam
@parametrize_with_checks(by("sgd"))
def test_the_checks_of_scikit_learn_by_sgd(estimator: Any, check: Any) -> None:
    check(estimator)
