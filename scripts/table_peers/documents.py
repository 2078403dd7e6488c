"""The tables of a report in the documentation."""

from __future__ import annotations

from comparing.documents import Documents, Report, Rows, markdown

from . import summary


def _errors(report: Report) -> str:
    return markdown(*summary.error_rows(report))


def _log_losses(report: Report) -> str:
    return markdown(*summary.log_loss_rows(report))


def _overall(report: Report) -> str:
    versions = ", ".join(dict.fromkeys(report["versions"].values()))
    where = f"{report['cpu']}, one thread; {versions}."
    return f"{markdown(*summary.overall_rows(report))}\n\n{where}"


def _tables(report: Report) -> str:
    head = ["table", "task", "rows", "columns", "of texts", "training rows", "test rows"]
    rows: Rows = []
    for table in report["tables"]:
        classes = f", {table['classes']} classes" * bool(table["classes"])
        counts = ("rows", "columns", "text_columns", "training_rows", "test_rows")
        numbers = [f"{table[name]:,}" for name in counts]
        rows.append([table["name"], table["task"] + classes, *numbers])
    return markdown(head, rows)


DOCUMENTS = Documents(
    "tables",
    ("docs/tables.md",),
    {"overall": _overall, "errors": _errors, "log-losses": _log_losses, "sets": _tables},
)
