"""Sums over a range, in float64, whose order depends on nothing but its length."""

from ..emit.sums import sum_of_absolutes, sum_of_elements, sum_of_products
from ..machine.jit import kernel


@kernel
def add_up(x):
    """Return sum_j x_j."""
    return sum_of_elements(x, x)


@kernel
def add_absolutes(x):
    """Return sum_j |x_j|."""
    return sum_of_absolutes(x, x)


@kernel
def add_products(x, y):
    """Return sum_j x_j y_j."""
    return sum_of_products(x, y)
