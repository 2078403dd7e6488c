"""The HTML representation of objects in notebooks.

Reports are in a layer above the objects that they show, so the top of the package registers the
functions here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

renderers: dict[str, Callable[[Any], str]] = {}
"""Functions that return HTML, by the names of types."""


def html_of(thing: object) -> str:
    """Return an object as HTML."""
    return renderers[type(thing).__name__](thing)
