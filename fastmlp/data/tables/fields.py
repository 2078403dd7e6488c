"""Cells of a table: numbers, true or false, missing values, other texts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...base.lazy import lazy
from ...base.levels import MISSING

BOOLEANS = {"true": 1.0, "false": 0.0}
# Blanks that are used like a space between groups of digits.
_BLANKS = str.maketrans("\xa0\u202f\u2009", "   ")
COMMA_NUMBER = re.compile(r"[-+]?(?:\d+,\d*|,\d+)(?:[eE][-+]?\d+)?")
POINT_NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?")
# Ambiguous: 1,250 is 1250 with a thousands sign, or 1.25 with a decimal comma.
EITHER_NUMBER = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class CellFormat:
    """How the cells of a table write numbers and missing values.

    Attributes
    ----------
    decimal : {".", ","}
    thousands : str
        The sign between groups of three digits; empty: none.
    na_values : tuple of str
        Texts or numbers that mean a missing value, besides MISSING.
    """

    decimal: str = "."
    thousands: str = ""
    na_values: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == "." and not self.thousands

    @lazy
    def na_numbers(self) -> tuple[float, ...]:
        """Numbers that mean a missing value, such as -999."""
        numbers = map(self.number, self.na_values)
        return tuple(number for number in numbers if number is not None)

    def number(self, cell: str) -> float | None:
        """Return the number in a cell as float() reads it, also NaN; None for any other text."""
        text = cell.strip()
        if not self.is_plain:
            text = self._as_python(text)
        # float() accepts underscores, which identifiers in tables may hold, too.
        if "_" in text:
            return None
        try:
            return float(text)
        except ValueError:
            return None

    def feature(self, cell: str) -> float | None:
        """Return the number in a cell of a feature: 1 or 0 for True or False, None for a text."""
        number = self.number(cell)
        return BOOLEANS.get(cell.strip().lower()) if number is None else number

    def is_missing(self, cell: str) -> bool:
        """Whether a cell means a missing value."""
        text = cell.strip()
        if text.lower() in MISSING or text in self.na_values:
            return True
        return bool(self.na_numbers) and self.number(text) in self.na_numbers

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number: "inf" is one, "nan" is not."""
        number = self.number(cell)
        return number is not None and not math.isnan(number)

    def _as_python(self, text: str) -> str:
        """Return a number as float() takes it, and "_", which it refuses, for anything else."""
        mark = self.thousands
        if mark == " ":
            text = text.translate(_BLANKS)
        if mark and mark in text:
            if not self._groups.fullmatch(text):
                return "_"
            text = text.replace(mark, "")
        if self.decimal == ",":
            return "_" if "." in text else text.replace(",", ".")
        return text

    @lazy
    def _groups(self) -> re.Pattern[str]:
        mark, sign = re.escape(self.thousands), re.escape(self.decimal)
        return re.compile(rf"[-+]?\d{{1,3}}(?:{mark}\d{{3}})+(?:{sign}\d*)?(?:[eE][-+]?\d+)?")


def is_boolean(cell: str) -> bool:
    """Whether a cell is true or false, in any case."""
    return cell.strip().lower() in BOOLEANS


def is_numeral(cell: str, separator: str) -> bool:
    """Whether a cell is a number by a decimal sign that is possible with the separator."""
    if PLAIN.is_number(cell):
        return True
    return separator != "," and COMMA_NUMBER.fullmatch(cell.strip()) is not None


PLAIN = CellFormat()
