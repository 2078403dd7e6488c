"""Runs that continue from earlier runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastmlp.training.continuation import Continuation
from fastmlp.training.fit import finish, start
from fastmlp.training.loop import Loop
from toys import BARE, blobs, settings


def trained(config: Any, epochs: list[int]) -> tuple[np.ndarray, list[float]]:
    """Train in runs of given numbers of epochs; return the weights and all losses."""
    weights, before, losses = None, None, []
    for number in epochs:
        run = start(config, blobs(46), initial_weights=weights)
        loop = Loop(run)
        if before is not None:
            before.resume(loop)
        loop.epochs = range(loop.epochs.start, loop.epochs.start + number)
        losses += finish(run, loop).history["train_loss"]
        before, weights = Continuation.of(loop), (run.network.weights, run.network.biases)
    return run.network.params.copy(), losses


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam"}, {"optimizer": "sgd(0.9)"}, {"dropout": 0.4},
        {"schedule": "cosine"}, {"schedule": "inverse"},
        {"schedule": "adaptive", "early_stopping": 2, "min_delta": 100.0, "monitor": "train_loss",
         "restore_best": False},
    ],
    ids=str,
)  # fmt: skip
def test_runs_in_a_row_are_one_run(options: dict[str, Any]) -> None:
    config = settings(**BARE, **{"epochs": 6, "learning_rate": 0.01, **options})
    whole, parts = trained(config, [6]), trained(config, [2, 1, 3])
    assert parts[1] == whole[1]
    np.testing.assert_array_equal(parts[0], whole[0])


def test_the_best_of_an_earlier_run_is_kept() -> None:
    config = settings(**BARE, early_stopping=3, monitor="train_loss", epochs=8)
    run = start(config, blobs(46))
    first = Loop(run)
    result = finish(run, first)
    best = Continuation.of(first)
    assert best.best == min(result.history["train_loss"]) and best.monitor == "train_loss"
    worse = [np.zeros_like(w) for w in run.network.weights], run.network.biases
    again = start(config.replace(learning_rate=1e-6), blobs(46), initial_weights=worse)
    kept = again.network.params.copy()
    loop = Loop(again)
    replace(best, state=None).resume(loop)
    spoilt = finish(again, loop)
    assert min(spoilt.history["train_loss"]) > best.best
    np.testing.assert_array_equal(again.network.params, kept)
    assert (spoilt.status, spoilt.epochs_run) == ("stopped early", 3 - best.stale)


def test_a_run_that_monitors_something_else_begins_anew() -> None:
    config = settings(**BARE, epochs=2, early_stopping=5, monitor="train_loss")
    loop = Loop(start(config, blobs(46)))
    Continuation(best=-1.0, stale=4, monitor="train_accuracy").resume(loop)
    assert finish(loop.run, loop).status == "finished"
    assert loop.best.epoch is not None


@pytest.mark.parametrize(
    ("before", "later", "goes_on"),
    [
        ("adam", "adam(beta1=0.5)", True),
        ("sgd(momentum=0.9)", "sgd(momentum=0.5, nesterov=true)", True),
        ("sgd(momentum=0.9)", "sgd(momentum=0.9, with_rate=true)", False),
        ("sgd(momentum=0.9)", "sgd", False),
        ("sgd", "adam", False),
        ("adam", "sgd(momentum=0.9)", False),
        ("adam", "adamw", False),
        ("rmsprop", "adam", False),
    ],
)
def test_only_an_optimizer_of_the_same_kind_takes_the_state(
    before: str, later: str, goes_on: bool
) -> None:
    config = settings(**BARE, epochs=2, optimizer=before, learning_rate=0.01)
    run = start(config, blobs(46))
    first = Loop(run)
    finish(run, first)
    kept = Continuation.of(first)
    loop = Loop(start(config.replace(optimizer=later), blobs(46)))
    kept.resume(loop)
    steps = loop.run.steps
    assert steps.iterations == (run.steps.iterations if goes_on else 0)
    assert np.array_equal(steps.workspace.work.state, kept.state) == goes_on
    assert loop.epochs.start == 3


def test_another_schedule_begins_with_its_own_rate() -> None:
    config = settings(**BARE, epochs=2, optimizer="adam", early_stopping=2, monitor="train_loss")
    names = ("adaptive", "constant")
    loops = [Loop(start(config.replace(schedule=name), blobs(46))) for name in names]
    state = loops[0].run.steps.workspace.work.state.copy()
    kept = Continuation(
        state, rate_factor=0.2, optimizer="adam", schedule=loops[0].run.config.schedule
    )
    for loop in loops:
        kept.resume(loop)
    assert [loop.rate_controller.factor for loop in loops] == [0.2, 1.0]
