"""scikit-learn's own checks of estimators, none of them expected to fail."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor


# They warn of what estimators warn of: few iterations, columns for vectors.
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [cls(solver=solver) for cls in (MLPClassifier, MLPRegressor)
     for solver in ("adam", "sgd", "lbfgs")]
)  # fmt: skip
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
