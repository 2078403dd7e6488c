"""Kinds of columns of a table: how their values are stored, and how they become features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..base.dates import NO_FORMAT, find_format
from ..base.levels import level_order
from ..base.table_rows import Column, Numbers, Times
from .fitted_category import MERGED, NONE, OWN, FittedCategory
from .fitted_columns import FittedBoolean, FittedColumn, FittedDate, FittedNumber
from .spec import Registry, Spec

DEFAULT_MIN_FREQUENCY = 5


@dataclass(frozen=True)
class Kind(Spec):
    """A kind of column.

    Attributes
    ----------
    holds_numbers : bool
        Whether files are read as numbers where the kind is known; else as texts.
    has_levels : bool
        Whether its values are categories.
    fitted : type or None
        The class of its encodings; None if it is left out.
    """

    holds_numbers: ClassVar[bool] = False
    has_levels: ClassVar[bool] = False
    fitted: ClassVar[type[FittedColumn] | None] = None

    @property
    def is_left_out(self) -> bool:
        """Whether such columns make no features."""
        return self.fitted is None

    def own(self, column: Column, format: str = NO_FORMAT) -> Column:
        """Return a column as this kind stores it; ``format``, if known, is that of dates."""
        return column

    def fit(self, column: Column, min_frequency: int) -> FittedColumn:
        """Fit the encoding on the training rows of a column.

        Parameters
        ----------
        column : Column
        min_frequency : int
            Rows that a level must have for a feature of its own.
        """
        raise NotImplementedError(f"columns of kind {self.name} make no features")


KINDS: Registry[Kind] = Registry("kind")


@KINDS.add
class NumberKind(Kind):
    name = "number"
    formula = "gaps to the median, with an indicator; scaled"
    holds_numbers = True
    fitted = FittedNumber

    def own(self, column: Column, format: str = NO_FORMAT) -> Column:
        return column if isinstance(column, Numbers) else Numbers(column.numbers())

    def fit(self, column: Column, min_frequency: int) -> FittedColumn:
        return FittedNumber.of(column)


@KINDS.add
class BooleanKind(Kind):
    name = "boolean"
    formula = "one column of 0 and 1"
    holds_numbers = True
    fitted = FittedBoolean

    def own(self, column: Column, format: str = NO_FORMAT) -> Column:
        return column if isinstance(column, Numbers) else Numbers(column.numbers())

    def fit(self, column: Column, min_frequency: int) -> FittedColumn:
        return FittedBoolean.of(column)


@KINDS.add
class CategoryKind(Kind):
    name = "category"
    has_levels = True
    formula = "one-hot, rare levels merged"
    fitted = FittedCategory

    def own(self, column: Column, format: str = NO_FORMAT) -> Column:
        return column.texts()

    def fit(self, column: Column, min_frequency: int) -> FittedColumn:
        texts = column.texts()
        counts = texts.counts()
        n_missing = int(np.count_nonzero(texts.missing()))
        pairs = [(level, int(n)) for level, n in zip(texts.levels, counts, strict=True) if n]
        kept = [level for level, n in pairs if n >= min_frequency]
        n_merged = len(pairs) - len(kept)
        gap = NONE
        if n_missing:
            gap = OWN if n_missing >= min_frequency else MERGED
            n_merged += gap == MERGED
        levels = tuple(sorted(kept, key=level_order))
        return FittedCategory(n_missing, levels, n_merged, gap, min_frequency)


@KINDS.add
class DateKind(Kind):
    name = "date"
    formula = "year, month, weekday, hour and days since the first, where they vary; scaled"
    fitted = FittedDate

    def own(self, column: Column, format: str = NO_FORMAT) -> Times:
        return column.times(format or find_format(getattr(column, "levels", ())) or NO_FORMAT)

    def fit(self, column: Column, min_frequency: int) -> FittedColumn:
        return FittedDate.of(self.own(column))


@KINDS.add
class IdentifierKind(Kind):
    name = "identifier"
    formula = "left out"


@KINDS.add
class ConstantKind(Kind):
    name = "constant"
    formula = "left out"


class ColumnFacts(NamedTuple):
    """What was found about a column of the data.

    Attributes
    ----------
    name : str
        Its name, or its index in the table.
    kind : str
        The name of its kind.
    n_levels : int
        Different values.
    n_missing : int
    note : str
        Why it is left out, and how to keep it; or what else there is to say. May be empty.
    """

    name: str
    kind: str
    n_levels: int
    n_missing: int
    note: str = ""
