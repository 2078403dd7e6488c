"""Kernels compile for the CPUs that this machine does not have, and need no assembler."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding as llvm
import pytest

import fastmlp.kernels
from fastmlp.kernels.machine.host import cpu_features

# Compiles kernels, by Numba's whole pipeline, for another CPU, and runs none of them.
COMPILE = """
import platform, sys
import llvmlite.binding as llvm

triple, machine = sys.argv[1:]
llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
llvm.get_process_triple = lambda: triple
llvm.get_host_cpu_name = lambda: "generic" if machine == "aarch64" else "haswell"
llvm.get_host_cpu_features = llvm.FeatureMap
llvm.Target.from_default_triple = classmethod(lambda target: target.from_triple(triple))
platform.machine = lambda: machine

import numpy as np
from fastmlp.kernels.machine.denormals import flush_denormals, restore_denormals
from fastmlp.kernels.machine.jit import kernel
from fastmlp.kernels.machine.lookup import KernelCode
from fastmlp.kernels.machine.phases import read_ticks
from fastmlp.model.functions import activation_addresses, loss_address, of_rows_address
from fastmlp.model.layer_table import backward_address, forward_address, gradient_address
from fastmlp.model.samples import block_addresses
from fastmlp.model.sparse import _addresses_of_bytes, _addresses_of_lists

@kernel(cached=True)
def flush():
    restore_denormals(flush_denormals())

# Nothing is stored: every kernel that is compiled is printed.
def show(code, signature, compiled):
    print("KERNEL", code.name)
    print(compiled.library.get_asm_str())
KernelCode.save_overload = show

real = np.dtype(np.float32)
for compiled in (read_ticks, flush):
    compiled.compile(())
activation_addresses("tanh", real)
_addresses_of_bytes(real)
if machine == "aarch64":
    _addresses_of_lists(real)
    block_addresses(real)
    forward_address("dense", real)
    gradient_address("dense", real)
    gradient_address("conv2d_max_pool2d", real)
    forward_address("conv2d", real)
    of_rows_address("softmax", real)
    for name in ("cross_entropy", "binary_cross_entropy"):
        loss_address(name, real)
"""


def has_target(triple: str) -> bool:
    """Whether llvmlite was built with this target."""
    llvm.initialize_all_targets()
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError:
        return False
    return True


def compiled_for(machine: str, folder: Path) -> dict[str, str]:
    """The assembly of kernels that are compiled for a CPU, by their names."""
    triple = f"{machine}-unknown-linux-gnu"
    if sys.platform != "linux":
        pytest.skip("loads objects as Linux has them")
    if not has_target(triple):
        pytest.skip(f"this llvmlite cannot compile for {triple}")
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CPU_")}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, triple, machine],
        env={**env, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parts = (part.partition("\n") for part in done.stdout.split("KERNEL ")[1:])
    return {name.rpartition(".")[2]: text.lower() for name, _, text in parts}


@pytest.fixture(scope="module")
def arm_kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return compiled_for("aarch64", tmp_path_factory.mktemp("aarch64"))


def test_kernels_compile_for_x86(tmp_path: Path) -> None:
    found = "\n".join(compiled_for("x86_64", tmp_path).values())
    assert [part for part in ("rdtsc", "stmxcsr", "ldmxcsr") if part not in found] == []


def test_kernels_compile_for_arm(arm_kernels: dict[str, str]) -> None:
    found = "\n".join(arm_kernels.values())
    assert [part for part in ("mrs\tx", "cntvct_el0", "msr\tfpcr") if part not in found] == []


@pytest.mark.parametrize("name", ["softmax_in_lanes", "cross_entropy", "binary_cross_entropy"])
def test_rows_in_the_lanes_are_vectors_of_arm(name: str, arm_kernels: dict[str, str]) -> None:
    text = arm_kernels[name]
    assert re.search(r"\bzip1\s+v|\btrn1\s+v|\bzip1\.4s", text)  # transposed in registers
    assert re.search(r"\bfmla\s+v\d+\.[24][ds]|\bfmla\.[24][ds]", text)


# Kernels whose inner loops hold sums, and the least number of multiply-adds of the largest loop.
SUMS_ON_ARM = {
    "dense_forward": 24,
    "dense_weight_gradient": 24,
    "conv2d_forward": 24,
    "conv2d_max_pool2d_gradient": 16,
    "sparse_forward": 16,
    "sparse_gradient": 16,
    "forward_of_bytes": 16,
    "gradient_of_bytes": 16,
    "forward_block": 16,
}


@pytest.mark.parametrize("name", SUMS_ON_ARM)
def test_sums_stay_in_the_registers_of_arm(name: str, arm_kernels: dict[str, str]) -> None:
    loops = [loop for loop in inner_loops(arm_kernels[name]) if multiply_adds(loop)]
    assert max(map(multiply_adds, loops)) >= SUMS_ON_ARM[name]
    for loop in loops:
        assert stored_on_stack(loop) == [], "\n".join(loop)


def test_a_sum_on_the_stack_is_found() -> None:
    lines = [".l1:", "\tfmla\tv0.4s, v1.4s, v2.4s", "\tstr\tq0, [sp, #16]", "\tb.ne\t.l1"]
    (loop,) = inner_loops("\n".join(lines))
    assert (multiply_adds(loop), len(stored_on_stack(loop))) == (1, 1)


def inner_loops(assembly: str) -> list[list[str]]:
    """The lines of each loop without another inside it: from a label to a jump back to it."""
    lines, labels, loops = assembly.splitlines(), {}, []
    for number, line in enumerate(lines):
        if label := re.match(r"([\w.$]+):", line):
            labels[label[1]] = number
        jump = re.match(r"\s+(?:b|b\.\w+|cbn?z|tbn?z)\s+(?:.*,\s*)?([\w.$]+)$", line)
        if jump and jump[1] in labels:
            loops.append((labels[jump[1]], number))
    return [
        lines[first : last + 1]
        for first, last in loops
        if not any(first <= a and b <= last and (a, b) != (first, last) for a, b in loops)
    ]


def multiply_adds(loop: list[str]) -> int:
    """The number of fused multiply-adds of vectors."""
    return sum(bool(re.match(r"\s+fml[as]\s+v", line)) for line in loop)


def stored_on_stack(loop: list[str]) -> list[str]:
    """The lines that store registers of vectors on the stack, where they are loaded again."""
    return [line for line in loop if re.match(r"\s+st[pr]\s+[qdsv]\d.*\[sp", line)]


def assemblies() -> Iterator[tuple[str, ast.expr]]:
    """Yield the text of each inline assembly that a kernel's source emits."""
    for path in sorted(Path(fastmlp.kernels.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr in ("asm", "InlineAsm"):
                yield path.name, node.args[1]  # type: ignore[attr-defined]


def test_no_inline_assembly_holds_an_instruction() -> None:
    # Numba does not initialise LLVM's assembly parser: where the printer of the target cannot do
    # without, as on ARM, an instruction ends the process while it is compiled.
    for name, text in assemblies():
        assert isinstance(text, ast.Constant) and text.value == "", name


HASWELL = (
    "+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+fsgsbase,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+rdrnd,"
    "+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave,+xsaveopt"
)


def layer_bits(**environment: str) -> str:
    """What convolutional runs leave in a process of its own."""
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join([str(tests.parent), str(tests)])
    done = subprocess.run(
        [sys.executable, str(tests / "layer_bits.py")],
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_NUM_THREADS": "3", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.soak  # compiles for a minute
@pytest.mark.skipif("avx512f" not in cpu_features(), reason="compares AVX2 with AVX-512")
def test_convolutions_with_avx2_have_the_bits_of_avx512() -> None:
    found = layer_bits(NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES=HASWELL)
    assert found == layer_bits()
    for line in found.splitlines():
        assert len(set(line.split())) == 1  # on any number of threads
