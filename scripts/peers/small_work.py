"""Work that needs no rows from the driver: an estimator's fit, a first fit, reading a file.

``python -m peers.small_work CONTENDER CASE`` is a process that makes one fit and ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .case import Case
from .contenders import OURS
from .tables import csv_path, well_known

Answer = dict[str, Any]


def fit(name: str, case: Case, repeats: int) -> Answer:
    """Fit an estimator with all its defaults, again and again."""
    X, y = well_known(case.dataset, case.estimator)
    create = _class_of(name, case.estimator)
    seconds = 0.0
    for _ in range(repeats):
        model = create(random_state=0)
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 200 epochs may be few
            model.fit(X, y)
        seconds += time.perf_counter() - started
    return {"seconds": seconds, "updates": repeats, "loss": float(model.loss_)}


def _class_of(name: str, estimator: str) -> Any:
    if name == OURS:
        import fastmlp

        return getattr(fastmlp, estimator)
    from sklearn import neural_network

    return getattr(neural_network, estimator)


def start(name: str, case: Case) -> Answer:
    """Let a new process make its first fit, imports included."""
    arguments = [name, json.dumps({"estimator": case.estimator, "dataset": case.dataset})]
    with tempfile.TemporaryDirectory() as folder:
        extra = {"NUMBA_CACHE_DIR": folder} if case.fresh else {}
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "peers.small_work", *arguments],
            env={**os.environ, **extra}, check=True,
        )  # fmt: skip
        return {"seconds": time.perf_counter() - started, "updates": 1}


def read(name: str, case: Case, folder: str, repeats: int) -> Answer:
    """Read a CSV file into arrays, again and again."""
    path, reader = csv_path(Path(folder), case), READERS[name]
    started = time.perf_counter()
    for _ in range(repeats):
        reader(path)
    return {"seconds": time.perf_counter() - started, "updates": repeats}


def _read_with_fastmlp(path: Path) -> Any:
    import fastmlp

    return fastmlp.load_dataset(path, notify=lambda line: None)


def _read_with_numpy(path: Path) -> Any:
    return np.loadtxt(path, np.float32, delimiter=",", skiprows=1)


def _read_with_pandas(path: Path) -> Any:
    import pandas

    return pandas.read_csv(path).to_numpy(np.float32)


READERS: dict[str, Callable[[Path], Any]] = {
    OURS: _read_with_fastmlp,
    "numpy": _read_with_numpy,
    "pandas": _read_with_pandas,
}


if __name__ == "__main__":
    fit(sys.argv[1], Case("first", "", **json.loads(sys.argv[2])), 1)
