"""The command line of the comparison."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fastmlp.base.cpus import usable_cpus
from fastmlp.base.errors import ConfigError, DataError
from fastmlp.base.paths import as_path

from . import cases, contenders, published, report, summary
from .case import GROUPS, START, TARGET, Case
from .data import Store
from .measure import PIECE_SECONDS, measure, measure_peaks
from .options import parser
from .process import Worker


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code: 1 if a contender failed, 2 for wrong usage."""
    command = parser()
    options = command.parse_args(arguments)
    if options.list:
        print(_listing())
        return 0
    # After SIGTERM workers must end and the folder be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(options)
    except (ConfigError, DataError) as error:
        command.error(str(error))
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Measure or draw what the options say; return the exit code."""
    skipped = cases.named(options.skip) if options.skip else []
    chosen = [case for case in cases.named(options.cases) if case not in skipped]
    peers, missing = _peers(options.peers, chosen)
    out = _out(options, missing)
    earlier = published.read(out) if out and (options.draw or options.merge) else {}
    if options.draw and out:
        published.show(earlier, out)
        return 0
    found = _facts(options, peers, missing)
    if options.merge:
        published.check_same_machine(earlier, found)
    if options.quick:
        chosen = [cases.quick(case) for case in chosen]
    found["cases"], complaints = _compare(options, chosen, found["threads"], peers)
    blocks = summary.table(found), summary.NOTE, summary.peak_lines(found), summary.losses(found)
    print(*blocks, sep="\n\n")
    if missing:
        print(f"\nnot installed, so left out: {', '.join(missing)}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if out is not None:
        published.write(published.merged(earlier, found) if options.merge else found, out)
    elif not options.out:
        print("\nnot written to docs/peers.json, which is for all cases and peers; use --out FILE")
    return 1 if complaints else 0


def _out(options: argparse.Namespace, missing: list[str]) -> Path | None:
    """Return the JSON file to write or read, or None.

    Raises
    ------
    ConfigError
        If there is none to draw or to merge into, or an incomplete comparison should be merged
        into the published one.
    """
    if options.out == "-" and (options.draw or options.merge):
        raise ConfigError("--draw and --merge need the name of a JSON file, got --out -")
    if options.out:
        return None if options.out == "-" else as_path(options.out, "--out")
    # Partial results of a case must not replace the published ones.
    partial = (
        options.peers, options.threads, options.quick, missing, options.data != "mnist",
    )  # fmt: skip
    if options.merge and any(partial):
        without = f"; not installed: {', '.join(missing)}" if missing else ""
        raise ConfigError(
            "--merge into docs/peers.json needs all peers and threads on mnist, without --quick"
            f"{without}; name another file with --out"
        )
    is_complete = not any((*partial, options.cases, options.skip))
    return published.PATH if options.draw or options.merge or is_complete else None


def _facts(options: argparse.Namespace, peers: list[str], missing: list[str]) -> dict[str, Any]:
    threads = options.threads or sorted({1, usable_cpus()})
    names = [contenders.OURS, *peers]
    return {
        **report.facts(names, missing, threads, options.rounds), "data": options.data, "cases": [],
    }  # fmt: skip


def _compare(
    options: argparse.Namespace, chosen: list[Case], threads: list[int], peers: list[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Measure all cases; return their records and the failures."""
    records: list[dict[str, Any]] = []
    complaints: list[str] = []
    piece_seconds = 0.01 if options.quick else PIECE_SECONDS
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), options.data)
        chosen = _fitting(chosen, store, is_named=bool(options.cases))
        try:
            workers += _workers([contenders.OURS, *peers], threads, chosen)
            for case in chosen:
                started = time.perf_counter()
                store.write(case)
                peaks = measure_peaks(case, workers)
                few = case.kind in (TARGET, START)
                rounds = options.seeds if few else options.rounds
                results = measure(case, workers, Path(folder), rounds, piece_seconds, _say)
                records.append(report.case_record(case, results, store.stages(case), peaks))
                complaints += report.failures(case, results)
                if not options.quick:  # too few updates to compare losses
                    complaints += report.disagreements(case, results)
                _say("")
                print(f"{case.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        finally:
            for worker in workers:
                worker.close()
    return records, complaints


def _fitting(chosen: list[Case], store: Store, is_named: bool) -> list[Case]:
    """Return the cases whose network fits the data; those that do not are left out.

    Raises
    ------
    ConfigError
        If a case does not fit, and cases were named.
    """
    kept = []
    for case in chosen:
        try:
            store.stages(case)
        except (ConfigError, DataError) as error:
            if is_named:
                raise ConfigError(
                    f"{case.name} does not fit --data {store.name}: {error}"
                ) from None
            print(f"{case.name} is left out: {error}", file=sys.stderr)
        else:
            kept.append(case)
    return kept


def _workers(names: list[str], threads: list[int], chosen: list[Case]) -> list[Worker]:
    """Start a worker for each contender, number of threads and memory format that is needed."""
    formats = {
        name: list(dict.fromkeys(f for c in chosen for f in contenders.memory_formats(name, c)))
        for name in names
    }
    return [Worker(name, n, f) for name in names for n in threads for f in formats[name]]


def _peers(wanted: list[str], chosen: list[Case]) -> tuple[list[str], list[str]]:
    """Return the installed and the missing peers of the cases."""
    unknown = [name for name in wanted if name not in contenders.PEERS]
    if unknown:
        raise ConfigError(f"unknown peer {unknown[0]!r}; known: {', '.join(contenders.PEERS)}")
    offered = [name for name in contenders.PEERS if _offers_any(name, chosen)]
    names = [name for name in offered if not wanted or name in wanted]
    there = [name for name in names if contenders.is_installed(name)]
    return there, [name for name in names if name not in there]


def _offers_any(name: str, chosen: list[Case]) -> bool:
    return any(contenders.offers(name, case) for case in chosen)


def _listing() -> str:
    lines = []
    for group, title in GROUPS.items():
        lines.append(f"{group}: {title}")
        members = [case for case in cases.CASES if case.group == group]
        lines += [f"  {case.name:22} {case.title}{_inputs(case)}" for case in members]
    lines.append("contenders:")
    for name, entry in contenders.ENTRIES.items():
        installed = contenders.is_installed(name)
        state = contenders.version(name) if installed else "not installed"
        lines.append(f"  {name:22} {entry.title} {state}")
    return "\n".join(lines)


def _inputs(case: Case) -> str:
    return f"; inputs {case.scale}" if case.trains and case.table is None else ""


def _say(line: str) -> None:
    """Show progress on a terminal; each line replaces the previous one."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
