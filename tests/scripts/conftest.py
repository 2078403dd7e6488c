"""scripts/bench as modules, and a repository that stands for this one."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return scripts/_bench.py as a module."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("_bench")


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the packages of the comparisons importable, as their scripts do."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    own = ("comparing", "peers", "table_peers")
    for name in [name for name in sys.modules if name.split(".")[0] in own]:
        del sys.modules[name]


@pytest.fixture
def asv(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return scripts/_asv.py, whose derived files lie elsewhere."""
    monkeypatch.setattr(bench._asv, "DERIVED", tmp_path / "env")
    return bench._asv


@pytest.fixture
def repository(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository of one commit, which stands for ours."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.setattr(bench._environment, "ROOT", str(root))
    git = bench._git.git
    git("init", "--quiet")
    (root / "file").write_text("content")
    git("add", "file")
    git("commit", "--quiet", "-m", "One")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


class History:
    """A repository with a package, kernels and records, to which a test adds.

    Parameters
    ----------
    bench : module
        scripts/_bench.py.
    root : path
    """

    def __init__(self, bench: Any, root: Path):
        self.git, self.root = bench._git.git, root
        self.folder = root / "asv_benchmarks"
        settings = bench._asv.read_settings()
        self.pins = {name: versions[0] for name, versions in settings["matrix"]["req"].items()}
        self.settings = bench._asv.SETTINGS.read_text()
        self.listed: list[str] = []
        for name in ("results", "benchmarks"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "recorded.txt").write_text("# a comment\n\nkernels\n")
        (self.folder / "milestones.txt").write_text("# none\n")

    def commit(self, path: str, milestone: bool = False) -> str:
        """Change a file, commit it, and return the commit."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as text:
            text.write("more\n")
        self.git("add", path)
        self.git("commit", "--quiet", "-m", f"Change {path}")
        commit: str = self.git("rev-parse", "HEAD")
        if milestone:
            self.listed.append(f"{commit[:8]} What {path} brought")
            (self.folder / "milestones.txt").write_text("\n".join(["# hashes", *self.listed]))
        return commit

    def record(self, commit: str, machine: str = "zen9", **pins: str) -> Path:
        """Write a record of a commit and return the file."""
        content = {
            "commit_hash": commit,
            "requirements": {**self.pins, **pins},
            "result_columns": ["result", "params", "version", "samples", "profile"],
            "results": {"kernels.old": [[1.0], [], "v"]},
        }
        path = self.folder / "results" / machine / f"{commit[:8]}-env.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
        return path


@pytest.fixture
def history(bench: Any, asv: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """Return a repository of one commit with the folders of benchmarks, none recorded."""
    made = History(bench, repository)
    settings = made.folder / "asv.conf.json"
    settings.write_text(made.settings)
    monkeypatch.setattr(asv, "FOLDER", made.folder)
    monkeypatch.setattr(asv, "SETTINGS", settings)
    made.commit("fastmlp/kernels/steps/dense.py")
    return made
