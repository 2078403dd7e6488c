"""The tests on other versions of Python: ``scripts/test --python 3.13``. Standard library only."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import _environment

OPTION = "--python"
# Those that the package supports, as its classifiers say.
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def versions_in(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the versions that arguments ask for, and the other arguments.

    ``--python 3.12,3.13`` or ``--python=all``, which means all that are installed.
    """
    rest, versions = list(arguments), ""
    for index, argument in enumerate(rest):
        if argument == OPTION:
            versions = "".join(rest[index + 1 : index + 2]) or "none given"
            del rest[index : index + 2]
            break
        if argument.startswith(f"{OPTION}="):
            versions = argument.partition("=")[2] or "none given"
            del rest[index]
            break
    if versions == "all":
        return [version for version in SUPPORTED if find(version)], rest
    return [version for version in versions.split(",") if version], rest


def run_each(script: str, versions: list[str], arguments: list[str]) -> int:
    """Run a script on each version of Python; return the first exit code that is not 0.

    Each version has a virtual environment of its own, such as ``.venv-3.13``.
    """
    for version in versions:
        if not re.fullmatch(r"3\.[1-9][0-9]*", version) or version not in SUPPORTED:
            supported = ", ".join(SUPPORTED)
            _environment.say(
                f"{OPTION} must be all, or versions of {supported} separated by commas, got "
                f"{version}"
            )
            return 2
    found = {version: find(version) for version in versions}
    for version, python in found.items():
        if not python:
            _environment.say(
                f"Python {version} is not found on PATH or under pyenv. Install it, for example "
                f"with: pyenv install {version}"
            )
            return 1
    base = os.environ.get("FASTMLP_VENV") or os.path.join(_environment.ROOT, ".venv")
    codes = {}
    for version, python in found.items():
        _environment.say(f"--- Python {version}: {python}")
        environment = {**os.environ, "FASTMLP_VENV": f"{base}-{version}"}
        codes[version] = subprocess.call([python, script, *arguments], env=environment)
    for version, code in codes.items():
        _environment.say(f"Python {version}: {'passed' if code == 0 else f'exit code {code}'}")
    return next((code for code in codes.values() if code), 0)


def find(version: str) -> str:
    """Return the path of an interpreter of a version; empty if there is none."""
    for path in _candidates(version):
        try:
            done = subprocess.run([path, "-c", _VERSION], capture_output=True, text=True)
        except OSError:
            continue
        # A shim of pyenv exists for versions that are not active, and fails.
        if done.returncode == 0 and done.stdout.strip() == version:
            return path
    return ""


def _candidates(version: str) -> Iterator[str]:
    """Yield paths that may be an interpreter of a version."""
    if version == "{}.{}".format(*sys.version_info[:2]):
        yield getattr(sys, "_base_executable", "") or sys.executable
    yield shutil.which(f"python{version}") or ""
    root = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    for name in ("bin/python", "python.exe"):  # of pyenv, and of pyenv-win
        patterns = os.path.join(root, "versions", f"{version}.*", *name.split("/"))
        yield from sorted(glob.glob(patterns), reverse=True)
    if launcher := shutil.which("py"):
        done = subprocess.run(
            [launcher, f"-{version}", "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
        )
        yield done.stdout.strip()
