"""Claims: which of two processes compiles a kernel, at a cold start.

A claim is a file in a folder that both know. The process that creates it compiles the kernel and
leaves it on disk; the other one waits for it, or does something else.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_DONE = ".done"
_PAUSE = 0.005  # seconds between looks at the folder
_MOST_SECONDS = 60.0


class Claims:
    """The claims of one process.

    Parameters
    ----------
    folder : Path
        The same for both processes.
    is_other_running : function
        Whether the other process, which waits for nothing, is still running.
    meanwhile : iterable of function
        What to do while waiting, each once.
    """

    def __init__(
        self,
        folder: Path,
        is_other_running: Callable[[], bool] = lambda: False,
        meanwhile: Iterable[Callable[[], object]] = (),
    ):
        self._folder, self._is_other_running = folder, is_other_running
        self._meanwhile = iter(meanwhile)

    def take(self, kernel: str, signature: tuple[Any, ...]) -> bool:
        """Claim a kernel for some types; return whether this process compiles it."""
        try:
            os.close(os.open(self._path(kernel, signature), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        except OSError:  # the folder is gone: both compile
            pass
        return True

    def finish(self, kernel: str, signature: tuple[Any, ...]) -> None:
        """Note that a claimed kernel is on disk, or cannot be compiled."""
        self._path(kernel, signature, _DONE).touch()

    def wait(self, kernel: str, signature: tuple[Any, ...]) -> None:
        """Wait until the other process has compiled a kernel, or has ended, or a timeout."""
        done, stop = self._path(kernel, signature, _DONE), time.monotonic() + _MOST_SECONDS
        while self._is_other_running() and not done.exists() and time.monotonic() < stop:
            do = next(self._meanwhile, None)
            if do is None:
                time.sleep(_PAUSE)
            else:
                do()

    def _path(self, kernel: str, signature: tuple[Any, ...], suffix: str = "") -> Path:
        types = ", ".join(map(str, signature))
        digest = hashlib.sha256(f"{kernel}({types})".encode()).hexdigest()
        return self._folder / f"{digest[:32]}{suffix}"
