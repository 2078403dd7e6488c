"""A process that runs one contender with a number of threads on request.

Each contender has its own process, so that thread pools, compiled code and settings do not
interfere.
"""

from __future__ import annotations

import os
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparing.serving import serve

from .case import Case

if TYPE_CHECKING:  # NumPy is imported after the process is confined
    from .contender import Contender

SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def confine(threads: int) -> None:
    """Confine this process to as many CPUs, if the system can.

    JAX has no reliable setting for its number of threads; an affinity mask works for all.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, _second_threads_first(sorted(os.sched_getaffinity(0)))[-threads:])


def _second_threads_first(cpus: list[int]) -> list[int]:
    """Return the CPUs, second threads of cores first: the caller uses the last ones."""
    seen: set[str] = set()
    firsts: list[int] = []
    seconds: list[int] = []
    for cpu in cpus:
        try:
            core = Path(SIBLINGS.format(cpu)).read_text(encoding="ascii")
        except OSError:
            core = str(cpu)
        (seconds if core in seen else firsts).append(cpu)
        seen.add(core)
    return seconds + firsts


class Desk:
    """Answers requests, one method per kind.

    Parameters
    ----------
    name : str
    threads : int
    memory_format : str
        Of images.
    """

    def __init__(self, name: str, threads: int, memory_format: str):
        self.name, self.threads, self.memory_format = name, threads, memory_format
        self.data = ""

    @cached_property
    def contender(self) -> Contender:
        """The contender, imported when first needed: reading a file needs none."""
        from .contenders import create

        return create(self.name, self.threads, self.memory_format)

    def fit(self, case: dict[str, Any], repeats: int) -> dict[str, Any]:
        """Fit an estimator."""
        from . import small_work

        return small_work.fit(self.name, Case(**case), repeats)

    def start(self, case: dict[str, Any]) -> dict[str, Any]:
        """Start a process that makes a first fit."""
        from . import small_work

        return small_work.start(self.name, Case(**case))

    def read(self, case: dict[str, Any], folder: str, repeats: int) -> dict[str, Any]:
        """Read a CSV file."""
        from . import small_work

        return small_work.read(self.name, Case(**case), folder, repeats)

    def load(self, case: dict[str, Any], folder: str) -> dict[str, Any]:
        """Load a case and its data; train briefly twice: the loss is the mean of both."""
        from .data import IMAGES, read, rows_name

        self.case = Case(**case)
        takes_images = self.contender.takes_images and self.case.from_images
        scale = IMAGES if takes_images else self.case.scale
        data = rows_name(self.case, scale)
        if self.data != data:
            self.rows = read(Path(folder), self.case, scale)
            self.data = data
        low, high = self.rows.feature_range
        self.contender.feature_range = float(low), float(high)
        self.contender.image_shape = tuple(map(int, self.rows.image_shape))
        self.contender.load(self.case, self.rows.X, self.rows.y)
        rows = self.case.whole_batches(min(self.case.check_rows, len(self.rows.X)))
        cold, warm = (self.train(rows, self.case.check_epochs, seed) for seed in (0, 1))
        return {**warm, "loss": (cold["loss"] + warm["loss"]) / 2}

    def train(self, rows: int, epochs: int, seed: int) -> dict[str, Any]:
        """Train from new weights; return the time and the loss."""
        seconds = self.contender.train(rows, epochs, seed)
        batch = self.case.batch_of(rows)
        return {
            "seconds": seconds,
            "updates": rows // batch * epochs,
            "rows": batch,
            "loss": self._loss(),
            "all_rows": len(self.rows.X),
        }

    def _loss(self) -> float:
        """Return the mean cross-entropy on the first rows, by the same formula for all."""
        import numpy as np

        X, y = self.rows.X[: self.case.check_rows], self.rows.y[: self.case.check_rows]
        p = self.contender.probabilities(X)[np.arange(len(y)), y]
        return float(-np.log(np.maximum(p, 1e-12), dtype=np.float64).mean())

    def peak(self) -> dict[str, Any]:
        """Measure the peak of the cores that this process has."""
        from . import peak

        return {"gflops": peak.measure(self.threads)}

    def predict(self, repeats: int) -> dict[str, Any]:
        """Predict the classes of the test rows ``repeats`` times."""
        import numpy as np

        X, wanted = self.rows.X_test, self.case.rows
        if wanted:
            X = X[:wanted] if len(X) >= wanted else np.resize(X, (wanted, X.shape[1]))
        self.contender.labels(X)
        started = time.perf_counter()
        for _ in range(repeats):
            self.contender.labels(X)
        return {"seconds": time.perf_counter() - started, "updates": repeats, "rows": len(X)}

    def reach(self, seed: int) -> dict[str, Any]:
        """Train until the case's target is reached."""
        return vars(self.contender.reach(self.rows.X_test, self.rows.y_test, seed))


def main() -> None:
    """Serve until stdin ends."""
    name, threads, memory_format = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    confine(threads)
    serve(lambda: Desk(name, threads, memory_format))


if __name__ == "__main__":
    main()
