"""Update rules, PyTorch's definitions, on one stretch of parameters ``w`` at a time.

g is the gradient of the objective: the averaged gradient of the loss + l1 sign(w) + l2 w.
"""

import math

from . import codes
from .jit import kernel
from .view import view


@kernel
def add_penalty(w, g, l1, l2):
    """Add l1 sign(w) + l2 w to the gradient; sign(0) = 0."""
    zero = w.dtype.type(0)
    for j in range(w.size):
        sign = l1 if w[j] > zero else (-l1 if w[j] < zero else zero)
        g[j] += sign + l2 * w[j]


@kernel
def sgd(w, g, rate):
    """w -= rate g."""
    for j in range(w.size):
        w[j] -= rate * g[j]


@kernel
def momentum_sgd(w, g, v, rate, momentum):
    """v = momentum v + g;  w -= rate v."""
    for j in range(w.size):
        v[j] = momentum * v[j] + g[j]
        w[j] -= rate * v[j]


@kernel
def nesterov_sgd(w, g, v, rate, momentum):
    """v = momentum v + g;  w -= rate (g + momentum v)."""
    for j in range(w.size):
        v[j] = momentum * v[j] + g[j]
        w[j] -= rate * (g[j] + momentum * v[j])


@kernel
def adam(w, g, m, v, step_size, beta1, beta2, root_correction, epsilon):
    """m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    w -= step_size m / (sqrt(v) / root_correction + epsilon), where step_size = rate / (1 - beta1^t)
    and root_correction = sqrt(1 - beta2^t) (Kingma & Ba 2015, algorithm 1).
    """
    real = w.dtype.type
    # As in PyTorch: 1 - beta is rounded last. Taken in float32 it would be off by 1e-5 of itself.
    keep1, add1, keep2, add2 = real(beta1), real(1.0 - beta1), real(beta2), real(1.0 - beta2)
    for j in range(w.size):
        m[j] = keep1 * m[j] + add1 * g[j]
        v[j] = keep2 * v[j] + add2 * g[j] * g[j]
        w[j] -= step_size * m[j] / (math.sqrt(v[j]) / root_correction + epsilon)


@kernel
def rmsprop(w, g, s, v, rate, alpha, epsilon, momentum):
    """s = alpha s + (1 - alpha) g^2;  v = momentum v + g / (sqrt(s) + epsilon);  w -= rate v."""
    real = w.dtype.type
    keep, add = real(alpha), real(1.0 - alpha)
    for j in range(w.size):
        s[j] = keep * s[j] + add * g[j] * g[j]
        v[j] = momentum * v[j] + g[j] / (math.sqrt(s[j]) + epsilon)
        w[j] -= rate * v[j]


@kernel
def decay(w, factor):
    """w = factor w, AdamW's decoupled decay (Loshchilov & Hutter 2019)."""
    for j in range(w.size):
        w[j] *= factor


@kernel(inline=True)
def update(objective, params, grads, state, start, n, rate, step, is_weight):
    """Overwrite params[start : start + n] by update number ``step`` (from 1).

    ``state`` holds the optimizer's buffers, each as long as ``params``, one after the other.
    """
    real = params.dtype.type
    w, g = view(params, start, n), view(grads, start, n)
    parameters = objective.optimizer_parameters
    if objective.optimizer == codes.RMSPROP:
        rmsprop(
            w, g, view(state, start, n), view(state, params.size + start, n),
            real(rate), parameters[0], real(parameters[1]), real(parameters[2]),
        )  # fmt: skip
    elif objective.optimizer == codes.ADAM or objective.optimizer == codes.ADAMW:
        if objective.optimizer == codes.ADAMW and is_weight:
            decay(w, real(1.0 - rate * parameters[3]))
        beta1, beta2 = parameters[0], parameters[1]
        adam(
            w, g, view(state, start, n), view(state, params.size + start, n),
            real(rate / (1.0 - beta1**step)), beta1, beta2,
            real(math.sqrt(1.0 - beta2**step)), real(parameters[2]),
        )  # fmt: skip
    elif parameters[0] == 0.0:
        sgd(w, g, real(rate))
    elif parameters[1] == 0.0:
        momentum_sgd(w, g, view(state, start, n), real(rate), real(parameters[0]))
    else:
        nesterov_sgd(w, g, view(state, start, n), real(rate), real(parameters[0]))
