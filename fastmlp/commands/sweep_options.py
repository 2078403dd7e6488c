"""The options of ``python -m fastmlp.sweep``: every setting as an axis, and how to search."""

from __future__ import annotations

import argparse
from typing import Any

from .._version import __version__
from ..base.errors import ConfigError
from ..base.toml import read_toml
from ..recipes import recipe, recipe_names
from ..sweeps.grid import DEFAULT_AXES, FIELDS
from ..sweeps.runner import BACKENDS
from .axes import AxisGroup
from .options import Parser, parse_with
from .run_options import add_data_folder
from .settings import add_settings
from .values import folder, path

DESCRIPTION = """\
Train every configuration of a grid, one per core, and rank them by validation results.

Every setting of python -m fastmlp.train can be an axis. The default grid is
activation relu,sigmoid,tanh x init xavier,he,random x mode stochastic,batch,minibatch.
"""

EPILOG = """\
Separate the values of an axis by commas, or by semicolons if a value contains commas, as in
--activation "relu,tanh; relu,relu". Layers are also joined by hyphens: --hidden 128,128-64,none.
In random search an axis can be uniform(0, 0.5), loguniform(0.001, 1) or integers(16, 256).

examples:
  python -m fastmlp.sweep                                    27 cells on MNIST or the digits
  python -m fastmlp.sweep --data digits --seeds 0-4 --out runs/seeds
  python -m fastmlp.sweep --out runs/seeds --resume --lr 0.01,0.1     more axes, missing cells only
  python -m fastmlp.sweep --grid grid.toml --jobs 2 --retrain-best
  python -m fastmlp.sweep --mode minibatch --lr "loguniform(0.001, 1)" --random 30
  python -m fastmlp.sweep --hidden 64,128,128-64 --epochs 27 --halving 3
  python -m fastmlp.sweep --backend dask --address tcp://10.0.0.1:8786

grid.toml: a list is an axis, and a table has settings of one mode:
  activation = ["relu", "tanh"]
  mode = ["minibatch", "batch"]
  hidden_layer_sizes = [[128], [128, 64]]
  [minibatch]
  batch_size = [16, 64]
  [batch]
  learning_rate = [0.5, 1.0]
  epochs = 100

exit codes:
  0 done   1 no cell has finished   2 wrong usage   3 data missing, damaged or unfit
  130 interrupted (finished cells are kept: resume with --resume)
"""


def parse_sweep_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the given options; an axis that is not given has no attribute.

    Raises
    ------
    ConfigError
        For an unknown option, a malformed value, or options that contradict each other.
    """
    options = parse_with(build_sweep_parser(), arguments)
    for given, flags in (
        (options.out is not None and options.no_out, "--out does not go with --no-out"),
        (options.resume and options.out is None, "--resume does not go without --out"),
        (options.overwrite and options.out is None, "--overwrite does not go without --out"),
        (options.resume and options.overwrite, "--resume does not go with --overwrite"),
        (
            options.retry_failed and not options.resume,
            "--retry-failed does not go without --resume",
        ),
        (options.no_plots and options.no_out, "--no-plots does not go with --no-out"),
        (options.retrain_best and options.no_out, "--retrain-best does not go with --no-out"),
        (
            options.retrain_epochs is not None and not options.retrain_best,
            "--retrain-epochs does not go without --retrain-best",
        ),
        (options.list and options.json, "--list does not go with --json"),
        (
            sum(value is not None for value in (options.grid, options.config, options.recipe)) > 1,
            "--grid, --config and --recipe do not go together",
        ),
    ):
        if given:
            raise ConfigError(f"{flags}; leave one out")
    return options


def grid_values(options: argparse.Namespace, resumed: dict[str, Any] | None) -> dict[str, Any]:
    """Return the grid of a file, or of the sweep to resume, changed by options.

    Parameters
    ----------
    options : Namespace
    resumed : dict or None
        The grid of the sweep to resume.

    Raises
    ------
    ConfigError
        For a file that cannot be read, or an unknown recipe.
    """
    values: dict[str, Any]
    if options.grid is not None:
        values = read_toml(options.grid, "grid")
    elif options.config is not None:
        values = _as_settings(read_toml(options.config, "--config"))
    elif options.recipe is not None:
        values = _as_settings(recipe(options.recipe))
    else:
        values = dict(DEFAULT_AXES if resumed is None else resumed)
    given = vars(options)
    return values | {name: given[name] for name in FIELDS if name in given}


def build_sweep_parser() -> Parser:
    """Return the parser of ``python -m fastmlp.sweep``."""
    parser = Parser(
        prog="python -m fastmlp.sweep",
        usage="%(prog)s [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name in ("data", "tables", "network", "training", "stopping"):
        group = parser.add_argument_group(name)
        # A table is read in one way in the whole sweep.
        add_settings(group if name == "tables" else AxisGroup(group), name)
        if name == "data":
            add_data_folder(group)
    _add_search_options(parser.add_argument_group("searching"))
    running = parser.add_argument_group("running")
    add_settings(AxisGroup(running), "running")
    _add_run_options(running)
    return parser


def _add_search_options(group: Any) -> None:
    group.add_argument(
        "--grid",
        metavar="FILE.toml",
        type=path,
        help="read axes and settings from a file; options override them",
    )
    group.add_argument(
        "--config", metavar="FILE.toml", type=path,
        help="read settings for all cells from a file such as a run folder's config.toml; options "
        "override them",
    )  # fmt: skip
    group.add_argument(
        "--recipe", metavar="NAME",
        help=f"use settings that come with fastmlp for all cells: {', '.join(recipe_names())}",
    )  # fmt: skip
    group.add_argument(
        "--random", metavar="N", type=int, dest="budget", help="run only N randomly drawn cells"
    )
    group.add_argument(
        "--search-seed",
        metavar="N",
        type=int,
        help="seed of the random draws of --random (default: 0)",
    )
    group.add_argument(
        "--halving", metavar="N", type=int, nargs="?", const=3,
        help="successive halving: the best 1/N of the configurations (default: 3) are trained "
        "again with N times as many epochs; the last round has all epochs",
    )  # fmt: skip
    group.add_argument(
        "--min-epochs",
        metavar="N",
        type=int,
        help="minimum number of epochs in the first round of --halving (default: 1)",
    )
    group.add_argument(
        "--rank-by", metavar="NAME", default="auto",
        help="rank by validation_accuracy or validation_loss (default: the accuracy, if there is "
        "one)",
    )  # fmt: skip


def _add_run_options(group: Any) -> None:
    group.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="number of cells trained at a time (default: all usable CPUs)",
    )
    group.add_argument(
        "--backend", metavar="NAME", default="threading",
        help=f"run cells in threads, processes or a cluster: {', '.join(BACKENDS)} (default: "
        "threading)",
    )  # fmt: skip
    group.add_argument(
        "--address", metavar="URL", help="address of the scheduler of a Dask cluster"
    )
    group.add_argument(
        "--out",
        metavar="DIR",
        type=folder,
        help="the sweep's folder (default: runs/sweep-DATE-TIME)",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="resume the sweep in --out: its grid, with axes given here added or replaced; only "
        "missing cells are run",
    )  # fmt: skip
    group.add_argument(
        "--retry-failed", action="store_true", help="with --resume: run failed cells again"
    )
    group.add_argument("--overwrite", action="store_true", help="replace the sweep in --out")
    group.add_argument("--no-out", action="store_true", help="write no folder")
    group.add_argument("--no-plots", action="store_true", help="write no plots")
    group.add_argument(
        "--retrain-best", action="store_true",
        help="train the winner again, reducing the rate on plateaus, and write the run folder best "
        "in the sweep's folder",
    )  # fmt: skip
    group.add_argument(
        "--retrain-epochs", type=int, metavar="N", help="number of epochs of --retrain-best"
    )
    group.add_argument("--list", action="store_true", help="print the cells and stop")
    group.add_argument("--json", action="store_true", help="print the results as one JSON object")
    group.add_argument("--quiet", action="store_true", help="print nothing on stderr except errors")
    group.add_argument("--version", action="version", version=f"fastmlp {__version__}")


def _as_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run as those of a grid, where a list would be an axis."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
