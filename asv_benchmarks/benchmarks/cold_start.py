"""What a user waits for before training starts: imports, and compiling where nothing is on disk.

Each is a fresh process. The compiler's time is in the first benchmark alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache

_TRAIN = ["-m", "fastmlp.train", "--data", "digits", "--epochs", "1", "--quiet", "--no-out"]


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

    def setup(self):
        self.folder = tempfile.mkdtemp()

    def teardown(self):
        shutil.rmtree(self.folder)

    def time_train_digits(self):
        _run(_TRAIN, NUMBA_CACHE_DIR=self.folder)


class WarmCache:
    """All later runs."""

    number = 1
    repeat = (3, 5, 10.0)
    warmup_time = 0
    params = ["import fastmlp", "import fastmlp; fastmlp.fit", "train digits"]
    param_names = ("command",)

    def setup(self, command):
        self.arguments = _TRAIN if command == "train digits" else ["-c", command]
        _warm(*self.arguments)

    def time_run(self, command):
        _run(self.arguments)
