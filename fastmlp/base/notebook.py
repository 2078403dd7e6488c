"""How things show themselves in a notebook.

Pages are made on a floor above the things that they show: so the top of the package puts in here
who makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

renderers: dict[str, Callable[[Any], str]] = {}
"""By the name of a type, what turns its objects into HTML."""


def html_of(thing: object) -> str:
    """Return a thing as HTML."""
    return renderers[type(thing).__name__](thing)
