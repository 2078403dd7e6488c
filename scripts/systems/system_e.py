"""E4: three modes compared on one network."""

from __future__ import annotations

from functools import partial

from fastmlp.reports.figures import style
from fastmlp.reports.run_page import plots_html
from fastmlp.sweeps.reports import plots

from .lab import Lab
from .report import Report

MODES_NET = ("--hidden", "128,64", "--monitor", "validation_accuracy")
# Options and epochs.
MODES = {
    "batch": (("--mode", "batch", "--lr", "0.5"), 20),
    "stochastic": (("--mode", "stochastic", "--lr", "0.005"), 20),
    "minibatch": (("--batch-size", "32", "--lr", "0.1"), 15),
}
# Test accuracy, seconds of training and of inference.
MODES_REPORTED = {
    "batch": (0.7195, 6.09, 0.633),
    "stochastic": (0.9760, 1042.91, 0.625),
    "minibatch": (0.9772, 47.72, 0.609),
}
PARAMETERS = 109_386


def run(lab: Lab, report: Report) -> None:
    """Train in three modes by the command line, and compare accuracy, size and times."""
    report.say(
        "Reported: 784-128-64-10 in three modes, without optimizer, rate and epochs. Chosen: plain "
        "gradient descent, ReLU, He, 10 % of the training images for validation, the weights of "
        "the epoch with the best validation accuracy. Accuracy and inference time are those of "
        "the 10,000 test images."
    )
    found = {}
    for mode, (options, epochs) in lab.some(list(MODES.items())):
        line = lab.command_line(*MODES_NET, *options, epochs=epochs)
        report.say_command(line)
        found[mode] = lab.command(f"E4/{mode}", line)
        accuracy, train_seconds, predict_seconds = MODES_REPORTED[mode]
        report.add(f"{mode}: test accuracy", accuracy, found[mode]["test_accuracy"], "at least")
        report.add(f"{mode}: training time", train_seconds, found[mode]["train_seconds"], "faster")
        report.add(
            f"{mode}: inference time", predict_seconds, found[mode]["predict_seconds"], "faster"
        )
        report.show_folder(lab, f"E4/{mode}", f"report of the run in mode {mode}")
    n_parameters = found["batch"]["model"]["n_parameters"]
    report.add("parameters", PARAMETERS, n_parameters, "equal")
    charts = {
        "test accuracy": [run["test_accuracy"] for run in found.values()],
        "model size, KB": [run["model"]["n_parameters"] * 4 / 1024 for run in found.values()],
        "training time, s": [run["train_seconds"] for run in found.values()],
        "inference, ms": [1000 * run["predict_seconds"] for run in found.values()],
    }
    with style():
        panels = [
            partial(plots.bar_chart, list(found), values, title) for title, values in charts.items()
        ]
        report.show(plots_html(panels, {}))
