"""Means over splits, and what they say over all tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

from comparing.documents import Report, markdown

from .contenders import BASE, ENTRIES

Pairs = list[tuple[float, float]]  # of a contender and of gradient boosting, by table
FLOOR = 0.1  # percent: ratios of smaller errors say nothing


class Mean(NamedTuple):
    """A mean, and its standard error over splits."""

    value: float
    error: float


class Overall(NamedTuple):
    """A contender over its tables.

    Attributes
    ----------
    n_tables : int
        Tables that gradient boosting has, too.
    gap : Mean or None
        The geometric mean over tables of its error over that of gradient boosting, minus 1; None
        without such tables.
    log_loss : Mean or None
        Its log-loss minus that of gradient boosting, in the mean over tables of classes.
    seconds : float
        CPU seconds of a fit, in the mean over tables.
    most_seconds : float
        On the table where a fit takes longest.
    """

    n_tables: int
    gap: Mean | None
    log_loss: Mean | None
    seconds: float
    most_seconds: float


def mean(values: Iterable[float]) -> Mean:
    """Return the mean of values, and its standard error, 0 of a single value."""
    known = list(values)
    error = statistics.stdev(known) / math.sqrt(len(known)) if len(known) > 1 else 0.0
    return Mean(statistics.fmean(known), error)


def measured(report: Report) -> list[str]:
    """Return the contenders with results, in their order."""
    found = {name for results in report["results"].values() for name in results}
    return [name for name in ENTRIES if name in found]


def table_mean(report: Report, table: str, name: str, what: str) -> Mean | None:
    """Return a contender's mean of ``error``, ``log_loss`` or ``seconds`` on a table, if known."""
    values = _values(report, table, name, what)
    return mean(values.values()) if values else None


def overall(report: Report, name: str) -> Overall:
    """Return what a contender's results say over all tables."""
    tables = [table for table, results in report["results"].items() if name in results]
    seconds = [statistics.fmean(_values(report, t, name, "seconds").values()) for t in tables]
    return Overall(
        sum(BASE in report["results"][table] for table in tables),
        _against_base(report, tables, name, "error", _gap),
        _against_base(report, tables, name, "log_loss", _difference),
        statistics.fmean(seconds),
        max(seconds),
    )


def _against_base(
    report: Report, tables: list[str], name: str, what: str, compare: Callable[[Pairs], float]
) -> Mean | None:
    """Return a comparison of means over splits; its standard error is over splits, one by one."""
    known = []
    for table in tables:
        own, base = (_values(report, table, who, what) for who in (name, BASE))
        shared = own.keys() & base.keys()
        if shared:
            known.append({split: (own[split], base[split]) for split in shared})
    if not known:
        return None
    means = [tuple(map(statistics.fmean, zip(*pairs.values(), strict=True))) for pairs in known]
    splits = set.intersection(*(set(pairs) for pairs in known))
    by_split = [compare([pairs[split] for pairs in known]) for split in splits]
    return Mean(compare([(own, base) for own, base in means]), mean(by_split or [0.0]).error)


def _values(report: Report, table: str, name: str, what: str) -> dict[str, float]:
    """Return values by split."""
    splits = report["results"].get(table, {}).get(name, {})
    return {split: found[what] for split, found in splits.items() if what in found}


def _gap(pairs: Pairs) -> float:
    logarithms = [math.log(max(own, FLOOR) / max(base, FLOOR)) for own, base in pairs]
    return math.expm1(statistics.fmean(logarithms))


def _difference(pairs: Pairs) -> float:
    return statistics.fmean(own - base for own, base in pairs)


def error_rows(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the errors with their standard errors: a row for each table."""
    return _rows_of(report, "error", 1)


def log_loss_rows(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the log-losses with their standard errors: a row for each table of classes."""
    return _rows_of(report, "log_loss", 3)


def _rows_of(report: Report, what: str, digits: int) -> tuple[list[str], list[list[str]]]:
    names = measured(report)
    rows = []
    for table in (table["name"] for table in report["tables"]):
        means = [table_mean(report, table, name, what) for name in names]
        if any(means):
            rows.append([table, *(_with_error(found, digits) for found in means)])
    return ["table", *(ENTRIES[name].title for name in names)], rows


def overall_rows(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return what all tables say together: a row for each contender."""
    base = ENTRIES[BASE].title
    head = [
        "", "tables", f"error against {base}", f"log-loss minus that of {base}",
        "CPU seconds a fit, mean", "most",
    ]  # fmt: skip
    rows = []
    for name in measured(report):
        found = overall(report, name)
        rows.append(
            [
                ENTRIES[name].title,
                str(found.n_tables),
                "" if found.gap is None else percent(found.gap),
                "" if found.log_loss is None else signed(found.log_loss, 3),
                seconds_text(found.seconds),
                seconds_text(found.most_seconds),
            ]
        )
    return head, rows


def percent(found: Mean) -> str:
    """Return a gap as ``+3.2 ± 0.5 %``."""
    return f"{signed(Mean(100 * found.value, 100 * found.error), 1)} %"


def signed(found: Mean, digits: int) -> str:
    """Return a difference as ``+0.012 ± 0.003``."""
    return f"{found.value:+.{digits}f} ± {found.error:.{digits}f}"


def seconds_text(seconds: float) -> str:
    """Return CPU seconds with two digits, at least."""
    return f"{seconds:.{0 if seconds >= 9.95 else 1 if seconds >= 0.995 else 2}f}"


def _with_error(found: Mean | None, digits: int) -> str:
    return "" if found is None else f"{found.value:.{digits}f} ± {found.error:.{digits}f}"


def text(report: Report) -> str:
    """Return all tables as Markdown, for a terminal."""
    tables = (error_rows(report), log_loss_rows(report), overall_rows(report))
    return "\n\n".join(markdown(head, rows) for head, rows in tables if rows)
