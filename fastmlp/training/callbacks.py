"""Callbacks of a run: the built-in ones."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from ..base.errors import ConfigError, close_match
from ..base.files import encoded, is_stream, open_stream, write_text
from ..base.paths import as_path, numbered
from ..ops.improvement import Improvement
from .events import EVENTS, Callback
from .history import csv_line
from .monitors import NO_COLUMNS
from .stopping import EarlyStopping, Monitoring

if TYPE_CHECKING:  # a callback can be imported without Numba
    from .run import Run

__all__ = ["BestModel", "Callback", "CsvLog", "EarlyStopping", "LambdaCallback"]


class BestModel(Monitoring):
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
        For an unknown monitor, when the run starts.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "validation_loss",
        min_delta: float = 0.0,
    ):
        super().__init__(monitor)
        self.path = as_path(path, "path")
        self.min_delta = min_delta

    def of_model(self, number: int) -> BestModel:
        """Return a copy with a file of its own: ``best-2.safetensors`` of the second model."""
        copied = copy.copy(self)
        copied.path = numbered(self.path, number)
        return copied

    def on_train_begin(self, run: Run) -> None:
        self.improvement = Improvement(self.min_delta)

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        if self.improvement.observe(self.value(row)):
            run.predictor.save(self.path)


class CsvLog(Callback):
    """Writes the history to a CSV file, a row after each epoch.

    The file includes columns that other callbacks add to a row. For a new column the file is
    rewritten; to a device or a FIFO a new header is written.

    Parameters
    ----------
    path : path-like
        Overwritten at the start.
    """

    reads_weights = False

    def __init__(self, path: str | os.PathLike[str]):
        self.path = as_path(path, "path")
        self._columns: tuple[str, ...] = ()
        self._row: dict[str, Any] | None = None  # the last row written, and its line
        self._line = b""
        self._stream: BinaryIO | None = None

    def of_model(self, number: int) -> CsvLog:
        """Return a copy with a file of its own: ``log-2.csv`` of the second model.

        Raises
        ------
        ConfigError
            If the path is a device or a FIFO.
        """
        if is_stream(self.path):
            raise ConfigError(
                f"a CsvLog of several models needs a file, of which each gets a numbered one, got "
                f"{self.path}, which is none; give a path"
            )
        copied = copy.copy(self)
        copied.path = numbered(self.path, number)
        return copied

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
    monitored_columns : mapping of str to bool, optional
        Columns that ``on_epoch_end`` adds and that can be monitored; see :class:`Callback`.

    Raises
    ------
    ConfigError
        For an unknown event.
    """

    def __init__(
        self,
        *,
        monitored_columns: Mapping[str, bool] = NO_COLUMNS,
        **functions: Callable[..., None],
    ):
        self.monitored_columns = monitored_columns
        for name, function in functions.items():
            if name not in EVENTS:
                raise ConfigError(f"unknown event {name!r}{close_match(name, EVENTS)}")
            setattr(self, name, function)
