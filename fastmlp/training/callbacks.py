"""Callbacks of a run: the base class and the built-in ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from ..base.errors import ConfigError, close_match
from ..base.files import encoded, is_stream, open_stream, write_text
from ..base.paths import as_path
from ..ops.improvement import CUMULATIVE, Improvement
from .history import csv_line
from .setting_checks import MONITORS
from .stopping import monitored

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """Base class of callbacks; override the methods that you need.

    After an interruption ``on_train_end`` may be called without ``on_train_begin``.

    ``run`` is the current run, with ``run.config``, ``run.network``, ``run.history``,
    ``run.epoch``, ``run.rows_done`` and ``run.n_train`` of this epoch, the current
    ``run.train_loss``, and ``run.request_stop()``.
    """

    def on_setup(self, run: Run) -> None:
        """Called when data and network are ready, before kernels are compiled or loaded."""

    def on_train_begin(self, run: Run) -> None:
        """Called before the first epoch."""

    def on_progress(self, run: Run) -> None:
        """Called within an epoch, about twenty times a second."""

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        """Called after an epoch and its evaluation; ``row`` is the new row of the history.

        A callback may add columns to it: numbers, texts, True, False or None.
        """

    def after_epoch(self, run: Run, row: dict[str, Any]) -> None:
        """Called after ``on_epoch_end`` of all callbacks, when the row is complete."""

    def on_train_end(self, run: Run) -> None:
        """Called after the last epoch, also after an error or an interruption."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint; must be JSON serializable."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`; called after ``on_train_begin``."""


class EarlyStopping(Callback):
    """Stops after ``patience`` consecutive epochs without improvement.

    Parameters
    ----------
    patience : int
    monitor : str, default "validation_loss"
        A column of the history; for accuracies, higher is better.
    min_delta : float, default 0.0
        Smallest change that counts as an improvement.
    improvement : {"cumulative", "single"}, default "cumulative"
        cumulative: small gains add up to ``min_delta``; single: one epoch must gain it.

    Raises
    ------
    ConfigError
        For a patience below 1, or an unknown monitor.
    """

    def __init__(
        self,
        patience: int,
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
        improvement: str = CUMULATIVE,
    ):
        if patience < 1:
            raise ConfigError(f"patience must be at least 1, got {patience}")
        self.patience, self.monitor = patience, _known_monitor(monitor)
        self.min_delta, self.rule = min_delta, improvement
        self._before: tuple[float, int] | None = None

    def resume(self, best: float, stale: int) -> None:
        """Start the next run from the state of an earlier one."""
        self._before = best, stale

    def on_train_begin(self, run: Run) -> None:
        # New for each run, so that a callback can be used for several runs.
        self.improvement = Improvement(self.min_delta, self.rule)
        if self._before is not None:
            (self.improvement.best, self.improvement.stale), self._before = self._before, None

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.improvement.observe(monitored(row, self.monitor))
        if self.improvement.stale >= self.patience:
            if run.rate_controller.lower():
                self.improvement.stale = 0
            else:
                run.request_stop("stopped early")

    def state_dict(self) -> dict[str, Any]:
        return self.improvement.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.improvement.load_state_dict(state)


class BestModel(Callback):
    """Saves the model after each epoch that improves the monitored quantity.

    Parameters
    ----------
    path : path-like
        Model file, overwritten each time.
    monitor, min_delta
        As for :class:`EarlyStopping`.

    Raises
    ------
    ConfigError
        For an unknown monitor.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
    ):
        self.path, self.monitor = as_path(path, "path"), _known_monitor(monitor)
        self.min_delta = min_delta

    def on_train_begin(self, run: Run) -> None:
        self.improvement = Improvement(self.min_delta)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if self.improvement.observe(monitored(row, self.monitor)):
            run.predictor.save(self.path)

    def state_dict(self) -> dict[str, Any]:
        return self.improvement.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.improvement.load_state_dict(state)


class CsvLog(Callback):
    """Writes the history to a CSV file, a row after each epoch.

    The file includes columns that other callbacks add to a row. For a new column the file is
    rewritten; to a device or a FIFO a new header is written.

    Parameters
    ----------
    path : path-like
        Overwritten at the start.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = as_path(path, "path")
        self._columns: tuple[str, ...] = ()
        self._row: dict[str, Any] | None = None  # the last row written, and its line
        self._line = b""
        self._stream: BinaryIO | None = None

    def on_train_begin(self, run: Run) -> None:
        self._columns, self._row = run.history.columns, None
        # With the rows before the checkpoint, if the run is resumed.
        if is_stream(self.path):
            self._stream = open_stream(self.path)
            self._send(run.history.to_csv())
        else:
            write_text(self.path, run.history.to_csv())

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if self._stream is None:
            self._write(run, row)

    def after_epoch(self, run: Run, row: dict[str, Any]) -> None:
        self._write(run, row)  # later callbacks may have changed it

    def on_train_end(self, run: Run) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _write(self, run: Run, row: dict[str, Any]) -> None:
        has_new = not row.keys() <= {*self._columns}
        if has_new:
            self._columns = run.history.columns
        text = csv_line(row.get(name) for name in self._columns)
        if self._stream is not None:
            self._send(csv_line(self._columns) + text if has_new else text)
        elif has_new:
            write_text(self.path, run.history.to_csv())
        else:
            self._append(encoded(text), b"" if row is not self._row else self._line)
        self._row, self._line = row, encoded(text)

    def _append(self, line: bytes, before: bytes) -> None:
        """Write a row; it replaces an earlier version of the same row."""
        if line == before:
            return
        # Opened for each row, so that no row is lost if the process is killed.
        with self.path.open("r+b" if before else "ab") as file:
            if before:
                file.seek(-len(before), os.SEEK_END)
                file.truncate()
            file.write(line)

    def _send(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(encoded(text))
        self._stream.flush()


class LambdaCallback(Callback):
    """Calls functions for events.

    Parameters
    ----------
    **functions : callable
        By the names of :class:`Callback`'s methods: ``on_epoch_end=lambda run, row: ...``.

    Raises
    ------
    ConfigError
        For an unknown event.
    """

    def __init__(self, **functions: Callable[..., None]):
        events = [name for name in vars(Callback) if name.startswith("on_")]
        for name, function in functions.items():
            if name not in events:
                raise ConfigError(f"unknown event {name!r}{close_match(name, events)}")
            setattr(self, name, function)


def _known_monitor(monitor: str) -> str:
    if monitor not in MONITORS:
        raise ConfigError(f"unknown monitor {monitor!r}{close_match(str(monitor), MONITORS)}")
    return monitor
