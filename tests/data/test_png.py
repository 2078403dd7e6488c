from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fastmlp import DataError, Dataset
from fastmlp.data.png import find_pngs, read_pngs

GRAY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 50


def write(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path)
    return path


def rows(*files: Path, n_features: int = 6) -> np.ndarray:
    pictures = read_pngs(files, n_features)
    assert pictures.X.dtype == np.uint8
    assert pictures.opacity is None
    return pictures.X


def test_grey_values_come_as_rows(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.png", GRAY), write(tmp_path / "b.png", 255 - GRAY)]
    np.testing.assert_array_equal(rows(*files), [GRAY.ravel(), (255 - GRAY).ravel()])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_grey_in_other_modes_is_the_same_grey(tmp_path: Path, mode: str) -> None:
    X = rows(write(tmp_path / "a.png", GRAY, mode))
    np.testing.assert_array_equal(X[0], GRAY.ravel())


def test_single_bits_are_black_and_white(tmp_path: Path) -> None:
    X = rows(write(tmp_path / "a.png", np.where(GRAY > 99, 255, 0).astype(np.uint8), "1"))
    np.testing.assert_array_equal(X[0], np.where(GRAY.ravel() > 99, 255, 0))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_palettes_of_few_bits_are_read(tmp_path: Path, level: int) -> None:
    image = Image.fromarray(GRAY).quantize(2**level)
    image.save(tmp_path / "a.png", bits=level)
    expected = np.asarray(image.convert("L")).ravel()
    np.testing.assert_array_equal(rows(tmp_path / "a.png")[0], expected)


def test_values_of_16_bits_are_scaled(tmp_path: Path) -> None:
    words = np.array([[0, 128, 257], [32896, 65407, 65535]], np.uint16)
    np.testing.assert_array_equal(
        rows(write(tmp_path / "a.png", words))[0], [0, 0, 1, 128, 255, 255]
    )
    whole = write(tmp_path / "b.png", GRAY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(rows(whole)[0], GRAY.ravel())


def test_bytes_in_16_bits_stay_bytes(tmp_path: Path) -> None:
    X = rows(write(tmp_path / "a.png", GRAY.astype(np.uint16)))
    np.testing.assert_array_equal(X[0], GRAY.ravel())


def test_opacity_is_returned(tmp_path: Path) -> None:
    pixels = np.full((1, 2, 4), 200, np.uint8)
    pixels[0, 0, 3] = 0
    pictures = read_pngs(
        [write(tmp_path / "a.png", pixels), write(tmp_path / "b.png", GRAY[:1, :2])], 2
    )
    np.testing.assert_array_equal(pictures.X, [[200, 200], [0, 50]])
    np.testing.assert_array_equal(pictures.opacity, [[0, 200], [255, 255]])


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_value_is_transparent(tmp_path: Path, bits: int) -> None:
    values = GRAY.astype(f"u{bits // 8}") * (257 if bits == 16 else 1)
    Image.fromarray(values).save(tmp_path / "a.png", transparency=int(values[1, 0]))
    pictures = read_pngs([tmp_path / "a.png"], 6)
    np.testing.assert_array_equal(pictures.opacity, [[255, 255, 255, 0, 255, 255]])
    np.testing.assert_array_equal(pictures.X[0], GRAY.ravel())


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_come_as_the_rows_of_arrays_of_them(tmp_path: Path, mode: str) -> None:
    colours = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
    X = rows(write(tmp_path / "a.png", colours, mode), n_features=18)
    np.testing.assert_array_equal(X, Dataset(colours[None], [0]).X)
    for values in (GRAY, GRAY.astype(np.uint16) * 257):
        grey = rows(write(tmp_path / "b.png", values), n_features=18)
        np.testing.assert_array_equal(grey[0], np.repeat(GRAY.ravel(), 3))


def test_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must have 9 pixels.* got 3 x 2 = 6; crop and resize"):
        read_pngs([write(tmp_path / "a.png", GRAY)], 9)


def header_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", b"GIF89a" + bytes(30), header_of(3, 2), header_of(30_000, 30_000)],
    ids=["empty", "text", "gif", "no pixels", "a bomb"],
)
def test_a_file_that_is_no_png_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_pngs([path], 6)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_truncated_png_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8)
    path = write(tmp_path / "a.png", noise)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(DataError, match=r"cannot be read as a PNG image: .*truncated"):
        read_pngs([path], 900)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(["L", "RGB", "RGBA", "P", "I;16", "1"]))
    content = bytearray(write(tmp_path / "a.png", GRAY, mode).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(8, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    (tmp_path / "a.png").write_bytes(content)
    try:
        assert read_pngs([tmp_path / "a.png"], GRAY.size).X.shape == (1, GRAY.size)
    except DataError as error:
        assert str(tmp_path / "a.png") in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_pngs([tmp_path / "a.png"], 6)


def test_folders_give_their_files_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.png").touch()
    files, labels = find_pngs([tmp_path, Path("e.png")])
    assert [file.name for file in files] == ["a.PNG", "b.png", "e.png"]
    assert labels is None


def test_folders_of_folders_name_the_labels(tmp_path: Path) -> None:
    for name in ("7/x.png", "3/y.png", "3/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files, labels = find_pngs([tmp_path])
    assert [file.name for file in files] == ["a.png", "y.png", "x.png"]
    assert labels == ["3", "3", "7"]
    assert find_pngs([tmp_path, tmp_path / "7"])[1] is None  # of some it is not known


LEFT_BY_SYSTEMS = (
    "._a.png", ".hidden.png", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/3/._a.png",
    "__MACOSX/b.png", ".git/c.png",
)  # fmt: skip


@pytest.mark.parametrize("labelled", [False, True])
def test_what_systems_leave_in_folders_is_skipped(tmp_path: Path, labelled: bool) -> None:
    folder = tmp_path / "3" if labelled else tmp_path
    write(folder / "a.png", GRAY)
    for parent in {tmp_path, folder}:
        for name in LEFT_BY_SYSTEMS:
            (parent / name).parent.mkdir(exist_ok=True, parents=True)
            (parent / name).write_bytes(b"\x00\x05\x16\x07")
    (folder / "d.png").mkdir()
    files, labels = find_pngs([tmp_path])
    assert files == [folder / "a.png"]
    assert labels == (["3"] if labelled else None)


def test_metadata_files_of_macos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "._a.png").write_bytes(b"\x00\x05\x16\x07")
    with pytest.raises(DataError, match="leave it out: it holds metadata of macOS"):
        read_pngs([tmp_path / "._a.png"], 6)


def test_folder_of_other_images_is_reported(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.jpeg", "._c.png"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"got files that end in \.jpeg, \.jpg; .*convert images"):
        find_pngs([tmp_path])


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"must hold \.png files"):
        find_pngs([tmp_path])


@pytest.mark.parametrize("size", [(14, 56), (56, 14)])
def test_an_image_of_another_shape_is_refused_where_the_shape_is_known(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("L", size).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="must be 28 pixels wide and 28 high, as in training"):
        read_pngs([tmp_path / "a.png"], 784, (28, 28, 1))
    assert read_pngs([tmp_path / "a.png"], 784).X.shape == (1, 784)


def test_a_colour_image_is_no_grey_one_where_the_shape_is_known(tmp_path: Path) -> None:
    Image.new("RGB", (28, 28)).save(tmp_path / "a.png")
    assert read_pngs([tmp_path / "a.png"], 784, (28, 28, 1)).X.shape == (1, 784)
    assert read_pngs([tmp_path / "a.png"], 2352, (28, 28, 3)).X.shape == (1, 2352)
