"""``fastmlp sweep``: train and rank every configuration of a grid."""

# Imports are in the functions, as in fastmlp.train.

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .commands.running import INTERRUPTED, ignore, leave, print_line, run_command

if TYPE_CHECKING:
    from .commands.options import Parser
    from .data.dataset import Dataset
    from .sweeps.result import SweepResult
    from .training.config import TrainConfig
    from .training.result import TrainResult

MOST_ROWS = 50
SEARCH_OPTIONS = (
    "budget", "search_seed", "halving", "min_epochs", "search", "trials", "prune", "trial_batch",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.sweep_options import build_sweep_parser

    return build_sweep_parser()


def _main(arguments: list[str] | None) -> int:
    from .commands.machine import set_threads
    from .commands.running import silence_warnings
    from .commands.sweep_options import grid_values, parse_sweep_arguments

    options = parse_sweep_arguments(arguments)
    set_threads(None)
    if options.quiet:
        silence_warnings()
    from .sweeps.store import stored_sweep

    grid, search = stored_sweep(options.out) if options.resume else (None, {})
    values = grid_values(options, grid)
    for name in SEARCH_OPTIONS:
        if (given := getattr(options, name)) is not None:
            search[name] = given
    if options.list:
        return _list(options, values, search)
    return _sweep(options, values, search)


def _list(options: argparse.Namespace, values: dict[str, Any], search: dict[str, Any]) -> int:
    from .commands.tables import text_table
    from .sweeps.sweep import list_cells

    print("\n".join(text_table(list_cells(values, search, _loader(options)))))
    return 0


def _sweep(options: argparse.Namespace, values: dict[str, Any], search: dict[str, Any]) -> int:
    from .base.folders import folders_kept
    from .commands.machine import print_temporary_note
    from .commands.sweep_progress import sweep_progress
    from .reports.run_folder import unused_folder
    from .sweeps.progress import Watcher
    from .sweeps.sweep import run_sweep

    out = None if options.no_out else options.out or unused_folder("sweep")
    if not options.quiet:
        print_temporary_note()
    with folders_kept():  # until the winner has been trained again, too
        result = run_sweep(
            values, out=out, resume=options.resume, overwrite=options.overwrite, **search,
            rank_by=options.rank_by, retry_failed=options.retry_failed, jobs=options.jobs,
            backend=options.backend, address=options.address, plots=not options.no_plots,
            watcher=Watcher() if options.quiet else sweep_progress(), load=_loader(options),
        )  # fmt: skip
        interrupted = result.status == "interrupted"
        retrained = None
        if options.retrain_best and result.best_metrics is not None and not interrupted:
            retrained = _retrain(options, result)
    _print(options, result, retrained)
    if interrupted:
        return INTERRUPTED
    return 0 if result.best_metrics is not None else 1


def _loader(options: argparse.Namespace) -> Any:
    def load(config: TrainConfig) -> Dataset:
        from .training.datasets import dataset_of

        return dataset_of(config, options.data_dir, ignore if options.quiet else print_line)

    return load


def _retrain(options: argparse.Namespace, result: SweepResult) -> TrainResult:
    if not options.quiet:
        print_line("training the winner again ...")
    return result.retrain_best(
        epochs=options.retrain_epochs,
        plots=not options.no_plots,
        overwrite=options.resume or options.overwrite,
    )


def _print(options: argparse.Namespace, result: SweepResult, retrained: TrainResult | None) -> None:
    from .base.json_values import to_json
    from .base.paths import as_text

    if not options.json:
        print("\n".join(_lines(result, retrained)), flush=True)
        return
    best = result.best_metrics
    found = {
        "status": result.status,
        "rank_by": result.leaderboard.rank_by,
        "best": best and {"settings": result.best.settings, "config": result.best.config.to_dict(),
                          "metrics": best},
        "table": result.table,
        "sweep_dir": result.folder and as_text(result.folder),
        "retrained": retrained and retrained.to_dict(),
    }  # fmt: skip
    print(to_json(found), flush=True)


def _lines(result: SweepResult, retrained: TrainResult | None) -> list[str]:
    from .commands.tables import result_lines, text_table
    from .reports.tables import number
    from .sweeps.intervals import tie_note
    from .sweeps.reports.tables import ranking_table

    board = result.leaderboard
    lines = text_table(ranking_table(board, MOST_ROWS))
    if len(board.configurations) > MOST_ROWS:
        lines.append(f"and {len(board.configurations) - MOST_ROWS} more")
    lines += list(filter(None, [tie_note(board)]))
    bad = [trial for trial in result.trials if not trial.is_good]
    for trial in bad[:5]:
        lines.append(f"{trial.status}: {trial.error}")
    lines.append("")
    if (best := result.best_metrics) is not None:
        lines.append(f"best                 {board.good[0].name(board.axes)}")
        lines += [
            f"{name.replace('_', ' '):<20} {number(best[name])}"
            for name in (*board.metrics, *board.test_metrics)
            if best.get(name) is not None
        ]
    else:
        lines.append("no cell has finished")
    if retrained is not None:
        lines += ["", "the winner, trained again", *result_lines(retrained)]
    if result.folder is not None:
        lines.append(f"sweep folder         {result.folder}")
        if result.status == "interrupted":
            done = len(result.trials)
            lines.append(
                f"interrupted after {done} cells; resume with --out {result.folder} --resume"
            )
    return lines


if __name__ == "__main__":
    leave(main())
