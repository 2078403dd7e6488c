"""Axes of a sweep from the text of options: several values of a setting."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

from ..base.settings import rows
from ..ops.spec import split_list
from ..sweeps.distributions import as_distribution
from ..sweeps.grid import DEFAULT_AXES
from ..training.config import TrainConfig
from .settings import layers

_KINDS = {int: "whole numbers", float: "numbers"}
_TRUTHS = {"true": True, "false": False}


class AxisGroup:
    """A group of options to which settings are added as axes.

    Parameters
    ----------
    group : argparse group
    """

    def __init__(self, group: Any):
        self.group = group

    def add_argument(self, flag: str, **keywords: Any) -> None:
        """Add an option; one that sets a field takes several values instead of one."""
        if "dest" not in keywords:
            self.group.add_argument(flag, **keywords)
            return
        field, action = keywords["dest"], keywords.pop("action", None)
        if not rows(TrainConfig)[field].varies:
            self.group.add_argument(flag, **keywords)
            return
        if action is not None:
            const = action == "store_true"
            flags: list[Any] = [const]
            keywords |= {"nargs": "?", "const": flags, "metavar": "true,false"}
            keywords["type"] = axis(lambda text: _truth(text) == const)
        elif field == "seed":
            keywords |= {"metavar": "0-4", "type": axis(int, ranges=True)}
        else:
            parse = keywords.get("type", str)
            keywords["type"] = axis(parse, separators=";" if parse is layers else ";,")
        if field in DEFAULT_AXES:
            shown = ",".join(DEFAULT_AXES[field])
            keywords["help"] = re.sub(r" \(default: .*\)$", "", keywords["help"])
            keywords["help"] += f" (default: {shown})"
        flags = [flag, "--seeds"] if field == "seed" else [flag]
        self.group.add_argument(*flags, **keywords)


def axis(
    parse: Callable[[str], Any], ranges: bool = False, separators: str = ";,"
) -> Callable[[str], Any]:
    """Return a function that reads an axis: values read by ``parse``, or a distribution.

    Values are separated by commas; by semicolons where a value has commas of its own, as in
    ``128,64; 256``.

    Parameters
    ----------
    parse : callable
    ranges : bool, default False
        Whether ``0-4`` means the integers from 0 to 4.
    separators : str, default ";,"
        Between values: the first one that the text contains.
    """

    def read(text: str) -> Any:
        if as_distribution(text) is not None:
            return text
        values: list[Any] = []
        for part in split_values(text, separators):
            ends = re.fullmatch(r"(\d+)-(\d+)", part) if ranges else None
            if ends is not None and int(ends[1]) <= int(ends[2]):
                values += range(int(ends[1]), int(ends[2]) + 1)
                continue
            try:
                values.append(parse(part))
            except ValueError:
                kind = _KINDS.get(parse, "values")  # type: ignore[call-overload]
                raise argparse.ArgumentTypeError(f"must be {kind}, got {part!r}") from None
        return values

    return read


def split_values(text: str, separators: str = ";,") -> list[str]:
    """Split an axis at its semicolons, without any at its commas; not within brackets."""
    splits = [split_list(text, separator) for separator in separators]
    parts = next((split for split in splits if len(split) > 1), splits[-1])
    if parts[-1] == "":  # "128,64;" is one value
        parts.pop()
    if "" in parts:
        raise argparse.ArgumentTypeError(f"must be values without gaps, got {text!r}")
    return parts


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise argparse.ArgumentTypeError(f"must be true, false or both, got {text!r}")
    return _TRUTHS[text.lower()]
