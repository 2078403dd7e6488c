"""The dataset record: checked arrays, and what is known about them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..base.csr import Features, canonical, is_sparse
from ..base.errors import ConfigError, DataError, close_match
from ..base.foreign import as_dense, as_plain, target_as_plain
from ..base.lazy import lazy
from .checks import feature_matrix, target_array

TASKS = ("auto", "classification", "multilabel", "regression")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and targets, checked once, with the official test part where there is one.

    Parameters
    ----------
    X : array_like of shape (n, n_features)
        Finite real numbers of any dtype (uint8 for images); kept as they are, without a copy. Also
        a pandas frame of numeric columns, or a SciPy sparse matrix of any format, which becomes a
        csr_array with sorted indices, no duplicates and no zeros, and is never made dense.
    y : array_like of shape (n,) or (n, n_outputs)
        One integer, boolean or string label per row; floats; or for several labels a column of 0
        and 1 each. Also a pandas series or frame.
    X_test, y_test : array_like, optional
        The official test part: both or neither. ``X_test`` becomes sparse if ``X`` is, or dense (up
        to 2 GB) if it is not.
    name : str, default "custom"
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        auto: floating ``y`` means regression; two or more columns of integers or booleans, only 0
        and 1, multilabel; any other classification. Resolved on construction.
    feature_range : (float, float), optional
        The range the features are known to come from, (0, 255) for bytes; scale "unit" uses it.
    image_shape : (int, int), optional
        Height and width, where a row is an image.
    feature_names : tuple of str, optional
        Of the columns of ``X``; those of a frame are kept.

    Raises
    ------
    DataError
        For anything that cannot be trained on: wrong shapes, lengths or dtypes, NaN, no rows.
    ConfigError
        For an unknown task.
    """

    X: Features
    y: np.ndarray
    X_test: Features | None = None
    y_test: np.ndarray | None = None
    name: str = "custom"
    task: str = "auto"
    feature_range: tuple[float, float] | None = None
    image_shape: tuple[int, int] | None = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ConfigError(f"unknown task {self.task!r}{close_match(str(self.task), TASKS)}")
        plain, names = as_plain(self.X, "X")
        if self.feature_names is not None:
            names = tuple(self.feature_names)
        X = feature_matrix(plain, "X", names)
        y, task = target_array(target_as_plain(self.y, "y"), "y", self.task)
        _check_lengths(X, y, "X", "y")
        self._store(X=X, y=y, task=task, feature_names=names)
        self._check_test_part()
        self._check_facts()

    def _store(self, **values: object) -> None:
        # A frozen dataclass refuses plain assignment, also to itself.
        for field, value in values.items():
            object.__setattr__(self, field, value)

    def _check_test_part(self) -> None:
        if self.X_test is None and self.y_test is None:
            return
        if self.X_test is None or self.y_test is None:
            missing, given = ("X_test", "y_test") if self.X_test is None else ("y_test", "X_test")
            raise DataError(f"{missing} must come with {given}, got None; pass both or neither")
        plain, names = as_plain(self.X_test, "X_test")
        _check_order(names, self.feature_names)
        if is_sparse(plain) and not is_sparse(self.X):
            plain = as_dense(plain, "X_test", "a dense X", "pass X as a sparse matrix")
        X_test = feature_matrix(plain, "X_test", names)
        y_test, _ = target_array(target_as_plain(self.y_test, "y_test"), "y_test", self.task)
        _check_lengths(X_test, y_test, "X_test", "y_test")
        if X_test.shape[1] != self.n_features:
            raise DataError(
                f"X_test must have as many features as X, {self.n_features}, got "
                f"{X_test.shape[1]}; select the same columns in both"
            )
        if y_test.shape[1:] != self.y.shape[1:]:
            raise DataError(
                f"y_test must have as many outputs as y, got shapes {y_test.shape} and "
                f"{self.y.shape}; select the same targets in both"
            )
        if (y_test.dtype.kind == "U") != (self.y.dtype.kind == "U"):
            raise DataError(
                f"y_test must hold labels of the type in y, {self.y.dtype}, got {y_test.dtype}; "
                "convert one of them, for example with astype(str)"
            )
        if is_sparse(self.X):
            X_test = canonical(X_test, "X_test")
        self._store(X_test=X_test, y_test=y_test)

    def _check_facts(self) -> None:
        if self.feature_range is not None:
            low, high = self.feature_range
            if not -math.inf < low < high < math.inf:
                raise DataError(
                    "feature_range must be (low, high), finite and low below high, got "
                    f"{self.feature_range}; leave it out if the range is unknown"
                )
        if self.image_shape is not None and math.prod(self.image_shape) != self.n_features:
            raise DataError(
                f"image_shape must multiply to the number of features, {self.n_features}, got "
                f"{self.image_shape}; leave it out if rows are not images"
            )
        names = self.feature_names
        if names is not None and (len(names) != self.n_features or len(set(names)) < len(names)):
            raise DataError(
                f"feature_names must be {self.n_features} different names, one per column of X, "
                f"got {len(set(names))} different of {len(names)}; rename or leave them out"
            )

    @property
    def n_features(self) -> int:
        """Number of columns of ``X``."""
        return int(self.X.shape[1])

    @property
    def has_official_split(self) -> bool:
        """Whether the dataset brings its own test part."""
        return self.X_test is not None

    @lazy
    def classes(self) -> np.ndarray | None:
        """Sorted distinct labels of ``y`` and ``y_test`` together; None unless classification."""
        if self.task != "classification":
            return None
        if self.y_test is None:
            return np.unique(self.y)
        return np.unique(np.concatenate((np.unique(self.y), np.unique(self.y_test))))

    def keep_classes(self, labels: Iterable[object]) -> Dataset:
        """Return a dataset with only the rows of the given classes.

        Parameters
        ----------
        labels : iterable of str or int, or str
            At least two labels, each matched by its text (3 and "3" are the same); a single string
            is read as a comma-separated list.

        Returns
        -------
        Dataset
            The rows in their old order; everything else as here.

        Raises
        ------
        DataError
            Unless this is a classification; for an unknown label, fewer than two labels, or a part
            without such rows.
        """
        if self.classes is None:
            raise DataError(
                f"classes must be left out for task {self.task!r}, got them for {self.name!r}; "
                "pass task='classification' if y holds one label per row"
            )
        kept = _matching_classes(self.classes, labels)
        rows = np.isin(self.y, kept)
        _check_some_left(rows, kept, "y")
        if self.X_test is None or self.y_test is None:
            return replace(self, X=self.X[rows], y=self.y[rows])
        test_rows = np.isin(self.y_test, kept)
        _check_some_left(test_rows, kept, "y_test")
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            X_test=self.X_test[test_rows],
            y_test=self.y_test[test_rows],
        )


def _check_lengths(X: Features, y: np.ndarray, X_name: str, y_name: str) -> None:
    if X.shape[0] != len(y):
        raise DataError(
            f"{y_name} must have one entry per row of {X_name}, {X.shape[0]}, got {len(y)}; "
            "select the same rows in both"
        )


def _check_order(names: tuple[str, ...] | None, feature_names: tuple[str, ...] | None) -> None:
    # Frames are matched by position: other columns, or another order, would train on nonsense.
    if names is None or feature_names is None or names == feature_names:
        return
    differing = [pair for pair in zip(names, feature_names, strict=False) if pair[0] != pair[1]]
    if differing:
        got, wanted = differing[0]
        raise DataError(
            f"X_test must have the columns of X in their order, got {got!r} in the place of "
            f"{wanted!r}; pass X_test[X.columns]"
        )


def _matching_classes(classes: np.ndarray, labels: Iterable[object]) -> np.ndarray:
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",")]
    wanted = list(dict.fromkeys(str(label) for label in labels))
    index = {str(label): i for i, label in enumerate(classes.tolist())}
    unknown = [label for label in wanted if label not in index]
    if unknown:
        raise DataError(
            f"classes must be labels of the data, got {', '.join(map(repr, unknown))}; "
            f"known: {_listed(list(index))}"
        )
    if len(wanted) < 2:
        raise DataError(
            f"classes must name at least two labels, got {_listed(wanted) or 'none'}; "
            f"choose from: {_listed(list(index))}"
        )
    return classes[[index[label] for label in wanted]]


def _check_some_left(rows: np.ndarray, kept: np.ndarray, name: str) -> None:
    if not rows.any():
        raise DataError(
            f"classes must leave rows in {name}, got {_listed(kept.tolist())}, of which it has "
            "none; choose other classes"
        )


def _listed(labels: list[object] | list[str], limit: int = 20) -> str:
    shown = ", ".join(str(label) for label in labels[:limit])
    return f"{shown}, ... ({len(labels)} in all)" if len(labels) > limit else shown
