"""Layers of numbers, alone and among others, against their twins and against slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import ConfigError, Dataset, TrainConfig, fit
from fastmlp.model.network import Network
from fastmlp.model.predictor import Predictor
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.layers import LAYERS
from harness import DTYPES, Case, Run, assert_matches_twin
from slopes import assert_gradients_are_slopes

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

NETWORKS = [
    "diagonal(), dense(7)",
    "diagonal(numbers=3), dense(7)",
    "periodic(1), dense(7)",
    "periodic(3, sigma=1, numbers=4), dense(7)",
    "periodic(16), dense(7)",
    "diagonal(numbers=2), periodic(5, sigma=0.1, numbers=2), dropout(0.3), dense(18), dense(4)",
    "dropout(0.2), periodic(2), diagonal(), dense(3)",
    "dense(19), periodic(3, numbers=17), dense(18), diagonal(), dense(20, softmax), diagonal()",
    "periodic(2)",
]


def case(layers: str, features: int, **changes: Any) -> Case:
    usual: dict[str, Any] = {"rows": 40, "batch_size": 13, "block_rows": 7, "zeros": 0.3}
    return Case(layers=layers, input_shape=(features,), **{**usual, **changes})


@each_dtype
@pytest.mark.parametrize("features", [4, 16, 37])
@pytest.mark.parametrize("layers", NETWORKS)
def test_training_is_the_twins(layers: str, features: int, dtype: str) -> None:
    assert_matches_twin(case(layers, features, dtype=dtype))


@pytest.mark.parametrize("layers", NETWORKS)
def test_teams_change_no_bit(layers: str) -> None:
    alone = Run(case(layers, 21, optimizer="adam", clip_norm=0.5))
    alone.train()
    for threads in (2, 3):
        team = Run(case(layers, 21, optimizer="adam", clip_norm=0.5))
        team.train(threads, full_team=True)
        assert team.network.params.tobytes() == alone.network.params.tobytes()


@pytest.mark.parametrize("layers", NETWORKS)
def test_gradients_are_slopes(layers: str) -> None:
    run = Run(case(layers, 5, dtype="float64", hidden="tanh", batch_size=40))
    for weights in run.network.weights:
        weights *= 0.3  # a cosine bends by (2 pi w)^3, which a difference of values misses
    assert_gradients_are_slopes(run)


def test_initial_values_are_the_layers_own() -> None:
    layers = parse_layers("diagonal(), periodic(400, sigma=2), dense(3, identity)")
    network = Network(layers, (5,))
    network.initialize(INITIALIZERS.parse("zeros"), INITIALIZERS.parse("ones"), 0)
    factors, frequencies, _ = network.weights
    assert (factors == 1).all() and (network.biases[0] == 0).all()
    assert 1.9 < frequencies.std() < 2.1 and abs(network.biases[1]).max() <= 0.5
    assert network.biases[1].std() == pytest.approx(12**-0.5, rel=0.1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("periodic(0)", "frequencies must be from 1"),
        ("periodic((2, 3))", "frequencies must be a whole number"),
        ("periodic()", "periodic needs frequencies"),
        ("periodic(2, sigma=0)", "sigma must be above 0, got 0.0"),
        ("periodic(2, numbers=-1)", "numbers must be a whole number from 0"),
        ("diagonal(lr_factor=0)", "lr_factor must be above 0, got 0.0"),
        ("dense(3, lr_factor=-1)", "lr_factor must be above 0, got -1.0"),
    ],
)
def test_bad_parameters_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        LAYERS.parse(spec)


def test_more_numbers_than_features_are_refused() -> None:
    data = Dataset(np.ones((9, 2)), np.arange(9) % 2)
    with pytest.raises(ConfigError, match=r"numbers must be at most the features, 2, got 3"):
        fit(TrainConfig(layers="diagonal(numbers=3)"), data)


def table(numbers: bool, categories: bool) -> Any:
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    if categories:
        columns["kind"] = rng.choice(["a", "b", "c"], 200)
    if numbers:
        columns |= {"x": rng.normal(size=200), "y": rng.normal(size=200)}
        columns["y"][3] = np.nan
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("numbers", "categories", "layers"),
    [
        (
            True,
            True,
            ["diagonal(numbers=2)", "periodic(4, numbers=2)", "dense(8, activation=relu)"],
        ),
        (
            True,
            False,
            ["diagonal(numbers=2)", "periodic(4, numbers=2)", "dense(8, activation=relu)"],
        ),
        (False, True, ["dense(8, activation=relu)"]),
    ],
)
def test_of_a_table_they_are_of_the_columns_of_numbers(
    numbers: bool, categories: bool, layers: list[str], tmp_path: Any
) -> None:
    frame, y = table(numbers, categories), np.arange(200) % 2
    config = TrainConfig(layers="diagonal(), periodic(4), dense(8)", epochs=2)
    predictor = fit(config, Dataset(frame, y)).predictor
    assert [str(layer) for layer in predictor.network.layers[:-1]] == layers
    predictor.save(tmp_path / "model.safetensors")
    loaded = Predictor.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(frame), predictor.predict_proba(frame))
