"""Cases worked by hand in the reference systems: C1 (2-3-2, softmax) and E1 (2-3-1, sigmoid)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import reference
from harness import Case, Run

ONE_SAMPLE = Case(rows=1, batch_size=1, epochs=1, hidden="sigmoid")
C1 = ONE_SAMPLE.but(sizes=(2, 3, 2), output="softmax", loss="cross_entropy", rate=1.0)
E1 = ONE_SAMPLE.but(sizes=(2, 3, 1), output="sigmoid", loss="squared_error", rate=0.1)

Train = Callable[[Run], list[reference.Step]]
each_step = pytest.mark.parametrize(
    "train", [Run.train, Run.train_samples], ids=["general", "per_sample"]
)


def prepare(
    case: Case, x: object, y: object, W1: object, b1: object, W2: object, b2: object
) -> Run:
    """The one sample and the weights, in place of drawn ones."""
    run = Run(case)
    run.X[...] = x
    if run.task == "multiclass":
        run.data.labels[...] = y
    else:
        run.Y[...] = y
    for view, value in zip(
        [*run.network.weights, *run.network.biases], [W1, W2, b1, b2], strict=True
    ):
        view[...] = value
    return run


def c1() -> Run:
    W1, W2 = [[1, 1, 1], [-1, -1, -1]], [[1, 1], [-1, -1], [-1, -1]]
    return prepare(C1, [1, -1], 0, W1, 0, W2, 0)


def e1a() -> Run:
    return prepare(E1, [0, 1], 1, 1, 1, 1, 1)


def e1b() -> Run:
    W1 = [[0.5, 0.5, 0.5], [-0.25, -0.25, -0.25]]
    return prepare(E1, [1, 1], 1, W1, 0.1, [[1], [0], [-1]], 0.1)


def by_hand(run: Run) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The updates of E1, by the chain rule written out for one sample and one output."""
    (W1, W2), (b1, b2), *_ = run.model()
    x, y = run.X[0], run.Y[0, 0]
    hidden = 1 / (1 + np.exp(-(x @ W1 + b1)))
    output = 1 / (1 + np.exp(-(hidden @ W2[:, 0] + b2[0])))
    d2 = (output - y) * output * (1 - output)
    d1 = d2 * W2[:, 0] * hidden * (1 - hidden)
    weights = [-0.1 * np.outer(x, d1), -0.1 * d2 * hidden[:, None]]
    return weights, [-0.1 * d1, np.array([-0.1 * d2])]


def updates(run: Run, train: Train) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """By how much each weight and bias changes in one step."""
    weights, biases, *_ = run.model()
    train(run)
    return (
        [new - old for new, old in zip(run.network.weights, weights, strict=True)],
        [new - old for new, old in zip(run.network.biases, biases, strict=True)],
    )


def test_c1_gradients() -> None:
    (dW1, dW2), (db1, db2) = c1().gradients()
    a = 0.44039853898894116
    np.testing.assert_allclose(dW2, [[-a, a]] * 3, rtol=0, atol=1e-12)
    np.testing.assert_allclose(db2, [-0.5, 0.5], rtol=0, atol=1e-12)
    np.testing.assert_allclose(dW1, np.zeros((2, 3)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(db1, np.zeros(3), rtol=0, atol=1e-12)


@each_step
def test_c1_update_of_rate_one(train: Train) -> None:
    (dW1, dW2), (db1, db2) = updates(c1(), train)
    a = 0.44039853898894116
    np.testing.assert_allclose(dW2, [[a, -a]] * 3, rtol=0, atol=1e-12)
    np.testing.assert_allclose(db2, [0.5, -0.5], rtol=0, atol=1e-12)
    np.testing.assert_allclose(dW1, np.zeros((2, 3)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(db1, np.zeros(3), rtol=0, atol=1e-12)


@each_step
def test_c1_loss(train: Train) -> None:
    assert train(c1())[0].loss == pytest.approx(0.6931471805599453, abs=1e-12)


@each_step
def test_e1a_losses_and_activations(train: Train) -> None:
    run = e1a()
    outputs, losses, _ = run.evaluate()
    hidden = run.activation_rows(layer=0)[0]
    np.testing.assert_allclose(hidden, [0.8807970780] * 3, rtol=0, atol=1e-10)
    np.testing.assert_allclose(outputs, [[0.9744787490]], rtol=0, atol=1e-10)
    np.testing.assert_allclose(losses, [0.000325667126], rtol=0, atol=1e-12)
    assert train(run)[0].loss == pytest.approx(losses[0], abs=1e-15)


@each_step
def test_e1a_updates(train: Train) -> None:
    run = e1a()
    (dW1, dW2), _ = updates(run, train)
    np.testing.assert_allclose(dW2, [[5.590519e-5]] * 3, rtol=0, atol=1e-11)
    np.testing.assert_allclose(dW1[1], [6.664062e-6] * 3, rtol=0, atol=1e-12)
    assert (run.network.weights[0][0] == 1).all()


@each_step
def test_e1b_losses_and_activations(train: Train) -> None:
    run = e1b()
    outputs, losses, _ = run.evaluate()
    hidden = run.activation_rows(layer=0)[0]
    np.testing.assert_allclose(hidden, [0.5866175789] * 3, rtol=0, atol=1e-10)
    np.testing.assert_allclose(outputs, [[0.5249791875]], rtol=0, atol=1e-10)
    np.testing.assert_allclose(losses, [0.1128223862], rtol=0, atol=1e-10)
    assert train(run)[0].loss == pytest.approx(losses[0], abs=1e-15)


@each_step
def test_e1b_weights_after_one_step(train: Train) -> None:
    run = e1b()
    train(run)
    W1, W2 = run.network.weights
    printed = 5e-8  # seven decimals were reported
    np.testing.assert_allclose(W2[:, 0], [1.0069490, 0.0069490, -0.9930510], rtol=0, atol=printed)
    np.testing.assert_allclose(W1[0], [0.5028726, 0.5, 0.4971274], rtol=0, atol=printed)
    np.testing.assert_allclose(W1[1], [-0.2471274, -0.25, -0.2528726], rtol=0, atol=printed)
    assert (W1[0, 1], W1[1, 1]) == (0.5, -0.25)


@each_step
@pytest.mark.parametrize("prepared", [e1a, e1b])
def test_e1_updates_are_those_worked_by_hand(prepared: Callable[[], Run], train: Train) -> None:
    run = prepared()
    expected_dWs, expected_dbs = by_hand(run)
    dWs, dbs = updates(run, train)
    for update, expected in zip([*dWs, *dbs], [*expected_dWs, *expected_dbs], strict=True):
        np.testing.assert_allclose(update, expected, rtol=0, atol=1e-15)
