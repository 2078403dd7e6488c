"""Activations: one forward and one backward kernel each, called by address.

Forward:  a = f(z).  Backward: d changes from dL/da to dL/dz = dL/da * f'(z) in place.
The last argument is the activation's parameter, which most do not use. Softmax works on one row of
one layer, the others on any range of elements, padding included.
"""

import math

from ..call_types import call_activation, call_activation_backward
from ..emit.elementary import erf, exp, expm1, fma, log1p
from ..emit.elementary import tanh as tanh_of
from ..machine.jit import kernel
from ..machine.view import view
from .sums import add_products, add_up

_INVERSE_SQRT_2 = 1.0 / math.sqrt(2.0)
_INVERSE_SQRT_2_PI = 1.0 / math.sqrt(2.0 * math.pi)

# selu's parameters, for which activations tend to mean 0 and variance 1 (Klambauer et al. 2017).
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

# Of mish: tanh(softplus(z)) is 1 above, in float64, too, and no power of exp(z) overflows.
_MISH_IS_IDENTITY = 20.0


@kernel(cached=True)
def identity(z, a, _):
    """a = z."""
    for j in range(z.size):
        a[j] = z[j]


@kernel(cached=True)
def identity_backward(z, a, d, _):
    """dz = da."""


@kernel(cached=True)
def relu(z, a, _):
    """a = max(z, 0), with max(NaN, 0) = NaN: divergence must stay visible."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = zero if z[j] < zero else z[j]


@kernel(cached=True)
def relu_backward(z, a, d, _):
    """dz = da where z > 0, else 0."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        d[j] = d[j] if z[j] > zero else zero


@kernel(cached=True)
def leaky_relu(z, a, slope):
    """a = z where z > 0, else slope z."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = z[j] if z[j] > zero else slope * z[j]


@kernel(cached=True)
def leaky_relu_backward(z, a, d, slope):
    """dz = da where z > 0, else slope da."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        d[j] = d[j] if z[j] > zero else slope * d[j]


@kernel(cached=True)
def sigmoid(z, a, _):
    """a = 1 / (1 + exp(-z)). exp may overflow to infinity, which gives the limit 0."""
    one = z.dtype.type(1)
    for j in range(z.size):
        a[j] = one / (one + exp(-z[j]))


@kernel(cached=True)
def sigmoid_backward(z, a, d, _):
    """dz = da a (1 - a)."""
    one = a.dtype.type(1)
    for j in range(a.size):
        d[j] *= a[j] * (one - a[j])


@kernel(cached=True)
def tanh(z, a, _):
    """a = tanh(z)."""
    for j in range(z.size):
        a[j] = tanh_of(z[j])


@kernel(cached=True)
def tanh_backward(z, a, d, _):
    """dz = da (1 - a^2)."""
    one = a.dtype.type(1)
    for j in range(a.size):
        d[j] *= fma(-a[j], a[j], one)


@kernel(cached=True)
def elu(z, a, alpha):
    """a = z where z > 0, else alpha (exp(z) - 1)."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        lower = alpha * expm1(zero if z[j] > zero else z[j])
        a[j] = z[j] if z[j] > zero else lower


@kernel(cached=True)
def elu_backward(z, a, d, alpha):
    """dz = da where z > 0, else da (a + alpha)."""
    for j in range(z.size):
        d[j] = d[j] if z[j] > 0 else d[j] * (a[j] + alpha)


@kernel(cached=True)
def selu(z, a, _):
    """a = scale z where z > 0, else scale alpha (exp(z) - 1)."""
    real, zero = z.dtype.type, z.dtype.type(0)
    for j in range(z.size):
        lower = real(SELU_SCALE * SELU_ALPHA) * expm1(zero if z[j] > zero else z[j])
        a[j] = real(SELU_SCALE) * z[j] if z[j] > zero else lower


@kernel(cached=True)
def selu_backward(z, a, d, _):
    """dz = scale da where z > 0, else da (a + scale alpha)."""
    real, zero = z.dtype.type, z.dtype.type(0)
    for j in range(z.size):
        d[j] *= real(SELU_SCALE) if z[j] > zero else a[j] + real(SELU_SCALE * SELU_ALPHA)


@kernel(cached=True)
def gelu(z, a, _):
    """a = z Phi(z), Phi the normal cumulative distribution (Hendrycks & Gimpel 2016)."""
    real = z.dtype.type
    for j in range(z.size):
        half = real(0.5) * z[j]
        a[j] = fma(half, erf(z[j] * real(_INVERSE_SQRT_2)), half)


@kernel(cached=True)
def gelu_backward(z, a, d, _):
    """dz = da (Phi(z) + z phi(z)), phi the normal density."""
    real, zero = z.dtype.type, z.dtype.type(0)
    half = real(0.5)
    for j in range(z.size):
        below = fma(half, erf(z[j] * real(_INVERSE_SQRT_2)), half)
        density = real(_INVERSE_SQRT_2_PI) * exp(real(-0.5) * z[j] * z[j])
        d[j] *= fma(z[j] if density > zero else zero, density, below)


@kernel(cached=True)
def silu(z, a, _):
    """a = z sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        a[j] = z[j] / (one + exp(-z[j]))


@kernel(cached=True)
def silu_backward(z, a, d, _):
    """dz = da (s + a (1 - s)), s = sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        s = one / (one + exp(-z[j]))
        d[j] *= fma(a[j], one - s, s)


@kernel(cached=True)
def mish(z, a, _):
    """a = z tanh(softplus(z)) = z n / (n + 2), n = w (w + 2), w = exp(z) (Misra 2019)."""
    real = z.dtype.type
    two, most = real(2), real(_MISH_IS_IDENTITY)
    for j in range(z.size):
        w = exp(most if z[j] > most else z[j])
        n = w * (w + two)
        a[j] = z[j] * (n / fma(w, w + two, two))


@kernel(cached=True)
def mish_backward(z, a, d, _):
    """dz = da (n / (n + 2) + 4 z w (w + 1) / (n + 2)^2)."""
    real = z.dtype.type
    one, two, most = real(1), real(2), real(_MISH_IS_IDENTITY)
    for j in range(z.size):
        w = exp(most if z[j] > most else z[j])
        n = w * (w + two)
        inverse = one / fma(w, w + two, two)
        slope = real(4) * w * (w + one) * inverse * inverse
        d[j] *= fma(z[j] if z[j] < most else real(0), slope, n * inverse)


@kernel(cached=True)
def softplus(z, a, _):
    """a = log(1 + exp(z)), as max(z, 0) + log(1 + exp(-|z|))."""
    zero = z.dtype.type(0)
    for j in range(z.size):
        a[j] = (zero if z[j] < zero else z[j]) + log1p(exp(-abs(z[j])))


@kernel(cached=True)
def softplus_backward(z, a, d, _):
    """dz = da sigmoid(z)."""
    one = z.dtype.type(1)
    for j in range(z.size):
        d[j] /= one + exp(-z[j])


@kernel(cached=True)
def exponential(z, a, _):
    """a = exp(z)."""
    for j in range(z.size):
        a[j] = exp(z[j])


@kernel(cached=True)
def exponential_backward(z, a, d, _):
    """dz = da a."""
    for j in range(a.size):
        d[j] *= a[j]


@kernel(cached=True)
def softmax(z, a, _):
    """a_j = exp(z_j - max z) / sum_k exp(z_k - max z)."""
    largest = z[0]
    for j in range(1, z.size):
        largest = max(largest, z[j])
    for j in range(z.size):
        a[j] = exp(z[j] - largest)
    inverse = z.dtype.type(1) / z.dtype.type(add_up(a))
    for j in range(z.size):
        a[j] *= inverse


@kernel(cached=True)
def softmax_backward(z, a, d, _):
    """dz_j = a_j (da_j - sum_k da_k a_k): the Jacobian diag(a) - a a^T, applied."""
    dot = a.dtype.type(add_products(d, a))
    for j in range(a.size):
        d[j] = a[j] * (d[j] - dot)


@kernel(inline=True)
def activate(function, parameter, Z, A, start, stride, n, first, last):
    """A = f(Z) on ranges ``first`` to ``last`` of n elements each, a stride apart.

    ``function`` is the address of f.
    """
    for r in range(first, last):
        z, a = view(Z, start + r * stride, n), view(A, start + r * stride, n)
        call_activation(function, (z, a, parameter))


@kernel(inline=True)
def activate_backward(function, parameter, Z, A, D, start, stride, n, first, last):
    """Change D from dL/dA to dL/dZ, in place, on the same ranges."""
    for r in range(first, last):
        s = start + r * stride
        call_activation_backward(function, (view(Z, s, n), view(A, s, n), view(D, s, n), parameter))
