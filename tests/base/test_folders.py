"""Folders of runs: made, held, and emptied of files alone."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from fastmlp import ConfigError
from fastmlp.base.folders import FolderLock, folders_kept, held_folder, make_folder, remove_files
from holding import holding

posix = pytest.mark.skipif(os.name != "posix", reason="needs devices, FIFOs, links and locks")


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        make_folder(path, "--out")
    return str(caught.value)


@posix
def test_only_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file-link").symlink_to("file")
    (tmp_path / "missing").symlink_to("none")
    for name, kind in (
        ("file", "a file"), ("fifo", "a FIFO"), ("file-link", "a file"),
        ("missing", "a link to none, which is missing"),
    ):  # fmt: skip
        path = tmp_path / name
        assert refusal(path) == (
            f"--out {path} must be a folder, and it is {kind}; choose another folder"
        )
    assert "must be a folder, and it is a device" in refusal(Path(os.devnull))
    within = tmp_path / "file" / "run"
    assert f"cannot be written to: {tmp_path / 'file'} is a file" in refusal(within)
    assert "null" in refusal(tmp_path / "nul\0byte")


@posix
def test_a_link_to_a_folder_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert make_folder(tmp_path / "link", "--out") == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()


@posix
def test_only_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "kept").touch()
    makers = {
        "a folder": lambda path: path.mkdir(), "a FIFO": os.mkfifo,
        "a link": lambda path: path.symlink_to("kept"),
    }  # fmt: skip
    for kind, make in makers.items():
        make(tmp_path / "b")
        with pytest.raises(ConfigError, match=f"b in it is {kind}, not a file; remove that"):
            remove_files([tmp_path / "a", tmp_path / "b"], "--out")
        assert os.path.lexists(tmp_path / "a") and os.path.lexists(tmp_path / "b")
        (tmp_path / "b").rmdir() if kind == "a folder" else (tmp_path / "b").unlink()
    remove_files([tmp_path / "a", tmp_path / "b"], "--out")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@posix
def test_a_folder_is_held_by_one_thread_however_often(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "run")
    found: list[str] = []

    def other() -> None:
        try:
            with held_folder(tmp_path / "run", "--out"):
                found.append("held")
        except ConfigError as error:
            found.append(str(error))

    def ask() -> str:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return found.pop()

    with held_folder(tmp_path / "run", "--out"):
        with held_folder(tmp_path / "link", "out"):
            assert "is in use: another process or thread writes into it; wait" in ask()
        assert "is in use" in ask()
    assert ask() == "held"
    with folders_kept():
        with held_folder(tmp_path / "run", "--out"):
            pass
        assert "is in use" in ask()
        with held_folder(tmp_path / "run", "--out"):
            pass
    assert ask() == "held"
    with pytest.raises(ValueError, match="mine"), folders_kept(), held_folder(tmp_path / "r", "-"):
        raise ValueError("mine")
    FolderLock(tmp_path / "r").release()


HOLD_FOLDER = """
import os, signal, sys
from pathlib import Path
from fastmlp.base.folders import FolderLock
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


def test_folder_is_locked_until_release(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    lock.release()
    lock.release()
    again = FolderLock(tmp_path)
    del again
    FolderLock(tmp_path).release()


def test_missing_folder_is_not_locked(tmp_path: Path) -> None:
    FolderLock(tmp_path / "missing").release()
