"""Which compiled step a run takes: one pure function of the settings and a few facts of the data.

Never by timing at run time, so that the same settings give the same bits on a busy machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model.workspace import BLOCK_ROWS
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig

# A member updates its own rows of every W, which all others then read. On two cores, 784-128-64-10:
# at 32 rows an update a team of two takes 1.6 times as long as one thread, at 128 the same, at 256
# three quarters. Owning units in place of rows would keep the weights where they are.
TEAM_ROWS = 256


@dataclass(frozen=True)
class Plan:
    """How the steps of a run are carried out.

    Attributes
    ----------
    step : {"per_sample", "general"}
    batch_size : int
        Rows of an update.
    block_rows : int
        Rows that go through the network at once.
    threads : int
        At most how many threads share a step.
    reasons : tuple of str
    """

    step: str
    batch_size: int
    block_rows: int
    threads: int
    reasons: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the plan as ``--explain`` prints it."""
        return [
            f"step: {self.step}; {self.batch_size} rows an update, {self.block_rows} at once; "
            f"threads: {self.threads}",
            *(f"  because {reason}" for reason in self.reasons),
        ]


def plan(config: TrainConfig, n_train: int, threads: int) -> Plan:
    """Choose the step.

    Parameters
    ----------
    config : TrainConfig
    n_train : int
        Training rows.
    threads : int
        How many threads may be used.
    """
    reasons: tuple[str, ...]
    if config.mode == "stochastic":
        why_not = _needs_general_step(config)
        if why_not:
            reasons = (f"mode is stochastic, but {why_not}",)
            return Plan("general", 1, 1, 1, (*reasons, "one row gives a team nothing to share"))
        reasons = ("mode is stochastic and plain SGD changes only weights of non-zero inputs",)
        return Plan("per_sample", 1, 1, 1, reasons)
    batch_size = n_train if config.mode == "batch" else min(config.batch_size, n_train)
    if config.accumulate:
        reasons = ("accumulate takes samples one at a time, which gives a team nothing to share",)
        return Plan("general", batch_size, 1, 1, reasons)
    reasons = (f"mode is {config.mode}",)
    if batch_size < TEAM_ROWS and threads > 1:
        threads = 1
        reasons += (
            f"updates of fewer than {TEAM_ROWS} rows gain nothing from more threads: after each, "
            "the weights travel between the cores",
        )
    return Plan("general", batch_size, min(batch_size, BLOCK_ROWS), threads, reasons)


def _needs_general_step(config: TrainConfig) -> str:
    """Say why the per-sample step cannot do it; empty if it can."""
    if OPTIMIZERS.parse(config.optimizer).state_buffers:
        return f"optimizer {config.optimizer} changes every weight at every update"
    if config.l1 or config.l2:
        return "the penalty changes every weight at every update"
    if config.max_norm:
        return "max_norm looks at every weight after every update"
    if config.clip_norm or config.clip_value:
        return "clipping needs the whole gradient before the update"
    if config.dropout_rates:
        return "dropout needs inputs and outputs of a layer apart"
    return ""
