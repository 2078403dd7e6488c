"""Optimizers, with PyTorch's definitions, on one range of parameters ``w`` at a time.

All are called by address. Arguments: w; its gradient g; the state, from the same range of its first
buffer on; the distance between buffers of the state; the optimizer's parameters (float64); the
rate; the number of the update, from 1; whether w holds weights (not biases).

g is the gradient of the objective: the mean gradient of the loss + l1 sign(w) + l2 w.
"""

import math

from ..call_types import call_update
from ..emit.elementary import fma
from ..machine.jit import kernel
from ..machine.view import view
from .sums import add_absolutes, add_products


@kernel
def add_penalty(w, g, l1, l2):
    """Add l1 sign(w) + l2 w to the gradient; sign(0) = 0."""
    zero = w.dtype.type(0)
    for j in range(w.size):
        sign = l1 if w[j] > zero else (-l1 if w[j] < zero else zero)
        g[j] += fma(l2, w[j], sign)


@kernel
def penalty(w, l1, l2):
    """Return l1 sum |w| + l2 / 2 sum w^2, in float64."""
    return l1 * add_absolutes(w) + 0.5 * l2 * add_products(w, w)


@kernel(cached=True)
def sgd(w, g, state, size, parameters, rate, step, is_weight):
    """v = momentum v + g;  w -= rate v, or rate (g + momentum v) with Nesterov's momentum.

    With the rate in the velocity: v = momentum v + rate g;  w -= v, or rate g + momentum v.
    ``parameters``: momentum, whether it is Nesterov's, whether the rate is in the velocity.
    """
    rate, momentum = w.dtype.type(rate), w.dtype.type(parameters[0])
    if momentum == 0:
        for j in range(w.size):
            w[j] = fma(-rate, g[j], w[j])
        return
    v = view(state, 0, w.size)
    if parameters[2] != 0.0:
        is_nesterov = parameters[1] != 0.0
        for j in range(w.size):
            v[j] = fma(momentum, v[j], rate * g[j])
            w[j] -= fma(momentum, v[j], rate * g[j]) if is_nesterov else v[j]
    elif parameters[1] == 0.0:
        for j in range(w.size):
            v[j] = fma(momentum, v[j], g[j])
            w[j] = fma(-rate, v[j], w[j])
    else:
        for j in range(w.size):
            v[j] = fma(momentum, v[j], g[j])
            w[j] = fma(-rate, fma(momentum, v[j], g[j]), w[j])


@kernel
def power(x, exponent):
    """Return x^exponent, for a whole number from 0. (Numba may call the C library's pow.)"""
    found = 1.0
    while exponent > 0:
        if exponent & 1:
            found *= x
        x, exponent = x * x, exponent >> 1
    return found


# Inlined: as a function it would be in several libraries, each optimised separately, of which the
# first that is loaded is used: cold runs rounded v differently from warm runs.
@kernel(inline=True)
def adaptive_step(w, g, state, size, parameters, rate, step, epsilon_hat):
    """m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    w -= step_size m / (sqrt(v) / root_correction + epsilon), where step_size = rate / (1 - beta1^t)
    and root_correction = sqrt(1 - beta2^t) (Kingma & Ba 2015, algorithm 1).

    With ``epsilon_hat``, epsilon is added to sqrt(v) before the correction (end of its section 2).
    """
    real = w.dtype.type
    beta1, beta2, epsilon = parameters[0], parameters[1], real(parameters[2])
    step_size = real(rate / (1.0 - power(beta1, step)))
    inverse_root = real(1.0 / math.sqrt(1.0 - power(beta2, step)))
    if epsilon_hat:
        epsilon *= inverse_root
    # As in PyTorch, 1 - beta is rounded last. In float32 its relative error would be 1e-5.
    keep1, add1, keep2, add2 = real(beta1), real(1.0 - beta1), real(beta2), real(1.0 - beta2)
    m, v = view(state, 0, w.size), view(state, size, w.size)
    for j in range(w.size):
        m[j] = fma(keep1, m[j], add1 * g[j])
        v[j] = fma(keep2, v[j], add2 * g[j] * g[j])
        w[j] -= step_size * m[j] / fma(math.sqrt(v[j]), inverse_root, epsilon)


@kernel(cached=True)
def adam(w, g, state, size, parameters, rate, step, is_weight):
    """See :func:`adaptive_step`. ``parameters``: beta1, beta2, epsilon, epsilon_hat."""
    adaptive_step(w, g, state, size, parameters, rate, step, parameters[3] != 0.0)


@kernel(cached=True)
def adamw(w, g, state, size, parameters, rate, step, is_weight):
    """w *= 1 - rate weight_decay for weights, not biases (Loshchilov & Hutter 2019); then as adam.

    ``parameters``: beta1, beta2, epsilon, weight_decay.
    """
    if is_weight:
        factor = w.dtype.type(1.0 - rate * parameters[3])
        for j in range(w.size):
            w[j] *= factor
    adaptive_step(w, g, state, size, parameters, rate, step, False)


@kernel(cached=True)
def rmsprop(w, g, state, size, parameters, rate, step, is_weight):
    """s = alpha s + (1 - alpha) g^2;  v = momentum v + g / (sqrt(s) + epsilon);  w -= rate v.

    ``parameters``: alpha, epsilon, momentum.
    """
    real = w.dtype.type
    keep, add = real(parameters[0]), real(1.0 - parameters[0])
    epsilon, momentum, rate = real(parameters[1]), real(parameters[2]), real(rate)
    s, v = view(state, 0, w.size), view(state, size, w.size)
    for j in range(w.size):
        s[j] = fma(keep, s[j], add * g[j] * g[j])
        v[j] = fma(momentum, v[j], g[j] / (math.sqrt(s[j]) + epsilon))
        w[j] = fma(-rate, v[j], w[j])


@kernel(inline=True)
def update(objective, params, start, n, grads, g, state, rate, step, is_weight):
    """Update params[start : start + n]; gradients start at g. ``step`` counts updates from 1.

    ``state`` holds the optimizer's buffers, each as long as ``params``, one after the other.
    """
    first = min(start, state.size)  # an optimizer without state has an empty one
    call_update(
        objective.update,
        (
            view(params, start, n), view(grads, g, n),
            view(state, first, state.size - first), params.size,
            objective.optimizer_parameters, rate, step, is_weight,
        ),
    )  # fmt: skip
