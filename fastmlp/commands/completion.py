"""Completion of command lines in shells, by shtab."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping

from ..base.errors import ConfigError, close_match
from ..training.config import TrainConfig
from .options import SOURCE, Parser
from .settings import folder, path

SHELLS = ("bash", "zsh", "tcsh")


def completion_script(shell: str, parsers: Mapping[str, tuple[str, Parser]]) -> str:
    """Return a script with which a shell completes commands, options, names and files.

    Parameters
    ----------
    shell : {"bash", "zsh", "tcsh"}
    parsers : mapping of str to (str, Parser)
        What each command does, and its parser.

    Raises
    ------
    ConfigError
        For another shell.
    """
    import shtab

    if shell not in SHELLS:
        raise ConfigError(
            f"--print-completion: unknown shell {shell!r}{close_match(shell, SHELLS)}"
        )
    whole = argparse.ArgumentParser("fastmlp", description="Train multilayer perceptrons.")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    for name, (what, parser) in parsers.items():
        for action in parser._actions:
            _complete_values(action)
        commands.add_parser(name, help=what, parents=[parser], add_help=False)
    script: str = shtab.complete(whole, shell)
    return script


def _complete_values(action: argparse.Action) -> None:
    """Let the values of an option be completed: names, files or folders."""
    import shtab

    if (names := _names().get(action.dest)) is not None and action.nargs != 0:
        action.choices = names
    elif action.type is folder or str(action.metavar).startswith("DIR"):
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.type is path or action.dest in (SOURCE, "data"):
        action.complete = shtab.FILE  # type: ignore[attr-defined]


def _names() -> dict[str, list[str]]:
    """Return the names that settings may have."""
    settings = {field.name: field.metadata["setting"] for field in dataclasses.fields(TrainConfig)}
    return {
        name: list(row.choices or row.registry.names())
        for name, row in settings.items()
        if row.choices or row.registry is not None
    }
