from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import DataError
from fastmlp.data.idx import read_idx

IdxBytes = Callable[[np.ndarray], bytes]
DTYPES = [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]
IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("shape", [(1,), (5,), (4, 3), (2, 3, 4), (1, 1, 1, 7)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_is_read_back(
    dtype: Any, shape: tuple[int, ...], compress: bool, tmp_path: Path, idx_bytes: IdxBytes
) -> None:
    array = (np.arange(np.prod(shape)) * 37 - 50).astype(np.int8).reshape(shape).astype(dtype)
    content = idx_bytes(array)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if compress else content)
    read = read_idx(path)
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("name", ["images.gz", "images"])
@pytest.mark.parametrize("compress", [False, True])
def test_compressed_content_is_recognised(
    name: str, compress: bool, tmp_path: Path, idx_bytes: IdxBytes
) -> None:
    content = idx_bytes(IMAGES)
    (tmp_path / name).write_bytes(gzip.compress(content) if compress else content)
    np.testing.assert_array_equal(read_idx(str(tmp_path / name)), IMAGES)


def test_a_file_longer_than_one_chunk_is_read_whole(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    long = np.random.default_rng(0).integers(0, 256, (3 << 20) + 5, dtype=np.uint8)
    (tmp_path / "long").write_bytes(idx_bytes(long))
    np.testing.assert_array_equal(read_idx(tmp_path / "long"), long)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x00\x08", "truncated: 3 byte(s) long"),
        (b"PK\x03\x04 something", "two zero bytes, got 50 4b"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x01\x00", "got 0x07"),
        (b"\x00\x00\x08\x00\x01", "number of dimensions must be 1 to 32, got 0"),
        (b"\x00\x00\x08\xff" + b"\x00\x00\x00\x01" * 255 + b"\x00", "got 255"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x01", "within its header"),
        (b"\x00\x00\x08\x02" + b"\x00" * 8, "holds no values: its shape is (0, 0)"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x05abcd", "claims 5 bytes for shape (5,), but 4 follow"),
        (b"\x00\x00\x0b\x01\x00\x00\x00\x02abc", "claims 4 bytes for shape (2,), but 3 follow"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x02abc", "bytes follow the 2"),
    ],
)
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_damaged_content_is_refused(
    content: bytes, words: str, compress: bool, tmp_path: Path
) -> None:
    path = tmp_path / "file-idx"
    path.write_bytes(gzip.compress(content) if compress else content)
    assert words in refusal(path)


def test_a_damaged_gzip_stream_is_refused(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    path = tmp_path / "file.gz"
    good = gzip.compress(idx_bytes(IMAGES))
    wrong_checksum = good[:-8] + bytes([good[-8] ^ 1]) + good[-7:]
    for damaged in (good[:-1], good[:15], good[:3], good + b"more", wrong_checksum):
        path.write_bytes(damaged)
        assert "damaged gzip file" in refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_a_huge_claim_costs_no_memory(compress: bool, tmp_path: Path) -> None:
    content = b"\x00\x00\x0e\x03" + b"\xff" * 12 + b"\x00" * 100
    path = tmp_path / "huge"
    path.write_bytes(gzip.compress(content) if compress else content)
    tracemalloc.start()
    try:
        assert "but 100 follow" in refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_compressed_flood_is_not_unpacked(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    path = tmp_path / "flood.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(64 << 20)))
    tracemalloc.start()
    try:
        assert "bytes follow the 24" in refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), compress=st.booleans())
def test_mutated_files_are_read_or_refused(
    data: st.DataObject, compress: bool, tmp_path: Path, idx_bytes: IdxBytes
) -> None:
    content = idx_bytes(IMAGES)
    original = gzip.compress(content, mtime=0) if compress else content
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(mutated)))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if kind == "flip" and where < len(mutated):
            mutated[where] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del mutated[where:]
        else:
            mutated[where:where] = data.draw(st.binary(min_size=1, max_size=5))
    path = tmp_path / "mutated"
    path.write_bytes(mutated)
    try:
        read = read_idx(path)
    except DataError as error:
        assert bytes(mutated) != original
        assert str(path) in str(error)
    else:
        if compress:
            # The checksum guards the content: only the gzip header may have changed.
            np.testing.assert_array_equal(read, IMAGES)
        else:
            assert idx_bytes(read) == bytes(mutated)
