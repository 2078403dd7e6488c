"""``fastmlp``, or ``python -m fastmlp``: the list of commands, and how each is run."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NoReturn

from ._version import __version__
from .base.errors import ConfigError, close_match
from .commands.running import leave, run_command

COMMANDS = {
    "train": "train a multilayer perceptron and report its accuracy or errors",
    "sweep": "train every configuration of a grid, and rank them",
    "predict": "predict labels, probabilities or numbers with a saved model",
    "export": "write a saved model as ONNX, NumPy, C or PyTorch",
    "bench": "measure how fast this machine trains and predicts",
    "info": "print versions, CPU, threads and folders, for a report of an issue",
}
COMPLETION = "--print-completion"
_OPTIONS = ("--help", "--version", COMPLETION)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        code: int = command(arguments[0]).main(arguments[1:])
        return code
    return run_command(lambda: _describe(arguments))


def command(name: str) -> Any:
    """Return the module of a command, with ``main(arguments)`` and ``parser()``."""
    return importlib.import_module(f".{name}", __package__)


def _describe(arguments: list[str]) -> int:
    """Print the commands, the version or a script for a shell."""
    if not arguments:
        print(usage(), file=sys.stderr)
        return ConfigError.exit_code
    first, *others = arguments[0].split("=", 1) + arguments[1:]
    if first == "--version":
        print(f"fastmlp {__version__}")
    elif first in ("--help", "-h"):
        print(usage())
    elif first == COMPLETION:
        print(_completion(others))
    else:
        hint = close_match(first, _OPTIONS if first.startswith("-") else COMMANDS)
        raise ConfigError(f"unknown command {first!r}{hint} (--help describes them)")
    return 0


def _completion(given: list[str]) -> str:
    from .commands.completion import completion_script

    if len(given) != 1:
        raise ConfigError(
            f"{COMPLETION} takes one shell, got {len(given)}; write {COMPLETION} bash"
        )
    parsers = {name: (what, command(name).parser()) for name, what in COMMANDS.items()}
    return completion_script(given[0], parsers)


def usage() -> str:
    """Return a line for each command."""
    lines = [f"  fastmlp {name:<10} {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: fastmlp COMMAND [options]",
            "",
            *lines,
            "",
            "Each lists its options with --help; python -m fastmlp.COMMAND is the same.",
            f'Completion: eval "$(fastmlp {COMPLETION} bash)"; the same with zsh.',
            f"In tcsh: fastmlp {COMPLETION} tcsh > FILE; source FILE",
        ]
    )


def run() -> NoReturn:
    """Run the command line and end the process."""
    leave(main())


if __name__ == "__main__":
    run()
