"""The options of ``fastmlp bench``."""

from __future__ import annotations

import argparse

from ..base.errors import ConfigError, close_match
from .options import Parser, parse_with
from .run_options import JSON, THREADS, Option, add_last_options, add_options
from .settings import texts

DESCRIPTION = """\
Measure how fast this machine trains and predicts, on data drawn from a seed.

Each case is measured on one thread and on all, the cases taking turns; the medians of the rounds
are printed. The first round, in which kernels may be compiled, is not counted.
"""

EPILOG = """\
cases:
  images    784-128-64-10, sgd, batches of 32; bytes, four in five zero
  sample    the same network, an update after each sample
  table     30-256-128-1, adam, batches of 256; dense numbers, a regression
  conv      28x28 images: conv 16 of 3x3, pooling, dense 64; adam, batches of 128

examples:
  fastmlp bench
  fastmlp bench --cases images,conv --rounds 9 --json

In a clone, scripts/bench compares commits.
"""
# In the order in which they are measured.
NAMES = ("images", "sample", "table", "conv")


def parse_bench_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the given options.

    Raises
    ------
    ConfigError
        For an unknown option or case, or less than one round.
    """
    options = parse_with(build_bench_parser(), arguments)
    for name in options.cases:
        if name not in NAMES:
            raise ConfigError(f"--cases: unknown case {name!r}{close_match(name, NAMES)}")
    if not 1 <= options.rounds <= 1000:
        raise ConfigError(f"--rounds must be from 1 to 1000, got {options.rounds}")
    return options


def build_bench_parser() -> Parser:
    """Return the parser of ``fastmlp bench``."""
    parser = Parser("bench", "[options]", DESCRIPTION, EPILOG)
    add_options(parser, (
        Option("--cases", "A,B", texts, "measure only these cases (default: all)",
               {"default": ()}),
        Option("--rounds", "N", int, "rounds of which the median is taken (default: 5)",
               {"default": 5}),
        THREADS,
        JSON,
    ))  # fmt: skip
    add_last_options(parser)
    return parser
