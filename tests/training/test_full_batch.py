"""Loss and gradient of all rows, for others' optimizers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from fastmlp.training.fit import start
from fastmlp.training.full_batch import LossAndGradient
from toys import BARE, blobs, lines, settings


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [46, 300])  # more than a block
def test_the_gradient_is_the_slope_of_the_loss(rows: int, weighted: bool) -> None:
    weights = np.random.default_rng(0).uniform(0, 2, rows) if weighted else None
    config = settings(
        **BARE, mode="batch", monitor="train_objective", l2=2.0, penalty_per_row=True,
        hidden_layer_sizes=(3, 2),
    )  # fmt: skip
    objective = LossAndGradient(start(config, blobs(rows), sample_weight=weights))
    parameters = np.random.default_rng(1).normal(0, 0.5, objective.parameters().size)
    loss, gradient = objective(parameters)
    slope = approx_fprime(parameters, lambda x: objective(x)[0], 1e-7)
    np.testing.assert_allclose(gradient, slope, atol=2e-6)
    assert objective(parameters)[0] == loss  # nothing has moved
    np.testing.assert_array_equal(objective.parameters(), parameters)


def test_the_loss_has_its_penalty() -> None:
    config = settings(**BARE, mode="batch", monitor="train_objective", l2=0.5)
    run = start(config, lines(40))
    objective = LossAndGradient(run)
    loss, _ = objective(objective.parameters())
    evaluated = run.evaluate(run.prepared.train)
    assert evaluated is not None
    assert loss == pytest.approx(evaluated.loss + run.penalty(), rel=1e-12)
