"""Keyed random streams: the same key gives the same numbers, whatever was drawn before.

A stream is NumPy's counter-based Philox generator whose 128-bit key holds the seed, the purpose and
two counters (epoch, step). Nothing is consumed in turn, so resuming a run, skipping an epoch or
training on more threads cannot shift the numbers of another purpose.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

MOST_MODELS = 1000  # of an ensemble


class Purpose(IntEnum):
    """What a stream is for; the numbers are part of the saved-run format, so never reuse one."""

    SPLIT = 1
    VALIDATION = 2
    WEIGHTS = 3
    BIASES = 4
    SHUFFLE = 5
    SAMPLE = 6
    DROPOUT = 7
    SYNTHETIC = 8
    SEARCH = 9
    MODELS = 10


def stream(seed: int, purpose: Purpose, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """Return the generator keyed by (seed, purpose, epoch, step).

    Parameters
    ----------
    seed : int
        From 0 to 2**64 - 1.
    purpose : Purpose
    epoch, step : int
        Counters; ``epoch`` below 2**24 and ``step`` below 2**32.
    """
    return np.random.Generator(np.random.Philox(key=key(seed, purpose, epoch, step)))


def model_seed(seed: int, number: int) -> int:
    """Return the seed of a model of an ensemble, below 2**32; the first one has ``seed`` itself.

    Not ``seed + 1``, ``seed + 2``: ensembles of consecutive seeds would share models.

    Parameters
    ----------
    seed : int
        Of the ensemble.
    number : int
        From 1.
    """
    if number == 1:
        return seed
    return int(stream(seed, Purpose.MODELS, step=number).integers(2**32))


def key(seed: int, purpose: Purpose, epoch: int = 0, step: int = 0) -> np.ndarray:
    """Return Philox's 128-bit key as two uint64; parameters as for :func:`stream`."""
    counter = (int(purpose) << 56) | (int(epoch) << 32) | int(step)
    return np.array([seed, counter], dtype=np.uint64)
