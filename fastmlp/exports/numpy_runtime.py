"""Functions that are copied into exported modules: they need NumPy and Python alone."""

from __future__ import annotations

import base64
import math
from datetime import datetime

import numpy as np

from ..base.levels import MISSING, canonical, number_text


def decoded(dtype: str, shape: tuple[int, ...], text: str) -> np.ndarray:
    """Return an array from its bytes in base 85."""
    return np.frombuffer(base64.b85decode(text), dtype).reshape(shape)


def erf(x: np.ndarray) -> np.ndarray:
    """Return the error function of each element."""
    return np.array([math.erf(value) for value in x.ravel()], x.dtype).reshape(x.shape)


def windows(x: np.ndarray, size: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """Return the windows of images, shape (n, height, width, channels, *size)."""
    found = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    every: np.ndarray = found[:, :: stride[0], :: stride[1]]
    return every


def convolved(
    x: np.ndarray,
    weights: np.ndarray,
    biases: np.ndarray,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> np.ndarray:
    """Return ``window W + b`` at every position of padded images."""
    top, left, bottom, right = padding
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    size = weights.shape[0], weights.shape[1]
    products = np.tensordot(windows(x, size, stride), weights, axes=((4, 5, 3), (0, 1, 2)))
    return np.asarray(products + biases)


def numbers(values: object) -> np.ndarray:
    """Return a column of numbers; gaps, such as None, are NaN."""
    found = np.asarray(values)
    if found.dtype.kind == "O":
        found = np.array([np.nan if value is None else value for value in found])
    return found.astype(np.float64)


def seconds(values: object, format: str) -> np.ndarray:
    """Return a column of times in seconds since 1970, NaN for gaps.

    Times are datetime64, seconds, or texts in the format of training.
    """
    times = np.asarray(values)
    if times.dtype.kind in "OUS":
        times = np.array([parsed(text, format) for text in times.tolist()], "M8[us]")
    if times.dtype.kind != "M":
        return np.asarray(times, np.float64)
    whole = times.astype("M8[us]")
    found = whole.astype(np.int64) / 1e6
    found[np.isnat(whole)] = np.nan
    return np.asarray(found)


def parsed(value: object, format: str) -> object:
    """Return the time of a text; other values as they are, NaT for texts of another format."""
    if not isinstance(value, str):
        return "NaT" if value is None or value != value else value
    try:
        return datetime.strptime(value.strip(), format) if format != "iso" else np.datetime64(value)
    except ValueError:
        return "NaT"


def level_features(
    values: list[object], levels: dict[str, int], other: int, gap: int, n: int
) -> np.ndarray:
    """Return n features of texts, of which one or none is 1; -1 is none."""
    found = np.zeros((len(values), n))
    for row, value in zip(found, values):  # noqa: B905
        text = str(value)  # None, nan and <NA> are gaps
        if isinstance(value, (bool, np.bool_, int, np.integer, float, np.floating)):
            text = number_text(value)
        text = canonical(text)
        is_gap = text.lower() in MISSING and text not in levels
        feature = gap if is_gap else levels.get(text, other)
        if feature >= 0:
            row[feature] = 1.0
    return found
