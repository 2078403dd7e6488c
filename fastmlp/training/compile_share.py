"""The second process of a cold start: compiles what the run needs, the last kernels first.

It skips a kernel that the run has begun. Later ones in its list are those that the run needs first,
and those that it may not need: forms of layers are guessed from the settings.

``python -m fastmlp.training.compile_share FOLDER float32 batch passes dense`` claims kernels in
FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from ..kernels.call_types import call_backward, call_update_pass
from ..kernels.machine.calls import call_signature
from ..kernels.machine.claims import Claims
from ..kernels.machine.launch import run_region, worker_signature
from ..kernels.steps.evaluation import evaluate_rows
from ..kernels.steps.general_step import backward, train_batches
from ..kernels.steps.sample_step import train_samples
from ..kernels.steps.update import update_in_one_pass, update_in_passes
from ..model.layer_table import layer_kernels

# The steps, each with a mode that uses it.
STEPS = {"stochastic": train_samples, "batch": train_batches}
UPDATES = {"one_pass": update_in_one_pass, "passes": update_in_passes}

Job = tuple[Any, tuple[Any, ...]]  # a kernel and the types to compile it for


def jobs(dtype: np.dtype, mode: str, updates: Sequence[str], forms: Sequence[str]) -> Iterator[Job]:
    """Yield the kernels that a run needs, the last ones first.

    Parameters
    ----------
    dtype : dtype
    mode : {"stochastic", "batch"}
    updates : sequence of str
        Keys of ``UPDATES``.
    forms : sequence of str
        The names of the kernels of the layers, from the first layer to the last.
    """
    real, is_general = from_dtype(dtype), STEPS[mode] is train_batches

    def by_address(call: Any, kernel: Any) -> Job:
        return kernel, call_signature(call, real)  # type: ignore[no-untyped-call]

    if is_general:
        for name in updates:
            yield by_address(call_update_pass, UPDATES[name])
    for worker in (STEPS[mode], evaluate_rows):
        yield worker, worker_signature(worker, real)
    yield run_region, (types.int64,) * 4
    if is_general:
        yield by_address(call_backward, backward)
    layers = [[by_address(*pair) for pair in layer_kernels(form)] for form in reversed(forms)]
    for _, *others in layers if is_general else ():
        yield from others[1:]  # gradients of weights
    for forward, *others in layers:
        yield from others[:1] if is_general else ()
        yield forward


def compile_jobs(claims: Claims, which: Iterator[Job]) -> None:
    """Compile kernels that the other process has not claimed."""
    for kernel, signature in which:
        name = kernel._cache.name
        if claims.take(name, signature):
            try:
                kernel.compile(signature)
            finally:
                claims.finish(name, signature)


if __name__ == "__main__":
    folder, dtype, mode, updates, *forms = sys.argv[1:]
    compile_jobs(Claims(Path(folder)), jobs(np.dtype(dtype), mode, updates.split(","), forms))
