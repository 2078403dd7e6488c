"""Completion of command lines in shells, by shtab."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Mapping

from ..base.errors import ConfigError, close_match
from ..data.load import LOADERS
from ..data.synthetic import SYNTHETIC
from ..recipes import recipe_names
from ..sweeps.search import METHODS, PRUNINGS
from ..training.config import TrainConfig
from .bench_options import NAMES
from .options import SOURCE, Parser
from .settings import folder, path

SHELLS = ("bash", "zsh", "tcsh")
_WORD = re.compile(r"[\w.,+-]+")
_NAMES = " ".join([*LOADERS, *SYNTHETIC.names()])
# Data are a name or a file; of both tcsh completes the file only.
_DATA = {
    "bash": "_fastmlp_data",
    "zsh": "_fastmlp_data",
    "tcsh": "f",
    "preamble": {
        "bash": f"""\
_fastmlp_data() {{
    compgen -W "{_NAMES}" -- "$1"
    _shtab_compgen_files "$1"
}}""",
        "zsh": f"""\
_fastmlp_data() {{
    _alternative "names:data:({_NAMES})" "files:file:_files"
}}""",
    },
}


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
    whole.add_argument("--version", action="store_true", help="print the version")
    whole.add_argument("--print-completion", choices=SHELLS, help="print a script for a shell")
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

    if action.dest in (SOURCE, "data"):
        action.complete = _DATA  # type: ignore[attr-defined]
    elif (names := _names().get(action.dest)) is not None and action.nargs != 0:
        action.choices = names
    elif action.type is folder or str(action.metavar).startswith("DIR"):
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.type is path:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    if action.choices and not all(_WORD.fullmatch(str(choice)) for choice in action.choices):
        action.choices = None  # such as quotes, which the scripts do not escape


def _names() -> dict[str, list[str]]:
    """Return the names that settings may have."""
    settings = {field.name: field.metadata["setting"] for field in dataclasses.fields(TrainConfig)}
    of_settings = {
        name: list(row.choices or row.registry.names())
        for name, row in settings.items()
        if row.choices or row.registry is not None
    }
    return {
        **of_settings, "recipe": recipe_names(), "search": [*METHODS], "prune": [*PRUNINGS],
        "cases": [*NAMES],
    }  # fmt: skip
