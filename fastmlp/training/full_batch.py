"""Loss and gradient of all rows as a function of the parameters, for other optimizers."""

from __future__ import annotations

import math

import numpy as np

from ..base.errors import DataError
from .run import Run

# Above it a loss, or the square of its gradient, may overflow float64.
_LARGEST = 1e290


class LossAndGradient:
    """The objective of a run in batch mode, penalty included, and its gradient.

    Parameters
    ----------
    run : Run
        A run in mode batch with plain SGD that monitors ``train_objective``. It makes no update.
    """

    def __init__(self, run: Run):
        self.run, self.steps = run, run.steps
        self.rates = np.zeros(self.steps.steps_per_epoch)
        self.views = [*run.network.weights, *run.network.biases]
        # A limit that is never reached: without a limit, plain SGD stores no gradients.
        self.steps.objective = self.steps.objective._replace(clip_norm=1e300)
        self._is_first = True

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient, float64 of the shape of ``parameters``.

        Parameters
        ----------
        parameters : ndarray, shape (n_parameters,)
            All weights, layer by layer, each in rows; then all biases. Copied to the network.

        Raises
        ------
        DataError
            If the first loss or its gradient overflows. Later overflows give a loss of 1e290 and a
            gradient of 0, so that a line search turns back.
        """
        self.put(parameters)
        self.steps.start_epoch(1, self.rates)
        while not self.steps.epoch_is_done:
            self.steps.advance()
        work = self.steps.workspace.work
        gradients = self.run.network.gradient_views(self.steps.workspace.in_rows(work.grads))
        loss = self.steps.mean_loss() + float(self.steps.report.penalty.sum())
        packed = _packed([*gradients[0], *gradients[1]])
        # Clipping by norm makes gradients zero if their norm overflows.
        if not (abs(loss) < _LARGEST and math.isfinite(float(work.group_norms.sum()))):
            if self._is_first:
                raise DataError(
                    f"the loss of the first weights, {loss:.3g}, or its gradient overflows "
                    "float64; scale the targets and the features, for example with StandardScaler"
                )
            loss, packed = _LARGEST, np.zeros_like(packed)
        self._is_first = False
        return loss, packed

    def put(self, parameters: np.ndarray) -> None:
        """Overwrite the network's weights and biases."""
        start = 0
        for view in self.views:
            view[...] = parameters[start : start + view.size].reshape(view.shape)
            start += view.size

    def parameters(self) -> np.ndarray:
        """Return the network's weights and biases as :meth:`__call__` takes them."""
        return _packed(self.views)


def _packed(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays], dtype=np.float64)
