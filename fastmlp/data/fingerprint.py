"""Fingerprints of datasets, which identify their content."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ..base.csr import is_sparse
from ..base.table_rows import is_table
from .dataset import Dataset


def fingerprint(dataset: Dataset) -> dict[str, str]:
    """Return a text for each part of a dataset that training sees: sizes, and a hash of the bytes.

    Names and files are left out, since they change no result.
    """
    names = ["X", "y", "X_test", "y_test"]
    if dataset.has_validation_part:  # else left out, so that older fingerprints stay valid
        names += ["X_validation", "y_validation"]
    parts = {name: getattr(dataset, name) for name in names}
    return {
        "task": dataset.task,
        "feature_range": repr(dataset.feature_range),
        **{name: array_text(value) for name, value in parts.items()},
    }


def data_hash(dataset: Dataset) -> str:
    """Return the fingerprint as one short hash."""
    text = repr(fingerprint(dataset))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def array_text(value: Any) -> str:
    """Return shape, dtype and a hash of an array, CSR matrix or table; ``none`` for None."""
    if value is None:
        return "none"
    digest = hashlib.blake2b(digest_size=16)
    if is_table(value):
        for kind, column in zip(value.kinds, value.selected(), strict=True):
            levels = getattr(column, "levels", ())
            digest.update(repr((kind, levels, getattr(column, "format", ""))).encode())
            digest.update(np.ascontiguousarray(column.data).view(np.uint8).data)
        return f"{len(value)} x {', '.join(value.kinds)} {digest.hexdigest()}"
    value = value if is_sparse(value) else np.asarray(value)
    arrays = (value.data, value.indices, value.indptr) if is_sparse(value) else (value,)
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    shape = " x ".join(map(str, value.shape))
    return f"{shape} {value.dtype} {digest.hexdigest()}"
