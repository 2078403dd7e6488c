"""One-hot encodings of categories, fitted on the training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from ..base.table_rows import GAP, Column, Texts
from .fitted_columns import FittedColumn, Slot, require

OWN, MERGED, NONE = "level", "rare", "zero"  # what stands for a gap


@dataclass(frozen=True, eq=False)
class _Entries(Texts):
    """Texts with the index of each code's entry, the gaps' last."""

    by_code: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))

    def with_data(self, data: np.ndarray) -> _Entries:
        return _Entries(data, self.levels, self.is_canonical, self.by_code)


class LevelFeatures(NamedTuple):
    """The feature of each level, counted within the column's; -1: none.

    Attributes
    ----------
    levels : dict of str to int
    other : int
        Of all other texts.
    gap : int
    """

    levels: dict[str, int]
    other: int
    gap: int


@dataclass(frozen=True)
class FittedCategory(FittedColumn):
    """One-hot: a feature for each level, for gaps and for rare levels; one for two of these.

    As scikit-learn's ``OneHotEncoder(min_frequency=..., handle_unknown="infrequent_if_exist",
    drop="if_binary")`` except that a single level has no feature.

    Attributes
    ----------
    levels : tuple of str
        Those with a feature of their own, in order.
    n_merged : int
        Rare levels, which share the last feature; gaps may be among them.
    gap : {"level", "rare", "zero"}
        What stands for a gap.
    min_frequency : int
    """

    levels: tuple[str, ...]
    n_merged: int
    gap: str
    min_frequency: int
    takes: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.gap in (OWN, MERGED, NONE), f"gap must be known, got {self.gap!r:.80}")
        require(self.n_merged >= (self.gap == MERGED), "n_merged must count the gaps, if rare")
        require(len(set(self.levels)) == len(self.levels), "levels must be different")

    @property
    def _entries(self) -> tuple[str, ...]:
        """All that has an index: levels, gaps, rare levels."""
        gap = ("missing",) if self.gap == OWN else ()
        return (*self.levels, *gap, *(("rare",) if self.n_merged else ()))

    @property
    def outputs(self) -> tuple[str, ...]:
        entries = self._entries
        return entries if len(entries) > 2 else entries[1:]

    def level_features(self) -> LevelFeatures:
        """Return the feature of each level, of gaps and of other texts."""
        n = len(self._entries)
        rare = n - 1 if self.n_merged else GAP
        gap = len(self.levels) if self.gap == OWN else rare
        # Of two entries, the second has the only feature.
        less = 0 if n > 2 else 1
        index = {level: max(i - less, GAP) for i, level in enumerate(self.levels)}
        return LevelFeatures(index, max(rare - less, GAP), max(gap - less, GAP))

    def prepared(self, column: Column) -> _Entries:
        """Return a column that knows the features of levels, gaps and rare levels."""
        index, rare, gap = self.level_features()
        texts = column.texts()
        by_code = np.array([*(index.get(level, rare) for level in texts.levels), gap], np.int32)
        return _Entries(texts.codes, texts.levels, True, by_code)

    def slots(self, column: Column) -> list[Slot]:
        if len(self._entries) < 2:
            return []
        return [Slot(getattr(column, "by_code", np.empty(0))[column.data], 1.0)]

    @property
    def treatment(self) -> str:
        n = len(self.outputs)
        if not n:
            least = f"{self.min_frequency} rows"
            return f"left out: no two of its levels have {least}, rare ones taken together"
        merged = f", {self.n_merged} rare merged" if self.n_merged else ""
        gaps = {OWN: "; gaps: a level", MERGED: "; gaps: rare", NONE: ""}[self.gap]
        return ("one column of 0 and 1" if n == 1 else f"one-hot, {n} columns") + merged + gaps

    @property
    def stand_in(self) -> str:
        if self.gap == OWN:
            return "a level of their own"
        return "the rare level" if self.n_merged else "zeros"
