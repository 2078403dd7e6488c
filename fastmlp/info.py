"""``fastmlp info``: what a report of an issue needs to know about this machine."""

# Imports are in the functions for the reasons given in train.py.

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands.running import leave, run_command

if TYPE_CHECKING:
    from .commands.options import Parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.info_options import build_info_parser

    return build_info_parser()


def _main(arguments: list[str] | None) -> int:
    from .commands.machine import set_threads
    from .commands.options import parse_with

    options = parse_with(parser(), arguments)
    set_threads(options.threads)
    from .base.json_values import to_json
    from .commands.machine_facts import fact_lines, machine_facts

    facts = machine_facts()
    print(to_json(facts) if options.json else "\n".join(fact_lines(facts)))
    return 0


if __name__ == "__main__":
    leave(main())
