"""The ratios as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .contenders import ENTRIES
from .summary import compared

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = {
    "jax": "#0072B2", "torch": "#D55E00", "scikit-learn": "#E69F00", "numpy": "#999999",
    "pandas": "#009E73",
}  # fmt: skip
INK = "#222222"
BAR = 0.19


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
    peers = compared({"cases": cases})
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.78 * len(cases)), dpi=110)
    most = 1.0
    for number, name in enumerate(peers):
        found = [(k, c["ratios"][name]["best"]) for k, c in enumerate(cases) if _has(c, name)]
        values = [value for _, value in found]
        heights = [k + (number - (len(peers) - 1) / 2) * (BAR + 0.02) for k, _ in found]
        most = max([most, *values])
        axes.barh(
            heights, [value - 1 for value in values], BAR, left=1, color=COLOURS[name],
            label=ENTRIES[name].title,
        )  # fmt: skip
        for value, height in zip(values, heights, strict=True):
            axes.text(
                max(value, 1) * 1.03, height, _times(value), va="center", fontsize=8.5, color=INK
            )
    _dress(axes, [_label(case) for case in cases], most)
    _caption(figure, axes, report)
    figure.savefig(path, bbox_inches="tight", facecolor="white")
    plt.close(figure)


def _has(case: dict[str, Any], name: str) -> bool:
    return "best" in case["ratios"].get(name, {})


def _times(value: float) -> str:
    return (
        f"{value:.0f}\N{MULTIPLICATION SIGN}"
        if value >= 9.95
        else (f"{value:.1f}\N{MULTIPLICATION SIGN}")
    )


def _label(case: dict[str, Any]) -> str:
    return str(case["title"]).replace(", ", ",\n", 1)


def _dress(axes: Any, labels: list[str], most: float) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(right=most * 1.35)
    axes.set_yticks(range(len(labels)), labels, fontsize=10, color=INK)
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
    layers = "-".join(map(str, report["cases"][0]["layers"])) if report["cases"] else ""
    threads = " or ".join(map(str, report["threads"]))
    threads += " thread" if report["threads"] == [1] else " threads"
    axes.set_xlabel(
        f"{report['data'].upper()}, {layers} unless named, float32 (fits: float64); each at its "
        f"best of {threads} on {report['cpus']} cores ({report['cpu']})\n"
        f"medians of {report['rounds']} interleaved rounds; right of the line fastmlp is faster",
        loc="left", fontsize=8.5, color="#555555", labelpad=8,
    )  # fmt: skip
