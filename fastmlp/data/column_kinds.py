"""The kind of each column of a table, found from its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..base.dates import find_format
from ..base.errors import ConfigError, DataError
from ..base.levels import as_number
from ..base.table_rows import Column, Numbers, TableRows, Texts, Times
from ..base.wording import quoted
from ..ops.kinds import KINDS, ColumnFacts

NUMBER, BOOLEAN, CATEGORY = "number", "boolean", "category"
DATE, IDENTIFIER, CONSTANT = "date", "identifier", "constant"
# Texts among numbers are gaps if few different ones occur, such as "unknown", and less often.
MOST_STRAY = 3
LEAST_NUMBERS = 10  # different ones in such a column: "80+" after few numbers is a level
LEAST_CONSECUTIVE = 20  # rows: in shorter tables values count up by chance
MANY_WORDS = 8  # on average; names and addresses have fewer
# Words of names such as PassengerId, order_id, "Row ID", PID.
_NAMES_OF_IDENTIFIERS = {
    "id", "ids", "pid", "uid", "uuid", "guid", "identifier", "rowid", "rownum", "rownumber",
    "index", "idx", "unnamed",
}  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Found(NamedTuple):
    """A column's kind, the column as it was understood, and what there is to say."""

    kind: str
    column: Column
    note: str = ""


class TypedTable(NamedTuple):
    """A table whose columns have kinds.

    Attributes
    ----------
    rows : TableRows
        The columns that make features, stored as their kinds are.
    facts : tuple of ColumnFacts
        Of all columns, also of those left out.
    kept : tuple of int
        The indices of the columns that make features.
    """

    rows: TableRows
    facts: tuple[ColumnFacts, ...]
    kept: tuple[int, ...]

    @property
    def notes(self) -> list[str]:
        """What is to be said of columns, a line each."""
        return [column_note(fact.name, fact.note) for fact in self.facts if fact.note]

    @property
    def warnings(self) -> list[str]:
        """The notes on columns that may hold information: all but constant ones."""
        noted = [fact for fact in self.facts if fact.note and fact.kind != CONSTANT]
        return [column_note(fact.name, fact.note) for fact in noted]


def find_kinds(
    rows: TableRows, labels: Sequence[str], asked: Mapping[int, str], where: str
) -> TypedTable:
    """Find the kind of each column.

    Parameters
    ----------
    rows : TableRows
        Of all parts together.
    labels : sequence of str
        What messages call the columns.
    asked : mapping of int to str
        The kinds, number or category, that were asked for. Such columns are kept.
    where : str
        What messages call the table.

    Raises
    ------
    ConfigError
        If numbers were asked for in a column that has none.
    DataError
        If a column holds texts of many words, or no column is left.
    """
    found = [
        _asked(column, asked[j], labels[j], where) if j in asked
        else _found(column, None if rows.names is None else rows.names[j], labels[j], where)
        for j, column in enumerate(rows.selected())
    ]  # fmt: skip
    found = _with_a_feature(found)
    kept = tuple(j for j, one in enumerate(found) if not KINDS.parse(one.kind).is_left_out)
    facts = tuple(_facts(one, label) for one, label in zip(found, labels, strict=True))
    if not kept:
        notes = "; ".join(f"{shown(fact.name)} is {fact.kind}" for fact in facts[:5])
        raise DataError(
            f"{where} must have a column that makes a feature, got none ({notes}); keep one with "
            "--categorical or --numeric"
        )
    columns = tuple(KINDS.parse(found[j].kind).own(found[j].column) for j in kept)
    kinds = tuple(found[j].kind for j in kept)
    names = None if rows.names is None else tuple(rows.names[j] for j in kept)
    return TypedTable(TableRows(columns, kinds, names), facts, kept)


def numeric_identifiers(columns: Sequence[np.ndarray], names: Sequence[str] | None) -> list[int]:
    """Return the columns of numbers that only identify rows; never all columns."""
    found = [
        j
        for j, values in enumerate(columns)
        if _identifies(values, None if names is None else names[j])
    ]
    return found if len(found) < len(columns) else []


def column_note(label: str, note: str) -> str:
    """Return a note on a column, a line."""
    return f"column {shown(label)}: {note}"


def shown(label: str) -> str:
    """Return a column's name as it is, or in quotes if it has other signs than words have."""
    return label if re.fullmatch(r"[\w.-]+", label) else repr(label)


def identifier_note(label: str) -> str:
    """Return why an identifier is left out, and how to keep it."""
    label = shown(label)
    return (
        f"left out, since it identifies rows (--numeric {label} or --categorical {label} to keep "
        f"it; predict --keep {label} carries it into the output)"
    )


def _asked(column: Column, kind: str, label: str, where: str) -> Found:
    if kind == CATEGORY:
        return Found(CATEGORY, column)
    numbers = Numbers(column.numbers())
    if len(column) and numbers.missing().all():
        got = next(filter(None, column.shown()), "only gaps")
        raise ConfigError(
            f"numeric must name columns of numbers, got {shown(label)} of {where}, which holds "
            f"{got!r}; leave it out, or use categorical"
        )
    return Found(NUMBER, numbers)


def _found(column: Column, name: str | None, label: str, where: str) -> Found:
    if isinstance(column, Texts):
        return _of_texts(column, name, label, where)
    if isinstance(column, Times):
        return _or_constant(Found(DATE, column))
    return _of_numbers(column.numbers(), name, label)


def _of_numbers(values: np.ndarray, name: str | None, label: str, note: str = "") -> Found:
    column = Numbers(values)
    if _identifies(values, name):
        return Found(IDENTIFIER, column, identifier_note(label))
    is_boolean = values.dtype == bool or bool(np.all((values == 0) | (values == 1) | _nan(values)))
    return _or_constant(Found(BOOLEAN if is_boolean else NUMBER, column, note))


def _of_texts(column: Texts, name: str | None, label: str, where: str) -> Found:
    texts = column.texts()
    counts = texts.counts()
    used = np.flatnonzero(counts)
    levels = [texts.levels[i] for i in used]
    if not levels:
        return Found(CONSTANT, column, "left out, since it holds no value")
    are_numbers = ~np.isnan([as_number(level) for level in levels])
    strays = [level for level, is_number in zip(levels, are_numbers, strict=True) if not is_number]
    if _are_strays(strays, levels, counts[used][are_numbers].sum(), counts.sum()):
        note = ""
        if strays:
            n = int(counts.sum() - counts[used][are_numbers].sum())
            note = f"{quoted(strays)} in {n} row(s) taken as gaps (--categorical {shown(label)})"
        return _of_numbers(column.numbers(), name, label, note)
    if (format := find_format(levels)) is not None:
        return _or_constant(Found(DATE, column.times(format)))
    n_known = int(counts.sum())
    if len(levels) > n_known / 2:
        _check_words(levels, label, where)
    if len(levels) == n_known > 1:
        return Found(IDENTIFIER, texts, identifier_note(label))
    return _or_constant(Found(CATEGORY, texts))


def _are_strays(strays: list[str], levels: list[str], n_numbers: int, n_known: int) -> bool:
    """Whether a column of texts is one of numbers, in which a few others mean gaps."""
    if not strays:
        return True
    few = len(strays) <= MOST_STRAY and len(levels) - len(strays) >= LEAST_NUMBERS
    return few and 2 * n_numbers > n_known


def _or_constant(found: Found) -> Found:
    column = found.column
    gaps = column.missing()
    if gaps.all():
        return Found(CONSTANT, column, "left out, since it holds no value")
    data = column.data
    if not gaps.any() and bool(np.all(data == data[0])):
        value = column.take([0]).shown()[0]
        return Found(CONSTANT, column, f"left out, since it holds only {value!r}")
    return found


def _with_a_feature(found: list[Found]) -> list[Found]:
    """Keep identifiers that are numbers if nothing else makes a feature."""
    if any(not KINDS.parse(one.kind).is_left_out for one in found):
        return found
    return [
        Found(NUMBER, one.column)
        if one.kind == IDENTIFIER and isinstance(one.column, Numbers) else one
        for one in found
    ]  # fmt: skip


def _identifies(values: np.ndarray, name: str | None) -> bool:
    """Whether numbers are whole and different in every row, and named so or consecutive."""
    n = len(values)
    if n < 2 or values.dtype == bool or (values.dtype.kind == "f" and _nan(values).any()):
        return False
    low, high = values.min(), values.max()
    is_consecutive = n >= LEAST_CONSECUTIVE and float(high) - float(low) == n - 1
    if not (is_consecutive or _is_named_so(name)):
        return False
    with np.errstate(invalid="ignore"):
        if values.dtype.kind == "f" and not np.all(values == np.floor(values)):
            return False
    return len(np.unique(values)) == n


def _is_named_so(name: str | None) -> bool:
    return name is not None and any(
        word.lower() in _NAMES_OF_IDENTIFIERS for word in _WORDS.findall(name)
    )


def _check_words(levels: list[str], label: str, where: str) -> None:
    few = levels[:1000]
    words = sum(len(level.split()) for level in few) / len(few)
    if words >= MANY_WORDS:
        raise DataError(
            f"{where}: column {shown(label)} must hold numbers, categories or dates, got texts of "
            f"{words:.0f} words on average, such as {few[0][:40] + '...'!r}; leave it out with "
            f"--drop {shown(label)}, or make numbers of it, for example with "
            "sklearn.feature_extraction.text.TfidfVectorizer"
        )


def _facts(found: Found, label: str) -> ColumnFacts:
    column = found.column
    n_levels = int(np.count_nonzero(column.counts())) if isinstance(column, Texts) else 0
    n_missing = int(np.count_nonzero(column.missing()))
    return ColumnFacts(label, found.kind, n_levels, n_missing, found.note)


def _nan(values: np.ndarray) -> np.ndarray:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
