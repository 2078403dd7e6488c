"""Random search and successive halving: which cells are run."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from fastmlp import ConfigError, run_sweep
from fastmlp.sweeps.cells import Datasets
from fastmlp.sweeps.grid import Grid
from fastmlp.sweeps.search import Search
from fastmlp.sweeps.sweep import plan_cells
from toys import blobs

RANDOM = {
    "learning_rate": "loguniform(0.001, 1)",
    "dropout": "uniform(0, 0.5)",
    "batch_size": "integers(4, 6)",
    "activation": ["relu", "tanh"],
}


def configs(budget: int, seed: int = 0, values: dict[str, Any] = RANDOM) -> list[Any]:
    cells = plan_cells(Grid(values), Search(budget, seed), Datasets(blobs()))
    return [cell.config for cell in cells]


def test_draws_lie_between_the_ends_and_differ() -> None:
    drawn = configs(40)
    assert len(set(drawn)) == 40
    assert all(0.001 <= float(config.learning_rate) <= 1 for config in drawn)
    assert sum(float(config.learning_rate) < 0.03 for config in drawn) > 10
    assert all(0 <= config.dropout <= 0.5 for config in drawn)
    assert {config.batch_size for config in drawn} == {4, 5, 6}
    assert {config.activation for config in drawn} == {"relu", "tanh"}


def test_the_same_seed_draws_the_same_and_a_larger_budget_adds() -> None:
    assert configs(8)[:5] == configs(5)
    assert configs(5, seed=1) != configs(5)


def test_a_budget_beyond_the_grid_takes_all_of_it() -> None:
    values = {"seed": [0, 1], "activation": ["relu", "tanh"]}
    assert len(configs(100, values=values)) == 4
    assert len(configs(3, values=values)) == 3


def test_a_bad_value_is_refused_drawn_or_not() -> None:
    values = {"l2": [0.0] * 20 + [-1.0], "learning_rate": "uniform(0.1, 0.2)"}
    with pytest.raises(ConfigError, match="l2 must be at least 0"):
        configs(1, values=values)
    with pytest.raises(ConfigError, match="dropout must be at least 0 and below 1"):
        configs(1, values={"dropout": "uniform(0, 2)"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": -1}, "budget must be"),
        ({"halving": 1}, "halving must be 0, for none, or at least 2"),
        ({"min_epochs": 2}, "min_epochs is for halving alone"),
        ({"halving": 3, "min_epochs": 0}, "min_epochs must be at least 1"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Search(**arguments)


def test_rounds_end_with_all_epochs() -> None:
    assert Search(halving=3).rounds(27) == [1, 3, 9, 27]
    assert Search(halving=3, min_epochs=2).rounds(30) == [3, 10, 30]
    assert Search(halving=2).rounds(1) == [1]
    assert Search().rounds(27) == [27]


def test_halving_promotes_the_best_with_all_seeds() -> None:
    grid = {
        "learning_rate": [1e-5, 1e-4, 0.05, 0.1], "seed": [0, 1], "epochs": 4,
        "hidden_layer_sizes": 8,
    }  # fmt: skip
    result = run_sweep(grid, blobs(), halving=2)
    by_epochs = {
        epochs: {t.config["learning_rate"] for t in result.trials if t.config["epochs"] == epochs}
        for epochs in (1, 2, 4)
    }
    assert by_epochs[1] == {1e-5, 1e-4, 0.05, 0.1}
    assert by_epochs[2] == {0.05, 0.1}
    assert len(by_epochs[4]) == 1 and by_epochs[4] < by_epochs[2]
    assert len(result.trials) == 8 + 4 + 2
    assert result.best.config.epochs == 4
    # Configurations of later rounds rank first, and each configuration appears once.
    assert [row["epochs"] for row in result.table] == [4, 2, 1, 1]
    # What is best after a round is what the full grid says of that round.
    full = run_sweep({**grid, "epochs": 2}, blobs())
    assert {c.settings["learning_rate"] for c in full.leaderboard.configurations[:2]} == {0.05, 0.1}


def test_halving_wants_one_number_of_epochs() -> None:
    with pytest.raises(ConfigError, match="epochs must be one number with halving"):
        run_sweep({"epochs": [4, 8]}, blobs(), halving=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"search": "tp"}, "unknown search 'tp'; did you mean 'tpe'"),
        ({"search": "tpe"}, "trials must be 1 to 10,000 with search tpe, got 0; set it to 40"),
        ({"search": "tpe", "trials": 4, "trial_batch": 0}, "trial_batch must be 1 to"),
        ({"search": "tpe", "trials": 4, "prune": "medan"}, "unknown prune 'medan'; did you mean"),
        ({"search": "tpe", "trials": 4, "halving": 3}, "halving does not go with search tpe"),
        ({"search": "tpe", "trials": 4, "budget": 3}, "budget does not go with search tpe"),
        ({"trials": 4}, "trials is for search tpe alone, got 4"),
        ({"prune": "median"}, "prune is for search tpe alone"),
    ],
)
def test_options_of_a_search_that_do_not_fit_are_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_sweep({"learning_rate": "loguniform(0.01, 1)"}, blobs(), **arguments)


def test_search_without_optuna_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"install fastmlp\[search\], or use random search"):
        run_sweep({"learning_rate": "loguniform(0.01, 1)"}, blobs(), search="tpe", trials=4)
