"""Whether the first row of a table holds the names of its columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from .fields import CellFormat, is_boolean, is_numeral

YEARS = (1900, 2100)
# Numbers that are names count up; a row of data may, too, by chance, but seldom over this many.
FEW_STEPS, MANY_STEPS = 3, 8


def has_header(head: list[list[str]], cells: CellFormat, separator: str = ",") -> bool:
    """Whether the first of these rows holds names.

    The first row is a header in each of these cases:

    - it has texts above columns of numbers: at least two, or one if its numbers count up, or only
      texts;
    - all rows are text;
    - its numbers count up as column names do, those below do not, and no text of it recurs below.

    A single row is a header unless all its cells are numbers.

    Parameters
    ----------
    head : list of list of str
        Equally long.
    cells : CellFormat
    separator : str, default ","
    """

    def is_value(cell: str) -> bool:
        return is_numeral(cell, separator) or cells.is_number(cell)

    first, rest = head[0], head[1:]
    numbers = [i for i, cell in enumerate(first) if is_value(cell)]
    others = [i for i in range(len(first)) if i not in set(numbers)]
    texts = [i for i in others if not (cells.is_missing(first[i]) or is_boolean(first[i]))]
    if not rest:
        return len(numbers) < len(first)
    if not texts and len(numbers) < len(first):
        return False
    values = [_as_number(first[i], cells) for i in numbers]
    counts = not numbers or _counts_up(values, rest, numbers, cells)
    if texts:
        below = [_is_numeric(column, is_value, cells) for column in zip(*rest, strict=True)]
        n_above_numbers = sum(below[i] for i in texts)
        are_distinct = len({first[i].strip() for i in texts}) == len(texts)
        if n_above_numbers:
            return counts or (n_above_numbers > 1 and are_distinct and _are_indices(values))
        recurs = any(first[i].strip() in {row[i].strip() for row in rest} for i in texts)
        if not numbers:
            return not any(below) and not recurs
        return counts and (len(numbers) >= FEW_STEPS or _are_years(values)) and not recurs
    return counts and (len(first) >= FEW_STEPS or _are_years(values))


def _counts_up(
    values: list[float], rest: list[list[str]], columns: list[int], cells: CellFormat
) -> bool:
    """Whether numbers may be column names: 0, 1, ..., years, or long rising sequences."""
    if values == list(map(float, range(len(values)))):
        return True
    below = [[_as_number(row[i], cells) for i in columns] for row in rest]
    if len(values) >= 2 and _are_years(values) and len(set(values)) == len(values):
        return 2 * sum(map(_are_years, below)) < len(below)
    if len(values) >= FEW_STEPS and _is_even(values) and values[0] == 1:
        return not any(map(_is_even, below))
    return len(values) >= MANY_STEPS and _rises(values) and not any(map(_rises, below))


def _are_years(values: list[float]) -> bool:
    return all(value.is_integer() and YEARS[0] <= value <= YEARS[1] for value in values)


def _are_indices(values: list[float]) -> bool:
    """Whether numbers may be the names that pandas gives to columns without names."""
    return len(set(values)) == len(values) and all(
        value.is_integer() and value >= 0 for value in values
    )


def _is_even(values: list[float]) -> bool:
    steps = [after - before for before, after in pairwise(values)]
    return bool(steps) and steps[0] != 0 and all(
        math.isclose(step, steps[0], rel_tol=1e-6) for step in steps
    )  # fmt: skip


def _rises(values: list[float]) -> bool:
    return all(before < after for before, after in pairwise(values))


def _as_number(cell: str, cells: CellFormat) -> float:
    number = cells.number(cell)
    if number is None:
        text = cell.strip().replace(",", ".")
        number = CellFormat().number(text)
    return math.nan if number is None else number


def _is_numeric(column: Iterable[str], is_value: Callable[[str], bool], cells: CellFormat) -> bool:
    """Whether most cells that are not missing are numbers; a few may be typing errors."""
    given = [cell for cell in column if not cells.is_missing(cell)]
    return 2 * sum(is_value(cell) or is_boolean(cell) for cell in given) > len(given)
