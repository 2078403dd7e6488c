"""Loss and gradient of all rows as one function of the parameters, for others' optimizers."""

from __future__ import annotations

import numpy as np

from .run import Run


class LossAndGradient:
    """The objective of a run in batch mode, penalty included, and its gradient.

    Parameters
    ----------
    run : Run
        Of mode batch with plain SGD, monitoring ``train_objective``; no update is made.
    """

    def __init__(self, run: Run):
        self.run, self.steps = run, run.steps
        self.rates = np.zeros(self.steps.steps_per_epoch)
        self.views = [*run.network.weights, *run.network.biases]
        # A limit that is never reached: without one, plain SGD stores no gradients.
        self.steps.objective = self.steps.objective._replace(clip_norm=1e300)

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient, float64 of the shape of ``parameters``.

        Parameters
        ----------
        parameters : ndarray, shape (n_parameters,)
            All weights, layer by layer, each in rows; then all biases. Become the network's.
        """
        self.put(parameters)
        self.steps.start_epoch(1, self.rates)
        while not self.steps.epoch_is_done:
            self.steps.advance()
        work = self.steps.workspace.work
        gradients = self.run.network.gradient_views(self.steps.workspace.in_rows(work.grads))
        report = self.steps.report
        penalty = float(report.penalty.sum())
        return self.steps.mean_loss() + penalty, _packed([*gradients[0], *gradients[1]])

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
