"""A run: its prepared data, its state and its measurements."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..base.errors import CallbackError
from ..base.lazy import lazy
from ..base.random import model_seed
from ..kernels.buffers import Data
from ..model.evaluation import Evaluation, evaluate_network
from ..model.launch import check_threads
from ..model.predictor import Predictor
from ..model.workspace import Workspace, rows_at_once
from ..ops.schedules import RateController
from .config import TrainConfig
from .events import Callback, Listeners, listeners_of
from .history import EPOCH_COLUMNS, ITERATION_COLUMNS, MEASURE_COLUMNS, History
from .monitors import Monitor, declared_columns, find_monitor, scorers_for
from .plan import plan
from .prepare import Prepared
from .rules import Rule
from .run_parts import network_of, objective_of, stopping_of
from .steps import Steps
from .stopping import Monitoring
from .turns import Turn


class Run:
    """The state of a run; callbacks receive it.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    prepared : Prepared
    threads : int or None
    callbacks : iterable of Callback
    initial_weights : (list of ndarray, list of ndarray) or None
        Weights and biases to start from; None: drawn from the config's initializers.
    measures : iterable of str
        More columns of the history, from ``MEASURE_COLUMNS``; a monitored one is always included.
    number : int, default 1
        Of the model in an ensemble, from 1.

    Attributes
    ----------
    epoch : int
        Number of the current epoch, from 1.
    history, iterations : History
    stopping : EarlyStopping or None
        The config's.
    scorers : tuple of Scorer
        The metrics asked for, and a monitored one.
    monitor : Monitor
        The config's.
    rate_controller : RateController
        Changes the rate according to the monitored quantity.
    measures : tuple of str
        More columns of the history, from ``MEASURE_COLUMNS``.
    rules : tuple of Rule
        The rules for the data that applied to the config.
    number : int
        Of the model in an ensemble, from 1; 1 without one.
    """

    def __init__(
        self,
        config: TrainConfig,
        prepared: Prepared,
        threads: int | None = None,
        callbacks: Iterable[Callback] = (),
        initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None = None,
        measures: Iterable[str] = (),
        number: int = 1,
    ):
        self.config, self.prepared, self.number = config, prepared, number
        self.task = task = prepared.task
        self.callbacks = list(callbacks)
        self.stopping = stopping_of(config)
        self.callbacks += [] if self.stopping is None else [self.stopping]
        self._known_callbacks: list[Callback] = []
        self._by_event: dict[str, Listeners] = {}
        self.scorers = scorers_for(config, self.callbacks)
        self.monitor = self._find_monitor()
        self.rate_controller = RateController()  # replaced by the loop
        self.measures = tuple(
            name for name in MEASURE_COLUMNS if name in (config.monitor, *measures)
        )
        self.initial_weights = initial_weights
        self.threads = check_threads(threads)
        if number == 1 and config.mode == "minibatch" and config.batch_size > len(prepared.train.X):
            warnings.warn(
                f"batch_size {config.batch_size} is more than the {len(prepared.train.X)} training "
                "rows; batches hold all of them",
                stacklevel=4,  # the caller of fit
            )
        self.network = network_of(config, prepared, initial_weights)
        self.objective = objective_of(config, task)
        self.plan = plan(
            config, len(prepared.train.X), self.network.multiply_adds, self.threads,
            prepared.inputs, rows_at_once(self.network) if self.network.stores_images else 0,
        )  # fmt: skip
        notes_penalty = "train_objective" in self.measures and config.l1 + config.l2 > 0
        self.steps = Steps(
            config, self.plan, self.network, prepared.train, self.objective, notes_penalty
        )
        self.turn = self.steps.turn = Turn(self.threads)
        scored = [] if prepared.validation is None else [s.column for s in self.scorers]
        self.history = History((*EPOCH_COLUMNS, *self.measures, *scored))
        self.iterations = History(ITERATION_COLUMNS, is_open=False)
        self.prepare_seconds = 0.0
        self.rules: tuple[Rule, ...] = ()
        self.epoch = 0
        self.stop_status = ""
        self.predictor = Predictor(
            self.network,
            prepared.scaling,
            task,
            prepared.features,
            prepared.target_names,
            prepared.table,
            prepared.encoding,
        )

    def of_model(self, number: int) -> Run:
        """Return the run of another model of the ensemble, on the same prepared data."""
        config = self.config.replace(seed=model_seed(self.config.seed, number))
        return Run(
            config, self.prepared, self.threads, (), self.initial_weights, self.measures, number
        )

    def join(self, turn: Turn, callbacks: Iterable[Callback | None]) -> None:
        """Make it one of several runs.

        Parameters
        ----------
        turn : Turn
        callbacks : iterable of Callback or None
            In place of its own; None: its own stopping rule.
        """
        self.turn = self.steps.turn = turn
        given = (self.stopping if callback is None else callback for callback in callbacks)
        self.callbacks = [callback for callback in given if callback is not None]

    @lazy
    def evaluation_workspace(self) -> Workspace:
        """The buffers of evaluations."""
        return Workspace(
            self.network,
            rows_at_once(self.network),
            training=False,
            sparse=self.prepared.train.sparse,
        )

    @property
    def n_train(self) -> int:
        """Training rows of an epoch."""
        return len(self.prepared.train.X)

    @property
    def rows_done(self) -> int:
        """Training rows done in this epoch."""
        return self.steps.rows_done

    @property
    def train_loss(self) -> float:
        """Running mean of the training loss of this epoch."""
        return self.steps.mean_loss()

    def request_stop(self, status: str = "stopped") -> None:
        """Stop after this epoch, with ``status`` as the status of the result."""
        self.stop_status = status

    def tell(self, event: str, *arguments: Any) -> None:
        """Call a method of every callback.

        Raises
        ------
        CallbackError
            After all callbacks were called, if any raised; names the first.
        """
        failure = self._call(event, *arguments)
        if failure is not None:
            raise failure

    def tell_epoch(self, row: dict[str, Any]) -> None:
        """Call all callbacks with the new row of the history; they may add columns.

        Raises
        ------
        CallbackError
            After all callbacks were called, if any raised or added an invalid value.
        """
        failure = self._call("on_epoch_end", row)
        invalid = self._convert_values()
        late = self._call("after_epoch", row)
        # An invalid row is reported first: it may be the cause of another failure.
        for error in (invalid, failure, late):
            if error is not None:
                raise error

    def reads_weights_in(self, event: str) -> bool:
        """Whether a callback needs the present weights in an event."""
        return self._listeners(event).read_weights

    def _call(self, event: str, *arguments: Any) -> CallbackError | None:
        """Call a method of every callback; return the first failure."""
        listeners = self._listeners(event)
        if not listeners.methods:
            return None
        if listeners.read_weights:
            self.steps.settle()
        failure: CallbackError | None = None
        with self.turn.lock:
            for callback, method in listeners.methods:
                try:
                    method(self, *arguments)
                except Exception as error:
                    if failure is None:
                        name = type(callback).__name__
                        failure = CallbackError(
                            f"callback {name} failed in {event}: {type(error).__name__}: {error}"
                        )
                        failure.__cause__ = error
        return failure

    def _listeners(self, event: str) -> Listeners:
        if self._known_callbacks != self.callbacks:
            self._known_callbacks, self._by_event = [*self.callbacks], {}
        if event not in self._by_event:
            self._by_event[event] = listeners_of(self.callbacks, event)
        return self._by_event[event]

    def _convert_values(self) -> CallbackError | None:
        try:
            self.history.convert_values()
        except ValueError as error:
            failure = CallbackError(f"a callback changed an epoch's row: {error}")
            failure.__cause__ = error
            return failure
        return None

    def _find_monitor(self) -> Monitor:
        columns = declared_columns(self.callbacks)
        for callback in self.callbacks:
            if isinstance(callback, Monitoring):
                callback.find(self.scorers, columns)
        return find_monitor(self.config.monitor, self.scorers, columns)

    def compile(self) -> float:
        """Compile or load all kernels of the run; return the time in seconds."""
        started = time.perf_counter()
        self.steps.compile()
        if self._evaluates:
            self.evaluate(self.prepared.train, rows=1)
        return time.perf_counter() - started

    @property
    def _evaluates(self) -> bool:
        """Whether the run evaluates any part."""
        parts = self.prepared
        has_parts = parts.validation is not None or parts.test is not None
        return has_parts or self.config.loss_limit > 0

    def evaluate(
        self, data: Data | None, rows: int | None = None, want_outputs: bool = False
    ) -> Evaluation | None:
        """Evaluate the network on a part (or its first rows); None for a missing part."""
        if data is None:
            return None
        self.steps.settle()
        # Without sample weights and label smoothing, which are for training only.
        data = data._replace(order=data.order[:rows], weights=data.weights[:0])
        objective = self.objective._replace(label_smoothing=0.0)
        return evaluate_network(
            self.evaluation_workspace, data, objective, min(self.threads, self.turn.threads),
            want_outputs,
        )  # fmt: skip

    def accuracy(self, hit_rate: float) -> float | None:
        """Return the accuracy, or None for regression."""
        return hit_rate if self.task.has_accuracy else None

    def loss_and_accuracy(self, prefix: str, data: Data | None) -> dict[str, float | None]:
        """Evaluate a part and return its two columns."""
        found = self.evaluate(data)
        return {
            f"{prefix}_loss": None if found is None else found.loss,
            f"{prefix}_accuracy": None if found is None else self.accuracy(found.hit_rate),
        }

    def penalty(self) -> float:
        """Return l1 * sum |w| + l2 / 2 * sum w^2 over the weights, for a full batch."""
        return float(self.steps.penalty.of_rows(self.network.flat_weights[None])[0])

    def data_facts(self) -> dict[str, Any]:
        """Return the name and the sizes of the data."""
        parts = self.prepared
        return {
            "name": self.config.data,
            "n_train": self.n_train,
            "n_validation": 0 if parts.validation is None else len(parts.validation.X),
            "n_test": 0 if parts.test is None else len(parts.test.X),
            "n_features": parts.n_features,
            "n_classes": None if self.task.classes is None else len(self.task.classes),
        }
