"""The updates of an epoch, in slices short enough to show progress and to handle Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..base.random import Purpose, key
from ..kernels.buffers import Data, Objective, Report, Slice
from ..kernels.machine.phases import PARTS_OF_LAYER, WAIT
from ..kernels.steps.deferred import SETTLED
from ..kernels.steps.general_step import train_batches
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK
from ..kernels.steps.sample_step import train_samples
from ..model.functions import penalties_address, with_update
from ..model.launch import launch
from ..model.network import Network
from ..model.workspace import Workspace
from ..ops.optimizers import OPTIMIZERS
from .checkpoint import checked_number
from .config import TrainConfig
from .layer_seconds import checked, of_layers
from .orders import draw_order
from .phase_clock import PhaseClock
from .plan import Plan
from .regularisation import dropout_of, with_decay_of
from .team_size import TeamSize
from .turns import Turn

_SLICE_SECONDS = 0.04
# All weights are copied before and after a slice. With 10^8 weights this takes longer than a slice;
# slices are then longer, too, but not so long that Ctrl-C waits for half a second.
_SLICE_COPIES = 4
_LONGEST_SLICE_SECONDS = 0.4
_FIRST_SLICE = 8  # blocks, fewer for a large network; later slices follow the clock
_FIRST_WORK = 5e8  # multiply-adds


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
    seconds : float
        Wall time spent in updates so far: shuffling, batch assembly and stepping.
    iterations : int
        Updates done since the start of the run.
    order_of : callable or None
        Returns the rows of an epoch, given its number, in the order of their use; None: the order
        of the config.
    turn : Turn
        Of the run: limits the threads of a slice.
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
        state_buffers = OPTIMIZERS.parse(config.optimizer).state_buffers
        self.workspace = Workspace(
            network,
            plan.block_rows,
            state_buffers,
            per_sample=plan.step == "per_sample",
            sparse=data.sparse,
        )
        self.workspace.net.rate_factors[1::2] *= config.bias_lr_factor
        self._dropout = self.workspace.net.layer_parameters.copy()
        self.n_rows = len(data.X)
        self.order_of: Callable[[int], np.ndarray] | None = None
        self._notes_penalty = notes_penalty
        self.steps_per_epoch = -(-self.n_rows // plan.batch_size)
        self.blocks_per_batch = -(-plan.batch_size // plan.block_rows)
        samples = self.workspace.samples
        # Slices end after multiples of this number of blocks, so that bits do not depend on the
        # clock.
        self._grain = 1
        if samples is not None and samples.block.forward != 0:
            self._grain = SAMPLE_BLOCK
        if samples is not None and (objective.l2 != 0.0 or data.sparse.shift.size > 0):
            self._grain = SETTLED
        self._team_size, self.turn = TeamSize(plan.threads), Turn(plan.threads)
        work_of_block = 3 * network.row_work * plan.block_rows
        self._blocks_at_once = max(1, min(_FIRST_SLICE, int(_FIRST_WORK / work_of_block)))
        self._order = data.order
        self.seconds, self.iterations = 0.0, 0
        self._phases_before: dict[str, float] = {}
        self._layers_before: np.ndarray = np.zeros((len(network.layers), len(PARTS_OF_LAYER)))
        self._clock: PhaseClock | None = None
        self._steps_before = 0
        self._block = 0
        self._last_slice = slice(0, 1)
        self._dropout_key = key(config.seed, Purpose.DROPOUT)
        self.report = self._new_report(np.zeros(self.steps_per_epoch))

    @property
    def _worker(self) -> Any:
        return train_samples if self.plan.step == "per_sample" else train_batches

    def compile(self) -> None:
        """Compile the step, or load it from disk, by training on no rows."""
        self._launch(0, 0)
        if self.plan.step != "per_sample":
            self._clock = PhaseClock()

    def phase_seconds(self) -> dict[str, float]:
        """Return the part of ``seconds`` that each phase of the steps took since :meth:`compile`.

        Empty for the per-sample step, which is one loop, and on machines without a counter.
        """
        now = {} if self._clock is None else self._clock.seconds(self.workspace.work.phases)
        before = self._phases_before
        return {name: before.get(name, 0.0) + now.get(name, 0.0) for name in {**before, **now}}

    def layer_seconds(self) -> np.ndarray:
        """Return the seconds of forward, backward and update of each layer since :meth:`compile`.

        0 where :meth:`phase_seconds` is empty.
        """
        if self._clock is None:
            return self._layers_before
        workspace = self.workspace
        ticks = of_layers(workspace.network, workspace.work.layer_ticks)
        seconds: np.ndarray = self._layers_before + self._clock.durations(ticks)
        return seconds

    def seconds_state(self) -> dict[str, Any]:
        """Return the times of the run so far, for :meth:`load_seconds` in a later process."""
        layers = self.layer_seconds().tolist()
        return {"step": self.seconds, "phases": self.phase_seconds(), "layers": layers}

    def load_seconds(self, state: dict[str, Any]) -> None:
        """Restore times of :meth:`seconds_state`; ValueError if the state is invalid."""
        self.seconds = checked_number(state["step"])
        phases = state["phases"].items() if isinstance(state["phases"], dict) else ()
        self._phases_before = {name: checked_number(value) for name, value in phases}
        self._layers_before = checked(state["layers"], self.workspace.network)

    def start_epoch(self, epoch: int, rates: np.ndarray) -> None:
        """Draw the order of epoch number ``epoch`` (from 1) and set its updates' learning rates."""
        started = time.perf_counter()
        own = self.order_of
        self._order = draw_order(self.config, self.data, epoch) if own is None else own(epoch)
        self._dropout_key = key(self.config.seed, Purpose.DROPOUT, epoch)
        self.workspace.net.layer_parameters[:] = dropout_of(self.config, epoch, self._dropout)
        self.objective = with_decay_of(self.config, epoch, self.objective)
        self.report = self._new_report(rates)
        self._block = 0
        self._last_slice = slice(0, 1)
        self._steps_before = self.iterations
        self.seconds += time.perf_counter() - started

    def state(self, block: int) -> dict[str, np.ndarray]:
        """Return views of the state of the run, ``block`` blocks into an epoch.

        It includes the network's parameters. No updates are deferred between slices.
        """
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
    def blocks_per_epoch(self) -> int:
        """Blocks of an epoch."""
        return self.steps_per_epoch * self.blocks_per_batch

    def advance(self, last_step: int | None = None) -> None:
        """Do the next slice of the epoch, at most up to update ``last_step`` of the epoch."""
        last_step = self.steps_per_epoch if last_step is None else last_step
        grain = self._grain
        last = (self._block // grain + max(1, self._blocks_at_once // grain)) * grain
        is_whole = last <= last_step * self.blocks_per_batch
        last = min(last, last_step * self.blocks_per_batch)
        first_step = self._block // self.blocks_per_batch
        self._last_slice = slice(first_step, max(first_step + 1, -(-last // self.blocks_per_batch)))
        started = time.perf_counter()
        self.workspace.load()  # a callback may have changed the weights
        loaded = time.perf_counter()
        try:
            self._launch(self._block, last)
        finally:  # KeyboardInterrupt is raised when the kernel returns, after its work
            launched = time.perf_counter()
            self.workspace.store()
            elapsed = time.perf_counter() - started
            self.seconds += elapsed
        if is_whole:
            stepping = launched - loaded
            wanted = min(_SLICE_COPIES * (elapsed - stepping), _LONGEST_SLICE_SECONDS)
            ratio = min(max(max(wanted, _SLICE_SECONDS) / max(stepping, 1e-9), 0.25), 4.0)
            self._blocks_at_once = max(1, int((last - self._block) * ratio))
        self._block = last
        self.iterations = self._steps_before + self.steps_done

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

    def mean_loss(self, first_step: int = 0) -> float:
        """Return the weighted mean loss of rows since update ``first_step`` of the epoch."""
        return self._mean(self.report.loss, self.report.weight, first_step)

    def hit_rate(self, first_step: int = 0) -> float:
        """Return the fraction of right predictions since update ``first_step`` of the epoch."""
        return self._mean(self.report.hits, self.report.rows, first_step)

    def worst_step_loss(self) -> float:
        """Return the largest loss per row of any update of the last slice; NaN if one is NaN."""
        loss, weight = self.report.loss[self._last_slice], self.report.weight[self._last_slice]
        return float((loss / np.where(weight > 0, weight, 1.0)).max())

    def _mean(self, sums: np.ndarray, counts: np.ndarray, first_step: int) -> float:
        """Return the mean since update ``first_step``; NaN where nothing was counted."""
        done = slice(first_step, self._last_slice.stop)
        count = float(counts[done].sum())
        return float(sums[done].sum()) / count if count else math.nan

    def _new_report(self, rates: np.ndarray) -> Report:
        steps = self.steps_per_epoch
        return Report(
            loss=np.zeros(steps),
            hits=np.zeros(steps, np.int64),
            rows=np.zeros(steps, np.int64),
            weight=np.zeros(steps),
            penalty=np.zeros(steps if self._notes_penalty else 0),
            rates=rates,
            note_penalties=penalties_address(self.workspace.network.dtype)
            if self._notes_penalty
            else 0,
        )

    def _launch(self, first: int, last: int) -> None:
        phases = self.workspace.work.phases
        before = phases.copy()
        threads = min(self._team_size.threads, self.turn.threads)
        launch(self._worker, threads, *self._arguments(first, last))
        spent = phases - before
        self._team_size.count(spent[WAIT] / max(1, spent.sum()))

    def _arguments(self, first: int, last: int) -> tuple[Any, ...]:
        """Return the worker's arguments for blocks ``first`` to ``last``."""
        part = Slice(
            first,
            last,
            self.plan.batch_size,
            self.plan.block_rows,
            self.blocks_per_batch,
            self._steps_before,
            self._dropout_key,
        )
        data = self.data._replace(order=self._order)
        workspace, samples = self.workspace, self.workspace.samples
        if samples is None:
            workspace.net = with_update(workspace.net, self.objective, self.blocks_per_batch)
        scratch = () if samples is None else (samples,)
        return (*scratch, workspace.net, workspace.work, data, self.objective, part, self.report)
