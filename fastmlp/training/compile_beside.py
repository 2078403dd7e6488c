"""Compiling the kernels of a cold start in two processes.

The run compiles kernels in the order in which it needs them. A second process begins with the last
ones and leaves them on disk. Both claim a kernel before they compile it, so they meet in the middle
whatever takes longer. If the second process fails, the run compiles everything itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numba.np.numpy_support import from_dtype

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError
from ..base.settings import AUTO
from ..kernels.machine.claims import Claims
from ..kernels.machine.jit import signatures_compiled
from ..kernels.machine.launch import worker_signature
from ..kernels.machine.lookup import sharing
from ..kernels.steps.evaluation import evaluate_rows
from .compile_share import STEPS
from .config import TrainConfig
from .kernel_folder import kept_in
from .layers import forms_of
from .plan import is_per_sample, updates_of
from .resolve import resolve_settings
from .run import Run


def step_of(config: TrainConfig) -> str:
    """Return a mode whose plain runs use the same step as these settings."""
    return "stochastic" if is_per_sample(resolve_settings(config)) else "batch"


def is_cold(config: TrainConfig) -> bool:
    """Whether the step of these settings is not compiled yet, in memory or on disk."""
    step = STEPS[step_of(config)]
    wanted = worker_signature(step, from_dtype(np.dtype(config.dtype)))
    return wanted not in signatures_compiled(step)


def can_help() -> bool:
    """Whether a second process has a CPU and can pass kernels to this one on disk."""
    # A program that embeds Python may name itself as the executable.
    name = os.path.basename(sys.executable or "").lower()
    has_python = name.startswith("python") and not getattr(sys, "frozen", False)
    return usable_cpus() > 1 and kept_in() is not None and has_python


class Helper:
    """A process that compiles kernels of a run; none without a command.

    Parameters
    ----------
    command : sequence of str, default ()
    """

    def __init__(self, command: Sequence[str] = ()):
        self._process: subprocess.Popen[bytes] | None = None
        if not command:
            return
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        with suppress(OSError):
            self._process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def compile(self, run: Run) -> None:
        """Compile or load what a run needs, as long as there is a process to share it with."""
        if self.is_running():
            run.compile()
            run.evaluate(run.prepared.train, rows=1)  # as predictions will

    def stop(self) -> None:
        """Kill the process if it is running."""
        if self._process is not None and self.is_running():
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_seen: set[tuple[str, str]] = set()  # steps that this process has found or had compiled


@contextmanager
def compiled_beside(config: TrainConfig, threads: int | None, task: str = AUTO) -> Iterator[Helper]:
    """Start a helper process for a cold run, if possible; stop it at the end of the block.

    Parameters
    ----------
    config : TrainConfig
    threads : int or None
        No helper for one thread, which is then all that the user wants to be busy.
    task : str, default "auto"
        Of the data, if the config does not say it.
    """
    with suppress(ConfigError):  # the run reports it, unless rules change the settings
        config = config.replace(task=task) if config.task == AUTO else config
    if threads == 1 or not _is_first(config) or not can_help():
        yield Helper()
        return
    with TemporaryDirectory(prefix="fastmlp-") as folder:
        helper = Helper(_command(config, folder))
        try:
            # Needed last, and by every run.
            evaluation = worker_signature(evaluate_rows, from_dtype(np.dtype(config.dtype)))
            meanwhile = [partial(evaluate_rows.compile, evaluation)]
            with sharing(Claims(Path(folder), helper.is_running, meanwhile)):
                yield helper
        finally:
            helper.stop()


def _is_first(config: TrainConfig) -> bool:
    """Whether a step is cold that no other run of this process compiles."""
    step = (config.dtype, step_of(config))
    with _lock:
        if step in _seen:
            return False
        _seen.add(step)
    return is_cold(config)


def _command(config: TrainConfig, folder: str) -> tuple[str, ...]:
    """Return the command of a helper that claims kernels in a folder."""
    module = f"{__package__}.compile_share"
    updates = ",".join(updates_of(resolve_settings(config)))
    what = config.dtype, step_of(config), updates, *forms_of(config)
    return sys.executable, "-P", "-m", module, folder, *what
