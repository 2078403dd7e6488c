"""A row of a comparison: the reported figure, fastmlp's, and whether that is as good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from fastmlp.reports.tables import Table

Rule = Literal["at least", "at most", "equal", "faster", ""]
HEADER = ("row", "reported", "fastmlp", "difference or ratio", "verdict")


@dataclass(frozen=True)
class Row:
    """One figure of a system.

    Attributes
    ----------
    system, name : str
    reported : float, str or None
        None: not reported.
    ours : float or str
    rule : {"at least", "at most", "equal", "faster", ""}
        When ours counts as good, for numbers; faster: both are seconds. Empty: no verdict.
    tolerance : float
        Of "equal".
    note : str
        A choice, or an explanation of the figure.
    is_known_gap : bool
        Whether the figure is known not to be reached; the note says why, and what reaches it.
    """

    system: str
    name: str
    reported: float | str | None
    ours: float | str
    rule: Rule = ""
    tolerance: float = 0.0
    note: str = ""
    is_known_gap: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether ours is as good; None without a figure or a rule to compare by."""
        reported, ours = self.reported, self.ours
        if not self.rule or not isinstance(reported, (int, float)) or isinstance(ours, str):
            return None
        if self.rule == "equal":
            return abs(ours - reported) <= self.tolerance
        return ours >= reported if self.rule == "at least" else ours <= reported

    @property
    def has_failed(self) -> bool:
        """Whether a reported figure is not reached, and should be."""
        return self.ok is False and not self.is_known_gap

    @property
    def verdict(self) -> str:
        """The verdict as a text."""
        return {True: "ok", False: "not reached", None: ""}[self.ok]

    @property
    def difference(self) -> str:
        """How ours compares with the reported figure, as a text."""
        reported, ours = self.reported, self.ours
        if not self.rule or not isinstance(reported, (int, float)) or isinstance(ours, str):
            return ""
        if self.rule == "faster":
            return f"{reported / ours:.3g} times as fast"
        off = ours - reported
        if self.rule == "equal":
            return f"{off:+.1e}" if off else "0"
        return f"{off:+,d}" if isinstance(off, int) else f"{off:+.4f}"

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts, under ``HEADER``."""
        shown = map(self._text, (self.reported, self.ours))
        return (self.name, *shown, self.difference, self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as ``summary.json`` has it."""
        return {
            "system": self.system,
            "row": self.name,
            "reported": self.reported,
            "ours": self.ours,
            "ok": self.ok,
            "note": self.note,
        }

    def _text(self, value: float | str | None) -> str:
        if value is None:
            return "not reported"
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            return f"{value:,}"
        if self.rule == "faster":
            return f"{value:,.4g} s"
        return f"{value:.12g}" if self.rule == "equal" else f"{value:.4f}"


def row_table(rows: Iterable[Row]) -> Table:
    """Return rows as a table of texts."""
    return Table(HEADER, [row.cells() for row in rows])


def count(rows: Iterable[Row]) -> tuple[int, int, int]:
    """Return how many rows there are, how many of them as good or better, and how many not."""
    verdicts = [row.ok for row in rows]
    return len(verdicts), verdicts.count(True), verdicts.count(False)


def count_text(rows: Iterable[Row]) -> str:
    """Return :func:`count` in words."""
    total, good, bad = count(rows)
    return (
        f"{total} rows, {good + bad} of them with a figure to compare: {good} as good or better, "
        f"{bad} not"
    )
