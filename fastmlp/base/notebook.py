"""HTML in notebooks: representations of objects, and elements that are updated in place.

Reports are in a layer above the objects that they show, so the top of the package registers the
functions here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

renderers: dict[str, Callable[[Any], str]] = {}
"""Functions that return HTML, by the names of types."""


def html_of(thing: object) -> str:
    """Return an object as HTML, by the function of its type or the nearest base class."""
    kinds = (kind.__name__ for kind in type(thing).__mro__)
    return next(renderers[kind] for kind in kinds if kind in renderers)(thing)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class LiveHtml:
    """An element of the cell's output that can be replaced.

    Parameters
    ----------
    html : str
        Its first content.
    """

    def __init__(self, html: str):
        display = sys.modules["IPython"].display  # in_notebook() has found it
        self._as_html = display.HTML
        self._handle = display.display(self._as_html(html), display_id=True)

    def update(self, html: str) -> None:
        """Replace the content."""
        self._handle.update(self._as_html(html))
