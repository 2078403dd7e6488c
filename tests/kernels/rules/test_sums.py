"""Sums are added in eight chains, element by element, on every CPU."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastmlp.kernels.rules import sums
from harness import compiled


def chains(terms: np.ndarray) -> float:
    """The sum of float64 terms in the order that is promised."""
    whole = len(terms) // 8 * 8
    s = [0.0] * 8
    for j in range(whole):
        s[j % 8] += float(terms[j])
    for term in terms[whole:]:
        s[0] += float(term)
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 40, 131])
def test_order_of_a_sum(n: int, dtype: type) -> None:
    x = np.random.default_rng(n).normal(size=n).astype(dtype) * dtype(1e3)
    assert compiled(sums.add_up)(x) == chains(x.astype(float))
    assert compiled(sums.add_absolutes)(x) == chains(np.abs(x).astype(float))
    exact = math.fsum(float(v) * float(v) for v in x)
    assert compiled(sums.add_products)(x, x) == pytest.approx(exact, rel=1e-12)


def test_squares_beyond_float32_and_nan() -> None:
    large = np.full(9, 1e30, np.float32)
    assert compiled(sums.add_products)(large, large) == pytest.approx(9e60, rel=1e-6)
    large[8] = np.nan
    assert math.isnan(compiled(sums.add_up)(large))
