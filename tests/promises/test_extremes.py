"""Extreme numbers: finite results, or an error that says what diverged; never NaN in silence."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from fastmlp import DataError, Dataset, DivergenceError, TrainConfig, fit
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.training.result import TrainResult
from interrupting import MODES
from toys import settings

_rng = np.random.default_rng(5)
_X = _rng.normal(size=(60, 3))
_Y = np.arange(60) % 3
DATA: dict[str, Dataset] = {
    "denormals": Dataset(_X * 1e-310, _Y),
    "single denormals": Dataset((_X * 1e-40).astype(np.float32), _Y),
    "constant features": Dataset(np.full((60, 3), 7.0), _Y),
    "all zero": Dataset(np.zeros((60, 3)), _Y),
    "features of 1e30": Dataset(_X * 1e30, _Y),
    "one huge feature": Dataset(_X * [1.0, 1e30, 1e-30], _Y),
    "targets of 1e30": Dataset(_X, _X[:, 0] * 1e30),
}
RUNS: dict[str, dict[str, Any]] = {
    "scaled": {},
    "unscaled": {"scale": "none"},
    "exploding rate": {"learning_rate": 1e20},
    "unscaled, exploding rate": {"scale": "none", "learning_rate": 1e20, "activation": "relu"},
    "extreme logits": {"weight_init": "random_normal(std=1e4)", "activation": "relu"},
}
# So many modes that each optimizer meets both dtypes.
KINDS = list(itertools.product(OPTIMIZERS.names(), MODES))


def is_finite(result: TrainResult, data: Dataset) -> bool:
    """Whether weights, history, metrics and predictions all are."""
    numbers = [value for row in result.history.rows for value in row.values()]
    numbers += [value for value in result.metrics.values()]
    outputs = result.predictor.outputs(data.X)
    return (
        bool(np.isfinite(result.predictor.network.params).all() and np.isfinite(outputs).all())
        and all(number is None or math.isfinite(number) for number in numbers)
    )  # fmt: skip


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda n: "-".join(KINDS[n]))
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_results_are_finite_or_run_diverged(number: int) -> None:
    (optimizer, mode), dtype = KINDS[number], ("float32", "float64")[number % 2]
    for (name, data), (run, changes) in itertools.product(DATA.items(), RUNS.items()):
        config = settings(
            **{"epochs": 2, "dtype": dtype, "optimizer": optimizer, **MODES[mode], **changes}
        )
        where = f"{name}, {run}"
        try:
            result = fit(config, data)
        except DataError as error:  # a feature beyond the range of float32
            assert "finite and in the range" in str(error), where
        except DivergenceError as error:
            assert "training diverged in epoch" in str(error), where
            assert "lower learning_rate" in str(error), where
            assert np.isfinite(error.result.predictor.network.params).all(), where
        else:
            assert is_finite(result, data), where


def test_some_of_these_diverge_and_some_do_not() -> None:
    fit(settings(), DATA["all zero"])
    fit(settings(scale="none"), DATA["denormals"])
    with pytest.raises(DivergenceError):
        fit(settings(scale="none", activation="relu"), DATA["features of 1e30"])
    with pytest.raises(DivergenceError):
        fit(settings(learning_rate=1e20), DATA["targets of 1e30"])


@pytest.mark.parametrize("mode", MODES)
def test_constant_features_teach_nothing_and_break_nothing(mode: str) -> None:
    result = fit(settings(**MODES[mode]), DATA["constant features"])
    outputs = result.predictor.outputs(DATA["constant features"].X)
    assert (outputs == outputs[0]).all()
    assert np.isfinite(outputs).all()


def test_divergence_of_counts_advises_what_goes_with_their_output() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    y = 1e9 * rng.poisson(np.exp(X[:, 0])).astype(float)
    with pytest.raises(DivergenceError, match="divide the targets by a constant") as raised:
        fit(TrainConfig(loss="poisson", split="none", validation=0), Dataset(X, y))
    assert "target_scale" not in str(raised.value)
