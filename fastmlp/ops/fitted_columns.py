"""Encodings of single columns, fitted on the training rows: each turns values into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..base.dates import ISO, MOST_SECONDS, NO_FORMAT, parts_of
from ..base.table_rows import Column, Times
from .scalers import clipped, scaled_formula

DAY = 86400.0
# Parts of a time; days are counted from the first one in training.
PARTS = ("year", "month", "weekday", "hour", "days")


# The parts of a time x in seconds since 1970, by the proleptic Gregorian calendar: years from March
# on, in cycles of 400 (http://howardhinnant.github.io/date_algorithms.html).
CALENDAR = f"""\
t = where(abs(x) <= {MOST_SECONDS!r}, x, 0)
day = floor(t / 86400)
hour = floor((t - 86400 * day) / 3600)
weekday = day + 3 - 7 * floor((day + 3) / 7)
since = day + 719468
era = floor(since / 146097)
of_era = since - 146097 * era
less = of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)
years = floor(less / 365)
of_year = of_era - 365 * years - floor(years / 4) + floor(years / 100)
from_march = floor((5 * of_year + 2) / 153)
month = where(from_march < 10, from_march + 3, from_march - 9)
year = years + 400 * era + where(month <= 2, 1, 0)
"""
GAP_FORMULA = "where(isnan(x), 1, 0)"


class Slot(NamedTuple):
    """At most one non-zero element in each row.

    Attributes
    ----------
    feature : int or ndarray of int, shape (n,)
        The feature, counted within the column's; -1: none.
    values : float or ndarray of float64, shape (n,)
    """

    feature: int | np.ndarray
    values: float | np.ndarray


@dataclass(frozen=True)
class FittedColumn(ABC):
    """The encoding of a column.

    Attributes
    ----------
    n_missing : int
        Gaps in the training rows.
    """

    n_missing: int
    has_scaled: ClassVar[bool] = False
    # What exports take: a number, a time in seconds since 1970, or a text; gaps are NaN, or empty.
    takes: ClassVar[str] = "number"

    def __post_init__(self) -> None:
        """Check values, which may come from a file; ValueError for what does not fit."""
        require(self.n_missing >= 0, f"n_missing must be at least 0, got {self.n_missing}")

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Names of its features, without the column's."""

    def prepared(self, column: Column) -> Column:
        """Return a column in the form that :meth:`slots` takes, once for all its rows."""
        return column

    @abstractmethod
    def slots(self, column: Column) -> list[Slot]:
        """Return the features of the values of a prepared column."""

    @property
    @abstractmethod
    def treatment(self) -> str:
        """What is done with its values, for people."""

    @property
    @abstractmethod
    def stand_in(self) -> str:
        """What stands for a gap, for people."""

    def formulas(self) -> list[str]:
        """Return a formula of the value x for each feature, for exports; none of a text."""
        return []

    def unscaled(self, column: Column) -> list[np.ndarray]:
        """Return the features that are scaled, before scaling; gaps are filled."""
        return []

    def with_scaling(self, offsets: Sequence[float], factors: Sequence[float], clip: float) -> Self:
        """Return the encoding that scales these features by ``(x - offset) * factor``.

        With ``clip``, they approach it smoothly.
        """
        return self


@dataclass(frozen=True)
class FittedNumber(FittedColumn):
    """Numbers, scaled: gaps are the median, with an indicator where training had gaps."""

    fill: float
    offset: float = 0.0
    factor: float = 1.0
    clip: float = 0.0
    has_scaled: ClassVar[bool] = True

    @classmethod
    def of(cls, column: Column) -> FittedNumber:
        """Fit on training rows."""
        values = column.numbers()
        known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        fill = float(np.median(known)) if len(known) else 0.0
        return cls(len(values) - len(known), fill)

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("", "missing") if self.n_missing else ("",)

    def unscaled(self, column: Column) -> list[np.ndarray]:
        values = column.numbers()
        if values.dtype.kind != "f":
            return [values.astype(np.float64)]
        gaps = np.isnan(values)
        return [np.where(gaps, self.fill, values) if gaps.any() else values]

    def with_scaling(
        self, offsets: Sequence[float], factors: Sequence[float], clip: float
    ) -> FittedNumber:
        return replace(self, offset=offsets[0], factor=factors[0], clip=clip)

    def slots(self, column: Column) -> list[Slot]:
        (values,) = self.unscaled(column)
        return [
            Slot(0, clipped((values - self.offset) * self.factor, self.clip)),
            *([Slot(1, column.missing_numbers().astype(float))] if self.n_missing else []),
        ]

    def formulas(self) -> list[str]:
        filled = f"where(isnan(x), {self.fill!r}, x)"
        scaled = scaled_formula(filled, repr(self.offset), repr(self.factor), self.clip)
        return [scaled, *([GAP_FORMULA] if self.n_missing else [])]

    @property
    def treatment(self) -> str:
        gaps = f"; gaps: {self.stand_in}, with an indicator" if self.n_missing else ""
        return f"scaled{gaps}" if self.factor else f"left out: one value in training{gaps}"

    @property
    def stand_in(self) -> str:
        return f"the median {self.fill:g}"


@dataclass(frozen=True)
class FittedBoolean(FittedColumn):
    """0 and 1: gaps are the more frequent value, with an indicator where training had gaps."""

    fill: float

    @classmethod
    def of(cls, column: Column) -> FittedBoolean:
        """Fit on training rows."""
        found = FittedNumber.of(column)
        return cls(found.n_missing, float(found.fill > 0.5))

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("", "missing") if self.n_missing else ("",)

    def slots(self, column: Column) -> list[Slot]:
        values, gaps = column.numbers(), column.missing_numbers()
        filled = np.where(gaps, self.fill, values).astype(np.float64)
        return [Slot(0, filled), *([Slot(1, gaps.astype(float))] if self.n_missing else [])]

    def formulas(self) -> list[str]:
        filled = f"where(isnan(x), {self.fill!r}, x)"
        return [filled, *([GAP_FORMULA] if self.n_missing else [])]

    @property
    def treatment(self) -> str:
        gaps = f"; gaps: {self.stand_in}, with an indicator" if self.n_missing else ""
        return f"one column of 0 and 1{gaps}"

    @property
    def stand_in(self) -> str:
        return f"the more frequent {self.fill:g}"


@dataclass(frozen=True)
class FittedDate(FittedColumn):
    """Parts of dates and times that vary in training, scaled; gaps as of numbers.

    Attributes
    ----------
    format : str
        Of texts.
    first : float
        The first time in training, in seconds since 1970.
    parts : tuple of str
    fills, offsets, factors : tuple of float
        One for each part.
    """

    format: str
    first: float
    parts: tuple[str, ...]
    fills: tuple[float, ...]
    offsets: tuple[float, ...]
    factors: tuple[float, ...]
    clip: float = 0.0
    has_scaled: ClassVar[bool] = True
    takes: ClassVar[str] = "time"

    def __post_init__(self) -> None:
        super().__post_init__()
        in_order = tuple(name for name in PARTS if name in self.parts)
        require(self.parts == in_order, f"parts must be of {', '.join(PARTS)}, in order")
        sizes = {len(self.fills), len(self.offsets), len(self.factors)}
        require(sizes == {len(self.parts)}, "parts must have a number each")

    @classmethod
    def of(cls, column: Times) -> FittedDate:
        """Fit on training rows."""
        seconds = column.seconds
        known = seconds[~np.isnan(seconds)]
        first = float(known.min()) if len(known) else 0.0
        values = _date_parts(known, first)
        parts = tuple(
            name for name in PARTS if len(known) and values[name].min() < values[name].max()
        )
        n = len(parts)
        fills = tuple(float(np.median(values[name])) for name in parts)
        return cls(
            len(seconds) - len(known), column.format, first, parts, fills, (0.0,) * n, (1.0,) * n
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.parts, "missing") if self.n_missing else self.parts

    def unscaled(self, column: Column) -> list[np.ndarray]:
        values = _date_parts(column.times(self.format).seconds, self.first)
        return [
            np.where(np.isnan(values[name]), fill, values[name])
            for name, fill in zip(self.parts, self.fills, strict=True)
        ]

    def with_scaling(
        self, offsets: Sequence[float], factors: Sequence[float], clip: float
    ) -> FittedDate:
        return replace(self, offsets=tuple(offsets), factors=tuple(factors), clip=clip)

    def slots(self, column: Column) -> list[Slot]:
        found = [
            Slot(i, clipped((values - offset) * factor, self.clip))
            for i, (values, offset, factor) in enumerate(
                zip(self.unscaled(column), self.offsets, self.factors, strict=True)
            )
        ]
        if self.n_missing:
            gaps = column.times(self.format).missing()
            found.append(Slot(len(self.parts), gaps.astype(float)))
        return found

    def formulas(self) -> list[str]:
        found = []
        for name, *numbers in zip(self.parts, self.fills, self.offsets, self.factors, strict=True):
            fill, offset, factor = map(repr, numbers)
            filled = f"where(abs(x) <= {MOST_SECONDS!r}, {name}, {fill})"
            if name == "days":
                filled = f"where(isnan(x), {fill}, (x - {self.first!r}) / {DAY!r})"
            found.append(CALENDAR + scaled_formula(filled, offset, factor, self.clip))
        return [*found, *([GAP_FORMULA] if self.n_missing else [])]

    @property
    def treatment(self) -> str:
        gaps = f"; gaps: {self.stand_in}, with an indicator" if self.n_missing else ""
        names = ["days since the first" if name == "days" else name for name in self.parts]
        read = f"; texts as {self.format}" if self.format not in (NO_FORMAT, ISO) else ""
        return f"{', '.join(names)}; scaled{read}{gaps}" if names else f"left out: one time{gaps}"

    @property
    def stand_in(self) -> str:
        return "the median of each part"


def require(holds: bool, rule: str) -> None:
    """Raise ValueError with a rule that does not hold."""
    if not holds:
        raise ValueError(rule)


def _date_parts(seconds: np.ndarray, first: float) -> dict[str, np.ndarray]:
    return {**parts_of(seconds)._asdict(), "days": (seconds - first) / DAY}
