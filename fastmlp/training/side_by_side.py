"""Several runs side by side, each in a Python thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..base.interrupts import Interrupts
from .turns import Turn, Turns

Train = Callable[[int, Turn], None]


def side_by_side(turns: Turns, train: Train) -> bool:
    """Train several runs; return whether a signal has ended them.

    Compiled code releases the GIL. In the main thread, the first Ctrl-C ends each run as it would
    end a single one; a second one is not deferred.

    Parameters
    ----------
    turns : Turns
    train : callable
        Trains the run of a number, from 1, in its turn. Called on several threads. Not called for
        runs that have not begun when all are to end, except the first.

    Raises
    ------
    BaseException
        The first exception of ``train``, which ends all runs.
    """
    failures: list[BaseException] = []
    numbers = iter(range(1, turns.n_runs + 1))

    def work() -> None:
        for number in numbers:
            try:
                turn = turns.begin(number)
                if turn is not None:
                    train(number, turn)
            except BaseException as failure:
                failures.append(failure)
                turns.stop()
            finally:
                turns.end(number)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(turns.most_begun)]
    is_interrupted = False
    try:
        with Interrupts(turns.stop) as interrupts, interrupts.held(until_second=True):
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)  # not for ever: on Windows, a signal would wait for it
    except KeyboardInterrupt:
        if any(thread.is_alive() for thread in threads):
            raise
        is_interrupted = True
    if failures:
        raise failures[0]
    return is_interrupted
