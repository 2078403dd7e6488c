"""Denormal numbers are zero inside the kernels, and what they were outside."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from fastmlp.kernels.machine.denormals import flush_denormals, restore_denormals
from harness import DTYPES, Case, Run, cached

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "i386", "i686", "aarch64", "arm64"),
    reason="the mode is only switched on x86 and 64-bit ARM",
)

TINY = {"float32": 1e-40, "float64": 1e-310}
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@cached
def scale(x, factor, y, flush):
    """y = factor x, with denormals flushed or not."""
    mode = np.uint32(0)
    if flush:
        mode = flush_denormals()
    for j in range(x.size):
        y[j] = factor * x[j]
    if flush:
        restore_denormals(mode)


def scaled(start: float, factor: float, dtype: str, flush: bool) -> float:
    x, y = np.full(37, start, dtype), np.full(37, np.nan, dtype)
    scale(x, x.dtype.type(factor), y, flush)
    assert (y == y[0]).all()
    return float(y[0])


def denormals_live(dtype: str) -> bool:
    """Whether this thread computes with denormal numbers, as it should."""
    tiny = np.full(3, TINY[dtype], dtype)
    return bool((tiny + tiny > tiny).all())


@each_dtype
def test_flushed_operands_and_results_are_zero(dtype: str) -> None:
    info, tiny = np.finfo(dtype), TINY[dtype]
    assert scaled(tiny, 2**20, dtype, flush=True) == 0  # an operand
    assert scaled(float(info.tiny), 0.5, dtype, flush=True) == 0  # a result
    assert scaled(tiny, 2**20, dtype, flush=False) > 0
    assert scaled(float(info.tiny), 0.5, dtype, flush=False) > 0


@each_dtype
def test_the_mode_before_is_restored(dtype: str) -> None:
    assert denormals_live(dtype)
    scaled(1.0, 1.0, dtype, flush=True)
    assert denormals_live(dtype)


@each_dtype
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_evaluation_flushes_and_restores(dtype: str, threads: int) -> None:
    run = Run(Case(sizes=(1, 1), output="identity", loss="squared_error", dtype=dtype, rows=30))
    run.X[...], run.network.weights[0][...], run.network.biases[0][...] = TINY[dtype], 2**20, 0
    outputs, _, _ = run.evaluate(threads)
    assert (outputs == 0).all()
    assert denormals_live(dtype)


@each_dtype
@pytest.mark.parametrize("per_sample", [False, True], ids=["general", "per_sample"])
def test_training_flushes_and_restores(dtype: str, per_sample: bool) -> None:
    run = Run(
        Case(sizes=(1, 1), output="identity", loss="squared_error", dtype=dtype, batch_size=1)
    )
    run.X[...], run.Y[...] = 1, 0
    run.network.weights[0][...], run.network.biases[0][...] = TINY[dtype], 0
    steps = run.train_samples() if per_sample else run.train()
    assert all(step.loss == 0 for step in steps)
    assert run.network.weights[0] == 0
    assert denormals_live(dtype)
