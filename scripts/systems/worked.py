"""C1 and E1: one sample, one update, derivatives worked by hand; exact in float64."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np

import fastmlp

from .lab import Lab
from .report import Report

_SETTINGS: dict[str, Any] = {
    "hidden_layer_sizes": (3,),
    "activation": "sigmoid",
    "scale": "none",
    "split": "none",
    "validation": 0,
    "batch_size": 1,
    "epochs": 1,
    "optimizer": "sgd",
    "schedule": "constant",
    "clip_norm": 0.0,
    "dtype": "float64",
}
_EXACT = 1e-12
# Of the updates of E1. Its printed figures have seven digits: half a unit of the last.
_UPDATE = 1e-9
_DIGITS = 5e-8


class Step(NamedTuple):
    """One update: the loss before it, weights and biases before and after."""

    loss: float
    before: tuple[list[np.ndarray], list[np.ndarray]]
    after: tuple[list[np.ndarray], list[np.ndarray]]

    def changes(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return by how much weights and biases change."""
        (W, b), (W_new, b_new) = self.before, self.after
        return (
            [new - old for new, old in zip(W_new, W, strict=True)],
            [new - old for new, old in zip(b_new, b, strict=True)],
        )


def run_c1(lab: Lab, report: Report) -> None:
    """The forward pass, the loss and the four gradients of the 2-3-2 net."""
    report.say(
        "x = [1, -1], W1 = [[1, 1, 1], [-1, -1, -1]], W2 = [[1, 1], [-1, -1], [-1, -1]], biases 0, "
        f"class 0; sigmoid, softmax, cross-entropy; float64, tolerance {_EXACT:g}. At rate 1, the "
        "updates are the negative gradients."
    )
    W = [np.array([[1.0] * 3, [-1.0] * 3]), np.array([[1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]])]
    b = [np.zeros(3), np.zeros(2)]
    x = np.array([[1.0, -1.0]])
    softmax = {"output_activation": "softmax", "learning_rate": 1.0}
    step = _update(x, np.array([0]), W, b, loss="cross_entropy", **softmax)
    (dW1, dW2), (db1, db2) = ([-change for change in group] for group in step.changes())
    a = 0.44039853898894116

    def exact(name: str, reported: float, found: Any, note: str = "") -> None:
        ours = _farthest(found, reported)
        report.add(name, reported, ours, "equal", golden=True, tolerance=_EXACT, note=note)

    exact("loss", 0.6931471805599453, step.loss)
    exact("dW2, class 0 (three equal rows)", -a, dW2[:, 0])
    exact("dW2, class 1 (three equal rows)", a, dW2[:, 1])
    exact("db2, class 0", -0.5, db2[0])
    exact("db2, class 1", 0.5, db2[1])
    exact("dW1", 0.0, dW1)
    exact("db1", 0.0, db1)
    step = _update(x, np.array([0]), W, b, loss="squared_error", **softmax)
    dW2 = -step.changes()[0][1]
    # dz = J (a - y): J = diag(a) - a a^T at a = (1/2, 1/2) has quarters, and a - y = (-1/2, 1/2).
    note = "by hand: Jacobian [[1/4, -1/4], [-1/4, 1/4]] times (-1/2, 1/2) times the hidden output"
    exact("dW2, class 0, squared error, through softmax's Jacobian", -a / 2, dW2[:, 0], note)


def run_e1(lab: Lab, report: Report) -> None:
    """Both hand-worked cases of the 2-3-1 net."""
    report.say(
        "2-3-1, sigmoid in all layers, half the squared error, rate 0.1, one update, float64. "
        "Values must equal all printed digits, and each update the chain rule by hand within "
        f"{_UPDATE:g}. (The printed updates of the first layer are ten to a hundred times too "
        "small; the figures here are corrected.)"
    )
    ones = [np.ones((2, 3)), np.ones((3, 1))], [np.ones(3), np.ones(1)]
    step = _case(report, "a", np.array([[0.0, 1.0]]), *ones)
    hidden, output, (dW1, dW2) = _hidden(step), _output(step), step.changes()[0]

    def near(name: str, reported: float, found: Any, tolerance: float) -> None:
        ours = _farthest(found, reported)
        report.add(name, reported, ours, "equal", golden=True, tolerance=tolerance)

    near("a: hidden activations", 0.8807970780, hidden, _UPDATE)
    near("a: output", 0.9744787490, output, _UPDATE)
    near("a: loss", 0.000325667126, step.loss, _UPDATE)
    near("a: output weights grow by", 5.590519e-5, dW2, 5e-12)
    near("a: weights from x2 grow by", 6.664062e-6, dW1[1], 5e-13)
    near("a: weights from x1 stay", 1.0, step.after[0][0][0], 0.0)

    W = [np.array([[0.5] * 3, [-0.25] * 3]), np.array([[1.0], [0.0], [-1.0]])]
    step = _case(report, "b", np.array([[1.0, 1.0]]), W, [np.full(3, 0.1), np.full(1, 0.1)])
    near("b: hidden activations", 0.5866175789, _hidden(step), _UPDATE)
    near("b: output", 0.5249791875, _output(step), _UPDATE)
    near("b: loss", 0.1128223862, step.loss, _UPDATE)
    W1, W2 = step.after[0]
    for unit, output_weight, from_x1, from_x2 in (
        (0, 1.0069490, 0.5028726, -0.2471274),
        (1, 0.0069490, 0.5, -0.25),
        (2, -0.9930510, 0.4971274, -0.2528726),
    ):
        near(f"b: output weight {unit + 1} after the step", output_weight, W2[unit], _DIGITS)
        exactly = 0.0 if unit == 1 else _DIGITS
        near(f"b: weight from x1 to unit {unit + 1}", from_x1, W1[0, unit], exactly)
        near(f"b: weight from x2 to unit {unit + 1}", from_x2, W1[1, unit], exactly)


def _case(
    report: Report, name: str, x: np.ndarray, W: list[np.ndarray], b: list[np.ndarray]
) -> Step:
    """Take a step of E1 and compare every update with the chain rule by hand."""
    settings = {"output_activation": "sigmoid", "loss": "squared_error", "learning_rate": 0.1}
    step = _update(x, np.array([1.0]), W, b, **settings)
    off = [
        np.abs(ours - hand).max()
        for ours, hand in zip(chain(*step.changes()), _by_hand(x[0], 1.0, W, b), strict=True)
    ]
    report.add(
        f"{name}: farthest update from the chain rule by hand", 0.0, float(max(off)), "equal",
        golden=True, tolerance=_UPDATE,
    )  # fmt: skip
    return step


def _by_hand(x: np.ndarray, y: float, W: list[np.ndarray], b: list[np.ndarray]) -> list[np.ndarray]:
    """Return the updates of W1, W2, b1, b2, by the chain rule for one sample and one output."""
    hidden = 1 / (1 + np.exp(-(x @ W[0] + b[0])))
    output = 1 / (1 + np.exp(-(hidden @ W[1] + b[1])))
    d2 = (output - y) * output * (1 - output)
    d1 = d2 * W[1][:, 0] * hidden * (1 - hidden)
    return [-0.1 * np.outer(x, d1), -0.1 * np.outer(hidden, d2), -0.1 * d1, -0.1 * d2]


def _update(
    x: np.ndarray, y: np.ndarray, W: list[np.ndarray], b: list[np.ndarray], **settings: Any
) -> Step:
    """Train on one sample, once."""
    weight = None
    if y.dtype.kind == "i":
        # Classes are inferred from the data: a row of the other class is added, with weight 0.
        x, y = np.vstack([x, x]), np.array([y[0], 1 - y[0]])
        weight, settings = np.array([1.0, 0.0]), {**settings, "batch_size": 2}
    config = fastmlp.TrainConfig(**{**_SETTINGS, **settings})
    data = fastmlp.Dataset(x, y)
    result = fastmlp.fit(config, data, initial_weights=(W, b), sample_weight=weight)
    network = result.predictor.network
    after = [w.copy() for w in network.weights], [v.copy() for v in network.biases]
    return Step(result.history["train_loss"][0], (W, b), after)


def _hidden(step: Step) -> np.ndarray:
    """Return the hidden activations, from the updates: dW2 = h db2."""
    (_, dW2), (_, db2) = step.changes()
    return np.asarray(dW2[:, 0] / db2)


def _output(step: Step) -> float:
    """Return the output for a target of 1, from the loss (1 - output)^2 / 2."""
    return 1.0 - float(np.sqrt(2.0 * step.loss))


def _farthest(found: Any, reported: float) -> float:
    """Return the value farthest from the reported one, of one or several."""
    values = np.ravel(found)
    return float(values[np.argmax(np.abs(values - reported))]) + 0.0  # -0.0 becomes 0.0
