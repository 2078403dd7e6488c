"""Callbacks of estimators: the lines of ``verbose``, and scikit-learn's callback protocol."""

from __future__ import annotations

from typing import Any

from sklearn.callback import FitCallback

from ..base.errors import ConfigError
from ..training.callbacks import Callback
from ..training.run import Run
from .translate import LBFGS


def sort_callbacks(callbacks: Any) -> tuple[list[Callback], list[Any]]:
    """Return fastmlp's callbacks and scikit-learn's of a list of both.

    Raises
    ------
    ConfigError
        For anything else.
    """
    own, theirs = [], []
    for callback in callbacks or ():
        if isinstance(callback, Callback):
            own.append(callback)
        elif isinstance(callback, FitCallback) and not isinstance(callback, type):
            theirs.append(callback)
        else:
            raise ConfigError(
                "callbacks must hold instances of fastmlp.Callback, or of scikit-learn's callback "
                f"protocol (sklearn.callback), got {callback!r:.80}"
            )
    return own, theirs


def new_context(estimator: Any, callbacks: list[Any]) -> Any:
    """Set up scikit-learn's callbacks: those of ``set_callbacks``, and ``callbacks``."""
    registered = list(getattr(estimator, "_skl_callbacks", ()))
    if callbacks:
        estimator.set_callbacks(*registered, *callbacks)
    try:
        return estimator._init_callback_context(max_subtasks=estimator.max_iter)
    finally:
        if callbacks:
            estimator.set_callbacks(*registered)


def epoch_tasks(
    estimator: Any, context: Any, data: dict[str, Any], incremental: bool
) -> list[Callback]:
    """Return the callback that reports epochs to scikit-learn's callbacks, if there are any."""
    if not context._callbacks:
        return []
    name = "lbfgs-iter" if estimator.solver == LBFGS else "epoch"
    most = 1 if incremental else int(estimator.max_iter)
    return [EpochTasks(estimator, context, name, data, most)]


class Printer(Callback):
    """Prints the lines of scikit-learn for each epoch; must be called after the stopping rule.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    has_number : bool, default False
        Whether lines name the model of an ensemble.
    """

    reads_weights = False

    def __init__(self, estimator: Any, has_number: bool = False):
        self._has_number = has_number
        name = "Validation score" if estimator.early_stopping else "Training loss"
        self._why = (
            f"{name} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        self._epochs = 0
        self._factor = 1.0

    def on_train_begin(self, run: Run) -> None:
        self._factor = run.rate_controller.factor

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self._epochs += 1
        if self._has_number:
            print(f"Model {run.number}: ", end="")
        print(f"Iteration {self._epochs}, loss = {row['train_objective']:.8f}")
        if row.get("validation_score") is not None:
            print(f"Validation score: {row['validation_score']:f}")
        lowers = run.config.schedule.startswith("adaptive")
        if run.stop_status == "stopped early":
            print(self._why + (" Learning rate too small." if lowers else "") + " Stopping.")
        elif lowers and run.rate_controller.factor != self._factor:
            self._factor = run.rate_controller.factor
            rate = float(run.config.learning_rate) * self._factor
            print(f"{self._why} Setting learning rate to {rate:f}")


class LossPrinter(Callback):
    """Prints the losses of each epoch, for fits with a recipe."""

    reads_weights = False

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        print(f"Iteration {len(run.history)}, loss = {row['train_loss']:.8f}")
        if row["validation_loss"] is not None:
            print(f"Validation loss: {row['validation_loss']:f}")


class EpochTasks(Callback):
    """Reports every epoch as a task of scikit-learn's callback protocol.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    context : CallbackContext
        Of the whole fit.
    name : str
        Of a task.
    data : dict
        X, y and metadata for callbacks.
    most : int
        Maximum number of epochs.
    """

    def __init__(self, estimator: Any, context: Any, name: str, data: dict[str, Any], most: int):
        self.estimator, self.context, self.name, self.data = estimator, context, name, data
        self.most = most
        self._task: Any = None
        self._begun = 0

    def of_model(self, number: int) -> Callback:
        """Return the callback of a model of an ensemble, of which only the first is reported."""
        return self if number == 1 else Callback()

    def on_train_begin(self, run: Run) -> None:
        self._begin()

    def _begin(self) -> None:
        self._begun += 1
        self._task = self.context.subcontext(task_name=self.name)
        self._task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        stop = self._task.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes=lambda: fitted_attributes(run),
        )
        if stop:
            run.request_stop()
        if not run.stop_status and self._begun < self.most:
            self._begin()


def fitted_attributes(run: Run) -> dict[str, Any]:
    """Return the attributes with which a copy of the estimator predicts like the network."""
    return {
        "coefs_": [weights.copy() for weights in run.network.weights],
        "intercepts_": [biases.copy() for biases in run.network.biases],
        "n_iter_": len(run.history),
    }
