"""The interval between checkpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..base.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Interval:
    """An interval between checkpoints, in epochs or in seconds."""

    text: str
    epochs: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, value: int | str) -> Interval:
        """Read ``5``, ``"5"``, ``"30s"``, ``"10m"`` or ``"1.5h"``.

        Raises
        ------
        ConfigError
            For anything else, and for zero.
        """
        text = str(value)
        found = re.fullmatch(r"(\d+)|(\d+\.?\d*)([smh])", text)
        if found:
            epochs, amount, unit = found.groups()
            interval = cls(text, int(epochs or 0), float(amount or 0) * _UNITS.get(unit, 0))
            if interval.epochs or interval.seconds:
                return interval
        raise ConfigError(
            "checkpoint_every must be a number of epochs, such as 5, or a time, such as 30s, 10m "
            f"or 1h, got {text!r}"
        )
