"""What was recorded during a run: a table with a row per epoch, or per so many updates."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

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
