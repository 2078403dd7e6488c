"""``fastmlp train``: train a multilayer perceptron from the command line."""

# Imports are in the functions: imports here are not guarded against Ctrl-C, and the number of
# threads must be set before Numba is imported.

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from .commands.running import INTERRUPTED, ignore, leave, print_line, run_command

if TYPE_CHECKING:
    from .commands.options import Parser
    from .data.dataset import Dataset
    from .reports.evaluation import RunEvaluation
    from .reports.run_folder import RunFolder
    from .training.config import TrainConfig
    from .training.result import TrainResult


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.options import build_parser

    return build_parser()


def _main(arguments: list[str] | None) -> int:
    from .commands.machine import set_threads
    from .commands.options import config_from, parse_arguments
    from .commands.running import silence_warnings

    options = parse_arguments(arguments)
    config = config_from(options)
    set_threads(options.threads)
    if options.quiet:
        silence_warnings()
    if options.warm_up:
        return _warm_up(options)
    if options.print_config:
        return _print_config(config)
    if options.explain:
        return _explain(options, config)
    return _train(options, config)


def _print_config(config: TrainConfig) -> int:
    from .base.settings import AUTO
    from .data.load import holds_classes
    from .reports.run_folder import to_toml
    from .training.resolve import resolve_settings

    if config.task == AUTO and holds_classes(config.data):
        config = config.replace(task="classification")
    print("# auto is decided by the data")
    print(to_toml(resolve_settings(config)), end="")
    return 0


def _explain(options: argparse.Namespace, config: TrainConfig) -> int:
    from .commands.introduction import setting_lines
    from .commands.machine import kernel_lines, machine_lines
    from .commands.tables import buffer_lines, column_lines, data_lines, layer_lines
    from .training.fit import start

    config, dataset = _load(options, config)
    run = start(config, dataset, options.threads)
    data = [*data_lines(run), *setting_lines(config, run)]
    network = [*column_lines(run), *layer_lines(run)]
    facts = [*data, "", *network, "", *run.plan.lines(), *buffer_lines(run)]
    print("\n".join([*facts, *kernel_lines(), *machine_lines(run.plan.threads)]))
    return 0


def _warm_up(options: argparse.Namespace) -> int:
    from .commands.warming import print_warm_up
    from .training.setting_checks import DTYPES

    print_warm_up([options.dtype] if "dtype" in options else DTYPES, options.threads, options.quiet)
    return 0


def _train(options: argparse.Namespace, config: TrainConfig) -> int:
    from .base.errors import TrainingError
    from .commands.introduction import Introduction, compiling_text, recipe_lines
    from .commands.resuming import open_run
    from .reports.evaluation import evaluate_run
    from .reports.importance import with_importance
    from .reports.pictures import without_data
    from .training.compile_beside import compiled_beside, is_cold
    from .training.fit import finish, start
    from .training.progress import Progress

    started = time.perf_counter()
    config, dataset = _load(options, config)
    introduction = Introduction(config, recipe_lines(options, dataset))
    callbacks = [] if options.quiet else [introduction, Progress()]
    if not options.quiet and is_cold(config):
        print_line(compiling_text())
    with compiled_beside(config, options.threads, dataset.task) as helper:
        run = start(config, dataset, options.threads, callbacks)
        helper.compile(run)
    run.prepare_seconds = time.perf_counter() - started
    folder, loop = open_run(options, run, dataset)
    if folder is not None:
        run.callbacks.append(folder.log)
    failure: TrainingError | None = None
    try:
        result = finish(run, loop)
    except TrainingError as error:
        failure, result = error.with_traceback(None), error.result  # whose frames hold the data
    checkpoints = loop.checkpoints
    del run, loop  # and their copy of the data
    with ExitStack() as held:
        if folder is not None:
            held.enter_context(closing(folder))
        if checkpoints is not None:
            held.enter_context(closing(checkpoints))
        _record(options, result, folder)
        # After Ctrl-C nothing is evaluated, so that the process ends quickly.
        if result.status != "interrupted" and not (options.json and folder is None):
            evaluation = evaluate_run(result, dataset, options.threads)
            if folder is not None:
                evaluation = with_importance(evaluation, options.importance)
            evaluation = without_data(evaluation)
            del dataset  # before the libraries that report are loaded
            _report(options, evaluation, folder)
    if folder is not None and not options.json:
        print(f"run folder           {folder.path}")
    if failure is not None:
        raise failure
    if result.status != "interrupted":
        return 0
    if checkpoints is not None and folder is not None and not options.json:
        print(f"interrupted; resume with --resume {folder.path}")
    return INTERRUPTED


def _load(options: argparse.Namespace, config: TrainConfig) -> tuple[TrainConfig, Dataset]:
    """Return the settings and the data; with other data than --config's, settings may change."""
    from .commands.other_data import infer_again, is_other_data
    from .training.datasets import dataset_of

    notify = ignore if options.quiet else print_line

    def load(config: TrainConfig) -> Dataset:
        return dataset_of(config, options.data_dir, notify)

    if is_other_data(options):
        return infer_again(config, options, load, notify)
    return config, load(config)


def _record(options: argparse.Namespace, result: TrainResult, folder: RunFolder | None) -> None:
    """Write the result to the run folder; print it even if writing fails."""
    from .base.interrupts import Interrupts
    from .base.paths import as_text
    from .commands.tables import peak_rss_mb

    peak = {"peak_rss_mb": peak_rss_mb()}
    try:
        if folder is not None:
            with Interrupts() as interrupts, interrupts.held():
                folder.write(result, {**peak, "threads": result.plan.threads})
    finally:
        _print_results(options, result, {**peak, "run_dir": folder and as_text(folder.path)})


def _print_results(options: argparse.Namespace, result: TrainResult, more: dict[str, Any]) -> None:
    from .base.json_values import to_json
    from .commands.machine import kernel_lines
    from .commands.tables import profile_lines, result_lines

    if options.json:
        print(to_json({**result.to_dict(), **more}), flush=True)
        return
    profile = ["", *profile_lines(result), "", *kernel_lines()] if options.profile else []
    print("\n".join([*result_lines(result), *profile]), flush=True)


def _report(
    options: argparse.Namespace, evaluation: RunEvaluation, folder: RunFolder | None
) -> None:
    """Print the metrics of each part, and add them to the run folder, pictures last."""
    from .commands.tables import evaluation_lines

    if not options.json:
        print("\n".join(["", *evaluation_lines(evaluation), ""]), flush=True)
    if folder is not None:
        folder.write_evaluation(evaluation, plots=not options.no_plots)


if __name__ == "__main__":
    leave(main())
