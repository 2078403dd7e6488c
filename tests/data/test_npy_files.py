from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastmlp import ConfigError, DataError, load_dataset
from fastmlp.data.npy_files import read_npy, read_npy_rows

X = np.arange(12.0).reshape(6, 2)
Y = np.array([3, 5, 3, 7, 5, 7])


def save(folder: Path, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def refusal(name: object, **options: str) -> str:
    with pytest.raises(DataError) as caught:
        read_npy(str(name), **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("features", "targets"),
    [
        ("X", "y"),
        ("x", "Y"),
        ("X_train", "y_train"),
        ("train_X", "train_y"),
        ("x_train", "y"),
        ("train_images", "train_labels"),
        ("data", "target"),
        ("iris_X", "iris_y"),
        ("iris.X", "iris.y"),
        ("iris-train-X", "iris-train-y"),
        ("iris", "iris_y"),
        ("iris", "iris_labels"),
        ("X_test", "y_test"),
        ("images_val", "labels_val"),
    ],
)
def test_name_of_targets_follows_from_name_of_features(
    features: str, targets: str, tmp_path: Path
) -> None:
    save(tmp_path, **{features: X, targets: Y, "other_y": Y[:1], "notes": X[:1]})
    said: list[str] = []
    data = read_npy(str(tmp_path / f"{features}.npy"), notify=said.append)
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)
    assert data.name == features
    assert not data.has_official_split
    assert f"{features}.npy" in said[0] and f"target: {targets}.npy" in said[0]
    rows = read_npy_rows(tmp_path / f"{features}.npy")
    assert rows.y is not None and rows.y.tolist() == Y.tolist()
    assert rows.names == (f"{features}.npy", f"{targets}.npy")


def test_two_files_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, a=X, b=Y, X_test=X, y_test=Y)
    monkeypatch.chdir(tmp_path)
    for name in ("a.npy,b.npy", "a.npy, b.npy", f"{tmp_path / 'a.npy'},{tmp_path / 'b.npy'}"):
        data = load_dataset(name, notify=lambda message: None)
        np.testing.assert_array_equal(data.y, Y)
        assert (data.name, data.has_official_split) == ("a", False)
    assert load_dataset("a.npy,b.npy", task="regression").task == "regression"
    assert "one file of features and one of targets, got 3" in refusal("a.npy,b.npy,a.npy")


def test_a_comma_may_be_in_a_name(tmp_path: Path) -> None:
    save(tmp_path, **{"a,b": X, "a,b_y": Y})
    assert read_npy(str(tmp_path / "a,b.npy")).name == "a,b"


def test_other_parts_are_read_if_complete(tmp_path: Path) -> None:
    save(tmp_path, X=X, y=Y, X_test=X[:2], y_test=Y[:2], X_val=X[:3])
    said: list[str] = []
    data = read_npy(str(tmp_path / "X.npy"), notify=said.append)
    np.testing.assert_array_equal(data.X_test, X[:2])
    assert not data.has_validation_part
    assert said[0].endswith("also X_test.npy, y_test.npy")
    save(tmp_path, y_val=Y[:3])
    assert read_npy(str(tmp_path / "X.npy")).has_validation_part


def test_the_targets_spelled_alike_are_taken(tmp_path: Path) -> None:
    save(tmp_path, X=X, X_train=X[:3], y=Y, y_train=Y[:3])
    assert len(read_npy(str(tmp_path / "X.npy")).y) == 6
    assert len(read_npy(str(tmp_path / "X_train.npy")).y) == 3
    save(tmp_path, x_training=X)
    assert "must hold one array for y" in refusal(tmp_path / "x_training.npy")


def test_missing_targets_have_a_remedy(tmp_path: Path) -> None:
    save(tmp_path, X=X, table=X, y_test=Y)
    for name in ("X", "table"):
        message = refusal(tmp_path / f"{name}.npy")
        assert "must come with a file of targets" in message
        assert f"{name}.npy,y.npy" in message and "X.npy and y.npy" in message
        assert read_npy_rows(tmp_path / f"{name}.npy").y is None
    assert "must hold features, got a name for targets" in refusal(tmp_path / "y_test.npy")


def test_images_become_rows(tmp_path: Path) -> None:
    save(tmp_path, X=np.zeros((6, 3, 4, 1), np.uint8), y=Y)
    data = read_npy(str(tmp_path / "X.npy"))
    assert (data.n_features, data.image_shape, data.feature_range) == (12, (3, 4), (0, 255))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    save(tmp_path, X=X, y=Y)
    path = tmp_path / "X.npy"
    np.save(path, np.array([object()] * 6), allow_pickle=True)
    assert f"{path}: X must hold numbers or texts, got Python objects" in refusal(path)
    for content in (b"", b"1,2,3\n"):
        path.write_bytes(content)
        assert "X must be an array, got a damaged header" in refusal(path)
    np.save(path, X)
    path.write_bytes(path.read_bytes()[:-1])
    assert "X is damaged: its header claims 96 bytes" in refusal(path)
    assert "cannot be read: No such file" in refusal(f"{tmp_path / 'none.npy'},{path}")
    np.save(path, X[:5])
    assert "y must have one entry per row of X, 5, got 6" in refusal(path)
    with pytest.raises(DataError, match="y must have one entry per row of X"):
        read_npy_rows(path)
    with pytest.raises(ConfigError, match="unknown task"):
        read_npy(str(path), task="some")


def test_a_missing_file_is_no_unknown_name(tmp_path: Path) -> None:
    save(tmp_path, y=Y)
    with pytest.raises(DataError, match="No such file"):
        load_dataset(tmp_path / "X.npy")
    with pytest.raises(DataError, match="No such file"):
        load_dataset(tmp_path / "folder" / "X.npy")
