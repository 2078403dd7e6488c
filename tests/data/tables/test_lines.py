"""The lines of a file at which rows begin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from fastmlp.data import Dataset
from fastmlp.data.split import parts

Read = Callable[..., Dataset]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("a,y\n1,x\n2,z\n3,x\n", [2, 3, 4]),
        ("1,x\n2,z\n3,x", [1, 2, 3]),
        ('a,b,y\n1,"two\nlines",x\n2,"a ""quote""",z\n\n3,plain,x\n4,plain,z\n', [2, 4, 6, 7]),
        ('a,b,y\n1,"u\n\nv\n",x\n2,w,z\n3,w,z\n', [2, 6, 7]),
        ("# by hand\na,y\n1,x\n# between\n2,z\n3,x\n", [3, 5, 6]),
        ("a,b,y\n1,p,x\n2,q,\n3,,z\n4,p,x\n", [2, 4, 5]),  # a row without a target
        ("a,y\r\n1,x\r\n2,z\r\n", [2, 3]),
    ],
)
def test_rows_know_their_lines(content: str, lines: list[int], read: Read, any_reader: str) -> None:
    data = read(content, drop=())
    assert data.lines is not None and data.lines.tolist() == lines


def test_lines_follow_their_rows_through_selections_and_splits(read: Read) -> None:
    rows = [f"{i},{'' if i % 7 == 0 else i * 2},{'abc'[i % 3]}" for i in range(60)]
    data = read("p,q,y\n" + "\n".join(rows) + "\n")
    assert data.lines is not None
    some = data.keep_classes(["a", "b"])
    assert some.lines is not None
    assert [(line - 2) % 3 for line in some.lines.tolist()] == [0, 1] * 20
    found = parts(some, split="70-30", validation=0.2, seed=3)
    for X, y, indices in (
        (found.X_train, found.y_train, found.rows_train),
        (found.X_validation, found.y_validation, found.rows_validation),
        (found.X_test, found.y_test, found.rows_test),
    ):
        lines = some.lines[indices]
        assert X is not None and y is not None
        wanted = [np.nan if (line - 2) % 7 == 0 else 2 * (line - 2) for line in lines]
        np.testing.assert_array_equal(X.column(0).numbers(), wanted)
        assert y.tolist() == ["abc"[(line - 2) % 3] for line in lines]


def test_files_of_parts_have_lines_of_their_own(tmp_path: Path) -> None:
    header, rows = "p,q,y\n", [f"{'uvw'[i % 3]},{i % 5},{'ab'[i % 2]}\n" for i in range(20)]
    (tmp_path / "train.csv").write_text(header + "".join(rows))
    (tmp_path / "test.csv").write_text(header + "".join(rows[3:9]) + "u,2,\n" + rows[9])
    data = fastmlp.load_dataset(
        tmp_path / "train.csv", test_file=tmp_path / "test.csv", notify=lambda note: None
    )
    assert data.lines_test is not None and data.lines_test.tolist() == [2, 3, 4, 5, 6, 7, 9]
    found = parts(data)
    assert found.rows_test is not None
    assert found.rows_test.tolist() == list(range(20, 27))


def test_rows_of_all_parts_are_numbered() -> None:
    X = np.arange(20.0).reshape(10, 2)
    y = np.arange(10) % 2
    data = Dataset(X, y, X_test=X[:4], y_test=y[:4], X_validation=X[:3], y_validation=y[:3])
    whole = np.concatenate([X, X[:4], X[:3]])
    for split in ("auto", "none", "60-40"):
        found = parts(data, split=split)
        for name in ("train", "validation", "test"):
            rows: Any = getattr(found, f"rows_{name}")
            part = getattr(found, f"X_{name}")
            assert (rows is None) == (part is None)
            if rows is not None:
                np.testing.assert_array_equal(whole[rows], part)


def test_lines_must_fit_the_rows() -> None:
    with pytest.raises(fastmlp.DataError, match="lines must be 3 integers, one for each row of X"):
        Dataset([[1.0], [2.0], [3.0]], [0, 1, 0], lines=np.array([1, 2]))
