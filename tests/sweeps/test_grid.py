"""Axes, cells, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError
from fastmlp.base.toml import read_toml
from fastmlp.sweeps.cells import Datasets, longest_first, make_cells, with_epochs
from fastmlp.sweeps.grid import DEFAULT_AXES, Grid
from fastmlp.sweeps.search import Search
from fastmlp.sweeps.sweep import plan_cells
from toys import blobs, lines


def cells(values: dict[str, Any], dataset: Any = None) -> list[Any]:
    return plan_cells(Grid(values), Search(), Datasets(dataset or blobs()))


def test_the_default_grid_has_27_cells() -> None:
    found = cells(DEFAULT_AXES)
    assert len({cell.key for cell in found}) == 27
    assert found[0].settings == {
        "activation": "relu", "weight_init": "glorot_uniform", "mode": "stochastic",
    }  # fmt: skip


def test_single_values_are_settings_and_lists_are_axes() -> None:
    found = cells({"epochs": 3, "seed": range(2), "l2": np.array([0.0, 0.1]), "dropout": [0.5]})
    assert [(c.config.seed, c.config.l2) for c in found] == [(0, 0), (0, 0.1), (1, 0), (1, 0.1)]
    assert {c.config.epochs for c in found} == {3}


def test_a_list_in_a_list_is_one_value() -> None:
    found = cells({"hidden_layer_sizes": [[8], [8, 4], []]})
    assert [cell.config.hidden_layer_sizes for cell in found] == [(8,), (8, 4), ()]
    assert cells({"hidden_layer_sizes": (8, 4)})[0].config.hidden_layer_sizes == (8, 4)


def test_cells_that_are_the_same_are_one() -> None:
    assert len(cells({"weight_init": ["xavier", "glorot_uniform"]})) == 1
    assert len(cells({"weight_init": ["auto", "he"], "activation": "relu"})) == 1
    # The size of a batch means nothing in the other modes.
    found = cells({"mode": ["stochastic", "minibatch"], "batch_size": [8, 16, 24]})
    assert [cell.settings.get("batch_size") for cell in found] == [None, 8, 16, 24]
    assert len(cells({"hidden_layer_sizes": [[], [4]], "activation": ["relu", "tanh"]})) == 3


def test_settings_for_a_mode_go_before_those_for_all(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(
        'mode = ["batch", "minibatch"]\nepochs = 2\n[batch]\nepochs = [5, 6]\n'
        "[minibatch]\nbatch_size = [4, 8]\n"
    )
    found = [(c.config.mode, c.config.epochs, c.settings.get("batch_size"))
             for c in cells(read_toml(path, "grid"))]  # fmt: skip
    assert found == [
        ("batch", 5, None), ("batch", 6, None), ("minibatch", 2, 4), ("minibatch", 2, 8),
    ]  # fmt: skip


def test_a_grid_survives_as_plain_values() -> None:
    values = {
        "mode": ["batch"],
        "dropout": [[0.1, 0], [0.2, 0]],
        "l2": 0.5,
        "batch": {"epochs": [1, 2]},
    }
    grid = Grid(values)
    assert [c.key for c in cells(grid.to_dict())] == [c.key for c in cells(values)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"activaton": ["relu"]}, "unknown axis 'activaton'; did you mean 'activation'"),
        ({"l2": []}, "axis l2 must have at least one value"),
        ({"l2": [0.1, -1.0]}, "l2 must be at least 0, got -1.0.*in the cell"),
        ({"activation": ["relu", "rleu"]}, "did you mean 'relu'"),
        ({"epochs": ["many"]}, "epochs must be a whole number"),
        ({"mode": "batch", "batch_size": [4, 8]}, "batch_size applies to no cell"),
        ({"mode": ["batch"], "sampling": ["shuffle"]}, "sampling applies to no cell"),
        ({"hidden_layer_sizes": (), "activation": "relu"}, "activation applies to no cell"),
        ({"stochastic": {"l2": 0.1}}, "settings for mode stochastic apply to no cell"),
        ({"minibatch": {"l2": 0.1}, "l2": 0.2}, "l2 applies to no cell"),
        ({"minibatch": {"mode": "batch"}}, "unknown axis 'mode' for mode minibatch"),
        ({"minibatch": 3}, "minibatch must be a table"),
        ({"validation": [0.1, 0]}, "validation must be above 0 in a sweep"),
        ({"data": ["digits", "moons"]}, "data applies to no cell: the dataset is given"),
        ({"target_scale": ["none", "standard"]}, "target_scale applies to regression.*in the cell"),
        ({"l2": "uniform(0, 1)"}, "l2 is a distribution"),
        ({"l2": "uniform(1, 0)"}, "high must be above low"),
        ({"l2": "uniform"}, "needs its ends"),
        ({"seed": "integers(1, 9)"}, "axis seed must be a list"),
        ({"seed": range(2000), "epochs": range(1, 2000)}, "at most 1,000,000 cells"),
        (["relu"], "grid must be a mapping"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(values: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        cells(values)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), ("l2 = [", "is not valid TOML")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: str | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "grid.toml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_toml(tmp_path / "grid.toml", "grid")


def test_key_depends_on_settings_and_data_not_on_notation() -> None:
    def key(dataset: Any, **settings: Any) -> str:
        return make_cells([{"mode": "minibatch", **settings}], Datasets(dataset))[0].key

    assert key(blobs()) == key(blobs(), activation="relu", learning_rate=0.1)
    assert len({key(blobs()), key(blobs(seed=1)), key(lines()), key(blobs(), seed=1)}) == 4


def test_the_longest_are_begun_first() -> None:
    datasets = Datasets(blobs())
    values = {"epochs": [1, 100, 10], "hidden_layer_sizes": [[4], [400]]}
    found = longest_first(plan_cells(Grid(values), Search(), datasets), datasets)
    assert [c.config.epochs for c in found] == [100, 100, 10, 10, 1, 1]
    assert found[0].config.hidden_layer_sizes == (400,)


def test_a_cell_with_other_epochs_is_the_cell_that_the_grid_would_have() -> None:
    (short,), (long,) = cells({"epochs": 2}), cells({"epochs": 6})
    assert with_epochs(short, 6).key == long.key != short.key
