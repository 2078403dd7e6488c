"""A: three activations x three initialisations x three modes, and the winner trained again."""

from __future__ import annotations

from typing import Any

from fastmlp.reports import page
from fastmlp.sweeps.leaderboard import Configuration, Leaderboard
from fastmlp.sweeps.reports.page import curves_html, legend_html, ranking_html, script_html

from .lab import Lab
from .report import Report, link

CHOSEN: dict[str, Any] = {
    "hidden_layer_sizes": (128,),
    "l2": 1e-4,
    "validation": 10_000,
    "epochs": 25,
}
MINIBATCH: dict[str, Any] = {"batch_size": 22, "learning_rate": 0.1}
AXES = ("activation", "weight_init", "mode")
GRID: dict[str, Any] = {
    **CHOSEN,
    "activation": ["relu", "sigmoid", "tanh"],
    "weight_init": ["xavier", "he", "random"],
    "mode": ["stochastic", "batch", "minibatch"],
    "early_stopping": 5,
    "stochastic": {"learning_rate": 0.01},
    "batch": {"learning_rate": 0.5},
    "minibatch": MINIBATCH,
}
# One of the modes has kernels of its own, which take seconds to compile.
QUICK_GRID: dict[str, Any] = {
    **{name: value for name, value in GRID.items() if name not in ("stochastic", "batch")},
    "weight_init": ["he"],
    "mode": ["minibatch"],
}
WINNER: dict[str, Any] = {
    **CHOSEN,
    **MINIBATCH,
    "activation": "relu",
    "weight_init": "he_normal",
    "mode": "minibatch",
    "schedule": "plateau(factor=0.5, patience=2)",
}


def run(lab: Lab, report: Report) -> None:
    """Sweep the grid, then train ReLU + He + mini-batch with the rate reduced on a plateau."""
    report.say(
        "Reported: one hidden layer, softmax, cross-entropy with L2, mini-batches of 22, early "
        "stopping. Chosen: 128 units, L2 0.0001, patience 5, 10,000 validation images, at most "
        "25 epochs; rates 0.01 (stochastic), 0.5 (batch), 0.1 (mini-batch); random is N(0, 0.01²). "
        "The winner is trained again, with the rate halved after 2 epochs without improvement."
    )
    sweep = lab.sweep("A/sweep", QUICK_GRID if lab.quick else GRID)
    board = sweep.leaderboard
    report.add("configurations trained", 27, len(board.good), "at least")
    best, reported = board.good[0], _reported_best(board)
    report.add(
        "rank of ReLU + He + mini-batch", 1, reported.rank,
        note=f"the best, {best.name(AXES)}, is "
        f"{_accuracy(best) - _accuracy(reported):.4f} more accurate on the validation images",
    )  # fmt: skip
    report.add("the best of the grid: validation accuracy", None, _accuracy(best))

    winner = lab.fit("A/winner", **WINNER)
    metrics = winner.result.metrics
    name = "ReLU + He + mini-batch, plateau: validation"
    report.add(f"{name} accuracy", 0.9791, metrics["validation_accuracy"], "at least")
    report.add(f"{name} loss", 0.0819, metrics["validation_loss"], "at most")
    report.add("the same: best epoch of 25", 22, winner.result.best_epoch)
    report.add("the same: test accuracy", None, winner.test_accuracy)
    report.add("the same: training time, s", None, winner.seconds)
    report.show_run("ReLU + He + mini-batch, rate reduced on a plateau", winner, opened=True)
    report.show(
        link("A/sweep/report.html", "report of the sweep"),
        ranking_html(board, len(board.configurations)),
        page.details(
            f"validation and training curves of all {len(board.configurations)} configurations",
            legend_html(board.configurations) + "\n".join(curves_html(board, board.configurations)),
        ),
        script_html("sortable.js"),
    )


def _reported_best(board: Leaderboard) -> Configuration:
    """Return the configuration that was best in the reported grid."""
    names = [WINNER[axis] for axis in AXES]
    return next(entry for entry in board.good if [entry.settings[axis] for axis in AXES] == names)


def _accuracy(entry: Configuration) -> float:
    return entry.mean("validation_accuracy") or 0.0
