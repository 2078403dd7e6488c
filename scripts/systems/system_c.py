"""C2 to C5: from one sample at a time to whole batches, and three studies."""

from __future__ import annotations

import statistics
import sys
from functools import partial
from typing import Any

import fastmlp
from fastmlp.reports import page, plots
from fastmlp.reports.figures import style
from fastmlp.reports.run_page import plots_html
from fastmlp.sweeps.reports import curves
from fastmlp.sweeps.reports import plots as sweep_plots
from fastmlp.training.run import Run

from .lab import Lab
from .report import Report, link

BATCH = 64
NET: dict[str, Any] = {
    "hidden_layer_sizes": (300,),
    "activation": "sigmoid",
    "weight_init": "random_normal(1)",
    "batch_size": BATCH,
    "validation": 10_000,
}
_SUM = (
    "The reported rate multiplies the sum of the gradients of a batch; fastmlp's rate multiplies "
    f"their mean, so it is {BATCH} times the reported one."
)
_CHOSEN = "N(0, 1) weights, biases 0, pixels / 255. Chosen: 10,000 validation images. "


def run_c2(lab: Lab, report: Report) -> None:
    """Per-sample SGD with samples drawn with replacement, on two overlapping clouds."""
    report.say(
        "Reported: 2-3-2, sigmoid, softmax, standardised features, N(0, 1) weights, biases 0, "
        "samples drawn with replacement, rate 0.01, 25 epochs. Chosen: 1,000 points of "
        "blobs(classes=2, std=1.25), 200 of them for testing."
    )
    data = fastmlp.load_dataset("blobs(n=1000, classes=2, std=1.25)")
    config = fastmlp.TrainConfig(
        data=data.name, hidden_layer_sizes=(3,), activation="sigmoid", output_activation="softmax",
        scale="standard", weight_init="random_normal(1)", mode="stochastic",
        sampling="replacement", learning_rate=0.01, epochs=25, validation=0,
    )  # fmt: skip
    result = fastmlp.fit(config, data)
    fastmlp.save_run(result, data, lab.folder / "C2", plots=not lab.quick, overwrite=True)
    settled = statistics.fmean(result.history["train_loss"][-5:])
    report.add("training loss, mean of the last 5 epochs", 0.05, settled, "at most", golden=True)
    report.add("test accuracy", None, result.metrics["test_accuracy"])
    report.show(link("C2/report.html", "report of this run"))
    report.show_plots("", [partial(plots.loss_curves, result.history)])


class Tenths(fastmlp.Callback):
    """Prints the progress of training at each tenth of an epoch."""

    def __init__(self) -> None:
        self.lines = 0

    def on_progress(self, run: Run) -> None:
        tenths = (run.epoch - 1) * 10 + 10 * run.rows_done // run.n_train
        for number in range(self.lines + 1, tenths + 1):
            share = 10 * ((number - 1) % 10 + 1)
            print(f"  epoch {run.epoch}, {share} %: loss {run.train_loss:.4f}", file=sys.stderr)
        self.lines = max(self.lines, tenths)


def run_c3(lab: Lab, report: Report) -> None:
    """One sample at a time; each update uses the gradients of 64 samples."""
    report.say(
        "Reported: 784-300-10, sigmoid, samples one at a time, their gradients accumulated and "
        f"applied every 64, rate 0.01, 15 epochs. {_CHOSEN}{_SUM}"
    )
    tenths = Tenths()
    trained = lab.fit("C3", [tenths], **NET, learning_rate=0.01 * BATCH, epochs=15, accumulate=True)
    report.add("progress lines, one for each tenth of an epoch", 150, tenths.lines, "at least")
    report.add("test accuracy", None, trained.test_accuracy)
    report.add("test loss", None, trained.test_loss)
    report.add("training time, s", None, trained.seconds)
    report.show_run("One sample at a time", trained)


def run_c4(lab: Lab, report: Report) -> None:
    """The same net by whole batches, from the command line."""
    line = lab.command_line(
        "--hidden", "300", "--activation", "sigmoid", "--init", "random_normal(1)",
        "--validation", "0.1" if lab.quick else "10000", "--batch-size", str(BATCH),
        "--lr", f"{0.02 * BATCH:g}", epochs=50,
    )  # fmt: skip
    report.say(
        "Reported: the net of C3, whole mini-batches of 64, rate 0.02, 50 epochs (on raw pixels, "
        f"evidently by mistake). {_CHOSEN}{_SUM}"
    )
    report.say_command(line)
    found = lab.command("C4", line)
    report.add("test accuracy", None, found["test_accuracy"])
    report.add("test loss", None, found["test_loss"])
    report.add("training time, s", None, found["train_seconds"])
    report.show_folder(lab, "C4", "report of this run")


def run_c5(lab: Lab, report: Report) -> None:
    """Training against validation loss, initialisations, rates; then more epochs of the best."""
    report.say(f"Reported: the net of C3, batches of 64. {_CHOSEN}{_SUM}")
    short = {**NET, "epochs": 5}
    rates = (0.0001, 0.003, 0.01, 0.03)
    trained = lab.fit("C5/training", **short, learning_rate=rates[-1] * BATCH)
    report.show_run("Training (running mean over the epoch) against validation loss", trained)

    seeds = {**short, "learning_rate": rates[-1] * BATCH, "seed": list(range(5))}
    several = lab.sweep("C5/initialisations", seeds)
    (entry,) = several.leaderboard.configurations
    report.add("random initialisations of one net", None, len(entry.trials))
    accuracy, name = "validation_accuracy", "their validation accuracy"
    report.add(f"{name}, mean", None, entry.mean(accuracy) or 0.0)
    report.add(f"{name}, standard deviation", None, entry.spread(accuracy) or 0.0)

    compared = lab.sweep("C5/rates", {**short, "learning_rate": [BATCH * rate for rate in rates]})
    board = compared.leaderboard
    order = [round(sweep_plots.rate_of(c) / BATCH, 6) for c in board.configurations]
    report.add("best rate", 0.03, order[0], "equal")
    report.add("second best rate", 0.01, order[1], "equal")
    with style():
        report.show(
            link("C5/initialisations/report.html", "report of five initialisations"),
            link("C5/rates/report.html", "report of four rates"),
            page.paragraph(
                "Five initialisations, their mean and spread (training blue, validation orange), "
                f"and four rates (of the mean gradient: {BATCH} times the reported ones):"
            ),
            plots_html(
                [
                    partial(curves.metric_curves, entry, "loss"),
                    partial(curves.metric_curves, entry, "accuracy"),
                    partial(curves.curves_by_rate, board),
                ],
                {},
            ),
        )

    full = {**NET, "epochs": 10}
    summed = "rate 0.03 of the summed gradient: validation accuracy"
    mean = lab.fit("C5/mean-gradient", **full, learning_rate=rates[-1])
    report.add(
        "rate 0.03 of the mean gradient: validation accuracy", 0.91,
        mean.result.metrics["validation_accuracy"], "at least", is_known_gap=True,
        note="N(0, 1) weights saturate the sigmoids, and small updates need more than 10 epochs to "
        "undo that; the summed gradient reaches the reported figure",
    )  # fmt: skip
    best = lab.fit("C5/summed-gradient", **full, learning_rate=rates[-1] * BATCH)
    accuracy = best.result.metrics["validation_accuracy"]
    report.add(summed, 0.91, accuracy, "at least", note="gradients summed as in C3")
    report.add("the same: training time, s", None, best.seconds)
    report.show_run("Rate 0.03, 10 epochs, summed gradients", best)
    report.show_run("Rate 0.03, 10 epochs, mean gradients", mean)
