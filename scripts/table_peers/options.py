"""The options of the comparison."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Measure the errors of fastmlp, gradient boosting and other multilayer perceptrons on tables, and the
CPU seconds of their fits. All have their defaults and one thread.

A split's order of rows is numpy.random.default_rng(1000 + N).permutation(rows), with N from 0. The
first 80 % of them, at most 4,000, are for training, and up to 20,000 others are for the test. N is
the seed of the contenders, too. The error is the share of wrong classes in percent; for regression
100 times the root mean squared error over the standard deviation of the test targets.

No table comes with the project. --tables names a folder with INDEX.tsv and a file NAME.csv for each
of its rows. The index is separated by tabs and has the columns
  name             of the table
  target           name of the target's column; without a header its index, from 0
  task             class or regr
  header           header or no header
  dropped_by_hand  columns to leave out, separated by commas: identifiers, and those that reveal the
                   target
"""

EPILOG = """\
Contenders that are not installed are skipped. They are no dependencies of the project; install them
outside its environment:

  .venv/bin/python -m pip install --target peers-site pytabkit catboost lightgbm
  PYTHONPATH=peers-site .venv/bin/python scripts/compare_tables.py --tables FOLDER

examples:
  scripts/compare_tables.py --tables FOLDER --out docs/tables.json
  scripts/compare_tables.py --tables FOLDER --contenders tabular --merge
  scripts/compare_tables.py --tables FOLDER --out mine.json --resume
  scripts/compare_tables.py --draw                 chart and docs/tables.md from docs/tables.json
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    found = argparse.ArgumentParser(
        prog="compare_tables.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("--tables", type=Path, metavar="FOLDER", help="folder of the tables and their index")
    add("--list", action="store_true", help="list contenders and tables, then exit")
    add("--only", type=_names, default=[], metavar="A,B", help="tables to measure; default: all")
    add(
        "--contenders",
        type=_names,
        default=[],
        metavar="A,B",
        help="what to measure; default: all that are installed",
    )
    add("--splits", type=_count, default=5, help="splits of each table; default: 5")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="JSON file to write after every fit, with the chart as PNG in the same folder; "
        "default: none, but docs/tables.json with --merge, --resume and --draw",
    )
    add("--merge", action="store_true", help="replace what is measured in an existing JSON file")
    add(
        "--resume",
        action="store_true",
        help="measure only what a JSON file lacks, which may be missing",
    )
    add(
        "--draw",
        action="store_true",
        help="only draw the chart of an existing JSON file and, of docs/tables.json, write the "
        "tables of the documentation",
    )
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of 1 or more is needed, got {text!r}")
    return int(text)
