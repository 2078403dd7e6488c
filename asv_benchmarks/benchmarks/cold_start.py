"""What a user waits for before training starts: imports, and compiling where nothing is on disk.

Each is a fresh process. The compiler's time is in the first benchmark alone; the second has the
kernels of a wheel.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec

from ._cases import few, missing
from ._kernels import highest_level

# Compiles the kernels of a level into a file, as scripts/build_wheel does.
_LEVEL = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "_level.py")
_TRAIN = ["-m", "fastmlp.train", "--data", "digits", "--epochs", "1", "--quiet", "--no-out"]

_FIT = """
from sklearn.datasets import load_iris
from fastmlp import MLPClassifier
MLPClassifier(random_state=0).fit(*load_iris(return_X_y=True))
"""
# By the name of a command: what it needs of the package, and how it is called.
_COMMANDS = {
    "train digits": ("fastmlp.train", _TRAIN),
    "fit an estimator": ("fastmlp.estimators", ["-W", "ignore", "-c", _FIT]),
    "import fastmlp": ("fastmlp", ["-c", "import fastmlp"]),
    "import fastmlp; fastmlp.fit": ("fastmlp", ["-c", "import fastmlp; fastmlp.fit"]),
}


def _arguments(command):
    needed, arguments = _COMMANDS[command]
    if find_spec(needed) is None:
        raise missing(f"no {needed}")
    return arguments


def _run(arguments, **variables):
    subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        check=True,
    )


# The second run of a command finds files in memory and kernels on disk, as all later ones do.
_warm = cache(lambda *arguments: _run(arguments))


class FreshCache:
    """A first run on a new machine: everything is compiled."""

    timeout = 600
    number = repeat = rounds = 1
    min_run_count = 1
    warmup_time = 0
    params = few(["train digits", "fit an estimator"])
    param_names = ("command",)

    def setup(self, command):
        self.folder = tempfile.mkdtemp()  # first: teardown follows a skipped setup, too
        self.arguments = _arguments(command)

    def teardown(self, command):
        shutil.rmtree(self.folder)

    def time_run(self, command):
        _run(self.arguments, NUMBA_CACHE_DIR=self.folder)


class ShippedKernels:
    """A first run of a wheel with compiled kernels: nothing is on disk, and nothing is compiled."""

    timeout = 600
    number = 1
    repeat = (3, 5, 10.0)
    warmup_time = 0
    params = FreshCache.params
    param_names = ("command",)

    def setup_cache(self):
        """A copy of the package, with kernels for the highest level that this machine has."""
        if not (level := highest_level()):
            return ""
        site = os.path.abspath("site")
        package = os.path.dirname(find_spec("fastmlp").origin)
        shutil.copytree(package, os.path.join(site, "fastmlp"))
        shipped = os.path.join(site, "fastmlp", "kernels", "shipped")
        os.makedirs(shipped, exist_ok=True)
        _run([_LEVEL, level, os.path.join(shipped, f"{level}.kernels"), "float32", "float64"])
        return site

    def setup(self, site, command):
        self.folder = tempfile.mkdtemp()  # first: teardown follows a skipped setup, too
        self.arguments = _arguments(command)
        if not site:
            raise missing("no shipped kernels")

    def teardown(self, site, command):
        shutil.rmtree(self.folder)

    def time_run(self, site, command):
        _run(self.arguments, NUMBA_CACHE_DIR=self.folder, PYTHONPATH=site)


class WarmCache:
    """All later runs."""

    number = 1
    repeat = (3, 5, 10.0)
    warmup_time = 0
    params = few(list(_COMMANDS), "fit an estimator")
    param_names = ("command",)

    def setup(self, command):
        self.arguments = _arguments(command)
        _warm(*self.arguments)

    def time_run(self, command):
        _run(self.arguments)
