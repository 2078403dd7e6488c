"""Slices of epochs: launches of the compiled step."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from ..base.random import Purpose, key
from ..kernels.buffers import Data, Objective
from ..kernels.machine.phases import WAIT
from ..kernels.slices import Report, Slice
from ..kernels.steps.general_step import train_batches
from ..kernels.steps.sample_step import train_samples
from ..model.functions import penalties_address, with_update
from ..model.launch import launch
from ..model.network import Network
from ..model.workspace import Workspace
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig
from .plan import Plan
from .step_seconds import StepSeconds
from .team_size import TeamSize
from .turns import Turn


class Slices:
    """Launches the step of a plan.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    plan : Plan
    network : Network
        Its parameters are overwritten.
    data : Data
        The training part.
    notes_penalty : bool
        Whether reports contain the penalty before each update.

    Attributes
    ----------
    workspace : Workspace
    seconds : StepSeconds
    turn : Turn
        Limits the threads.
    steps_per_epoch, blocks_per_batch : int
    """

    def __init__(
        self, config: TrainConfig, plan: Plan, network: Network, data: Data, notes_penalty: bool
    ):
        self.plan, self.data, self._seed = plan, data, config.seed
        self._is_per_sample = plan.step == "per_sample"
        self._worker = train_samples if self._is_per_sample else train_batches
        self.workspace = Workspace(
            network,
            plan.block_rows,
            OPTIMIZERS.parse(config.optimizer).state_buffers,
            per_sample=self._is_per_sample,
            sparse=data.sparse,
        )
        self.workspace.net.rate_factors[1::2] *= config.bias_lr_factor
        self._has_dropout = bool(self.workspace.net.layer_parameters.any())
        self._note_penalties = penalties_address(network.dtype) if notes_penalty else 0
        self.steps_per_epoch = -(-len(data.X) // plan.batch_size)
        self.blocks_per_batch = -(-plan.batch_size // plan.block_rows)
        self.seconds = StepSeconds(self.workspace)
        self._team_size, self.turn = TeamSize(plan.threads), Turn(plan.threads)

    def compile(self, objective: Objective) -> None:
        """Compile the step, or load it from disk, by training on no rows."""
        report = self.new_report(np.zeros(self.steps_per_epoch))
        self._launch(self._slice((0, 0), [0], 0), self.data.order, objective, report)
        if not self._is_per_sample:
            self.seconds.start_clock()

    def new_report(self, rates: np.ndarray, snapshots: np.ndarray | None = None) -> Report:
        """Return a report for updates with these learning rates."""
        steps = len(rates)
        return Report(
            loss=np.zeros(steps),
            hits=np.zeros(steps, np.int64),
            rows=np.zeros(steps, np.int64),
            weight=np.zeros(steps),
            penalty=np.zeros(steps if self._note_penalties else 0),
            rates=rates,
            snapshots=self.workspace.net.params[:0] if snapshots is None else snapshots,
            note_penalties=self._note_penalties,
        )

    def train(
        self,
        blocks: tuple[int, int],
        epochs: Sequence[int],
        steps_before: int,
        order: np.ndarray,
        objective: Objective,
        report: Report,
    ) -> tuple[float, float]:
        """Train on blocks (first, last) of one or several epochs.

        Returns
        -------
        tuple of float
            The seconds of training, and those of copying weights.
        """
        part = self._slice(blocks, epochs, steps_before)
        started = time.perf_counter()
        self.workspace.load()  # a callback may have changed the weights
        loaded = time.perf_counter()
        try:
            self._launch(part, order, objective, report)
        finally:  # KeyboardInterrupt is raised when the kernel returns, after its work
            launched = time.perf_counter()
            self.workspace.store()
            elapsed = time.perf_counter() - started
            self.seconds.total += elapsed
        return launched - loaded, elapsed - (launched - loaded)

    def _slice(self, blocks: tuple[int, int], epochs: Sequence[int], steps_before: int) -> Slice:
        keys = [np.zeros(2 * len(epochs), np.uint64)]
        if self._has_dropout:
            keys = [key(self._seed, Purpose.DROPOUT, epoch) for epoch in epochs]
        return Slice(
            *blocks,
            self.plan.batch_size,
            self.plan.block_rows,
            self.blocks_per_batch,
            len(self.data.X),
            self.steps_per_epoch,
            steps_before,
            np.concatenate(keys),
        )

    def _launch(self, part: Slice, order: np.ndarray, objective: Objective, report: Report) -> None:
        data = self.data._replace(order=order)
        workspace, samples = self.workspace, self.workspace.samples
        if samples is None:
            workspace.net = with_update(workspace.net, objective, self.blocks_per_batch)
        scratch = () if samples is None else (samples,)
        net, work = workspace.net, workspace.work
        before = work.phases.copy()
        threads = min(self._team_size.threads, self.turn.threads)
        started = time.perf_counter()
        launch(self._worker, threads, *scratch, net, work, data, objective, part, report)
        seconds, spent = time.perf_counter() - started, work.phases - before
        waited = float(spent[WAIT] / max(1, spent.sum()))
        self._team_size.count(part.last - part.first, seconds, waited)
