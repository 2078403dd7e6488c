"""Rows of a table to predict from: found by name, stored as in training, gaps noted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import as_plain
from ..base.csr import Features, canonical, is_sparse
from ..base.errors import DataError
from ..base.frame_columns import array_rows, frame_rows
from ..base.frames import frame_columns_at, frame_numbers, read_frame
from ..base.image_rows import rows_of_images
from ..base.named_columns import frame_columns
from ..base.table_rows import Numbers, TableRows, Texts, are_plain, is_table
from ..base.wording import quoted
from ..ops.kinds import KINDS
from ..ops.layers import Shape
from ..ops.table_encoding import TableEncoding
from .features import FeatureInfo


class OwnedRows(NamedTuple):
    """Rows stored as in training, and notes on values that training did not have."""

    rows: TableRows
    notes: list[str]


def table_of(
    X: Any, encoding: TableEncoding, target_names: Sequence[str] | None, stacklevel: int
) -> TableRows:
    """Return rows with the columns of training, stored as there; warns of new gaps.

    Parameters
    ----------
    X : TableRows, frame or array_like, shape (n, n_columns)
        Columns of a frame are found by name, in any order, if the encoding knows names; those of
        an array are in the order of training.
    encoding : TableEncoding
    target_names : sequence of str or None
        Columns that a frame may hold in addition.
    stacklevel : int
        Of warnings.

    Raises
    ------
    DataError
        If a column is missing, or does not hold values of its kind.
    """
    if is_table(X) and X.kinds:
        return encoding.own(X)  # a part of the data trained on
    rows = X if is_table(X) else _read(X, encoding, target_names, stacklevel + 1)
    if rows.shape[1] != encoding.n_columns:
        raise DataError(
            f"X must have {encoding.n_columns} columns, as in training, got {rows.shape[1]}; a "
            "single row is a table of one row"
        )
    owned = owned_rows(encoding, rows, "X")
    for note in owned.notes:
        warnings.warn(note, stacklevel=stacklevel)
    return owned.rows


def stored_rows(
    rows: TableRows, encoding: TableEncoding | None, features: FeatureInfo | None, where: str
) -> tuple[Any, list[str]]:
    """Return rows of a file as a model takes them, with notes on values that it does not know."""
    if encoding is None:
        return with_means(rows, features, where)
    return owned_rows(encoding, rows, where)


def plain_of(
    X: Any, features: FeatureInfo | None, target_names: Sequence[str] | None, stacklevel: int
) -> Any:
    """Return rows for a model of plain numbers: frames as matrices, their gaps as the means.

    Parameters and errors as for :func:`table_of`. Arrays are returned as they are.
    """
    names = None if features is None else features.names
    find = frame_columns(names, target_names, "X", stacklevel + 1)
    frame = read_frame(X, "X")
    if is_table(X):
        rows = X
    elif frame is None or features is None:
        return as_plain(X, "X", find)[0]
    else:
        found = find(list(map(str, frame.columns)))
        frame = frame if found is None else frame_columns_at(frame, found)
        rows = frame_rows(frame, "X")
        if are_plain(rows.columns):
            return frame_numbers(frame, "X")
    filled, notes = with_means(rows, features, "X")
    for note in notes:
        warnings.warn(note, stacklevel=stacklevel)
    return filled


def matrix_of(X: Any, shape: Shape) -> Features:
    """Return rows as a numeric matrix, a sparse one as CSR.

    Parameters
    ----------
    X : array_like or sparse matrix
    shape : tuple of int
        Of an input of the network: ``(features,)``, or that of an image.

    Raises
    ------
    DataError
        If X has another shape, or does not hold numbers.
    """
    try:
        given = X if is_sparse(X) else np.asarray(X)
    except ValueError:
        raise DataError(
            "X must be a matrix, got rows of different lengths; give every row the same length"
        ) from None
    X, found = rows_of_images(given, shape)
    n_features, is_image = math.prod(shape), len(shape) == 3
    if X.ndim != 2 or X.shape[1] != n_features or (is_image and found not in (None, shape)):
        images = f" or (n, {', '.join(map(str, shape))})" if is_image else ""
        raise DataError(
            f"X must have shape (n, {n_features}){images} as in training, got {given.shape}; "
            "a single row is X.reshape(1, -1)"
        )
    if X.dtype.kind not in "fiub":
        raise DataError(
            f"X must hold numbers, got dtype {X.dtype}; convert it with X.astype(float)"
        )
    return canonical(X, "X") if is_sparse(X) else X


def with_means(
    rows: TableRows, features: FeatureInfo | None, where: str
) -> tuple[np.ndarray, list[str]]:
    """Return rows as a matrix, gaps as the means of training, with notes on them.

    Raises
    ------
    DataError
        If a column has texts and no numbers, or gaps and the model knows no means.
    """
    filled, notes = np.empty(rows.shape), []
    if features is not None and len(features.mean) != rows.shape[1]:
        raise DataError(
            f"{where} must have {len(features.mean)} columns, as in training, got {rows.shape[1]}; "
            "select the columns of training"
        )
    for j, column in enumerate(rows.columns):
        label = str(j) if rows.names is None else rows.names[j]
        if isinstance(column, Texts):
            notes += _notes_on_texts(column, label, where)
        values = column.numbers()
        gaps = column.missing_numbers()
        filled[:, j] = values
        if not gaps.any():
            continue
        if features is None:
            raise DataError(
                f"{where}: column {label!r} must have no gaps, since the model does not know the "
                f"means of training, got {np.count_nonzero(gaps)}; fill them"
            )
        filled[gaps, j] = features.mean[j]
        notes.append(
            f"{where}: column {label!r} has {np.count_nonzero(gaps)} gap(s), training had none; "
            f"they are the mean {features.mean[j]:g}"
        )
    return filled, notes


def owned_rows(encoding: TableEncoding, rows: TableRows, where: str) -> OwnedRows:
    """Return rows as the kinds in training are stored, with notes; errors as :func:`table_of`."""
    notes = []
    for j, (kind, column) in enumerate(zip(encoding.kinds, rows.columns, strict=True)):
        if KINDS.parse(kind).holds_numbers and isinstance(column, Texts):
            notes += _notes_on_texts(column, encoding.label(j), where)
    owned = encoding.own(rows)
    for j, column in enumerate(owned.columns):
        if isinstance(column, Numbers) and column.values.dtype.kind == "f":
            infinite = np.isinf(column.values)
            if infinite.any():
                raise DataError(
                    f"{where} must hold finite numbers, got infinity in column "
                    f"{encoding.label(j)!r}, row {int(infinite.argmax())} counting from 0; replace "
                    "it by a number, or by a gap"
                )
    for label, (n, stand_in) in encoding.new_gaps(owned).items():
        notes.append(
            f"{where}: column {label!r} has {n} gap(s), training had none; they are {stand_in}"
        )
    return OwnedRows(owned, notes)


def _read(
    X: Any, encoding: TableEncoding, target_names: Sequence[str] | None, stacklevel: int
) -> TableRows:
    frame = read_frame(X, "X")
    if frame is not None:
        find = frame_columns(encoding.names, target_names, "X", stacklevel + 1)
        found = find(list(map(str, frame.columns)))
        return frame_rows(frame if found is None else frame_columns_at(frame, found), "X")
    try:
        array = X if isinstance(X, np.ndarray) else np.array(X, object)
    except ValueError:
        array = np.empty(0)
    if array.ndim != 2:
        raise DataError(
            f"X must be a table of {encoding.n_columns} columns, as in training, got shape "
            f"{array.shape}; pass a frame, or a list of rows"
        )
    return array_rows(array, "X")


def _notes_on_texts(column: Texts, label: str, where: str) -> list[str]:
    """Return a note on texts in a column of numbers; DataError if it holds no number."""
    is_text = np.isnan(Texts(np.arange(len(column.levels)), column.levels).numbers())
    counts = column.counts()
    texts = [column.levels[i] for i in np.flatnonzero(is_text & (counts > 0))]
    if not texts:
        return []
    if not counts[~is_text].sum():
        raise DataError(
            f"{where}: column {label!r} must hold numbers, as in training, got texts such as "
            f"{texts[0][:40]!r}; give the column of training"
        )
    return [
        f"{where}: column {label!r} must hold numbers; {quoted(texts)} in "
        f"{int(counts[is_text].sum())} row(s) is taken as a gap"
    ]
