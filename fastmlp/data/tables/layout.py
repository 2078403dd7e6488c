"""The feature and target columns of a table, and their names."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

from ...base.errors import ConfigError, DataError, close_match
from ...base.settings import AUTO
from ...base.table_options import Positions, TableOptions
from ...base.wording import listed, quoted
from .fields import CellFormat
from .head import Head
from .header import has_header

TARGET_NAMES = ("target", "label", "class", "y")
# Names that R and pandas give to a column of row names, in lower case.
UNNAMED = ("", "unnamed: 0")
ROW_NAMES = (*UNNAMED, "rownames", "row.names", "row_names")


class TableLayout(NamedTuple):
    """The columns of a table.

    Attributes
    ----------
    names : tuple of str or None
        Names of all columns, from the header; None without a header.
    width : int
        Number of fields of each row.
    features, targets : tuple of int
        Indices of columns.
    row_names : bool
        Whether the first column holds names or numbers of rows, and is left out.
    """

    names: tuple[str, ...] | None
    width: int
    features: tuple[int, ...]
    targets: tuple[int, ...] = ()
    row_names: bool = False

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of the features."""
        return self._names_of(self.features)

    @property
    def target_names(self) -> tuple[str, ...] | None:
        """The names of the targets."""
        return self._names_of(self.targets)

    def positions(self, columns: TableColumns) -> Positions:
        """Return where the targets are, and the columns that are left out."""
        kept = {*self.features, *self.targets}
        return Positions(self.targets, tuple(i for i in range(columns.width) if i not in kept))

    def _names_of(self, columns: Iterable[int]) -> tuple[str, ...] | None:
        return None if self.names is None else tuple(self.names[i] for i in columns)

    def column(self, index: int) -> str:
        """Return a column's name, or its index from 0, for messages."""
        return str(index) if self.names is None else repr(self.names[index])


class TableColumns(NamedTuple):
    """The columns of a table, before features and targets are chosen.

    Attributes
    ----------
    names : tuple of str or None
    width : int
        Number of columns, without empty ones after the last separators of each row.
    source : str
        What messages call the table.
    n_fields : int
        Number of columns, empty ones included.
    is_named_by_comment : bool
        Whether a comment line above the table holds the names.
    """

    names: tuple[str, ...] | None
    width: int
    source: str
    n_fields: int
    is_named_by_comment: bool = False

    @property
    def header_rows(self) -> int:
        """Number of records that hold names."""
        return 0 if self.names is None or self.is_named_by_comment else 1

    def index_of(self, column: str, option: str) -> int:
        """Return the index of a column that an option gives by name or index.

        Negative indices count from the end.

        Raises
        ------
        ConfigError
        """
        names, width = self.names, self.width
        if names is not None and column in names:
            return names.index(column)
        index = as_index(column)
        if index is not None and -width <= index < width:
            return index % width
        if index is not None or names is None:
            why = "" if names is not None or index is not None else (
                f", since {self.source} has no header (--header yes if its first row is one)"
            )  # fmt: skip
            raise ConfigError(
                f"{option} must be a column's index from {-width} to {width - 1}{why}, got "
                f"{column!r}; -1 is the last column"
            )
        raise ConfigError(
            f"{option} must be a column of {self.source}, got {column!r}{near(column, names)}"
        )

    def indices(self, columns: Iterable[str], option: str) -> list[int]:
        """Return the indices of several columns, each once.

        Raises
        ------
        ConfigError
        """
        return list(dict.fromkeys(self.index_of(column, option) for column in columns))


def find_columns(
    head: Head, options: TableOptions, source: str, known: tuple[str, ...] | None = None
) -> TableColumns:
    """Return the columns of a table, with their names if it has a header.

    Parameters
    ----------
    head : Head
    options : TableOptions
    source : str
        What messages call the table.
    known : tuple of str, optional
        Column names of a training table, to which the options apply, too. If the first row holds
        half of them, it is a header.

    Raises
    ------
    DataError
        If there is nothing below the header, or a name is missing or repeated.
    """
    first = [cell.strip() for cell in head.rows[0]]
    comment = head.comment and [cell.strip() for cell in head.comment]
    cells, separator = head.dialect.cells, head.dialect.separator
    is_header = options.header == "yes" or head.has_unnamed_first
    if options.header == AUTO and not is_header:
        is_header = _is_named(first, options, known) or has_header(head.rows, cells, separator)
    all_numbers = all(map(cells.is_number, first))
    names, by_comment = first if is_header else None, False
    # The first row of a table under --header yes may be the comment that numpy.savetxt writes.
    may_be_comment = comment and options.header != "no" and (not is_header or all_numbers)
    if comment and may_be_comment and has_header([comment, *head.rows], cells, separator):
        names, by_comment = comment, True
    width = head.width if by_comment else head.width - head.n_empty_last
    if names is None:
        return TableColumns(None, width, source, head.width)
    if not by_comment and len(head.records) == 1:
        raise DataError(
            f"{source} must have rows below its header, got only the header; add rows, or use "
            "--header no if it is a row of data"
        )
    names = names[:width]
    _check_names(names, source)
    return TableColumns(tuple(names), width, source, head.width, by_comment)


def find_layout(head: Head, options: TableOptions, columns: TableColumns) -> TableLayout:
    """Return the layout of a table of features and targets.

    Raises
    ------
    ConfigError
        If an option names no column, or two options name the same one.
    DataError
        If there is a single column.
    """
    names, width, source = columns.names, columns.width, columns.source
    if width < 2:
        raise DataError(
            f"{source} must have a column of features and one of targets, got a single column; "
            "separate columns by commas, semicolons, tabs or spaces, or name the separator with "
            "--separator"
        )
    targets = columns.indices(target_list(options.target, names), "target")
    features = sorted(columns.indices(options.features, "features"))
    dropped = columns.indices(options.drop, "drop")
    _check_roles(columns, targets, features, dropped)
    row_names = 0 not in (*features, *targets, *dropped) and has_row_names(head, columns)
    left_out = {*dropped, *features, *([0] if row_names else [])}
    if not targets:
        targets = [default_target(columns, [i for i in range(width) if i not in left_out])]
    if not features:
        features = [i for i in range(width) if i not in (*left_out, *targets)]
        _check_named(columns, features)
    if not features:
        raise ConfigError(
            f"features must hold a column besides the target, got none of {source}; drop fewer "
            "columns"
        )
    return TableLayout(names, columns.n_fields, tuple(features), tuple(targets), row_names)


def has_row_names(head: Head, columns: TableColumns) -> bool:
    """Whether the first column holds names or numbers of rows, as R and pandas write them."""
    if columns.names is None or columns.names[0].lower() not in ROW_NAMES or columns.width < 3:
        return False
    cells = [row[0].strip() for row in head.rows[columns.header_rows :]]
    numbers = [number for cell in cells if (number := CellFormat().number(cell)) is not None]
    if not numbers:
        return True
    whole = len(numbers) == len(cells) and all(number.is_integer() for number in numbers)
    if columns.names[0].lower() not in UNNAMED:
        return whole and [n - numbers[0] for n in numbers] == list(range(len(numbers)))
    return whole and len(set(numbers)) == len(numbers)


def target_list(target: str, names: tuple[str, ...] | None) -> list[str]:
    """Return the columns that the option target names, separated by commas."""
    if not target:
        return []
    if names is not None and target in names:
        return [target]
    return [part.strip() for part in next(csv.reader([target], skipinitialspace=True), [])]


def as_index(text: str) -> int | None:
    """Return the number in a text, or None."""
    try:
        return int(text)
    except ValueError:
        return None


def near(name: str, names: Iterable[str]) -> str:
    """Return a hint at the nearest name, else the first of all names."""
    hint = close_match(name, names)
    return hint if "did you mean" in hint else f"; known: {listed(list(names))}"


def _is_named(first: list[str], options: TableOptions, known: tuple[str, ...] | None) -> bool:
    """Whether the first row holds names from an option or from the training table."""
    given = [*target_list(options.target, tuple(first)), *options.features, *options.drop]
    width = len(first)
    for column in given:
        index = as_index(column)
        is_name = index is None or (known is None and not -width <= index < width)
        if is_name and column in first:
            return True
    wanted = set(known or ())
    return bool(wanted) and 2 * len(wanted & set(first)) >= len(wanted)


def default_target(columns: TableColumns, candidates: list[int]) -> int:
    """Return the target among columns: by its name, else the last one."""
    if not candidates:
        raise ConfigError(
            f"target must be a column of {columns.source}, got none: all are features or dropped; "
            "name it with --target"
        )
    lower = [name.lower() for name in columns.names or ()]
    by_name = [lower.index(name) for name in TARGET_NAMES if name in lower]
    return next((index for index in by_name if index in candidates), candidates[-1])


def _check_roles(
    columns: TableColumns, targets: list[int], features: list[int], dropped: list[int]
) -> None:
    roles = (("target", targets), ("features", features), ("drop", dropped))
    for (name, chosen), (other, others) in combinations(roles, 2):
        if shared := [index for index in chosen if index in others]:
            column = shared[0] if columns.names is None else repr(columns.names[shared[0]])
            raise ConfigError(
                f"{name} and {other} must not name the same column, got {column} in both; "
                "remove it from one of them"
            )


def _check_names(names: list[str], source: str) -> None:
    repeated = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if repeated:
        raise DataError(
            f"{source}: column names must differ, got {quoted(repeated)} more "
            "than once; rename them"
        )


def _check_named(columns: TableColumns, features: list[int]) -> None:
    for index in features:
        if columns.names is not None and not columns.names[index]:
            raise DataError(
                f"{columns.source}: every column must have a name, got none for column {index} "
                f"(counting from 0); name it, or leave it out with --drop {index}"
            )
