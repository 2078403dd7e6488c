"""From the files that asv leaves to a verdict: which benchmarks changed, and by how much.

Standard library only; knows nothing of how the files came about.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REGRESSION, IMPROVEMENT, SAME = 1, -1, 0


@dataclass(frozen=True)
class Figure:
    """What one benchmark, with one choice of its parameters, gave on one commit.

    Attributes
    ----------
    typical, best : float
        Median and least of all samples, or the one value that there is; less is better.
    """

    typical: float
    best: float

    @property
    def failed(self) -> bool:
        """Whether the benchmark raised an error; one that was skipped has no figure at all."""
        return math.isnan(self.typical)


FAILED = Figure(math.nan, math.nan)


@dataclass(frozen=True)
class Change:
    """A benchmark on two commits."""

    name: str
    before: Figure
    after: Figure
    threshold: float

    @property
    def ratio(self) -> float:
        """After by before: above 1 is worse."""
        return _ratio(self.before.typical, self.after.typical)

    @property
    def direction(self) -> int:
        """REGRESSION, IMPROVEMENT or SAME.

        Work of others on the machine only ever adds time. It can move the median of a few samples
        by half, but it seldom touches all of them: the least one tells whether the code itself is
        slower. A rare disturbance that a commit brings on itself shows in the median. What counts
        as a change moves both, and both to the same side.
        """
        ratios = (self.ratio, _ratio(self.before.best, self.after.best))
        limit = 1 + self.threshold
        if min(ratios) > limit:
            return REGRESSION
        return IMPROVEMENT if max(ratios) < 1 / limit else SAME


def _ratio(before: float, after: float) -> float:
    if before == after:
        return 1.0
    return after / before if before > 0 else math.inf


def read_figures(path: Path) -> dict[str, Figure]:
    """Read one of asv's result files: a figure by ``name(parameters)``, the skipped left out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    figures: dict[str, Figure] = {}
    for name, row in content["results"].items():
        # Columns at the end that hold nothing are left out of a row.
        record = dict(zip(content["result_columns"], row, strict=False))
        combinations = list(itertools.product(*(record.get("params") or [])))
        values = record.get("result") or [None] * len(combinations)
        samples = record.get("samples") or [None] * len(values)
        for combination, value, taken in zip(combinations, values, samples, strict=True):
            figure = _figure(value, taken)
            if figure is not None:
                figures[f"{name}({', '.join(combination)})" if combination else name] = figure
    return figures


def _figure(value: float | None, samples: list[float] | None) -> Figure | None:
    if value is None:
        return FAILED
    if math.isnan(value):
        return None
    return Figure(statistics.median(samples), min(samples)) if samples else Figure(value, value)


def compare(
    before: dict[str, Figure], after: dict[str, Figure], thresholds: dict[str, float]
) -> list[Change]:
    """Return every benchmark that both commits have a figure of, worst first."""
    changes = [
        Change(name, before[name], after[name], threshold_of(name, thresholds))
        for name in before.keys() & after.keys()
        if not (before[name].failed or after[name].failed)
    ]
    return sorted(changes, key=lambda change: (-change.ratio, change.name))


def threshold_of(name: str, thresholds: dict[str, float]) -> float:
    """Return the largest threshold of the patterns that match, as asv takes it for its site."""
    return max((t for p, t in thresholds.items() if re.match(p, name)), default=0.05)


def confirmed(earlier: list[Change], again: list[Change]) -> list[Change]:
    """Return those of ``again`` that changed, and to the same side as they did ``earlier``."""
    sides = {change.name: change.direction for change in earlier}
    return [c for c in again if c.direction != SAME and sides.get(c.name) == c.direction]


def patterns_of(names: list[str]) -> list[str]:
    """Return patterns that select exactly these benchmarks, for asv's ``--bench``."""
    return [f"^{re.escape(name)}$" for name in names]


def table(changes: list[Change], units: dict[str, str]) -> list[str]:
    """Return lines that name each benchmark, its figures before and after, and their ratio."""
    rows: list[tuple[str, ...]] = [("benchmark", "before", "after", "ratio")]
    for change in changes:
        unit = units.get(change.name.partition("(")[0], "")
        shown = [quantity(figure.typical, unit) for figure in (change.before, change.after)]
        rows.append((change.name, *shown, f"{change.ratio:.2f}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]


def read_units(path: Path) -> dict[str, str]:
    """Read each benchmark's unit from asv's list of benchmarks."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {name: entry["unit"] for name, entry in content.items() if isinstance(entry, dict)}


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit, scaled where the unit has smaller and larger ones."""
    scales = {
        "seconds": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)),
        "bytes": (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)),
    }.get(unit, ((unit, 1.0),))
    name, scale = next((s for s in scales if abs(value) >= s[1]), scales[-1])
    return f"{value / scale:.3g} {name}"
