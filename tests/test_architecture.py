"""Imports point down, packages import heavy libraries only where allowed, modules stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "fastmlp"
MODULES = sorted(PACKAGE.rglob("*.py"))

LEVELS = {
    "base": 0,
    "kernels": 0,
    "ops": 1,
    "model": 2,
    "data": 2,
    "recipes": 2,
    "training": 3,
    "reports": 4,
    "exports": 4,
    "estimators": 5,
    "sweeps": 5,
    "commands": 6,
}
TOP_LEVEL = 7  # train.py, sweep.py, predict.py and the package's own names
# Folders that take nothing from a lower level: model/ finds the kernels of a record of ops by its
# name.
FORBIDDEN_IMPORTS = {("ops", "kernels")}
# Facts that need nothing else, which every module may import.
COMMON_MODULES = {"fastmlp._folders", "fastmlp._version"}
KERNEL_IMPORTS = {
    "__future__", "collections", "contextlib", "ctypes", "functools", "hashlib", "inspect", "json",
    "llvmlite", "math", "numba", "numbers", "numpy", "operator", "os", "pathlib", "pickle",
    "platform", "re", "struct", "sys", "sysconfig", "time", "typing", "uuid", "warnings", "zlib",
}  # fmt: skip
HEAVY = [
    "numba", "llvmlite", "sklearn", "scipy", "matplotlib", "rich", "safetensors", "narwhals",
]  # fmt: skip
LIGHT_FOLDERS = ["base", "ops", "data"]
MOST_LINES = 320
# Reads the package's own compiled kernels, which are code (SECURITY.md), and no data.
READS_KERNELS = PACKAGE / "kernels" / "machine" / "shipped.py"
PICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve"}

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES]
)


def name_of(path: Path) -> str:
    """The dotted name of a module; a folder's own name for its __init__."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the bodies of functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from outside_functions(child)


def imports(
    path: Path,
    source: str | None = None,
    walk: Callable[[ast.AST], Iterator[ast.AST]] = ast.walk,
) -> Iterator[str]:
    """The dotted names of all modules that a module imports, wherever in it, for typing too."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in walk(ast.parse(path.read_text() if source is None else source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(start if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                # ``from .kernels import codes`` imports the module fastmlp.kernels.rules.codes.
                full = f"{base}.{alias.name}"
                yield full if full in NAMES else base


def folder(module: str) -> str:
    """The folder of fastmlp in which a module lies; "" for the top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LEVELS else ""


def wrong_imports(path: Path, source: str | None = None) -> list[str]:
    """What a module must not import of fastmlp: its own level's other folders, higher levels,
    or strangers.
    """
    own, wrong = folder(name_of(path)), []
    for module in imports(path, source):
        if module.split(".")[0] != "fastmlp" or module in COMMON_MODULES:
            continue
        other = folder(module)
        below = LEVELS.get(other, TOP_LEVEL) < LEVELS.get(own, TOP_LEVEL)
        if (other != own and not below) or (own, other) in FORBIDDEN_IMPORTS:
            wrong.append(module)
    return wrong


def test_every_folder_has_a_level() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(LEVELS)


@each_module
def test_imports_point_down(path: Path) -> None:
    assert wrong_imports(path) == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("ops/spec.py", "from ..base.errors import ConfigError", False),
        ("ops/spec.py", "from ..kernels import codes", True),
        ("ops/losses.py", "def f():\n    from ..kernels.losses import huber", True),
        ("model/functions.py", "from ..kernels import codes", False),
        ("model/functions.py", "from ..ops.losses import LOSSES", False),
        ("ops/spec.py", "from . import losses", False),
        ("ops/spec.py", "from ..model.network import Network", True),
        ("ops/spec.py", "from .. import model", True),
        ("ops/spec.py", "import fastmlp.model.network", True),
        ("ops/spec.py", "import fastmlp", True),
        ("ops/spec.py", "from fastmlp import Dataset", True),
        ("ops/spec.py", "def f():\n    from ..training import fit", True),
        ("ops/spec.py", "if TYPE_CHECKING:\n    from ..training.fit import fit", True),
        ("ops/spec.py", "from .._version import __version__", False),
        ("model/network.py", "from ..data.dataset import Dataset", True),
        ("data/dataset.py", "from ..model import network", True),
        ("kernels/emit/tile.py", "from ...base.errors import ConfigError", True),
        ("base/errors.py", "from ..kernels import codes", True),
        ("training/__init__.py", "from . import anything", False),
        ("training/__init__.py", "from ..reports import anything", True),
        ("train.py", "from .training.fit import fit", False),
        ("train.py", "from .commands.options import parse", False),
        ("commands/options.py", "from ..train import main", True),
    ],
)
def test_rule_distinguishes_down_from_up(module: str, source: str, wrong: bool) -> None:
    assert bool(wrong_imports(PACKAGE / module, source)) == wrong


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernels").rglob("*.py")), ids=lambda p: p.name)
def test_kernels_import_only_what_they_are_compiled_with(path: Path) -> None:
    outside = {module.split(".")[0] for module in imports(path)} - {"fastmlp"}
    assert outside <= KERNEL_IMPORTS


def circle(sources: dict[Path, str]) -> list[str]:
    """Return the modules of a circle of imports outside of functions, for typing too."""
    graph = {name_of(path): {*imports(path, sources.get(path), outside_functions)} & NAMES
             for path in MODULES}  # fmt: skip
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_imports() -> None:
    assert circle({}) == []


def test_circles_by_type_would_be_noticed() -> None:
    source = "if TYPE_CHECKING:\n    from .run import Run"
    found = circle({PACKAGE / "training" / "events.py": source})
    assert {"fastmlp.training.events", "fastmlp.training.run"} <= {*found}


KERNEL_ORDER = [
    "machine", "buffers", "slices", "call_types", "emit", "rules", "inputs", "layers", "steps",
]  # fmt: skip


def test_kernels_import_only_from_earlier_folders() -> None:
    for path in sorted((PACKAGE / "kernels").rglob("*.py")):
        own = name_of(path).split(".")
        if len(own) < 3:
            continue  # the package itself
        parts = [name.split(".") for name in imports(path) if name.startswith("fastmlp.kernels.")]
        for other in {name[2] for name in parts}:
            assert KERNEL_ORDER.index(other) <= KERNEL_ORDER.index(own[2]), (path.name, other)


def heavy_after(statement: str) -> list[str]:
    """The heavy modules that a fresh Python has loaded after a statement."""
    script = f"import sys\n{statement}\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PACKAGE.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_importing_the_package_and_its_light_folders_loads_nothing_heavy() -> None:
    light = sorted(name for name in NAMES if folder(name) in LIGHT_FOLDERS)
    assert len(light) > 20
    assert heavy_after(f"import fastmlp, {', '.join(light)}") == []


def test_heavy_modules_would_be_noticed() -> None:
    assert "numba" in heavy_after("import fastmlp.kernels.machine.jit")


@each_module
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) < MOST_LINES


def dangers(source: str) -> list[str]:
    """What could execute code that came with data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id="eval" | "exec" | "__import__" as name):
                found.append(name)
            case ast.Import(names=names) | ast.ImportFrom(module=None, names=names):
                found += [a.name for a in names if a.name.split(".")[0] in PICKLING]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in PICKLING:
                found.append(module)
            case ast.ImportFrom(module="joblib", names=names):
                found += [a.name for a in names if a.name == "load"]
            case ast.Attribute(value=ast.Name(id="joblib"), attr="load"):
                found.append("joblib.load")
            case ast.keyword(arg="allow_pickle", value=value):
                found += [] if ast.unparse(value) == "False" else ["allow_pickle"]
    return found


@each_module
def test_nothing_can_execute_code_that_comes_with_data(path: Path) -> None:
    assert dangers(path.read_text()) == (["pickle"] if path == READS_KERNELS else [])


@pytest.mark.parametrize(
    ("source", "dangerous"),
    [
        ("import pickle", True),
        ("from pickle import loads", True),
        ("import os, pickle", True),
        ("import joblib\njoblib.load('x')", True),
        ("from joblib import load", True),
        ("from joblib import Parallel", False),
        ("eval('1')", True),
        ("exec('x = 1')", True),
        ("np.load('x.npy', allow_pickle=True)", True),
        ("np.load('x.npy', allow_pickle=False)", False),
        ("ast.parse('1', mode='eval')", False),
        ("ast.literal_eval('1')", False),
    ],
)
def test_search_finds_only_dangerous_calls(source: str, dangerous: bool) -> None:
    assert bool(dangers(source)) == dangerous
