"""The peak of this machine: fused multiply-adds of float32 on registers alone."""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

# Enough independent sums to hide the latency of 4 cycles at two multiply-adds a cycle.
CHAINS = 12
ROUNDS = 5
SECONDS = 0.02


def register_bytes() -> int:
    """Return the size of the widest vector registers of this CPU."""
    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def measure(threads: int) -> float:
    """Return billions of floating-point operations per second, a multiply-add counted as two.

    Parameters
    ----------
    threads : int
        Each runs the same loop.
    """
    numba.set_num_threads(threads)
    sums = np.zeros(threads * 64, np.float32)
    times = 1_000
    _run(sums, threads, times)  # compiles
    while _seconds(sums, threads, times) < SECONDS:
        times *= 2
    seconds = min(_seconds(sums, threads, times) for _ in range(ROUNDS))
    return threads * times * CHAINS * (register_bytes() // 4) * 2 / seconds / 1e9


def _seconds(sums: np.ndarray, threads: int, times: int) -> float:
    started = time.perf_counter()
    _run(sums, threads, times)
    return time.perf_counter() - started


@numba.njit(parallel=True, nogil=True)
def _run(sums, threads, times):  # type: ignore[no-untyped-def]
    for member in prange(threads):
        sums[member * 64] += _multiply_adds(times, np.float32(0.5))


@intrinsic  # type: ignore[untyped-decorator]
def _multiply_adds(_: Any, times: types.Integer, factor: types.Float) -> Any:
    """Do ``CHAINS`` vector multiply-adds ``times`` times; return the sum of all elements."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        count, scalar = arguments
        lanes = register_bytes() // 4
        vector, lane = ir.VectorType(scalar.type, lanes), ir.IntType(32)
        name = f"v{lanes}f32"
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.{name}"
        )
        undefined = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(undefined, scalar, lane(0))
        factors = builder.shuffle_vector(
            first, undefined, ir.Constant(ir.VectorType(lane, lanes), None)
        )
        before, loop = builder.block, builder.append_basic_block("loop")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(count.type)
        chains = [builder.phi(vector) for _ in range(CHAINS)]
        # Different starts, none of which is the fixed point 1, or chains would be merged or folded.
        starts = [ir.Constant(vector, [float(k + 2)] * lanes) for k in range(CHAINS)]
        sums = [builder.call(fma, [chain, factors, factors]) for chain in chains]
        following = builder.add(index, ir.Constant(count.type, 1))
        for phi, start, value in zip(
            [index, *chains], [ir.Constant(count.type, 0), *starts], [following, *sums], strict=True
        ):
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        after = builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
        builder.position_at_end(after)
        total = sums[0]
        for value in sums[1:]:
            total = builder.fadd(total, value)
        # All lanes count, or the compiler might leave some out.
        reduce = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(scalar.type, [scalar.type, vector]),
            f"llvm.vector.reduce.fadd.{name}",
        )
        return builder.call(reduce, [scalar, total])

    return factor(times, factor), codegen
