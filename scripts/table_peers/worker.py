"""A process that fits one contender on one thread on request."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

from comparing.serving import serve

from .tables import Rows, Table, read_rows, split_rows

WARM_UP_ROWS = 200


class Desk:
    """Answers requests, one method per kind.

    Parameters
    ----------
    name : str
        Of the contender.
    folder : path
        Of the tables.
    """

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder
        self.table = ""

    def measure(self, table: dict[str, Any], number: int) -> dict[str, float]:
        """Fit on a split's training rows; return the scores on its test rows, and CPU seconds."""
        from threadpoolctl import threadpool_limits

        from .scores import scores

        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # what a contender says of single columns
            if self.table != table["name"]:
                self.rows = read_rows(Table(**table), self.folder)
                self._fit(self.rows, split_rows(len(self.rows.y), number).train[:WARM_UP_ROWS])
                self.table = table["name"]
            X, y, _ = self.rows
            train, test = split_rows(len(y), number)
            contender, seconds = self._fit(self.rows, train, number)
            found = scores(y[test], contender.predict(X.iloc[test].reset_index(drop=True)))
        return {**found, "seconds": seconds}

    def _fit(self, rows: Rows, chosen: Any, seed: int = 0) -> tuple[Any, float]:
        """Return a fitted contender and the CPU seconds of its fit.

        The first fit on a table is not timed: it loads libraries and compiled code.
        """
        from .contenders import create

        contender = create(self.name, rows.n_classes, seed)
        X, y = rows.X.iloc[chosen].reset_index(drop=True), rows.y[chosen]
        started = time.process_time()
        contender.fit(X, y)
        return contender, time.process_time() - started


def main() -> None:
    """Serve until stdin ends."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    serve(lambda: Desk(name, folder))


if __name__ == "__main__":
    main()
