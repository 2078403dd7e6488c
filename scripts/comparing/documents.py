"""Tables in the documentation, between comments that name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fastmlp.base.files import write_text

Report = dict[str, Any]
Rows = list[list[str]]


class Documents(NamedTuple):
    """The tables of a comparison in the documentation.

    A table is between comments such as ``<!-- peers: dense -->`` and ``<!-- end -->``.

    Parameters
    ----------
    comparison : str
        The word before the colon.
    files : tuple of str
        Below the root of the clone.
    blocks : dict
        By the name after the colon, what renders the table.
    """

    comparison: str
    files: tuple[str, ...]
    blocks: Mapping[str, Callable[[Report], str]]

    def write(self, report: Report, root: Path) -> None:
        """Replace the tables in the files below a folder."""
        for name in self.files:
            path = root / name
            write_text(path, self.updated(path.read_text(encoding="utf-8"), report))

    def updated(self, text: str, report: Report) -> str:
        """Return a text with the tables of a report in place of those that it has."""
        block = re.compile(rf"(<!-- {self.comparison}: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
        return block.sub(
            lambda found: f"{found[1]}{self.blocks[found[2]](report)}\n{found[3]}", text
        )


def markdown(head: list[str], rows: Rows) -> str:
    """Return a table in Markdown."""
    first, *others = (f"| {' | '.join(row)} |" for row in [head, *rows])
    return "\n".join([first, "|---" * len(head) + "|", *others])
