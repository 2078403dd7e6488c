"""Orthonormal columns, with the same bits on every machine.

LAPACK adds products in an order that depends on the CPU. Here the factors of a product are cut into
parts of so few bits that all their products and sums are exact, in any order.
"""

from __future__ import annotations

import numpy as np

_BITS = 54  # of the factors that count: a part's last bit is at most 2^-54
_BLOCK = 32  # columns that are orthogonalised together


def orthonormal(tall: np.ndarray) -> np.ndarray:
    """Return Q of the QR decomposition whose R has a diagonal above 0, shape (n, m).

    By Gram and Schmidt's method. Twice: the first result is orthogonal up to rounding that is
    magnified by the condition of the columns, the second up to rounding (Giraud et al. 2005).

    Parameters
    ----------
    tall : ndarray, shape (n, m)
        With m linearly independent columns.
    """
    n, m = tall.shape
    found = np.empty((n, m))
    for start in range(0, m, _BLOCK):
        before = found[:, :start]
        block = tall[:, start : start + _BLOCK] / np.abs(tall).max()
        for _ in range(2):
            if start:
                block = block - _product(before, _product(before.T, block))
            for j in range(block.shape[1]):
                column, others = block[:, j], block[:, :j]
                column -= (others * (others * column[:, np.newaxis]).sum(axis=0)).sum(axis=1)
                column /= np.sqrt(np.square(column).sum())
        found[:, start : start + _BLOCK] = block
    return found


def _product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return A B with an error of some 2^-53, for elements of at most 1 in size."""
    inner = A.shape[1]
    width = min((53 - inner.bit_length()) // 2, 26)
    of_A, of_B = _parts(A, width), _parts(B, width)
    count = len(of_A)
    total = np.zeros((A.shape[0], B.shape[1]))
    for order in range(count - 1, -1, -1):  # the smallest first
        for i in range(order + 1):
            total += of_A[i] @ of_B[order - i]
    return total


def _parts(A: np.ndarray, width: int) -> list[np.ndarray]:
    """Return parts whose sum is A, each of ``width`` bits after those of the part before."""
    parts, last = [], 1.0
    for _ in range(-(-_BITS // width)):
        last *= 2.0**-width
        part = np.rint(A / last) * last
        parts.append(part)
        A = A - part
    return parts
