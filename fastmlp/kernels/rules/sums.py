"""Sums over a range whose order depends on nothing but its length.

Kernels are compiled without ``reassoc``, with which LLVM adds in an order that depends on the
vectors of the CPU. A single chain of additions would take four cycles for each element; eight
chains, added by halves, take a half.
"""

import numpy as np

from ..machine.jit import kernel

_CHAINS = 8
_ELEMENTS, _ABSOLUTES, _PRODUCTS = range(3)


@kernel
def add_up(x):
    """Return sum_j x_j, in float64."""
    return _add(_ELEMENTS, x, x)


@kernel
def add_absolutes(x):
    """Return sum_j |x_j|, in float64."""
    return _add(_ABSOLUTES, x, x)


@kernel
def add_products(x, y):
    """Return sum_j x_j y_j, in float64."""
    return _add(_PRODUCTS, x, y)


@kernel
def _add(kind, x, y):
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = x.size // _CHAINS * _CHAINS
    for j in range(0, whole, _CHAINS):
        s0 += _term(kind, x[j], y[j])
        s1 += _term(kind, x[j + 1], y[j + 1])
        s2 += _term(kind, x[j + 2], y[j + 2])
        s3 += _term(kind, x[j + 3], y[j + 3])
        s4 += _term(kind, x[j + 4], y[j + 4])
        s5 += _term(kind, x[j + 5], y[j + 5])
        s6 += _term(kind, x[j + 6], y[j + 6])
        s7 += _term(kind, x[j + 7], y[j + 7])
    for j in range(whole, x.size):
        s0 += _term(kind, x[j], y[j])
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


@kernel
def _term(kind, x, y):
    x = np.float64(x)  # float() would leave a float32 as it is, and its square overflow
    if kind == _PRODUCTS:
        return x * np.float64(y)
    return abs(x) if kind == _ABSOLUTES else x
