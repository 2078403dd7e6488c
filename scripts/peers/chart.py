"""The ratios as a picture."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .case import GROUPS, Case
from .cases import CASES
from .contenders import ENTRIES
from .summary import compared, threads_text, times_as_long

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = {
    "jax": "#0072B2", "torch": "#D55E00", "scikit-learn": "#E69F00", "numpy": "#999999",
    "pandas": "#009E73",
}  # fmt: skip
INK = "#222222"
BAR = 0.19
HEADING = 0.8  # of a group, in units of a case
GROUP_OF = {case.name: GROUPS[case.group] for case in CASES}
UNNAMED_NET = {
    case.name
    for case in CASES
    if case.group == "dense" and not case.table and case.layers == Case.layers
}


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw a report's chart cases as bars on a logarithmic scale, and write them as PNG.

    Parameters
    ----------
    report : dict
        As ``scripts/compare_peers.py`` writes it.
    path : path
        Overwritten.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    measured = [case for case in report["cases"] if case["ratios"]]
    cases = [case for case in measured if case["in_chart"]] or measured
    at, headings = _positions(cases)
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.78 * (max(at, default=0) + 1)), dpi=110)
    most = 1.0
    for name in compared({"cases": cases}):
        bars = [
            (ratios[name], k + _offset(name, ratios))
            for k, ratios in zip(at, map(_best, cases), strict=True)
            if name in ratios
        ]
        values, heights = [value for value, _ in bars], [height for _, height in bars]
        most = max([most, *values])
        axes.barh(
            heights, [value - 1 for value in values], BAR, left=1, color=COLOURS[name],
            label=ENTRIES[name].title,
        )  # fmt: skip
        for value, height in bars:
            axes.text(
                max(value, 1) * 1.03, height, _times(value), va="center", fontsize=8.5, color=INK
            )
    _dress(axes, at, [_label(case) for case in cases], most)
    for height, title in headings:
        axes.text(
            -0.01, height, title, transform=axes.get_yaxis_transform(), ha="right", va="center",
            fontsize=10, fontweight="bold", color=INK,
        )  # fmt: skip
    _caption(figure, axes, report)
    figure.savefig(
        path, bbox_inches="tight", facecolor="white", metadata={"Source": fingerprint(report)}
    )
    plt.close(figure)


def fingerprint(report: dict[str, Any]) -> str:
    """Return a hash of a report, which its chart keeps: a stale chart has another."""
    return hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()


def _positions(cases: list[dict[str, Any]]) -> tuple[list[float], list[tuple[float, str]]]:
    """Return the position of each case, and of the headings of groups if there are several."""
    groups = [GROUP_OF.get(case["name"], "") for case in cases]
    at: list[float] = []
    headings: list[tuple[float, str]] = []
    position = 0.0
    for k, group in enumerate(groups):
        if len(set(groups)) > 1 and (k == 0 or group != groups[k - 1]):
            headings.append((position, group))
            position += HEADING
        at.append(position)
        position += 1
    return at, headings


def _best(case: dict[str, Any]) -> dict[str, float]:
    """Return the ratio of each peer at its best."""
    return {name: found["best"] for name, found in case["ratios"].items() if "best" in found}


def _offset(name: str, ratios: dict[str, float]) -> float:
    """Return the distance of a peer's bar from the middle of the bars of its case."""
    return (list(ratios).index(name) - (len(ratios) - 1) / 2) * (BAR + 0.02)


def _times(value: float) -> str:
    return f"{times_as_long(value)}\N{MULTIPLICATION SIGN}"


def _label(case: dict[str, Any]) -> str:
    return str(case["title"]).replace(", ", ",\n", 1)


def _dress(axes: Any, at: list[float], labels: list[str], most: float) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(right=most * 1.35)
    axes.set_yticks(at, labels, fontsize=10, color=INK)
    axes.invert_yaxis()
    axes.axvline(1, color=INK, linewidth=1.6)
    axes.xaxis.set_major_locator(_ticks(axes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}\N{MULTIPLICATION SIGN}"))
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def _ticks(axes: Any) -> Any:
    from matplotlib.ticker import FixedLocator

    low, high = axes.get_xlim()
    steps = [step * 10**power for power in range(-3, 5) for step in (1, 2, 5)]
    return FixedLocator([step for step in steps if low <= step <= high])


def _rounds(report: dict[str, Any]) -> str:
    rounds = {case.get("rounds", report["rounds"]) for case in report["cases"]}
    return " or ".join(map(str, sorted(rounds)))


def _default_net(report: dict[str, Any]) -> str:
    """Return the network of titles that name none, if the report has such a case."""
    nets = [case["layers"] for case in report["cases"] if case["name"] in UNNAMED_NET]
    return f"{'-'.join(map(str, nets[0]))} unless named, " if nets else ""


def _caption(figure: Any, axes: Any, report: dict[str, Any]) -> None:
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles, labels, ncols=len(labels), loc="lower left", bbox_to_anchor=(0, 1.0),
        frameon=False, fontsize=10, handlelength=1.1, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip
    axes.set_title(
        "How many times as long others take as fastmlp", loc="left", fontsize=14,
        fontweight="bold", color=INK, pad=30,
    )  # fmt: skip
    *others, last = report["threads"]
    threads = " or ".join([*map(str, others), threads_text(last)])
    axes.set_xlabel(
        f"{report['data'].upper()}, {_default_net(report)}float32 (fits: float64); each at its "
        f"best of {threads} on {report['cpus']} cores ({report['cpu']})\n"
        f"medians of {_rounds(report)} interleaved rounds; right of the line fastmlp is faster",
        loc="left", fontsize=8.5, color="#555555", labelpad=8,
    )  # fmt: skip
