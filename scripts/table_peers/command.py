"""The command line of the comparison."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from comparing import reports
from comparing.machine import machine_facts
from comparing.process import Process, WorkerError
from fastmlp.base.errors import ConfigError

from . import contenders, published, summary
from .options import parser
from .tables import Table, chosen_tables, facts, read_index, read_rows

Results = dict[str, dict[str, dict[str, dict[str, float]]]]


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code: 1 if a contender failed, 2 for wrong usage."""
    command = parser()
    options = command.parse_args(arguments)
    # After SIGTERM the contender's process must end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(options)
    except ConfigError as error:
        command.error(str(error))
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Measure or draw what the options say; return the exit code."""
    out = options.out
    if out is None and (options.merge or options.resume or options.draw):
        out = published.PATH
    if options.draw:
        published.show(published.read(out), out)
        return 0
    if options.tables is None:
        raise ConfigError("--tables must name the folder of the tables; give it, see --help")
    tables = chosen_tables(read_index(options.tables), options.only)
    names, notes = _available(options.contenders)
    if options.list:
        print("\n".join(_listing(tables, notes)))
        return 0
    report = _begun(options, out, names)
    failures = _measure(options, tables, names, report, out)
    print(summary.text(report))
    for note in notes:
        print(f"left out: {note}")
    for failure in failures:
        print(failure, file=sys.stderr)
    if out is not None:
        published.write(report, out)
    return 1 if failures else 0


def _available(wanted: list[str]) -> tuple[list[str], list[str]]:
    """Return the contenders that can be measured, and a note for each of the others."""
    reasons = {name: contenders.why_missing(name) for name in contenders.chosen(wanted)}
    names = [name for name, reason in reasons.items() if not reason]
    return names, [f"{name}: {reason}" for name, reason in reasons.items() if reason]


def _listing(tables: list[Table], notes: list[str]) -> list[str]:
    missing = dict(note.split(": ", 1) for note in notes)
    return [
        "contenders:",
        *(
            f"  {name:24} {missing.get(name) or contenders.version(name)}"
            for name in contenders.ENTRIES
        ),
        "tables:",
        *(f"  {table.name:24} {table.task}" for table in tables),
    ]


def _begun(options: argparse.Namespace, out: Path | None, names: list[str]) -> dict[str, Any]:
    """Return the report to add to: a new one, or an earlier one."""
    found = {
        **machine_facts(),
        "versions": {name: contenders.version(name) for name in names},
        "tables": [],
        "results": {},
    }
    is_there = out is not None and out.exists()
    if not (options.merge or (options.resume and is_there)):
        return found
    assert out is not None
    earlier = published.read(out)
    reports.check_same(earlier, found, published.COMMON)
    return {**earlier, "versions": earlier["versions"] | found["versions"]}


def _measure(
    options: argparse.Namespace,
    tables: list[Table],
    names: list[str],
    report: dict[str, Any],
    out: Path | None,
) -> list[str]:
    """Measure all contenders on all tables; add to the report, and return the failures."""
    results: Results = report["results"]
    _add_facts(report, tables, options.tables)
    failures = []
    for name in names:
        todo = [
            (table, number)
            for table in tables
            for number in range(options.splits)
            if not (options.resume and str(number) in results[table.name].get(name, {}))
        ]
        if not todo:
            continue
        process = Process("table_peers.worker", [name, str(options.tables)], threads=1)
        try:
            for table, number in todo:
                try:
                    found = process.ask("measure", table=asdict(table), number=number)
                except WorkerError as error:
                    print(error, file=sys.stderr)
                    failures.append(f"{name} failed on {table.name}, split {number}")
                    continue
                results[table.name].setdefault(name, {})[str(number)] = found
                print(_line(name, table, number, found), file=sys.stderr)
                if out is not None:
                    reports.write(report, out)
        finally:
            process.close()
    return failures


def _add_facts(report: dict[str, Any], tables: list[Table], folder: Path) -> None:
    """Add what is known about tables that the report lacks."""
    known = {table["name"]: table for table in report["tables"]}
    for table in tables:
        known[table.name] = facts(table, read_rows(table, folder))
        report["results"].setdefault(table.name, {})
    report["tables"] = list(known.values())


def _line(name: str, table: Table, number: int, found: dict[str, float]) -> str:
    return (
        f"{name:24} {table.name:12} split {number}: error {found['error']:7.3f}, "
        f"{found['seconds']:.2f} CPU seconds"
    )
