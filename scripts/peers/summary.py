"""Ratios, shares of the peak, and the table of a comparison."""

from __future__ import annotations

from typing import Any

from .case import FIT, PREDICT, READ, START, TARGET, TRAIN
from .contenders import ENTRIES, OURS

# Samples are in the unit of the table: microseconds, milliseconds or seconds.
PER_SECOND = {TRAIN: 1e6, PREDICT: 1e3, FIT: 1e3, START: 1, READ: 1, TARGET: 1}
UNITS = {PREDICT: "ms", FIT: "ms", TARGET: "s", START: "s", READ: "s"}

Record = dict[str, Any]


def best(case: Record, contender: str, threads: int | None = None) -> Record | None:
    """Return the result of a contender with the lowest median, for all or one number of threads.

    Of several memory formats, too.
    """
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
    """Return the time of each peer divided by fastmlp's: best against best, and one thread each."""
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


def shares_of_peak(case: Record) -> Record:
    """Return the share of the measured peak by contender and number of threads.

    The operations counted are those of the matrix products with dense rows: forward, the gradients
    of weights, and of the inputs of all layers but the first. Contenders that skip zeros do fewer.
    """
    found: Record = {}
    for name in ENTRIES:
        for threads, peak in case["peak_gflops"].items():
            result = best(case, name, int(threads))
            if result is not None:
                seconds = result["median"] / PER_SECOND[case["kind"]]
                share = _operations(case, result["rows"]) / seconds / 1e9 / peak
                found.setdefault(name, {})[threads] = round(share, 3)
    return found


def _operations(case: Record, rows: int) -> int:
    """Return the floating-point operations of an update, or of a prediction."""
    products = case["multiply_adds"]
    times = sum(products) if case["kind"] == PREDICT else 3 * sum(products) - products[0]
    return 2 * rows * int(times)


def own_speed_up(case: Record) -> float | None:
    """Return fastmlp's time on one thread divided by its best time."""
    one, fastest = best(case, OURS, 1), best(case, OURS)
    if one is None or fastest is None:
        return None
    return float(round(one["median"] / fastest["median"], 3))


def compared(report: Record) -> list[str]:
    """Return the peers with a result in any case, in the order of the table."""
    return [name for name in ENTRIES if any(name in case["ratios"] for case in report["cases"])]


def table(report: Record) -> str:
    """Return the report as aligned text: times, and the ratio after each peer's best time."""
    threads = report["threads"]
    peers = compared(report)
    head = ["case", "", *(f"fastmlp, {threads_text(n)}" for n in threads)]
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
    "us per update; ms per prediction of all test images or per fit of an estimator; s to the\n"
    "test accuracy, of a process with one fit, or of reading a file. All are medians. A peer's\n"
    "best time is followed by its number of threads and the memory format of its images in\n"
    "parentheses, and by its ratio to fastmlp's best time; after the bar, the ratio with one\n"
    "thread each."
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
        setup = ", ".join([str(result["threads"]), *filter(None, [result.get("memory_format")])])
        cell = f"{_time(result)} ({setup})"
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


def threads_text(n: int) -> str:
    """Return a number of threads in words."""
    return "1 thread" if n == 1 else f"{n} threads"


def times_as_long(ratio: float) -> str:
    """Return a ratio in two digits, or without decimals."""
    return f"{ratio:.{0 if ratio >= 9.95 else 1}f}"


def peak_lines(report: Record) -> str:
    """Return a line per case: the measured peak, and each contender's share of it by threads."""
    lines = ["share of the measured peak, with the operations of dense rows:"]
    for case in report["cases"]:
        if "peak_gflops" not in case:
            continue
        peaks = ", ".join(f"{peak:.0f}" for peak in case["peak_gflops"].values())
        shares = "; ".join(
            f"{name} " + ", ".join(f"{share:.0%}" for share in by_threads.values())
            for name, by_threads in case["shares_of_peak"].items()
        )
        lines.append(f"  {case['name']}: {peaks} GFLOP/s; {shares}")
    return "\n".join(lines)


def losses(report: Record) -> str:
    """Return a line per case with the losses after the same number of updates."""
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
