"""The loss of one row, and its gradient with respect to the output layer.

A row's loss is not averaged; its gradient d is multiplied by ``scale`` (1 / batch size). Softmax
with cross-entropy, sigmoid with binary cross-entropy and exponential with poisson are fused: their
d is dL/dz = scale * (a - y), and their loss is computed from z, so that it is finite and accurate
where a rounds to 0. Where a rounds to 1, binary cross-entropy is accurate, too; cross-entropy has
the rounding error of the largest a, about 1e-7 in float32, so that smaller losses may be 0. The
other losses leave dL/da, which the activation's backward kernel completes.
"""

import numpy as np

from ..emit.elementary import exp, log, log1p
from ..machine.jit import kernel
from .sums import add_absolutes, add_products


@kernel
def argmax(x):
    """Return the index of the largest element, the first of equals."""
    best, largest = 0, x[0]
    for j in range(1, x.size):
        if x[j] > largest:
            best, largest = j, x[j]
    return best


@kernel(cached=True)
def cross_entropy(z, a, y, d, scale, _, result):
    """-sum_j y_j log softmax(z)_j = sum_j y_j (log sum_k exp z_k - z_j)."""
    best = argmax(z)
    largest = z[best]
    # The largest output is exp(0) / sum_k exp(z_k - largest), so exp is not computed again. In
    # float64: in float32 the two differences may be reordered, and lose digits for large z.
    log_total = -log(np.float64(a[best]))
    loss = 0.0
    for j in range(z.size):
        if y[j] != 0:
            loss += y[j] * (log_total - np.float64(z[j] - largest))
        d[j] = scale * (a[j] - y[j])
    result[0] = loss


@kernel(cached=True)
def binary_cross_entropy(z, a, y, d, scale, _, result):
    """-sum_j y_j log a_j + (1 - y_j) log(1 - a_j), as max(z, 0) - z y + log(1 + exp(-|z|))."""
    loss = 0.0
    for j in range(z.size):
        logit = np.float64(z[j])
        larger = 0.0 if logit < 0.0 else logit
        loss += larger - logit * y[j] + log1p(exp(-abs(logit)))
        d[j] = scale * (a[j] - y[j])
    result[0] = loss


@kernel(cached=True)
def squared_error(z, a, y, d, scale, _, result):
    """sum_j 1/2 (y_j - a_j)^2;  dL/da = scale (a - y)."""
    for j in range(a.size):
        d[j] = a[j] - y[j]
    result[0] = 0.5 * add_products(d, d)
    for j in range(a.size):
        d[j] *= scale


@kernel(cached=True)
def mean_squared_error(z, a, y, d, scale, _, result):
    """mean_j (y_j - a_j)^2, which is 2 / n times the halved sum;  dL/da = scale 2 / n (a - y)."""
    factor = 2.0 / a.size
    squared_error(z, a, y, d, a.dtype.type(scale * factor), _, result)
    result[0] *= factor


@kernel(cached=True)
def absolute_error(z, a, y, d, scale, _, result):
    """sum_j |y_j - a_j|;  dL/da = scale sign(a - y), sign(0) = 0."""
    zero = a.dtype.type(0)
    for j in range(a.size):
        d[j] = a[j] - y[j]
    result[0] = add_absolutes(d)
    for j in range(a.size):
        d[j] = scale if d[j] > zero else (-scale if d[j] < zero else zero * d[j])


@kernel(cached=True)
def huber(z, a, y, d, scale, parameters, result):
    """sum_j 1/2 e_j^2 where |e_j| <= delta, else delta (|e_j| - delta / 2), e = a - y (Huber 1964);
    dL/da = scale e within delta, else scale delta sign(e).
    """
    delta = parameters[0]
    loss = 0.0
    for j in range(a.size):
        error = np.float64(a[j] - y[j])
        if abs(error) <= delta:
            loss += 0.5 * error * error
        else:
            loss += delta * (abs(error) - 0.5 * delta)
            error = delta if error > 0 else (-delta if error < 0 else error)
        d[j] = scale * a.dtype.type(error)
    result[0] = loss


@kernel(cached=True)
def quantile(z, a, y, d, scale, levels, result):
    """sum_j q_j e_j where e_j >= 0, else (q_j - 1) e_j, e = y - a (Koenker and Bassett 1978);
    dL/da = -scale q where e > 0, scale (1 - q) where e < 0, and 0 where e = 0. Levels q
    are repeated if there are more outputs.
    """
    loss = 0.0
    for j in range(a.size):
        level = levels[j % levels.size]
        error = np.float64(y[j] - a[j])
        slope = level if error > 0.0 else (level - 1.0 if error < 0.0 else error)
        loss += slope * error
        d[j] = -scale * a.dtype.type(slope)
    result[0] = loss


@kernel(cached=True)
def poisson(z, a, y, d, scale, _, result):
    """sum_j y_j log(y_j / a_j) - y_j + a_j, half the deviance, with a = exp(z) and log a = z."""
    loss = 0.0
    for j in range(z.size):
        target = np.float64(y[j])
        loss += np.float64(a[j]) - target - target * np.float64(z[j])
        if target > 0:
            loss += target * log(target)
        d[j] = scale * (a[j] - y[j])
    result[0] = loss
