"""The source distribution and the wheel, each installed in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, folder: Path) -> str:
    """Run a command apart from this clone, and return what it prints."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both distributions, built from a copy of what Git has."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("built")
    files = run("git", "ls-files", "-z", "-co", "--exclude-standard", folder=ROOT).split("\0")
    with tarfile.open(folder / "clone.tar", "w") as archive:
        for name in filter(None, files):
            if (ROOT / name).exists():
                archive.add(ROOT / name, name)
    with tarfile.open(folder / "clone.tar") as archive:
        archive.extractall(folder / "clone", filter="data")
    run(sys.executable, "-m", "build", "-o", folder / "dist", folder=folder / "clone")
    return folder / "dist"


@pytest.mark.soak
@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_a_distribution_works_in_an_empty_environment(
    pattern: str, built: Path, tmp_path: Path
) -> None:
    (file,) = built.glob(pattern)
    venv.create(tmp_path / "venv", with_pip=True)
    bin = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(bin / "python", "-m", "pip", "install", "-q", file, folder=tmp_path)
    command = bin / "fastmlp"

    assert '"fastmlp": ' in run(command, "info", "--json", folder=tmp_path)
    assert "_shtab_fastmlp" in run(command, "--print-completion", "bash", folder=tmp_path)
    train = ["train", "--data", "digits", "--epochs", "2", "--out", "run", "--quiet"]
    assert "test accuracy" in run(command, *train, folder=tmp_path)
    run(command, "export", "run", "model.py", folder=tmp_path)
    script = "import model; print(model.predict([[0] * 64]).shape)"
    assert run(bin / "python", "-c", script, folder=tmp_path) == "(1,)\n"


@pytest.mark.soak
def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    (file,) = built.glob("*.whl")
    names = zipfile.ZipFile(file).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fastmlp"}
    assert "fastmlp/recipes/mnist-98.toml" in names and "fastmlp/py.typed" in names
