"""Axes of layer lists: cells, costs, ranking and reports."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError, Dataset, fit, load_dataset, run_sweep
from fastmlp.base.toml import read_toml
from fastmlp.commands.sweep_options import grid_values, parse_sweep_arguments
from fastmlp.sweep import main
from fastmlp.sweeps.cells import Cell, Datasets, cost, longest_first
from fastmlp.sweeps.grid import Grid
from fastmlp.sweeps.leaderboard import value_text
from fastmlp.sweeps.search import Search
from fastmlp.sweeps.sweep import plan_cells

DIGITS = load_dataset("digits")
SMALL = Dataset(DIGITS.X[:200], DIGITS.y[:200], image_shape=(8, 8))
CONVOLUTIONAL = ("conv2d(4, 3)", "max_pool2d(2)", "dense(8)")
DENSE = ("dense(8)",)


def cells(values: dict[str, Any], budget: int = 0) -> list[Cell]:
    return plan_cells(Grid(values), Search(budget), Datasets(SMALL))


def grid(*arguments: str) -> dict[str, Any]:
    return grid_values(parse_sweep_arguments(list(arguments)), {})


@pytest.mark.parametrize(
    "axis",
    [
        [list(CONVOLUTIONAL), list(DENSE)],
        [CONVOLUTIONAL, DENSE],
        ["conv2d(4, 3), max_pool2d(2), dense(8)", "dense(8)"],
    ],
)
def test_each_value_of_an_axis_is_a_list(axis: Any) -> None:
    found = cells({"layers": axis, "seed": [0, 1]})
    assert [c.config.layers for c in found] == [CONVOLUTIONAL] * 2 + [DENSE] * 2
    assert [c.config.input_shape for c in found] == [(8, 8, 1)] * 2 + [()] * 2
    assert found[0].settings == {"mode": "minibatch", "layers": list(CONVOLUTIONAL), "seed": 0}


def test_equal_lists_are_one_cell() -> None:
    assert len(cells({"layers": ["conv2d(4, 3)", "conv2d(4, kernel_size=(3, 3))"]})) == 1


def test_a_tuple_is_one_list_for_all_cells() -> None:
    assert [c.config.layers for c in cells({"layers": CONVOLUTIONAL})] == [CONVOLUTIONAL]


def test_a_grid_in_a_file_has_lists_of_lists(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text('layers = [["conv2d(4, 3)", "max_pool2d(2)", "dense(8)"], ["dense(8)"]]\n')
    assert [c.config.layers for c in cells(read_toml(path, "grid"))] == [CONVOLUTIONAL, DENSE]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("conv2d(4, 3), max_pool2d(2), dense(8); dense(8)", [CONVOLUTIONAL, DENSE]),
        ("dense(8)", [DENSE]),
        ("dense(8, leaky_relu(0.02)), dense(4); dense(8);",
         [("dense(8, leaky_relu(0.02))", "dense(4)"), DENSE]),
    ],
)  # fmt: skip
def test_semicolons_separate_lists_on_the_command_line(text: str, values: list[Any]) -> None:
    assert grid("--layers", text) == {"layers": values}


def test_hidden_layer_sizes_are_for_cells_without_layers() -> None:
    found = cells({"layers": [(), DENSE], "hidden_layer_sizes": [[4], [6]], "dropout": [0.1]})
    shown = [(c.config.layers, c.config.hidden_layer_sizes, c.config.dropout) for c in found]
    assert shown == [((), (4,), 0.1), ((), (6,), 0.1), (DENSE, (), 0.0)]
    assert [c.settings.get("hidden_layer_sizes") for c in found] == [[4], [6], None]


def test_layers_replace_the_sizes_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("hidden_layer_sizes = [9]\ndropout = 0.2\nepochs = 3\n")
    found = grid("--config", str(path), "--layers", "dense(8)")
    assert found == {"layers": [DENSE], "epochs": 3}


def test_the_config_of_a_run_with_layers_is_for_all_cells(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        'hidden_layer_sizes = []\ndropout = 0.0\nlayers = ["conv2d(4, 3)"]\n'
        "input_shape = [8, 8, 1]\n"
    )
    found = cells(grid("--config", str(path), "--lr", "0.1,0.2"))
    assert [c.config.layers for c in found] == [("conv2d(4, 3)",)] * 2
    replaced = cells(grid("--config", str(path), "--hidden", "4,6"))
    assert [c.config.hidden_layer_sizes for c in replaced] == [(4,), (6,)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layers": ["dense(8)", "conv(4, 3)"]}, "did you mean 'conv2d'"),
        ({"layers": "conv2d(4, 9)"}, "kernel_size must be at most .*in the cell"),
        ({"layers": ["dense(8)"], "hidden_layer_sizes": [[4]]}, "applies to no cell of the sweep"),
        ({"layers": ["dense(8)"], "dropout": [0.1]}, "dropout applies to no cell of the sweep"),
        ({"input_shape": [(8, 8, 1)]}, "input_shape applies to no cell of the sweep"),
    ],
)
def test_lists_that_cannot_run_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        cells(values)


def test_random_search_draws_lists() -> None:
    values = {"layers": [CONVOLUTIONAL, DENSE], "learning_rate": "loguniform(0.01, 0.1)"}
    drawn = cells(values, budget=6)
    assert len(drawn) == 6
    assert {c.config.layers for c in drawn} == {CONVOLUTIONAL, DENSE}


def test_convolutions_count_once_for_each_position() -> None:
    datasets = Datasets(SMALL)
    grid = Grid({"layers": ["dense(8)", "conv2d(4, 3), dense(8)"]})
    small, large = plan_cells(grid, Search(), datasets)
    assert longest_first([small, large], datasets) == [large, small]
    added = 6 * 6 * 4 * 9 + 6 * 6 * 4 * 8 - 64 * 8
    assert cost(large, datasets) - cost(small, datasets) == pytest.approx(
        1e-9 * 1.3 * 10 * 200 * added / 20
    )


def test_a_cell_of_layers_has_the_weights_of_a_run() -> None:
    result = run_sweep({"layers": [CONVOLUTIONAL, DENSE], "epochs": 1}, SMALL, jobs=2)
    assert {t.status for t in result.trials} == {"finished"}
    assert result.leaderboard.axes == ["layers"]
    (cell,) = cells({"layers": tuple(result.best.settings["layers"]), "epochs": 1})
    alone = fit(cell.config, SMALL).predictor.network.params
    assert np.array_equal(result.best.predictor.network.params, alone)


def test_tables_and_page_show_the_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ", ".join(CONVOLUTIONAL)
    assert value_text(list(CONVOLUTIONAL)) == text
    assert value_text(["relu", "tanh"]) == "relu-tanh" and value_text([128, 64]) == "128-64"
    arguments = ["--data", "digits", "--layers", f"{text}; dense(8)", "--epochs", "1"]
    arguments += ["--activation", "relu", "--init", "he", "--mode", "minibatch"]
    assert main([*arguments, "--out", str(tmp_path / "sweep"), "--quiet"]) == 0
    assert text in capsys.readouterr().out
    with (tmp_path / "sweep" / "sweep.csv").open(encoding="utf-8") as file:
        assert {row["layers"] for row in csv.DictReader(file)} == {text, "dense(8)"}
    assert text in (tmp_path / "sweep" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "sweep" / "layers.png").is_file()


def test_activation_is_for_cells_whose_layers_lack_one() -> None:
    named = {"layers": ["dense(3, relu)", "dense(4)"], "activation": ["relu", "tanh"]}
    assert len(cells(named)) == 3
