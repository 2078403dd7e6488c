"""The results of several epochs at once."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.slices import Report
from fastmlp.training.epoch_results import EpochResult, Penalty, results_of


def results(params: np.ndarray, penalty: Penalty, **changes: np.ndarray) -> list[EpochResult]:
    """Results of epochs with two updates each, of 3 rows and 1 row; four of six are weights."""
    epochs = len(params)
    sums = {
        "loss": np.tile([3.0, 2.0], epochs),
        "hits": np.tile([2, 0], epochs),
        "rows": np.tile([3, 1], epochs),
        "weight": np.tile([3.0, 1.0], epochs),
        **changes,
    }
    report = Report(
        **sums, penalty=np.zeros(0), rates=np.arange(2.0 * epochs), snapshots=np.zeros(0),
        note_penalties=0,
    )  # fmt: skip
    return results_of(report, params, 4, penalty, 2.0)


def test_means_are_over_rows_and_the_worst_loss_is_of_an_update() -> None:
    params = np.array([[1.0, -2.0, 0.0, 1.0, 5.0, 5.0], [0.0, 0.0, 0.0, 2.0, 5.0, 5.0]])
    first, second = results(params, Penalty(0.5, 2.0, 2.0))
    assert first == EpochResult(0.0, 5 / 4, 0.5, 2.0, 5 / 8, (0.5 * 4 + 1.0 * 6) / 2, True)
    assert second == first._replace(learning_rate=2.0, penalty=(0.5 * 2 + 1.0 * 4) / 2)


def test_rows_without_weight_have_no_mean_loss() -> None:
    zeros = np.zeros(2)
    (found,) = results(np.zeros((1, 6)), Penalty(0.0, 0.0, 1.0), loss=zeros, weight=zeros)
    assert np.isnan(found.loss) and found.worst_loss == 0.0 and found.hit_rate == 0.5


@pytest.mark.parametrize("penalty", [Penalty(0, 0, 1), Penalty(0, 1e-4, 1), Penalty(1e-4, 0, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:overflow")
def test_parameters_that_are_not_finite_are_found(dtype: type, penalty: Penalty) -> None:
    cases = {1.0: True, float(np.finfo(dtype).max): True, np.inf: False, -np.inf: False}
    for where in ([0], [3], [4], [5], [0, 3], [4, 5], [0, 5]):
        params = np.ones((len(cases) + 1, 6), dtype)
        for row, value in enumerate((*cases, np.nan)):
            params[row, where] = value
        found = [result.is_finite for result in results(params, penalty)]
        assert found == [*cases.values(), False]
    params = np.ones((1, 6), dtype)
    params[0, [1, 5]] = np.inf, -np.inf
    assert not results(params, penalty)[0].is_finite
