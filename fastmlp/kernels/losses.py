"""Losses of one row, and the gradient each sends into the output layer.

A row's loss is not yet averaged; its gradient d is multiplied by ``scale`` (one over the batch
size). Softmax with cross-entropy and sigmoid with binary cross-entropy are fused: their d is
already dL/dz, scale * (a - y), and their loss is computed from z, exact where a rounds to 0 or 1.
All others leave dL/da, which the activation's backward kernel completes.
"""

import math

import numpy as np

from . import codes
from .jit import kernel


@kernel
def cross_entropy(z, a, y, d, scale):
    """-sum_j y_j log softmax(z)_j = sum_j y_j (log sum_k exp z_k - z_j)."""
    largest = z[0]
    for j in range(1, z.size):
        largest = max(largest, z[j])
    total = 0.0
    for j in range(z.size):
        total += math.exp(float(z[j] - largest))
    log_total = math.log(total)
    loss = 0.0
    for j in range(z.size):
        if y[j] != 0:
            loss += y[j] * (log_total - float(z[j] - largest))
        d[j] = scale * (a[j] - y[j])
    return loss


@kernel
def binary_cross_entropy(z, a, y, d, scale):
    """-sum_j y_j log a_j + (1 - y_j) log(1 - a_j), as max(z, 0) - z y + log(1 + exp(-|z|))."""
    loss = 0.0
    for j in range(z.size):
        logit = float(z[j])
        larger = 0.0 if logit < 0.0 else logit
        loss += larger - logit * y[j] + math.log1p(math.exp(-abs(logit)))
        d[j] = scale * (a[j] - y[j])
    return loss


@kernel
def squared_error(a, y, d, scale):
    """sum_j 1/2 (y_j - a_j)^2;  dL/da = scale (a - y)."""
    loss = 0.0
    for j in range(a.size):
        error = a[j] - y[j]
        loss += 0.5 * float(error) * float(error)
        d[j] = scale * error
    return loss


@kernel
def mean_squared_error(a, y, d, scale):
    """mean_j (y_j - a_j)^2, which is 2 / n times the halved sum;  dL/da = scale 2 / n (a - y)."""
    factor = 2.0 / a.size
    return factor * squared_error(a, y, d, a.dtype.type(scale * factor))


@kernel
def absolute_error(a, y, d, scale):
    """sum_j |y_j - a_j|;  dL/da = scale sign(a - y), sign(0) = 0."""
    zero, loss = a.dtype.type(0), 0.0
    for j in range(a.size):
        error = a[j] - y[j]
        loss += abs(np.float64(error))
        d[j] = scale if error > zero else (-scale if error < zero else zero * error)
    return loss


@kernel
def huber(a, y, d, scale, delta):
    """sum_j 1/2 e_j^2 where |e_j| <= delta, else delta (|e_j| - delta / 2), e = a - y (Huber 1964);
    dL/da = scale e within delta, else scale delta sign(e).
    """
    loss = 0.0
    for j in range(a.size):
        error = np.float64(a[j] - y[j])
        if abs(error) <= delta:
            loss += 0.5 * error * error
        else:
            loss += delta * (abs(error) - 0.5 * delta)
            error = delta if error > 0 else (-delta if error < 0 else error)
        d[j] = scale * a.dtype.type(error)
    return loss


@kernel
def poisson(z, a, y, d, scale):
    """sum_j y_j log(y_j / a_j) - y_j + a_j, half the deviance, with a = exp(z) and log a = z."""
    loss = 0.0
    for j in range(z.size):
        target = np.float64(y[j])
        loss += np.float64(a[j]) - target - target * np.float64(z[j])
        if target > 0:
            loss += target * math.log(target)
        d[j] = scale * (a[j] - y[j])
    return loss


@kernel(inline=True)
def row_loss(code, parameter, z, a, y, d, scale):
    """Return the loss of one row and overwrite its d."""
    if code == codes.CROSS_ENTROPY:
        loss = cross_entropy(z, a, y, d, scale)
    elif code == codes.BINARY_CROSS_ENTROPY:
        loss = binary_cross_entropy(z, a, y, d, scale)
    elif code == codes.MEAN_SQUARED_ERROR:
        loss = mean_squared_error(a, y, d, scale)
    elif code == codes.ABSOLUTE_ERROR:
        loss = absolute_error(a, y, d, scale)
    elif code == codes.HUBER:
        loss = huber(a, y, d, scale, parameter)
    elif code == codes.POISSON:
        loss = poisson(z, a, y, d, scale)
    else:
        loss = squared_error(a, y, d, scale)
    return loss


@kernel(inline=True)
def is_fused(code):
    """Whether the loss leaves dL/dz, and not dL/da, in d."""
    return (
        code == codes.CROSS_ENTROPY or code == codes.BINARY_CROSS_ENTROPY or code == codes.POISSON
    )


@kernel
def row_hit(task, threshold, a, y):
    """Return 1 if the row's prediction is right: the largest output, or every output's side."""
    if task == codes.MULTICLASS:
        best, wanted = 0, 0
        for j in range(1, a.size):
            if a[j] > a[best]:
                best = j
            if y[j] > y[wanted]:
                wanted = j
        return 1 if best == wanted else 0
    if task == codes.BINARY:
        for j in range(a.size):
            if (a[j] >= threshold) != (y[j] >= 0.5):
                return 0
        return 1
    return 0
