"""From raw samples to ratios, and the table of them."""

from __future__ import annotations

from typing import Any

from .cases import FIT, PREDICT, READ, START, TARGET
from .contenders import ENTRIES, OURS

UNITS = {PREDICT: "ms", FIT: "ms", TARGET: "s", START: "s", READ: "s"}

Record = dict[str, Any]


def best(case: Record, contender: str, threads: int | None = None) -> Record | None:
    """Return a contender's result with the lowest median, of all or of one number of threads."""
    found = [
        result
        for result in case["results"]
        if result["contender"] == contender
        and "median" in result
        and "failure" not in result
        and threads in (None, result["threads"])
    ]
    return min(found, key=lambda result: float(result["median"]), default=None)


def ratios(case: Record) -> Record:
    """Return by peer how many times as long it takes as fastmlp: best against best, and on one
    thread against one thread.
    """
    found: Record = {}
    for name in ENTRIES:
        if name == OURS:
            continue
        pairs = {
            "best": (best(case, name), best(case, OURS)),
            "one_thread": (best(case, name, 1), best(case, OURS, 1)),
        }
        row = {
            kind: round(theirs["median"] / ours["median"], 3)
            for kind, (theirs, ours) in pairs.items()
            if theirs is not None and ours is not None
        }
        if row:
            found[name] = row
    return found


def own_speed_up(case: Record) -> float | None:
    """Return fastmlp's time on one thread divided by its best time."""
    one, fastest = best(case, OURS, 1), best(case, OURS)
    if one is None or fastest is None:
        return None
    return float(round(one["median"] / fastest["median"], 3))


def compared(report: Record) -> list[str]:
    """Return the peers that have a figure in any case, in the table's order."""
    return [name for name in ENTRIES if any(name in case["ratios"] for case in report["cases"])]


def table(report: Record) -> str:
    """Return the report as aligned text: times, and behind each peer's best the ratio."""
    threads = report["threads"]
    peers = compared(report)
    head = ["case", "", *(f"fastmlp, {_threads(n)}" for n in threads)]
    head += [ENTRIES[name].title for name in peers]
    rows = [head, *(_row(case, threads, peers) for case in report["cases"])]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    lines = [
        "  ".join(cell.ljust(w) if k < 2 else cell.rjust(w) for k, (cell, w) in cells).rstrip()
        for cells in (list(enumerate(zip(row, widths, strict=True))) for row in rows)
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


NOTE = (
    "us: an update; ms: a prediction of all test images, an estimator's fit; s: to the test\n"
    "accuracy, of a process that makes one fit, of reading a file. Medians; behind a peer's time,\n"
    "in brackets, the number of threads it was best on, and how many times as long it took as\n"
    "fastmlp at its best; after a bar, the same with one thread against one thread."
)


def _row(case: Record, threads: list[int], peers: list[str]) -> list[str]:
    unit, found = UNITS.get(case["kind"], "us"), case["ratios"]
    row = [case["name"], unit]
    row += [_time(best(case, OURS, n)) for n in threads]
    for name in peers:
        result = best(case, name)
        if result is None:
            row.append("-")
            continue
        cell = f"{_time(result)} ({result['threads']})"
        ratio = found.get(name, {})
        if "best" in ratio:
            cell += f" {ratio['best']:6.2f}x"
        if "one_thread" in ratio and len(threads) > 1:
            cell += f" |{ratio['one_thread']:6.2f}x"
        row.append(cell)
    return row


def _time(result: Record | None) -> str:
    if result is None:
        return "-"
    median = float(result["median"])
    return f"{median:,.0f}" if median >= 1000 else f"{median:.3g}"


def _threads(n: int) -> str:
    return "1 thread" if n == 1 else f"{n} threads"


def losses(report: Record) -> str:
    """Return a line a case with everyone's loss after the same number of updates."""
    lines = ["loss after the same number of updates on the same rows:"]
    for case in report["cases"]:
        found = {r["contender"]: r["loss"] for r in case["results"] if "loss" in r}
        shown = ", ".join(f"{name} {loss:.3g}" for name, loss in found.items())
        if found:
            lines.append(f"  {case['name']}: {shown}")
        for result in case["results"]:
            if result.get("accuracies") and min(result["accuracies"]) < case["target"]:
                lines.append(
                    f"    {result['contender']} on {result['threads']} did not reach the target"
                )
    return "\n".join(lines)
