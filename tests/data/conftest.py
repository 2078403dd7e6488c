"""Small IDX files, and a MNIST-like set of four of them, in temporary folders."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastmlp.data import mnist

IdxBytes = Callable[[np.ndarray], bytes]


def _idx_bytes(array: np.ndarray) -> bytes:
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    header = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + big_endian.tobytes()


@pytest.fixture
def idx_bytes() -> IdxBytes:
    """The function that encodes an array as an IDX file."""
    return _idx_bytes


@pytest.fixture
def quartet() -> dict[str, bytes]:
    """Decompressed MNIST-like files by name: 12 training and 4 test images of 3 x 2 pixels."""
    rng = np.random.default_rng(0)
    return {
        mnist.TRAIN_IMAGES: _idx_bytes(rng.integers(0, 256, (12, 3, 2), dtype=np.uint8)),
        mnist.TRAIN_LABELS: _idx_bytes(np.arange(12, dtype=np.uint8) % 3),
        mnist.TEST_IMAGES: _idx_bytes(rng.integers(0, 256, (4, 3, 2), dtype=np.uint8)),
        mnist.TEST_LABELS: _idx_bytes(np.array([0, 1, 2, 0], dtype=np.uint8)),
    }


@pytest.fixture
def write_quartet(quartet: dict[str, bytes]) -> Callable[[Path], Path]:
    """The function that stores the four files, half of them compressed, in a new folder."""

    def write(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for i, (name, content) in enumerate(quartet.items()):
            if i % 2:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without MNIST: no FASTMLP_DATA, and the returned empty folder as user cache."""
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fastmlp"
