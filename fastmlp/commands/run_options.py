"""Options that are not settings: where data are, how to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .._version import __version__
from ..recipes import recipe_names
from .settings import folder, interval, path, seconds


class Option(NamedTuple):
    """An option with a value.

    Attributes
    ----------
    flag, metavar : str
    type : callable
        Returns the value of a text.
    help : str
    more : mapping of str to object
        Further arguments of ``add_argument``.
    """

    flag: str
    metavar: str
    type: Callable[[str], Any]
    help: str
    more: Mapping[str, Any] = MappingProxyType({})


class Switch(NamedTuple):
    """An option without a value."""

    flag: str
    help: str


DATA_FOLDER = Option(
    "--data-dir", "DIR", path,
    "folder of the files of MNIST or of a set like it (default: $FASTMLP_DATA)",
)  # fmt: skip
THREADS = Option("--threads", "N", int, "maximum number of threads (default: all usable CPUs)")
JSON = Switch("--json", "print the results as one JSON object")


def add_options(group: Any, options: Iterable[Option | Switch]) -> None:
    """Add options to a parser or to a group of it."""
    for option in options:
        if isinstance(option, Switch):
            group.add_argument(option.flag, action="store_true", help=option.help)
        else:
            flag, metavar, read, help, more = option
            group.add_argument(flag, metavar=metavar, type=read, help=help, **more)


def add_last_options(group: Any) -> None:
    """Add the options with which every command's help ends."""
    add_options(group, [Switch("--quiet", "print nothing on stderr except errors")])
    group.add_argument("--version", action="version", version=f"fastmlp {__version__}")


def add_run_options(group: Any) -> None:
    """Add the options of ``fastmlp train``."""
    add_options(group, (
        THREADS,
        Option("--out", "DIR", folder, "run folder (default: runs/NAME-DATE-TIME)"),
        Switch("--overwrite", "allow --out to be an existing folder"),
        Switch("--no-out", "write no run folder"),
        Option("--checkpoint-every", "N", interval, "write checkpoints for --resume into the run "
               "folder, every N epochs or every time such as 30s, 10m or 1h"),
        Option("--resume", "DIR", folder, "resume the run in this folder, with its settings and "
               "with the same bits as without the interruption; if there is no run, start one"),
        Switch("--no-plots", "write no plots into the run folder"),
        Option("--importance", "SECONDS", seconds, "time in which to measure the importance of "
               "the columns of a table for report.html (default: 2); 0: none"),
        Option("--config", "FILE.toml", path, "read settings from a file such as a run folder's "
               "config.toml; options override them"),
        Option("--recipe", "NAME", str, "use settings that come with fastmlp: "
               f"{', '.join(recipe_names())}; options override them"),
        Switch("--print-config", "print the settings as TOML and stop"),
        Switch("--explain", "print the data, the layers and the plan, and stop"),
        Switch("--warm-up", "compile all kernels ahead of time, so that later runs start at once, "
               "and stop; for both dtypes, or the one of --dtype"),
        Switch("--profile", "also print the time of each phase of a step"),
        JSON,
    ))  # fmt: skip
    add_last_options(group)
