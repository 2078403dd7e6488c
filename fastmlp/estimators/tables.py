"""Frames with categories, dates and gaps as rows of an estimator: their columns and encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, validate_data

from ..base.conversion import unmasked
from ..base.csr import is_sparse
from ..base.errors import ConfigError, DataError
from ..base.frame_columns import array_rows, frame_rows
from ..base.frames import holds_numbers, read_frame
from ..base.table_rows import Numbers, TableRows, Texts
from ..model.encoding import encoded_table
from ..model.table_inputs import owned_rows
from ..ops.kinds import KINDS
from ..ops.scalers import SCALERS
from ..ops.table_encoding import TableEncoding
from .problem import Problem, split

FROM_DTYPE = "from_dtype"
# Beside categories, numbers are scaled: of the sizes that columns have, most networks learn little.
SCALE = "standard"


def takes_table(estimator: Any, X: Any, first: bool) -> bool:
    """Whether rows are encoded: frames with other columns than numbers, or chosen categories.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : array_like or frame
    first : bool
        Whether they are the first rows of a new network, which decide.
    """
    if not first:
        return bool(estimator._kinds)
    estimator._encoding, estimator._kinds = None, ()
    chosen = estimator.categorical_features
    if chosen is None or is_sparse(X):
        return False
    if not isinstance(chosen, str):
        return len(np.atleast_1d(np.asarray(chosen))) > 0
    frame = read_frame(X, "X")
    return frame is not None and not all(map(holds_numbers, frame.iter_columns()))


def checked_table(estimator: Any, X: Any, name: str, first: bool) -> TableRows:
    """Return the rows of a table after scikit-learn's checks of columns and names.

    Raises
    ------
    ConfigError
        If ``categorical_features`` names a column that is not there.
    DataError
        If a column holds values of no known kind, or infinite numbers.
    """
    frame = read_frame(X, name)
    if frame is None:
        X = np.asarray(unmasked(X, name))
        if X.ndim != 2:
            raise DataError(
                f"{name} must be 2-D (rows, columns), got shape {X.shape}; pass a frame, or "
                f"{name}.reshape(len({name}), -1)"
            )
    validate_data(estimator, X, reset=first, skip_check_array=True, y="no_validation")
    rows = array_rows(X, name) if frame is None else frame_rows(frame, name)
    if not len(rows):
        raise DataError(f"{name} must have at least one row, got 0 sample(s)")
    if estimator._encoding is not None:
        return owned_rows(estimator._encoding, rows, name).rows
    if first:
        chosen = _chosen(estimator.categorical_features, rows)
        estimator._kinds = tuple(
            "category" if j in chosen else _kind(rows.columns[j]) for j in range(rows.shape[1])
        )
    columns = tuple(
        KINDS.parse(kind).own(column)
        for kind, column in zip(estimator._kinds, rows.columns, strict=True)
    )
    return replace(rows, columns=columns, kinds=estimator._kinds)


def check_table(estimator: Any, X: Any, y: Any, suffix: str, first: bool) -> tuple[TableRows, Any]:
    """Return the rows of a table and targets; ``suffix`` completes the names of X and y."""
    rows = checked_table(estimator, X, f"X{suffix}", first)
    estimator._input_shape = ()
    y = estimator._plain_target(y, f"y{suffix}")
    y = _check_y(y, multi_output=True, estimator=estimator, **estimator._target_checks)
    check_consistent_length(rows, y)
    return rows, y


def encode_problem(estimator: Any, problem: Problem, first: bool) -> None:
    """Split the rows of a fit, learn their encoding on those for training, and encode them."""
    parts = split(estimator, problem)
    if first:
        scaler = SCALERS.parse(SCALE if estimator.scale is None else estimator.scale)
        least = int(estimator.min_frequency)
        estimator._encoding = TableEncoding.fit(parts.X_train, scaler, least)
    encoding, dtype = estimator._encoding, np.dtype(np.float64)
    if not encoding.n_features:
        raise DataError(
            "X must have a column that makes a feature, got none: each has a single value or only "
            "rare levels; add columns or rows, or lower min_frequency (now "
            f"{estimator.min_frequency})"
        )
    changes: dict[str, Any] = {
        name: encoded_table(encoding, rows, dtype)
        for name, rows in (("X_train", parts.X_train), ("X_validation", parts.X_validation))
        if rows is not None
    }
    problem.parts = parts._replace(**changes)
    problem.X = problem.parts.X_train


def encoded_rows(estimator: Any, X: Any) -> Any:
    """Return rows to predict from as the features of the network."""
    rows = checked_table(estimator, X, "X", first=False)
    return encoded_table(estimator._encoding, rows, estimator.coefs_[0].dtype)


def _kind(column: Any) -> str:
    if isinstance(column, Texts):
        return "category"
    if not isinstance(column, Numbers):
        return "date"
    return "boolean" if column.values.dtype == bool else "number"


def _chosen(categorical: Any, rows: TableRows) -> set[int]:
    """Return the columns that ``categorical_features`` names, by mask, index or name."""
    n, names = rows.shape[1], rows.names or ()
    if isinstance(categorical, str):
        return set()
    given: Sequence[Any] = list(np.atleast_1d(np.asarray(categorical)).tolist())
    if all(isinstance(value, bool) for value in given):
        if len(given) != n:
            raise ConfigError(
                f"categorical_features set as a boolean mask must have shape (n_features,) = "
                f"({n},), got {len(given)} values; give one for each column"
            )
        return {j for j, is_category in enumerate(given) if is_category}
    found = set()
    for value in given:
        if isinstance(value, str) and value in names:
            found.add(list(names).index(value))
        elif isinstance(value, Integral) and -n <= int(value) < n:
            found.add(int(value) % n)
        else:
            raise ConfigError(
                f"categorical_features must hold names or indices of the {n} columns of X, got "
                f"{value!r}; names are those of a frame"
            )
    return found
