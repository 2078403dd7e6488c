from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data import Dataset, load_dataset
from fastmlp.data.files import kind_of_file

TRAIN = "a,b,y\n1,2,u\n3,4,v\n5,6,u\n"


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """The function that stores files with training and further rows, and loads them together."""

    def store_and_load(train: str, further: str, part: str = "test", **options: Any) -> Dataset:
        (tmp_path / "train.csv").write_text(train)
        (tmp_path / "further.csv").write_text(further)
        files: dict[str, Any] = {f"{part}_file": tmp_path / "further.csv"}
        said = options.pop("said", [])
        return load_dataset(tmp_path / "train.csv", notify=said.append, **files, **options)

    return store_and_load


@pytest.mark.parametrize("part", ["test", "validation"])
def test_further_rows_are_found_by_the_names_of_their_columns(part: str, load: Any) -> None:
    said: list[str] = []
    data = load(TRAIN, "y,Id,b,a\nv,7,2,1\nu,8,4,3\n", part, said=said)
    assert getattr(data, f"X_{part}").tolist() == [[1, 2], [3, 4]]
    assert getattr(data, f"y_{part}").tolist() == ["v", "u"]
    assert data.X.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert sum("Id" in line for line in said) == 1


def test_both_files_together(tmp_path: Path) -> None:
    for name in ("train", "test", "validation"):
        (tmp_path / f"{name}.csv").write_text(TRAIN)
    data = load_dataset(
        tmp_path / "train.csv",
        test_file=tmp_path / "test.csv",
        validation_file=str(tmp_path / "validation.csv"),
        notify=lambda message: None,
    )
    assert data.X_test is not None and data.X_validation is not None
    assert data.X_test.shape == data.X_validation.shape == (3, 2)


def test_without_headers_positions_count(load: Any) -> None:
    data = load("9,1,2,0.5\n9,3,4,0.7\n", "9,5,6,0.9\n", drop=["0"])
    assert (data.X_test.tolist(), data.y_test.tolist()) == ([[5, 6]], [0.9])


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize(
    "options", [{"target": "y", "drop": ["id"]}, {"target": "y", "features": ["b", "a"]}]
)
@pytest.mark.parametrize("further", ["0.9,5,1,6\n", "y,a,id,b\n0.9,5,1,6\n", "0.9,5,6\n"])
def test_columns_that_were_named_are_found_without_a_header(
    further: str, options: dict[str, Any], part: str, load: Any
) -> None:
    data = load("y,a,id,b\n0.5,1,9,2\n0.7,3,9,4\n", further, part, **options)
    assert getattr(data, f"X_{part}").tolist() == [[5, 6]]
    assert getattr(data, f"y_{part}").tolist() == [0.9]


def test_labels_are_read_as_those_of_training(load: Any) -> None:
    assert load(TRAIN, "a,b,y\n1,2,7\n").y_test.tolist() == ["7"]
    assert load("a,b,y\n" + "1,2,1\n2,3,0\n" * 3, "a,b,y\n1,2,1.0\n").y_test.tolist() == [1]
    assert load("a,b,y\n1,2,1\n2,3,0\n", "a,b,y\n1,2,1\n").y_test.dtype == np.float64
    flags = load("a,y,z\n1,1,1\n2,0,1\n", "z,y,a\n0,1,5\n", target=["y", "z"])
    assert (flags.task, flags.y_test.tolist()) == ("multilabel", [[1, 0]])


def test_further_rows_without_targets_or_features_are_refused(load: Any) -> None:
    with pytest.raises(DataError, match=r"must hold the targets, 'y', got only features"):
        load(TRAIN, "a,b\n1,2\n")
    with pytest.raises(DataError, match="got none for 'b'"):
        load(TRAIN, "a,y\n1,u\n")


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TRAIN)
    np.savez(tmp_path / "t.npz", X=np.zeros((3, 2)), y=[0, 1, 0])
    with pytest.raises(ConfigError, match="test_file must be a table in text, as data is"):
        load_dataset(tmp_path / "t.csv", test_file=tmp_path / "t.npz", notify=lambda message: None)
    with pytest.raises(ConfigError, match="test_file must be an NPZ file, as data is"):
        load_dataset(tmp_path / "t.npz", test_file=tmp_path / "t.csv", notify=lambda message: None)


def test_an_npz_file_with_further_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", X=np.zeros((3, 2)), y=[0, 1, 0])
    np.savez(tmp_path / "more.npz", X=np.ones((2, 2)), y=[1, 1])
    data = load_dataset(
        tmp_path / "train.npz", test_file=tmp_path / "more.npz", notify=lambda message: None
    )
    assert data.X_test is not None and data.X_test.tolist() == [[1, 1], [1, 1]]
    np.savez(tmp_path / "whole.npz", X=np.zeros((3, 2)), y=[0, 1, 0], X_test=[[1, 1]], y_test=[1])
    with pytest.raises(ConfigError, match="since data brings test rows of its own"):
        load_dataset(
            tmp_path / "whole.npz", test_file=tmp_path / "more.npz", notify=lambda message: None
        )


def test_kind_of_file_is_recognised_by_content(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays", X=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "t.csv").write_text(TRAIN)
    kinds = {"arrays.npz": "npz", "array.npy": "npy", "t.csv": "table"}
    for name, kind in kinds.items():
        assert kind_of_file(str(tmp_path / name)) == kind
        (tmp_path / name).rename(tmp_path / "some.csv")
        assert kind_of_file(str(tmp_path / "some.csv")) == kind
    assert kind_of_file("none.npz") == "npz" and kind_of_file("-") == "table"
