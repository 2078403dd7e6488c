"""Splits into training, validation and test parts: stratified, seeded, disjoint."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

from ..base.conversion import target_as_plain
from ..base.csr import Features, stack, take
from ..base.errors import ConfigError, DataError, close_match
from ..base.random import Purpose, stream
from ..base.selection import Selection
from .dataset import Dataset

# In NumPy, not by sklearn.model_selection: importing that takes 1.8 s, which alone is the whole
# start-up budget of a warm command line.

NAMED_SPLITS = ("auto", "official", "none")
HOLD_OUTS = ("random", "last")
# Names of the parts, and the suffixes of their fields in Parts.
PARTS = {"training": "train", "validation": "validation", "test": "test"}
DEFAULT_TEST_FRACTION = 0.2


class Parts(NamedTuple):
    """The three parts; None for a part that is not used."""

    X_train: Features
    y_train: np.ndarray
    X_validation: Features | None
    y_validation: np.ndarray | None
    X_test: Features | None
    y_test: np.ndarray | None
    weight_train: np.ndarray | None = None
    weight_validation: np.ndarray | None = None

    def copied(self) -> Parts:
        """Return the parts with a copy for each selection."""
        selections = {name: X for name, X in self._asdict().items() if isinstance(X, Selection)}
        return self._replace(**{name: np.asarray(X) for name, X in selections.items()})


def parts(
    dataset: Dataset,
    *,
    split: str = "auto",
    validation: float = 0.1,
    hold_out: str = "random",
    seed: int = 0,
    sample_weight: np.ndarray | None = None,
    copy: bool = True,
) -> Parts:
    """Divide a dataset into training, validation and test parts.

    Validation rows of the dataset's own are the validation part, whatever the split: they are never
    pooled with others, and ``validation`` and ``hold_out`` do not apply.

    Parameters
    ----------
    dataset : Dataset
    split : str, default "auto"
        official: the dataset's own test part. auto: official if there is one, else "80-20". "A-B":
        training and test rows are pooled, and B percent of them are for testing. none: training and
        test rows are pooled, and there is no test part.
    validation : float, default 0.1
        Rows held out of the training part: below 1 a fraction (at least one row), from 1 a count;
        0: none.
    hold_out : {"random", "last"}, default "random"
        Which training rows become validation rows: random (drawn class by class), or the last.
    seed : int, default 0
    sample_weight : array_like of shape (n,), optional
        A weight for each row of the dataset's ``X``; rows of its test part that are pooled have
        weight 1.
    copy : bool, default True
        False: dense features are not copied; each part is a
        :class:`~fastmlp.base.selection.Selection`, except a part that has all rows.

    Returns
    -------
    Parts
        Rows keep their order within the dataset. Rows of a classification are drawn class by class.

    Raises
    ------
    ConfigError
        If the split or the validation share is malformed or leaves no row for training.
    DataError
        If a classification's training part holds a single class, or the weights are not one
        finite number of at least 0 for each row, some above 0.
    """
    weight = None if sample_weight is None else _checked_weight(dataset, sample_weight)
    X, y, X_test, y_test, weight = _carve_test(dataset, split, seed, weight)
    labels = y if dataset.task == "classification" else None
    X_validation, y_validation = dataset.X_validation, dataset.y_validation
    n_validation = 0 if dataset.has_validation_part else validation_rows(validation, len(y))
    if n_validation:
        if hold_out == "last":
            train, held_out = np.split(np.arange(len(y)), [len(y) - n_validation])
        else:
            rng = stream(seed, Purpose.VALIDATION)
            train, held_out = stratified_split(labels, len(y), n_validation, rng)
        X_validation, y_validation = take(X, held_out), y[held_out]
        X, y = take(X, train), y[train]
        weight = None if weight is None else weight[train]
    if dataset.task == "classification" and np.all(y == y[0]):
        raise DataError(
            f"y must have at least two classes in the training part, got only {y[0]}; "
            "add rows of other classes, or check --classes and how the data was selected"
        )
    found = Parts(X, y, X_validation, y_validation, X_test, y_test, weight)
    return found.copied() if copy else found


def parse_split(text: str) -> float | None:
    """Return the test fraction of an "A-B" split, None for "auto", "official" and "none".

    Raises
    ------
    ConfigError
        For anything else, also if A and B do not sum to 100.
    """
    if text in NAMED_SPLITS:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", str(text))
    if match is None:
        raise ConfigError(
            f"split must be a name or two shares of 100 such as 80-20, got {text!r}"
            f"{close_match(str(text), NAMED_SPLITS)}"
        )
    first, second = float(match[1]), float(match[2])
    if first <= 0 or second <= 0 or not math.isclose(first + second, 100):
        raise ConfigError(
            f"split must be two positive shares that sum to 100, got {text!r}; use for example "
            "80-20, or none for no test part"
        )
    return second / 100


def training_rows(dataset: Dataset, split: str) -> int:
    """Return how many rows a split leaves for training, those to be held out included."""
    fraction = parse_split(split)
    if dataset.has_official_split and split in ("auto", "official"):
        return len(dataset.y)
    n = len(dataset.y) + (0 if dataset.y_test is None else len(dataset.y_test))
    return n if split == "none" else n - _test_rows(fraction, n)


def _test_rows(fraction: float | None, n: int) -> int:
    return max(1, round((fraction or DEFAULT_TEST_FRACTION) * n))


def validation_rows(validation: float, n: int) -> int:
    """Return how many of ``n`` training rows the setting ``validation`` holds out.

    Raises
    ------
    ConfigError
        If it is negative, not finite, a count with a fraction, or leaves no row for training.
    """
    if not 0 <= validation < math.inf:
        raise ConfigError(
            f"validation must be 0 or more, got {validation}; use a fraction such as 0.1, a count, "
            "or 0 for none"
        )
    if validation >= 1 and validation != int(validation):
        raise ConfigError(
            f"validation must be a fraction below 1 or a whole count, got {validation}; "
            f"use {int(validation)}"
        )
    if validation >= 1:
        count = int(validation)
    else:
        count = round(validation * n)
        if validation > 0 and n > 1:
            count = max(count, 1)
    if count >= n:
        raise ConfigError(
            f"validation must leave at least one row for training, got {validation}, which holds "
            f"out {count} of {n}; use a smaller share, or 0 for none"
        )
    return count


def stratified_split(
    labels: np.ndarray | None, n: int, n_second: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split ``range(n)`` at random into two parts, in proportion within each class.

    Parameters
    ----------
    labels : ndarray of shape (n,) or None
        None for a plain random split.
    n : int
    n_second : int
        Size of the second part, 0 to ``n``.
    rng : numpy.random.Generator

    Returns
    -------
    first, second : ndarray of int64
        Sorted, disjoint, together ``range(n)``. A class of two or more rows has one in ``first``
        whenever ``n_second`` allows it for all such classes.

    Raises
    ------
    ConfigError
        If ``n_second`` is out of range.
    """
    if not 0 <= n_second <= n:
        raise ConfigError(f"n_second must be 0 to {n}, the number of rows, got {n_second}")
    shuffled = rng.permutation(n)
    in_second = np.zeros(n, dtype=bool)
    if labels is None:
        in_second[shuffled[:n_second]] = True
    else:
        _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        # Shuffled rows sorted by class: each class's quota is the beginning of its run.
        by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
        sorted_codes = codes[by_class]
        index_in_class = np.arange(n) - (np.cumsum(counts) - counts)[sorted_codes]
        in_second[by_class[index_in_class < _quotas(counts, n_second)[sorted_codes]]] = True
    return np.flatnonzero(~in_second), np.flatnonzero(in_second)


def _quotas(counts: np.ndarray, n_second: int) -> np.ndarray:
    """Divide ``n_second`` rows among classes by largest remainder, ties to the earlier class."""
    quotas, remainders = np.divmod(counts * n_second, counts.sum())
    by_remainder = np.argsort(-remainders, kind="stable")
    # Classes of two or more rows keep one in the first part, unless n_second is too large for it.
    for limits in (np.where(counts > 1, counts - 1, counts), counts):
        while (left := n_second - quotas.sum()) > 0:
            open_classes = by_remainder[(quotas < limits)[by_remainder]]
            if open_classes.size == 0:
                break
            quotas[open_classes[:left]] += 1
    return quotas


def _checked_weight(dataset: Dataset, sample_weight: np.ndarray) -> np.ndarray:
    """Return a weight for each row, those of the test part behind those of ``X``."""
    given = np.asarray(target_as_plain(sample_weight, "sample_weight"))
    if given.dtype.kind not in "biufO":
        raise DataError(
            f"sample_weight must hold numbers, got dtype {given.dtype}; convert numbers with "
            "astype(float)"
        )
    weight = given.astype(np.float64)
    if weight.shape != (len(dataset.y),):
        raise DataError(
            f"sample_weight must have shape ({len(dataset.y)},), one for each row of X, got "
            f"{weight.shape}; leave it out for equal weights"
        )
    if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() > 0):
        raise DataError(
            "sample_weight must be finite, at least 0 and somewhere above 0, got "
            f"{weight.min():g} to {weight.max():g}; leave it out for equal weights"
        )
    n_test = 0 if dataset.y_test is None else len(dataset.y_test)
    return np.concatenate((weight, np.ones(n_test)))


def _carve_test(
    dataset: Dataset, split: str, seed: int, weight: np.ndarray | None
) -> tuple[Features, np.ndarray, Features | None, np.ndarray | None, np.ndarray | None]:
    fraction = parse_split(split)
    if dataset.has_official_split and split in ("auto", "official"):
        own = None if weight is None else weight[: len(dataset.y)]
        return dataset.X, dataset.y, dataset.X_test, dataset.y_test, own
    if split == "official":
        raise ConfigError(
            f"split must not be official for {dataset.name!r}, which has no test part of its own, "
            "got 'official'; use auto, 80-20 or none"
        )
    X, y = _pooled(dataset)
    if split == "none":
        return X, y, None, None, weight
    n_test = _test_rows(fraction, len(y))
    if n_test >= len(y):
        raise ConfigError(
            f"split must leave at least one row for training, got {split!r} of {len(y)} row(s); "
            "use a smaller test share, more rows, or none"
        )
    labels = y if dataset.task == "classification" else None
    train, test = stratified_split(labels, len(y), n_test, stream(seed, Purpose.SPLIT))
    train_weight = None if weight is None else weight[train]
    return take(X, train), y[train], take(X, test), y[test], train_weight


def _pooled(dataset: Dataset) -> tuple[Features, np.ndarray]:
    if dataset.X_test is None or dataset.y_test is None:
        return dataset.X, dataset.y
    return stack((dataset.X, dataset.X_test)), np.concatenate((dataset.y, dataset.y_test))
