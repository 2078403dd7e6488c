"""An option for one field of a TrainConfig."""

from __future__ import annotations

import argparse
from typing import Any

from ..training.config import TrainConfig


def add_setting(group: Any, flag: str, field: str, help: str, **keywords: Any) -> None:
    """Add an option, which is absent from the Namespace unless it is given."""
    default = getattr(TrainConfig, field)
    if isinstance(default, tuple):
        default = ",".join(str(item) for item in default)
    if not (isinstance(default, bool) or default in ("", "auto")):
        help = f"{help} (default: {default})"
    group.add_argument(flag, dest=field, default=argparse.SUPPRESS, help=help, **keywords)
