from __future__ import annotations

import gzip
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from fastmlp.base.errors import DataError
from fastmlp.data import mnist

WriteQuartet = Callable[[Path], Path]
IdxBytes = Callable[[np.ndarray], bytes]
REAL = os.environ.get("FASTMLP_DATA")


class Mirror:
    """A web server on the loopback address: ``bodies`` by file name, all else is 404."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.requests: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                mirror.requests.append(name)
                if name not in mirror.bodies:
                    self.send_error(404)
                    return
                body = mirror.bodies[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in mirror.cut else body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/mnist/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mirror(quartet: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with the small quartet, whose digests stand in for MNIST's."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, content in quartet.items():
        monkeypatch.setitem(mnist.FILES, name, hashlib.sha256(content).hexdigest())
    server = Mirror()
    server.bodies = {f"{name}.gz": gzip.compress(content) for name, content in quartet.items()}
    yield server
    server.close()


@pytest.fixture
def dead_mirror() -> Iterator[str]:
    """An address whose port is taken but does not answer: connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/"


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_download_stores_all_files_whole(
    mirror: Mirror, tmp_path: Path, quartet: dict[str, bytes]
) -> None:
    folder = tmp_path / "deep" / "folder"
    mnist.download(folder, [mirror.url])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == mirror.bodies


def test_download_fetches_only_what_is_missing_or_damaged(mirror: Mirror, tmp_path: Path) -> None:
    mnist.download(tmp_path, [mirror.url])
    (tmp_path / f"{mnist.TEST_LABELS}.gz").unlink()
    (tmp_path / f"{mnist.TEST_IMAGES}.gz").write_bytes(b"half a file")
    mirror.requests.clear()
    mnist.download(tmp_path, [mirror.url])
    assert mirror.requests == [f"{mnist.TEST_IMAGES}.gz", f"{mnist.TEST_LABELS}.gz"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == mirror.bodies


def test_a_mirror_address_needs_no_final_slash(mirror: Mirror, tmp_path: Path) -> None:
    mnist.download(tmp_path, [mirror.url.rstrip("/")])
    assert len(list(tmp_path.iterdir())) == 4


def test_a_dead_first_mirror_is_survived(mirror: Mirror, dead_mirror: str, tmp_path: Path) -> None:
    mnist.download(tmp_path, [dead_mirror, mirror.url])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == mirror.bodies


def test_a_mirror_that_failed_is_asked_last(mirror: Mirror, tmp_path: Path) -> None:
    empty = Mirror()
    try:
        mnist.download(tmp_path, [empty.url, mirror.url])
    finally:
        empty.close()
    assert empty.requests == [f"{mnist.TRAIN_IMAGES}.gz"]
    assert len(mirror.requests) == 4


@pytest.mark.parametrize("damage", ["wrong content", "no gzip", "cut", "absent"])
def test_a_bad_file_is_refused_and_not_stored(mirror: Mirror, tmp_path: Path, damage: str) -> None:
    name = f"{mnist.TEST_IMAGES}.gz"
    if damage == "wrong content":
        mirror.bodies[name] = gzip.compress(b"something else")
    elif damage == "no gzip":
        mirror.bodies[name] = b"<html>please log in</html>"
    elif damage == "cut":
        mirror.cut.add(name)
    else:
        del mirror.bodies[name]
    message = refusal(lambda: mnist.download(tmp_path, [mirror.url]))
    reason = {
        "wrong content": "wrong SHA-256",
        "no gzip": "damaged file",
        "cut": "truncated or damaged",
        "absent": "HTTP 404",
    }[damage]
    assert reason in message
    assert name in message
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{mnist.TRAIN_IMAGES}.gz",
        f"{mnist.TRAIN_LABELS}.gz",
    ]


def test_the_second_mirror_replaces_a_file_the_first_has_damaged(
    mirror: Mirror, tmp_path: Path
) -> None:
    bad = Mirror()
    bad.bodies = {**mirror.bodies, f"{mnist.TRAIN_LABELS}.gz": b"damaged"}
    try:
        mnist.download(tmp_path, [bad.url, mirror.url])
    finally:
        bad.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == mirror.bodies


def test_offline_the_error_says_everything(dead_mirror: str, tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    message = refusal(lambda: mnist.download(folder, [dead_mirror, "http://127.0.0.1:x/"]))
    assert all(f"{name}.gz" in message for name in mnist.FILES)
    for part in (str(folder), "--data-dir", "FASTMLP_DATA", "refused", "127.0.0.1:x: "):
        assert part in message
    assert not folder.exists()


def test_a_file_larger_than_any_of_mnist_is_refused(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmlp.data.fetch.MAX_BYTES", 10)
    assert "larger than" in refusal(lambda: mnist.download(tmp_path, [mirror.url]))


def test_a_folder_that_cannot_be_made_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    message = refusal(lambda: mnist.download(tmp_path / "file" / "mnist", [mirror.url]))
    assert "cannot be written" in message
    assert "--data-dir" in message


def test_an_interrupted_write_leaves_nothing(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist.download(tmp_path, [mirror.url])
    assert list(tmp_path.iterdir()) == []


def test_load_downloads_once_into_the_cache(
    mirror: Mirror, no_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (mirror.url,))
    said: list[str] = []
    first = mnist.load(notify=said.append)
    assert len(mirror.requests) == 4
    assert len(said) == 1 and str(no_mnist / "mnist") in said[0]
    second = mnist.load(notify=said.append)
    assert len(mirror.requests) == 4
    assert len(said) == 1
    np.testing.assert_array_equal(first.X, second.X)


def test_load_downloads_into_the_data_folder(
    mirror: Mirror, no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (mirror.url,))
    folder = tmp_path / "data"
    folder.mkdir()
    mnist.load(folder)
    assert len(list((folder / "mnist").iterdir())) == 4
    assert not no_mnist.exists()


def test_load_without_files_or_permission_to_download(no_mnist: Path) -> None:
    message = refusal(lambda: mnist.load(allow_download=False))
    assert str(no_mnist / "mnist") in message
    assert "downloaded" not in message


def test_search_order(
    no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_quartet: WriteQuartet
) -> None:
    assert mnist.find_folder() is None
    write_quartet(no_mnist / "mnist")
    assert mnist.find_folder() == no_mnist / "mnist"
    write_quartet(tmp_path / "variable")
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "variable"))
    assert mnist.find_folder() == tmp_path / "variable"
    write_quartet(tmp_path / "explicit" / "mnist")
    assert mnist.find_folder(tmp_path / "explicit") == tmp_path / "explicit" / "mnist"
    assert mnist.find_folder(str(tmp_path / "explicit" / "mnist")) is not None


def test_incomplete_folders_are_passed_over(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    folder = write_quartet(tmp_path / "part")
    (folder / mnist.TEST_IMAGES).unlink()
    assert mnist.find_folder(folder) is None
    (folder / mnist.TEST_IMAGES).mkdir()
    assert mnist.find_folder(folder) is None
    write_quartet(no_mnist)
    assert mnist.find_folder(folder) == no_mnist


def test_a_data_dir_that_does_not_exist_is_refused(no_mnist: Path, tmp_path: Path) -> None:
    message = refusal(lambda: mnist.find_folder(tmp_path / "none"))
    assert "data_dir" in message
    assert str(tmp_path / "none") in message


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "home/.cache/fastmlp"),
        ("linux", {"XDG_CACHE_HOME": "xdg"}, "xdg/fastmlp"),
        ("darwin", {}, "home/Library/Caches/fastmlp"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/fastmlp"),
        ("win32", {}, "home/.cache/fastmlp"),
    ],
)
def test_user_cache_folder(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    assert mnist.user_cache_folder() == Path(expected)


def test_load_reads_plain_and_compressed_files(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    data = mnist.load(write_quartet(tmp_path / "data"), allow_download=False)
    assert (data.name, data.task) == ("mnist", "classification")
    assert (data.feature_range, data.image_shape) == ((0, 255), (3, 2))
    assert data.X.dtype == np.uint8
    assert data.X.shape == (12, 6)
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [0, 1, 2] * 4
    assert data.X_test is not None and data.X_test.shape == (4, 6)
    assert data.y_test is not None and data.y_test.tolist() == [0, 1, 2, 0]


def test_load_keeps_the_pixels_of_a_row_together(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet, idx_bytes: IdxBytes
) -> None:
    folder = write_quartet(tmp_path / "data")
    images = np.arange(72, dtype=np.uint8).reshape(12, 3, 2)
    (folder / mnist.TRAIN_IMAGES).write_bytes(idx_bytes(images))
    np.testing.assert_array_equal(mnist.load(folder).X, np.arange(72).reshape(12, 6))


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        (mnist.TRAIN_IMAGES, np.zeros((11, 3, 2), np.uint8), "11 images and 12 labels"),
        (mnist.TEST_IMAGES, np.zeros((4, 2, 3), np.uint8), "one size, got (3, 2) and (2, 3)"),
        (mnist.TRAIN_IMAGES, np.zeros((12, 6), np.uint8), "3 dimension(s), got uint8 of shape"),
        (mnist.TEST_IMAGES, np.zeros((4, 3, 2), np.int16), "must hold uint8 values"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(
    name: str,
    array: np.ndarray,
    words: str,
    no_mnist: Path,
    tmp_path: Path,
    write_quartet: WriteQuartet,
    idx_bytes: IdxBytes,
) -> None:
    folder = write_quartet(tmp_path / "data")
    (folder / name).write_bytes(idx_bytes(array))
    message = refusal(lambda: mnist.load(folder))
    assert words in message
    assert str(folder) in message


def test_a_damaged_local_file_is_named(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    folder = write_quartet(tmp_path / "data")
    (folder / mnist.TRAIN_IMAGES).write_bytes(b"")
    assert f"{folder / mnist.TRAIN_IMAGES} is empty" in refusal(lambda: mnist.load(folder))


@pytest.mark.skipif(not REAL, reason="FASTMLP_DATA is not set: no MNIST files to read")
def test_the_real_files() -> None:
    data = mnist.load(REAL, allow_download=False)
    assert (data.X.shape, data.image_shape) == ((60000, 784), (28, 28))
    assert data.X_test is not None and data.X_test.shape == (10000, 784)
    assert data.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.classes is not None and data.classes.tolist() == list(range(10))
    assert round(float(data.X.mean()), 2) == 33.32


@pytest.mark.skipif(not REAL, reason="FASTMLP_DATA is not set: no MNIST files to read")
def test_the_digests_are_those_of_the_real_files() -> None:
    folder = mnist.find_folder(REAL)
    assert folder is not None
    for name, sha256 in mnist.FILES.items():
        plain = folder / name
        content = (
            plain.read_bytes()
            if plain.is_file()
            else gzip.decompress((folder / f"{name}.gz").read_bytes())
        )
        assert hashlib.sha256(content).hexdigest() == sha256
