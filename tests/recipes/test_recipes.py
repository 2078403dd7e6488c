"""The settings that ship: each is a whole config, and unknown names are refused."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp
from fastmlp import ConfigError, Dataset, TrainConfig
from fastmlp.commands.options import config_from, parse_arguments
from fastmlp.commands.sweep_options import build_sweep_parser, grid_values
from fastmlp.ops.layer_lists import shapes
from fastmlp.recipes import recipe_names, table_recipes
from fastmlp.training.resolve import resolve

NAMES = ["mnist-97", "mnist-98", "mnist-98.5", "mnist-99", "mnist-99.3"]
TABULAR = ["tabular", "tabular-fast"]
CONVOLUTIONAL = ["mnist-99", "mnist-99.3"]


def test_the_recipes_are_those_of_the_readme() -> None:
    assert recipe_names() == [*NAMES, *TABULAR]
    assert table_recipes() == TABULAR


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_trains_on_all_of_mnist(name: str) -> None:
    config = TrainConfig.from_recipe(name)
    assert (config.data, config.validation) == ("mnist", 0)
    assert config_from(parse_arguments(["--recipe", name])) == config


@pytest.fixture(scope="module")
def large_digits() -> Dataset:
    """scikit-learn's digits, enlarged to MNIST's 28 x 28 bytes."""
    digits = fastmlp.load_dataset("digits")
    pixels = np.asarray(digits.X[:600]).reshape(-1, 8, 8).astype(np.uint8) * 15
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    return Dataset(images, np.asarray(digits.y[:600]))


@pytest.mark.parametrize("name", NAMES)
def test_recipe_learns_digits(name: str, large_digits: Dataset) -> None:
    config = TrainConfig.from_recipe(name)
    assert bool(config.layers) is (name in CONVOLUTIONAL)
    metrics = fastmlp.fit(config, large_digits).metrics
    assert metrics["test_accuracy"] > 0.8


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_hidden_replaces_layers_of_a_recipe(name: str) -> None:
    config = config_from(parse_arguments(["--recipe", name, "--hidden", "128"]))
    assert (config.layers, config.hidden_layer_sizes) == ((), (128,))
    assert config.optimizer == TrainConfig.from_recipe(name).optimizer


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_layers_of_a_recipe_are_one_setting_of_a_sweep(name: str) -> None:
    values = grid_values(build_sweep_parser().parse_args(["--recipe", name]), None)
    assert values["layers"] == TrainConfig.from_recipe(name).layers


@pytest.mark.parametrize(("name", "smallest"), [("mnist-99", 10), ("mnist-99.3", 18)])
def test_convolutional_recipe_refuses_small_images(name: str, smallest: int) -> None:
    config = TrainConfig.from_recipe(name)
    assert shapes(config.hidden_layers, (smallest, smallest, 1))
    with pytest.raises(ConfigError, match="must be at most the input"):
        shapes(config.hidden_layers, (smallest - 1, smallest - 1, 1))


def test_options_change_a_recipe() -> None:
    config = config_from(parse_arguments(["--recipe", "mnist-98", "--seed", "7"]))
    assert config == TrainConfig.from_recipe("mnist-98").replace(seed=7)


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'mnist98'; did you mean 'mnist-98'"):
        TrainConfig.from_recipe("mnist98")


def test_a_recipe_does_not_go_with_a_file() -> None:
    options = parse_arguments(["--recipe", "mnist-98", "--config", "mine.toml"])
    with pytest.raises(ConfigError, match="--config does not go with --recipe"):
        config_from(options)


def table(task: str) -> Dataset:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] * 100 + 1000
    return Dataset(X, y if task == "regression" else np.arange(120) % 3, task=task)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("name", TABULAR)
def test_recipe_for_tables_fits_every_task(name: str, task: str) -> None:
    config = TrainConfig.from_recipe(name, epochs=2)
    result = fastmlp.fit(config, table(task))
    assert result.config.rules == () and result.config.epochs == 2
    assert np.isfinite(result.metrics["test_loss"])


@pytest.mark.parametrize("name", TABULAR)
def test_labels_are_smoothed_where_there_are_classes(name: str) -> None:
    config = TrainConfig.from_recipe(name)
    several, values = (resolve(config, table(t)).config for t in ("classification", "regression"))
    assert several.label_smoothing > 0 and values.label_smoothing == 0


@pytest.mark.parametrize("name", TABULAR)
def test_changes_of_a_recipe_take_precedence_over_its_rules(name: str) -> None:
    config = TrainConfig.from_recipe(name, label_smoothing=0.0)
    assert resolve(config, table("classification")).config.label_smoothing == 0
    options = parse_arguments(["--recipe", name, "--label-smoothing", "0"])
    assert config_from(options) == config


def test_rules_of_a_recipe_are_one_setting_of_a_sweep() -> None:
    options = build_sweep_parser().parse_args(["--recipe", "tabular-fast", "--epochs", "3,4"])
    values = grid_values(options, None)
    assert values["rules"] == TrainConfig.from_recipe("tabular-fast").replace(epochs=3).rules
