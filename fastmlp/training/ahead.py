"""Epochs that are trained ahead of the loop, several in one launch.

An epoch of a small table takes some 40 us, and a launch as long again. So one launch trains as many
epochs as fit a slice and keeps the parameters and the optimizer's state after each. The loop then
takes one epoch after the other. If a callback or the schedule changes what the next epochs depend
on, they are trained again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.slices import Report
from ..model.memory import aligned_zeros
from ..model.workspace import Workspace
from .epoch_results import EpochResult

_MOST_EPOCHS = 256
_MOST_BYTES = 1 << 20  # of orders and of snapshots: for 4 MB, pages take 4 us an epoch


class Epochs:
    """Epochs that one launch has trained.

    Parameters
    ----------
    numbers : range
        Of the epochs.
    report : Report
        With the state after each epoch in ``snapshots``.
    results : list of EpochResult
        Of each epoch.
    """

    def __init__(self, numbers: range, report: Report, results: list[EpochResult]):
        self.numbers, self._all, self._results = numbers, report, results
        self._snapshots = report.snapshots.reshape(len(numbers), -1)

    def have_rates(self, epoch: int, rates: np.ndarray) -> bool:
        """Whether an epoch was trained with these learning rates."""
        return np.array_equal(rates, self._part(self._all.rates, epoch))

    def report(self, epoch: int) -> Report:
        """Return the part of the report that is an epoch's."""
        sums: dict[str, Any] = {
            name: self._part(getattr(self._all, name), epoch)
            for name in ("loss", "hits", "rows", "weight", "penalty", "rates")
        }
        return self._all._replace(**sums, snapshots=self._all.snapshots[:0])

    def result(self, epoch: int) -> EpochResult:
        """Return the result of an epoch."""
        return self._results[epoch - self.numbers.start]

    def snapshot(self, epoch: int) -> np.ndarray:
        """Return the parameters and the optimizer's state after an epoch."""
        found: np.ndarray = self._snapshots[epoch - self.numbers.start]
        return found

    def _part(self, array: np.ndarray, epoch: int) -> np.ndarray:
        size = len(array) // len(self.numbers)
        start = (epoch - self.numbers.start) * size
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
        self._taken: int | None = None  # an epoch whose weights the network does not hold yet
        self._restored: bytes | None = None  # the network's parameters, as they were restored

    def has(self, epoch: int) -> bool:
        """Whether an epoch has been trained from the present weights."""
        return (
            self.epochs is not None and epoch in self.epochs.numbers
            and self.holds_present_weights()
        )  # fmt: skip

    def include(self, epoch: int, rates: np.ndarray) -> bool:
        """Whether an epoch has been trained from the present weights with these rates.

        If not, all that have not been taken are dropped.
        """
        if self.epochs is None:
            return False
        if not self.holds_present_weights():
            self.most_epochs = 0  # a callback has changed them, and will change them again
        elif epoch in self.epochs.numbers and self.epochs.have_rates(epoch, rates):
            return True
        self.settle()
        self.epochs = None
        return False

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

    def take(self, epoch: int) -> EpochResult:
        """Make the state after an epoch the present one (see :meth:`settle`); return its result."""
        assert self.epochs is not None
        self._taken, self._restored = epoch, None
        return self.epochs.result(epoch)

    def settle(self) -> None:
        """Copy the state of the epoch that was taken last to the workspace and the network."""
        if self._taken is None:
            return
        assert self.epochs is not None
        self.restore(self.epochs.snapshot(self._taken))
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

    def later_params(self) -> Callable[[int], np.ndarray] | None:
        """Return a function that returns the parameters after an epoch, in rows.

        It is valid until the next launch. None if the network holds those of the present epoch.
        """
        return None if self._taken is None else self._params_after

    def _params_after(self, epoch: int) -> np.ndarray:
        assert self.epochs is not None
        params = self.epochs.snapshot(epoch)[: self._workspace.net.params.size]
        return self._workspace.in_rows(params)
