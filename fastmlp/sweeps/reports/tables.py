"""Tables of a sweep: a row for each configuration, and for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...reports.tables import Table, number
from ...training.history import csv_line
from ..intervals import Interval, interval, tied
from ..leaderboard import Configuration, Leaderboard, Trial, label, value_text

_SPREAD = ("validation_accuracy", "validation_loss", "train_accuracy", "train_loss")
_CELL = (*_SPREAD, "epochs_run", "updates_run", "best_epoch", "kept_epoch", "n_parameters")


def configuration_rows(board: Leaderboard) -> list[dict[str, Any]]:
    """Return a row for each configuration: rank, axes, means, standard deviations over seeds."""
    ties = tied(board)
    return [
        {
            "rank": entry.rank,
            **_settings(entry, board),
            "status": entry.status,
            "seeds": len(entry.trials),
            **{
                name + suffix: value
                for name in (*_SPREAD, *_others(board))
                for suffix, value in (("", entry.mean(name)), ("_sd", entry.spread(name)))
            },
            **_certainty(board.rank_by, interval(entry.good, board.rank_by), ties.get(entry.rank)),
            "epochs": entry.epochs,
            "epochs_run": entry.mean("epochs_run"),
            "n_parameters": _first(entry, "n_parameters"),
            "train_seconds": entry.mean("train_seconds"),
            "inference_seconds": entry.mean("inference_seconds"),
        }
        for entry in board.configurations
    ]


def cell_rows(board: Leaderboard, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return a row for each cell, by the rank of its configuration.

    Cells of earlier rounds of halving, which no configuration shows, have no rank and come last.
    """
    ties = tied(board)
    ranks = {trial.key: entry for entry in board.configurations for trial in entry.trials}

    def order(trial: Trial) -> tuple[Any, ...]:
        rank = ranks[trial.key].rank if trial.key in ranks else len(trials) + 1
        return rank, -trial.config["epochs"], trial.config["seed"], trial.key

    return [
        {
            "rank": ranks[trial.key].rank if trial.key in ranks else None,
            **{axis: trial.settings.get(axis) for axis in board.axes},
            "seed": trial.config["seed"],
            "epochs": trial.config["epochs"],
            "status": trial.status,
            **{name: trial.metrics.get(name) for name in (*_CELL, *_others(board))},
            **_certainty(
                board.rank_by,
                interval([trial], board.rank_by) if trial.is_good else None,
                ties.get(ranks[trial.key].rank) if trial.key in ranks else None,
            ),
            "train_seconds": trial.timings.get("train_seconds"),
            "error": trial.error,
            "key": trial.key,
        }
        for trial in sorted(trials, key=order)
    ]


def ranking_table(board: Leaderboard, most: int | None = None) -> Table:
    """Return the ranking as texts: rank, axes, accuracy and loss with their spread, seconds."""
    metrics, ties = board.metrics, tied(board)
    intervals = [interval(entry.good, board.rank_by) for entry in board.configurations[:most]]
    has_intervals = any(intervals)
    header = ["rank", *map(label, board.axes), *(label(m) for m in metrics)]
    header += [f"95 % of {label(board.rank_by)}", "tie"] if has_intervals else []
    header += ["epochs", "seconds", *(["seeds"] if board.has_seeds else [])]
    return Table(
        tuple(header),
        [
            (
                str(entry.rank),
                *(value_text(value) for value in _settings(entry, board).values()),
                *(_with_spread(entry, name) for name in metrics),
                *([interval_text(found), tie_text(ties, entry)] if has_intervals else []),
                epochs_text(entry),
                _seconds(entry.mean("train_seconds")),
                *([str(len(entry.trials))] if board.has_seeds else []),
            )
            for entry, found in zip(board.configurations[:most], intervals, strict=True)
        ],
    )


def _others(board: Leaderboard) -> list[str]:
    return [name for name in board.metrics if name not in _SPREAD]


def interval_text(found: Interval | None) -> str:
    """Return an interval as text; empty without one."""
    return "" if found is None else f"{number(found.low)} to {number(found.high)}"


def tie_text(ties: dict[int, bool], entry: Configuration) -> str:
    """Return whether a configuration is tied with the best; empty if not, or if none is."""
    return "tied" if ties.get(entry.rank) and sum(ties.values()) > 1 else ""


def _certainty(metric: str, found: Interval | None, is_tied: bool | None) -> dict[str, Any]:
    low, high = (None, None) if found is None else (found.low, found.high)
    return {f"{metric}_low": low, f"{metric}_high": high, "tied": is_tied}


def epochs_text(entry: Configuration) -> str:
    """Return the number of epochs, or the status if the run did not end normally."""
    if not entry.good or entry.status not in ("finished", "stopped early"):
        return entry.status
    return f"{entry.mean('epochs_run') or 0:.4g}"


def csv_text(rows: Sequence[dict[str, Any]], leave_out: Sequence[str] = ()) -> str:
    """Return rows as CSV, numbers with all their digits, empty where there is no value."""
    names = [name for name in (rows[0] if rows else {}) if name not in leave_out]
    cells = ([_csv_value(row[name]) for name in names] for row in rows)
    return csv_line(names) + "".join(map(csv_line, cells))


def _csv_value(value: Any) -> Any:
    return value_text(value) if isinstance(value, (list, bool)) else value


def _settings(entry: Configuration, board: Leaderboard) -> dict[str, Any]:
    return {axis: entry.settings.get(axis) for axis in board.axes}


def _first(entry: Configuration, metric: str) -> Any:
    values = entry.values(metric)
    return values[0] if values else None


def _with_spread(entry: Configuration, metric: str) -> str:
    spread = entry.spread(metric)
    return number(entry.mean(metric)) + (f" ± {spread:.4f}" if spread is not None else "")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
