"""exp, log, powers, sines and normal draws of float64, with the same bits on every machine.

NumPy's depend on the vectors of the CPU and on the C library. Additions, multiplications,
divisions, square roots and roundings do not, and these functions consist of them.
"""

from __future__ import annotations

import math

import numpy as np

_LN2 = 0.6931471805599453
_LN2_HEAD = float.fromhex("0x1.62e42feep-1")  # n times it is exact for the n of an exponent
_LN2_TAIL = float.fromhex("0x1.a39ef35793c76p-33")
_SQRT_HALF = math.sqrt(0.5)
_EXP_TERMS = [1.0 / math.factorial(k) for k in range(13, -1, -1)]
_ARTANH_TERMS = [2.0 / (2 * k + 1) for k in range(10, 0, -1)]
_SINE_TERMS = [
    (-1) ** k * math.prod([2 * math.pi] * (2 * k + 1)) / math.factorial(2 * k + 1)
    for k in range(11, -1, -1)
]

# NumPy's normal draws are uniform ones times a constant, except beyond this limit (its ziggurat).
_TAIL = 3.6541528853610088
_TAIL_STEP = 2.0**-20


def _polynomial(x: np.ndarray, coefficients: list[float]) -> np.ndarray:
    """Return a polynomial by Horner's scheme, the highest power first."""
    total: np.ndarray = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def exp(x: np.ndarray | float) -> np.ndarray:
    """Return exp(x) of each element, within 2 units in the last place; 0 and infinity beyond."""
    x = np.clip(np.asarray(x, np.float64), -746.0, 710.0)
    n = np.rint(x * (1.0 / _LN2))
    near = _polynomial((x - n * _LN2_HEAD) - n * _LN2_TAIL, _EXP_TERMS)
    with np.errstate(over="ignore", under="ignore"):
        found: np.ndarray = np.ldexp(near, np.where(np.isnan(n), 0.0, n).astype(np.int32))
    return found


def _halves(x: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return n and log(m) of x = 2^n m, m from sqrt(1/2) to sqrt(2), for x above 0."""
    m, n = np.frexp(np.asarray(x, np.float64))
    is_low = m < _SQRT_HALF
    f = np.where(is_low, 2.0 * m, m) - 1.0
    s = f / (2.0 + f)
    square = s * s
    # log(1 + f) = 2 artanh(s) = f - s (f - R), with less rounding than 2 s + s R.
    return n - 1.0 * is_low, f - s * (f - square * _polynomial(square, _ARTANH_TERMS))


def log(x: np.ndarray | float) -> np.ndarray:
    """Return log(x) of each element, within 2 units in the last place; -infinity for 0."""
    x = np.asarray(x, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        n, rest = _halves(x)
    found = n * _LN2_HEAD + (n * _LN2_TAIL + rest)
    found = np.where(x < np.inf, found, x)  # infinity and NaN as they are
    return np.where(x > 0.0, found, np.where(x == 0.0, -np.inf, np.nan))


def log2(x: np.ndarray | float) -> np.ndarray:
    """Return log2(x) of each element above 0, exact for powers of two."""
    n, rest = _halves(x)
    found: np.ndarray = n + rest * (1.0 / _LN2)
    return found


def power(x: np.ndarray | float, exponent: float) -> np.ndarray:
    """Return x^exponent of each element above 0."""
    return exp(exponent * log(x))


def whole_power(x: float, exponents: np.ndarray) -> np.ndarray:
    """Return x^n for each whole number n of an array, from 0."""
    found = np.ones(exponents.shape)
    left, square = exponents.astype(np.int64), float(x)
    while left.any():
        found *= np.where(left & 1, square, 1.0)
        left, square = left >> 1, square * square
    return found


def sin2pi(turns: np.ndarray | float) -> np.ndarray:
    """Return sin(2 pi t) of each element."""
    turn = turns - np.rint(turns)
    size = np.abs(turn)
    return _sine(np.copysign(np.where(size > 0.25, 0.5 - size, size), turn))


def cos2pi(turns: np.ndarray | float) -> np.ndarray:
    """Return cos(2 pi t) of each element."""
    return _sine(0.25 - np.abs(turns - np.rint(turns)))


def _sine(turn: np.ndarray) -> np.ndarray:
    """Return sin(2 pi t), for |t| <= 1 / 4."""
    found: np.ndarray = turn * _polynomial(turn * turn, _SINE_TERMS)
    return found


def uniform(
    rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """Return what ``rng.uniform`` draws, where no compiler fuses its product and its sum."""
    found: np.ndarray = low + (high - low) * rng.random(shape)
    return found


def standard_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return what ``rng.standard_normal`` draws, beyond 3.65 rounded to a multiple of 2^-20.

    These draws, one of 4,000, come from the C library's log1p, whose last bits differ between
    systems. Rounding removes the difference, except for one draw of 10^14.
    """
    drawn = rng.standard_normal(shape)
    size = np.abs(drawn)
    return np.where(size > _TAIL, np.rint(drawn / _TAIL_STEP) * _TAIL_STEP, drawn)
