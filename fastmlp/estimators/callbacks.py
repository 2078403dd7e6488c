"""Callbacks of estimators: the lines of ``verbose``, and scikit-learn's callback protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.callback import FitCallback

from ..base.errors import ConfigError
from ..training.callbacks import Callback
from ..training.run import Run


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


class Printer(Callback):
    """Prints the lines of scikit-learn for each epoch; must be called after the stopping rule.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    """

    def __init__(self, estimator: Any):
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
    fitted : callable
        ``fitted(run)`` returns the attributes with which a copy of the estimator can predict.
    """

    def __init__(
        self,
        estimator: Any,
        context: Any,
        name: str,
        data: dict[str, Any],
        most: int,
        fitted: Callable[[Run], dict[str, Any]],
    ):
        self.estimator, self.context, self.name, self.data = estimator, context, name, data
        self.most, self.fitted = most, fitted
        self._task: Any = None
        self._begun = 0

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
            reconstruction_attributes=lambda: self.fitted(run),
        )
        if stop:
            run.request_stop()
        if not run.stop_status and self._begun < self.most:
            self._begin()
