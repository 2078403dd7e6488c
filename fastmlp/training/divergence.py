"""Divergence: losses and weights that are not finite, and losses above a limit."""

from __future__ import annotations

import math

from ..base.errors import DivergenceError
from ..ops.activations import ACTIVATIONS
from .epoch_results import EpochResult
from .run import Run
from .stopping import BestWeights

# Rows of the training part for the loss before training; all validation rows are included, because
# scaling is not fitted on them: a single outlier can make their loss a million.
_INITIAL_ROWS = 1024


class DivergenceCheck:
    """Raises DivergenceError when a run has diverged.

    Parameters
    ----------
    run : Run
    best : BestWeights
        For error messages.

    Attributes
    ----------
    limit : float
        Losses above it count as diverged; infinite until :meth:`measure_limit` is called.
    """

    def __init__(self, run: Run, best: BestWeights):
        self.run, self.best = run, best
        self.limit = math.inf

    def measure_limit(self) -> None:
        """Set the limit to a multiple of the loss before training, or of 1 if that is larger.

        Resuming from a near-perfect fit can raise the loss sharply at first, for example with Adam,
        whose first updates do not shrink with the gradient.
        """
        run = self.run
        if run.config.loss_limit:
            initial = run.evaluate(run.prepared.train, rows=_INITIAL_ROWS)
            validation = run.evaluate(run.prepared.validation)
            losses = [found.loss for found in (initial, validation) if found is not None]
            self.limit = run.config.loss_limit * max(1.0, *losses)

    def check_loss(self, loss: float, part: str) -> None:
        """Check the loss of the training or the validation part."""
        if not math.isfinite(loss):
            raise self._error(f"the {part} loss became {loss}")
        if loss > self.limit:
            raise self._error(f"the {part} loss rose to {loss:.3g}")

    def check_weights(self, result: EpochResult) -> None:
        """Check that all parameters are finite after an epoch."""
        if not result.is_finite:
            raise self._error("a weight is no longer finite")

    def _error(self, what: str) -> DivergenceError:
        run, epoch = self.run, self.best.epoch
        kept = "the initial weights" if epoch is None else f"the weights of epoch {epoch}"
        targets = ""
        if not run.task.has_accuracy:
            targets = " and the targets (target_scale)"
            output = ACTIVATIONS.parse(run.config.output_activation)
            if not output.reaches_all_numbers:  # which target_scale needs
                targets = ", or divide the targets by a constant"
        return DivergenceError(
            f"training diverged in epoch {run.epoch}: {what}; lower learning_rate (now "
            f"{run.steps.report.rates[0]:g}), or scale the features{targets}; kept {kept}"
        )
