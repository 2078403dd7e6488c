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

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data import load_dataset, mnist

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


def test_offline_error_has_all_remedies(dead_mirror: str, tmp_path: Path) -> None:
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


def folder_of(data_dir: object = None, name: str = "") -> Path | None:
    found = mnist.find(data_dir, name)  # type: ignore[arg-type]
    return None if found is None else found.folder


def test_search_order(
    no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_quartet: WriteQuartet
) -> None:
    assert folder_of() is None
    write_quartet(no_mnist / "mnist")
    assert folder_of() == no_mnist / "mnist"
    (tmp_path / "variable").mkdir()
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "variable"))
    assert folder_of() == no_mnist / "mnist"
    write_quartet(tmp_path / "variable" / "other")
    assert folder_of() == tmp_path / "variable" / "other"
    write_quartet(tmp_path / "variable" / "mnist")
    assert folder_of() == tmp_path / "variable" / "mnist"
    write_quartet(tmp_path / "explicit" / "mnist")
    assert folder_of(tmp_path / "explicit") == tmp_path / "explicit" / "mnist"
    assert folder_of(str(tmp_path / "explicit" / "mnist")) is not None


def test_a_folder_that_is_named_is_the_only_one_searched(
    no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_quartet: WriteQuartet
) -> None:
    write_quartet(no_mnist / "mnist")
    monkeypatch.setenv("FASTMLP_DATA", str(write_quartet(tmp_path / "variable")))
    (tmp_path / "named").mkdir()
    assert folder_of(tmp_path / "named") is None
    with pytest.raises(DataError, match=r"data_dir must hold four files .* got none in '.*named'"):
        load_dataset("auto", data_dir=tmp_path / "named")
    with pytest.raises(DataError, match="MNIST was not found"):
        mnist.load(tmp_path / "named", allow_download=False)


@pytest.mark.parametrize("where", ["data_dir", "FASTMLP_DATA"])
def test_a_part_of_a_set_is_refused(
    where: str, no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write_quartet(no_mnist / "mnist")
    folder = write_quartet(tmp_path / "part")
    (folder / mnist.TEST_IMAGES).unlink()
    (folder / mnist.TRAIN_IMAGES).unlink()
    (folder / mnist.TEST_IMAGES).mkdir()  # not a file
    if where == "FASTMLP_DATA":
        monkeypatch.setenv("FASTMLP_DATA", str(folder))
    data_dir = folder if where == "data_dir" else None
    for name in ("auto", "mnist"):
        message = refusal(lambda name=name: load_dataset(name, data_dir=data_dir))
        assert f"{folder} must hold four files" in message
        assert "got no train images and no test images beside" in message
        assert f"{mnist.TRAIN_LABELS}.gz" in message and "--data-dir" in message


def named_like(folder: Path, pattern: str, quartet: dict[str, bytes]) -> Path:
    """Store a set under other names; the pattern has PART, KIND and DIM (of dimensions)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in quartet.items():
        part, kind = ("test" if "t10k" in name else "train"), name.split("-")[1]
        name = pattern.replace("PART", part).replace("KIND", kind)
        name = name.replace("T10K", "t10k" if part == "test" else "train")
        path = folder / name.replace("DIM", "3" if kind == "images" else "1")
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return folder


@pytest.mark.parametrize(
    ("folder", "pattern", "name"),
    [
        ("a", "T10K-KIND-idxDIM-ubyte", "mnist"),
        ("a", "T10K-KIND-idxDIM-ubyte.gz", "mnist"),
        ("a", "T10K-KIND.idxDIM-ubyte", "mnist"),
        ("a", "T10K-KIND.idxDIM-ubyte.gz", "mnist"),
        ("a", "PART-KIND.idxDIM", "mnist"),
        ("a", "PART_KIND_idxDIM_ubyte.gz", "mnist"),
        ("a", "PART-KIND.idx", "mnist"),
        ("gzip", "emnist-letters-PART-KIND-idxDIM-ubyte.gz", "emnist-letters"),
        ("gzip", "emnist-letters-PART-KIND-idxDIM-ubyte", "emnist-letters"),
        ("x", "EMNIST-Balanced-PART-KIND-idxDIM-ubyte", "emnist-balanced"),
        ("fashion", "T10K-KIND-idxDIM-ubyte.gz", "fashion-mnist"),
        ("FashionMNIST/raw", "T10K-KIND-idxDIM-ubyte", "fashion-mnist"),
        ("kuzushiji", "T10K-KIND-idxDIM-ubyte.gz", "kmnist"),
        ("KMNIST/raw", "T10K-KIND-idxDIM-ubyte", "kmnist"),
        ("MNIST/raw", "T10K-KIND-idxDIM-ubyte", "mnist"),
    ],
)
def test_names_of_other_makers_are_recognised(
    folder: str, pattern: str, name: str, no_mnist: Path, tmp_path: Path, quartet: dict[str, bytes]
) -> None:
    where = named_like(tmp_path / "top" / folder, pattern, quartet)
    (where / "emnist-letters-mapping.txt").touch()
    (where / "._train-images-idx3-ubyte").touch()
    said: list[str] = []
    for data_dir in (where, tmp_path / "top" / folder.split("/")[0]):
        data = load_dataset("auto", data_dir=data_dir, notify=said.append)
        assert (data.name, data.X.shape, data.image_shape) == (name, (12, 6), (3, 2))
        assert data.y_test is not None and data.y_test.tolist() == [0, 1, 2, 0]
        again = load_dataset(name, data_dir=data_dir, notify=said.append)
        np.testing.assert_array_equal(again.X, data.X)
    assert ("MNIST" if name == "mnist" else name) in said[0] and str(where) in said[0]


def test_letters_are_labelled_from_1_to_26(
    no_mnist: Path, tmp_path: Path, quartet: dict[str, bytes], idx_bytes: IdxBytes
) -> None:
    letters = np.arange(1, 27, dtype=np.uint8)
    images = idx_bytes(np.zeros((26, 3, 2), np.uint8))
    files = dict(zip(quartet, (images, idx_bytes(letters)) * 2, strict=True))
    named_like(tmp_path / "gzip", "emnist-letters-PART-KIND-idxDIM-ubyte.gz", files)
    data = load_dataset("auto", data_dir=tmp_path / "gzip", notify=lambda message: None)
    assert data.classes is not None and data.classes.tolist() == list(range(1, 27))


def test_several_sets_in_a_folder_are_listed_and_one_can_be_chosen(
    no_mnist: Path, tmp_path: Path, quartet: dict[str, bytes]
) -> None:
    folder = tmp_path / "emnist"
    for name in ("emnist-letters", "emnist-digits"):
        named_like(folder, f"{name}-PART-KIND-idxDIM-ubyte.gz", quartet)
    for name in ("auto", "mnist"):
        message = refusal(lambda name=name: load_dataset(name, data_dir=folder))
        assert f"emnist-digits (in {folder}), emnist-letters (in {folder})" in message
        assert "--data emnist-digits" in message and "--data-dir" in message
    assert load_dataset("emnist-letters", data_dir=folder).name == "emnist-letters"
    with pytest.raises(ConfigError, match="'emnist-leters'; did you mean 'emnist-letters'"):
        load_dataset("emnist-leters", data_dir=folder)
    (folder / "emnist-letters-test-labels-idx1-ubyte.gz").unlink()
    message = refusal(lambda: load_dataset("emnist-letters", data_dir=folder))
    assert "got no test labels beside emnist-letters-test-images" in message


def test_several_folders_of_sets_are_listed_and_one_can_be_chosen(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FashionMNIST", "KMNIST", "MNIST"):
        write_quartet(tmp_path / "root" / name / "raw")
    message = refusal(lambda: mnist.find(tmp_path / "root"))
    assert "fashion-mnist (in" in message and "kmnist (in" in message and "mnist (in" in message
    assert folder_of(tmp_path / "root", "mnist") == tmp_path / "root" / "MNIST" / "raw"
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "root"))
    assert folder_of(name="kmnist") == tmp_path / "root" / "KMNIST" / "raw"


def test_other_data_set_instead_of_mnist_is_reported(
    no_mnist: Path, tmp_path: Path, write_quartet: WriteQuartet
) -> None:
    said: list[str] = []
    folder = write_quartet(tmp_path / "fashion")
    data = load_dataset("mnist", data_dir=folder, notify=said.append)
    assert data.name == "fashion-mnist"
    assert said == [f"data: fashion-mnist, found in {folder}"]


def test_a_begun_download_into_a_named_folder_is_completed(
    mirror: Mirror, no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "MIRRORS", (mirror.url,))
    for data_dir in (tmp_path, None):
        folder = (no_mnist if data_dir is None else data_dir) / "mnist"
        mnist.download(folder, [mirror.url])
        (folder / f"{mnist.TEST_LABELS}.gz").unlink()
        mirror.requests.clear()
        assert mnist.load(data_dir).name == "mnist"
        assert mirror.requests == [f"{mnist.TEST_LABELS}.gz"]


def test_a_begun_download_hides_no_other_files(
    mirror: Mirror, no_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    write_quartet: WriteQuartet,
) -> None:  # fmt: skip
    mnist.download(no_mnist / "mnist", [mirror.url])
    (no_mnist / "mnist" / f"{mnist.TEST_LABELS}.gz").unlink()
    mirror.requests.clear()
    monkeypatch.setenv("FASTMLP_DATA", str(write_quartet(tmp_path / "variable")))
    mnist.load()
    assert mirror.requests == []


def test_a_data_dir_that_does_not_exist_is_refused(no_mnist: Path, tmp_path: Path) -> None:
    message = refusal(lambda: mnist.find(tmp_path / "none"))
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
def test_inconsistent_files_are_refused(
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
    folder = folder_of(REAL)
    assert folder is not None
    for name, sha256 in mnist.FILES.items():
        plain = folder / name
        content = (
            plain.read_bytes()
            if plain.is_file()
            else gzip.decompress((folder / f"{name}.gz").read_bytes())
        )
        assert hashlib.sha256(content).hexdigest() == sha256
