"""Run by a test: forks runs that kill themselves at random moments, and resumes each.

``python killing.py FOLDER COUNT`` prints a JSON list with an entry for each kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "4")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from fastmlp import Callback, TrainConfig, fit  # noqa: E402
from interrupting import (  # noqa: E402
    MODES,
    OPTIMIZER_SPECS,
    SCHEDULE_SPECS,
    bits,
    config_of,
    datasets,
)

MOMENTS = ("on_progress", "fsync", "replace")
DATA = datasets()["blobs"]


class Countdown(Callback):
    """Counts moments of a kind down, and kills its process at the last."""

    def __init__(self, moment: str, count: int):
        self.count = count
        if moment == "on_progress":
            self.on_progress = self.tick  # type: ignore[method-assign]
        else:
            function = getattr(os, moment)
            setattr(os, moment, lambda *arguments: (function(*arguments), self.tick()))

    def tick(self, *_: object) -> None:
        self.count -= 1
        if self.count == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def train(config: TrainConfig, folder: Path, *callbacks: Callback) -> Any:
    """What a run leaves that writes a checkpoint after each slice."""
    options = {"checkpoint_dir": folder, "checkpoint_every": "0.000001s", "resume": True}
    return bits(fit(config, DATA, threads=1, callbacks=callbacks, **options))


def moments_of(config: TrainConfig, folder: Path, moment: str) -> int:
    """How many moments of a kind a run has."""
    function, counter = getattr(os, moment, None), Countdown(moment, -1)
    train(config, folder, counter)
    if function is not None:
        setattr(os, moment, function)
    return -1 - counter.count


def killed(config: TrainConfig, folder: Path, moment: str, count: int) -> bool:
    """Whether a run in a process of its own ended by its kill."""
    child = os.fork()
    if child == 0:
        train(config, folder, Countdown(moment, count))
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def main(folder: Path, count: int) -> None:
    os.fsync = lambda descriptor: None  # what is killed is no machine
    drawn, kills = random.Random(0), []
    while len(kills) < count:
        number, moment = len(kills), MOMENTS[len(kills) % len(MOMENTS)]
        optimizer, mode, schedule = (
            list(choices)[number % len(choices)]
            for choices in (OPTIMIZER_SPECS, MODES, SCHEDULE_SPECS)
        )
        config = config_of(optimizer, mode, schedule, log_every=7)
        alone = bits(fit(config, DATA, threads=1))
        most = moments_of(config, folder / f"{number}-counted", moment)
        at = drawn.randint(1, most)
        assert killed(config, folder / str(number), moment, at)
        same = train(config, folder / str(number)) == alone
        kills.append({"run": str(config), "moment": moment, "at": at, "of": most, "same": same})
    print(json.dumps(kills))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
