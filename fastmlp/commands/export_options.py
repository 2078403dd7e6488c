"""The options of ``fastmlp export``."""

from __future__ import annotations

import argparse
import os

from ..base.errors import ConfigError
from ..exports.suffixes import SUFFIXES
from .options import Parser, parse_with
from .run_options import Option, Switch, add_last_options, add_options
from .settings import path

DESCRIPTION = """\
Write a saved model in another format, with its scaling, encodings, classes and threshold inside.
"""

EPILOG = """\
OUT is a file whose suffix decides:
  .onnx   ONNX: labels and probabilities (needs onnx: pip install "fastmlp[export]")
  .py     a module of NumPy alone: predict, predict_proba
  .h      a C99 header without dependencies or allocation, in float32
  .pt     the state dict of predictor.to_torch(), for torch.load (needs torch)
  .pt2    a PyTorch program, for torch.export.load(path).module() (needs torch)

examples:
  fastmlp export runs/mine model.onnx
  fastmlp export model.safetensors classify.h --overwrite

exit codes:
  0 done   1 failed, or a library is missing   2 wrong usage   3 model missing or damaged
"""


def parse_export_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the given options.

    Raises
    ------
    ConfigError
        For an unknown option or suffix, or a file that exists.
    """
    options = parse_with(build_export_parser(), arguments)
    suffix = options.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"OUT must end in {', '.join(SUFFIXES)}, got {options.out}; the suffix names the format"
        )
    if os.path.lexists(options.out) and not options.overwrite:
        raise ConfigError(
            f"OUT must be a new file, and {options.out} exists; choose another, or add --overwrite"
        )
    return options


def build_export_parser() -> Parser:
    """Return the parser of ``fastmlp export``."""
    parser = Parser("export", "MODEL OUT [options]", DESCRIPTION, EPILOG)
    parser.add_argument(
        "model", metavar="MODEL", type=path, help="a model file, or a run folder that holds one"
    )
    parser.add_argument("out", metavar="OUT", type=path, help="the file to write, as listed below")
    add_options(parser, (
        Option("--threshold", "P", float, "for two classes or labels: predict the second class, or "
               "the label, if the output is at least this (default: the model's)"),
        Switch("--overwrite", "allow OUT to be an existing file"),
    ))  # fmt: skip
    add_last_options(parser)
    return parser
