"""What was recorded during a run: a table with a row per epoch, or per so many updates."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
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
ITERATION_COLUMNS = (
    "iteration",
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
)


class History:
    """Rows of numbers under fixed columns; None where there is no value.

    ``history["train_loss"]`` is a column as a list, ``history.rows`` the rows as dictionaries.
    """

    def __init__(self, columns: tuple[str, ...] = EPOCH_COLUMNS):
        self.columns = columns
        self.rows: list[dict[str, Any]] = []

    def append(self, **values: Any) -> dict[str, Any]:
        """Add a row, one value for each column, and return it."""
        row = {column: values[column] for column in self.columns}
        self.rows.append(row)
        return row

    def to_json(self) -> np.ndarray:
        """Return the table as the bytes of a JSON text, uint8 of shape (n,)."""
        values = [self.columns, *(list(row.values()) for row in self.rows)]
        return np.frombuffer(json.dumps(values).encode(), np.uint8)

    def most_bytes(self, rows: int) -> int:
        """Return how many bytes :meth:`to_json` gives of so many rows at most."""
        # The longest number takes 24 characters, ", " two more.
        return 2 + len(json.dumps(self.columns)) + rows * (4 + 26 * len(self.columns))

    def load_json(self, content: np.ndarray) -> None:
        """Overwrite the rows by those of :meth:`to_json`.

        Raises
        ------
        ValueError
            If they are no rows of numbers under these columns.
        """
        columns, *rows = json.loads(content.tobytes())
        if columns != list(self.columns):
            raise ValueError(f"history must have columns {self.columns}, got {columns!r:.80}")
        for row in rows:
            if not all(type(value) in (int, float, type(None)) for value in row):
                raise ValueError(f"history must hold numbers, got {row!r:.80}")
        self.rows = [dict(zip(self.columns, row, strict=True)) for row in rows]

    def __getitem__(self, column: str) -> list[Any]:
        return [row[column] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def to_csv(self) -> str:
        """Return the table as CSV, numbers with all their digits, empty where there is no value."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()
