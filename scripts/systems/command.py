"""The command line: which systems run, and the printed and written results."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fastmlp.base.errors import close_match
from fastmlp.base.files import write_text
from fastmlp.base.folders import make_folder
from fastmlp.base.json_values import finite
from fastmlp.commands.running import run_command
from fastmlp.commands.settings import folder

from . import convolutional, system_a, system_b, system_c, system_d, system_e, worked
from .lab import Lab
from .report import Report, page_html
from .rows import count_text

SYSTEMS: dict[str, tuple[str, Callable[[Lab, Report], None]]] = {
    "A": ("activation x initialisation x mode", system_a.run),
    "B": ("split ratios", system_b.run),
    "C1": ("a 2-3-2 net, derivatives worked by hand", worked.run_c1),
    "C2": ("the same net on two features, samples drawn with replacement", system_c.run_c2),
    "C3": ("one sample at a time, gradients accumulated", system_c.run_c3),
    "C4": ("whole mini-batches as matrices", system_c.run_c4),
    "C5": ("studies of training, initialisation and learning rate", system_c.run_c5),
    "D": ("losses, regularisation, optimisers, reports", system_d.run),
    "E1": ("two worked cases of backpropagation", worked.run_e1),
    "E2": ("3 against 7, convolutional", convolutional.run_e2),
    "E3": ("ten digits, convolutional", convolutional.run_e3),
    "E4": ("modes compared", system_e.run),
}
QUICK_NOTE = (
    "Quick: the embedded digits instead of MNIST, at most two epochs, only the first of each list "
    "of runs. Only figures that do not depend on MNIST are compared: the cases worked by hand (C1, "
    "E1), C2, numbers of parameters."
)
FULL_NOTE = (
    "Five published course projects, each row run by fastmlp with the reported settings. Settings "
    "that are not reported are chosen, and listed."
)

DESCRIPTION = """\
Run the reference systems, five published course projects, row by row with fastmlp, and print
reported | fastmlp | difference or ratio. Writes summary.json, summary.md, report.html and the
folders of all runs, with their pictures. Needs MNIST; takes fifteen to twenty minutes on two cores.
"""
EXIT_CODES = (
    "exit codes: 0 done, 1 a figure was missed, 2 wrong usage, 3 data missing, 130 interrupted"
)


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    listing = "\n".join(f"  {name:4}{title}" for name, (title, _) in SYSTEMS.items())
    found = argparse.ArgumentParser(
        prog="reproduce.py",
        description=DESCRIPTION,
        epilog=f"systems:\n{listing}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("systems", nargs="*", metavar="SYSTEM", help="default: all")
    found.add_argument(
        "--seeds", type=int, default=1, metavar="N",
        help="train the nets of E2 and E3 with the seeds from 0 to N - 1 (default: 1)",
    )  # fmt: skip
    found.add_argument("--quick", action="store_true", help="a smoke test: short, on the digits")
    found.add_argument(
        "--output", type=folder, default=Path("reproductions"), metavar="DIR",
        help="folder of the results (default: reproductions); older files in it are overwritten",
    )  # fmt: skip
    return found


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    command = parser()
    options = command.parse_args(arguments)
    for name in options.systems:
        if name not in SYSTEMS and name != "all":
            command.error(f"unknown system {name!r}{close_match(name, [*SYSTEMS, 'all'])}")
    if options.seeds < 1:
        command.error(f"--seeds must be at least 1, got {options.seeds}; leave it out for one")
    return run_command(lambda: _reproduce(options))


def _reproduce(options: argparse.Namespace) -> int:
    wanted = [n for n in SYSTEMS if n in options.systems or set(options.systems) <= {"all"}]
    lab = Lab(options.output, options.quick, options.seeds)
    make_folder(options.output, "--output")
    reports = []
    for name in wanted:
        reports.append(_run(name, lab))
        _write(options.output, reports, options.quick)  # also if a later system fails
        print(f"{reports[-1].text()}\n", flush=True)
    rows = [row for report in reports for row in report.rows]
    print(QUICK_NOTE if options.quick else FULL_NOTE)
    print(f"{count_text(rows)}; {sum(report.seconds for report in reports):.0f} s")
    print(f"{options.output / 'report.html'}")
    return int(any(row.has_failed for row in rows))


def _run(name: str, lab: Lab) -> Report:
    title, run = SYSTEMS[name]
    print(f"{name} ...", file=sys.stderr, flush=True)
    report = Report(name, title, judges=not lab.quick)
    started = time.perf_counter()
    run(lab, report)
    report.seconds = time.perf_counter() - started
    return report


def _write(into: Path, reports: list[Report], quick: bool) -> None:
    summary = [finite(row.to_dict()) for report in reports for row in report.rows]
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(into / "summary.json", text)
    text = "\n\n".join(report.markdown() for report in reports) + "\n"
    write_text(into / "summary.md", text)
    note = QUICK_NOTE if quick else FULL_NOTE
    write_text(into / "report.html", page_html(reports, note))
