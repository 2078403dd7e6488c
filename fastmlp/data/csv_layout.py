"""What the columns of a CSV file are: their names, if it has a header, and which is the target."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ..base.errors import ConfigError, DataError, close_match

TARGET_NAMES = ("target", "label", "class", "y")
# How tables write that there is no value, in lower case.
MISSING = frozenset(("", "?", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "+nan", "null", "none"))
HEAD_ROWS = 20


class Layout(NamedTuple):
    """The columns of a table.

    Attributes
    ----------
    names : tuple of str or None
        Of all columns, from the header; None without one.
    target : int or None
        The target's column, from 0; None for a table of features alone.
    """

    names: tuple[str, ...] | None
    target: int | None

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of all columns but the target."""
        if self.names is None or self.target is None:
            return self.names
        return self.names[: self.target] + self.names[self.target + 1 :]

    def column(self, index: int) -> str:
        """What messages call a column: its name, or its number from 0."""
        return str(index) if self.names is None else repr(self.names[index])


def find_layout(head: list[list[str]], target: str | int | None, path: Path) -> Layout:
    """Return the layout of a table that begins with these rows.

    Parameters
    ----------
    head : list of list of str
        The first HEAD_ROWS rows or so, equally long.
    target : str, int or None
        Name or index (from 0, negative from the end) of the target column; None: the first that is
        named like one of TARGET_NAMES, in that order and in any case, else the last.
    path : Path
        For messages.

    Raises
    ------
    ConfigError
        If there is no such target column.
    DataError
        If there is a single column, nothing below the header, or a name is missing or repeated.
    """
    width = len(head[0])
    if width < 2:
        raise DataError(
            f"{path} must have a column of features and one of targets, got a single column; "
            "separate columns by commas, semicolons or tabs"
        )
    index = _as_index(target)
    names = [cell.strip() for cell in head[0]]
    named = isinstance(target, str) and target in names and index is None
    if not (named or has_header(head)):
        return Layout(None, _target_index(None, width, target, index, path))
    _check_header(head, names, path)
    return Layout(tuple(names), _target_index(names, width, target, index, path))


def find_feature_layout(head: list[list[str]], path: Path) -> Layout:
    """Return the layout of a table of features alone that begins with these rows.

    Parameters as for :func:`find_layout`.

    Raises
    ------
    DataError
        If there is nothing below the header, or a name is missing or repeated.
    """
    if not has_header(head):
        return Layout(None, None)
    names = [cell.strip() for cell in head[0]]
    _check_header(head, names, path)
    return Layout(tuple(names), None)


def has_header(head: list[list[str]]) -> bool:
    """Whether the first of these rows holds names.

    It does if it has a text above a column of numbers, or all rows are text. It may hold numbers
    only if they count 0, 1, ..., which is how pandas names columns; from 0, 1, 2 on that is a
    header, whatever stands below. A single row is a header unless it is all numbers.
    """
    first, rest = head[0], head[1:]
    numbers = [cell.strip() for cell in first if is_number(cell)]
    if numbers != [str(i) for i in range(len(numbers))]:
        return not rest and len(numbers) < len(first)
    if not rest or len(numbers) == len(first):
        return len(numbers) < len(first) or (len(numbers) > 2 and bool(rest))
    if len(numbers) > 2:
        return True
    columns = [i for i, cell in enumerate(first) if not (is_number(cell) or is_missing(cell))]
    numeric = [_is_numeric([row[i] for row in rest]) for i in range(len(first))]
    return any(numeric[i] for i in columns) or not any(numeric)


def is_number(cell: str) -> bool:
    """Whether a cell is a number; "nan" is none, "inf" is one."""
    try:
        # Python's own numerals may hold underscores, a table's identifiers too.
        return "_" not in cell and not math.isnan(float(cell))
    except ValueError:
        return False


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def _is_numeric(cells: list[str]) -> bool:
    """Whether most of the cells that hold something are numbers: a typing error may be among."""
    return 2 * sum(map(is_number, cells)) > sum(not is_missing(cell) for cell in cells)


def _as_index(target: str | int | None) -> int | None:
    if target is None or isinstance(target, bool):
        return None
    try:
        return int(target)
    except ValueError:
        return None


def _target_index(
    names: list[str] | None, width: int, target: str | int | None, index: int | None, path: Path
) -> int:
    if target is None:
        lower = [name.lower() for name in names or ()]
        return next((lower.index(name) for name in TARGET_NAMES if name in lower), width - 1)
    if names is not None and target in names:
        return names.index(str(target))
    if index is not None and -width <= index < width:
        return index % width
    if index is not None or names is None:
        why = "" if names is not None or index is not None else f", since {path} has no header"
        raise ConfigError(
            f"target must be a column's index from {-width} to {width - 1}{why}, got {target!r}; "
            "-1 is the last column"
        )
    raise ConfigError(
        f"target must be a column of {path}, got {target!r}{close_match(str(target), names)}"
    )


def _check_header(head: list[list[str]], names: list[str], path: Path) -> None:
    if len(head) == 1:
        raise DataError(f"{path} must have rows below its header, got only the header; add rows")
    if "" in names:
        raise DataError(
            f"{path}: every column must have a name, got none for column {names.index('')} "
            "(counting from 0); name it, or leave pandas' index out with to_csv(index=False)"
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"{path}: column names must differ, got {', '.join(map(repr, repeated[:10]))} more "
            "than once; rename them"
        )
