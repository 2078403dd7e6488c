"""Epochs that are trained ahead of the loop, several in one launch.

An epoch of a small table takes some 40 us, and a launch as long again. So one launch trains as many
epochs as fit a slice and keeps the parameters and the optimizer's state after each. The loop then
takes one epoch after the other. If a callback or the schedule changes what the next epochs depend
on, they are trained again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..kernels.slices import Report
from ..model.memory import aligned_zeros
from ..model.workspace import Workspace
from .epoch_results import EpochResult, Penalty, results_of

_MOST_EPOCHS = 256
_MOST_BYTES = 1 << 20  # of orders and of snapshots: for 4 MB, pages take 4 us an epoch


class Epochs:
    """Epochs that one launch has trained.

    Parameters
    ----------
    first, count : int
        Number of the first epoch, and the number of epochs.
    report : Report
        With the state after each epoch in ``snapshots``.
    """

    def __init__(self, first: int, count: int, report: Report):
        self._first, self._count, self._all = first, count, report
        self._snapshots = report.snapshots.reshape(count, -1)
        self._results: list[EpochResult] = []

    def include(self, epoch: int, rates: np.ndarray) -> bool:
        """Whether an epoch has been trained, with these learning rates."""
        is_here = 0 <= epoch - self._first < self._count
        return is_here and self._part(self._all.rates, epoch).tobytes() == rates.tobytes()

    def report(self, epoch: int) -> Report:
        """Return the report of one epoch."""
        sums = ("loss", "hits", "rows", "weight", "penalty", "rates")
        parts: dict[str, Any] = {name: self._part(getattr(self._all, name), epoch) for name in sums}
        return self._all._replace(**parts, snapshots=self._all.snapshots[:0])

    def result(
        self, epoch: int, n_params: int, n_weights: int, penalty: Penalty, loss_divisor: float
    ) -> EpochResult:
        """Return the result of one epoch; further parameters as for :func:`results_of`."""
        if not self._results:
            params = self._snapshots[:, :n_params]
            self._results = results_of(self._all, params, n_weights, penalty, loss_divisor)
        return self._results[epoch - self._first]

    def snapshot(self, epoch: int) -> np.ndarray:
        """Return the parameters and the optimizer's state after an epoch."""
        found: np.ndarray = self._snapshots[epoch - self._first]
        return found

    def _part(self, array: np.ndarray, epoch: int) -> np.ndarray:
        size = len(array) // self._count
        start = (epoch - self._first) * size
        return array[start : start + size]


class Ahead:
    """The epochs trained ahead, and whether the loop can still take them.

    Parameters
    ----------
    workspace : Workspace
    n_rows : int
        Of an epoch.
    is_possible : bool
        False: no epoch is trained ahead.
    """

    def __init__(self, workspace: Workspace, n_rows: int, is_possible: bool):
        self._workspace = workspace
        size = workspace.net.params.nbytes + workspace.work.state.nbytes
        most = min(_MOST_EPOCHS, _MOST_BYTES // max(size, 8 * n_rows))
        self.most_epochs = most if is_possible else 0
        self.epochs: Epochs | None = None
        self._snapshots = aligned_zeros(0, workspace.net.params.dtype)
        self._taken: np.ndarray | None = None  # a snapshot that the network does not hold yet
        self._restored: bytes | None = None  # the network's parameters, as they were restored

    def include(self, epoch: int, rates: np.ndarray) -> bool:
        """Whether an epoch has been trained, from the present weights with these rates."""
        if self.epochs is None:
            return False
        if not self.holds_present_weights():
            self.most_epochs = 0  # a callback has changed them, and will change them again
            self.epochs = None
        elif not self.epochs.include(epoch, rates):
            self.epochs = None
        return self.epochs is not None

    def holds_present_weights(self) -> bool:
        """Whether the weights are those of the epoch that was taken last."""
        if self.epochs is None or self._restored is None:
            return self.epochs is not None
        return self._workspace.network.params.tobytes() == self._restored

    def new_snapshots(self, epochs: int) -> np.ndarray:
        """Return a buffer for the state after each of several epochs, valid until the next call."""
        params, state = self._workspace.net.params, self._workspace.work.state
        size = epochs * (params.size + state.size)
        if size > self._snapshots.size:
            self._snapshots = aligned_zeros(size, params.dtype)
        return self._snapshots[:size]

    def take(self, epoch: int) -> None:
        """Make the state after an epoch the present one; see :meth:`settle`."""
        assert self.epochs is not None
        self._taken, self._restored = self.epochs.snapshot(epoch), None

    def settle(self) -> None:
        """Copy the state of the epoch that was taken last to the workspace and the network."""
        if self._taken is None:
            return
        self.restore(self._taken)
        self._taken = None
        self._restored = self._workspace.network.params.tobytes()

    def snapshot(self) -> np.ndarray:
        """Return a copy of the state in the workspace."""
        return np.concatenate((self._workspace.net.params, self._workspace.work.state))

    def restore(self, snapshot: np.ndarray) -> None:
        """Copy a state to the workspace and the network."""
        params, state = self._workspace.net.params, self._workspace.work.state
        params[:] = snapshot[: params.size]
        state[:] = snapshot[params.size :]
        self._workspace.store()

    def params(self) -> Callable[[], np.ndarray] | None:
        """Return a function that returns the parameters of the epoch taken last, in rows.

        None if the network holds them.
        """
        if self._taken is None:
            return None
        params = self._taken[: self._workspace.net.params.size].copy()
        return partial(self._workspace.in_rows, params)
