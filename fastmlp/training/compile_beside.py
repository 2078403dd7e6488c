"""Compiling half of the kernels of a cold start in a second process.

Half of the time is for the layers of a network, which the workspace needs first, and half for the
update and the kernels that call the passes by address. A second process compiles the latter and
leaves them on disk. If it fails, the run compiles everything itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numba.np.numpy_support import from_dtype

from ..base.cpus import usable_cpus
from ..kernels.buffers import Net
from ..kernels.machine.jit import signatures_compiled
from ..kernels.machine.records import declared_type
from ..kernels.steps.general_step import train_batches
from ..kernels.steps.sample_step import train_samples
from .config import TrainConfig
from .kernel_folder import kept_in
from .layers import own_gradient_kernels
from .plan import is_per_sample
from .resolve import resolve_settings

# The steps, each with a mode that uses it.
STEPS = {"stochastic": train_samples, "batch": train_batches}

# Time to wait for the helper after the run has compiled its half.
_MOST_SECONDS = 60.0


def step_of(config: TrainConfig) -> str:
    """Return a mode whose plain runs use the same step as these settings."""
    return "stochastic" if is_per_sample(resolve_settings(config)) else "batch"


def is_cold(config: TrainConfig) -> bool:
    """Whether the step of these settings is not compiled yet, in memory or on disk."""
    wanted = from_dtype(np.dtype(config.dtype))
    net = declared_type(Net, wanted)
    return all(net not in call.kinds for *_, call in signatures_compiled(STEPS[step_of(config)]))


def can_help() -> bool:
    """Whether a second process has a CPU and can pass kernels to this one on disk."""
    # A program that embeds Python may name itself as the executable.
    name = os.path.basename(sys.executable or "").lower()
    has_python = name.startswith("python") and not getattr(sys, "frozen", False)
    return usable_cpus() > 1 and kept_in() is not None and has_python


class Helper:
    """A process that compiles the kernels that a run needs last; none without a command.

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

    def wait(self) -> None:
        """Wait until the process has ended, or a timeout."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_MOST_SECONDS)

    def stop(self) -> None:
        """Kill the process if it is running."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_seen: set[tuple[str, str]] = set()  # steps that this process has found or had compiled


@contextmanager
def compiled_beside(config: TrainConfig, threads: int | None) -> Iterator[Helper]:
    """Start a helper process for a cold run, if possible; stop it at the end of the block.

    Parameters
    ----------
    config : TrainConfig
    threads : int or None
        No helper for one thread, which is then all that the user wants to be busy.
    """
    helper = Helper(_command(config) if threads != 1 and _is_first(config) else ())
    try:
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


def _command(config: TrainConfig) -> tuple[str, ...]:
    """Return the command of a helper; empty if none can help."""
    if not can_help():
        return ()
    module = f"{__package__}.compile_callers"
    kernels = own_gradient_kernels(config)
    return sys.executable, "-P", "-m", module, config.dtype, step_of(config), *kernels
