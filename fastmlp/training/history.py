"""The history of a run: a table with a row per epoch, or per ``log_every`` updates."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

EPOCH_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "penalty",
    "validation_loss",
    "validation_accuracy",
)
MEASURE_COLUMNS = ("train_objective", "validation_score")  # computed only if they are monitored
ITERATION_COLUMNS = (
    "iteration",
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
)


# Limit in bytes, as JSON, for values that callbacks add to a row, and for the names of added
# columns. It bounds the size of the tables in a checkpoint before memory is allocated.
ADDED_BYTES = 1 << 16


class History:
    """Rows of numbers under columns; None where there is no value.

    ``history["train_loss"]`` is a column as a list, ``history.rows`` the rows as dictionaries. A
    callback may add columns to a row. They follow the others in the order of their first
    appearance, and are None in rows that lack them.

    Parameters
    ----------
    columns : tuple of str
        Columns of every row.
    is_open : bool, default True
        Whether columns may be added.
    """

    def __init__(self, columns: tuple[str, ...] = EPOCH_COLUMNS, is_open: bool = True):
        self._own, self._is_open = columns, is_open
        self._added: dict[str, None] = {}
        self.rows: list[dict[str, Any]] = []
        self._measured: dict[str, Any] = {}  # the last row, before callbacks changed it
        self._is_plain = False  # whether it holds Python's numbers only

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        if not self._is_open:
            return self._own
        rows = (row for row in self.rows if len(row) > len(self._own))
        return tuple(dict.fromkeys((*self._own, *self._added, *chain.from_iterable(rows))))

    def append(self, **values: Any) -> dict[str, Any]:
        """Add a row, one value for each column, and return it."""
        if tuple(values) != self._own:  # in another order
            values = {column: values[column] for column in self._own}
        self._measured, row = values, values.copy()
        self._is_plain = _PLAIN.issuperset(map(type, values.values()))
        self.rows.append(row)
        return row

    def convert_values(self) -> None:
        """Convert values that callbacks added to the last row to Python scalars.

        Raises
        ------
        ValueError
            If a value cannot be stored (the row then holds what was measured, or None), a column of
            every row was removed, or a row got the number of another epoch.
        """
        row, measured, wrong = self.rows[-1], self._measured, ""
        is_unchanged = len(row) == len(measured) and all(map(is_, row.values(), measured.values()))
        if is_unchanged and row.keys() == measured.keys() and self._is_plain:
            return
        for name in (*self._own, *(name for name in row if name not in self._own)):
            try:
                row[name] = _plain(name, row[name], measured)
            except KeyError:
                wrong = wrong or f"column {name!r} was removed from a row; keep it"
                row[name] = measured[name]
            except ValueError as error:
                wrong, row[name] = wrong or str(error), measured.get(name)
        added = {name: value for name, value in row.items() if name not in self._own}
        if max(_length({**self._added, **added}), _length(added)) > ADDED_BYTES:
            wrong = f"columns added to a row must take at most {ADDED_BYTES} bytes; add fewer"
            for name in added:
                del row[name]
        else:
            self._added.update(dict.fromkeys(added))
        if wrong:
            raise ValueError(wrong)

    def to_json(self) -> np.ndarray:
        """Return the table as the bytes of a JSON text, uint8 of shape (n,)."""
        columns = self.columns
        values = [columns, *([row.get(name) for name in columns] for row in self.rows)]
        return np.frombuffer(json.dumps(values).encode(), np.uint8)

    def most_bytes(self, rows: int) -> int:
        """Return the maximum size of :meth:`to_json` in bytes for a number of rows."""
        # The longest number takes 24 characters, ", " two more; a gap in an added column takes six.
        own = len(json.dumps(self._own)) + rows * (4 + 26 * len(self._own))
        return 2 + own + (self._is_open and (1 + 3 * rows) * ADDED_BYTES)

    def load_json(self, content: np.ndarray) -> None:
        """Replace the rows by those of :meth:`to_json`.

        Raises
        ------
        ValueError
            If they are not rows of these columns and columns added by callbacks.
        """
        columns, *rows = json.loads(content.tobytes())
        own = len(self._own)
        added = columns[own:]
        if columns[:own] != list(self._own) or (added and not self._may_add(columns)):
            raise ValueError(f"history must have columns {self._own}, got {columns!r:.80}")
        for row in rows:
            kinds = (_NUMBERS if i < own else _ADDED for i in range(len(row)))
            if not all(type(v) in kind for v, kind in zip(row, kinds, strict=True)):
                raise ValueError(f"history must hold numbers, got {row!r:.80}")
        self._added = dict.fromkeys(added)
        self.rows = [
            {
                name: value
                for name, value in zip(columns, row, strict=True)
                if value is not None or name in self._own
            }
            for row in rows
        ]

    def _may_add(self, columns: list[Any]) -> bool:
        is_names = all(type(name) is str for name in columns)
        return self._is_open and is_names and len({*columns}) == len(columns)

    def __getitem__(self, column: str) -> list[Any]:
        if column not in self.columns:
            raise KeyError(column)
        return [row.get(column) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def to_csv(self) -> str:
        """Return the table as CSV, numbers with all digits, missing values empty."""
        columns = self.columns
        return csv_line(columns) + "".join(
            csv_line(row.get(name) for name in columns) for row in self.rows
        )


def csv_line(values: Iterable[Any]) -> str:
    """Return values as a line of a CSV file; None is an empty field."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


_NUMBERS = (int, float, type(None))
_PLAIN = frozenset(_NUMBERS)
_ADDED = (*_NUMBERS, bool, str)


def _plain(name: object, value: Any, measured: dict[str, Any]) -> Any:
    """Return a value for the table: a NumPy scalar becomes a Python scalar."""
    if not isinstance(name, str):
        raise ValueError(f"a column's name must be a text, got {name!r:.80}")
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    kinds: tuple[type, ...] = _ADDED
    rule = "a number, text, True, False or None"
    if name in measured:
        is_number = measured[name] is not None
        kinds, rule = (_NUMBERS[:2], "a number") if is_number else (_NUMBERS, "a number or None")
    if type(value) not in kinds:
        raise ValueError(
            f"column {name!r} must hold {rule} in each row, got {value!r:.80} of type "
            f"{type(value).__name__}; convert it, or keep it elsewhere"
        )
    if name == "epoch" and value != measured[name]:
        raise ValueError(
            f"column 'epoch' must hold the number of the epoch, {measured[name]}, got {value}; add "
            "a column of another name"
        )
    return value


def _length(values: Any) -> int:
    return len(json.dumps(values))
