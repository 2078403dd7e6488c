"""docs/gallery: notebooks are valid, use names that exist, and have the outputs of this version."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

import fastmlp

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
NOTEBOOKS = sorted(GALLERY.glob("*.ipynb"))
INDEX = (GALLERY / "README.md").read_text(encoding="utf-8")
MOST_BYTES = 300_000
# Paths that a machine leaves in warnings and tracebacks.
MACHINE_PATH = re.compile(
    r"(?<![\w/.:])/(?:home|Users|tmp|usr|opt|root|work|var|private)/|site-packages"
)
BASE64 = re.compile(r"[A-Za-z0-9+/=]{60,}")

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(notebook: Any, kind: str) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def texts(notebook: Any) -> list[str]:
    """What each code cell prints and returns, as text, which repeats to the character."""
    return ["".join(map(text_of, cell["outputs"])) for cell in cells(notebook, "code")]


def text_of(output: Any) -> str:
    if output.get("name") == "stderr":  # warnings depend on versions
        return ""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_index_lists_every_notebook() -> None:
    assert re.findall(r"^\| \[[^\]]+\]\(([\w-]+\.ipynb)\) \| ", INDEX, re.MULTILINE) == [
        path.name for path in NOTEBOOKS
    ]
    assert len(NOTEBOOKS) == 8


@by_name
def test_notebook_is_valid_and_short(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(path, as_version=4))
    assert 6 <= len(read(path)["cells"]) <= 12
    assert path.stat().st_size < MOST_BYTES


@by_name
def test_notebook_was_executed_from_top_to_bottom_without_error(path: Path) -> None:
    notebook = read(path)
    code = cells(notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert not MACHINE_PATH.search(BASE64.sub("", path.read_text(encoding="utf-8")))
    # No times, which change from run to run, in the metadata.
    assert not [cell for cell in code if "execution" in cell["metadata"]]


def uses(tree: ast.AST) -> set[str]:
    """Dotted names below fastmlp in a syntax tree."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if re.fullmatch(r"fastmlp(\.\w+)+", name):
                found.add(name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fastmlp":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def exists(dotted: str) -> bool:
    found: Any = fastmlp
    for name in dotted.split(".")[1:]:
        if not hasattr(found, name):
            try:
                importlib.import_module(f"{found.__name__}.{name}")
            except ImportError:
                return False
        found = getattr(found, name)
    return True


def test_misspelt_names_are_found() -> None:
    tree = ast.parse("fastmlp.TrainConfig.from_recipe('x'); fastmlp.fitt()")
    assert uses(tree) == {"fastmlp.TrainConfig", "fastmlp.TrainConfig.from_recipe", "fastmlp.fitt"}
    assert [name for name in sorted(uses(tree)) if not exists(name)] == ["fastmlp.fitt"]


@by_name
def test_names_and_settings_of_notebook_exist(path: Path) -> None:
    source = "\n".join("".join(cell["source"]) for cell in cells(read(path), "code"))
    tree = ast.parse(source)
    names = uses(tree)
    assert names
    assert [name for name in names if not exists(name)] == []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "fastmlp.TrainConfig":
            keywords = {word.arg for word in call.keywords if word.arg}
            assert keywords <= set(fastmlp.TrainConfig.__dataclass_fields__)


@pytest.mark.soak
@by_name
def test_notebook_runs_and_repeats_its_outputs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for tool in ("onnxruntime", "optuna", "pandas"):
        if any(tool in "".join(cell["source"]).lower() for cell in read(path)["cells"]):
            pytest.importorskip(tool)
    spec = importlib.util.spec_from_file_location("run_gallery", ROOT / "scripts/run_gallery.py")
    assert spec is not None and spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert texts(runner.execute(path)) == texts(read(path)), (
        f"outputs are stale: python scripts/run_gallery.py {path.stem}"
    )
