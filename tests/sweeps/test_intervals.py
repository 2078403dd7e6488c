"""Intervals of rankings, and ties."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import run_sweep
from fastmlp.sweeps.intervals import interval, tie_note, tied
from fastmlp.sweeps.leaderboard import Trial, rank
from fastmlp.sweeps.reports.tables import ranking_table
from toys import blobs, noise


def trial(key: str, seed: int = 0, n: int = 100, **metrics: float) -> Trial:
    config = {"seed": seed, "epochs": 3}
    usual = {"validation_accuracy": 0.9, "validation_loss": 0.5, "n_validation": n}
    return Trial(key, {"l2": key, "seed": seed}, config, "finished", "", {}, {},
                 {**usual, **metrics}, {})  # fmt: skip


def test_accuracy_of_one_seed_has_wilsons_interval() -> None:
    found = interval([trial("a")], "validation_accuracy")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.82563, 0.94477), abs=1e-5)
    perfect = interval([trial("a", validation_accuracy=1.0)], "validation_accuracy")
    assert perfect is not None and perfect.low == pytest.approx(0.96300, abs=1e-5)
    assert perfect.high == 1.0


def test_loss_of_one_seed_has_the_error_of_its_rows() -> None:
    found = interval([trial("a", loss_error=0.1)], "validation_loss")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.5 - 0.195996, 0.5 + 0.195996), abs=1e-5)
    assert interval([trial("a")], "validation_loss") is None
    assert interval([trial("a", validation_f1=0.3)], "validation_f1") is None


def test_several_seeds_have_students_interval() -> None:
    trials = [trial("a", s, validation_f1=v) for s, v in enumerate([0.2, 0.4, 0.6])]
    found = interval(trials, "validation_f1")
    assert found is not None
    assert found.error == pytest.approx(0.2 / np.sqrt(3))
    assert found.high == pytest.approx(0.4 + 4.30265 * 0.2 / np.sqrt(3), rel=1e-4)
    equal = interval([trial("a", s) for s in range(3)], "validation_accuracy")
    assert equal is not None and equal.error > 0.01  # that of the rows


def test_configurations_within_the_noise_are_tied_with_the_best() -> None:
    trials = [trial("a", validation_accuracy=0.9), trial("b", validation_accuracy=0.85),
              trial("c", validation_accuracy=0.5)]  # fmt: skip
    board = rank(trials, "validation_accuracy")
    assert tied(board) == {1: True, 2: True, 3: False}
    assert tie_note(board).startswith("the best and 1 of 2 other configurations are tied")
    table = ranking_table(board)
    column = table.header.index("tie")
    assert [row[column] for row in table.rows] == ["tied", "tied", ""]


def test_more_rows_separate_configurations() -> None:
    trials = [trial("a", n=10_000), trial("b", n=10_000, validation_accuracy=0.88)]
    board = rank(trials, "validation_accuracy")
    assert tied(board) == {1: True, 2: False}
    assert tie_note(board) == ""


def test_cells_that_differ_by_noise_are_all_tied(tmp_path: Path) -> None:
    grid: dict[str, Any] = {
        "l2": [0.0, 1e-6, 1e-5, 1e-4], "batch_size": [16, 24, 32], "mode": "minibatch", "epochs": 2,
        "hidden_layer_sizes": 4,
    }  # fmt: skip
    run_sweep(grid, noise(200), out=tmp_path, plots=False)
    for name in ("ranking.csv", "sweep.csv"):
        rows = list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        assert [row["tied"] for row in rows] == ["true"] * 12
        low, high = (
            float(rows[0]["validation_accuracy_low"]),
            float(rows[0]["validation_accuracy_high"]),
        )
        assert low < float(rows[0]["validation_accuracy"]) < high
    page = (tmp_path / "report.html").read_text()
    assert "All 12 configurations are tied" in page


def test_sweep_ranks_by_a_metric_of_the_validation_part() -> None:
    grid = {"learning_rate": [0.0001, 0.1], "epochs": 2, "hidden_layer_sizes": 4}
    result = run_sweep(grid, blobs(), rank_by="f1_macro")
    assert result.leaderboard.rank_by == "validation_f1_macro"
    values = [row["validation_f1_macro"] for row in result.table]
    assert values == sorted(values, reverse=True)
    assert 0 <= result.best.metrics["test_f1_macro"] <= 1


def worst_error(y_true: np.ndarray, y_output: np.ndarray) -> float:
    """Largest distance of a probability from 1."""
    return float(1 - y_output.max(axis=1).min())


def test_sweep_ranks_by_a_function_and_is_resumed(tmp_path: Path) -> None:
    grid = {
        "metrics": [worst_error, "f1_macro"], "learning_rate": [0.001, 0.1], "epochs": 2,
        "hidden_layer_sizes": 4,
    }  # fmt: skip
    arguments: dict[str, Any] = {"rank_by": "worst_error", "out": tmp_path, "plots": False}
    first = run_sweep(grid, blobs(), **arguments)
    values = [row["validation_worst_error"] for row in first.table]
    assert values == sorted(values)
    again = run_sweep(grid, blobs(), **arguments, resume=True)
    assert again.table == first.table
    assert again.best.metrics == first.best.metrics


def test_unknown_ranking_gets_the_nearest() -> None:
    from fastmlp import ConfigError

    with pytest.raises(ConfigError, match="unknown rank_by 'roc_au'; did you mean 'roc_auc'"):
        run_sweep({"epochs": 1}, blobs(), rank_by="roc_au")
