"""The dataset record: checked arrays, and what is known about them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..base.conversion import as_plain, target_names
from ..base.csr import Features
from ..base.errors import ConfigError, DataError, close_match
from ..base.image_rows import rows_of_images
from ..base.lazy import lazy
from ..base.notebook import html_of
from ..base.table_options import Positions
from ..base.table_rows import is_table
from ..ops.kinds import ColumnFacts
from .dataset_facts import check_facts, checked_lines, size_text, targets_text
from .given_parts import TrainingRows, check_lengths, check_part
from .input_checks import checked_shape, feature_matrix
from .table_columns import Chosen, is_mixed, table_features
from .targets import dataset_targets, matching_classes, rows_of_classes, targets_with_gaps

TASKS = ("auto", "classification", "multilabel", "regression")
PARTS = ("test", "validation")
BYTES = (0, 255)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Features and targets, checked once, with their own test and validation parts, if any.

    Parameters
    ----------
    X : array_like of shape (n, n_features)
        Finite real numbers of any dtype (uint8 for images); kept as they are, without a copy. Also
        a frame (pandas, polars, Arrow) whose columns may hold categories, dates and gaps, and is
        then stored column by column (TableRows), or a SciPy sparse matrix of any format,
        which becomes a csr_array with sorted indices, no duplicates and no zeros, and is never made
        dense. Images become rows, line by line, the channels of a pixel together: grey ones of
        shape (n, height, width), (n, height, width, 1) or (n, 1, height, width), coloured ones with
        3 or 4 channels in the last or the second dimension.
    y : array_like of shape (n,) or (n, n_outputs)
        One integer, boolean or string label per row; floats; or for several labels a column of 0
        and 1 each. Also a series or a frame.
    X_test, y_test : array_like, optional
        The official test part: both or neither. ``X_test`` becomes sparse if ``X`` is, or dense (up
        to 2 GB) if it is not. Columns of frames are found by name.
    name : str, default "custom"
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        auto: two or more columns of only 0 and 1 mean multilabel, other floating ``y`` means
        regression, anything else classification. Resolved on construction. For one-hot columns
        the task must be given: classification takes the index of the 1 as the label.
    feature_range : (float, float), optional
        The range the features are known to come from; scale "unit" uses it. Default: (0, 255) where
        ``X`` holds images of uint8, else unknown.
    image_shape : (int, int) or (int, int, int), optional
        Height and width of grey images; height, width and channels of other images. Default: the
        shape of the images in ``X``. Required for images of 2, 5 or more channels.
    feature_names : tuple of str, optional
        Names of the columns of ``X``; default: the names of a frame.
    X_validation, y_validation : array_like, optional
        The validation part, instead of rows of ``X``: both or neither, as for ``X_test``.
    target_names : tuple of str, optional
        A name for each output; default: the names of a frame or series.
    positions : Positions, optional
        Positions of the columns in the table that the data were read from.
    features, drop : tuple of str or int, optional
        Columns of ``X`` to take, or to leave out, by name or index; default: all columns.
    categorical, numeric : tuple of str or int, optional
        Columns to take as categories or as numbers; default: by their types and values.
    column_facts : tuple of ColumnFacts, optional
        What was found about the columns of a table.
    lines, lines_test, lines_validation : array_like of int, optional
        The line of a text file at which each row of ``X``, ``X_test`` and ``X_validation`` begins.

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
    image_shape: tuple[int, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    X_validation: Features | None = None
    y_validation: np.ndarray | None = None
    target_names: tuple[str, ...] | None = None
    positions: Positions | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    column_facts: tuple[ColumnFacts, ...] = ()
    lines: np.ndarray | None = None
    lines_test: np.ndarray | None = None
    lines_validation: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_task(self.task)
        self._find_columns()
        plain, names = as_plain(self.X, "X")
        if is_table(plain):
            names = plain.names
        if self.feature_names is not None:
            names = tuple(self.feature_names)
        self._store(image_shape=checked_shape(self.image_shape))
        rows = rows_of_images(plain, self.image_shape)
        X = rows.X if is_table(rows.X) else feature_matrix(rows.X, "X", names)
        known_targets = y_names = target_names(self.y)
        targets = dataset_targets(self.y, "y", self.task)
        if targets.one_hot:  # its columns are classes of a single target
            known_targets = None
        check_lengths(X, targets.y, "X", "y")
        self._store(X=X, y=targets.y, task=targets.task, feature_names=names)
        if rows.shape is not None:
            known = BYTES if X.dtype == np.uint8 else None
            self._store(
                feature_range=self.feature_range or known,
                image_shape=self.image_shape or rows.image_shape,
            )
        if self.target_names is None:
            self._store(target_names=known_targets)
        self._check_target_names()
        y_names = self.target_names or y_names
        training = TrainingRows(X, targets, names, y_names, rows.shape)
        for part in PARTS:
            X_part, y_part = self._part(part)
            if X_part is not None or y_part is not None:
                X_part, y_part = check_part(part, X_part, y_part, training)
                self._store(**{f"X_{part}": X_part, f"y_{part}": y_part})
        check_facts(self.n_features, self.feature_range, self.image_shape, self.feature_names)
        for suffix in ("", *(f"_{part}" for part in PARTS)):
            lines, y = getattr(self, f"lines{suffix}"), getattr(self, f"y{suffix}")
            if lines is not None:
                n = 0 if y is None else len(y)
                self._store(**{f"lines{suffix}": checked_lines(lines, n, suffix)})

    def _find_columns(self) -> None:
        """Find the kinds of columns, and leave out those that make no features."""
        chosen = Chosen.of(
            features=self.features, drop=self.drop, categorical=self.categorical,
            numeric=self.numeric,
        )  # fmt: skip
        if not is_mixed(self.X, chosen, "X"):
            return
        found = table_features(self.X, chosen, "X")
        for note in found.warnings:
            warnings.warn(note, stacklevel=5)  # the caller of Dataset
        self._store(X=found.X, column_facts=found.facts)
        self._leave_out_rows_without_target()
        if self.feature_names is None:
            self._store(feature_names=found.names)
        self._store(features=(), drop=(), categorical=(), numeric=())  # which are done

    def _leave_out_rows_without_target(self) -> None:
        y, missing = targets_with_gaps(self.y, "y")
        if missing is None or len(missing) != len(self.X) or not missing.any():
            return
        warnings.warn(
            f"rows without a target: {np.count_nonzero(missing):,} of {len(missing):,}, left out",
            stacklevel=6,
        )
        self._store(X=self.X[~missing], y=y[~missing], target_names=self.target_names or (
            target_names(self.y)
        ))  # fmt: skip
        if self.lines is not None:
            self._store(lines=np.asarray(self.lines)[~missing])

    def __repr__(self) -> str:
        """Return one line: name, sizes and targets, no values of features."""
        facts = [
            repr(self.name),
            size_text(self.X),
            targets_text(self.task, self.y, self.classes, self.target_names),
        ]
        for part in PARTS:
            X_part, _ = self._part(part)
            if X_part is not None:
                facts.append(f"{X_part.shape[0]} {part} rows")
        return f"<Dataset {', '.join(facts)}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    def _part(self, part: str) -> tuple[Features | None, np.ndarray | None]:
        """Return the features and the targets of a part, as they are stored."""
        return getattr(self, f"X_{part}"), getattr(self, f"y_{part}")

    def _store(self, **values: object) -> None:
        # A frozen dataclass refuses plain assignment, also to itself.
        for field, value in values.items():
            object.__setattr__(self, field, value)

    def _check_target_names(self) -> None:
        if self.target_names is None:
            return
        given = self.target_names
        names = (given,) if isinstance(given, str) else tuple(map(str, given))
        n_outputs = 1 if self.y.ndim == 1 else self.y.shape[1]
        if len(names) != n_outputs or len(set(names)) < len(names):
            raise DataError(
                f"target_names must be {n_outputs} different names, one for each column of y, got "
                f"{names}; rename or leave them out"
            )
        self._store(target_names=names)

    @property
    def n_features(self) -> int:
        """Number of columns of ``X``."""
        return int(self.X.shape[1])

    @property
    def has_official_split(self) -> bool:
        """Whether the dataset brings its own test part."""
        return self.X_test is not None

    @property
    def has_validation_part(self) -> bool:
        """Whether the dataset brings its own validation part."""
        return self.X_validation is not None

    @property
    def all_targets(self) -> list[np.ndarray]:
        """The targets of all parts: training, test and validation, if given."""
        given = (self.y, self.y_test, self.y_validation)
        return [y for y in given if y is not None]

    @lazy
    def classes(self) -> np.ndarray | None:
        """Sorted distinct labels of all parts together; None unless classification."""
        if self.task != "classification":
            return None
        return np.unique(np.concatenate([np.unique(y) for y in self.all_targets]))

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
        kept = matching_classes(self.classes, labels)
        rows = rows_of_classes(self.y, kept, "y")
        changes = self.selection("", rows)
        for part in PARTS:
            X_part, y_part = self._part(part)
            if X_part is not None and y_part is not None:
                rows = rows_of_classes(y_part, kept, f"y_{part}")
                changes |= self.selection(f"_{part}", rows)
        return replace(self, **changes)

    def selection(self, suffix: str, rows: np.ndarray) -> dict[str, Any]:
        """Return some rows of a part as values of its fields.

        Parameters
        ----------
        suffix : {"", "_test", "_validation"}
        rows : ndarray
            Indices, or bool of shape (n,).
        """
        names = [f"{name}{suffix}" for name in ("X", "y", "lines")]
        return {n: value[rows] for n in names if (value := getattr(self, n)) is not None}


def check_task(task: object) -> None:
    """Raise ConfigError for an unknown task."""
    if task not in TASKS:
        raise ConfigError(f"unknown task {task!r}{close_match(str(task), TASKS)}")
