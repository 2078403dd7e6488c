"""The folder of a sweep: tables, pictures and a page, next to its store.

Tables of results hold no times, so that the same sweep gives the same bytes; ``timings.csv`` does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...base.files import write_atomically, write_text
from ...base.folders import held_folder
from ..leaderboard import Leaderboard, Trial
from .page import sweep_page
from .pictures import FOLDER, draw_sweep
from .tables import cell_rows, configuration_rows, csv_text

_TIMES = ("train_seconds", "inference_seconds")


def write_sweep(
    folder: str | os.PathLike[str],
    board: Leaderboard,
    trials: list[Trial],
    best: dict[str, Any] | None,
    plots: bool = True,
    provenance: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write ``sweep.csv``, ``ranking.csv``, ``timings.csv``, pictures and ``report.html``.

    Parameters
    ----------
    folder : path-like
        Made if it is not there. Pictures of an earlier state are removed.
    board : Leaderboard
    trials : list of Trial
        All cells.
    best : dict or None
        Metrics of the winner.
    plots : bool, default True
        False: no pictures, and none on the page.
    provenance : sequence of (str, str), optional
        On top of the page.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ConfigError
        If it cannot be made, or another process or thread writes into it.
    """
    with held_folder(folder, "folder") as path:
        cells = cell_rows(board, trials)
        write_text(path / "sweep.csv", csv_text(cells, leave_out=_TIMES))
        write_text(path / "ranking.csv", csv_text(configuration_rows(board), leave_out=_TIMES))
        seconds = {trial.key: trial.timings for trial in trials}
        names = dict.fromkeys(name for timings in seconds.values() for name in timings)
        rows = [{"key": c["key"], **{n: seconds[c["key"]].get(n) for n in names}} for c in cells]
        write_text(path / "timings.csv", csv_text(rows))
        for old in (*path.glob("*.png"), *(path / FOLDER).glob("*.png")):
            if old.is_file() and not old.is_symlink():
                old.unlink()
        if plots:
            (path / FOLDER).mkdir(exist_ok=True)
            for name, content in draw_sweep(board):
                write_atomically(path / name, content)
        write_text(path / "report.html", sweep_page(board, best, plots, provenance))
    return path
