"""The mathematics of fastmlp in plain NumPy: the twin of every kernel, to be tested against.

Nothing is imported from fastmlp, so that a mistake there cannot repeat itself here. Nothing is fast
either: each function is its formula. Rows are samples. Arrays keep their dtype, float32 or float64;
losses are always float64.

Letters: X inputs, W weights (inputs x outputs), b biases, Z = X W + b, A = f(Z), Y targets, L the
loss of a row, dV the gradient of the objective with respect to V.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
# An activation is its name and its parameter: the slope of leaky_relu, the alpha of elu, otherwise
# unused.
Activation = tuple[str, float]


class Passes(NamedTuple):
    """How a network is computed: ``forward`` and ``backward`` below, for dense layers, or others
    with their arguments.
    """

    forward: Callable[..., tuple[list[Array], list[Array]]]
    backward: Callable[..., tuple[list[Array], list[Array]]]


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


def elu(Z: Array, alpha: float) -> Array:
    return np.where(Z > 0, Z, Z.dtype.type(alpha) * np.expm1(np.minimum(Z, 0)))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(Z: Array) -> Array:
    return SELU_SCALE * elu(Z, SELU_ALPHA)


def normal_distribution(Z: Array) -> Array:
    """Phi, by the complementary error function, which keeps its digits in the lower tail."""
    complement = np.vectorize(math.erfc, otypes=[np.float64])
    return (0.5 * complement(-Z / math.sqrt(2))).astype(Z.dtype)


def normal_density(Z: Array) -> Array:
    return np.exp(-0.5 * Z * Z) / Z.dtype.type(math.sqrt(2 * math.pi))


def gelu(Z: Array) -> Array:
    return Z * normal_distribution(Z)


def silu(Z: Array) -> Array:
    return Z * sigmoid(Z)


def mish(Z: Array) -> Array:
    return Z * np.tanh(softplus(Z))


def softplus(Z: Array) -> Array:
    return np.logaddexp(0, Z).astype(Z.dtype)


def exponential(Z: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.exp(Z)


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
    "elu": elu,
    "selu": lambda Z, _: selu(Z),
    "gelu": lambda Z, _: gelu(Z),
    "silu": lambda Z, _: silu(Z),
    "mish": lambda Z, _: mish(Z),
    "softplus": lambda Z, _: softplus(Z),
    "exponential": lambda Z, _: exponential(Z),
}


def activate(activation: Activation, Z: Array) -> Array:
    """A = f(Z)."""
    name, parameter = activation
    return FORWARD[name](Z, parameter)


# --- activations backward: dZ from dA ------------------------------------------------------------


def elu_backward(Z: Array, A: Array, dA: Array, alpha: float) -> Array:
    """exp(z) alpha = a + alpha on the lower side."""
    return np.where(Z > 0, dA, dA.dtype.type(alpha) * dA * np.exp(np.minimum(Z, 0)))


def selu_backward(Z: Array, A: Array, dA: Array, _: float) -> Array:
    return elu_backward(Z, A, SELU_SCALE * dA, SELU_ALPHA)


def gelu_backward(Z: Array, A: Array, dA: Array, _: float) -> Array:
    """By the product rule: Phi' is the density."""
    return dA * (normal_distribution(Z) + Z * normal_density(Z))


def silu_backward(Z: Array, A: Array, dA: Array, _: float) -> Array:
    s = sigmoid(Z)
    return dA * (s + Z * s * (1 - s))


def mish_backward(Z: Array, A: Array, dA: Array, _: float) -> Array:
    """By the product and chain rules: softplus' = sigmoid."""
    t = np.tanh(softplus(Z))
    return dA * (t + Z * (1 - t * t) * sigmoid(Z))


BACKWARD: dict[str, Callable[[Array, Array, Array, float], Array]] = {
    "identity": lambda Z, A, dA, _: dA.copy(),
    "relu": lambda Z, A, dA, _: np.where(Z > 0, dA, 0).astype(dA.dtype),
    "leaky_relu": lambda Z, A, dA, slope: np.where(Z > 0, dA, dA.dtype.type(slope) * dA),
    "sigmoid": lambda Z, A, dA, _: dA * A * (1 - A),
    "tanh": lambda Z, A, dA, _: dA * (1 - A * A),
    # The Jacobian diag(a) - a a^T, applied to each row.
    "softmax": lambda Z, A, dA, _: A * (dA - (dA * A).sum(axis=1, keepdims=True)),
    "elu": elu_backward,
    "selu": selu_backward,
    "gelu": gelu_backward,
    "silu": silu_backward,
    "mish": mish_backward,
    "softplus": lambda Z, A, dA, _: dA * sigmoid(Z),
    "exponential": lambda Z, A, dA, _: dA * A,
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


def absolute_error(Z: Array, A: Array, Y: Array) -> Array:
    """sum_j |y_j - a_j|."""
    return np.abs((A - Y).astype(np.float64)).sum(axis=1)


def huber(Z: Array, A: Array, Y: Array, delta: float) -> Array:
    """sum_j 1/2 e_j^2 within delta of 0, and beyond it the tangent there."""
    size = np.abs((A - Y).astype(np.float64))
    near = np.minimum(size, delta)
    return (0.5 * near * near + delta * (size - near)).sum(axis=1)


def poisson(Z: Array, A: Array, Y: Array) -> Array:
    """sum_j y_j log(y_j / a_j) - y_j + a_j, where log a = z and 0 log 0 = 0."""
    Z, A, Y = (array.astype(np.float64) for array in (Z, A, Y))
    y_log_y = Y * np.log(np.where(Y > 0, Y, 1))
    return (y_log_y - Y * Z - Y + A).sum(axis=1)


def levels_of(A: Array, levels: Sequence[float]) -> Array:
    """The level of each output, repeated if there are more outputs."""
    return np.resize(np.array(levels, A.dtype), A.shape[1])


def quantile(A: Array, Y: Array, levels: Sequence[float]) -> Array:
    """sum_j max(q_j e_j, (q_j - 1) e_j), e = y - a."""
    error, q = (Y - A).astype(np.float64), levels_of(A.astype(np.float64), levels)
    return np.maximum(q * error, (q - 1) * error).sum(axis=1)


# The last argument is the loss's parameters: the delta of huber, the levels of quantile.
LOSSES: dict[str, Callable[[Array, Array, Array, Sequence[float]], Array]] = {
    "cross_entropy": lambda Z, A, Y, _: cross_entropy(Z, A, Y),
    "binary_cross_entropy": lambda Z, A, Y, _: binary_cross_entropy(Z, A, Y),
    "squared_error": lambda Z, A, Y, _: squared_error(Z, A, Y),
    "mean_squared_error": lambda Z, A, Y, _: mean_squared_error(Z, A, Y),
    "absolute_error": lambda Z, A, Y, _: absolute_error(Z, A, Y),
    "huber": lambda Z, A, Y, parameters: huber(Z, A, Y, *parameters),
    "poisson": lambda Z, A, Y, _: poisson(Z, A, Y),
    "quantile": lambda Z, A, Y, levels: quantile(A, Y, levels),
}

# dL/dA of each row. Those of the fused losses divide by A, and are only meant for A well inside
# its range: what networks are trained with is their fused form below.
LOSS_GRADIENTS: dict[str, Callable[[Array, Array, Sequence[float]], Array]] = {
    "cross_entropy": lambda A, Y, _: -Y / A,
    "binary_cross_entropy": lambda A, Y, _: (A - Y) / (A * (1 - A)),
    "squared_error": lambda A, Y, _: A - Y,
    "mean_squared_error": lambda A, Y, _: 2 * (A - Y) / A.shape[1],
    "absolute_error": lambda A, Y, _: np.sign(A - Y),
    "huber": lambda A, Y, delta: np.clip(A - Y, -delta[0], delta[0]),
    "quantile": lambda A, Y, levels: (A > Y) - np.where(A == Y, 0, levels_of(A, levels)),
    "poisson": lambda A, Y, _: 1 - Y / A,
}

# Losses whose gradient goes straight to the pre-activations, and the output activation each needs.
FUSED = {
    "cross_entropy": "softmax",
    "binary_cross_entropy": "sigmoid",
    "poisson": "exponential",
}


def fused_gradient(A: Array, Y: Array) -> Array:
    """dL/dZ = A - Y, for the losses in FUSED and targets whose rows sum to 1 (softmax)."""
    return A - Y


def output_gradient(
    activation: Activation,
    loss: str,
    Z: Array,
    A: Array,
    Y: Array,
    parameters: Sequence[float] = (),
) -> Array:
    """dL/dZ of the output layer, each row for itself."""
    if loss in FUSED:
        assert activation[0] == FUSED[loss]
        return fused_gradient(A, Y)
    return activate_backward(activation, Z, A, LOSS_GRADIENTS[loss](A, Y, parameters))


def smooth(task: str, Y: Array, smoothing: float) -> Array:
    """Mix the uniform distribution into the targets: over the classes, or over yes and no."""
    real = Y.dtype.type
    choices = Y.shape[1] if task == "multiclass" else 2
    return real(1 - smoothing) * Y + real(smoothing / choices)


# --- dropout -------------------------------------------------------------------------------------


def philox(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 of four 32-bit numbers under a key of two (Salmon et al. 2011)."""
    c, k, low = list(counter), list(key), 2**32 - 1
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(second >> 32) ^ c[1] ^ k[0], second & low, (first >> 32) ^ c[3] ^ k[1], first & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return c


def kept(key: Array, rate: float, place: int, layer: int, n: int) -> Array:
    """Which of the n inputs of a layer are kept in the row at that place of the epoch.

    Unit j takes word 2 (place % 2) + j % 16 // 8 of the counter (j // 16 * 8 + j % 8, place // 2,
    layer, upper half of the second key) under the first key.
    """
    seed, epoch = int(key[0]), int(key[1]) >> 32
    halves = seed % 2**32, seed >> 32
    words = [
        philox((j // 16 * 8 + j % 8, place // 2, layer, epoch), halves)[
            2 * (place % 2) + j % 16 // 8
        ]
        for j in range(n)
    ]
    return np.array(words) >= int(rate * 2**32)


def dropout_mask(
    key: Array, rate: float, places: Sequence[int], layer: int, n: int, dtype: Any
) -> Array:
    """1 / (1 - rate) where an input is kept, else 0; a row for each place."""
    rows = np.array([kept(key, rate, place, layer, n) for place in places])
    return rows * np.dtype(dtype).type(1 / (1 - rate))


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
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    X: Array,
) -> tuple[list[Array], list[Array]]:
    """Return every layer's Z, and every layer's A, preceded by X."""
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


DENSE = Passes(forward, backward)


def shares(n: int, row_weights: Array | None) -> Array:
    """What each row counts in the mean over n rows; all 0 where all weights are."""
    if row_weights is None:
        return np.full(n, 1 / n)
    total = row_weights.sum()
    return row_weights / total if total > 0 else np.zeros(n)


def objective(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    X: Array,
    Y: Array,
    l1: float = 0.0,
    l2: float = 0.0,
    loss_parameters: Sequence[float] = (),
    row_weights: Array | None = None,
    passes: Passes = DENSE,
) -> float:
    """What is minimised: the weighted mean loss of the rows + the penalties."""
    Zs, As = passes.forward(weights, biases, activations, X)
    losses = LOSSES[loss](Zs[-1], As[-1], Y, loss_parameters)
    return float(shares(len(X), row_weights) @ losses) + penalty(weights, l1, l2)


def loss_and_gradients(
    weights: Sequence[Array],
    biases: Sequence[Array],
    activations: Sequence[Activation],
    loss: str,
    X: Array,
    Y: Array,
    l1: float = 0.0,
    l2: float = 0.0,
    loss_parameters: Sequence[float] = (),
    row_weights: Array | None = None,
    passes: Passes = DENSE,
) -> tuple[float, list[Array], list[Array]]:
    """The mean loss without penalties, and the gradients of the objective, penalties included."""
    Zs, As = passes.forward(weights, biases, activations, X)
    losses = LOSSES[loss](Zs[-1], As[-1], Y, loss_parameters)
    share = shares(len(X), row_weights)
    dZ = output_gradient(activations[-1], loss, Zs[-1], As[-1], Y, loss_parameters)
    dZ = share.astype(X.dtype)[:, None] * dZ
    dWs, dbs = passes.backward(weights, activations, Zs, As, dZ)
    dWs = [dW + penalty_gradient(W, l1, l2) for W, dW in zip(weights, dWs, strict=True)]
    return float(share @ losses), dWs, dbs


# --- clipping of gradients, and of weights -------------------------------------------------------


def norm(arrays: Sequence[Array]) -> float:
    """The Euclidean norm of all numbers together."""
    return math.sqrt(sum(float(np.square(array.astype(np.float64)).sum()) for array in arrays))


def clip(gradients: Sequence[Array], clip_norm: float, clip_value: float) -> list[Array]:
    """All scaled so that their norm is at most clip_norm, then each to within clip_value; 0: no
    limit. PyTorch's clip_grad_norm_ and clip_grad_value_.
    """
    clipped = list(gradients)
    if clip_norm > 0:
        factor = min(1.0, clip_norm / (norm(clipped) + 1e-6))
        clipped = [g.dtype.type(factor) * g for g in clipped]
    if clip_value > 0:
        clipped = [np.clip(g, -g.dtype.type(clip_value), g.dtype.type(clip_value)) for g in clipped]
    return clipped


def limit_unit_norms(W: Array, max_norm: float) -> None:
    """Scale down the columns of W, the weights into a unit, whose norm exceeds max_norm."""
    norms = np.sqrt(np.square(W.astype(np.float64)).sum(axis=0))
    W *= np.where(norms > max_norm, max_norm / np.maximum(norms, 1e-300), 1.0).astype(W.dtype)


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


def sgd_with_rate(
    w: Array, g: Array, v: Array, rate: float, momentum: float, nesterov: bool
) -> None:
    """v = momentum v + rate g;  w -= v, or rate g + momentum v: scikit-learn's."""
    real = w.dtype.type
    v[...] = real(momentum) * v + real(rate) * g
    w -= real(rate) * g + real(momentum) * v if nesterov else v


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
    epsilon_hat: bool = False,
) -> None:
    """Kingma & Ba 2015, algorithm 1; ``step`` counts from 1. With epsilon_hat, as the end of its
    section 2 has it.
    """
    real = w.dtype.type
    m[...] = real(beta1) * m + real(1 - beta1) * g
    v[...] = real(beta2) * v + real(1 - beta2) * g * g
    m_hat = m / real(1 - beta1**step)
    v_hat = v / real(1 - beta2**step)
    if epsilon_hat:
        epsilon /= np.sqrt(1 - beta2**step)
    w -= real(rate) * m_hat / (np.sqrt(v_hat) + real(epsilon))


def adamw(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    step: int,
    is_weight: bool,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> None:
    """Loshchilov & Hutter 2019, algorithm 2, where the decay is multiplied by the rate."""
    if is_weight:
        w -= w.dtype.type(rate * weight_decay) * w
    adam(w, g, m, v, rate, step, beta1, beta2, epsilon)


def rmsprop(
    w: Array,
    g: Array,
    s: Array,
    v: Array,
    rate: float,
    alpha: float = 0.99,
    epsilon: float = 1e-8,
    momentum: float = 0.0,
) -> None:
    """s = alpha s + (1 - alpha) g^2;  v = momentum v + g / (sqrt(s) + epsilon);  w -= rate v."""
    real = w.dtype.type
    s[...] = real(alpha) * s + real(1 - alpha) * g * g
    v[...] = real(momentum) * v + g / (np.sqrt(s) + real(epsilon))
    w -= real(rate) * v


# How many arrays of state, shaped like w, each optimizer keeps; all start at zero.
STATE_ARRAYS = {"sgd": 1, "adam": 2, "adamw": 2, "rmsprop": 2}


def update(
    optimizer: str,
    parameters: dict[str, Any],
    w: Array,
    g: Array,
    state: list[Array],
    rate: float,
    step: int,
    is_weight: bool = True,
) -> None:
    """One update of ``w`` by the optimizer of that name."""
    if optimizer == "adam":
        adam(w, g, state[0], state[1], rate, step, **parameters)
    elif optimizer == "adamw":
        adamw(w, g, state[0], state[1], rate, step, is_weight, **parameters)
    elif optimizer == "rmsprop":
        rmsprop(w, g, state[0], state[1], rate, **parameters)
    elif not parameters.get("momentum"):
        sgd(w, g, rate)
    elif parameters.get("with_rate"):
        sgd_with_rate(w, g, state[0], rate, parameters["momentum"], parameters["nesterov"])
    elif parameters.get("nesterov"):
        nesterov_sgd(w, g, state[0], rate, parameters["momentum"])
    else:
        momentum_sgd(w, g, state[0], rate, parameters["momentum"])


# --- training ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What one update reports, before it: sums over its rows without the penalty, and that."""

    loss: float  # weighted
    hits: int
    rows: int
    weight: float
    penalty: float  # of the weights before the update


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
    *,
    loss_parameters: Sequence[float] = (),
    smoothing: float = 0.0,
    clip_norm: float = 0.0,
    clip_value: float = 0.0,
    max_norm: float = 0.0,
    row_weights: Sequence[Array] | None = None,
    passes: Sequence[Passes] | None = None,
    penalty_per_row: bool = False,
) -> list[Step]:
    """An update for each batch (X, Y), at its own rate. Overwrites weights and biases.

    Per-sample SGD is the case of batches of one row. ``row_weights`` and ``passes`` hold an entry
    for each batch; 0 stands for no limit.
    """
    arrays = [*weights, *biases]
    states = [[np.zeros_like(w) for _ in range(STATE_ARRAYS[optimizer])] for w in arrays]
    steps = []
    for number, ((X, Y), rate) in enumerate(zip(batches, rates, strict=True), start=1):
        of_rows = row_weights[number - 1] if row_weights is not None else None
        both = passes[number - 1] if passes is not None else DENSE
        outputs = both.forward(weights, biases, activations, X)[1][-1]
        weight = len(X) if of_rows is None else float(of_rows.sum())
        share = 1 / weight if penalty_per_row else 1.0
        paid = share * penalty(weights, l1, l2)
        mean, dWs, dbs = loss_and_gradients(
            weights, biases, activations, loss, X, smooth(task, Y, smoothing) if smoothing else Y,
            l1 * share, l2 * share, loss_parameters, of_rows, both,
        )  # fmt: skip
        right = int(hits(task, outputs, Y, threshold).sum())
        steps.append(Step(mean * weight, right, len(X), weight, paid))
        gradients = clip([*dWs, *dbs], clip_norm, clip_value)
        for place, (w, g, state) in enumerate(zip(arrays, gradients, states, strict=True)):
            is_weight = place < len(weights)
            update(optimizer, parameters or {}, w, g, state, rate, number, is_weight)
            if is_weight and max_norm > 0:
                limit_unit_norms(w, max_norm)
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
