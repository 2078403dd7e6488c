"""Evaluating many rows: in several launches, with and without targets and outputs."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.model import evaluation as module
from fastmlp.model.evaluation import Evaluation, evaluate_network
from fastmlp.model.workspace import Workspace
from harness import DTYPES, Case, Run

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def evaluated(run: Run, threads: int = 1, want_outputs: bool = True) -> Evaluation:
    workspace = Workspace(run.network, run.case.block_rows, training=False)
    return evaluate_network(workspace, run.data, run.objective, threads, want_outputs)


@each_dtype
@pytest.mark.parametrize("rows_at_once", [1, 7, 23, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_all_rows_are_evaluated_in_any_number_of_launches(
    monkeypatch: pytest.MonkeyPatch, dtype: str, rows_at_once: int, threads: int
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", rows_at_once)
    run = Run(Case(rows=23, dtype=dtype))
    outputs, losses, hits = run.evaluate()
    result = evaluated(run, threads)
    assert result.outputs.tobytes() == outputs.tobytes()
    assert result.loss == losses.mean()
    assert result.hit_rate == hits.mean()


def test_outputs_are_returned_only_if_asked_for() -> None:
    run = Run(Case())
    result = evaluated(run, want_outputs=False)
    assert result.outputs.shape == (0, 3)
    wanted = evaluated(run)
    assert (result.loss, result.hit_rate) == (wanted.loss, wanted.hit_rate)


def test_without_targets_the_loss_is_nan() -> None:
    run = Run(Case())
    expected = evaluated(run).outputs
    run.data = run.data._replace(labels=np.empty(0, np.int32))
    result = evaluated(run)
    assert np.isnan(result.loss)
    np.testing.assert_array_equal(result.outputs, expected)


def test_a_regression_has_a_hit_rate_of_0() -> None:
    result = evaluated(Run(Case(output="identity", loss="squared_error")))
    assert result.hit_rate == 0 and result.loss > 0
