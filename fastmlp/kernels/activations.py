"""Activations: one forward and one backward kernel each, and the switch between them.

Forward:  a = f(z).  Backward: d, which holds dL/da, becomes dL/dz = dL/da * f'(z) in place.
Each works on one row of one layer, logical columns only: the padding behind a row stays zero.
"""

import math

from . import codes
from .jit import kernel
from .view import view


@kernel
def identity(z, a):
    """a = z."""
    for j in range(z.size):
        a[j] = z[j]


@kernel
def relu(z, a):
    """a = max(z, 0), where max(NaN, 0) is NaN: divergence has to stay visible."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = zero if z[j] < zero else z[j]


@kernel
def relu_backward(z, d):
    """dz = da where z > 0, else 0."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        d[j] = d[j] if z[j] > zero else zero


@kernel
def leaky_relu(z, a, slope):
    """a = z where z > 0, else slope z."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = z[j] if z[j] > zero else slope * z[j]


@kernel
def leaky_relu_backward(z, d, slope):
    """dz = da where z > 0, else slope da."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        d[j] = d[j] if z[j] > zero else slope * d[j]


@kernel
def sigmoid(z, a):
    """a = 1 / (1 + exp(-z)). exp may overflow to infinity, which gives the right limit, 0."""
    one = z.dtype.type(1)
    for j in range(z.size):
        a[j] = one / (one + math.exp(-z[j]))


@kernel
def sigmoid_backward(a, d):
    """dz = da a (1 - a)."""
    one = a.dtype.type(1)
    for j in range(a.size):
        d[j] *= a[j] * (one - a[j])


@kernel
def tanh(z, a):
    """a = tanh(z)."""
    for j in range(z.size):
        a[j] = math.tanh(z[j])


@kernel
def tanh_backward(a, d):
    """dz = da (1 - a^2)."""
    one = a.dtype.type(1)
    for j in range(a.size):
        d[j] *= one - a[j] * a[j]


@kernel
def softmax(z, a):
    """a_j = exp(z_j - max z) / sum_k exp(z_k - max z)."""
    largest = z[0]
    for j in range(1, z.size):
        largest = max(largest, z[j])
    total = z.dtype.type(0)
    for j in range(z.size):
        a[j] = math.exp(z[j] - largest)
        total += a[j]
    for j in range(z.size):
        a[j] /= total


@kernel
def softmax_backward(a, d):
    """dz_j = a_j (da_j - sum_k da_k a_k): the Jacobian diag(a) - a a^T, applied."""
    dot = a.dtype.type(0)
    for j in range(a.size):
        dot += d[j] * a[j]
    for j in range(a.size):
        d[j] = a[j] * (d[j] - dot)


@kernel(inline=True)
def activate(code, parameter, Z, A, start, stride, n, first, last):
    """Overwrite rows ``first`` to ``last`` of A, n logical columns each, with f(Z)."""
    for r in range(first, last):
        z, a = view(Z, start + r * stride, n), view(A, start + r * stride, n)
        if code == codes.RELU:
            relu(z, a)
        elif code == codes.LEAKY_RELU:
            leaky_relu(z, a, parameter)
        elif code == codes.SIGMOID:
            sigmoid(z, a)
        elif code == codes.TANH:
            tanh(z, a)
        elif code == codes.SOFTMAX:
            softmax(z, a)
        else:
            identity(z, a)


@kernel(inline=True)
def activate_backward(code, parameter, Z, A, D, start, stride, n, first, last):
    """Turn rows ``first`` to ``last`` of D from dL/dA into dL/dZ, in place."""
    for r in range(first, last):
        s = start + r * stride
        z, a, d = view(Z, s, n), view(A, s, n), view(D, s, n)
        if code == codes.RELU:
            relu_backward(z, d)
        elif code == codes.LEAKY_RELU:
            leaky_relu_backward(z, d, parameter)
        elif code == codes.SIGMOID:
            sigmoid_backward(a, d)
        elif code == codes.TANH:
            tanh_backward(a, d)
        elif code == codes.SOFTMAX:
            softmax_backward(a, d)
