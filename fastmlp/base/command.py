"""The command line that runs, which pages name as the origin of their results."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from contextvars import ContextVar

# A context variable: a command that a program calls leaves no trace behind.
_command: ContextVar[str] = ContextVar("command", default="")


def set_command(program: str, arguments: Iterable[str]) -> None:
    """Set the command line of the current context.

    Parameters
    ----------
    program : str
        Such as ``python -m fastmlp.train``.
    arguments : iterable of str
    """
    _command.set(f"{program} {shlex.join(arguments)}".strip())


def command_text() -> str:
    """Return the command line; empty if Python calls the package."""
    return _command.get()
