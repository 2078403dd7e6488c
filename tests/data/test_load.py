from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data import load_dataset, mnist

WriteQuartet = Callable[[Path], Path]


def test_digits() -> None:
    data = load_dataset("digits")
    assert (data.name, data.task) == ("digits", "classification")
    assert data.X.shape == (1797, 64)
    assert data.X.dtype == np.uint8
    assert data.y.dtype == np.int64
    assert (int(data.X.min()), int(data.X.max())) == (0, 16)
    assert (data.feature_range, data.image_shape) == ((0, 16), (8, 8))
    assert not data.has_official_split
    assert data.y[:10].tolist() == list(range(10))
    assert data.X[0, :6].tolist() == [0, 0, 5, 13, 9, 1]


def test_auto_takes_mnist_where_it_is(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    said: list[str] = []
    folder = write_quartet(tmp_path / "data")
    data = load_dataset(data_dir=folder, notify=said.append)
    assert data.name == "mnist"
    assert len(said) == 1
    assert "MNIST" in said[0] and str(folder) in said[0] and "--data digits" in said[0]


def test_auto_falls_back_to_digits_with_reason(
    no_mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_dataset()
    assert data.name == "digits"
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "digits" in err and str(no_mnist / "mnist") in err and "--data mnist" in err


def test_auto_does_not_hide_damaged_files(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    folder = write_quartet(tmp_path / "data")
    (folder / mnist.TRAIN_IMAGES).write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        load_dataset("auto", data_dir=folder, notify=lambda message: None)


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_data_dir_that_does_not_exist_is_refused(
    name: str, no_mnist: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="data_dir must be an existing folder"):
        load_dataset(name, data_dir=tmp_path / "none")


def test_mnist_is_downloaded_only_where_it_is_missing(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    asked: list[Path] = []

    def download(folder: Path, mirrors: object) -> None:
        asked.append(folder)
        write_quartet(folder)

    monkeypatch.setattr(mnist, "download", download)
    assert load_dataset("mnist", notify=said.append).name == "mnist"
    assert load_dataset("mnist", notify=said.append).name == "mnist"
    assert asked == [no_mnist / "mnist"]
    assert len(said) == 1


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown dataset 'mnits'; did you mean 'mnist'"):
        load_dataset("mnits")
    with pytest.raises(ConfigError, match="did you mean 'spirals'"):
        load_dataset("spirl(n=50)")
    with pytest.raises(ConfigError, match="known: auto, blobs, digits, mnist, moons, spirals"):
        load_dataset("iris-flowers")
    with pytest.raises(
        ConfigError, match=r"files end in \.csv, \.tsv, \.parquet, \.arrow, \.npz or"
    ):
        load_dataset("")


@pytest.mark.parametrize("name", ["spirals", "spirals(n=50)", " Moons ( n=50 )", "blobs(50)"])
def test_recipes(name: str) -> None:
    data = load_dataset(name)
    assert data.n_features == 2
    assert len(data.y) == (1000 if name == "spirals" else 50)


def test_recipes_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ConfigError, match="spirals has no parameter 'm'"):
        load_dataset("spirals(m=3)")
    with pytest.raises(ConfigError, match=r"cannot read 'spirals\(n='"):
        load_dataset("spirals(n=")


CSV = "a,b,y\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n"


@pytest.mark.parametrize("name", ["some.csv", "some.CSV", "some.tsv", "some.txt", "some"])
def test_csv_files(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / name).write_text(CSV)
    for path in (tmp_path / name, str(tmp_path / name)):
        data = load_dataset(path, notify=said.append)
        assert (data.name, data.feature_names) == ("some", ("a", "b"))
        assert data.y.tolist() == [0, 1, 1, 0]
    assert sum(name in line for line in said) == 2
    chosen = load_dataset(tmp_path / name, target="a", task="regression", notify=said.append)
    assert chosen.y.tolist() == [1, 3, 5, 7]


@pytest.mark.parametrize("name", ["some.npz", "some.NPZ", "some.data", "some", "some.csv"])
def test_npz_files(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        np.savez(file, X=np.zeros((4, 2)), y=[1, 2, 1, 2])
    data = load_dataset(tmp_path / name)
    assert (data.name, data.task) == ("some", "classification")
    assert load_dataset(tmp_path / name, task="regression").task == "regression"
    with pytest.raises(ConfigError, match="target must be left out unless the data are a table"):
        load_dataset(tmp_path / name, target=0)


def test_compressed_table_is_recognised_by_content(tmp_path: Path) -> None:
    for name in ("some.csv.gz", "some.csv", "some"):
        (tmp_path / name).write_bytes(gzip.compress(CSV.encode()))
        data = load_dataset(tmp_path / name, notify=lambda message: None)
        assert (data.name, data.y.tolist()) == ("some", [0, 1, 1, 0])


def test_a_table_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    data = load_dataset("-", notify=lambda message: None)
    assert (data.name, data.y.tolist()) == ("stdin", [0, 1, 1, 0])
    with pytest.raises(ConfigError, match="must not all be standard input"):
        load_dataset("-", test_file="-")


def test_how_a_table_is_read_goes_by_keywords(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("id;a,b;c;y\n1;1,5;2;3\n2;2,5;4;4\n")

    def read(**options: Any) -> Any:
        return load_dataset(tmp_path / "some.csv", notify=lambda message: None, **options)

    data = read(target=["y", "a,b"], drop="id", decimal=",", separator="semicolon")
    assert (data.target_names, data.X.tolist()) == (("y", "a,b"), [[2], [4]])
    assert read(target="a,b", features=["c"]).y.tolist() == [1.5, 2.5]
    assert read(target=-1, drop=[0]).feature_names == ("a,b", "c")
    with pytest.raises(ConfigError, match="unknown option 'seperator'; did you mean 'separator'"):
        read(seperator=";")


def test_options_of_tables_are_refused_elsewhere(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", X=np.zeros((4, 2)), y=[1, 2, 1, 2])
    with pytest.raises(ConfigError, match="header must be left out unless the data are a table"):
        load_dataset(tmp_path / "some.npz", header="yes")
    with pytest.raises(ConfigError, match="test_file must be left out unless the data are a file"):
        load_dataset("digits", test_file="some.csv")


def test_classes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("a,y\n1,u\n2,v\n3,w\n")
    data = load_dataset(tmp_path / "some.csv", classes="u,w", notify=lambda message: None)
    assert data.X.tolist() == [[1], [3]]
    assert data.feature_names == ("a",)


@pytest.mark.parametrize("name", ["none.csv", "none.tsv", "none.npz", "folder/none.csv"])
def test_a_missing_file_is_no_unknown_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="No such file") as caught:
        load_dataset(name)
    assert caught.value.exit_code == 3


def test_paths_that_are_no_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"got '.*', a folder; name a file that ends in \.csv"):
        load_dataset(tmp_path)
    with pytest.raises(DataError, match="a path that does not exist"):
        load_dataset(tmp_path / "none.txt")


@pytest.mark.parametrize("name", ["digits", "moons"])
def test_a_folder_or_file_hides_no_dataset(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "moons").write_text(CSV)
    assert load_dataset(name).name == name


@pytest.mark.parametrize("name", ["digits", "spirals"])
def test_what_only_files_need_is_refused_elsewhere(name: str) -> None:
    with pytest.raises(ConfigError, match=f"target must be left out .* got 'y' with '{name}'"):
        load_dataset(name, target="y")
    with pytest.raises(ConfigError, match=f"task must be .* got 'regression' with '{name}'"):
        load_dataset(name, task="regression")


@pytest.mark.parametrize("classes", [[3, 7], ("7", "3"), "3,7", {3, 7}])
def test_classes(classes: list[object]) -> None:
    data = load_dataset("digits", classes=classes)
    assert data.classes is not None and data.classes.tolist() == [3, 7]
    assert len(data.y) == 362


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(DataError, match="got '11'; known: 0, 1"):
        load_dataset("digits", classes=[3, 11])


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, fastmlp.data.split, fastmlp.data.load\n"
        "heavy = {'numba', 'pandas', 'sklearn', 'scipy', 'urllib.request'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
