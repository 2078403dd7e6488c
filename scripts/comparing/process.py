"""Processes that answer requests, seen from the driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class WorkerError(Exception):
    """A contender failed; the message is what it said."""


class Process:
    """A module that answers requests, in a process of its own; see ``serving.py``.

    Parameters
    ----------
    module : str
    arguments : list of str
    threads : int
        Maximum number of threads of the libraries that it uses.
    """

    def __init__(self, module: str, arguments: list[str], threads: int):
        environment = dict(os.environ)
        environment.update(dict.fromkeys(THREAD_SETTINGS, str(threads)))
        # The clone's own fastmlp, whatever is installed.
        paths = [str(SCRIPTS.parent), str(SCRIPTS), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Have something done and wait for the answer.

        Raises
        ------
        WorkerError
            If the contender failed or its process ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps({"do": do, **request}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"its process ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            raise WorkerError(answer["failure"])
        return answer

    def close(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.terminate()
