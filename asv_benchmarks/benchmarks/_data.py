"""Data drawn from a seed: no file and no network is needed, on any machine.

Images like MNIST's: 28 x 28 bytes, 81 % of them zero, ten classes. What matters for speed is the
size and the zeros; what matters for accuracy is that the classes can be learned, but not perfectly.
Tables are dense: no value is zero.
"""

from __future__ import annotations

from functools import cache

import numpy as np

import fastmlp

SIDE = 28
CLASSES = 10
_STYLES = 4  # ways to write a class
_NOISES = 500
_NOISE = 0.9  # so that a network errs on some 5 in 100 after two epochs of 6,000
_BLOCK = 1000  # rows of a stream: the first rows are the same, however many are asked for
_TEST = 1_000_000  # number of the first block of the test part


def _smooth_fields(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return ``count`` fields of blobs some pixels wide, of mean 0 and variance 1."""
    frequency = np.fft.fftfreq(SIDE)
    damping = np.exp(-60 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    noise = rng.standard_normal((count, SIDE, SIDE))
    fields = np.fft.ifft2(np.fft.fft2(noise) * damping).real.reshape(count, -1)
    fields -= fields.mean(axis=1, keepdims=True)
    return (fields / fields.std(axis=1, keepdims=True)).astype(np.float32)


@cache
def _patterns() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return _smooth_fields(rng, CLASSES * _STYLES), _smooth_fields(rng, _NOISES)


def _draw_block(block: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    styles, noises = _patterns()
    rng = np.random.default_rng([1, block])
    labels = rng.integers(0, CLASSES, _BLOCK)[:rows]
    style = labels * _STYLES + rng.integers(0, _STYLES, _BLOCK)[:rows]
    first, second = rng.integers(0, _NOISES, (2, _BLOCK))[:, :rows]
    fields = styles[style] + _NOISE * (noises[first] - noises[second][:, ::-1]) / np.sqrt(2)
    dark = 0.878 * np.sqrt(1 + _NOISE**2)  # 81 % of a normal distribution lies below
    return np.clip((fields - dark) * 160, 0, 255).astype(np.uint8), labels


def _draw(rows: int, first_block: int) -> tuple[np.ndarray, np.ndarray]:
    blocks = range(-(-rows // _BLOCK))
    drawn = [_draw_block(first_block + b, min(_BLOCK, rows - b * _BLOCK)) for b in blocks]
    return np.concatenate([X for X, _ in drawn]), np.concatenate([y for _, y in drawn])


@cache
def images(rows: int, test_rows: int = 0) -> fastmlp.Dataset:
    """Return the same dataset of ``rows`` images at each call, with an optional test part."""
    X, y = _draw(rows, 0)
    X_test, y_test = _draw(test_rows, _TEST) if test_rows else (None, None)
    return fastmlp.Dataset(X, y, X_test, y_test, name="images", feature_range=(0, 255))


@cache
def table(rows: int, features: int, classes: int) -> fastmlp.Dataset:
    """Return a dataset of dense float32 rows whose classes overlap."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % classes
    X = rng.standard_normal((rows, features), np.float32) + y[:, None].astype(np.float32)
    return fastmlp.Dataset(X, y, name="table")
