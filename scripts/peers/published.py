"""The published comparison: docs/peers.json, its chart, and the tables in the documentation."""

from __future__ import annotations

from pathlib import Path

from comparing import reports
from comparing.documents import Report
from comparing.reports import ROOT

from .cases import CASES
from .documents import DOCUMENTS

PATH = ROOT / "docs" / "peers.json"

OVERVIEW = {case.name for case in CASES if case.in_overview}
# What all cases of a report share: one chart shows one machine.
COMMON = ("cpu", "cpus", "system", "threads", "data")


def read(path: Path) -> Report:
    """Return a report, with the titles that its cases have now.

    Raises
    ------
    ConfigError
        If the file is missing or no report.
    """
    report = reports.read(path, "cases")
    known = {case.name: case for case in CASES}
    for record in report["cases"]:
        case = known.get(record["name"])
        if case is not None:
            record.update(title=case.title, in_chart=case.in_chart)
    return report


def check_same_machine(report: Report, facts: Report) -> None:
    """Raise ConfigError unless a run with these facts may be merged into a report."""
    reports.check_same(report, facts, COMMON)


def merged(report: Report, found: Report) -> Report:
    """Return a report with the cases of a later run, in place of its own of the same names.

    Versions and rounds that differ from the report's are recorded with the cases of the run.
    """
    fresh = {case["name"]: _with_facts(case, report, found) for case in found["cases"]}
    kept = [case for case in report["cases"] if case["name"] not in fresh]
    order = {case.name: number for number, case in enumerate(CASES)}
    cases = sorted([*kept, *fresh.values()], key=lambda case: order.get(case["name"], len(order)))
    return {**report, "versions": found["versions"] | report["versions"], "cases": cases}


def _with_facts(case: Report, report: Report, found: Report) -> Report:
    versions = {
        name: version
        for name in {result["contender"]: None for result in case["results"]}
        if (version := found["versions"][name]) != report["versions"].get(name, version)
    }
    extra: Report = {"versions": versions} if versions else {}
    if found["rounds"] != report["rounds"]:
        extra["rounds"] = found["rounds"]
    return case | extra


def write(report: Report, path: Path) -> None:
    """Write a report, its chart and, of the published one, the tables in the documentation."""
    reports.write(report, path)
    show(report, path)


def charts(report: Report, path: Path) -> dict[Path, Report]:
    """Return the cases of each chart, by its file: all, and the few of the README."""
    chosen = [case for case in report["cases"] if case["name"] in OVERVIEW]
    found = {path.with_suffix(".png"): report}
    if chosen:
        found[path.with_name(f"{path.stem}-overview.png")] = {**report, "cases": chosen}
    return found


def show(report: Report, path: Path) -> None:
    """Draw both charts of a report, and write the tables of the published one."""
    from .chart import draw

    for chart, part in charts(report, path).items():
        draw(part, chart)
    if path == PATH:
        DOCUMENTS.write(report, ROOT)
