"""Options for the fields of a config, and values of options from their text."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from ..base.errors import ConfigError
from ..base.paths import as_path
from ..base.settings import AUTO, Setting, flag_of
from ..base.table_options import TableOptions
from ..ops.spec import split_list
from ..training.config import TrainConfig
from ..training.interval import Interval
from ..training.scorers import Metric


def texts(text: str) -> tuple[str, ...]:
    """Read ``3,7``."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(f"must be names like 3,7, got {text!r}")
    return parts


def specs(text: str) -> str | tuple[str, ...]:
    """Read ``relu``, or one per layer: ``elu(1.0),tanh``; commas within parentheses are kept."""
    parts = tuple(split_list(text))
    return parts if len(parts) > 1 else parts[0]


def layers(text: str) -> tuple[str, ...]:
    """Read ``conv2d(8, 3), dense(64)``."""
    parts = tuple(split_list(text))
    if not all(parts):
        raise argparse.ArgumentTypeError(
            f"must be layers like 'conv2d(8, 3), dense(64)', got {text!r}"
        )
    return parts


def shares(text: str) -> float | tuple[float, ...]:
    """Read ``0.2``, or one for each layer: ``0.2,0.5``."""
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers like 0.2,0.5, got {text!r}") from None
    return shares if len(shares) > 1 else shares[0]


def sizes(text: str) -> tuple[int, ...]:
    """Read ``128,64``, ``128-64`` or ``none``."""
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(int(part) for part in re.split(r",|(?<=\d)-", text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers like 128,64, or none, got {text!r}"
        ) from None


def rate(text: str) -> float | str:
    """Read a number or ``auto``."""
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def interval(text: str) -> str:
    """Check a number of epochs, or a time such as ``30s``."""
    try:
        Interval.parse(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def seconds(text: str) -> float:
    """Read a time in seconds, at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a time in seconds, at least 0, got {text!r}")
    return value


def path(text: str) -> Path:
    """Read the name of a file or folder, ``~`` expanded."""
    try:
        return as_path(text, "the value")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def folder(text: str) -> Path:
    """Read the name of a folder to write into."""
    if text == "-":
        raise argparse.ArgumentTypeError(
            "must be a folder, got -, which names none; leave it out for a new folder in "
            "runs, or give ./-"
        )
    return path(text)


_READERS: dict[Any, Callable[[str], Any]] = {
    tuple[int, ...]: sizes,
    tuple[str, ...]: texts,
    tuple[Metric, ...]: texts,
    str | tuple[str, ...]: specs,
    float | tuple[float, ...]: shares,
    float | str: rate,
    str: str,
    int: int,
    float: float,
}


def reader_of(field: dataclasses.Field[Any], hint: Any) -> Callable[[str], Any]:
    """Return the function that reads the text of an option.

    Parameters
    ----------
    field : Field
        Of TrainConfig.
    hint : type
        The field's.
    """
    is_list_of_specs = hint == tuple[str, ...] and field.metadata["setting"].registry is not None
    return layers if is_list_of_specs else _READERS[hint]


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
            keywords = {"metavar": row.metavar, "type": reader_of(field, hints[field.name])}
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
