from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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


def test_auto_falls_back_to_digits_and_says_why(
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
    with pytest.raises(ConfigError, match="known: auto, digits, mnist"):
        load_dataset("iris-flowers")


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
        "import sys, fastmlp.data.split\n"
        "heavy = {'numba', 'sklearn', 'scipy', 'urllib.request'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
