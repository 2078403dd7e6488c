"""The options of ``fastmlp sweep``: every setting as an axis, and how to search."""

from __future__ import annotations

import argparse
from typing import Any

from ..base.errors import ConfigError
from ..base.toml import read_toml
from ..recipes import recipe, recipe_names
from ..sweeps.grid import DEFAULT_AXES, FIELDS
from ..sweeps.runner import BACKENDS
from ..sweeps.search import METHODS, PRUNINGS
from ..training.layers import overridden
from .axes import AxisGroup
from .options import Parser, add_data_argument, parse_with, refuse_pairs
from .run_options import DATA_FOLDER, JSON, Option, Switch, add_last_options, add_options
from .settings import add_settings, folder, path

DESCRIPTION = """\
Train every configuration of a grid, one per core, and rank them by validation results.

Every setting of fastmlp train can be an axis. The default grid is
activation relu,sigmoid,tanh x init xavier,he,random x mode stochastic,batch,minibatch.
"""

EPILOG = """\
Separate the values of an axis by commas, or by semicolons if a value contains commas, as in
--activation "relu,tanh; relu,relu". Layers are also joined by hyphens: --hidden 128,128-64,none.
Lists of layers are always separated by semicolons: --layers "conv2d(8, 3), dense(32); dense(64)".
In random search an axis can be uniform(0, 0.5), loguniform(0.001, 1) or integers(16, 256).

examples:
  fastmlp sweep                                    27 cells on MNIST or the digits
  fastmlp sweep --data digits --seeds 0-4 --out runs/seeds
  fastmlp sweep --out runs/seeds --resume --lr 0.01,0.1     more axes, missing cells only
  fastmlp sweep --grid grid.toml --jobs 2 --retrain-best
  fastmlp sweep --mode minibatch --lr "loguniform(0.001, 1)" --random 30
  fastmlp sweep --mode minibatch --lr "loguniform(0.001, 1)" --search tpe --trials 40
  fastmlp sweep --hidden 64,128,128-64 --epochs 27 --halving 3
  fastmlp sweep --backend dask --address tcp://10.0.0.1:8786

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


_CONFLICTS = (
    ("--out", "--no-out"),
    ("--resume", "--overwrite"),
    ("--no-plots", "--no-out"),
    ("--retrain-best", "--no-out"),
    ("--list", "--json"),
)
_NEEDS = (
    ("--resume", "--out"),
    ("--overwrite", "--out"),
    ("--retry-failed", "--resume"),
    ("--retrain-epochs", "--retrain-best"),
)


def parse_sweep_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the given options; an axis that is not given has no attribute.

    Raises
    ------
    ConfigError
        For an unknown option, a malformed value, or options that contradict each other.
    """
    options = parse_with(build_sweep_parser(), arguments)
    refuse_pairs(options, _CONFLICTS, _NEEDS)
    if sum(value is not None for value in (options.grid, options.config, options.recipe)) > 1:
        raise ConfigError("--grid, --config and --recipe do not go together; leave one out")
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
    return overridden(values, {name: given[name] for name in FIELDS if name in given})


def build_sweep_parser() -> Parser:
    """Return the parser of ``fastmlp sweep``."""
    parser = Parser("sweep", "[DATA] [options]", DESCRIPTION, EPILOG)
    add_data_argument(parser)
    for name in ("data", "tables", "network", "training", "stopping"):
        group = parser.add_argument_group(name)
        # A table is read in one way in the whole sweep.
        add_settings(group if name == "tables" else AxisGroup(group), name)
        if name == "data":
            add_options(group, [DATA_FOLDER])
    _add_search_options(parser.add_argument_group("searching"))
    running = parser.add_argument_group("running")
    add_settings(AxisGroup(running), "running")
    _add_run_options(running)
    return parser


def _add_search_options(group: Any) -> None:
    add_options(group, (
        Option("--grid", "FILE.toml", path,
               "read axes and settings from a file; options override them"),
        Option("--config", "FILE.toml", path, "read settings for all cells from a file such as a "
               "run folder's config.toml; options override them"),
        Option("--recipe", "NAME", str, "use settings that come with fastmlp for all cells: "
               f"{', '.join(recipe_names())}"),
        Option("--random", "N", int, "run only N randomly drawn cells", {"dest": "budget"}),
        Option("--search-seed", "N", int, "seed of --random and --search tpe (default: 0)"),
        Option("--search", "NAME", str, f"how cells are chosen: {', '.join(METHODS)}; tpe: trials "
               "that Optuna chooses by the results of earlier ones (default: grid)"),
        Option("--trials", "N", int, "number of trials of --search tpe"),
        Option("--prune", "HOW", str, f"stop trials of --search tpe that are worse than those of "
               f"earlier batches: {', '.join(PRUNINGS)} (default: none)"),
        Option("--trial-batch", "N", int, "number of trials chosen at a time (default: 4)"),
        Option("--halving", "N", int, "successive halving: the best 1/N of the configurations "
               "(default: 3) are trained again with N times as many epochs; the last round has "
               "all epochs", {"nargs": "?", "const": 3}),
        Option("--min-epochs", "N", int, "minimum number of epochs in the first round of --halving "
               "(default: 1)"),
        Option("--rank-by", "NAME", str, "rank by validation_accuracy, validation_loss or a metric "
               "such as roc_auc (default: the accuracy, if there is one)", {"default": "auto"}),
    ))  # fmt: skip


def _add_run_options(group: Any) -> None:
    add_options(group, (
        Option("--jobs", "N", int,
               "number of cells trained at a time (default: all usable CPUs)"),
        Option("--backend", "NAME", str, "run cells in threads, processes or a cluster: "
               f"{', '.join(BACKENDS)} (default: threading)", {"default": "threading"}),
        Option("--address", "URL", str, "address of the scheduler of a Dask cluster"),
        Option("--out", "DIR", folder, "the sweep's folder (default: runs/sweep-DATE-TIME)"),
        Switch("--resume", "resume the sweep in --out: its grid, with axes given here added or "
               "replaced; only missing cells are run"),
        Switch("--retry-failed", "with --resume: run failed cells again"),
        Switch("--overwrite", "replace the sweep in --out"),
        Switch("--no-out", "write no folder"),
        Switch("--no-plots", "write no plots"),
        Switch("--retrain-best", "train the winner again, reducing the rate on plateaus, and write "
               "the run folder best in the sweep's folder"),
        Option("--retrain-epochs", "N", int, "number of epochs of --retrain-best"),
        Switch("--list", "print the cells and stop"),
        JSON,
    ))  # fmt: skip
    add_last_options(group)


def _as_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run as those of a grid, where a list would be an axis."""
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    layers = settings.get("layers")
    # The file of a run also has the settings that layers replace, at their defaults.
    if not layers:
        return settings
    own: dict[str, Any] = {n: settings[n] for n in ("layers", "rules") if n in settings}
    return overridden(settings, own)
