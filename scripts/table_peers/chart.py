"""Errors against CPU seconds as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .contenders import BASE, ENTRIES, OURS
from .summary import measured, overall

# Okabe and Ito's colours, which the colour-blind can tell apart.
OURS_COLOUR, THEIRS_COLOUR = "#D55E00", "#0072B2"
INK = "#222222"


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw each contender's gap to gradient boosting over its CPU seconds, and write a PNG.

    Parameters
    ----------
    report : dict
        As ``scripts/compare_tables.py`` writes it.
    path : path
        Overwritten.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.2), dpi=110)
    shown = [(name, overall(report, name)) for name in measured(report)]
    shown.sort(key=lambda pair: pair[1].seconds)
    for number, (name, found) in enumerate(shown):
        if found.gap is None:
            continue
        colour = OURS_COLOUR if ENTRIES[name].package == OURS else THEIRS_COLOUR
        x, y, error = found.seconds, 100 * found.gap.value, 100 * found.gap.error
        axes.errorbar(x, y, error, fmt="o", color=colour, capsize=3, markersize=7)
        axes.annotate(
            # In turn above and below, so that labels of neighbours do not meet.
            ENTRIES[name].title, (x, y), xytext=(8, 5 if number % 2 else -15),
            textcoords="offset points", fontsize=10, color=INK,
        )  # fmt: skip
    _dress(axes, report)
    figure.savefig(path, bbox_inches="tight", facecolor="white")
    plt.close(figure)


def _dress(axes: Any, report: dict[str, Any]) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_xscale("log")
    axes.margins(x=0.25, y=0.12)
    axes.axhline(0, color=INK, linewidth=1.2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:+g} %" if y else "0 %"))
    axes.grid(axis="both", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, which="both")
    axes.set_title(
        f"Error against {ENTRIES[BASE].title}, and CPU seconds of a fit", loc="left", fontsize=14,
        fontweight="bold", color=INK, pad=12,
    )  # fmt: skip
    axes.set_xlabel(
        f"CPU seconds of a fit, mean of {len(report['tables'])} tables; one thread "
        f"({report['cpu']})\nup: geometric mean of the errors over those of "
        f"{ENTRIES[BASE].title}, with standard errors over splits; lower is better",
        loc="left", fontsize=8.5, color="#555555", labelpad=8,
    )  # fmt: skip
