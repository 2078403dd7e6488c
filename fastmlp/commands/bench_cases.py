"""The cases of ``fastmlp bench``: networks and data drawn from a seed, and their times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..base.random import Purpose, stream
from ..data.dataset import Dataset
from ..model.launch import check_threads
from ..reports.tables import Table
from ..training.config import TrainConfig
from ..training.fit import fit
from .bench_options import NAMES

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


class Case(NamedTuple):
    """A network, its data and its settings.

    Attributes
    ----------
    name : str
    draw : callable
        Returns X and y of a number of rows.
    rows : int
    settings : dict
        Of a TrainConfig.
    """

    name: str
    draw: Draw
    rows: int
    settings: dict[str, Any]

    @property
    def config(self) -> TrainConfig:
        """The settings of an epoch without validation."""
        return TrainConfig(**{"split": "none", "validation": 0.0, "epochs": 1, **self.settings})


class Figures(NamedTuple):
    """Medians of a case on a number of threads.

    Attributes
    ----------
    case : str
    threads : int
    update_us : float
        Microseconds of an update.
    trained_per_second, predicted_per_second : float
        Rows.
    """

    case: str
    threads: int
    update_us: float
    trained_per_second: float
    predicted_per_second: float


def _images(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(0, 10, rows)
    patterns = rng.random((10, 784)) < 0.2  # as many non-zeros as digits of handwriting have
    return np.where(patterns[y], rng.integers(1, 256, (rows, 784)), 0).astype(np.uint8), y


def _pictures(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = _images(rng, rows)
    return X.reshape(rows, 28, 28), y


def _table(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    X = rng.standard_normal((rows, 30))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


_CASES = (
    Case("images", _images, 20_000, {"hidden_layer_sizes": (128, 64)}),
    Case("sample", _images, 10_000, {"hidden_layer_sizes": (128, 64), "mode": "stochastic"}),
    Case("table", _table, 50_000, {"hidden_layer_sizes": (256, 128), "optimizer": "adam",
                                   "batch_size": 256}),
    Case("conv", _pictures, 4_000, {"layers": ("conv2d(16, 3)", "max_pool2d(2)", "dense(64)"),
                                    "optimizer": "adam", "batch_size": 128}),
)  # fmt: skip
CASES = {case.name: case for case in _CASES}
assert tuple(CASES) == NAMES


def measure(
    cases: Sequence[Case], rounds: int, threads: int | None, notify: Callable[[str], None]
) -> list[Figures]:
    """Return the figures of each case, on one thread and on all.

    Parameters
    ----------
    cases : sequence of Case
    rounds : int
        One more is run before them, in which kernels are compiled.
    threads : int or None
        The larger number of threads; None: all usable CPUs.
    notify : callable
        Called with a line for each round.
    """
    counts = sorted({1, check_threads(threads)})
    pairs = [(case, n) for case in cases for n in counts]
    data = {c.name: Dataset(*c.draw(stream(0, Purpose.SYNTHETIC), c.rows)) for c in cases}
    found: dict[tuple[str, int], list[Figures]] = {(case.name, n): [] for case, n in pairs}
    for number in range(rounds + 1):
        notify(f"round {number} of {rounds}" if number else "compiling kernels, or loading them")
        for case, n in pairs:
            found[case.name, n].append(_once(case, data[case.name], n))
    return [_median(figures[1:]) for figures in found.values()]


def _once(case: Case, dataset: Dataset, threads: int) -> Figures:
    result = fit(case.config, dataset, threads=threads)
    seconds = float(result.timings["step_seconds"] or 0.0)
    started = time.perf_counter()
    result.predictor.outputs(dataset.X, threads)
    predicted = len(dataset.X) / (time.perf_counter() - started)
    return Figures(
        case.name, threads, seconds / result.updates_run * 1e6, case.rows / seconds, predicted
    )


def _median(figures: Sequence[Figures]) -> Figures:
    first = figures[0]
    columns = list(zip(*figures, strict=True))[2:]
    return Figures(first.case, first.threads, *map(statistics.median, columns))


def table(found: Sequence[Figures]) -> Table:
    """Return the figures as a table."""
    header = ("case", "threads", "us an update", "rows/s trained", "rows/s predicted")
    rows: list[tuple[str, ...]] = [
        (f.case, str(f.threads), f"{f.update_us:,.1f}", f"{f.trained_per_second:,.0f}",
         f"{f.predicted_per_second:,.0f}")
        for f in found
    ]  # fmt: skip
    return Table(header, rows)
