"""The functions that export models.

Exports are in a layer above the models, so the top of the package registers the functions here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

exporters: dict[str, Callable[..., Any]] = {}
"""Functions that take a Predictor and a path, by the names of methods of Predictor."""
