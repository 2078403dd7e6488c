"""Options for the fields of a config."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Callable
from typing import Any, get_type_hints

from ..base.settings import AUTO, Setting, flag_of
from ..base.table_options import TableOptions
from ..training.config import TrainConfig
from . import values

_READERS: dict[Any, Callable[[str], Any]] = {
    tuple[int, ...]: values.sizes,
    tuple[str, ...]: values.texts,
    str | tuple[str, ...]: values.specs,
    float | tuple[float, ...]: values.shares,
    float | str: values.rate,
    str: str,
    int: int,
    float: float,
}


def add_settings(group: Any, name: str, shows_defaults: bool = True) -> None:
    """Add an option for each field of TrainConfig in a group.

    An option that is not given leaves no attribute.

    Parameters
    ----------
    group : argument group
    name : str
        As :class:`~fastmlp.base.settings.Setting` names it.
    shows_defaults : bool, default True
        Whether the help states the defaults.
    """
    hints = get_type_hints(TrainConfig)
    for field in dataclasses.fields(TrainConfig):
        row: Setting = field.metadata["setting"]
        if row.group != name:
            continue
        help = row.text + _default_text(field.default)
        if not shows_defaults:
            help = re.sub(r"; (default|auto): [^;]*", "", row.text)
        keywords: dict[str, Any]
        if hints[field.name] is bool:
            keywords = {"action": "store_false" if field.default else "store_true"}
        else:
            keywords = {"metavar": row.metavar, "type": _READERS[hints[field.name]]}
        group.add_argument(
            flag_of(field.name, row), dest=field.name, default=argparse.SUPPRESS, help=help,
            **keywords,
        )  # fmt: skip


def given_table_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options for reading tables that were given."""
    return {name: value for name, value in vars(options).items() if name in TableOptions.names()}


def _default_text(default: Any) -> str:
    if isinstance(default, bool) or default in ("", (), AUTO):
        return ""
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    return f" (default: {default})"
