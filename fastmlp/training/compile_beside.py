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
from ..kernels.evaluate import evaluate_rows
from ..kernels.general_step import train_batches
from ..kernels.jit import signatures_compiled
from ..kernels.sample_step import train_samples
from ..model.launch import launch
from ..model.passes import leave_out_passes
from .checks import DTYPES, MODES
from .config import TrainConfig
from .fit import start
from .warm_up import kept_in, toy_run

_STEPS = {"stochastic": train_samples}


def is_cold(dtype: str, mode: str) -> bool:
    """Whether nobody has compiled the step of such runs, on this machine and from these sources."""
    wanted = from_dtype(np.dtype(dtype))
    params = Net._fields.index("params")
    for signature in signatures_compiled(_STEPS.get(mode, train_batches)):
        for kind in signature:
            if getattr(kind, "instance_class", None) is Net and kind.types[params].dtype == wanted:
                return False
    return True


def can_help() -> bool:
    """Whether another process can leave kernels for this one, and has a CPU to compile on."""
    return usable_cpus() > 1 and kept_in() is not None and bool(sys.executable)


class Helper:
    """A process that compiles what a run needs second; without a command, none.

    Parameters
    ----------
    command : sequence of str, default ()
    """

    def __init__(self, command: Sequence[str] = ()):
        self._process: subprocess.Popen[bytes] | None = None
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        if not command:
            return
        with suppress(OSError):
            self._process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def wait(self) -> None:
        """Wait until its kernels are on disk, or until it has failed."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End it, if it has not."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def compiled_beside(config: TrainConfig) -> Iterator[Helper]:
    """Let another process help a run, if it is cold, until the block is left."""
    command: tuple[str, ...] = ()
    if is_cold(config.dtype, config.mode) and can_help():
        command = (sys.executable, "-P", "-m", __name__, config.dtype, config.mode)
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
        evaluate_rows, usable_cpus(), workspace.net, workspace.work, workspace.lists,
        data._replace(order=data.order[:0]), run.objective, workspace.block_rows,
        nothing, np.empty(0), np.empty(0, np.int64),
    )  # fmt: skip


if __name__ == "__main__":
    dtype, mode = sys.argv[1:]
    if dtype in DTYPES and mode in MODES:
        compile_callers(dtype, mode)
