"""Activations: one forward and one backward kernel each, and the switch between them.

Forward:  a = f(z).  Backward: d, which holds dL/da, becomes dL/dz = dL/da * f'(z) in place.
Each works on one row of one layer, logical columns only: the padding behind a row stays zero.
"""

import math

from . import codes
from .jit import kernel
from .view import view

_INVERSE_SQRT_2 = 1.0 / math.sqrt(2.0)
_INVERSE_SQRT_2_PI = 1.0 / math.sqrt(2.0 * math.pi)


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
def elu(z, a, alpha):
    """a = z where z > 0, else alpha (exp(z) - 1)."""
    for j in range(z.size):
        a[j] = z[j] if z[j] > 0 else alpha * math.expm1(z[j])


@kernel
def elu_backward(z, a, d, alpha):
    """dz = da where z > 0, else da (a + alpha)."""
    for j in range(z.size):
        d[j] = d[j] if z[j] > 0 else d[j] * (a[j] + alpha)


@kernel
def gelu(z, a):
    """a = z Phi(z), Phi the normal distribution function (Hendrycks & Gimpel 2016)."""
    real = z.dtype.type
    for j in range(z.size):
        a[j] = real(0.5) * z[j] * (real(1) + math.erf(z[j] * real(_INVERSE_SQRT_2)))


@kernel
def gelu_backward(z, d):
    """dz = da (Phi(z) + z phi(z)), phi the normal density."""
    real = z.dtype.type
    for j in range(z.size):
        below = real(0.5) * (real(1) + math.erf(z[j] * real(_INVERSE_SQRT_2)))
        density = real(_INVERSE_SQRT_2_PI) * math.exp(real(-0.5) * z[j] * z[j])
        d[j] *= below + (z[j] * density if density > 0 else real(0))


@kernel
def silu(z, a):
    """a = z sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        a[j] = z[j] / (one + math.exp(-z[j]))


@kernel
def silu_backward(z, a, d):
    """dz = da (s + a (1 - s)), s = sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        s = one / (one + math.exp(-z[j]))
        d[j] *= s + a[j] * (one - s)


@kernel
def softplus(z, a):
    """a = log(1 + exp(z)), as max(z, 0) + log(1 + exp(-|z|))."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = (zero if z[j] < zero else z[j]) + math.log1p(math.exp(-abs(z[j])))


@kernel
def softplus_backward(z, d):
    """dz = da sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        d[j] /= one + math.exp(-z[j])


@kernel
def exponential(z, a):
    """a = exp(z)."""
    for j in range(z.size):
        a[j] = math.exp(z[j])


@kernel
def exponential_backward(a, d):
    """dz = da a."""
    for j in range(a.size):
        d[j] *= a[j]


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
        elif code == codes.ELU:
            elu(z, a, parameter)
        elif code == codes.GELU:
            gelu(z, a)
        elif code == codes.SILU:
            silu(z, a)
        elif code == codes.SOFTPLUS:
            softplus(z, a)
        elif code == codes.EXPONENTIAL:
            exponential(z, a)
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
        elif code == codes.ELU:
            elu_backward(z, a, d, parameter)
        elif code == codes.GELU:
            gelu_backward(z, d)
        elif code == codes.SILU:
            silu_backward(z, a, d)
        elif code == codes.SOFTPLUS:
            softplus_backward(z, d)
        elif code == codes.EXPONENTIAL:
            exponential_backward(a, d)
