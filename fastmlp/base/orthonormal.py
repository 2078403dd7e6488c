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
    width = (53 - n.bit_length()) // 2  # of a part: a sum of n products of two parts has 53 bits
    tall = tall / np.sqrt(np.square(tall).sum(axis=0).max())  # so that no element exceeds 1
    found = np.empty((n, m))
    parts = np.empty((-(-_BITS // width), n, m))  # of ``found``
    for start in range(0, m, _BLOCK):
        block, before = tall[:, start : start + _BLOCK].copy(), parts[:, :, :start]
        for _ in range(2):
            if start:
                shadow = _product(before.transpose(0, 2, 1), _parts(block, width))
                block -= _product(before, _parts(shadow, width))
            for j in range(block.shape[1]):
                column, others = block[:, j], block[:, :j]
                column -= (others * (others * column[:, np.newaxis]).sum(axis=0)).sum(axis=1)
                column /= np.sqrt(np.square(column).sum())
        found[:, start : start + _BLOCK] = block
        parts[:, :, start : start + _BLOCK] = _parts(block, width)
    return found


def _product(of_A: np.ndarray, of_B: np.ndarray) -> np.ndarray:
    """Return A B from the parts of both, with an error of some 2^-53."""
    count = len(of_A)
    total = np.zeros((of_A.shape[1], of_B.shape[2]))
    for order in range(count - 1, -1, -1):  # the smallest first
        for i in range(order + 1):
            total += of_A[i] @ of_B[order - i]
    return total


def _parts(A: np.ndarray, width: int) -> np.ndarray:
    """Return parts whose sum is A, of elements up to 1: each of ``width`` bits after the last's."""
    parts, unit = np.empty((-(-_BITS // width), *A.shape)), 1.0
    for part in parts:
        unit *= 2.0**-width
        np.multiply(np.rint(A / unit), unit, out=part)
        A = A - part
    return parts
