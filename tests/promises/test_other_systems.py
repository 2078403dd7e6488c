"""Windows and macOS, as far as another system can act like them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp import ConfigError, TrainConfig, fit, run_sweep, save_run
from fastmlp.base import files, folders
from fastmlp.base.files import write_atomically
from fastmlp.base.folders import FolderLock
from fastmlp.kernels.machine.disk import KernelFiles
from fastmlp.training.checkpoints import remove_checkpoints
from toys import blobs

ROOT = Path(__file__).parents[2]
SETTINGS = {"hidden_layer_sizes": (4,), "epochs": 1}
# Windows opens no longer path, unless the system is set up for them.
LONGEST_PATH = 260

# Takes away what Windows, or macOS, lacks. Python's asyncio for Unix needs it while it is imported.
WITHOUT = """
import asyncio, os, sys
for name in ("fork", "forkpty", "register_at_fork", "sched_getaffinity", "sched_setaffinity",
             "sysconf", "geteuid", "getuid", "posix_fadvise", "fdatasync", "mkfifo"):
    if hasattr(os, name):
        delattr(os, name)
sys.modules["resource"] = sys.modules["pwd"] = sys.modules["grp"] = None
"""
RUN = """
import hashlib, warnings
import numpy as np
import fastmlp
from fastmlp.commands.machine_facts import machine_facts
from fastmlp.train import main
from toys import blobs
result = fastmlp.fit(fastmlp.TrainConfig(hidden_layer_sizes=(4,), epochs=1), blobs(), threads=2,
                     checkpoint_dir="checkpoints")
result.predictor.save("model.safetensors")
fastmlp.save_run(result, blobs(), "saved", plots=False)
print(hashlib.sha256(result.predictor.network.params.tobytes()).hexdigest())
found = fastmlp.run_sweep({"epochs": 1, "hidden_layer_sizes": 4}, blobs(), out="sweep", plots=False)
print(found.status)
print(main(["--data", "digits", "--hidden", "4", "--epochs", "1", "--quiet", "--profile",
            "--no-plots", "--out", "run"]))
print(len(machine_facts()) > 0)
"""


def run(folder: Path, before: str = "") -> list[str]:
    """Return what a process prints that trains, saves and sweeps."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(before, encoding="utf-8")
    paths = os.pathsep.join([str(folder), str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", RUN],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_system_without_fork_affinities_and_users(tmp_path: Path) -> None:
    there, without = run(tmp_path / "there"), run(tmp_path / "without", WITHOUT)
    assert without[:2] == there[:2]
    assert without[-2:] == there[-2:] == ["0", "True"]
    assert (tmp_path / "without" / "run" / "model.safetensors").is_file()


@pytest.fixture
def lock_within(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are on a file in the folder, as on Windows; here it stays."""

    def open_file(folder: Path) -> int:
        return os.open(folder / folders._LOCK_FILE, os.O_RDWR | os.O_CREAT)

    monkeypatch.setattr(folders, "_open", open_file)


@pytest.mark.usefixtures("lock_within")
def test_file_of_a_lock_is_no_content_of_a_folder(tmp_path: Path) -> None:
    result = fit(TrainConfig(**SETTINGS), blobs(), checkpoint_dir=tmp_path / "checkpoints")
    save_run(result, blobs(), tmp_path / "run", plots=False)
    assert (tmp_path / "run" / folders._LOCK_FILE).is_file()
    with pytest.raises(ConfigError, match="must be a new or empty folder"):
        save_run(result, blobs(), tmp_path / "run", plots=False)
    save_run(result, blobs(), tmp_path / "run", plots=False, overwrite=True)
    for resume in (False, True):
        swept = run_sweep(SETTINGS, blobs(), out=tmp_path / "sweep", plots=False, resume=resume)
        assert swept.status == "finished"
    lock = FolderLock(tmp_path / "run")
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path / "run")
    lock.release()


def test_folder_of_checkpoints_is_removed_after_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows the file of the lock is removed with the lock, and not before."""
    (tmp_path / "checkpoints").mkdir()
    release = FolderLock.release

    def open_file(folder: Path) -> int:
        return os.open(folder / folders._LOCK_FILE, os.O_RDWR | os.O_CREAT)

    def release_and_remove(lock: FolderLock) -> None:
        release(lock)
        (tmp_path / "checkpoints" / folders._LOCK_FILE).unlink()

    monkeypatch.setattr(folders, "_open", open_file)
    monkeypatch.setattr(FolderLock, "release", release_and_remove)
    remove_checkpoints(tmp_path / "checkpoints")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("system", "failures", "is_written"),
    [("win32", 2, True), ("win32", 9, False), ("linux", 1, False)],
)
def test_a_file_that_is_open_elsewhere_is_replaced_a_moment_later(
    system: str, failures: int, is_written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, left = os.replace, [failures]

    def refuse_at_first(source: Path, target: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "Access is denied", str(target))
        replace(source, target)

    monkeypatch.setattr(files.sys, "platform", system)
    monkeypatch.setattr(files, "_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(files.os, "replace", refuse_at_first)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    if is_written:
        write_atomically(path, b"new")
    else:
        with pytest.raises(PermissionError):
            write_atomically(path, b"new")
    assert path.read_bytes() == (b"new" if is_written else b"old")
    assert list(tmp_path.iterdir()) == [path]


def test_names_of_compiled_kernels_are_short(tmp_path: Path) -> None:
    """In a user's cache on Windows, with a long user name, they fit the longest path."""
    from every_kind import entries

    user = rf"C:\Users\{'n' * 20}\AppData\Local\numba"
    for entry in entries():
        cache = entry._cache._own
        files = KernelFiles(str(tmp_path), cache._impl.filename_base, "version")
        folder = os.path.basename(entry._cache.cache_path)
        # Numba writes a temporary file beside it, with a UUID.
        path = "\\".join([user, folder, f"{files._data_name(1)}.tmp.{'0' * 32}"])
        assert len(path) < LONGEST_PATH, path
