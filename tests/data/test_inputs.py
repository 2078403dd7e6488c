from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastmlp import ConfigError, DataError
from fastmlp.base.table_options import TableOptions
from fastmlp.data.inputs import Inputs, read_inputs
from fastmlp.data.tables import KnownColumns


def read(
    *paths: Path,
    n_features: int = 2,
    is_regression: bool = False,
    labels: Path | None = None,
    notify: Callable[[str], None] | None = None,
    **options: Any,
) -> Inputs:
    known = KnownColumns(None, None, n_features, is_regression=is_regression)
    table = TableOptions(**options)
    return read_inputs(paths, known, table=table, given=options, labels=labels, notify=notify)


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "t.csv") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize("header", ["", "a,b\n", "0,1\n"])
def test_table_without_target(table: Callable[[str], Path], header: str) -> None:
    inputs = read(table(f"{header}1,2.5\n3,4\n"))
    expected = [[1, 2.5], [3, 4]]
    if header == "0,1\n":  # two numbers are a row, as in training
        expected = [[0, 1], *expected]
    np.testing.assert_array_equal(inputs.X, expected)
    assert inputs.y is None


def test_one_feature_is_enough(table: Callable[[str], Path]) -> None:
    assert read(table("1\n2\n"), n_features=1).X.shape == (2, 1)


def test_a_column_more_is_the_target(table: Callable[[str], Path]) -> None:
    path = table("label,a,b\ncat,1,2\ndog,3,4\n")
    inputs = read(path)
    np.testing.assert_array_equal(inputs.X, [[1, 2], [3, 4]])
    assert inputs.y is not None and inputs.y.tolist() == ["cat", "dog"]
    by_name = read(table("a,b,c\n1,2,7\n"), target="a")
    assert by_name.y is not None and by_name.y.tolist() == [1]
    np.testing.assert_array_equal(by_name.X, [[2, 7]])
    numbers = read(table("1,2,3\n4,5,6\n"), is_regression=True)
    assert numbers.y is not None and numbers.y.dtype == float


def test_a_compressed_table_is_no_file_of_images(tmp_path: Path) -> None:
    for name in ("t.csv.gz", "t.csv", "t"):
        (tmp_path / name).write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
        np.testing.assert_array_equal(read(tmp_path / name).X, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("1,2,3,4\n", {}, "must have 2 columns of features"),
        ("1\n", {}, "at most one of targets, got 1 columns"),
        ("1,2,3,4\n", {"target": "0"}, "must have 2 columns of features"),
        ("1,inf\n2,3\n", {}, "must hold a finite number"),
        ("a,b\n", {}, "only the header"),
        ("a,a\n1,2\n", {}, "column names must differ"),
        ("", {}, "is empty"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    table: Callable[[str], Path], text: str, options: dict, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read(table(text), **options)


def test_gaps_and_texts_are_read_as_they_are(table: Callable[[str], Path]) -> None:
    found = read(table("a,b\n1,red\n,blue\n"))
    assert [column.shown() for column in found.X.columns] == [["1", ""], ["red", "blue"]]


def test_rows_without_a_target_are_kept(table: Callable[[str], Path]) -> None:
    found = read(table("1,2,x\n1,2,\n3,4,y\n"))
    assert len(found.X) == 3 and found.y is not None and found.y.tolist() == ["x", "y"]
    assert found.has_target is not None and found.has_target.tolist() == [True, False, True]
    assert read(table("1,2,\n1,2,NA\n")).y is None


def test_arrays(tmp_path: Path) -> None:
    images = np.arange(12).reshape(2, 2, 3)
    np.savez(tmp_path / "a.npz", X=images)
    np.savez(tmp_path / "b.npz", x_train=images, Y=[5, 6], other=np.array([None]))
    np.testing.assert_array_equal(read(tmp_path / "a.npz").X, images.reshape(2, 6))
    assert read(tmp_path / "a.npz").y is None
    labels = read(tmp_path / "b.npz").y
    assert labels is not None and labels.tolist() == [5, 6]
    np.savez(tmp_path / "c.npz", X=images, y=[5])
    with pytest.raises(DataError, match="y must have one entry per row of X"):
        read(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", Z=images)
    with pytest.raises(DataError, match="must hold arrays X, got 'Z'"):
        read(tmp_path / "d.npz")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "e.npz")


def test_idx_files_are_recognised_by_content(
    tmp_path: Path, idx_bytes: Callable[[np.ndarray], bytes]
) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    (tmp_path / "images").write_bytes(idx_bytes(images))
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx_bytes(images)))
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([7, 3], np.uint8)))
    for name in ("images", "images.gz"):
        inputs = read(tmp_path / name, labels=tmp_path / "labels")
        np.testing.assert_array_equal(inputs.X, images.reshape(2, 6))
        assert inputs.y is not None and inputs.y.tolist() == [7, 3]
    with pytest.raises(DataError, match="give labels by --labels"):
        read(tmp_path / "labels")
    (tmp_path / "labels").write_bytes(idx_bytes(np.array([7], np.uint8)))
    with pytest.raises(DataError, match="a label for each of the 2 images"):
        read(tmp_path / "images", labels=tmp_path / "labels")


def test_images(tmp_path: Path) -> None:
    for label in ("3", "7"):
        (tmp_path / label).mkdir()
        Image.fromarray(np.full((1, 2), int(label), np.uint8)).save(tmp_path / label / "a.png")
    inputs = read(tmp_path)
    np.testing.assert_array_equal(inputs.X, [[3, 3], [7, 7]])
    assert inputs.y is not None and inputs.y.tolist() == ["3", "7"]
    assert inputs.files == [str(tmp_path / "3" / "a.png"), str(tmp_path / "7" / "a.png")]
    assert inputs.are_images
    several = read(tmp_path / "7" / "a.png", tmp_path / "3" / "a.png")
    assert several.X[:, 0].tolist() == [7, 3] and several.y is None


def test_what_a_kind_of_file_does_not_have_is_refused(
    table: Callable[[str], Path], tmp_path: Path
) -> None:
    path = table("1,2\n")
    with pytest.raises(ConfigError, match="--labels applies to IDX, PNG and NPY"):
        read(path, labels=path)
    with pytest.raises(ConfigError, match="target must be left out unless the rows are a table"):
        read(tmp_path / "a.npz", target="y")
    with pytest.raises(ConfigError, match=r"must all be \.png files or folders"):
        read(tmp_path / "a.png", path)
