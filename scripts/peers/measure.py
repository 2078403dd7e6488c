"""Measuring a case: every contender once a round, so that whatever else the machine does meets all
of them alike.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .cases import FIT, PREDICT, READ, START, TARGET, TRAIN, Case
from .contenders import offers
from .process import Worker, WorkerError

# Long enough that the clock and the first slices of an epoch do not matter.
PIECE_SECONDS = 0.5
# Thread pools spin for a while after their work, and would disturb who comes next.
PAUSE = 0.05
# Random weights and orders are everyone's own. Measured: one contender's losses lie between 0.19
# and 0.30 by the seed; who leaves out a layer's update, or the division by the batch, is beyond.
LOSS_FACTOR = 2.0

# Samples are in the unit of the table: microseconds, milliseconds or seconds.
PER_SECOND = {TRAIN: 1e6, PREDICT: 1e3, FIT: 1e3, START: 1, READ: 1, TARGET: 1}
MOST_REPEATS = 50

Say = Callable[[str], None]


@dataclass
class Result:
    """What one contender on a number of threads took for a case.

    Attributes
    ----------
    samples : list of float
        A number a round: microseconds an update, milliseconds a prediction of all images or an
        estimator's fit, seconds to the target, of a first fit or of reading a file.
    updates : int
        Of each timed piece.
    loss : float
        After the same number of updates as all others, on the same rows.
    failure : str
    """

    contender: str
    threads: int
    samples: list[float] = field(default_factory=list)
    updates: int = 0
    loss: float | None = None
    epochs: list[int] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known, the median included, as JSON takes it."""
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
        Where the case's data lie.
    rounds : int
        Timed pieces of each; seeds, where time to a target is measured.
    piece_seconds : float
        How long a piece shall take; slow contenders do fewer updates, none more than an epoch.
    say : callable
        Told what goes on.

    Returns
    -------
    list of Result
        In the order of the workers, without those that do not offer such work.
    """
    able = [worker for worker in workers if offers(worker.name, case)]
    everyone = runs = [_Run(case, worker, piece_seconds) for worker in able]
    for run in runs:
        say(f"{case.name}: {run.result.contender} on {run.result.threads}, getting ready")
        run.attempt(partial(run.prepare, folder))
    for number in range(rounds):
        if case.kind == TARGET and number == 1:
            runs = _faster_ones(runs)
        shift = number % len(runs)
        for run in runs[shift:] + runs[:shift]:
            say(
                f"{case.name}: round {number + 1} of {rounds}, "
                f"{run.result.contender} on {run.result.threads}"
            )
            time.sleep(PAUSE)
            run.attempt(partial(run.piece, number))
    return [run.result for run in everyone]


def _faster_ones(runs: list[_Run]) -> list[_Run]:
    """Return each contender's faster number of threads only: the others' runs are long."""
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
        self.result = Result(worker.name, worker.threads)
        self.rows = self.epochs = self.repeats = 0

    def attempt(self, action: Callable[[], None]) -> None:
        """Do something unless the worker has failed before; note its failure."""
        if not self.result.failure:
            try:
                action()
            except WorkerError as error:
                print(error, file=sys.stderr)
                # Without its message, which may name folders of this machine.
                self.result.failure = str(error).strip().splitlines()[-1].partition(":")[0]

    def prepare(self, folder: Path) -> None:
        """Load, compile, check, and find out how much fits in a piece."""
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
        """Have a piece of the case's kind done."""
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
        """Set how often the work is repeated in a piece, by how long it took once."""
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
            # The check's updates were on fewer rows.
            updates *= min(self.case.check_rows, most) / most
            self.rows, self.epochs = most, max(1, round(updates))

    def piece(self, number: int) -> None:
        """Do the timed piece of a round."""
        result = self.result
        if self.case.kind == TARGET:
            reached = self.worker.ask("reach", seed=number)
            result.samples.append(reached["seconds"])
            result.epochs.append(reached["epochs"])
            result.accuracies.append(reached["accuracy"])
            return
        done = self._ask(number)
        result.updates = done["updates"]
        factor = PER_SECOND[self.case.kind]
        result.samples.append(factor * done["seconds"] / done["updates"])


def out_of_line(results: list[Result]) -> list[Result]:
    """Return those whose loss is not about that of the others: they did not do the same work."""
    losses = [result.loss for result in results if result.loss is not None]
    middle = statistics.median(losses) if losses else 0.0
    return [
        result
        for result in results
        if result.loss is not None
        and not middle / LOSS_FACTOR <= result.loss <= middle * LOSS_FACTOR
    ]
