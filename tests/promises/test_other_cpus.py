"""Kernels compile for the CPUs that this machine does not have, and need no assembler."""

from __future__ import annotations

import ast
import os
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
from fastmlp.kernels.machine.phases import read_ticks
from fastmlp.model.functions import activation_addresses
from fastmlp.model.sparse import _addresses_of_bytes

@kernel(cached=True)
def flush():
    restore_denormals(flush_denormals())

for compiled in (read_ticks, flush):
    compiled.compile(())
    print(compiled.overloads[()].library.get_asm_str())
activation_addresses("tanh", np.dtype(np.float32))
print(sorted(_addresses_of_bytes(np.dtype(np.float32))))
"""


def has_target(triple: str) -> bool:
    """Whether llvmlite was built with this target."""
    llvm.initialize_all_targets()
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="loads objects as Linux has them")
@pytest.mark.parametrize(
    ("machine", "instructions"),
    [
        ("x86_64", ["rdtsc", "stmxcsr", "ldmxcsr"]),
        ("aarch64", ["mrs\tx", "cntvct_el0", "msr\tfpcr"]),
    ],
)
def test_kernels_compile_for_each_cpu(
    machine: str, instructions: list[str], tmp_path: Path
) -> None:
    triple = f"{machine}-unknown-linux-gnu"
    if not has_target(triple):
        pytest.skip(f"this llvmlite cannot compile for {triple}")
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CPU_")}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, triple, machine],
        env={**env, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.lower()
    assert [part for part in instructions if part not in found] == []


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
