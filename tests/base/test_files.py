"""Files that are whole or not there, and files by which processes wait for each other."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.base import files
from fastmlp.base.files import FolderLock, locked, write_atomically

HOLD = """
import sys
from pathlib import Path
from fastmlp.base.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holding(program: str, path: Path) -> subprocess.Popen[str]:
    """Start a program that holds a path until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


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


HOLD_FOLDER = """
import os, signal, sys
from pathlib import Path
from fastmlp.base.files import FolderLock
lock = FolderLock(Path(sys.argv[1]))
if os.fork() == 0:
    print(os.getpid(), flush=True)
    signal.pause()  # it outlives its parent, whose lock it must not keep
sys.stdin.readline()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_folder_is_free_once_its_holder_is_killed(tmp_path: Path) -> None:
    holder = holding(HOLD_FOLDER, tmp_path)
    assert holder.stdin is not None and holder.stdout is not None
    with holder:
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(BlockingIOError):
                FolderLock(tmp_path)
            holder.kill()
            holder.wait()
            FolderLock(tmp_path)
        finally:
            os.kill(child, signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_held_until_it_is_let_go_of(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    lock = FolderLock(tmp_path)
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    lock.release()
    lock.release()
    again = FolderLock(tmp_path)
    del again
    FolderLock(tmp_path).release()


def test_a_folder_that_is_not_there_is_held_by_nobody(tmp_path: Path) -> None:
    FolderLock(tmp_path / "missing").release()


def test_where_no_file_can_be_made_nobody_waits(tmp_path: Path) -> None:
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


def test_a_file_of_several_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PIECE", 100)
    contents = [bytes(range(256)), b"", b"short", memoryview(np.arange(300.0)), bytes(100)]
    write_atomically(tmp_path / "file", *contents)
    assert (tmp_path / "file").read_bytes() == b"".join(map(bytes, contents))
