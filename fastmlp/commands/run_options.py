"""Options of ``python -m fastmlp.train`` that are not settings: where data are, how to run."""

from __future__ import annotations

from typing import Any

from .._version import __version__
from ..recipes import recipe_names
from .values import folder, interval, path


def add_data_folder(group: Any) -> None:
    """Add the option for the folder of data sets."""
    group.add_argument(
        "--data-dir",
        metavar="DIR",
        type=path,
        help="folder of the files of MNIST or of a set like it (default: $FASTMLP_DATA)",
    )


def add_run_options(group: Any) -> None:
    group.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="maximum number of threads (default: all usable CPUs)",
    )
    group.add_argument(
        "--out", metavar="DIR", type=folder, help="run folder (default: runs/NAME-DATE-TIME)"
    )
    group.add_argument(
        "--overwrite", action="store_true", help="allow --out to be an existing folder"
    )
    group.add_argument("--no-out", action="store_true", help="write no run folder")
    group.add_argument(
        "--checkpoint-every",
        type=interval,
        metavar="N",
        help="write checkpoints for --resume into the run folder, every N epochs or every time "
        "such as 30s, 10m or 1h",
    )
    group.add_argument(
        "--resume",
        type=folder,
        metavar="DIR",
        help="resume the run in this folder, with its settings and with the same bits as without "
        "the interruption; if there is no run, start one",
    )
    group.add_argument("--no-plots", action="store_true", help="write no plots into the run folder")
    group.add_argument(
        "--config",
        metavar="FILE.toml",
        type=path,
        help="read settings from a file such as a run folder's config.toml; options override them",
    )
    group.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"use settings that come with fastmlp: {', '.join(recipe_names())}; options override "
        "them",
    )
    group.add_argument(
        "--print-config", action="store_true", help="print the settings as TOML and stop"
    )
    group.add_argument(
        "--explain", action="store_true", help="print the data, the layers and the plan, and stop"
    )
    group.add_argument(
        "--warm-up",
        action="store_true",
        help="compile all kernels ahead of time, so that later runs start at once, and stop; for "
        "both dtypes, or the one of --dtype",
    )
    group.add_argument(
        "--profile", action="store_true", help="also print the time of each phase of a step"
    )
    group.add_argument("--json", action="store_true", help="print the results as one JSON object")
    group.add_argument("--quiet", action="store_true", help="print nothing on stderr except errors")
    group.add_argument("--version", action="version", version=f"fastmlp {__version__}")
