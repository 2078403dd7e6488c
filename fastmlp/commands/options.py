"""The options of ``fastmlp train``: fields of a TrainConfig, and how to run."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from ..base.command import set_command
from ..base.errors import ConfigError
from ..base.paths import as_text
from ..base.toml import read_toml
from ..recipes import recipe
from ..training.config import TrainConfig
from ..training.layers import overridden
from .resuming import settings_of_run
from .run_options import DATA_FOLDER, add_options, add_run_options
from .settings import add_settings

DESCRIPTION = """\
Train a multilayer perceptron or a convolutional network and report its accuracy or errors.

Results go to stdout, progress and notes to stderr. A run folder keeps the settings (config.toml),
the history, the metrics, the model, plots and a page (report.html).
"""

EPILOG = """\
Names can carry parameters: --optimizer "sgd(momentum=0.9, nesterov=true)", --init
"random_normal(1)", --schedule "plateau(factor=0.5, patience=3)", --activation "leaky_relu(0.02)".

examples:
  fastmlp train                                    MNIST if it is there, else digits
  fastmlp train iris.csv                           a table of your own (--target: the target)
  fastmlp train --data mnist --epochs 20 --early-stopping 4
  fastmlp train --hidden 300 --activation tanh --optimizer adam --lr 0.001
  fastmlp train --layers "conv2d(16, 3), max_pool2d(2), dense(64)" --optimizer adam
  fastmlp train --data mnist --classes 3,7 --threshold 0.9
  fastmlp train --mode stochastic --epochs 3 --json --no-out
  fastmlp train --recipe mnist-98                  98 % in less than a second of training
  fastmlp train --config runs/mine/config.toml --seed 1
  fastmlp train --epochs 1000 --out runs/long --checkpoint-every 30s
  fastmlp train --resume runs/long                 after an interruption

config.toml contains every setting with its resolved value instead of auto, except options of
tables. If you change its optimizer, mode or classes, adapt learning rate, output and loss.

exit codes:
  0 done   1 failed while running   2 wrong usage   3 data missing, damaged or unfit
  4 training diverged   130 interrupted, 143 terminated (the weights so far are kept)
"""


Pairs = Iterable[tuple[str, str]]
SOURCE = "source"  # where the parser keeps data that are given without --data
# Pairs of which one would be ignored, or that contradict each other.
_CONFLICTS = (
    ("--config", "--recipe"),
    ("--out", "--no-out"),
    *((flag, "--no-out") for flag in ("--no-plots", "--checkpoint-every", "--resume")),
    *((flag, "--resume") for flag in ("--out", "--overwrite")),
    *(
        (flag, other)
        for flag in ("--no-plots", "--profile", "--checkpoint-every", "--warm-up", "--resume")
        for other in ("--explain", "--print-config")
    ),
    ("--json", "--explain"),
    ("--no-plots", "--warm-up"),
    *(
        ("--warm-up", flag)
        for flag in ("--profile", "--json", "--out", "--checkpoint-every", "--resume")
    ),
)


class Parser(argparse.ArgumentParser):
    """The argument parser of a command, whose errors are one line each.

    Parameters
    ----------
    command : str
    arguments : str
        What follows the command in its usage.
    description, epilog : str
    """

    def __init__(self, command: str, arguments: str, description: str, epilog: str):
        super().__init__(
            prog=f"fastmlp {command}",
            usage=f"%(prog)s {arguments}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (--help lists the options)")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options given; a setting that was not given has no attribute.

    Raises
    ------
    ConfigError
        For an unknown option (with the nearest known one) or a malformed value.
    """
    return parse_with(build_parser(), arguments)


def parse_with(parser: Parser, arguments: list[str] | None) -> argparse.Namespace:
    """Return the parsed arguments; errors as for :func:`parse_arguments`."""
    set_command(parser.prog, sys.argv[1:] if arguments is None else arguments)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise _unknown_argument(parser, unknown[0])
    _take_data(parser, options)
    for name, value in vars(options).items():
        setattr(options, name, _as_texts(value))
    return options


def add_data_argument(parser: Parser) -> None:
    """Let data be given without ``--data``: ``fastmlp train iris.csv``."""
    parser.add_argument(
        SOURCE, metavar="DATA", nargs="?", default=argparse.SUPPRESS, type=str,
        help="a file or a name, as of --data",
    )  # fmt: skip


def _take_data(parser: Parser, options: argparse.Namespace) -> None:
    """Read data given without ``--data`` as if they were given with it."""
    source = vars(options).pop(SOURCE, None)
    if source is None:
        return
    if options.data_dir is None and not _names_data(source):
        raise _unknown_argument(parser, source)
    if "data" in options:
        raise ConfigError(
            f"data must be given once, got {source!r} and --data; leave one of them out"
        )
    option = next(action for action in parser._actions if action.dest == "data")
    options.data = option.type(source)  # type: ignore[operator, misc]


def _unknown_argument(parser: Parser, argument: str) -> ConfigError:
    """Return the error for an argument that is not known, with what it may mean."""
    known = [flag for action in parser._actions for flag in action.option_strings]
    name = argument.partition("=")[0].lstrip("-")
    near = difflib.get_close_matches(name, [flag.lstrip("-") for flag in known], n=1)
    hint = f"; did you mean --{near[0]}?" if near else " (--help lists the options)"
    return ConfigError(f"unknown argument {argument!r}{hint}")


def _names_data(argument: str) -> bool:
    from ..data.load import is_known

    return argument == "-" or os.path.exists(argument) or is_known(argument)


def _as_texts(value: Any) -> Any:
    """Return settings in Unicode; paths stay as the system names them."""
    if isinstance(value, str):
        return as_text(value)
    return type(value)(map(_as_texts, value)) if type(value) in (list, tuple) else value


def config_from(options: argparse.Namespace) -> TrainConfig:
    """Return the config: defaults, changed by ``--config`` or ``--recipe``, then by other options.

    Raises
    ------
    ConfigError
        For a bad value, naming the option where one was given, an unreadable file or an unknown
        recipe.
    """
    _check_together(options)
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    given = {name: value for name, value in vars(options).items() if name in fields}
    from_file = {} if options.config is None else read_toml(options.config, "--config")
    if options.recipe is not None:
        from_file = recipe(options.recipe)
    begun = {} if options.resume is None else settings_of_run(options.resume)
    try:
        config = TrainConfig.from_dict(overridden(overridden(begun, from_file), given))
    except ConfigError as error:
        raise ConfigError(_with_option(str(error), given)) from None
    if "batch_size" in given and config.mode != "minibatch":
        raise ConfigError(
            f"--batch-size does not apply to --mode {config.mode}; use --mode minibatch, "
            "or leave it out"
        )
    return config


def _check_together(options: argparse.Namespace) -> None:
    """Raise ConfigError where an option would be ignored because of another."""
    refuse_pairs(options, _CONFLICTS, [("--overwrite", "--out")])
    data = getattr(options, "data", "auto")
    # Any other name that is not known may be that of a set in the folder.
    if options.data_dir is not None and data not in ("auto", "mnist") and _names_data(data):
        raise ConfigError(f"--data-dir does not apply to --data {data}; leave one out")


def refuse_pairs(options: argparse.Namespace, conflicts: Pairs, needs: Pairs) -> None:
    """Raise ConfigError where both options of a conflict are given, or the first of a need alone.

    Parameters
    ----------
    options : Namespace
    conflicts, needs : iterable of (str, str)
        Flags.
    """
    for pairs, word, is_refused in ((conflicts, "with", True), (needs, "without", False)):
        for flag, other in pairs:
            if _is_given(options, flag) and _is_given(options, other) is is_refused:
                raise ConfigError(f"{flag} does not go {word} {other}; leave one out")


def _is_given(options: argparse.Namespace, flag: str) -> bool:
    value = getattr(options, flag[2:].replace("-", "_"))
    return value is not None and value is not False


def build_parser() -> Parser:
    """Return the parser of ``fastmlp train``."""
    parser = Parser("train", "[DATA] [options]", DESCRIPTION, EPILOG)
    add_data_argument(parser)
    for name in ("data", "tables", "network", "training", "stopping", "running"):
        group = parser.add_argument_group(name)
        add_settings(group, name)
        if name == "data":
            add_options(group, [DATA_FOLDER])
    add_run_options(group)
    return parser


def _with_option(message: str, given: dict[str, Any]) -> str:
    """Put the option before a message that starts with the name of its field."""
    actions = [action for action in build_parser()._actions if action.option_strings]
    flags = {action.dest: action.option_strings[0] for action in actions}
    field = message.split()[0]
    return f"{flags[field]}: {message}" if field in given else message
