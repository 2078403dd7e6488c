"""B: tanh and ReLU on three splits, with biases that start at 1."""

from __future__ import annotations

from itertools import product
from typing import Any

from fastmlp.reports import page, plots
from fastmlp.reports.pictures import spaced
from fastmlp.reports.run_page import gallery_html

from .lab import Lab, Trained
from .report import Report

SETTINGS: dict[str, Any] = {
    "learning_rate": 0.01,
    "batch_size": 22,
    "epochs": 25,
    "bias_init": "ones",
    "seed": 52,
    "validation": 0,
}
LAYERS = ((128, 64), (256, 256))
# Test accuracy and loss.
REPORTED = {
    ("tanh", "90-10"): (0.8313, 0.56),
    ("tanh", "80-20"): (0.835, 0.58),
    ("tanh", "70-30"): (0.8150, 0.63),
    ("relu", "90-10"): (0.8688, 0.53),
    ("relu", "80-20"): (0.8789, 0.44),
    ("relu", "70-30"): (0.8738, 0.49),
}
BIASES = {(128, 64): 202, (256, 256): 522}
_EVERY = 100


def run(lab: Lab, report: Report) -> None:
    """Train every cell with both sizes of the hidden layers, then the unreported activations."""
    report.say(
        "Reported: rate 0.01, batches of 22, 25 epochs, biases 1, seed 52, softmax, cross-entropy; "
        "all 70,000 images pooled. Chosen: he_normal weights for ReLU and leaky ReLU, "
        "glorot_uniform for tanh and sigmoid; pixels / 255. Both reported sizes of the hidden "
        f"layers are trained. Curves by update are means over {_EVERY} updates."
    )
    cells = [(h, *cell) for h, cell in product(LAYERS, lab.some(list(REPORTED)))]
    for hidden, activation, split in cells:
        accuracy, loss = REPORTED[activation, split]
        trained = _train(lab, hidden, activation, split)
        name = f"{_text(hidden)}, {activation}, {split}"
        report.add_scores(name, trained, accuracy, loss)
        report.show_run(name, trained)
        if (activation, split) == next(iter(REPORTED)):
            _parameters(report, trained)
    _others(lab, report)
    _look(lab, report, trained)


def _train(lab: Lab, hidden: tuple[int, ...], activation: str, split: str) -> Trained:
    return lab.fit(
        f"B/{_text(hidden)}-{activation}-{split}", **SETTINGS, hidden_layer_sizes=hidden,
        activation=activation, split=split, log_every=_EVERY,
    )  # fmt: skip


def _parameters(report: Report, trained: Trained) -> None:
    facts = trained.result.model_facts()
    hidden = tuple(facts["layer_sizes"][1:-1])
    report.add(f"{_text(hidden)}: biases", BIASES[hidden], facts["n_biases"], "equal", golden=True)
    report.add(f"{_text(hidden)}: weights", None, facts["n_weights"])


def _others(lab: Lab, report: Report) -> None:
    """Train the two activations that are listed, but not reported."""
    for activation in lab.some(("leaky_relu", "sigmoid")):
        trained = _train(lab, LAYERS[0], activation, "80-20")
        name = f"{_text(LAYERS[0])}, {activation}, 80-20"
        report.add(f"{name}: test accuracy", None, trained.test_accuracy)
        report.show_run(name, trained)


def _look(lab: Lab, report: Report, trained: Trained) -> None:
    """Show one epoch update by update, sample digits, and name the most frequent confusions."""
    evaluation = trained.evaluation
    confusions = evaluation.judged.metrics["confusions"][:6]
    report.add(
        "most frequent confusions", "4 -> 9, 3 -> 5, 8 -> 5",
        ", ".join(confusion.partition(":")[0] for confusion in confusions[:3]),
        note=f"of {trained.name.removeprefix('B/')}: {', '.join(confusions)}",
    )  # fmt: skip
    first = lab.fit(
        "B/first-epoch", **{**SETTINGS, "epochs": 1}, hidden_layer_sizes=LAYERS[0], log_every=1
    )
    iterations = first.result.iterations
    report.add("updates of the first epoch with loss and accuracy", None, len(iterations))
    report.show_plots(
        f"The first epoch ({_text(LAYERS[0])}, relu), update by update:",
        (
            lambda axes: plots.loss_curves(iterations, axes, x="iteration"),
            lambda axes: plots.accuracy_curves(iterations, axes, x="iteration"),
        ),
    )
    part = evaluation.parts[0]
    rows = spaced(len(part.y), 20)
    report.show(
        page.paragraph("Digits of the training set, with their labels:"),
        gallery_html(evaluation, part, rows, [str(label) for label in part.y[rows]]),
    )


def _text(hidden: tuple[int, ...]) -> str:
    return "-".join(map(str, hidden))
