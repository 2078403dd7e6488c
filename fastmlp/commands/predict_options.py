"""The options of ``fastmlp predict``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from ..base.errors import ConfigError
from ..base.files import descriptor_of, is_stream
from ..data.split import PARTS
from .options import Parser, parse_with
from .run_options import THREADS, Option, Switch, add_last_options, add_options
from .settings import add_settings, given_table_options, path, texts

STDOUT = 1
INVERT = ("auto", "yes", "no")

DESCRIPTION = """\
Predict labels and probabilities, or values of a regression, with a saved model.

Predictions go to stdout as CSV or JSON. If the input has labels, accuracy and a report are part of
the JSON; with CSV they go to stderr.
"""

EPILOG = """\
INPUT is one of
  FILE.csv, FILE.tsv   columns of features as in training, in any order, and perhaps the target
  FILE.parquet, .arrow the same, read by pyarrow or polars
  FILE.npz             an array X, perhaps y; or X_test and y_test
  FILE.npy             an array of rows; targets from y.npy beside X.npy, or by --labels
  an IDX file          images, plain or .gz; their labels with --labels
  FILE.png ...         images with one pixel per feature, or per three features for colours
  FOLDER ...           all PNG files in it; or in its folders, whose names are the labels

examples:
  fastmlp predict runs/mine test.csv
  fastmlp predict runs/mine all.csv --part test
  fastmlp predict model.safetensors digits/ --format json
  fastmlp predict runs/mine t10k-images-idx3-ubyte --labels t10k-labels-idx1-ubyte

exit codes:
  0 done   1 failed while running   2 wrong usage   3 model or input missing, damaged or unfit
  130 interrupted
"""


def parse_predict_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the given options.

    Raises
    ------
    ConfigError
        For an unknown option, a malformed value, or options that contradict each other.
    """
    options = parse_with(build_predict_parser(), arguments)
    if options.out is not None:
        suffix = options.out.suffix.lower().removeprefix(".")
        options.format = options.format or (suffix if suffix == "json" else "csv")
        _check_out(options.out, options.overwrite)
        if str(options.out) == "-" or descriptor_of(options.out) == STDOUT:
            options.out = None
    elif options.overwrite:
        raise ConfigError("--overwrite does not go without --out; leave it out")
    options.format = options.format or "csv"
    _refuse_kinds(given_table_options(options))
    others = [
        name
        for name, none in (("labels", None), ("invert", "auto"), ("keep", ()))
        if getattr(options, name) != none
    ]
    for flag in (*given_table_options(options), *others):
        if options.part is not None:
            flag = {"na_values": "na"}.get(flag, flag)
            raise ConfigError(
                f"--{flag} cannot be combined with --part, which reads rows as in training; "
                "leave one out"
            )
    return options


def _refuse_kinds(given: Iterable[str]) -> None:
    """Raise ConfigError for options on kinds of columns, which the model knows."""
    for name in ("categorical", "numeric"):
        if name in given:
            raise ConfigError(
                f"--{name} does not go with predictions, since the model knows the kinds of its "
                "columns; leave it out"
            )


def _check_out(path: Path, overwrite: bool) -> None:
    """Raise ConfigError if predictions cannot be written, or would replace a file."""
    if str(path) == "-":
        return
    try:
        if is_stream(path) or overwrite or not os.path.exists(path):
            return
    except OSError as error:
        raise ConfigError(
            f"--out {path} cannot be written to: {error.strerror}; choose another file"
        ) from None
    raise ConfigError(
        f"--out {path} must be a new file, and it exists; choose another, or add --overwrite"
    )


def build_predict_parser() -> Parser:
    """Return the parser of ``fastmlp predict``."""
    parser = Parser("predict", "MODEL INPUT [options]", DESCRIPTION, EPILOG)
    parser.add_argument(
        "model", metavar="MODEL", type=path, help="a model file, or a run folder that holds one"
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        type=path,
        nargs="+",
        help="rows to predict: files, folders or images, as listed below",
    )
    parser.add_argument(
        "--format",
        choices=("csv", "json"),
        help="format of the predictions (default: from the name of --out, else csv)",
    )
    add_options(parser, (
        Option("--out", "FILE", path, "write predictions to a file, device or FIFO; -: to stdout"),
        Switch("--overwrite", "allow --out to be an existing file"),
        Option("--threshold", "P", float, "for two classes or labels: predict the second class, or "
               "the label, if the output is at least this (default: the model's)"),
        Switch("--std", "add the standard deviation between the models of an ensemble: of the "
               "values, or of the probability of the predicted class"),
        Option("--labels", "FILE", path,
               "an IDX or NPY file with the labels of images or of rows in an NPY file"),
        Option("--keep", "A,B", texts, "columns of the input table to carry into the output, by "
               "name or index, such as an identifier", {"default": ()}),
    ))  # fmt: skip
    parser.add_argument(
        "--invert", choices=INVERT, default="auto",
        help="invert images; auto: those whose background is the opposite of the training images' "
        "(default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--part", choices=tuple(PARTS), help="predict only this part of a run's rows: "
        "MODEL is then the run folder, and INPUT its data, a file or a name such as mnist",
    )  # fmt: skip
    tables = parser.add_argument_group(
        "tables", "The defaults are the values in training. Columns are found by name."
    )
    add_settings(tables, "tables", shows_defaults=False)
    add_options(parser, [THREADS])
    add_last_options(parser)
    return parser
