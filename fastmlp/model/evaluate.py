"""Outputs, losses and hits of a network on many rows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..kernels.buffers import Data, Objective
from ..kernels.evaluate import evaluate_rows
from .launch import launch
from .workspace import Workspace

# About 20 ms a launch on one core for the largest usual nets, so that Ctrl-C is answered at once.
_ROWS_AT_ONCE = 96 * 32


class Evaluation(NamedTuple):
    """What an evaluation found."""

    outputs: np.ndarray  # (n, n_outputs), or (0, n_outputs) if not asked for
    loss: float  # mean over the rows; NaN without targets
    hit_rate: float  # share of right predictions; 0 for regression


def evaluate(
    workspace: Workspace,
    data: Data,
    objective: Objective,
    threads: int,
    want_outputs: bool = False,
) -> Evaluation:
    """Run all rows of ``data.order`` forward.

    Parameters
    ----------
    workspace : Workspace
        Its buffers are overwritten, its optimizer state is not.
    data : Data
    objective : Objective
    threads : int
    want_outputs : bool, default False
    """
    n, n_outputs = data.order.size, workspace.network.layer_sizes[-1]
    outputs = np.empty((n if want_outputs else 0, n_outputs), workspace.network.dtype)
    losses, hits = np.zeros(n), np.zeros(n, np.int64)
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, n))
        launch(
            evaluate_rows, threads,
            workspace.net, workspace.work, data._replace(order=data.order[rows]),
            objective, workspace.block_rows,
            outputs[rows] if want_outputs else outputs, losses[rows], hits[rows],
        )  # fmt: skip
    has_targets = data.labels.size > 0 or data.targets.shape[0] > 0
    loss = float(losses.mean()) if has_targets else math.nan
    return Evaluation(outputs, loss, float(hits.mean()))
