"""The mathematics of fastmlp in plain NumPy: the twin of every kernel, to be tested against.

Nothing is imported from fastmlp, so that a mistake there cannot repeat itself here. Nothing is fast
either: each function is its formula. Rows are samples. Arrays keep their dtype, float32 or float64;
losses are always float64.

Letters: X inputs, W weights (inputs x outputs), b biases, Z = X W + b, A = f(Z), Y targets, L the
loss of a row, dV the gradient of the objective with respect to V.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
# An activation is its name and its parameter: the slope of leaky_relu, otherwise unused.
Activation = tuple[str, float]

# --- activations: A = f(Z), row by row -----------------------------------------------------------


def identity(Z: Array) -> Array:
    return Z.copy()


def relu(Z: Array) -> Array:
    return np.maximum(Z, 0)


def leaky_relu(Z: Array, slope: float) -> Array:
    return np.where(Z > 0, Z, Z.dtype.type(slope) * Z)


def sigmoid(Z: Array) -> Array:
    # By the tail on the side where exp cannot overflow.
    tail = np.exp(-np.abs(Z))
    return np.where(Z >= 0, 1 / (1 + tail), tail / (1 + tail))


def tanh(Z: Array) -> Array:
    return np.tanh(Z)


def softmax(Z: Array) -> Array:
    powers = np.exp(Z - Z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


FORWARD: dict[str, Callable[[Array, float], Array]] = {
    "identity": lambda Z, _: identity(Z),
    "relu": lambda Z, _: relu(Z),
    "leaky_relu": leaky_relu,
    "sigmoid": lambda Z, _: sigmoid(Z),
    "tanh": lambda Z, _: tanh(Z),
    "softmax": lambda Z, _: softmax(Z),
}


def activate(activation: Activation, Z: Array) -> Array:
    """A = f(Z)."""
    name, parameter = activation
    return FORWARD[name](Z, parameter)


# --- activations backward: dZ from dA ------------------------------------------------------------

BACKWARD: dict[str, Callable[[Array, Array, Array, float], Array]] = {
    "identity": lambda Z, A, dA, _: dA.copy(),
    "relu": lambda Z, A, dA, _: np.where(Z > 0, dA, 0).astype(dA.dtype),
    "leaky_relu": lambda Z, A, dA, slope: np.where(Z > 0, dA, dA.dtype.type(slope) * dA),
    "sigmoid": lambda Z, A, dA, _: dA * A * (1 - A),
    "tanh": lambda Z, A, dA, _: dA * (1 - A * A),
    # The Jacobian diag(a) - a a^T, applied to each row.
    "softmax": lambda Z, A, dA, _: A * (dA - (dA * A).sum(axis=1, keepdims=True)),
}


def activate_backward(activation: Activation, Z: Array, A: Array, dA: Array) -> Array:
    """dZ = dA f'(Z)."""
    name, parameter = activation
    return BACKWARD[name](Z, A, dA, parameter)


# --- losses: one number a row --------------------------------------------------------------------


def cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """-sum_j y_j log softmax(z)_j, from z, so that it stays exact where a rounds to 0."""
    Z = Z.astype(np.float64)
    shifted = Z - Z.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(Y * log_softmax).sum(axis=1)


def binary_cross_entropy(Z: Array, A: Array, Y: Array) -> Array:
    """-sum_j y_j log a_j + (1 - y_j) log(1 - a_j), where log(1 - sigmoid(z)) = log sigmoid(-z)."""
    Z = Z.astype(np.float64)

    def log_sigmoid(z: Array) -> Array:
        return -np.logaddexp(0, -z)

    return -(Y * log_sigmoid(Z) + (1 - Y) * log_sigmoid(-Z)).sum(axis=1)


def squared_error(Z: Array, A: Array, Y: Array) -> Array:
    """sum_j 1/2 (y_j - a_j)^2."""
    return 0.5 * np.square((A - Y).astype(np.float64)).sum(axis=1)


def mean_squared_error(Z: Array, A: Array, Y: Array) -> Array:
    """mean_j (y_j - a_j)^2."""
    return np.square((A - Y).astype(np.float64)).mean(axis=1)


LOSSES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "squared_error": squared_error,
    "mean_squared_error": mean_squared_error,
}

# dL/dA of each row. Those of the cross-entropies divide by A, and are only meant for A well inside
# (0, 1): what networks are trained with is their fused form below.
LOSS_GRADIENTS: dict[str, Callable[[Array, Array], Array]] = {
    "cross_entropy": lambda A, Y: -Y / A,
    "binary_cross_entropy": lambda A, Y: (A - Y) / (A * (1 - A)),
    "squared_error": lambda A, Y: A - Y,
    "mean_squared_error": lambda A, Y: 2 * (A - Y) / A.shape[1],
}

# Losses whose gradient goes straight to the pre-activations, and the output activation each needs.
FUSED = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


def fused_gradient(A: Array, Y: Array) -> Array:
    """dL/dZ = A - Y, for the losses in FUSED and targets whose rows sum to 1 (softmax)."""
    return A - Y


def output_gradient(activation: Activation, loss: str, Z: Array, A: Array, Y: Array) -> Array:
    """dL/dZ of the output layer, each row for itself."""
    if loss in FUSED:
        assert activation[0] == FUSED[loss]
        return fused_gradient(A, Y)
    return activate_backward(activation, Z, A, LOSS_GRADIENTS[loss](A, Y))


# --- the dense layer -----------------------------------------------------------------------------


def dense_forward(X: Array, W: Array, b: Array) -> Array:
    """Z = X W + b."""
    return X @ W + b


def dense_gradients(X: Array, dZ: Array) -> tuple[Array, Array]:
    """dW = X^T dZ, db = sum_i dZ_i."""
    return X.T @ dZ, dZ.sum(axis=0)


def dense_input_gradient(dZ: Array, W: Array) -> Array:
    """dX = dZ W^T."""
    return dZ @ W.T


# --- penalties: on weights, not on biases --------------------------------------------------------


def penalty(weights: Sequence[Array], l1: float, l2: float) -> float:
    """l1 sum|w| + l2 / 2 sum w^2."""
    return sum(l1 * float(np.abs(W).sum()) + 0.5 * l2 * float(np.square(W).sum()) for W in weights)


def penalty_gradient(W: Array, l1: float, l2: float) -> Array:
    """l1 sign(w) + l2 w, where sign(0) = 0."""
    return W.dtype.type(l1) * np.sign(W) + W.dtype.type(l2) * W


# --- the network ---------------------------------------------------------------------------------


def forward(
    weights: Sequence[Array], biases: Sequence[Array], activations: Sequence[Activation], X: Array
) -> tuple[list[Array], list[Array]]:
    """Return every layer's Z, and every layer's A preceded by X."""
    Zs: list[Array] = []
    As = [X]
    for W, b, activation in zip(weights, biases, activations, strict=True):
        Zs.append(dense_forward(As[-1], W, b))
        As.append(activate(activation, Zs[-1]))
    return Zs, As


def backward(
    weights: Sequence[Array],
    activations: Sequence[Activation],
    Zs: Sequence[Array],
    As: Sequence[Array],
    dZ: Array,
) -> tuple[list[Array], list[Array]]:
    """Return every layer's dW and db, given the output layer's dZ."""
    dWs: list[Array] = []
    dbs: list[Array] = []
    for layer in reversed(range(len(weights))):
        dW, db = dense_gradients(As[layer], dZ)
        dWs.insert(0, dW)
        dbs.insert(0, db)
        if layer > 0:
            dA = dense_input_gradient(dZ, weights[layer])
            dZ = activate_backward(activations[layer - 1], Zs[layer - 1], As[layer], dA)
    return dWs, dbs


def row_losses(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    X: Array,
    Y: Array,
) -> Array:
    """The loss of each row, without penalties."""
    Zs, As = forward(weights, biases, activations, X)
    return LOSSES[loss](Zs[-1], As[-1], Y)


def objective(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    X: Array,
    Y: Array,
    l1: float = 0.0,
    l2: float = 0.0,
) -> float:
    """What is minimised: the mean loss of the rows + the penalties."""
    losses = row_losses(weights, biases, activations, loss, X, Y)
    return float(losses.mean()) + penalty(weights, l1, l2)


def loss_and_gradients(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    X: Array,
    Y: Array,
    l1: float = 0.0,
    l2: float = 0.0,
) -> tuple[float, list[Array], list[Array]]:
    """The mean loss without penalties, and the gradients of the objective, penalties included."""
    Zs, As = forward(weights, biases, activations, X)
    losses = LOSSES[loss](Zs[-1], As[-1], Y)
    dZ = output_gradient(activations[-1], loss, Zs[-1], As[-1], Y) / X.dtype.type(len(X))
    dWs, dbs = backward(weights, activations, Zs, As, dZ)
    dWs = [dW + penalty_gradient(W, l1, l2) for W, dW in zip(weights, dWs, strict=True)]
    return float(losses.mean()), dWs, dbs


# --- optimizers: PyTorch's definitions. ``w`` and the state are overwritten ----------------------


def sgd(w: Array, g: Array, rate: float) -> None:
    """w -= rate g."""
    w -= w.dtype.type(rate) * g


def momentum_sgd(w: Array, g: Array, v: Array, rate: float, momentum: float) -> None:
    """v = momentum v + g;  w -= rate v."""
    real = w.dtype.type
    v[...] = real(momentum) * v + g
    w -= real(rate) * v


def nesterov_sgd(w: Array, g: Array, v: Array, rate: float, momentum: float) -> None:
    """v = momentum v + g;  w -= rate (g + momentum v)."""
    real = w.dtype.type
    v[...] = real(momentum) * v + g
    w -= real(rate) * (g + real(momentum) * v)


def adam(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> None:
    """Kingma & Ba 2015, algorithm 1; ``step`` counts from 1."""
    real = w.dtype.type
    m[...] = real(beta1) * m + real(1 - beta1) * g
    v[...] = real(beta2) * v + real(1 - beta2) * g * g
    m_hat = m / real(1 - beta1**step)
    v_hat = v / real(1 - beta2**step)
    w -= real(rate) * m_hat / (np.sqrt(v_hat) + real(epsilon))


# How many arrays of state, shaped like w, each optimizer keeps; all start at zero.
STATE_ARRAYS = {"sgd": 1, "adam": 2}


def update(
    optimizer: str,
    parameters: dict[str, Any],
    w: Array,
    g: Array,
    state: list[Array],
    rate: float,
    step: int,
) -> None:
    """One update of ``w`` by the optimizer of that name."""
    if optimizer == "adam":
        adam(w, g, state[0], state[1], rate, step, **parameters)
    elif not parameters.get("momentum"):
        sgd(w, g, rate)
    elif parameters.get("nesterov"):
        nesterov_sgd(w, g, state[0], rate, parameters["momentum"])
    else:
        momentum_sgd(w, g, state[0], rate, parameters["momentum"])


# --- training ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What one update reports: sums over its rows, penalties excluded, before the update."""

    loss: float
    hits: int
    rows: int


def train(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    batches: Sequence[tuple[Array, Array]],
    rates: Sequence[float],
    optimizer: str = "sgd",
    parameters: dict[str, Any] | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    task: str = "regression",
    threshold: float = 0.5,
) -> list[Step]:
    """An update for each batch (X, Y), at its own rate. Overwrites weights and biases.

    Per-sample SGD is the case of batches of one row.
    """
    arrays = [*weights, *biases]
    states = [[np.zeros_like(w) for _ in range(STATE_ARRAYS[optimizer])] for w in arrays]
    steps = []
    for number, ((X, Y), rate) in enumerate(zip(batches, rates, strict=True), start=1):
        outputs = forward(weights, biases, activations, X)[1][-1]
        mean, dWs, dbs = loss_and_gradients(weights, biases, activations, loss, X, Y, l1, l2)
        right = int(hits(task, outputs, Y, threshold).sum())
        steps.append(Step(mean * len(X), right, len(X)))
        for w, g, state in zip(arrays, [*dWs, *dbs], states, strict=True):
            update(optimizer, parameters or {}, w, g, state, rate, number)
    return steps


# --- accuracy ------------------------------------------------------------------------------------


def hits(task: str, A: Array, Y: Array, threshold: float = 0.5) -> Array:
    """Which rows are predicted rightly: by the largest output, or by the side of every output."""
    if task == "multiclass":
        return A.argmax(axis=1) == Y.argmax(axis=1)
    if task == "binary":
        return (np.greater_equal(A, threshold) == (Y >= 0.5)).all(axis=1)
    return np.zeros(len(A), bool)


def accuracy(task: str, A: Array, Y: Array, threshold: float = 0.5) -> float:
    """The share of rows that are predicted rightly."""
    return float(hits(task, A, Y, threshold).mean())


def one_hot(labels: Array, n_classes: int, dtype: Any = np.float64) -> Array:
    """Rows with a 1 at the label."""
    return np.eye(n_classes, dtype=dtype)[labels]
