"""The published comparison: docs/tables.json, its chart, and the tables of docs/tables.md."""

from __future__ import annotations

from pathlib import Path

from comparing import reports
from comparing.documents import Report
from comparing.reports import ROOT

from .documents import DOCUMENTS

PATH = ROOT / "docs" / "tables.json"
# What all results share: CPU seconds of two machines cannot be compared.
COMMON = ("cpu", "system")


def read(path: Path) -> Report:
    """Return a report; ConfigError if the file is missing or no report."""
    return reports.read(path, "tables", "results", *COMMON)


def write(report: Report, path: Path) -> None:
    """Write a report, its chart and, of the published one, the tables in the documentation."""
    reports.write(report, path)
    show(report, path)


def show(report: Report, path: Path) -> None:
    """Draw the chart of a report, and write the tables of the published one."""
    from .chart import draw

    draw(report, path.with_suffix(".png"))
    if path == PATH:
        DOCUMENTS.write(report, ROOT)
