"""Settings declared in one row each: default, help, range, choices and command-line option.

Configs declare their fields with :func:`setting`. Checks, command lines, docstrings and the tables
of the docs read these rows.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

AUTO = "auto"
# The group of settings that have no option: they are written in files.
WITHOUT_OPTION = "files"
_WIDTH = 92


class Range(NamedTuple):
    """A rule that numbers must satisfy, in the words of error messages."""

    rule: str
    holds: Callable[[float], bool]


def at_least(least: int) -> Range:
    """Return the range of numbers of at least ``least``."""
    return Range(f"at least {least}", lambda value: value >= least)


def at_most(most: int) -> Range:
    """Return the range of numbers of at most ``most``."""
    return Range(f"at most {most}", lambda value: value <= most)


def below(limit: int, text: str) -> Range:
    """Return the range of numbers below ``limit``, which messages call ``text``."""
    return Range(f"below {text}", lambda value: value < limit)


ABOVE_0 = Range("above 0", lambda value: value > 0)
BETWEEN_0_AND_1 = Range("between 0 and 1", lambda value: 0 < value < 1)
SHARE = Range("at least 0 and below 1", lambda value: 0 <= value < 1)


@dataclasses.dataclass(frozen=True)
class Setting:
    """The facts of a field besides its name, type and default.

    Parameters
    ----------
    group : str
        Heading of its option in ``--help``, or ``WITHOUT_OPTION``.
    help : str
        May name other options, as ``--data``; ``{names}`` stands for the names of the registry.
    metavar : str
        Its value in ``--help``; empty for options without a value.
    flag : str
        The option; empty: the name of the field.
    choices : tuple of str
        All values; empty: any value of the type.
    registry : Registry or None
        Of the names, with parameters, that are its values.
    ranges : tuple of Range
        Of a number, or of each number in a tuple.
    takes_integers : bool
        Whether texts may be given as integers: labels, and indices of columns.
    varies : bool
        Whether it can be an axis of a sweep; else it has one value for all cells.
    """

    group: str
    help: str
    metavar: str = ""
    flag: str = ""
    choices: tuple[str, ...] = ()
    registry: Any = None
    ranges: tuple[Range, ...] = ()
    takes_integers: bool = False
    varies: bool = True

    @property
    def text(self) -> str:
        """The help with all names."""
        names = [] if self.registry is None else self.registry.names()
        return self.help.replace("{names}", ", ".join(names))


def setting(default: Any, group: str, help: str, metavar: str = "", **facts: Any) -> Any:
    """Return a dataclass field; parameters as for :class:`Setting`."""
    row = Setting(group, help, metavar, **facts)
    return dataclasses.field(default=default, metadata={"setting": row})


def same_setting(config: type, name: str) -> Any:
    """Return a field like that of another config."""
    field = next(field for field in dataclasses.fields(config) if field.name == name)
    return dataclasses.field(default=field.default, metadata=field.metadata)


def rows(config: type) -> dict[str, Setting]:
    """Return the rows of a config's fields by their names."""
    return {field.name: field.metadata["setting"] for field in dataclasses.fields(config)}


def flag_of(name: str, row: Setting) -> str:
    """Return the command-line option of a setting."""
    return row.flag or "--" + name.replace("_", "-")


def documented(config: type) -> type:
    """Complete a config's docstring with its parameters; a class decorator.

    They replace the line ``{parameters}``.
    """
    flags = {flag_of(name, row): name for name, row in rows(config).items()}
    lines = ["Parameters", "----------"]
    for field in dataclasses.fields(config):
        row = field.metadata["setting"]
        lines += [f"{field.name} : {_type_text(field, row)}, default {field.default!r}"]
        help = re.sub(r"--[a-z0-9-]+", lambda flag: f"``{flags.get(flag[0], flag[0])}``", row.text)
        help = f"{help[0].upper()}{help[1:]}."
        lines += textwrap.wrap(help, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    config.__doc__ = inspect.getdoc(config).replace("{parameters}", "\n".join(lines))  # type: ignore[union-attr]
    return config


def _type_text(field: dataclasses.Field[Any], row: Setting) -> str:
    if row.choices:
        return "{" + ", ".join(map(repr, row.choices)) + "}"
    text = re.sub(r"tuple\[(\w+), \.\.\.\]", r"tuple of \1", str(field.type))
    return text.replace(" | ", " or ")
