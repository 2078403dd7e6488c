"""The command line of the comparison."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fastmlp.base.cpus import usable_cpus
from fastmlp.base.errors import ConfigError
from fastmlp.base.files import write_text
from fastmlp.base.paths import as_path

from . import cases, contenders, report, summary
from .cases import Case
from .data import Store
from .measure import PIECE_SECONDS, measure, measure_peaks
from .process import Worker

ROOT = Path(__file__).resolve().parents[2]

DESCRIPTION = """\
Measure how fast fastmlp, JAX (jit, one scan per epoch), PyTorch (eager), scikit-learn and NumPy
train and predict on this machine, each with its best number of threads, and how fast fastmlp,
NumPy and pandas read a CSV file. In every round each contender runs its work once; the results are
medians over rounds.

The time of an update includes shuffling and gathering rows, but not compiling and loading data.
All contenders compute the same updates on the same rows. Large tables are the same float32 rows
for all. Images are bytes for fastmlp, which scales them itself, except in cases called dense; the
others get scaled float32 rows. Initial weights are random for each. The loss after the same
number of updates is compared. Slow contenders run fewer updates per round. The time to a test
accuracy excludes evaluations. Small tables are fitted by the estimators of scikit-learn and
fastmlp with their defaults. A contender without the activation, optimizer or dropout of a case is
left out of it. The peak is measured with fused multiply-adds on registers, per case.
"""

EPILOG = """\
Peers that are not installed are skipped. They are not dependencies of the project; install them
outside its environment:

  .venv/bin/python -m pip install --target peers-site torch jax pandas
  PYTHONPATH=peers-site .venv/bin/python scripts/compare_peers.py

examples:
  scripts/compare_peers.py                             all cases, about half an hour
  scripts/compare_peers.py --cases batch32,wide64 --peers jax
  scripts/compare_peers.py --quick --data digits
  scripts/compare_peers.py --draw                      redraw the chart from the JSON file
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    found = argparse.ArgumentParser(
        prog="compare_peers.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("--list", action="store_true", help="list cases and contenders, then exit")
    add("--cases", type=_names, default=[], metavar="A,B", help="cases to measure; default: all")
    add("--skip", type=_names, default=[], metavar="A,B", help="cases to leave out")
    add(
        "--peers",
        type=_names,
        default=[],
        metavar="A,B",
        help="peers to measure; default: all installed",
    )
    add(
        "--threads",
        type=_numbers,
        default=[],
        metavar="1,2",
        help="numbers of threads; default: 1 and all cores",
    )
    add("--rounds", type=int, default=5, help="timed runs of each contender; default: 5")
    add(
        "--seeds", type=int, default=3, help="runs to the test accuracy, and first fits; default: 3"
    )
    add("--data", default="mnist", help="a dataset for classification; default: mnist")
    add("--quick", action="store_true", help="a few updates of each case, as a test")
    add(
        "--out",
        default="",
        metavar="FILE",
        help="JSON file to write, with the chart as PNG in the same folder; - for none; default: "
        "docs/peers.json if all cases and peers are measured",
    )
    add("--draw", action="store_true", help="only draw the chart of an existing JSON")
    return found


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code: 1 if a contender failed, 2 for wrong usage."""
    command = parser()
    options = command.parse_args(arguments)
    if options.list:
        print(_listing())
        return 0
    try:
        chosen = [case for case in cases.named(options.cases) if case.name not in options.skip]
        peers, missing = _peers(options.peers)
        out = _out(options, missing)
    except (ConfigError, ValueError) as error:
        command.error(str(error))
    if options.draw:
        if out is None:
            command.error("--draw needs the name of the JSON file")
        _draw(json.loads(out.read_text(encoding="utf-8")), out)
        return 0
    if options.quick:
        chosen = [cases.quick(case) for case in chosen]
    # After SIGTERM workers must end and the folder be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found, complaints = _compare(options, chosen, peers, missing)
    except KeyboardInterrupt:
        return 130
    blocks = summary.table(found), summary.NOTE, summary.peak_lines(found), summary.losses(found)
    print(*blocks, sep="\n\n")
    if missing:
        print(f"\nnot installed, so left out: {', '.join(missing)}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if out is not None:
        write_text(out, json.dumps(found, indent=1) + "\n")
        _draw(found, out)
    elif not options.out:
        print("\nnot written to docs/peers.json, which is for all cases and peers; use --out FILE")
    return 1 if complaints else 0


def _out(options: argparse.Namespace, missing: list[str]) -> Path | None:
    """Return the JSON file to write or read, or None."""
    if options.out:
        return None if options.out == "-" else as_path(options.out, "--out")
    # A partial comparison must not replace the published one.
    partial = (
        options.cases, options.skip, options.peers, options.threads, options.quick, missing,
        options.data != "mnist",
    )  # fmt: skip
    return ROOT / "docs" / "peers.json" if options.draw or not any(partial) else None


def _compare(
    options: argparse.Namespace, chosen: list[Case], peers: list[str], missing: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """Measure all cases; return the report and the failures."""
    threads = options.threads or sorted({1, usable_cpus()})
    names = [contenders.OURS, *peers]
    found = report.facts(names, missing, threads, options.rounds)
    found["cases"] = []
    complaints: list[str] = []
    piece_seconds = 0.01 if options.quick else PIECE_SECONDS
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), options.data)
        found["data"] = options.data
        try:
            workers += [Worker(name, n) for name in names for n in threads]
            for case in chosen:
                started = time.perf_counter()
                store.write(case)
                peaks = measure_peaks(case, workers)
                few = case.kind in (cases.TARGET, cases.START)
                rounds = options.seeds if few else options.rounds
                results = measure(case, workers, Path(folder), rounds, piece_seconds, _say)
                found["cases"].append(report.case_record(case, results, store.layers(case), peaks))
                complaints += report.failures(case, results)
                if not options.quick:  # too few updates to compare losses
                    complaints += report.disagreements(case, results)
                _say("")
                print(f"{case.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        finally:
            for worker in workers:
                worker.close()
    return found, complaints


def _peers(wanted: list[str]) -> tuple[list[str], list[str]]:
    """Return the installed and the missing peers."""
    unknown = [name for name in wanted if name not in contenders.PEERS]
    if unknown:
        raise ValueError(f"unknown peer {unknown[0]!r}; known: {', '.join(contenders.PEERS)}")
    names = [name for name in contenders.PEERS if not wanted or name in wanted]
    there = [name for name in names if contenders.is_installed(name)]
    return there, [name for name in names if name not in there]


def _draw(found: dict[str, Any], out: Path) -> None:
    from .chart import draw

    draw(found, out.with_suffix(".png"))


def _listing() -> str:
    lines = ["cases:"]
    lines += [f"  {case.name:22} {case.title}{_inputs(case)}" for case in cases.CASES]
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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[int]:
    numbers = sorted({int(part) for part in _names(text)})
    if not numbers or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"numbers of 1 or more are needed, got {text!r}")
    return numbers
