"""The options of ``python -m fastmlp.train``: fields of a TrainConfig, and how to run."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__
from ..base.errors import ConfigError
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES
from ..training.config import MODES, MONITORS, SAMPLINGS, TrainConfig

DESCRIPTION = """\
Train a multilayer perceptron and report how well it does.

Results go to stdout, progress and notes to stderr. A run folder keeps the settings (config.toml),
the history, the metrics and the model.
"""

EPILOG = """\
Names can carry parameters: --optimizer "sgd(momentum=0.9, nesterov=true)", --init
"random_normal(1)", --schedule "plateau(factor=0.5, patience=3)", --activation "leaky_relu(0.02)".

examples:
  python -m fastmlp.train                                    MNIST if it is there, else digits
  python -m fastmlp.train --data mnist --epochs 20 --early-stopping 4
  python -m fastmlp.train --hidden 300 --activation tanh --optimizer adam --lr 0.001
  python -m fastmlp.train --data mnist --classes 3,7 --threshold 0.9
  python -m fastmlp.train --mode stochastic --epochs 3 --json --no-out
  python -m fastmlp.train --config runs/mine/config.toml --seed 1

config.toml holds every setting as it was used, nothing left auto: who changes the optimizer, the
mode or the classes of such a file gives the rate, the output or the loss that go with it, too.

exit codes:
  0 done   1 failed while running   2 wrong usage   3 data missing, damaged or unfit
  4 training diverged   130 interrupted (what was trained is kept)
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line each."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (--help lists the options)")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options given; a setting that was not given has no attribute.

    Raises
    ------
    ConfigError
        For an unknown option (with the nearest known one) or a malformed value.
    """
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        known = [flag for action in parser._actions for flag in action.option_strings]
        near = difflib.get_close_matches(unknown[0].partition("=")[0], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else " (--help lists the options)"
        raise ConfigError(f"unknown argument {unknown[0]!r}{hint}")
    return options


def config_from(options: argparse.Namespace) -> TrainConfig:
    """Return the config: defaults, changed by ``--config``, changed by the other options.

    Raises
    ------
    ConfigError
        For a bad value, naming the option where one was given, or an unreadable file.
    """
    _check_together(options)
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    given = {name: value for name, value in vars(options).items() if name in fields}
    from_file = {} if options.config is None else _read_toml(Path(options.config))
    try:
        config = TrainConfig.from_dict({**from_file, **given})
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
    data = getattr(options, "data", "auto")
    for given, flags in (
        (options.out is not None and options.no_out, "--out does not go with --no-out"),
        (options.overwrite and options.out is None, "--overwrite does not go without --out"),
        (options.json and options.explain, "--json does not go with --explain"),
        (
            options.data_dir is not None and data not in ("auto", "mnist"),
            f"--data-dir does not apply to --data {data}",
        ),
    ):
        if given:
            raise ConfigError(f"{flags}; leave one out")


def build_parser() -> Parser:
    """Return the parser of ``python -m fastmlp.train``."""
    parser = Parser(
        prog="python -m fastmlp.train",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_data_options(parser.add_argument_group("data"))
    _add_network_options(parser.add_argument_group("network"))
    _add_training_options(parser.add_argument_group("training"))
    _add_stopping_options(parser.add_argument_group("stopping"))
    _add_run_options(parser.add_argument_group("running"))
    return parser


def _setting(group: Any, flag: str, field: str, help: str, **keywords: Any) -> None:
    """Add an option that leaves no trace where it is not given."""
    default = getattr(TrainConfig(), field)
    if isinstance(default, tuple):
        default = ",".join(str(item) for item in default)
    if not (isinstance(default, bool) or default in ("", "auto")):
        help = f"{help} (default: {default})"
    group.add_argument(flag, dest=field, default=argparse.SUPPRESS, help=help, **keywords)


def _add_data_options(group: Any) -> None:
    _setting(
        group, "--data", "data", metavar="NAME",
        help="auto, mnist or digits; auto: MNIST if its files are found, else digits",
    )  # fmt: skip
    group.add_argument(
        "--data-dir", metavar="DIR", help="where MNIST's files are (also: $FASTMLP_DATA)"
    )
    _setting(group, "--classes", "classes", metavar="A,B", type=_texts, help="keep these classes")
    _setting(
        group, "--split", "split", metavar="SPLIT",
        help="official, none, or A-B in percent of training and test rows, such as 80-20; "
        "auto: official where there is one, else 80-20",
    )  # fmt: skip
    _setting(
        group, "--validation", "validation", type=float, metavar="SIZE",
        help="rows of the training part held out: below 1 a fraction, from 1 a count, 0 none",
    )  # fmt: skip
    _setting(
        group, "--scale", "scale", metavar="NAME",
        help=f"{_names(SCALERS)}; auto: unit for images, else standard",
    )  # fmt: skip


def _add_network_options(group: Any) -> None:
    _setting(
        group, "--hidden", "hidden_layer_sizes", type=_sizes, metavar="SIZES",
        help="sizes of the hidden layers, or none",
    )  # fmt: skip
    _setting(group, "--activation", "activation", metavar="NAME", help=_names(ACTIVATIONS))
    _setting(
        group, "--output", "output_activation", metavar="NAME",
        help="activation of the output layer; auto: sigmoid for two classes, softmax for more",
    )  # fmt: skip
    _setting(
        group, "--loss", "loss", metavar="NAME",
        help=f"{_names(LOSSES)}; auto: the cross-entropy that goes with the output",
    )  # fmt: skip
    _setting(
        group, "--init", "weight_init", metavar="NAME",
        help=f"weights: {_names(INITIALIZERS)}; auto: he_normal for the ReLU family, "
        "else glorot_uniform",
    )  # fmt: skip
    _setting(group, "--bias-init", "bias_init", metavar="NAME", help="biases: the same names")


def _add_training_options(group: Any) -> None:
    _setting(group, "--optimizer", "optimizer", metavar="NAME", help=_names(OPTIMIZERS))
    _setting(
        group, "--lr", "learning_rate", type=_rate, metavar="RATE",
        help="learning rate (default: 0.1; in stochastic mode 0.01; for adam 0.001)",
    )  # fmt: skip
    _setting(
        group, "--mode", "mode", metavar="MODE",
        help=f"{', '.join(MODES)}: an update per sample, batch or epoch",
    )  # fmt: skip
    _setting(
        group, "--sampling", "sampling", metavar="HOW",
        help=f"{' or '.join(SAMPLINGS)}: each row once an epoch, or drawn with replacement",
    )  # fmt: skip
    _setting(
        group, "--accumulate", "accumulate", action="store_true",
        help="take the samples of a batch one at a time and sum their gradients",
    )  # fmt: skip
    _setting(group, "--batch-size", "batch_size", type=int, metavar="N", help="rows of a batch")
    _setting(group, "--epochs", "epochs", type=int, metavar="N", help="at most how many")
    _setting(group, "--l1", "l1", type=float, metavar="X", help="penalty l1 * sum |w|")
    _setting(group, "--l2", "l2", type=float, metavar="X", help="penalty l2 / 2 * sum w^2")
    _setting(group, "--schedule", "schedule", metavar="NAME", help=_names(SCHEDULES))
    _setting(group, "--seed", "seed", type=int, metavar="N", help="same seed, same bits")
    _setting(group, "--dtype", "dtype", metavar="NAME", help="float32 or float64")


def _add_stopping_options(group: Any) -> None:
    _setting(
        group, "--early-stopping", "early_stopping", type=int, metavar="PATIENCE",
        help="stop after so many epochs without improvement; 0: never",
    )  # fmt: skip
    _setting(
        group, "--monitor", "monitor", metavar="NAME",
        help=f"what has to improve: {', '.join(MONITORS)} (default: validation_loss)",
    )  # fmt: skip
    _setting(
        group, "--min-delta", "min_delta", type=float, metavar="X", help="by how much, to count"
    )
    _setting(
        group, "--keep-last", "restore_best", action="store_false",
        help="keep the last weights, not those of the epoch best on the validation set",
    )  # fmt: skip
    _setting(
        group, "--threshold", "threshold", type=float, metavar="P",
        help="two classes: output from which on the second is predicted",
    )  # fmt: skip


def _add_run_options(group: Any) -> None:
    _setting(
        group, "--log-every", "log_every", type=int, metavar="N",
        help="also record losses every N updates, in iterations.csv",
    )  # fmt: skip
    group.add_argument("--threads", type=int, metavar="N", help="default: all usable CPUs")
    group.add_argument("--out", metavar="DIR", help="run folder (default: runs/NAME-DATE-TIME)")
    group.add_argument("--overwrite", action="store_true", help="let --out be an existing folder")
    group.add_argument("--no-out", action="store_true", help="write no run folder")
    group.add_argument(
        "--config",
        metavar="FILE.toml",
        help="settings, as a run folder's config.toml; options change what they name",
    )
    group.add_argument(
        "--print-config", action="store_true", help="print the settings as TOML and stop"
    )
    group.add_argument(
        "--explain", action="store_true", help="print data, layers and the plan, and stop"
    )
    group.add_argument("--json", action="store_true", help="print the results as one JSON object")
    group.add_argument("--quiet", action="store_true", help="nothing on stderr but errors")
    group.add_argument("--version", action="version", version=f"fastmlp {__version__}")


def _names(registry: Any) -> str:
    return ", ".join(registry.names())


def _texts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(f"must be names like 3,7, got {text!r}")
    return parts


def _sizes(text: str) -> tuple[int, ...]:
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be whole numbers like 128,64, or none, got {text!r}"
        ) from None


def _rate(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--config {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path} is not valid TOML: {error}") from None


def _with_option(message: str, given: dict[str, Any]) -> str:
    """Put the option before a message that starts with the name of its field."""
    flags = {action.dest: action.option_strings[0] for action in build_parser()._actions}
    field = message.split()[0]
    return f"{flags[field]}: {message}" if field in given else message
