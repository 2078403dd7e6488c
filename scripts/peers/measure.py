"""Measuring a case: each round runs every contender once, so that other load affects all alike."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from comparing.process import WorkerError

from .case import FIT, PREDICT, START, TARGET, TRAIN, Case
from .contenders import OURS, memory_formats
from .process import Worker
from .summary import PER_SECOND

# Long enough to make the clock and the first slices of an epoch negligible.
PIECE_SECONDS = 0.5
# Thread pools spin for a while after their work, and would disturb the next contender.
PAUSE = 0.05
# Random weights and orders differ. Measured: losses of one contender are between 0.19 and 0.30 by
# seed; without the update of a layer or the division by the batch they leave this range.
LOSS_FACTOR = 2.0

MOST_REPEATS = 50

Say = Callable[[str], None]


@dataclass
class Result:
    """The measurements of one contender with a number of threads for a case.

    Attributes
    ----------
    memory_format : str
        Of images; empty if the contender has only one, or the network takes rows.
    samples : list of float
        One value per round: microseconds per update, milliseconds per prediction or fit, seconds to
        the target, of a first fit or of reading a file.
    updates : int
        Updates of each timed run.
    rows : int or None
        Rows of an update or a prediction.
    loss : float
        Loss after the same number of updates on the same rows as all others.
    failure : str
    """

    contender: str
    threads: int
    memory_format: str = ""
    samples: list[float] = field(default_factory=list)
    updates: int = 0
    rows: int | None = None
    loss: float | None = None
    epochs: list[int] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def setup(self) -> str:
        """The contender, its threads and its memory format, for messages."""
        return f"{self.contender} on {self.threads}{', ' * bool(self.memory_format)}" + (
            self.memory_format
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all values and the median, for JSON."""
        known = {key: value for key, value in asdict(self).items() if value not in ([], "", None)}
        if self.samples:
            known["median"] = self.median
        return known


def measure(
    case: Case, workers: list[Worker], folder: Path, rounds: int, piece_seconds: float, say: Say
) -> list[Result]:
    """Measure a case on all workers, interleaved.

    Parameters
    ----------
    case : Case
    workers : list of Worker
    folder : path
        Folder of the case's data.
    rounds : int
        Timed runs of each; seeds, if the time to a target is measured.
    piece_seconds : float
        Planned time of a timed run; at most an epoch.
    say : callable
        Called with a line of progress.

    Returns
    -------
    list of Result
        In the order of the workers, without those that do not support the case.
    """
    able = [w for w in workers if w.memory_format in memory_formats(w.name, case)]
    everyone = runs = [_Run(case, worker, piece_seconds) for worker in able]
    for run in runs:
        say(f"{case.name}: {run.result.setup}, getting ready")
        run.attempt(partial(run.prepare, folder))
    for number in range(rounds):
        if case.kind == TARGET and number == 1:
            runs = _faster_ones(runs)
        shift = number % len(runs)
        for run in runs[shift:] + runs[:shift]:
            say(f"{case.name}: round {number + 1} of {rounds}, {run.result.setup}")
            time.sleep(PAUSE)
            run.attempt(partial(run.piece, number))
    return [run.result for run in everyone]


def measure_peaks(case: Case, workers: list[Worker]) -> dict[int, float]:
    """Return the peak in GFLOP/s by number of threads; empty if the case times no network."""
    if case.kind not in (TRAIN, PREDICT):
        return {}
    return {w.threads: w.ask("peak")["gflops"] for w in workers if w.name == OURS}


def _faster_ones(runs: list[_Run]) -> list[_Run]:
    """Return each contender's faster number of threads only, since runs to a target are long."""
    best: dict[str, _Run] = {}
    for run in runs:
        known = best.get(run.result.contender)
        if run.result.failure or not run.result.samples:
            continue
        if known is None or run.result.median < known.result.median:
            best[run.result.contender] = run
    return list(best.values()) or runs


class _Run:
    """One worker's part in a case."""

    def __init__(self, case: Case, worker: Worker, piece_seconds: float):
        self.case, self.worker, self.piece_seconds = case, worker, piece_seconds
        memory_format = worker.memory_format if case.takes_images else ""
        self.result = Result(worker.name, worker.threads, memory_format)
        self.rows = self.epochs = self.repeats = 0

    def attempt(self, action: Callable[[], None]) -> None:
        """Run ``action`` unless the worker has failed before; record its failure."""
        if not self.result.failure:
            try:
                action()
            except WorkerError as error:
                print(error, file=sys.stderr)
                # Without the message, which may contain paths of this machine.
                self.result.failure = str(error).strip().splitlines()[-1].partition(":")[0]

    def prepare(self, folder: Path) -> None:
        """Load, compile, check the loss, and choose the size of a timed run."""
        self.folder = folder
        if not self.case.trains:
            self.repeats = 1
            self._fit_in_a_piece(self._ask())
            return
        checked = self.worker.ask("load", case=asdict(self.case), folder=str(folder))
        self.result.loss = checked["loss"]
        if self.case.kind == TARGET:
            rows = self.case.whole_batches(checked["all_rows"])
            self.worker.ask("train", rows=rows, epochs=1, seed=0)  # compiles for all rows
            return
        if self.case.kind == PREDICT:
            self.repeats = 1
            self._fit_in_a_piece(self._ask())
            return
        self._size(checked)
        self.piece(0)  # compiles for this number of rows
        self.result.samples.clear()

    def _ask(self, seed: int = 0) -> dict[str, Any]:
        """Ask the worker for a run of the case's kind."""
        kind, ask = self.case.kind, self.worker.ask
        case = asdict(self.case)
        if kind == TRAIN:
            return ask("train", rows=self.rows, epochs=self.epochs, seed=seed)
        if kind == PREDICT:
            return ask("predict", repeats=self.repeats)
        if kind == FIT:
            return ask("fit", case=case, repeats=self.repeats)
        if kind == START:
            return ask("start", case=case)
        return ask("read", case=case, folder=str(self.folder), repeats=self.repeats)

    def _fit_in_a_piece(self, once: dict[str, Any]) -> None:
        """Set the number of repeats of a timed run from the time of one repeat."""
        if "loss" in once:
            self.result.loss = once["loss"]
        repeats = round(self.piece_seconds / once["seconds"])
        self.repeats = max(1, min(MOST_REPEATS, repeats))

    def _size(self, checked: dict[str, Any]) -> None:
        most = min(self.case.rows or checked["all_rows"], checked["all_rows"])
        updates = self.piece_seconds / (checked["seconds"] / checked["updates"])
        if self.case.batch_size:
            rows = min(most, round(updates) * self.case.batch_size)
            self.rows, self.epochs = self.case.whole_batches(rows), 1
        else:
            # Updates of the check have fewer rows.
            updates *= min(self.case.check_rows, most) / most
            self.rows, self.epochs = most, max(1, round(updates))

    def piece(self, number: int) -> None:
        """Run the timed work of a round."""
        result = self.result
        if self.case.kind == TARGET:
            reached = self.worker.ask("reach", seed=number)
            result.samples.append(reached["seconds"])
            result.epochs.append(reached["epochs"])
            result.accuracies.append(reached["accuracy"])
            return
        done = self._ask(number)
        result.updates, result.rows = done["updates"], done.get("rows")
        factor = PER_SECOND[self.case.kind]
        result.samples.append(factor * done["seconds"] / done["updates"])


def out_of_line(results: list[Result]) -> list[Result]:
    """Return results with a loss unlike the others', which did not do the same work."""
    losses = [result.loss for result in results if result.loss is not None]
    middle = statistics.median(losses) if losses else 0.0
    return [
        result
        for result in results
        if result.loss is not None
        and not middle / LOSS_FACTOR <= result.loss <= middle * LOSS_FACTOR
    ]
