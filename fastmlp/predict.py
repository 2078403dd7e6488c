"""``fastmlp predict``: labels, probabilities or numbers from a saved model."""

# Imports are in the functions for the reasons given in train.py.

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING

from .commands.running import ignore, leave, print_line, run_command

if TYPE_CHECKING:
    from .commands.options import Parser
    from .commands.predictions import Predictions
    from .data.inputs import Inputs
    from .model.predictor import Predictor


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.predict_options import build_predict_parser

    return build_predict_parser()


def _main(arguments: list[str] | None) -> int:
    from .commands.machine import print_temporary_note, set_threads
    from .commands.predict_options import parse_predict_arguments
    from .commands.running import silence_warnings

    options = parse_predict_arguments(arguments)
    set_threads(options.threads)
    if options.quiet:
        silence_warnings()
    predictions = _predict(options)
    if not options.quiet:
        print_temporary_note()
    _write(options, predictions)
    return 0


def _predict(options: argparse.Namespace) -> Predictions:
    from .base.errors import ConfigError
    from .commands.loading import load_model
    from .commands.predictions import Predictions, inputs_for

    predictor = load_model(options.model, options.threshold)
    if options.std and predictor.n_models == 1:
        raise ConfigError(
            "--std needs a model of several networks, got one; train with --n-models 5, or leave "
            "it out"
        )
    notify = ignore if options.quiet else print_line
    inputs = inputs_for(predictor, _read(options, predictor), options.invert, notify)
    of_models = predictor.outputs_of_models(inputs.X, options.threads)
    return Predictions(predictor, inputs, of_models, options.std)


def _read(options: argparse.Namespace, predictor: Predictor) -> Inputs:
    from .commands.predictions import known_columns
    from .commands.run_part import read_part
    from .commands.settings import given_table_options
    from .data.inputs import read_inputs

    notify = ignore if options.quiet else print_line
    if options.part is not None:
        return read_part(options, notify)
    given = given_table_options(options)
    return read_inputs(
        options.inputs,
        known_columns(predictor),
        table=dataclasses.replace(predictor.table.without_columns(), **given),
        given=given,
        labels=options.labels,
        keep=options.keep,
        notify=notify,
    )


def _write(options: argparse.Namespace, predictions: Predictions) -> None:
    from .base.errors import FastMLPError
    from .base.files import write_text
    from .commands.tables import metrics_lines

    text = predictions.to_json() if options.format == "json" else predictions.to_csv()
    if options.out is None:
        sys.stdout.write(text)
    else:
        try:
            write_text(options.out, text)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise FastMLPError(
                f"--out {options.out} cannot be written to: {error.strerror}; name a file in a "
                "folder that exists and that you may write to"
            ) from None
    if predictions.metrics is not None and not (options.format == "json" and options.out is None):
        report = "\n".join(metrics_lines(predictions.metrics))
        if options.out is not None:
            print(report)
        elif not options.quiet:
            print_line(report)


if __name__ == "__main__":
    leave(main())
