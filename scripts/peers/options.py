"""The options of the comparison."""

from __future__ import annotations

import argparse

from .case import GROUPS

DESCRIPTION = """\
Measure how fast fastmlp, JAX (jit, one scan per epoch; convolutions: one call per update),
PyTorch (eager), scikit-learn and NumPy train and predict on this machine, each with its best number
of threads, and how fast fastmlp, NumPy and pandas read a CSV file. In every round each contender
runs its work once; the results are medians over rounds.

Convolutional networks are measured in both memory formats of each peer: contiguous and
channels_last in PyTorch, NHWC and NCHW in JAX; the faster one counts. scikit-learn has no
convolution, and the NumPy code has none.

The time of an update includes shuffling and gathering rows, but not compiling and loading data.
All contenders compute the same updates on the same rows. Large tables are the same float32 rows
for all. Images are bytes for fastmlp, which scales them itself, except in cases called dense; the
others get scaled float32 rows. Initial weights are random for each. The loss after the same
number of updates is compared. Slow contenders run fewer updates per round. The time to a test
accuracy excludes evaluations. Small tables are fitted by the estimators of scikit-learn and
fastmlp with their defaults. A contender without the activation, optimizer or a layer of a case is
left out of it. The peak is measured with fused multiply-adds on registers, per case.
"""

EPILOG = """\
Peers that are not installed are skipped. They are not dependencies of the project; install them
outside its environment:

  .venv/bin/python -m pip install --target peers-site torch jax pandas
  PYTHONPATH=peers-site .venv/bin/python scripts/compare_peers.py

examples:
  scripts/compare_peers.py                             all cases, about 45 minutes
  scripts/compare_peers.py --cases convolutional --merge     only these, into docs/peers.json
  scripts/compare_peers.py --cases batch32,wide64 --peers jax
  scripts/compare_peers.py --quick --data digits
  scripts/compare_peers.py --draw                      chart and tables from docs/peers.json
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
    add(
        "--cases",
        type=_names,
        default=[],
        metavar="A,B",
        help=f"cases to measure, or groups: {', '.join(GROUPS)}; default: all",
    )
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
    add(
        "--merge",
        action="store_true",
        help="replace the measured cases in an existing JSON file, docs/peers.json unless --out "
        "names another",
    )
    add(
        "--draw",
        action="store_true",
        help="only draw the chart of an existing JSON file and, of docs/peers.json, write the "
        "tables of the documentation",
    )
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[int]:
    numbers = sorted({int(part) for part in _names(text)})
    if not numbers or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"numbers of 1 or more are needed, got {text!r}")
    return numbers
