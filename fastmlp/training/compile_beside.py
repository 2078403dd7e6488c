"""Half of a cold start in another process: two compilers at work, which share a folder.

Of the 19 s that it takes to compile what a run needs, half go into the passes of a network, which
its workspace asks for first, and half into the kernels that call these by address. A second process
compiles the latter meanwhile, and leaves them on disk. It is help and no more: whatever goes wrong
with it, the run compiles for itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numba.np.numpy_support import from_dtype

from ..base.cpus import usable_cpus
from ..kernels.buffers import Net
from ..kernels.machine.jit import signatures_compiled
from ..kernels.steps.evaluation import evaluate_rows
from ..kernels.steps.general_step import train_batches
from ..kernels.steps.sample_step import train_samples
from ..model.launch import launch
from ..model.passes import leave_out_passes
from .config import TrainConfig
from .fit import start
from .plan import is_per_sample
from .resolve import resolve_settings
from .setting_checks import DTYPES
from .warm_up import kept_in, toy_run

# The steps, each with a mode of whose runs it is the step.
_STEPS = {"stochastic": train_samples, "batch": train_batches}

# How much longer than the run itself the helper may take for its half.
_MOST_SECONDS = 60.0


def step_of(config: TrainConfig) -> str:
    """Return a mode in which a plain run takes the step that a run of these settings takes."""
    return "stochastic" if is_per_sample(resolve_settings(config)) else "batch"


def is_cold(config: TrainConfig) -> bool:
    """Whether nobody has compiled the step of such runs, on this machine and from these sources."""
    wanted = from_dtype(np.dtype(config.dtype))
    params = Net._fields.index("params")
    for signature in signatures_compiled(_STEPS[step_of(config)]):
        for kind in signature:
            if getattr(kind, "instance_class", None) is Net and kind.types[params].dtype == wanted:
                return False
    return True


def can_help() -> bool:
    """Whether another process can leave kernels for this one, and has a CPU to compile on."""
    has_python = bool(sys.executable) and not getattr(sys, "frozen", False)
    return usable_cpus() > 1 and kept_in() is not None and has_python


class Helper:
    """A process that compiles what a run needs second; without a command, none.

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
        """Wait until its kernels are on disk, it has failed, or it takes too long."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_MOST_SECONDS)

    def stop(self) -> None:
        """End it, if it has not."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def compiled_beside(config: TrainConfig, threads: int | None) -> Iterator[Helper]:
    """Let another process help a cold run, where it can, until the block is left."""
    command: tuple[str, ...] = ()
    if threads != 1 and can_help():
        command = (sys.executable, "-P", "-m", __name__, config.dtype, step_of(config))
    helper = Helper(command)
    try:
        yield helper
    finally:
        helper.stop()


def compile_callers(dtype: str, mode: str) -> None:
    """Compile a step and an evaluation, but none of the passes that they call by address.

    Nothing can be trained or evaluated in this process any more.
    """
    leave_out_passes(np.dtype(dtype))
    config, dataset = toy_run(mode, dtype)
    run = start(config, dataset, threads=1)
    run.steps.compile()
    workspace, data = run.evaluator, run.prepared.train
    nothing = np.empty((0, run.network.layer_sizes[-1]), workspace.network.dtype)
    launch(
        evaluate_rows, usable_cpus(), workspace.net, workspace.work, workspace.list_scratch,
        data._replace(order=data.order[:0]), run.objective, workspace.block_rows,
        nothing, np.empty(0), np.empty(0, np.int64),
    )  # fmt: skip


if __name__ == "__main__":
    dtype, mode = sys.argv[1:]
    if dtype in DTYPES and mode in _STEPS:
        compile_callers(dtype, mode)
