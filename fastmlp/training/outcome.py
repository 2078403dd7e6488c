"""The end of a loop: its result, and the error that ended it."""

from __future__ import annotations

from ..base.errors import CallbackError, TrainingError
from .loop import Loop
from .result import TrainResult
from .summary import sum_up

Outcome = tuple[TrainResult, TrainingError | None]


def outcome_of(loop: Loop) -> Outcome:
    """Train to the end; return the result, and the error that ended training, if any."""
    loop.train()
    try:
        result = sum_up(loop)
    finally:
        try:
            loop.run.tell("on_train_end")
        except CallbackError as late:
            loop.failure = loop.failure or late
    return result, loop.failure
