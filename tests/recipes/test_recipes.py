"""The settings that ship: each is a whole config, and unknown names are refused."""

from __future__ import annotations

import pytest

from fastmlp import ConfigError, TrainConfig
from fastmlp.commands.options import config_from, parse_arguments
from fastmlp.recipes import recipe_names

NAMES = ["mnist-97", "mnist-98", "mnist-98.5"]


def test_the_recipes_are_those_of_the_readme() -> None:
    assert recipe_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_trains_on_all_of_mnist(name: str) -> None:
    config = TrainConfig.from_recipe(name)
    assert (config.data, config.validation) == ("mnist", 0)
    assert config_from(parse_arguments(["--recipe", name])) == config


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
