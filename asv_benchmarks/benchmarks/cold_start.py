"""What a user waits for before training starts: imports, and compiling where nothing is on disk.

Each is a fresh process. The compiler's time is in the first benchmark alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec

from ._cases import few, missing

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
