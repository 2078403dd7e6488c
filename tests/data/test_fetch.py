"""Servers that do not answer, or hardly, and full disks: an error, soon, and nothing left."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fastmlp.base.errors import DataError
from fastmlp.data import fetch as module
from fastmlp.data.fetch import FetchError, fetch, store

HEADER = b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n"
DIGEST = hashlib.sha256(b"").hexdigest()


@contextmanager
def serving(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """The address of a server that treats its one connection so, until the event is set."""
    gone = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(1 << 16)
                answer(connection, gone)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/file.gz"
        finally:
            gone.set()
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.0 200", HEADER, HEADER + b"\x1f\x8b some"])
def test_a_connection_that_hangs_is_given_up(sent: bytes) -> None:
    def answer(connection: socket.socket, gone: threading.Event) -> None:
        connection.sendall(sent)
        gone.wait()

    with serving(answer) as url, pytest.raises(FetchError, match="timed out"):
        fetch(url, DIGEST, timeout=0.1)


def test_a_server_that_sends_byte_after_byte_is_given_up() -> None:
    def answer(connection: socket.socket, gone: threading.Event) -> None:
        connection.sendall(HEADER)
        while not gone.wait(0.02):
            connection.sendall(b"-")

    with serving(answer) as url, pytest.raises(FetchError, match=r"too slow: \d+ bytes in 0.2 s"):
        fetch(url, DIGEST, timeout=0.2)


def test_a_slow_server_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_BYTES", 1)

    def answer(connection: socket.socket, gone: threading.Event) -> None:
        connection.sendall(HEADER)
        for _ in range(1000):
            connection.sendall(b"-")
            gone.wait(0.0005)

    with serving(answer) as url, pytest.raises(FetchError, match="damaged file"):  # but all of it
        fetch(url, DIGEST, timeout=0.2)


def test_a_connection_that_is_cut_is_refused() -> None:
    def answer(connection: socket.socket, gone: threading.Event) -> None:
        connection.sendall(HEADER + b"\x1f\x8b some")

    with serving(answer) as url, pytest.raises(FetchError, match="truncated or damaged"):
        fetch(url, DIGEST, timeout=5)


def test_without_name_server_error_names_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(FetchError, match="Temporary failure in name resolution"):
        fetch("http://mirror.invalid/file.gz", DIGEST)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_stays_on_it(small_disk: Path) -> None:
    with pytest.raises(DataError, match=r"No space left on device; choose .* --data-dir"):
        store(bytes(1 << 20), small_disk / "mnist" / "file.gz")
    assert [path.name for path in small_disk.rglob("*")] == ["mnist"]
