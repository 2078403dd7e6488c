"""Kernels that come with the package: installed so, nothing is compiled, and bits are the same."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.kernels.machine.host import cpu_features
from fastmlp.kernels.machine.levels import HOST, VARIABLE, Level, levels_here, levels_of

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "scripts" / "_level.py"
# What a process of its own trains, compiles and loads.
RUN = """
import json, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import every_kind
    from fastmlp.kernels.machine.lookup import used
    digest = getattr(every_kind.Runs(sys.argv[1]), sys.argv[2])()
print(json.dumps({
    "digest": digest,
    "compiled": sorted(every_kind.compiled()),
    "used": sorted(used),
    "ignored": sum("are ignored" in str(w.message) for w in caught),
}))
"""

pytestmark = pytest.mark.skipif(not levels_here(), reason="no kernels are shipped for this CPU")


def process(*command: str, site: Path = ROOT, **variables: str) -> str:
    """What a process prints that finds the package in ``site``."""
    paths = os.pathsep.join([str(site), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-P", *command],  # the package in ``site``, not in this folder
        env={**os.environ, "PYTHONPATH": paths, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def trained(dtype: str, what: str, **given: object) -> dict[str, object]:
    """What a process reports that trains."""
    found: dict[str, object] = json.loads(process("-c", RUN, dtype, what, **given))  # type: ignore[arg-type]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and its kernels, as an installed wheel has them.

    The kernels are those of float32 that this machine's tests have compiled: a level takes minutes.
    """
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(
        ROOT / "fastmlp",
        folder / "fastmlp",
        ignore=shutil.ignore_patterns("__pycache__", "shipped"),
    )
    shipped = folder / "fastmlp" / "kernels" / "shipped"
    shipped.mkdir()
    level = levels_here()[0].name
    process(str(BUILD), level, str(shipped / f"{level}.kernels"), "float32")
    return folder


def test_nothing_that_is_registered_compiles_when_installed_so(site: Path, tmp_path: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    level = levels_here()[0].name
    found = trained("float32", "every_kind", site=site, **cache)
    assert (found["compiled"], found["used"], found["ignored"]) == ([], [level], 0)
    assert not [*tmp_path.rglob("*.nb?")]


def test_shipped_kernels_have_the_bits_of_compiled_ones(site: Path, tmp_path: Path) -> None:
    shipped = trained("float32", "every_mode", site=site, NUMBA_CACHE_DIR=str(tmp_path))
    assert shipped["used"] == [levels_here()[0].name]
    assert shipped["digest"] == trained("float32", "every_mode")["digest"]


def test_kernels_of_this_cpu_come_first_and_others_are_never_loaded(
    site: Path, tmp_path: Path
) -> None:
    script = "from fastmlp.model.functions import loss_address as a; import numpy as np; "
    script += "a('huber', np.dtype('f4')); "
    script += "from fastmlp.kernels.machine.lookup import used; print(*used)"
    level = levels_here()[0].name

    def sources(**variables: str) -> str:
        return process("-W", "ignore", "-c", script, site=site, **variables).strip()

    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert sources(**cache) == level
    assert sources(**cache, **{VARIABLE: HOST}) == "compiled"
    assert sources(**cache) == "disk"


def test_package_without_writable_folder_uses_shipped_kernels(site: Path) -> None:
    script = (
        "from numba.core.caching import NullCache\n"
        "import fastmlp.kernels.machine.lookup as lookup\n"
        "def refuse(function): raise RuntimeError\n"
        "lookup.KernelCache = refuse\n"
        "from fastmlp.training.compile_beside import is_cold\n"
        "from fastmlp import TrainConfig\n"
        "print(is_cold(TrainConfig()))\n"
    )
    assert process("-c", script, site=site).strip() == "False"


def test_a_file_of_another_version_is_ignored_and_reported_once(site: Path, tmp_path: Path) -> None:
    changed = tmp_path / "site"
    shutil.copytree(site, changed)
    (file,) = (changed / "fastmlp" / "kernels" / "shipped").iterdir()
    (changed / "fastmlp" / "kernels" / "codes_of_another_version.py").write_text("")
    script = (
        "import warnings, numpy as np\n"
        "from fastmlp.model.functions import activation_addresses, loss_address\n"
        "from fastmlp.kernels.machine.lookup import used\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    activation_addresses('relu', np.dtype('f4')); loss_address('huber', np.dtype('f4'))\n"
        "print(len(caught), set(used) <= {'compiled', 'disk'}, str(caught[0].message))\n"
    )
    text = process("-c", script, site=changed, NUMBA_CACHE_DIR=str(tmp_path / "nc")).strip()
    assert text.startswith("1 True ")
    assert str(file) in text and "kernel sources" in text and "Install" in text


@pytest.mark.soak  # compiles for some minutes
@pytest.mark.parametrize(
    "level", levels_of(platform.machine()), ids=[x.name for x in levels_of(platform.machine())]
)
def test_every_level_has_the_bits_of_this_cpu(level: Level, tmp_path: Path) -> None:
    if not cpu_features().issuperset(level.features):
        pytest.skip(f"this CPU is below {level.name}")
    lower = {**level.variables(), "NUMBA_CACHE_DIR": str(tmp_path), VARIABLE: HOST}
    for dtype in ("float32", "float64"):
        for what in ("every_kind", "every_mode"):
            found = trained(dtype, what, **lower)
            assert found["digest"] == trained(dtype, what, **{VARIABLE: HOST})["digest"]
