"""A process that holds a lock until it is told to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def holding(program: str, path: Path) -> subprocess.Popen[str]:
    """Start a program that holds a path until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
