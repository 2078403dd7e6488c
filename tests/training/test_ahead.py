"""Epochs that are trained ahead in one launch: the loop and its callbacks cannot tell."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fastmlp import TrainResult, fit
from fastmlp.training import ahead, slice_length, slices
from fastmlp.training.callbacks import Callback
from fastmlp.training.loop import Loop
from fastmlp.training.run import Run
from toys import BARE, blobs, settings


class Watch(Callback):
    """Keeps the weights that each epoch leaves, and what a run tells of it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        report = run.steps.report
        sums = (report.loss, report.hits, report.rows, report.weight, report.rates)
        self.seen.append(
            (
                run.network.params.tobytes(), run.steps.state(0)["optimizer"].tobytes(),
                run.steps.iterations, run.rows_done, run.train_loss, *(s.tobytes() for s in sums),
            )
        )  # fmt: skip


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs of each launch; the first has several."""
    found: list[int] = []
    launch = slices.launch

    def counting(worker: Any, threads: int, *arguments: Any) -> None:
        part, report = arguments[-2:]
        if part.last:
            found.append(max(1, len(report.rates) // part.epoch_steps))
        launch(worker, threads, *arguments)

    monkeypatch.setattr(slices, "launch", counting)
    monkeypatch.setattr(slice_length, "_FIRST", 200)
    return found


def trained(
    most: int, monkeypatch: pytest.MonkeyPatch, *callbacks: Callback, **changes: Any
) -> Any:
    """A run in which at most so many epochs are trained in one launch."""
    monkeypatch.setattr(ahead, "_MOST_EPOCHS", most)
    given = {**BARE, "epochs": 23, "batch_size": 10, "monitor": "train_loss", **changes}
    return fit(settings(**given), blobs(45), threads=1, callbacks=callbacks)


def facts(result: TrainResult) -> tuple[Any, ...]:
    network = result.predictor.network
    return network.params.tobytes(), list(result.history), result.best_epoch, result.status


KINDS: list[dict[str, Any]] = [
    {},
    {"optimizer": "adam", "l2": 0.01, "l1": 0.001},
    {"mode": "batch", "optimizer": "adamw"},
    {"accumulate": True},
    {"dropout": 0.3},
    {"dropout": 0.3, "dropout_schedule": "cosine"},
    {"schedule": "cosine(warmup=2)"},
    {"schedule": "plateau(patience=1)", "optimizer": "adam", "learning_rate": 0.5},
    {"early_stopping": 2, "learning_rate": 1.0},
    {"validation": 0.2, "monitor": "validation_loss", "restore_best": True},
    {"restore_best": True, "learning_rate": 2.0},
    {"sampling": "replacement", "dtype": "float64"},
    {"log_every": 3},
    {"metrics": ("f1_macro",), "validation": 0.3},
    {"mode": "stochastic"},
]
of_each_kind = pytest.mark.parametrize("changes", KINDS, ids=str)


@of_each_kind
def test_nothing_shows_that_epochs_were_trained_ahead(
    monkeypatch: pytest.MonkeyPatch, launches: list[int], changes: dict[str, Any]
) -> None:
    seen, results = [], []
    for most in (1, 4, 256):
        watch = Watch()
        results.append(facts(trained(most, monkeypatch, watch, **changes)))
        seen.append(watch.seen)
        assert max(launches) <= most
    assert seen[0] == seen[1] == seen[2]
    assert results[0] == results[1] == results[2]
    varies = {"log_every", "dropout_schedule", "mode"} & {*changes} - {"optimizer"}
    assert (max(launches) > 1) == (not varies or changes.get("mode") == "batch")


class Progress(Callback):
    """Keeps how far a run is, and needs weights within epochs or not at all."""

    def __init__(self, reads_weights: bool):
        self.reads_weights = reads_weights
        self.progress: list[tuple[int, int]] = []
        self.ends: list[tuple[Any, ...]] = []

    def on_progress(self, run: Run) -> None:
        self.progress.append((run.epoch, run.steps.iterations))

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        self.ends.append((run.epoch, run.steps.iterations, run.rows_done, run.train_loss, row))


@of_each_kind
def test_epochs_are_taken_at_once_where_nothing_happens_within_them(
    monkeypatch: pytest.MonkeyPatch, launches: list[int], changes: dict[str, Any]
) -> None:
    results, ends, progress = [], [], []
    for reads_weights in (True, False):
        watch = Progress(reads_weights)
        results.append(facts(trained(4, monkeypatch, watch, **changes)))
        ends.append(watch.ends)
        progress.append(watch.progress)
    assert results[0] == results[1] == facts(trained(4, monkeypatch, **changes))
    assert ends[0] == ends[1]
    assert {epoch for epoch, _ in progress[0]} == {row["epoch"] for row in results[0][1]}
    assert (len(progress[0]) > len(progress[1])) == (max(launches) > 1)
    assert set(progress[1]) <= set(progress[0])


def test_stopping_rule_sees_the_same_rows(
    monkeypatch: pytest.MonkeyPatch, launches: list[int]
) -> None:
    alone = facts(trained(1, monkeypatch, early_stopping=3, learning_rate=1.5))
    assert facts(trained(256, monkeypatch, early_stopping=3, learning_rate=1.5)) == alone
    assert max(launches) > 3


@pytest.mark.parametrize("event", ["on_progress", "on_epoch_end", "after_epoch"])
def test_weights_that_a_callback_changes_are_trained_on(
    monkeypatch: pytest.MonkeyPatch, launches: list[int], event: str
) -> None:
    class Halve(Callback):
        def halve(self, run: Run, *_: Any) -> None:
            if run.epoch == 7:
                run.network.params *= 0.5

    setattr(Halve, event, Halve.halve)
    found = {facts(trained(most, monkeypatch, Halve()))[0] for most in (1, 256)}
    assert len(found) == 1
    assert launches[-1] == 1  # it may change them again
    assert facts(trained(256, monkeypatch))[0] not in found


def test_a_stop_leaves_the_weights_of_its_epoch(
    monkeypatch: pytest.MonkeyPatch, launches: list[int]
) -> None:
    class Stop(Callback):
        reads_weights = False

        def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
            if row["epoch"] == 9:
                run.request_stop()

    stopped = facts(trained(256, monkeypatch, Stop()))
    assert launches[-1] > 1
    whole = facts(trained(1, monkeypatch, epochs=9))
    assert stopped[:2] == whole[:2]


def test_an_interrupted_launch_leaves_no_epoch_half_told(
    monkeypatch: pytest.MonkeyPatch, launches: list[int]
) -> None:
    launch, calls = slices.launch, itertools.count()

    def interrupted(worker: Any, threads: int, *arguments: Any) -> None:
        launch(worker, threads, *arguments)
        if arguments[-2].last and next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(slices, "launch", interrupted)
    result = trained(4, monkeypatch)
    assert (result.status, len(result.history), launches) == ("interrupted", 4, [4, 4])
    assert facts(trained(1, monkeypatch, epochs=4))[:2] == facts(result)[:2]


def test_divergence_is_that_of_its_epoch(
    monkeypatch: pytest.MonkeyPatch, launches: list[int]
) -> None:
    found = []
    for most in (1, 256):
        with pytest.raises(Exception, match="diverged in epoch") as caught:
            trained(most, monkeypatch, learning_rate=30.0, loss_limit=1.5, epochs=200)
        result = caught.value.result  # type: ignore[attr-defined]
        found.append((str(caught.value), *facts(result)))
    assert found[0] == found[1]
    assert max(launches) > 1


def test_large_networks_train_no_epoch_ahead() -> None:
    def most(rows: int, units: int) -> int:
        run_settings = settings(**BARE, hidden_layer_sizes=(units,), optimizer="adam")
        run = steps_of(run_settings, rows)
        return run.steps._ahead.most_epochs

    assert most(50, 4) == ahead._MOST_EPOCHS
    assert 1 < most(5000, 4) < ahead._MOST_EPOCHS
    assert most(50, 100_000) <= 1


def steps_of(config: Any, rows: int) -> Run:
    from fastmlp.training.fit import start

    return start(config, blobs(rows), 1)


def test_a_loop_sets_what_is_ahead_only_where_epochs_are_whole() -> None:
    for log_every, is_ahead in [(0, True), (5, False)]:
        run = steps_of(settings(**BARE, epochs=2, log_every=log_every), 30)
        Loop(run).train()
        assert (run.steps.rates_of is not None) == is_ahead
        assert np.isfinite(run.network.params).all()
