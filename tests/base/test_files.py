"""Files that are written as a whole or not at all, and files that processes lock."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.base import files
from fastmlp.base.files import locked, write_atomically
from holding import holding

HOLD = """
import sys
from pathlib import Path
from fastmlp.base.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_one_process_keeps_another_out(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "lock"
    other = holding(HOLD, path)
    assert other.stdin is not None and other.stdout is not None
    with other:
        assert other.stdout.readline() == "held\n"
        with path.open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.stdin.close()  # it ends, and lets go
        with locked(path):
            pass


def test_without_writable_folder_there_is_no_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "missing" / "lock"), locked(tmp_path / "missing" / "lock"):
        pass


def test_errors_inside_come_through(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), locked(tmp_path / "lock"):
        raise OSError("mine")
    with locked(tmp_path / "lock"):
        pass  # and it is free again


def test_a_file_and_its_name_are_put_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def rename(source: Path, target: Path) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    write_atomically(tmp_path / "file", b"content")
    assert done == ["file", "rename", *(["folder"] if os.name != "nt" else [])]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_file_in_pieces_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PIECE", 100)
    contents = [bytes(range(256)), b"", b"short", memoryview(np.arange(300.0)), bytes(100)]
    write_atomically(tmp_path / "file", *contents)
    assert (tmp_path / "file").read_bytes() == b"".join(map(bytes, contents))


# --- what is no regular file ---

posix = pytest.mark.skipif(os.name != "posix", reason="needs devices, FIFOs and links")


def is_same(path: Path, before: os.stat_result) -> bool:
    """Whether nothing has taken the place of what was at a path."""
    now = path.lstat()
    return (now.st_ino, now.st_mode) == (before.st_ino, before.st_mode)


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link, other = (tmp_path / name for name in ("target", "link", "other"))
    target.write_bytes(b"old")
    link.symlink_to("target")
    other.symlink_to(link)
    with target.open("rb") as before:
        for path in (link, other):
            write_atomically(path, b"new")
            assert path.is_symlink() and target.read_bytes() == b"new"
        assert before.read() == b"old"  # replaced as a whole
    assert {path.name for path in tmp_path.iterdir()} == {"target", "link", "other"}


@posix
def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "target").read_bytes() == b"new"


@posix
def test_a_fifo_is_written_through(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "fifo")
    before = path.lstat()
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        write_atomically(path, b"one ", b"", b"two")
        assert reader.stdout.read() == b"one two"
    assert is_same(path, before)


@posix
def test_a_device_is_written_through(tmp_path: Path) -> None:
    before = Path(os.devnull).lstat()
    (tmp_path / "link").symlink_to(os.devnull)
    for path in (Path(os.devnull), tmp_path / "link"):
        write_atomically(path, b"lost")
        assert is_same(Path(os.devnull), before)
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(OSError, match="No space left"):
        write_atomically(Path("/dev/full"), b"lost")


WRITE = """
import sys
from pathlib import Path
from fastmlp.base.files import write_atomically
print("before")
write_atomically(Path(sys.argv[1]), b"content\\n")
print("after")
"""


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_standard_output_by_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    path = str(tmp_path / "link") if name == "link" else name
    command = [sys.executable, "-c", WRITE, path]
    root = Path(__file__).parents[2]
    piped = subprocess.run(command, cwd=root, capture_output=True, check=True)
    assert piped.stdout == b"before\ncontent\nafter\n"
    with (tmp_path / "file").open("wb") as file:
        inode = os.fstat(file.fileno()).st_ino
        subprocess.run(command, cwd=root, stdout=file, check=True)
    assert (tmp_path / "file").read_bytes() == b"before\ncontent\nafter\n"
    assert (tmp_path / "file").stat().st_ino == inode


@posix
def test_nothing_is_written_into_folders_and_sockets(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        for name, words in (
            ("folder", "it is a folder, not a file"), ("link", "it is a folder, not a file"),
            ("socket", "it is a socket, not a file"),
        ):  # fmt: skip
            before = (tmp_path / name).lstat()
            with pytest.raises(OSError, match=words):
                write_atomically(tmp_path / name, b"new")
            assert is_same(tmp_path / name, before)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, b"")
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("letter", ["x", "ß", "数"])
def test_the_longest_name_can_be_written(letter: str, tmp_path: Path) -> None:
    path = tmp_path / (letter * (255 // len(letter.encode())))
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
