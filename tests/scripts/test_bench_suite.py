"""The benchmark suite itself: it imports on any commit, and its data are what they are said to be.

That the benchmarks work is what ``scripts/bench --quick`` is for.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SUITE = Path(__file__).parents[2] / "asv_benchmarks"
IMPORT_ALL = """
import importlib, pkgutil
import benchmarks, fastmlp
assert not hasattr(fastmlp, "fit")
for module in pkgutil.iter_modules(benchmarks.__path__):
    importlib.import_module("benchmarks." + module.name)
"""
OPERATION = """
from benchmarks._kernels import operation
operation("forward", "784x128", "float32")
"""


# An editable installation finds the modules that the empty package has not.
HIDE = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
"""


@pytest.fixture(scope="module")
def images() -> Any:
    """Return ``_data.images``, without the package's settings for Numba."""
    spec = importlib.util.spec_from_file_location("_data", SUITE / "benchmarks" / "_data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.images


def on_an_old_commit(
    tmp_path: Path, code: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run code of the suite where fastmlp has nothing in it yet."""
    package = tmp_path / "fastmlp"
    package.mkdir()
    (package / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path), str(SUITE)])
    return subprocess.run(
        [sys.executable, "-c", HIDE + code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path, **variables},
        capture_output=True, text=True,
    )  # fmt: skip


def test_the_suite_imports_on_a_commit_that_lacks_everything(tmp_path: Path) -> None:
    done = on_an_old_commit(tmp_path, IMPORT_ALL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("strict", "error"), [("", "NotImplementedError"), ("1", "RuntimeError")])
def test_what_a_commit_lacks_is_skipped_but_never_by_the_quick_run(
    tmp_path: Path, strict: str, error: str
) -> None:
    done = on_an_old_commit(tmp_path, OPERATION, FASTMLP_BENCH_STRICT=strict)
    assert f"{error}: forward has changed" in done.stderr and done.returncode == 1


def test_images_have_the_size_and_the_zeros_of_mnist(images: Any) -> None:
    X = images(2000).X
    assert X.shape == (2000, 784) and X.dtype == np.uint8 and X.max() == 255
    assert abs((X == 0).mean() - 0.81) < 0.01


def test_images_are_the_same_however_many_are_drawn(images: Any) -> None:
    few, many = images(1200), images(2500, 300)
    assert (many.X[:1200] == few.X).all() and (many.y[:1200] == few.y).all()
    assert many.X_test.shape == (300, 784)
    assert not (many.X_test == many.X[:300]).all(axis=1).any()
    assert set(many.y) == set(range(10))


def discovered(folder: Path, **variables: str) -> list[str]:
    """Return the benchmarks that asv finds, with their parameters, as --bench matches them."""
    runner = pytest.importorskip("asv.benchmark").__file__
    path = folder / "found.json"
    arguments = [sys.executable, runner, "discover", str(SUITE / "benchmarks"), str(path)]
    subprocess.run(arguments, cwd=folder, env={**os.environ, **variables}, check=True)
    names = []
    for entry in json.loads(path.read_text()):
        combinations = itertools.product(*entry["params"])
        names += [f"{entry['name']}({', '.join(c)})" if c else entry["name"] for c in combinations]
    return names


def test_every_recorded_pattern_selects_a_benchmark(tmp_path: Path) -> None:
    names = discovered(tmp_path, FASTMLP_BENCH_STRICT="")
    lines = (SUITE / "recorded.txt").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    selected = {p: [name for name in names if re.search(p, name)] for p in patterns}
    assert [p for p, found in selected.items() if not found] == []
    # A process each in every round: some three minutes a commit.
    assert sum(map(len, selected.values())) <= 45


def test_the_quick_run_takes_every_benchmark_with_fewer_parameters(tmp_path: Path) -> None:
    every = discovered(tmp_path, FASTMLP_BENCH_STRICT="")
    quick = discovered(tmp_path, FASTMLP_BENCH_STRICT="1")
    assert {name.partition("(")[0] for name in quick} == {n.partition("(")[0] for n in every}
    assert set(quick) < set(every)
    # A process each, a second or more of them: the whole stays under two minutes.
    assert len(quick) <= 70
