"""The tables of a report in the documentation, between comments that name them."""

from __future__ import annotations

from collections.abc import Callable

from comparing.documents import Documents, Report, markdown

from .case import Case
from .cases import CASES
from .contenders import ENTRIES, OURS
from .summary import PER_SECOND, best, compared, threads_text, times_as_long

BY_NAME = {case.name: case for case in CASES}


def _chosen(report: Report, choose: Callable[[Case], bool]) -> Report:
    """Return a report of some of its cases."""
    cases = [case for case in report["cases"] if case["name"] in BY_NAME]
    return {**report, "cases": [case for case in cases if choose(BY_NAME[case["name"]])]}


def _group(name: str) -> Callable[[Report], str]:
    def render(report: Report) -> str:
        return _times(_chosen(report, lambda case: case.group == name))

    return render


def _times(part: Report, one_thread: bool = False) -> str:
    """Return fastmlp's times by threads and the ratios of the peers, with the versions."""
    peers, threads = compared(part), part["threads"]
    head = ["work", *_by_threads(OURS, threads), *(ENTRIES[peer].title for peer in peers)]
    if one_thread:
        head += [f"{ENTRIES[peer].title}, 1 thread each" for peer in peers]
    rows = []
    for case in part["cases"]:
        row = [case["title"], *(_time(case, best(case, OURS, n)) for n in threads)]
        row += [_ratio(case, peer) for peer in peers]
        rows.append(row + [_ratio(case, peer, "one_thread") for peer in peers if one_thread])
    return f"{markdown(head, rows)}\n\n{_versions(part)}"


def _convolutional(report: Report) -> str:
    part = _chosen(report, lambda case: case.group == "convolutional")
    if not part["cases"]:
        return (
            "Not measured yet: `scripts/compare_peers.py --cases convolutional --merge` measures "
            "these cases."
        )
    return f"{_times(part, one_thread=True)}\n\n{_shares(part, [OURS, 'jax', 'torch'])}"


def _dense_shares(report: Report) -> str:
    part = _chosen(report, lambda case: case.group == "dense" and not case.from_images)
    return _shares(part, [OURS, "jax"])


def _shares(part: Report, names: list[str]) -> str:
    """Return the shares of the measured peak by contender and threads."""
    threads = part["threads"]
    head = ["share of the peak", *(text for name in names for text in _by_threads(name, threads))]
    rows = []
    for case in part["cases"]:
        found = case["shares_of_peak"]
        shares = [found.get(name, {}).get(str(n)) for name in names for n in threads]
        rows.append([case["title"], *("" if s is None else f"{100 * s:.0f} %" for s in shares)])
    return markdown(head, rows)


def _by_threads(name: str, threads: list[int]) -> list[str]:
    first, *others = map(threads_text, threads)
    return [f"{ENTRIES[name].title}, {first}", *others]


def _versions(part: Report) -> str:
    """Return the versions of those compared, and the number of rounds."""
    names = [OURS, *compared(part)]
    found = []
    for name in names:
        known = {case.get("versions", {}).get(name): None for case in part["cases"]}
        versions = [version or part["versions"][name] for version in known]
        found.append(f"{ENTRIES[name].title} {' and '.join(versions)}")
    rounds = sorted({case.get("rounds", part["rounds"]) for case in part["cases"]})
    return f"{', '.join(found)}; {' or '.join(map(str, rounds))} rounds."


def _time(case: Report, result: Report | None) -> str:
    if result is None:
        return ""
    seconds = result["median"] / PER_SECOND[case["kind"]]
    factor, unit = next(
        ((f, u) for f, u in ((1, "s"), (1e3, "ms")) if seconds * f >= 1), (1e6, "us")
    )
    value = seconds * factor
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def _ratio(case: Report, peer: str, kind: str = "best") -> str:
    value = case["ratios"].get(peer, {}).get(kind)
    return "" if value is None else times_as_long(value)


BLOCKS: dict[str, Callable[[Report], str]] = {
    "dense": _group("dense"),
    "dense-shares": _dense_shares,
    "convolutional": _convolutional,
    "small": _group("small"),
}
DOCUMENTS = Documents("peers", ("docs/performance.md",), BLOCKS)
