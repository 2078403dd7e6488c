"""Whole sweeps: every cell once, recorded at once, ranked on validation results."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from fastmlp import ConfigError, DataError, Dataset, run_sweep
from fastmlp.sweeps import worker
from fastmlp.sweeps.leaderboard import Leaderboard, Trial
from fastmlp.sweeps.progress import Standing, Watcher
from toys import blobs, lines

GRID: dict[str, Any] = {
    "activation": ["relu", "tanh"],
    "mode": ["stochastic", "minibatch", "batch"],
    "hidden_layer_sizes": 8,
    "epochs": 3,
}
RESULTS = ("sweep.csv", "ranking.csv")
ROOT = Path(__file__).parents[2]


class Journal(Watcher):
    """Notes the cells that were run."""

    def __init__(self, stop_after: int | None = None):
        self.keys: list[str] = []
        self.stop_after = stop_after

    def on_trial(self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]) -> None:
        self.keys.append(trial.key)
        assert trial.key in {t.key for e in board().configurations for t in e.trials}
        if len(self.keys) == self.stop_after:
            raise KeyboardInterrupt


def results_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


def test_every_cell_is_what_fit_makes_of_it() -> None:
    dataset = blobs()
    result = run_sweep(GRID, dataset, jobs=2)
    assert len(result.trials) == 6
    for trial in result.trials:
        alone = fastmlp.fit(fastmlp.TrainConfig.from_dict(trial.config), dataset, threads=1)
        assert trial.status == alone.status == "finished"
        assert trial.history == {name: alone.history[name] for name in alone.history.columns}
        assert trial.metrics["validation_loss"] == alone.metrics["validation_loss"]
        assert not any(name.startswith("test") for name in trial.metrics)


def test_only_winner_is_evaluated_on_test_set() -> None:
    dataset = blobs()
    result = run_sweep(GRID, dataset)
    accuracies = [row["validation_accuracy"] for row in result.table]
    assert accuracies == sorted(accuracies, reverse=True)
    assert [row["rank"] for row in result.table] == [1, 2, 3, 4, 5, 6]
    alone = fastmlp.fit(result.best.config, dataset)
    assert result.best.metrics["test_loss"] == pytest.approx(alone.metrics["test_loss"], rel=1e-6)
    assert result.best.metrics["test_accuracy"] == alone.metrics["test_accuracy"]
    np.testing.assert_array_equal(
        result.best.predictor.outputs(dataset.X), alone.predictor.outputs(dataset.X)
    )


def test_ensembles_are_swept_beside_single_models(tmp_path: Path) -> None:
    dataset = blobs()
    axes = {"n_models": [1, 3], "hidden_layer_sizes": 8, "epochs": 2, "learning_rate": [0.1, 1e-6]}
    swept = run_sweep(axes, dataset, jobs=2, out=tmp_path / "sweep")
    for result in (swept, run_sweep(axes, dataset, jobs=2, out=tmp_path / "sweep", resume=True)):
        assert [trial.status for trial in result.trials] == ["finished"] * 4
        for trial in result.trials:
            alone = fastmlp.fit(fastmlp.TrainConfig.from_dict(trial.config), dataset)
            for name in ("validation_loss", "validation_accuracy", "updates_run"):
                expected = alone.metrics.get(name, alone.updates_run)
                assert trial.metrics[name] == pytest.approx(expected)
        winner = fastmlp.fit(result.best.config, dataset)
        assert result.best.predictor.n_models == result.best.config.n_models
        np.testing.assert_array_equal(
            result.best.predictor.outputs(dataset.X), winner.predictor.outputs(dataset.X)
        )


def test_winner_without_stored_weights_is_trained_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = run_sweep(GRID, blobs())
    monkeypatch.setattr("fastmlp.sweeps.store.MODELS_KEPT", 0)
    again = run_sweep(GRID, blobs())
    assert again.best.metrics == kept.best.metrics


def test_seeds_are_averaged() -> None:
    result = run_sweep({"activation": ["relu", "tanh"], "seed": range(3), "epochs": 2}, blobs())
    assert len(result.table) == 2
    row, entry = result.table[0], result.leaderboard.configurations[0]
    losses = [trial.metrics["validation_loss"] for trial in entry.trials]
    assert row["seeds"] == 3
    assert row["validation_loss"] == pytest.approx(np.mean(losses))
    assert row["validation_loss_sd"] == pytest.approx(np.std(losses, ddof=1))
    assert result.best.metrics["validation_loss"] in losses


def test_a_regression_is_ranked_by_its_loss() -> None:
    result = run_sweep({"l2": [0.0, 10.0], "epochs": 3, "learning_rate": 0.01}, lines())
    assert result.leaderboard.rank_by == "validation_loss"
    assert result.best.config.l2 == 0
    assert result.best.metrics["test_accuracy"] is None
    with pytest.raises(ConfigError, match="rank_by must be validation_loss for a regression"):
        run_sweep({"l2": [0.0]}, lines(), rank_by="validation_accuracy")


def test_failed_and_diverged_cells_are_recorded_and_others_continue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_run = worker.make_run

    def fails(cell: Any, *arguments: Any) -> Any:
        if cell.config.l2 == 0.5:
            raise MemoryError("no room")
        return make_run(cell, *arguments)

    monkeypatch.setattr(worker, "make_run", fails)
    grid = {"learning_rate": [0.01, 1e25], "l2": [0.0, 0.5], "epochs": 2}
    result = run_sweep(grid, lines(), out=tmp_path)
    statuses = sorted(trial.status for trial in result.trials)
    assert statuses == ["diverged", "failed", "failed", "finished"]
    errors = {trial.status: trial.error for trial in result.trials}
    assert errors["failed"] == "MemoryError: no room"
    assert "training diverged in epoch 1" in errors["diverged"]
    assert result.table[0]["status"] == "finished"
    assert result.best.config.l2 == 0
    assert "MemoryError: no room" in (tmp_path / "report.html").read_text()
    # They are finished: they are run again only on demand.
    journal = Journal()
    run_sweep(grid, lines(), out=tmp_path, resume=True, watcher=journal, plots=False)
    assert journal.keys == []
    monkeypatch.undo()
    again = run_sweep(
        grid, lines(), out=tmp_path, resume=True, retry_failed=True, watcher=journal, plots=False
    )
    assert len(journal.keys) == 2
    assert sorted(t.status for t in again.trials) == ["diverged", "diverged", "finished",
                                                      "finished"]  # fmt: skip


def test_without_any_good_cell_there_is_no_best() -> None:
    result = run_sweep({"learning_rate": [1e25]}, lines())
    assert result.best_metrics is None
    with pytest.raises(ConfigError, match="there is no best configuration"):
        _ = result.best
    assert "1 cells" in repr(result)
    assert "No cell has finished" in result._repr_html_()


def test_resuming_runs_what_is_missing_with_more_axes_too(tmp_path: Path) -> None:
    first, second, third = Journal(stop_after=2), Journal(), Journal()
    stopped = run_sweep(GRID, blobs(), out=tmp_path / "a", watcher=first, plots=False)
    assert stopped.status == "interrupted"
    assert {trial.key for trial in stopped.trials} >= set(first.keys)
    run_sweep(GRID, blobs(), out=tmp_path / "a", resume=True, watcher=second, plots=False)
    assert len(first.keys) + len(second.keys) == 6
    assert not set(first.keys) & set(second.keys)
    more = {**GRID, "l2": [0.0, 0.01]}
    grown = run_sweep(more, blobs(), out=tmp_path / "a", resume=True, watcher=third, plots=False)
    assert len(third.keys) == 6
    run_sweep(more, blobs(), out=tmp_path / "b", plots=False)
    assert results_of(tmp_path / "a") == results_of(tmp_path / "b")
    assert "l2" in grown.leaderboard.axes


KILLED = """
import sys, fastmlp
from test_sweep import GRID, blobs
from fastmlp.sweeps.progress import Watcher

class Tell(Watcher):
    def on_trial(self, trial, standing, board):
        print(trial.key, flush=True)

fastmlp.run_sweep(GRID, blobs(), out=sys.argv[1], resume=True, watcher=Tell(), plots=False)
"""


def test_killed_sweep_resumes(tmp_path: Path) -> None:
    paths = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    finished: list[str] = []
    for to_finish in (1, 2, None):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, start=1):
            finished.append(line.strip())
            if number == to_finish:
                process.send_signal(signal.SIGKILL)
                break
        finished += [line.strip() for line in process.stdout]
        process.stdout.close()
        assert process.wait() == (0 if to_finish is None else -signal.SIGKILL)
    assert len(set(finished)) == len(finished)
    run_sweep(GRID, blobs(), out=tmp_path / "whole", plots=False)
    assert results_of(tmp_path / "killed") == results_of(tmp_path / "whole")
    # From Python 3.13 on, a connection that is left open is a warning.
    with closing(sqlite3.connect(tmp_path / "killed" / "sweep.sqlite")) as store:
        assert len(store.execute("SELECT key FROM cells").fetchall()) == 6


def test_the_folder_of_another_sweep_is_not_touched(tmp_path: Path) -> None:
    grid = {"epochs": 1, "hidden_layer_sizes": 4}
    run_sweep(grid, blobs(), out=tmp_path, plots=False)
    for arguments, message in (
        ({}, "contains a sweep"),
        ({"resume": True, "rank_by": "validation_loss"}, "rank_by must be that of the sweep"),
    ):
        with pytest.raises(ConfigError, match=message):
            run_sweep(grid, blobs(), out=tmp_path, **arguments)
    with pytest.raises(ConfigError, match="resume needs the data that the sweep began with"):
        run_sweep(grid, blobs(seed=1), out=tmp_path, resume=True)
    with pytest.raises(ConfigError, match="resume needs out"):
        run_sweep(grid, blobs(), resume=True)
    with pytest.raises(ConfigError, match="retry_failed is for resume alone"):
        run_sweep(grid, blobs(), retry_failed=True)
    journal = Journal()
    run_sweep(grid, blobs(), out=tmp_path, overwrite=True, watcher=journal, plots=False)
    assert len(journal.keys) == 1


def test_a_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="it holds other files"):
        run_sweep({"epochs": 1}, blobs(), out=tmp_path, overwrite=True)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "sweep.sqlite").write_bytes(b"no database, but long enough to be looked at" * 9)
    with pytest.raises(DataError, match="cannot be used: file is not a database"):
        run_sweep({"epochs": 1}, blobs(), out=tmp_path, resume=True)


def test_two_sweeps_do_not_write_to_one_store(tmp_path: Path) -> None:
    class Second(Watcher):
        refused = ""

        def on_trial(
            self, trial: Trial, standing: Standing, board: Callable[[], Leaderboard]
        ) -> None:
            try:
                run_sweep({"epochs": 1}, blobs(), out=tmp_path, resume=True)
            except ConfigError as error:
                self.refused = str(error)

    watcher = Second()
    run_sweep({"epochs": 1}, blobs(), out=tmp_path, watcher=watcher, plots=False)
    assert "another sweep is at work" in watcher.refused


def test_the_winner_is_trained_again(tmp_path: Path) -> None:
    result = run_sweep({"hidden_layer_sizes": [4, 8], "epochs": 2}, blobs(), out=tmp_path)
    retrained = result.retrain_best(epochs=4, plots=False)
    assert retrained.config.schedule == "plateau"
    assert retrained.epochs_run == 4
    assert {"model.safetensors", "config.toml", "report.html", "metrics.json"} <= {
        path.name for path in (tmp_path / "best").iterdir()
    }


def test_tables_become_frames() -> None:
    pytest.importorskip("pandas")
    result = run_sweep({"l2": [0.0, 0.1], "epochs": 1}, blobs())
    assert result.frame["rank"].tolist() == [1, 2]
    assert result.cell_frame["key"].tolist() == [row["key"] for row in result.cells]


def test_data_can_be_an_axis() -> None:
    loaded = []

    def load(config: Any) -> fastmlp.Dataset:
        loaded.append(config.data)
        return blobs(n_classes=int(config.data))

    result = run_sweep({"data": ["2", "3"], "epochs": 1, "l2": [0.0, 0.1]}, load=load)
    assert sorted(loaded) == ["2", "3"]
    assert len(result.table) == 4
    assert result.leaderboard.axes == ["data", "l2"]


def test_sparse_features_are_swept_too() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    dataset = blobs()
    grid = {"mode": ["stochastic", "minibatch"], "scale": "none", "epochs": 2}
    result = run_sweep(grid, fastmlp.Dataset(sparse.csr_array(dataset.X), dataset.y))
    assert [trial.status for trial in result.trials] == ["finished", "finished"]
    assert result.best.metrics["test_accuracy"] is not None


@pytest.mark.parametrize(
    ("axis", "values", "named"),
    [
        ("loss", ["squared_error", "huber"], "loss huber"),
        ("target_scale", ["standard", "none"], "target_scale none, standard"),
        ("loss", ["squared_error", "poisson"], "target_scale none, standard"),
    ],
)
def test_losses_of_other_units_are_not_compared_without_a_word(
    axis: str, values: list[str], named: str
) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    data = Dataset(X, np.exp(X[:, 0]))
    with pytest.warns(UserWarning, match=f"not of one kind or unit.* {named}"):
        run_sweep({axis: values, "epochs": 1}, data, jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_sweep({"learning_rate": [0.01, 0.02], "epochs": 1}, data, jobs=1)
