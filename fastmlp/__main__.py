"""``python -m fastmlp``: the list of commands, and another way to run each."""

from __future__ import annotations

import importlib
import sys

from ._version import __version__
from .base.errors import ConfigError, close_match
from .commands.running import leave, run_command

COMMANDS = {
    "train": "train a multilayer perceptron and report its accuracy or errors",
    "sweep": "train every configuration of a grid, and rank them",
    "predict": "predict labels, probabilities or numbers with a saved model",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        command = importlib.import_module(f".{arguments[0]}", __package__)
        code: int = command.main(arguments[1:])
        return code
    return run_command(lambda: _describe(arguments))


def _describe(arguments: list[str]) -> int:
    """Print the commands or the version."""
    if not arguments:
        print(usage(), file=sys.stderr)
        return ConfigError.exit_code
    if arguments[0] == "--version":
        print(f"fastmlp {__version__}")
    elif arguments[0] in ("--help", "-h"):
        print(usage())
    else:
        raise ConfigError(
            f"unknown command {arguments[0]!r}{close_match(arguments[0], COMMANDS)} "
            "(--help describes them)"
        )
    return 0


def usage() -> str:
    """Return a line for each command."""
    lines = [f"  python -m fastmlp.{name:<10} {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        ["fastmlp has three commands:", *lines, "", "Each lists its options with --help."]
    )


if __name__ == "__main__":
    leave(main())
