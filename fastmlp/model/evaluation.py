"""Outputs, losses and hits of a network on many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..kernels.buffers import Data, Objective
from ..kernels.steps.evaluation import evaluate_rows
from .launch import launch
from .workspace import Workspace

# Rows and multiply-adds of a launch: about 50 ms on one core, so that Ctrl-C is handled quickly.
_ROWS_AT_ONCE = 128 * 48
_WORK_AT_ONCE = 1e9


class Evaluation(NamedTuple):
    """The results of an evaluation."""

    outputs: np.ndarray  # (n, n_outputs), or (0, n_outputs) if not wanted
    loss: float  # mean over the rows; NaN without targets
    hits: np.ndarray  # int64 (n,): whether a prediction is right; 0 for regression
    of_models: Sequence[np.ndarray] = ()  # of an ensemble: the outputs of each network
    loss_error: float = math.nan  # standard error of the loss; NaN for a single row

    @property
    def hit_rate(self) -> float:
        """The share of right predictions."""
        return float(self.hits.mean())


def evaluate_network(
    workspace: Workspace,
    data: Data,
    objective: Objective,
    threads: int,
    want_outputs: bool = False,
    load: bool = True,
) -> Evaluation:
    """Evaluate all rows of ``data.order``.

    Parameters
    ----------
    workspace : Workspace
        Its buffers are overwritten, except the optimizer's state.
    data : Data
    objective : Objective
    threads : int
    want_outputs : bool, default False
    load : bool, default True
        Whether to copy the network's parameters to the workspace first.
    """
    if load:
        workspace.load()
    n, n_outputs = data.order.size, workspace.network.n_outputs
    outputs = np.empty((n if want_outputs else 0, n_outputs), workspace.network.dtype)
    losses, hits = np.zeros(n), np.zeros(n, np.int64)
    at_once = max(1, min(_ROWS_AT_ONCE, int(_WORK_AT_ONCE / workspace.network.row_work)))
    for start in range(0, n, at_once):
        rows = slice(start, min(start + at_once, n))
        launch(
            evaluate_rows, threads,
            workspace.net, workspace.work, workspace.list_scratch,
            data._replace(order=data.order[rows]), objective, workspace.block_rows,
            outputs[rows] if want_outputs else outputs, losses[rows], hits[rows],
        )  # fmt: skip
    has_targets = data.labels.size > 0 or data.targets.shape[0] > 0
    loss = float(losses.mean()) if has_targets else math.nan
    with np.errstate(over="ignore", invalid="ignore"):  # losses of a diverged run
        error = float(losses.std(ddof=1) / math.sqrt(n)) if has_targets and n > 1 else math.nan
    return Evaluation(outputs, loss, hits, loss_error=error)
