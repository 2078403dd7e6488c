"""How kernels are compiled: the arithmetic they may assume, and when old code may be used again."""

from __future__ import annotations

import importlib
import math
import os
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba import float32, int64
from numba.core.dispatcher import Dispatcher

from fastmlp import kernels
from fastmlp.kernels.machine import disk, jit
from fastmlp.kernels.machine.disk import KernelFiles

MODULES = [
    module.name
    for module in pkgutil.walk_packages(kernels.__path__, "fastmlp.kernels.")
    if not module.ispkg
]


def dispatchers(module: str) -> list[Any]:
    """All compiled functions that a module of kernels defines."""
    found = vars(importlib.import_module(module)).values()
    return [f for f in found if isinstance(f, Dispatcher) and f.__module__ == module]


@pytest.mark.parametrize("module", MODULES)
def test_every_kernel_is_compiled_by_the_same_rules(module: str) -> None:
    for dispatcher in dispatchers(module):
        options = dispatcher.targetoptions
        assert not options["fastmath"], dispatcher  # other bits on another CPU
        assert options["nogil"] and options["error_model"] == "numpy", dispatcher


def test_the_rules_were_checked_on_real_kernels() -> None:
    assert sum(len(dispatchers(module)) for module in MODULES) > 30


def test_a_compiled_sum_keeps_nan_and_infinity() -> None:
    @jit.kernel
    def total(x):
        result = 0.0
        for value in x:
            result += value
        return result

    @jit.kernel(cached=True)
    def caller(x):
        return total(x)

    assert math.isnan(caller(np.array([1.0, np.nan, 2.0])))
    assert caller(np.array([1.0, np.inf, 2.0])) == math.inf


def test_a_kernel_inside_others_refuses_calls_from_python() -> None:
    @jit.kernel
    def one(x):
        return x[0] + 1.0

    @jit.kernel(cached=True)
    def caller(x):
        return one(x)

    for _ in ("before it is compiled", "after"):
        with pytest.raises(TypeError, match="kernel one is for compiled callers only"):
            one(np.zeros(1))
        assert caller(np.zeros(1)) == 1.0


def test_the_hash_changes_with_any_source_and_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    hashes = [jit.hash_sources(tmp_path)]
    (tmp_path / "b.py").write_text("y = 2\n")
    hashes.append(jit.hash_sources(tmp_path))
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    hashes.append(jit.hash_sources(tmp_path))
    (tmp_path / "d.py").write_text("")
    hashes.append(jit.hash_sources(tmp_path))
    assert len(set(hashes)) == 4


def test_the_hash_does_not_change_with_what_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = jit.hash_sources(tmp_path)
    (tmp_path / "a.pyc").write_text("compiled")
    assert jit.hash_sources(tmp_path) == before


HELPER = """
from .machine.jit import kernel

@kernel
def helper(x):
    return x + {}
"""

CALLER = """
from .helper import helper
from .machine.jit import kernel, signatures_compiled
from numba import int64

@kernel(cached=True)
def caller(x):
    return helper(x)

was_cached = (int64,) in signatures_compiled(caller)
value = caller(1)
print(value, was_cached, sum(caller.stats.cache_hits.values()))
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A package compiled like the kernels: a cached function that calls one in another file."""
    package = tmp_path / "tiny"
    (package / "machine").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in (
        "__init__.py",
        "assertions.py",
        "claims.py",
        "disk.py",
        "host.py",
        "jit.py",
        "levels.py",
        "linking.py",
        "lookup.py",
        "shipped.py",
        "stored.py",
        "view.py",
    ):
        source = Path(jit.__file__).parent / name
        (package / "machine" / name).write_bytes(source.read_bytes())
    (package / "helper.py").write_text(HELPER.format(10))
    (package / "caller.py").write_text(CALLER)
    return package


def run(package: Path) -> tuple[int, bool, int]:
    """What the package prints in a process of its own: value, was it cached, cache hits."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(package.parent / "cache")}
    command = [sys.executable, "-m", "tiny.caller"]
    done = subprocess.run(
        command, cwd=package.parent, env=environment, capture_output=True, text=True, check=True
    )
    value, was_cached, hits = done.stdout.split()
    return int(value), was_cached == "True", int(hits)


def test_old_code_is_used_until_a_helper_in_another_file_changes(tiny: Path) -> None:
    assert run(tiny) == (11, False, 0)
    assert run(tiny) == (11, True, 1)
    (tiny / "helper.py").write_text(HELPER.format(20))
    assert run(tiny) == (21, False, 0)
    (tiny / "helper.py").write_text(HELPER.format(10))
    assert run(tiny) == (11, True, 1)


def unreadable(files: KernelFiles) -> None:
    """What the index of a version is whose types are not there any more."""
    Path(files._index_path).write_bytes(pickle.dumps(numba.__version__) + b"cno.such\nmodule\n.")


def test_no_version_reads_what_another_has_written(tmp_path: Path) -> None:
    one, other = (KernelFiles(str(tmp_path), "m.f-9.py311", letter * 64) for letter in "ab")
    one.save("types", "code")
    unreadable(other)
    assert one.load("types") == "code"
    with pytest.raises(ModuleNotFoundError):
        other.load("types")


def test_versions_do_not_pile_up(tmp_path: Path) -> None:
    others = ["m.g-9.py311.nbi", "m.f-9.py312-0.nbi", "m.f_2-9.py311-0.nbi", "n.m.f-9.py311-0.nbi"]
    old = ["m.f-7.py311.nbi", "m.f-7.py311.1.nbc", "m.f-7.py311.2.nbc"]
    for name in (*others, *old):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    for age in range(1, 6):
        files = KernelFiles(str(tmp_path), f"m.f-{age}.py311", f"version {age}")
        files.save("types", "code")
        files.save("other types", "more code")
        os.utime(files._index_path, (age, age))
    names = {path.name for path in tmp_path.iterdir()}
    assert {*others} < names
    ours = sorted(name.partition("-")[2] for name in names - {*others})
    assert [name[:8] for name in ours] == [f"{age}.py311-" for age in range(2, 6) for _ in range(3)]
    assert sorted(name.rpartition(".")[2] for name in ours) == ["nbc"] * 8 + ["nbi"] * 4


def test_two_processes_never_write_the_same_code(tmp_path: Path) -> None:
    """Each has read the index before the other wrote to it."""
    one, other = (KernelFiles(str(tmp_path), "m.f-7.py311", "same") for _ in range(2))
    load = one._load_index
    one._load_index = dict
    one.save("types", "code")
    other._load_index = dict
    other.save("other types", "other code")
    one._load_index = load
    assert one.load("other types") == "other code"
    assert one.load("types") in (None, "code")


def test_kernels_work_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, function: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(disk.KernelCache, "__init__", refuse)

    @jit.kernel(cached=True)
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert (int64,) in jit.signatures_compiled(double)
    assert (float32,) not in jit.signatures_compiled(double)
