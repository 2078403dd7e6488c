"""Files by which processes wait for each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.base.files import locked

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
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdin is not None and other.stdout is not None
    with other:
        assert other.stdout.readline() == "held\n"
        with path.open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.stdin.close()  # it ends, and lets go
        with locked(path):
            pass


def test_where_no_file_can_be_made_nobody_waits(tmp_path: Path) -> None:
    with locked(tmp_path / "missing" / "lock"), locked(tmp_path / "missing" / "lock"):
        pass


def test_errors_inside_come_through(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), locked(tmp_path / "lock"):
        raise OSError("mine")
    with locked(tmp_path / "lock"):
        pass  # and it is free again
