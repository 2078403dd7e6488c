"""Turns of the models of an ensemble on the CPUs: which of them train, and on how many threads.

Each model trains in a Python thread of its own, in compiled code that releases the GIL, on one CPU.
With five models on two CPUs, the last model would use one CPU alone, and the other would be idle.
So the last models take turns, epoch by epoch, and all CPUs are busy to the end. Models that have no
partner at all train on all threads. Neither changes a bit of the result.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, nullcontext

# A turn of less than this is not passed on: changing threads takes some 0.05 ms.
_LEAST_TURN_SECONDS = 0.005


class Turn:
    """The turn of a run that shares the CPUs with no other; base class of others.

    Attributes
    ----------
    threads : int
        Maximum number of threads at the moment.
    lock : context manager
        Held while callbacks are called, so that those of several runs are not called at once.
    """

    def __init__(self, threads: int):
        self._threads = threads
        self.lock: AbstractContextManager[object] = nullcontext()

    @property
    def threads(self) -> int:
        return self._threads

    def after_compiling(self) -> None:
        """Called when the kernels of the run are compiled."""

    def after_slice(self) -> None:
        """Called after a slice of an epoch; raises KeyboardInterrupt to end the run."""

    def after_epoch(self, epoch: int) -> None:
        """Called after an epoch and its callbacks; may wait."""


class Turns:
    """Turns of several runs, each in a thread of its own.

    Parameters
    ----------
    threads : int
        Number of CPUs to use.
    n_runs : int

    Attributes
    ----------
    most_begun : int
        Maximum number of runs that have begun and not ended.
    """

    def __init__(self, threads: int, n_runs: int):
        self.threads, self.n_runs = threads, n_runs
        # The last runs take turns. Fewer than twice the CPUs: of these, some would do without.
        self.most_begun = min(n_runs, 2 * threads - 1)
        self.lock = threading.RLock()
        self._changed = threading.Condition()
        self._left = n_runs
        self._training: set[int] = set()
        self._waiting: dict[int, int] = {}  # by number: epochs done
        self._is_compiled = False
        self._is_stopped = False

    @property
    def is_stopped(self) -> bool:
        """Whether all runs are to end."""
        return self._is_stopped

    def stop(self) -> None:
        """End all runs as Ctrl-C would; can be called by a signal handler."""
        self._is_stopped = True  # without the lock, which the interrupted thread may hold

    def begin(self, number: int) -> OneOfTurns | None:
        """Return the turn of a run when it may train.

        None after :meth:`stop`, except for the first run, number 1. The others wait until it has
        compiled the kernels.
        """
        self._wait(number, 0)
        return None if self._is_stopped and number > 1 else OneOfTurns(self, number)

    def end(self, number: int) -> None:
        """End a run, whether it has trained or not."""
        with self._changed:
            self._training.discard(number)
            self._left -= 1
            self._is_compiled = True  # or the first run has failed
            self._changed.notify_all()

    def threads_of_run(self) -> int:
        """Return the maximum number of threads of a run: one, and those of idle CPUs.

        Several runs may be told the same. One of them at a time can use a team.
        """
        return 1 + max(0, self.threads - max(1, len(self._training)))

    def compiled(self) -> None:
        """Let all runs train."""
        with self._changed:
            self._is_compiled = True
            self._changed.notify_all()

    def pass_on(self, number: int, epochs: int) -> None:
        """Let another run train that has done fewer epochs, if the last runs take turns."""
        with self._changed:
            is_last = self._left <= self.most_begun
            if not is_last or min(self._waiting.values(), default=epochs) >= epochs:
                return
            self._training.discard(number)
        self._wait(number, epochs)

    def _wait(self, number: int, epochs: int) -> None:
        """Wait until a run may train."""
        with self._changed:
            self._waiting[number] = epochs
            self._changed.notify_all()
            while not (self._is_stopped or self._is_next(number)):
                self._changed.wait(0.1)  # a signal handler cannot notify
            del self._waiting[number]
            self._training.add(number)
            self._changed.notify_all()

    def _is_next(self, number: int) -> bool:
        if len(self._training) >= self.threads or not (self._is_compiled or number == 1):
            return False
        return number == min(self._waiting, key=lambda other: (self._waiting[other], other))


class OneOfTurns(Turn):
    """The turn of one of several runs.

    Parameters
    ----------
    turns : Turns
    number : int
        Of the run.
    """

    def __init__(self, turns: Turns, number: int):
        super().__init__(turns.threads)
        self._turns, self._number = turns, number
        self.lock = turns.lock
        self._began = time.perf_counter()

    @property
    def threads(self) -> int:
        return self._turns.threads_of_run()

    def after_compiling(self) -> None:
        self._turns.compiled()

    def after_slice(self) -> None:
        if self._turns.is_stopped:
            raise KeyboardInterrupt

    def after_epoch(self, epoch: int) -> None:
        if time.perf_counter() - self._began >= _LEAST_TURN_SECONDS:
            self._turns.pass_on(self._number, epoch)
            self._began = time.perf_counter()
        self.after_slice()
