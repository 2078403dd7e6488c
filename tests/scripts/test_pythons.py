"""``scripts/test --python``: which interpreters are found, and how the tests run on each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="module")
def pythons() -> Any:
    """Return scripts/_pythons.py as a module."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("_pythons", SCRIPTS / "_pythons.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(SCRIPTS))


@pytest.mark.parametrize(
    ("arguments", "versions", "rest"),
    [
        (["-q", "tests"], [], ["-q", "tests"]),
        (["--python", "3.13", "-q"], ["3.13"], ["-q"]),
        (["-q", "--python=3.11,3.12"], ["3.11", "3.12"], ["-q"]),
        (["--python"], ["none given"], []),
    ],
)
def test_option_is_taken_out_of_the_arguments(
    pythons: ModuleType, arguments: list[str], versions: list[str], rest: list[str]
) -> None:
    assert pythons.versions_in(arguments) == (versions, rest)


def test_running_interpreter_is_found(pythons: ModuleType) -> None:
    found = subprocess.check_output([pythons.find(HERE), "-c", pythons._VERSION], text=True)
    assert found.strip() == HERE
    assert pythons.find("3.99") == ""


def test_all_means_those_that_are_installed(
    pythons: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "find", lambda version: "p" if version != "3.14" else "")
    assert pythons.versions_in(["--python", "all"])[0] == ["3.11", "3.12", "3.13"]


def test_shim_of_another_version_is_passed_over(
    pythons: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "_candidates", lambda version: ["", "missing", sys.executable])
    assert pythons.find(HERE) == sys.executable
    assert pythons.find("3.99") == ""


@pytest.mark.parametrize(
    ("version", "code", "says"),
    [
        ("3.9", 2, "must be all, or versions of 3.11, "),
        ("none given", 2, "got none given"),
        ("3.14", 1, "pyenv install 3.14"),
    ],
)
def test_unknown_and_missing_versions_have_a_remedy(
    pythons: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: str,
    code: int,
    says: str,
) -> None:
    monkeypatch.setattr(pythons, "find", lambda version: "")
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: pytest.fail("nothing may run"))
    assert pythons.run_each("test", [version], []) == code
    assert says in capsys.readouterr().err


def test_each_version_has_its_environment_and_failures_count(
    pythons: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[list[str], str]] = []

    def call(command: list[str], env: dict[str, str]) -> int:
        calls.append((command, env["FASTMLP_VENV"]))
        return 3 if "3.12" in command[0] else 0

    monkeypatch.setattr(pythons, "find", lambda version: f"/python{version}")
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setenv("FASTMLP_VENV", os.path.join("somewhere", "venv"))
    assert pythons.run_each("test", ["3.12", "3.13"], ["-q"]) == 3
    venv = os.path.join("somewhere", "venv")
    assert calls == [
        (["/python3.12", "test", "-q"], f"{venv}-3.12"),
        (["/python3.13", "test", "-q"], f"{venv}-3.13"),
    ]
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Python 3.12: exit code 3",
        "Python 3.13: passed",
    ]
