"""``fastmlp bench``: how fast this machine trains and predicts."""

# Imports are in the functions for the reasons given in train.py.

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands.running import leave, print_line, run_command

if TYPE_CHECKING:
    from .commands.options import Parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.bench_options import build_bench_parser

    return build_bench_parser()


def _main(arguments: list[str] | None) -> int:
    from .base.json_values import to_json
    from .commands.bench_options import parse_bench_arguments
    from .commands.machine import kernel_lines, set_threads

    options = parse_bench_arguments(arguments)
    set_threads(options.threads)
    from .commands.bench_cases import CASES, measure
    from .commands.bench_cases import table as table_of
    from .commands.tables import text_table

    cases = [CASES[name] for name in options.cases or CASES]
    notify = (lambda _: None) if options.quiet else print_line
    found = measure(cases, options.rounds, options.threads, notify)
    if options.json:
        print(to_json([figures._asdict() for figures in found]))
    else:
        print("\n".join([*text_table(table_of(found)), *kernel_lines()]))
    return 0


if __name__ == "__main__":
    leave(main())
