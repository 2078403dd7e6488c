"""E2, digits 3 against 7 with three initializers, and E4, three modes compared."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Any

import numpy as np

from fastmlp.reports import page
from fastmlp.reports.figures import style
from fastmlp.reports.pictures import mistake_captions, spaced
from fastmlp.reports.run_page import gallery_html, plots_html
from fastmlp.reports.tables import Table, parameters_text
from fastmlp.sweeps.reports import plots

from .lab import Lab, Trained
from .report import Report

TWO_DIGITS: dict[str, Any] = {
    "classes": ("3", "7"),
    "hidden_layer_sizes": (512,),
    "optimizer": "adam",
    "learning_rate": 0.003,
    "batch_size": 512,
    "epochs": 20,
    "validation": 0.2,
    "hold_out": "last",
    "early_stopping": 4,
    "threshold": 0.9,
}
# The reported test confusion matrices, by the initializer of weights and biases.
MATRICES = {
    "glorot_uniform": ((1007, 3), (34, 994)),
    "random_uniform": ((1008, 2), (28, 1000)),
    "random_normal": ((1009, 1), (29, 999)),
}
BEST_ERRORS = 7
_EXAMPLES = 24

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


def run_e2(lab: Lab, report: Report) -> None:
    """Tell 3 from 7 by a network of one hidden layer, from three kinds of initial weights."""
    report.say(
        "Reported: a sigmoid output, binary cross-entropy, batches of 512, at most 20 epochs, the "
        "last 20 % of the training images for validation, patience 4, decision threshold 0.9; a "
        "convolutional net, replaced here by 784-512-1. Chosen: ReLU, Adam at 0.003; "
        "random is U(-0.05, 0.05) and N(0, 0.05²)."
    )
    fewest, epoch_seconds = len(lab.dataset.y), 0.0
    for init, matrix in lab.some(list(MATRICES.items())):
        trained = lab.fit(f"E2/{init}", **TWO_DIGITS, weight_init=init, bias_init=init)
        found = trained.evaluation.judged.metrics["confusion_matrix"]
        errors = _errors(found)
        note = f"reported matrix {_text(matrix)}, fastmlp's {_text(found)}"
        report.add(f"{init}: test errors", _errors(matrix), errors, "at most", note=note)
        accuracy = trained.result.metrics["validation_accuracy"]
        report.add(f"{init}: validation accuracy", 0.98, accuracy, "at least")
        fewest = min(fewest, errors)
        epoch_seconds = max(epoch_seconds, trained.seconds / trained.result.epochs_run)
        report.show_run(f"{init} weights and biases", trained)
    report.add(
        "fewest test errors of the convolutional net", BEST_ERRORS, fewest, "at most",
        is_known_gap=True, note="a perceptron with more units, dropout and other rates made 12 "
        "at best",
    )  # fmt: skip
    report.add("slowest epoch", 3.0, epoch_seconds, "faster", note="reported: 3 to 5 s")
    _examples(report, trained)


def _examples(report: Report, trained: Trained) -> None:
    """Show the layers, and some images with their actual and predicted labels."""
    network = trained.result.predictor.network
    report.show(page.table(*_layers(trained)), page.paragraph(parameters_text(network)))
    part = trained.evaluation.judged
    rows = np.concatenate((spaced(len(part.y), _EXAMPLES // 2), part.mistakes(_EXAMPLES // 2)))
    report.show(
        page.paragraph("Test images, actual and predicted; the second half are mistakes:"),
        gallery_html(trained.evaluation, part, rows, mistake_captions(part, rows)),
    )


def _layers(trained: Trained) -> Table:
    """Return the layer summary: output shapes, parameters, and their size in KB."""
    network = trained.result.predictor.network
    layers = zip(network.weights, network.biases, network.activations, strict=True)
    rows: list[tuple[str, ...]] = []
    for number, (weights, biases, activation) in enumerate(layers, start=1):
        n = weights.size + biases.size
        size = f"{n * network.dtype.itemsize / 1024:.2f} KB"
        rows.append((f"dense {number}", str(activation), f"(n, {len(biases)})", f"{n:,}", size))
    return Table(("layer", "activation", "output shape", "parameters", "size"), rows)


def run_e4(lab: Lab, report: Report) -> None:
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
        report.say(f"python {shlex.join(line)}")
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


def _errors(matrix: Any) -> int:
    return int(np.sum(matrix) - np.trace(matrix))


def _text(matrix: Any) -> str:
    return str(np.array(matrix).tolist())
