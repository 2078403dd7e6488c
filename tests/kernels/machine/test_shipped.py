"""Files of shipped kernels, the levels of CPUs, and which file is used."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import float64
from numba.core.compiler import CompileResult

from fastmlp.kernels.machine import jit, lookup, shipped
from fastmlp.kernels.machine.levels import LEVELS, levels_of, usable_levels
from fastmlp.kernels.machine.lookup import KernelCode, recording, used
from fastmlp.kernels.machine.shipped import ShippedKernels, Unfit, write

V3, V4, ARM = LEVELS


def twice(x: np.ndarray) -> float:
    """A kernel with a helper of its own."""
    return helper(x) * 2.0


@jit.kernel
def helper(x):
    return x[0] + 1.0


def compile_twice(version: str = jit.SOURCES_HASH) -> Any:
    """A new dispatcher that is named like a kernel of the package."""
    dispatcher = jit.kernel(twice, cached=True)
    dispatcher._cache = KernelCode(twice, version)
    dispatcher._cache.name = "fastmlp.kernels.twice"
    return dispatcher


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with one kernel, for x86-64-v3 as it says."""
    with recording() as kernels:
        dispatcher = compile_twice()
        dispatcher._cache._own.disable()
        dispatcher.compile((float64[::1],))
    path = tmp_path_factory.mktemp("kernels") / "file"
    write(path, V3.name, jit.SOURCES_HASH, kernels)
    return path.read_bytes()


@pytest.fixture
def folder(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of shipped kernels, for a CPU of x86-64-v4, with a file of v3."""
    (tmp_path / "x86-64-v3.kernels").write_bytes(content)
    monkeypatch.setattr(lookup, "FOLDER", tmp_path)
    monkeypatch.setattr(lookup, "levels_here", lambda: (V4, V3))
    monkeypatch.setattr(lookup._State, "has_warned", False)
    lookup._files.cache_clear()
    yield tmp_path
    lookup._files.cache_clear()


def load(name: str = "fastmlp.kernels.twice") -> CompileResult | None:
    """What the lookup finds, without the files of this machine."""
    dispatcher = compile_twice()
    dispatcher._cache._own.disable()
    dispatcher._cache.name = name
    found: CompileResult | None = dispatcher._cache.load_overload(
        (float64[::1],), dispatcher.targetctx
    )
    return found


def test_kernel_is_found_in_the_file_of_a_lower_level(folder: Path) -> None:
    before = used[V3.name]
    found = load()
    assert found is not None
    assert found.entry_point(np.array([20.0])) == 42.0
    assert used[V3.name] == before + 1
    assert (float64[::1],) in jit.signatures_compiled(compile_twice())
    assert load("fastmlp.kernels.another") is None
    assert load("some.other.package") is None


def test_no_shipped_kernel_is_used_while_compiling_for_this_cpu(folder: Path) -> None:
    with lookup.for_host():
        assert load() is None


def test_shipped_code_shares_no_helper(content: bytes, folder: Path) -> None:
    found = load()
    assert found is not None
    assert b"helper" not in found.fndesc.llvm_func_name.encode()
    file = ShippedKernels(folder / "x86-64-v3.kernels", V3.name, jit.SOURCES_HASH)
    (entry,) = file._index("fastmlp.kernels.twice").values()
    symbols = shipped.pickle.loads(file._piece(entry))[0][2]
    assert found.fndesc.llvm_cfunc_wrapper_name in symbols
    assert not [name for name in symbols if "helper" in name and "NumbaEnv" not in name]


def changed(content: bytes, **facts: str) -> bytes:
    """The file with other facts in its header."""
    start = len(shipped._FORMAT) + shipped._SIZE_BYTES
    size = int.from_bytes(content[len(shipped._FORMAT) : start], "little")
    header = json.dumps({**json.loads(content[start : start + size]), **facts}).encode()
    length = len(header).to_bytes(shipped._SIZE_BYTES, "little")
    return shipped._FORMAT + length + header + content[start + size :]


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ("level", "level"),
        ("sources", "kernel sources"),
        ("numba", "Numba"),
        ("llvmlite", "llvmlite"),
        ("llvm", "LLVM"),
        ("python", "Python"),
    ],
)
def test_file_of_other_versions_is_never_unpickled(
    content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch, fact: str, says: str
) -> None:
    def refuse(content: bytes) -> None:
        raise AssertionError("unpickled")

    monkeypatch.setattr(shipped.pickle, "loads", refuse)
    path = folder / "x86-64-v3.kernels"
    path.write_bytes(changed(content, **{fact: "0.0.1"}))
    with pytest.warns(UserWarning, match=f"{says}.* '0.0.1'"):
        assert load() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load() is None  # reported once


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:30],
        lambda content: b"x" + content[1:],
        lambda content: content.replace(b'"kernels"', b'"colonel"'),
        lambda content: content[:-1],
        lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        lambda content: shipped._FORMAT + b"\xff" * 8 + content[26:],
    ],
)
def test_damaged_file_is_ignored(content: bytes, folder: Path, damage: Any) -> None:
    (folder / "x86-64-v3.kernels").write_bytes(damage(content))
    with pytest.warns(UserWarning, match="are ignored"):
        assert load() is None


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ShippedKernels(tmp_path / "none", V3.name, "")
    (tmp_path / "text").write_text("text")
    with pytest.raises(Unfit, match="damaged"):
        ShippedKernels(tmp_path / "text", V3.name, "")


def test_levels_of_a_cpu() -> None:
    v3, v4 = set(V3.features), {*V4.features, "sse4a"}
    assert usable_levels("AMD64", v4) == (V4, V3)
    assert usable_levels("x86_64", v3) == (V3,)
    assert usable_levels("x86_64", v3 - {"fma"}) == usable_levels("riscv64", v3) == ()
    assert usable_levels("arm64", set()) == usable_levels("aarch64", {"neon"}) == (ARM,)
    assert [level.name for level in levels_of("x86_64")] == ["x86-64-v3", "x86-64-v4"]


def test_limit_of_levels() -> None:
    v4 = set(V4.features)
    assert usable_levels("x86_64", v4, "x86-64-v3") == (V3,)
    assert usable_levels("x86_64", v4, "x86-64-v4") == (V4, V3)
    assert usable_levels("x86_64", v4, "host") == ()
    with pytest.raises(ValueError, match="FASTMLP_KERNELS must be one of host, x86-64-v3"):
        usable_levels("x86_64", v4, "armv8")


def test_variables_name_a_cpu_and_its_features() -> None:
    assert V3.variables()["NUMBA_CPU_NAME"] == "x86-64-v3"
    features = V4.variables()["NUMBA_CPU_FEATURES"].split(",")
    assert {"+avx512f", "+fma", "-prefer-256-bit"} <= set(features)
