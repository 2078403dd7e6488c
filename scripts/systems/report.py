"""The report of a system: rows to compare, plots and tables, for terminal and page."""

from __future__ import annotations

import html
import shlex
import textwrap
from collections.abc import Iterable
from typing import Any

from fastmlp.commands.tables import text_table
from fastmlp.reports import page
from fastmlp.reports.pictures import Panel, curve_panels
from fastmlp.reports.run_page import classes_html, confusions_html, plots_html
from fastmlp.reports.tables import number
from fastmlp.sweeps.reports.page import read_file

from .lab import Lab, Trained
from .rows import Row, count, count_text, row_table


class Report:
    """One system, filled while it runs.

    Parameters
    ----------
    system, title : str
    judges : bool
        Whether figures are compared: not in a short run, except for golden ones.
    """

    def __init__(self, system: str, title: str, judges: bool):
        self.system, self.title, self.judges = system, title, judges
        self.rows: list[Row] = []
        self.settings: list[str] = []
        self.commands: list[str] = []
        self.seconds = 0.0
        self._shown: list[str] = []

    def say(self, text: str) -> None:
        """Add a text on the settings of the system, reported and chosen."""
        self.settings.append(text)

    def say_command(self, line: list[str]) -> None:
        """Add a command, given by its arguments after the interpreter's name."""
        self.commands.append(f"python {shlex.join(line)}")

    def add(
        self, name: str, reported: Any, ours: Any, rule: Any = "", golden: bool = False, **more: Any
    ) -> None:
        """Add a row, see :class:`Row`; ``golden``: exact on any data, however short the run."""
        rule = rule if golden or self.judges else ""
        self.rows.append(Row(self.system, name, reported, ours, rule, **more))

    def add_scores(self, name: str, trained: Trained, accuracy: float, loss: float) -> None:
        """Add the test accuracy and the test loss of a run."""
        self.add(f"{name}: test accuracy", accuracy, trained.test_accuracy, "at least")
        self.add(f"{name}: test loss", loss, trained.test_loss, "at most")

    def show(self, *parts_html: str) -> None:
        """Add HTML to the section of the page."""
        self._shown += parts_html

    def show_plots(self, title: str, panels: Iterable[Panel]) -> None:
        """Show plots side by side."""
        self.show(page.paragraph(title), plots_html(panels, {}))

    def show_folder(self, lab: Lab, name: str, title: str) -> None:
        """Show the curves in a run folder that the command line left, and a link to its page."""
        self.show(link(f"{name}/report.html", title))
        curves = lab.folder / name / "curves.png"
        if curves.exists():
            self.show(page.picture(curves.read_bytes(), f"curves: {title}"))

    def show_run(self, title: str, trained: Trained, opened: bool = False) -> None:
        """Show the curves, the confusions and the classification reports of a run."""
        result, evaluation = trained.result, trained.evaluation
        metrics = evaluation.judged.metrics
        text = (
            f"{title}: {evaluation.judged.name} accuracy {number(metrics['accuracy'])}, loss "
            f"{number(metrics['loss'])}; {result.epochs_run} epochs in {trained.seconds:.2f} s"
        )
        content = "\n".join(
            (
                link(f"{trained.name}/report.html", "report of this run, with its settings"),
                plots_html(curve_panels(result), {}),
                *confusions_html(evaluation.judged, {}),
                *classes_html(evaluation),
            )
        )
        self.show(page.paragraph(text) + content if opened else page.details(text, content))

    def text(self) -> str:
        """Return the report as the terminal shows it."""
        said, notes = (map(_wrapped, texts) for texts in (self.settings, self._notes()))
        introduction = (f"{self.system}  {self.title}", *said, *self.commands)
        table = text_table(row_table(self.rows))
        summary = f"{count_text(self.rows)}; {self.seconds:.1f} s"
        return "\n".join((*introduction, "", *table, "", *notes, summary))

    def markdown(self) -> str:
        """Return the report as a section of Markdown."""
        header, rows = row_table(self.rows)
        lines = [f"## {self.system}: {self.title}", "", *map(_wrapped, self.settings), ""]
        if self.commands:
            lines += ["```", *self.commands, "```", ""]
        lines += [
            "| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)
        ]
        return "\n".join([*lines, "", *(f"- {note}" for note in self._notes())])

    def html(self) -> str:
        """Return the report as a section of the page."""
        return f'<div id="{self.system}"></div>' + page.section(
            f"{self.system}: {self.title}",
            *map(page.paragraph, (*self.settings, *self.commands)),
            page.table(*row_table(self.rows)),
            *map(page.paragraph, self._notes()),
            *self._shown,
        )

    def _notes(self) -> list[str]:
        return [f"{row.name}: {row.note}" for row in self.rows if row.note]


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_on_hyphens=False)


def _contents(reports: list[Report]) -> str:
    links = (f'<a href="#{report.system}">{report.system}</a>' for report in reports)
    return f"<p>{', '.join(links)}</p>"


def link(target: str, text: str) -> str:
    """Return a link to a file beside the page."""
    return f'<p><a href="{html.escape(target)}">{html.escape(text)}</a></p>'


def page_html(reports: list[Report], introduction: str) -> str:
    """Return the page of all systems that were run."""
    rows = [row for report in reports for row in report.rows]
    overview = [
        (f"{report.system}: {report.title}", *count(report.rows), f"{report.seconds:.1f} s")
        for report in reports
    ]
    header = ("system", "rows", "as good or better", "not", "total time")
    sections = [
        page.section(
            "Overview",
            page.paragraph(introduction),
            page.paragraph(count_text(rows)),
            page.table(header, overview),
            _contents(reports),
        ),
        *(report.html() for report in reports),
    ]
    return page.page(
        "The reference systems, with fastmlp", "\n".join(sections), read_file("sweep.css")
    )
