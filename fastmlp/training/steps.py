"""The updates of an epoch, in slices short enough to show progress and to handle Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

import numpy as np

from ..kernels.buffers import Data, Objective
from ..kernels.slices import Report
from ..kernels.steps.deferred import SETTLED
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK
from ..model.network import Network
from .ahead import Ahead, Epochs
from .config import TrainConfig
from .epoch_results import EpochResult, Penalty, results_of
from .orders import Orders
from .plan import Plan
from .regularisation import dropout_of, is_constant, with_decay_of
from .slice_length import SliceLength
from .slices import Slices
from .turns import Turn


class Steps:
    """Performs the updates of a run according to its plan.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    plan : Plan
    network : Network
        Its parameters are overwritten.
    data : Data
        The training part.
    objective : Objective
    notes_penalty : bool, default False
        Whether the report contains the penalty before each update.

    Attributes
    ----------
    seconds : StepSeconds
    iterations : int
        Updates done since the start of the run.
    orders : Orders
    rates_of : callable or None
        Returns the learning rates of the updates of ``count`` epochs, given the first one's number
        and ``count``. With it epochs are trained ahead, and :meth:`advance` does whole epochs only.
    last_epoch : int
        The last epoch that may be trained ahead.
    loss_divisor : float
        Divisor of the loss in the objective of an epoch's result.
    """

    def __init__(
        self,
        config: TrainConfig,
        plan: Plan,
        network: Network,
        data: Data,
        objective: Objective,
        notes_penalty: bool = False,
    ):
        self.config, self.plan, self.data, self.objective = config, plan, data, objective
        self._slices = Slices(config, plan, network, data, notes_penalty)
        self.workspace, self.seconds = self._slices.workspace, self._slices.seconds
        self._dropout = self.workspace.net.layer_parameters.copy()
        self.n_rows = len(data.X)
        self.orders = Orders(config, data)
        self.rates_of: Callable[[int, int], np.ndarray] | None = None
        self.last_epoch, self.loss_divisor = 0, 1.0
        self.steps_per_epoch = self._slices.steps_per_epoch
        self.blocks_per_batch = self._slices.blocks_per_batch
        self.blocks_per_epoch = self.steps_per_epoch * self.blocks_per_batch
        samples = self.workspace.samples
        # Where updates are deferred, slices end where they are settled.
        grain = 1
        if samples is not None and samples.block.forward != 0:
            grain = SAMPLE_BLOCK
        if samples is not None and (objective.l2 != 0.0 or data.sparse.shift.size > 0):
            grain = SETTLED
        self._slice_length = SliceLength(3 * network.row_work * plan.block_rows, grain)
        self._varies = not is_constant(config)
        self._ahead = Ahead(
            self.workspace, self.n_rows, plan.step != "per_sample" and not self._varies
        )
        self.penalty = _penalty(config, plan, data)
        self.iterations, self._steps_before = 0, 0
        self._epoch, self._block = 0, 0
        self._last_slice, self._all_steps = slice(0, 1), slice(0, self.steps_per_epoch)
        self._order = data.order
        self._report: Report | None = self._slices.new_report(np.zeros(self.steps_per_epoch))
        self._result: EpochResult | None = None

    @property
    def turn(self) -> Turn:
        """The turn of the run."""
        return self._slices.turn

    @turn.setter
    def turn(self, turn: Turn) -> None:
        self._slices.turn = turn

    def compile(self) -> None:
        """Compile the step, or load it from disk, by training on no rows."""
        self._slices.compile(self.objective)

    def start_epoch(self, epoch: int, rates: np.ndarray) -> None:
        """Draw the order of epoch number ``epoch`` (from 1) and set its updates' learning rates."""
        started = time.perf_counter()
        self._epoch, self._block = epoch, 0
        self._steps_before = self.iterations
        self._last_slice = slice(0, 1)
        self._result = None
        if not self._ahead.include(epoch, rates):
            (self._order,) = self.orders.of((epoch,))
            if self._varies:
                dropout = dropout_of(self.config, epoch, self._dropout)
                self.workspace.net.layer_parameters[:] = dropout
                self.objective = with_decay_of(self.config, epoch, self.objective)
            self._report = self._slices.new_report(rates)
        self.seconds.total += time.perf_counter() - started

    def take(self, epoch: int) -> EpochResult | None:
        """Do an epoch that was trained ahead, with the rates that it was trained with.

        Returns
        -------
        EpochResult or None
            None if there is none from the present weights: it must be started.
        """
        if not self._ahead.has(epoch):
            return None
        self._epoch, self._steps_before = epoch, self.iterations
        self._result = self._take_trained()
        return self._result

    def _take_trained(self) -> EpochResult:
        """Make the state after this epoch, which was trained ahead, the present one."""
        self._report = None
        self._block, self._last_slice = self.blocks_per_epoch, self._all_steps
        self.iterations = self._steps_before + self.steps_per_epoch
        return self._ahead.take(self._epoch)

    def state(self, block: int) -> dict[str, np.ndarray]:
        """Return views of the state of the run, ``block`` blocks into an epoch.

        It includes the network's parameters. No updates are deferred between slices.
        """
        self.settle()
        work, report = self.workspace.work, self.report
        begun = -(-block // self.blocks_per_batch)
        within = None if block % self.blocks_per_batch else 0  # a batch sums gradients
        return {
            "params": self.workspace.network.params,
            "optimizer": work.state,
            "gradients": work.grads[:within],
            "group_penalties": work.group_penalties[:within],
            "loss": report.loss[:begun],
            "hits": report.hits[:begun],
            "rows": report.rows[:begun],
            "weight": report.weight[:begun],
            "penalty": report.penalty[:begun],
        }

    def resume_epoch(
        self, epoch: int, rates: np.ndarray, block: int, state: Mapping[str, np.ndarray]
    ) -> None:
        """Resume an epoch from :meth:`state`; other parameters as for :meth:`start_epoch`."""
        self.iterations = (epoch - 1) * self.steps_per_epoch
        self.start_epoch(epoch, rates)
        for name, view in self.state(block).items():
            view[...] = state[name]
        self._block = block
        self._last_slice = slice(0, max(1, -(-block // self.blocks_per_batch)))
        self.iterations += self.steps_done

    @property
    def blocks_done(self) -> int:
        """Blocks done in this epoch."""
        return self._block

    @property
    def report(self) -> Report:
        """The sums of this epoch's updates."""
        if self._report is None:
            assert self._ahead.epochs is not None
            self._report = self._ahead.epochs.report(self._epoch)
        return self._report

    def settle(self) -> None:
        """Copy the weights of an epoch that was trained ahead to the network."""
        self._ahead.settle()

    def later_params(self) -> Callable[[int], np.ndarray] | None:
        """Return a function that returns the parameters after an epoch, until the next launch.

        None if the network holds those of this epoch.
        """
        return self._ahead.later_params()

    def advance(self, last_step: int | None = None) -> None:
        """Do the next slice of the epoch, at most up to update ``last_step`` of the epoch."""
        last_step = self.steps_per_epoch if last_step is None else last_step
        if self._block == 0 and last_step == self.steps_per_epoch and self._take():
            return
        last = self._slice_length.end(self._block)
        is_whole = last <= last_step * self.blocks_per_batch
        last = min(last, last_step * self.blocks_per_batch)
        first_step = self._block // self.blocks_per_batch
        self._last_slice = slice(first_step, max(first_step + 1, -(-last // self.blocks_per_batch)))
        times = self._slices.train(
            (self._block, last), [self._epoch], self._steps_before,
            self._order, self.objective, self.report,
        )  # fmt: skip
        self._slice_length.observe(last - self._block, *times, is_whole)
        self._block = last
        self.iterations = self._steps_before + self.steps_done

    def _take(self) -> bool:
        """Do this epoch by taking the result of training it ahead, if it fits a slice."""
        if self._ahead.epochs is None and not self._train_ahead():
            return False
        self._take_trained()
        return True

    def _train_ahead(self) -> bool:
        """Train this epoch and more in one launch; return False if one epoch fills a slice."""
        first, blocks, rates_of = self._epoch, self.blocks_per_epoch, self.rates_of
        left = self.last_epoch - first + 1
        count = min(self._slice_length.blocks // blocks, self._ahead.most_epochs, left)
        if count < 2 or rates_of is None:
            return False
        epochs = range(first, first + count)
        order = np.concatenate(self.orders.of(epochs))
        report = self._slices.new_report(rates_of(first, count), self._ahead.new_snapshots(count))
        self.workspace.load()
        before = self._ahead.snapshot()
        try:
            times = self._slices.train(
                (0, count * blocks), epochs, self._steps_before, order,
                self.objective, report,
            )  # fmt: skip
        except BaseException:  # Ctrl-C: no epoch has been taken
            self._ahead.restore(before)
            raise
        self._slice_length.observe(count * blocks, *times)
        params = report.snapshots.reshape(count, -1)[:, : self.workspace.net.params.size]
        self._ahead.epochs = Epochs(epochs, report, self._results_of(report, params))
        return True

    @property
    def steps_done(self) -> int:
        """Updates done in this epoch."""
        return self._block // self.blocks_per_batch

    @property
    def rows_done(self) -> int:
        """Rows done in this epoch, as counted by the kernel: correct after Ctrl-C, too."""
        return int(self.report.rows.sum())

    @property
    def epoch_is_done(self) -> bool:
        """Whether every row of the epoch has been used."""
        return self._block >= self.blocks_per_epoch

    def result(self) -> EpochResult:
        """Return the result of this epoch, which must be done, with the present weights."""
        if self._result is None and self._ahead.holds_present_weights():
            assert self._ahead.epochs is not None
            return self._ahead.epochs.result(self._epoch)
        if self._result is None:
            self.workspace.load()
            (self._result,) = self._results_of(self.report, self.workspace.net.params[None])
        return self._result

    def _results_of(self, report: Report, params: np.ndarray) -> list[EpochResult]:
        n_weights = self.workspace.network.flat_weights.size
        return results_of(report, params, n_weights, self.penalty, self.loss_divisor)

    def mean_loss(self, first_step: int = 0) -> float:
        """Return the weighted mean loss of rows since update ``first_step`` of the epoch."""
        return self._mean(self.report.loss, self.report.weight, first_step)

    def hit_rate(self, first_step: int = 0) -> float:
        """Return the fraction of right predictions since update ``first_step`` of the epoch."""
        return self._mean(self.report.hits, self.report.rows, first_step)

    def worst_step_loss(self) -> float:
        """Return the largest loss per row of any update of the last slice; NaN if one is NaN."""
        if self._report is None:  # the slice is the epoch
            return self.result().worst_loss
        loss, weight = self.report.loss[self._last_slice], self.report.weight[self._last_slice]
        return float((loss / np.where(weight > 0, weight, 1.0)).max())

    def _mean(self, sums: np.ndarray, counts: np.ndarray, first_step: int) -> float:
        """Return the mean since update ``first_step``; NaN where nothing was counted."""
        done = slice(first_step, self._last_slice.stop)
        count = float(counts[done].sum())
        return float(sums[done].sum()) / count if count else math.nan


def _penalty(config: TrainConfig, plan: Plan, data: Data) -> Penalty:
    """Return the penalties of a full batch."""
    if not config.penalty_per_row:
        return Penalty(config.l1, config.l2, 1.0)
    weight = float(data.weights.mean()) if data.weights.size else 1.0
    return Penalty(config.l1, config.l2, plan.batch_size * weight)
