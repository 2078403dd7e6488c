"""What follows a run while it goes on: the base, and those that ship."""

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
    """Base of callbacks; override what you need.

    After an interruption ``on_train_end`` can come without ``on_train_begin`` before it.

    ``run`` is the run going on: ``run.config``, ``run.network``, ``run.history``, ``run.epoch``,
    ``run.rows_done`` and ``run.n_train`` of this epoch, ``run.train_loss`` so far, and
    ``run.request_stop()``.
    """

    def on_setup(self, run: Run) -> None:
        """With data and network ready, before kernels are compiled or loaded."""

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_progress(self, run: Run) -> None:
        """Within an epoch, about twenty times a second."""

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        """After an epoch and its evaluation; ``row`` is the new row of the history.

        A callback may add columns to it: numbers, texts, True, False or None.
        """

    def after_epoch(self, run: Run, row: dict[str, Any]) -> None:
        """After ``on_epoch_end`` of all callbacks: the row has all its columns."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, however training ended."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a run that goes on from a checkpoint has to know, as JSON can hold it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken; called after ``on_train_begin``."""


class EarlyStopping(Callback):
    """Stops after ``patience`` epochs in a row without improvement.

    Parameters
    ----------
    patience : int
    monitor : str, default "validation_loss"
        A column of the history; for accuracies, higher is better.
    min_delta : float, default 0.0
        By how much it must improve to count.
    improvement : {"cumulative", "single"}, default "cumulative"
        Whether several epochs together can improve by ``min_delta``, or one alone must.

    Raises
    ------
    ConfigError
        For a patience below 1, or a monitor that is no such column.
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
        """Let the next run begin where an earlier one ended."""
        self._before = best, stale

    def on_train_begin(self, run: Run) -> None:
        # Anew for every run, so that one callback can follow several.
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
    """Saves the model after each epoch that is the best so far.

    Parameters
    ----------
    path : path-like
        Of the model file, overwritten each time.
    monitor, min_delta
        As for :class:`EarlyStopping`.

    Raises
    ------
    ConfigError
        For a monitor that is no column of the history.
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
    """Writes the history to a CSV file as it grows, a row per epoch.

    It includes columns that other callbacks add to a row. When a column appears, the file is
    rewritten; to a device or a FIFO a new heading is written instead.

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
        # With the rows of before, where the run goes on from a checkpoint.
        if is_stream(self.path):
            self._stream = open_stream(self.path)
            self._pass_on(run.history.to_csv())
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
            self._pass_on(csv_line(self._columns) + text if has_new else text)
        elif has_new:
            write_text(self.path, run.history.to_csv())
        else:
            self._append(encoded(text), b"" if row is not self._row else self._line)
        self._row, self._line = row, encoded(text)

    def _append(self, line: bytes, before: bytes) -> None:
        """Write a row, replacing an earlier version of it."""
        if line == before:
            return
        # Opened for each row, so that nothing is lost however the run ends.
        with self.path.open("r+b" if before else "ab") as file:
            if before:
                file.seek(-len(before), os.SEEK_END)
                file.truncate()
            file.write(line)

    def _pass_on(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(encoded(text))
        self._stream.flush()


class LambdaCallback(Callback):
    """Calls functions given by name of the event.

    Parameters
    ----------
    **functions : callable
        ``on_epoch_end=lambda run, row: ...`` and so on, with the arguments of :class:`Callback`.

    Raises
    ------
    ConfigError
        For a name that is no event.
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
