"""What tells datasets apart: their content, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastmlp import Dataset
from fastmlp.data.fingerprint import data_hash, fingerprint

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])
PLAIN = Dataset(X, Y, X, Y)


def test_equal_contents_have_equal_fingerprints_whatever_their_names() -> None:
    other = Dataset(X.copy(), Y.copy(), X.copy(), Y.copy(), name="other", feature_names=("a", "b"))
    assert fingerprint(other) == fingerprint(PLAIN)
    assert data_hash(other) == data_hash(PLAIN)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("X", np.where(X == 11, 11.5, X).astype(np.float32)),
        ("X", X.astype(np.float64)),
        ("X_test", X[::-1]),
        ("y", Y[::-1]),
        ("y_test", 1 - Y),
        ("feature_range", (0.0, 11.0)),
    ],
)
def test_each_part_of_fingerprint_matters_and_is_named(part: str, value: object) -> None:
    changed, plain = fingerprint(replace(PLAIN, **{part: value})), fingerprint(PLAIN)
    assert [name for name in plain if plain[name] != changed[name]] == [part]
    assert data_hash(replace(PLAIN, **{part: value})) != data_hash(PLAIN)


def test_validation_rows_are_part_of_identity() -> None:
    given = replace(PLAIN, X_validation=X, y_validation=Y)
    other = replace(PLAIN, X_validation=X, y_validation=1 - Y)
    assert len({data_hash(data) for data in (PLAIN, given, other)}) == 3
    assert fingerprint(given).items() > fingerprint(PLAIN).items()
    assert fingerprint(given)["X_validation"] == fingerprint(given)["X"]


def test_sparse_features_are_identified_by_values_and_indices() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    y = np.array([0, 1, 1])
    first = Dataset(sparse.csr_array(dense), y)
    moved = Dataset(sparse.csr_array(dense[:, ::-1]), y)
    assert fingerprint(first) == fingerprint(Dataset(sparse.coo_array(dense), y))
    assert fingerprint(first)["X"] != fingerprint(moved)["X"]


def test_sizes_can_be_read() -> None:
    assert fingerprint(PLAIN)["X"].startswith("6 x 2 float32 ")
    assert fingerprint(Dataset(X, Y))["X_test"] == "none"
