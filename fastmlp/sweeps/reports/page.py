"""``report.html`` of a sweep: the ranking with links to each configuration's curves, and plots.

It is one file, which is complete without its scripts. They sort and filter the ranking, brush the
parallel coordinates, and compare curves of chosen configurations.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ...reports import page
from ...reports.figures import style, svg
from ...reports.pictures import Panel, panel_figure
from ...reports.tables import number
from ..intervals import tie_note
from ..leaderboard import Configuration, Leaderboard, label, value_text
from .curve_svg import curve_svg
from .parallel_svg import ParallelPlot
from .pictures import comparison_panels, heat_panels, rate_panels
from .tables import ranking_table

# The curves of more configurations would make the page too large; they are in separate files.
MOST_CURVES = 2000
_IN_NOTEBOOK = 20
_MOST_ROWS = 60  # a longer ranking scrolls by itself, so that the plots are not far below


def sweep_page(
    board: Leaderboard,
    best: dict[str, Any] | None,
    plots: bool = True,
    provenance: Sequence[tuple[str, str]] = (),
) -> str:
    """Return a page about a sweep, in HTML.

    Parameters
    ----------
    board : Leaderboard
    best : dict or None
        Metrics of the winner, with those on the test set; None where no cell has finished.
    plots : bool, default True
        Whether to draw.
    provenance : sequence of (str, str), optional
        On top of the page.
    """
    shown = board.configurations[:MOST_CURVES] if plots else []
    parallel = _parallel(board, shown)
    scripts = ["sortable.js", *(("d3.min.js", "sweep.js") if parallel is not None else ())]
    with style():
        sections = (
            page.provenance(provenance),
            page.section("Winner", _winner(board, best)),
            page.section("Ranking", _filter_html(parallel), ranking_html(board, len(shown))),
            *(_interactive_sections(parallel) if parallel is not None else ()),
            *(_plot_sections(board) if plots else ()),
            page.section("Curves", legend_html(shown), *curves_html(board, shown)),
            page.section("Errors", _errors(board)),
        )
    body = "\n".join((*filter(None, sections), *map(script_html, scripts)))
    return page.page(_title(board), body, read_file("sweep.css"))


def sweep_fragment(board: Leaderboard, best: dict[str, Any] | None) -> str:
    """Return the winner, the top of the ranking and the main plots for a notebook."""
    with style():
        panels = [panel for _, panel in heat_panels(board)] if board.good else []
        table = page.table(*ranking_table(board, _IN_NOTEBOOK))
        more = len(board.configurations) - _IN_NOTEBOOK
        note = page.paragraph(f"and {more} more, in .table") if more > 0 else ""
        return page.fragment(_winner(board, best) + table + note + _plots(panels[:6]))


def _title(board: Leaderboard) -> str:
    n = len(board.configurations)
    count = f"sweep of {n} configurations" if n != 1 else "sweep of one configuration"
    if not board.good:
        return count
    value = number(board.good[0].mean(board.rank_by))
    return f"{count}: best {label(board.rank_by)} {value}"


def _winner(board: Leaderboard, best: dict[str, Any] | None) -> str:
    if best is None or not board.good:
        return page.paragraph("No cell has finished.")
    settings = [(label(axis), value_text(board.good[0].settings.get(axis))) for axis in board.axes]
    names = [*board.metrics, *board.test_metrics]
    metrics = [(label(n), number(best[n])) for n in names if best.get(n) is not None]
    note = "Ranked by validation results; only the winner is evaluated on the test set."
    if board.has_seeds:
        note += " Of its seeds, the figures above are those of the best."
    return page.pairs([*settings, *metrics]) + page.paragraph(note)


def ranking_html(board: Leaderboard, n_curves: int) -> str:
    """Return the ranking as a table; the first ranks link to the curves of :func:`curves_html`."""
    table = ranking_table(board)
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header)
    rows = []
    for entry, cells in zip(board.configurations, table.rows, strict=True):
        first, *rest = map(html.escape, cells)
        if entry.rank <= n_curves:
            first = f'<a href="#c{entry.rank}">{first}</a>'
        named = zip(table.header[1:], rest, strict=True)
        columns = "".join(f'<td data-name="{html.escape(n)}">{cell}</td>' for n, cell in named)
        rows.append(f'<tr data-rank="{entry.rank}"><th scope="row">{first}</th>{columns}</tr>')
    body = "\n".join(rows)
    wide = "wide long" if len(rows) > _MOST_ROWS else "wide"
    note = page.paragraph("A click on a heading sorts; a rank leads to the curves.")
    if ties := tie_note(board):
        note = page.paragraph(f"{ties[0].upper()}{ties[1:]}.") + note
    return note + (
        f'<div class="{wide}"><table class="sortable" id="ranking"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _plot_sections(board: Leaderboard) -> Iterable[str]:
    yield page.section("Pairs of settings", _plots(panel for _, panel in heat_panels(board)))
    yield page.section("Learning rate", _plots(rate_panels(board)))
    yield page.section("Accuracy and time", _plots(comparison_panels(board)))


def _plots(panels: Iterable[Panel]) -> str:
    return page.figures(svg(panel_figure(panel, 4.4, 3.4)) for panel in panels)


def _parallel(board: Leaderboard, shown: list[Configuration]) -> ParallelPlot | None:
    good = [entry for entry in shown if entry.good]
    return ParallelPlot(board, good) if board.axes and len(good) > 1 else None


def _filter_html(parallel: ParallelPlot | None) -> str:
    """Return what filters the ranking, hidden until the script shows it."""
    if parallel is None:
        return ""
    return (
        '<div class="tools scripted" hidden><label>Filter '
        '<input type="search" id="filter" placeholder="relu minibatch"></label>'
        '<output id="shown"></output>'
        '<button type="button" id="clear" hidden>Show all</button></div>'
    )


def _interactive_sections(parallel: ParallelPlot) -> Iterable[str]:
    note = (
        '<p class="scripted" hidden>Drag along an axis to filter, also in the ranking; a click '
        "on a line adds its curve to those compared below.</p>"
    )
    drawn = f'<div class="wide">{parallel.svg()}</div>'
    yield page.section("All settings", note, drawn)
    yield (
        '<section id="compared" hidden>\n<h2>Compared curves</h2>\n<div class="tools">'
        '<label>Metric <select id="metric"></select></label>'
        '<label><input type="checkbox" id="logarithmic"> logarithmic</label></div>\n'
        '<svg id="comparison" viewBox="0 0 760 320" role="img" '
        'aria-label="curves of the chosen configurations"></svg>\n'
        '<ul id="chosen"></ul>\n</section>'
        f'<script type="application/json" id="sweep-data">{parallel.data()}</script>'
    )


def curves_html(board: Leaderboard, shown: list[Configuration]) -> Iterable[str]:
    """Yield the curves of each configuration."""
    metrics = ["loss", "accuracy"] if board.has_accuracy else ["loss"]
    for entry in shown:
        drawn = "".join(curve_svg(entry, metric) for metric in metrics)
        values = [
            f"{label(name)} {number(value)}"
            for name in board.metrics
            if (value := entry.mean(name)) is not None
        ]
        title = html.escape(f"{entry.rank}  {entry.name(board.axes)}")
        text = html.escape(", ".join(values) or entry.status)
        yield (
            f'<figure class="configuration" id="c{entry.rank}"><figcaption><b>{title}</b>  {text}  '
            f'<a href="#ranking">to the ranking</a></figcaption>{drawn}</figure>'
        )
    if shown and len(shown) < len(board.configurations):
        yield page.paragraph(
            f"The best {len(shown)} of {len(board.configurations)}; pictures of all of them are "
            "in the folder configurations, next to this page."
        )


def legend_html(shown: list[Configuration]) -> str:
    """Return the legend of the colours of :func:`curves_html`."""
    if not shown:
        return ""
    return (
        '<p class="legend"><span class="train">training</span>'
        '<span class="validation">validation</span>, by epoch</p>'
    )


def _errors(board: Leaderboard) -> str:
    bad = [
        (entry.name(board.axes), str(trial.config["seed"]), trial.status, trial.error)
        for entry in board.configurations
        for trial in entry.trials
        if not trial.is_good
    ]
    return page.table(("configuration", "seed", "status", "error"), bad) if bad else ""


def script_html(name: str) -> str:
    """Return a script of this folder as an element of a page."""
    return f"<script>\n{read_file(name)}</script>"


@cache
def read_file(name: str) -> str:
    """Return a file of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
