from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data.npz_table import MAX_EXPANSION, read_npz, read_npz_rows

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
X = np.arange(12.0).reshape(6, 2)
Y = np.array([3, 5, 3, 7, 5, 7])
DEFLATED = zipfile.ZIP_DEFLATED


class Trap:
    """Unpickling it would be noticed."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return pytest.fail, ("a pickle was loaded",)


def stored(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def header(shape: str, descr: str = "'<f8'", version: int = 1, pad: int = 0) -> bytes:
    """The header of a .npy file, which may claim anything."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * pad + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def archive(path: Path, method: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    """An NPZ file of good arrays X and y, but for the members given."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in {"X": npy(X), "y": npy(Y), **members}.items():
            file.writestr(f"{name}.npy", content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_npz(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["u1", "i4", ">i2", "f2", "<f4", ">f8", "?"])
def test_every_type_is_read_back(dtype: str, save: Callable[..., None], tmp_path: Path) -> None:
    values = (X % 5).astype(dtype)
    save(tmp_path / "some.npz", X=values, y=Y)
    data = read_npz(tmp_path / "some.npz")
    np.testing.assert_array_equal(data.X, values)
    assert data.X.dtype == np.dtype(dtype).newbyteorder("=")
    assert data.X.dtype.isnative
    assert data.X.flags.c_contiguous and data.X.flags.writeable
    assert (data.name, data.task) == ("some", "classification")
    assert not data.has_official_split


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (Y, "classification"),
        (np.array(list("abcabc")), "classification"),
        (Y[:, None], "classification"),
        (Y / 2, "regression"),
        (X, "regression"),
        (X.astype(int) % 3 % 2, "multilabel"),
    ],
)
def test_tasks_follow_the_targets(y: np.ndarray, task: str, tmp_path: Path) -> None:
    data = read_npz(stored(tmp_path / "some.npz", X=X, y=y))
    assert data.task == task
    np.testing.assert_array_equal(data.y, y[:, 0] if y.shape == (6, 1) else y)


def test_the_task_can_be_forced(tmp_path: Path) -> None:
    path = stored(tmp_path / "some.npz", X=X, y=Y)
    assert read_npz(path, task="regression").task == "regression"
    with pytest.raises(ConfigError, match="did you mean 'multilabel'"):
        read_npz(path, task="multi_label")


@pytest.mark.parametrize(
    "names",
    [
        "X y",
        "x Y x_test Y_TEST",
        "x_train y_train x_test y_test",
        "X_TRAIN y",
        "Xtrain ytrain Xtest ytest",
        "train_X train_y test_X test_y val_X val_y",
        "X y X_test y_test X_val y_val",
        "X y X_test y_test x_valid Y_valid",
        "X-train y-train X-test y-test X-validation y-validation",
        "X y X_test y_test x_dev y_dev",
        "data target",
        "features labels",
        "train_images train_labels test_images test_labels val_images val_labels",
        "x_training y_training images_test label_test",
    ],
)
def test_names_of_arrays(names: str, tmp_path: Path) -> None:
    arrays = dict(zip(names.split(), (X, Y, X[:2], Y[:2], X[:3], Y[:3]), strict=False))
    others = {"other": np.zeros(3), "target_names": np.array(["a"]), "test": Y[:1], "X2": X}
    data = read_npz(stored(tmp_path / "some.npz", **arrays, **others))
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)
    assert data.has_official_split == (len(arrays) >= 4)
    assert data.has_validation_part == (len(arrays) == 6)
    for part, n in (("test", 2), ("validation", 3)):
        if getattr(data, f"X_{part}") is not None:
            np.testing.assert_array_equal(getattr(data, f"X_{part}"), X[:n])
            np.testing.assert_array_equal(getattr(data, f"y_{part}"), Y[:n])


def test_the_most_usual_name_counts(tmp_path: Path) -> None:
    arrays = {"images": X + 1, "data": X + 2, "X": X, "labels": Y + 1, "y": Y}
    data = read_npz(stored(tmp_path / "some.npz", **arrays))
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)


@pytest.mark.parametrize("part", ["test", "validation"])
def test_rows_are_those_of_the_part_where_there_are_some(part: str, tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    rows = read_npz_rows(stored(path, X=X, y=Y), part)
    np.testing.assert_array_equal(rows.X, X)
    assert rows.y is not None and rows.y.tolist() == Y.tolist()
    given_part = {f"X_{part}": X[:2], f"y_{part}": Y[:2]}
    for arrays in (given_part, {"X": X, "y": Y, **given_part}):
        rows = read_npz_rows(stored(path, **arrays), part)
        np.testing.assert_array_equal(rows.X, X[:2])
        assert rows.names == (f"X_{part}", f"y_{part}")
    unlabelled = read_npz_rows(stored(path, X=X, y=Y, **{f"X_{part}": X[:2]}), part)
    assert unlabelled.y is None and len(unlabelled.X) == 2
    with pytest.raises(DataError, match="must hold arrays X, got 'y'"):
        read_npz_rows(stored(path, y=Y), part)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y, "target: y, classification (3 classes)"),
        (Y / 2, "target: y, regression, by its floating numbers (for classes: --task class"),
        (np.arange(6) * 1000, "target: y, classification (6 classes)"),
    ],
)
def test_inferred_dialect_is_reported(y: np.ndarray, words: str, tmp_path: Path) -> None:
    said: list[str] = []
    path = stored(tmp_path / "some.npz", X=X, y=y, x_val=X, y_val=y)
    read_npz(path, notify=said.append)
    (line,) = said
    assert line.startswith("data: some.npz, 6 rows of 2 features, X; target: y, ")
    assert words in line and line.endswith("; also x_val, y_val")


def test_many_classes_are_reported_as_inferred(tmp_path: Path) -> None:
    said: list[str] = []
    path = stored(tmp_path / "some.npz", X=np.zeros((30, 1)), y=np.arange(30))
    read_npz(path, notify=said.append)
    assert said[0].endswith("classification (30 classes) (for numbers: --task regression)")
    read_npz(path, notify=said.append, task="classification")
    assert said[1].endswith("classification (30 classes)")


@pytest.mark.parametrize("dtype", [float, np.float32, int, bool])
def test_one_hot_targets_are_refused_or_classes_but_never_numbers(
    dtype: Any, tmp_path: Path
) -> None:
    path = stored(tmp_path / "some.npz", X=X, y=np.eye(3, dtype=dtype)[[0, 1, 0, 2, 1, 2]])
    assert "y must not be one-hot" in refusal(path)
    data = read_npz(path, task="classification")
    assert data.y.tolist() == [0, 1, 0, 2, 1, 2]


def test_arrays_in_fortran_order(tmp_path: Path) -> None:
    data = read_npz(stored(tmp_path / "some.npz", X=np.asfortranarray(X), y=Y))
    np.testing.assert_array_equal(data.X, X)


def test_images_become_rows(tmp_path: Path) -> None:
    images = np.arange(36, dtype=np.uint8).reshape(6, 3, 2)
    path = stored(tmp_path / "some.npz", X=images, y=Y, X_test=images[:2], y_test=Y[:2])
    data = read_npz(path)
    np.testing.assert_array_equal(data.X, images.reshape(6, 6))
    assert data.X_test is not None and data.X_test.shape == (2, 6)
    assert (data.image_shape, data.feature_range) == ((3, 2), (0, 255))
    column = read_npz(stored(path, images=images[..., None], labels=Y[:, None]))
    assert (column.image_shape, column.y.shape) == ((3, 2), (6,))
    coloured = read_npz(stored(path, X=np.zeros((6, 3, 5, 5), np.uint8), y=Y))
    assert (coloured.n_features, coloured.image_shape) == (75, (5, 5, 3))
    assert coloured.feature_range == (0, 255)
    floats = read_npz(stored(path, X=images / 255, y=Y))
    assert (floats.image_shape, floats.feature_range) == ((3, 2), None)
    assert "X_test must hold images of the shape in X" in refusal(
        stored(path, X=images, y=Y, X_test=images[:2, :2], y_test=Y[:2])
    )
    assert "X must have at least one row" in refusal(stored(path, X=images[:0], y=Y[:0]))


def test_what_cannot_be_trained_on_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    assert "y must have one entry per row of X, 6, got 5" in refusal(
        stored(tmp_path / "some.npz", X=X, y=Y[:5])
    )


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"table": X, "y": Y}, "must hold arrays X and y, got 'table', 'y'"),
        ({"data": X, "inputs": X, "y": Y}, "must hold one array for X, got 'data', 'inputs'"),
        ({"X": X, "y": Y, "x_val": X}, "y_validation must come with X_validation"),
        ({"X": X}, "got 'X'"),
        ({}, "got none"),
        ({"X": X, "x": X, "y": Y}, "must hold one array for X, got 'X', 'x'"),
        ({"X": X, "X_train": X, "y": Y}, "must hold one array for X, got 'X', 'X_train'"),
        ({"X": X.astype(complex), "y": Y}, "X must hold numbers or texts, got dtype complex128"),
        ({"X": X, "y": Y.astype("M8[D]")}, "y must hold numbers or texts, got dtype datetime64"),
        ({"X": X, "y": Y.astype("S")}, "save y.astype(float) or y.astype(str)"),
    ],
)
def test_missing_ambiguous_and_unfit_arrays_are_refused(
    arrays: dict[str, np.ndarray], words: str, tmp_path: Path
) -> None:
    assert words in refusal(stored(tmp_path / "some.npz", **arrays))


@pytest.mark.parametrize("name", ["X", "y"])
def test_pickles_are_never_loaded(name: str, tmp_path: Path) -> None:
    arrays = {"X": X, "y": Y, name: np.array([Trap()] * 6, object)}
    path = stored(tmp_path / "some.npz", **arrays)
    assert f"{name} must hold numbers or texts, got Python objects" in refusal(path)
    structured = np.zeros(6, [("a", "i4"), ("b", object)])
    assert "got Python objects" in refusal(stored(path, **{**arrays, name: structured}))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, DEFLATED])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header("(1000000, 1000000)") + bytes(96), "claims 8000000000000 bytes"),
        (header("(10**12, 2)") + bytes(96), "damaged header"),
        (header("(6, 2)") + bytes(95), "claims 96 bytes for shape (6, 2), the file holds 95"),
        (header("(6, 2)") + bytes(97), "the file holds 97"),
        (header("(-6, -2)") + bytes(96), "its shape is (-6, -2)"),
        (header("(1000000000000,)", "'<U0'"), "got dtype <U0"),
        (header(f"({'1,' * 100})") + bytes(8), "X is damaged: its shape is"),
        (header("(6, 2)", "'|O'") + bytes(96), "got Python objects"),
        (header("(6, 2)", "('<f8', (2,))") + bytes(192), "got dtype"),
        (header("(6, 2)", "__import__('os')"), "damaged header"),
        (header("(6, 2)", version=9) + bytes(96), "damaged header"),
        (header("(6, 2)", version=2, pad=20_000) + bytes(96), "damaged header"),
        (b"", "damaged header"),
        (b"\x93NUMPY", "damaged header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * (32 << 20), "damaged header"),
        (b"0.5,0.5", "damaged header"),
    ],
)
def test_false_claims_cost_no_memory(
    content: bytes, words: str, method: int, tmp_path: Path
) -> None:
    path = archive(tmp_path / "some.npz", method, X=content)
    del content
    tracemalloc.start()
    try:
        assert words in refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_header_of_version_2_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "some.npz", X=header("(6, 2)", version=2) + X.tobytes())
    np.testing.assert_array_equal(read_npz(path).X, X)


def patched(path: Path, field: str, value: int) -> Path:
    """Change a size that the archive's directory claims for X."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    offset = {"flags": 8, "method": 10, "compress_size": 20, "file_size": 24}[field]
    struct.pack_into("<H" if offset < 20 else "<I", content, entry + offset, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, DEFLATED])
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("flags", 1, "another compression or encryption"),
        ("method", 12, "another compression or encryption"),
        ("compress_size", 1 << 31, "claims 2147483648 bytes in a file of"),
        ("file_size", (1 << 32) - 2, "must expand to at most 256 MB or 100 times"),
        ("file_size", 1 << 24, "the file holds"),
        ("file_size", 100, ""),
    ],
)
def test_a_directory_that_lies_is_refused(
    field: str, value: int, words: str, method: int, tmp_path: Path
) -> None:
    path = patched(archive(tmp_path / "some.npz", method), field, value)
    assert words in refusal(path)


def test_less_than_header_and_directory_agree_on_is_refused(tmp_path: Path) -> None:
    content = header("(7, 2)") + bytes(96)
    path = archive(tmp_path / "some.npz", DEFLATED, X=content)
    assert "claims 112 bytes for shape (7, 2), but 96 follow" in refusal(
        patched(path, "file_size", len(content) + 16)
    )


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    n = 40 << 20
    path = tmp_path / "some.npz"
    with zipfile.ZipFile(path, "w", DEFLATED) as file:
        file.writestr("y.npy", npy(Y))
        with file.open("X.npy", "w") as member:
            member.write(header(f"({n}, 8)", "'|u1'"))
            for _ in range(n >> 17):
                member.write(bytes(1 << 20))
    assert path.stat().st_size * MAX_EXPANSION < 8 * n
    tracemalloc.start()
    try:
        assert "must expand to at most" in refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_header_by_python_2_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "some.npz", X=header("(6L, 2L)") + X.tobytes())
    np.testing.assert_array_equal(read_npz(path).X, X)


@pytest.mark.parametrize("n_features", [2, 5000])
def test_a_wrong_checksum_is_refused(n_features: int, tmp_path: Path) -> None:
    values = np.arange(6.0 * n_features).reshape(6, n_features)
    path = archive(tmp_path / "some.npz", X=npy(values))
    np.testing.assert_array_equal(read_npz(path).X, values)
    content = bytearray(path.read_bytes())
    content[content.index(values.tobytes()) + values.nbytes - 1] ^= 1
    path.write_bytes(content)
    assert "Bad CRC-32" in refusal(path)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    for code in (0x110000, 0xD800):
        labels = np.array([code] * 6, "<u4").tobytes()
        path = archive(tmp_path / "some.npz", y=header("(6,)", "'<U1'") + labels)
        assert "y is damaged: it holds no valid text" in refusal(path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    for content in (b"", b"PK", npy(X), b"a,b\n1,2\n"):
        path.write_bytes(content)
        assert "must be an NPZ file, got a damaged or other one" in refusal(path)
    good = archive(path).read_bytes()
    path.write_bytes(good[: len(good) // 2])
    assert "must be an NPZ file" in refusal(path)
    assert "cannot be read: No such file" in refusal(tmp_path / "none.npz")
    assert "cannot be read" in refusal(tmp_path)


@fuzz
@given(data=st.data(), compress=st.booleans())
def test_mutated_files_are_read_or_refused(
    data: st.DataObject, compress: bool, tmp_path: Path
) -> None:
    path = archive(tmp_path / "some.npz", DEFLATED if compress else zipfile.ZIP_STORED)
    mutated = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(mutated)))
        mutated[where : where + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(mutated)
    try:
        read = read_npz(path)
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        # The checksum guards the arrays: only bytes that are not read may have changed.
        np.testing.assert_array_equal(read.X, X)
        np.testing.assert_array_equal(read.y, Y)


@fuzz
@given(data=st.data())
def test_mutated_headers_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    member = bytearray(npy(X))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(member)))
        junk = st.binary(max_size=3) | st.sampled_from([b"(", b"[", b"9", b"'", b"L", b"O", b"\\"])
        member[where : where + data.draw(st.integers(0, 3))] = data.draw(junk)
    path = archive(tmp_path / "some.npz", X=bytes(member))
    try:
        read = read_npz(path)
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert len(read.X) == 6
