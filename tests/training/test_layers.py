"""Lists of layers in a config: what they may be, the network that they give, and refusals."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import numpy as np
import pytest
import tomli_w
from scipy.signal import correlate2d
from scipy.special import softmax

from fastmlp import ConfigError, Dataset, TrainConfig, fit, load_dataset
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.layers import Conv2d, Dense, Dropout, MaxPool2d
from fastmlp.training import network_checks
from fastmlp.training.layers import network_layers
from fastmlp.training.resolve import resolve

CONVOLUTIONAL = ("conv2d(4, 3)", "max_pool2d(2)", "dropout(0.2)", "dense(8, activation=tanh)")
DIGITS = load_dataset("digits")


@pytest.mark.parametrize(
    "layers",
    [
        "conv2d(4, 3), max_pool2d(2), dropout(0.2), dense(8, tanh)",
        ["conv2d(4, 3)", "max_pool2d(size=2)", "dropout(0.2)", "dense(8, activation=tanh)"],
        [Conv2d(4, 3), MaxPool2d(2), Dropout(0.2), Dense(8, "tanh")],
        (Conv2d(4, 3), "max_pool2d(2)", "Dropout(rate=0.2)", Dense(8, "tanh")),
    ],
)
def test_text_and_records_are_the_same_list(layers: Any) -> None:
    config = TrainConfig(layers=layers)
    assert config.layers == CONVOLUTIONAL
    assert config.hidden_layer_sizes == ()
    assert config == TrainConfig(layers=CONVOLUTIONAL)
    assert hash(config) == hash(TrainConfig(layers=CONVOLUTIONAL))


def test_layers_take_the_activation_of_the_config() -> None:
    config = TrainConfig(
        layers="dense(3), dense(4, leaky_relu(0.02)), dropout(0.5)", activation="elu"
    )
    assert list(map(str, config.hidden_layers)) == [
        str(Dense(3, "elu")),
        str(Dense(4, "leaky_relu(0.02)")),
        "dropout(0.5)",
    ]


@pytest.mark.parametrize("layers", ["", [], ()])
def test_no_layers_leave_the_short_form(layers: Any) -> None:
    assert TrainConfig(layers=layers) == TrainConfig()


@pytest.mark.parametrize(
    "settings",
    [
        {"layers": CONVOLUTIONAL, "input_shape": (8, 8, 1)},
        {"layers": "conv2d(4, (3, 2), stride=2, padding=same), flatten, dense(64, elu(0.5))"},
    ],
)
def test_layers_survive_toml_and_json(settings: dict[str, Any]) -> None:
    config = TrainConfig(**settings)
    as_dict = config.to_dict()
    assert TrainConfig.from_dict(tomllib.loads(tomli_w.dumps(as_dict))) == config
    assert TrainConfig.from_dict(json.loads(json.dumps(as_dict))) == config
    assert config.replace(epochs=3).replace(epochs=config.epochs) == config


def test_replace_changes_between_both_forms() -> None:
    short = TrainConfig(hidden_layer_sizes=(9, 8), dropout=0.1, input_dropout=0.2)
    listed = TrainConfig(layers="conv2d(4, 3)", input_shape=(8, 8, 1))
    assert short.replace(layers="dense(3)") == TrainConfig(layers="dense(3)")
    assert short.replace(layers=Dense(3)) == TrainConfig(layers="dense(3)")
    assert listed.replace(hidden_layer_sizes=(9,)) == TrainConfig(hidden_layer_sizes=(9,))
    assert TrainConfig().replace(layers="dense(3)") == TrainConfig(layers="dense(3)")


# --- the same bits as the short form ---


def params(**settings: Any) -> np.ndarray:
    config = TrainConfig(epochs=1, validation=0, **settings)
    return fit(config, DIGITS).predictor.network.params


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mode": "stochastic"},
        {"mode": "stochastic", "optimizer": "adam"},
        {"optimizer": "adam", "dtype": "float64", "bias_init": "random_normal"},
        {"mode": "batch", "l2": 0.01},
    ],
)
def test_dense_layers_give_the_bits_of_sizes(settings: dict[str, Any]) -> None:
    sizes = params(hidden_layer_sizes=(16, 8), **settings)
    assert params(layers="dense(16), dense(8)", **settings).tobytes() == sizes.tobytes()
    listed = params(layers="flatten, dense(16), dense(8)", **settings)
    assert listed.tobytes() == sizes.tobytes()


def test_activations_of_layers_give_the_bits_of_a_list() -> None:
    sizes = params(hidden_layer_sizes=(16, 8), activation=("tanh", "elu(0.5)"))
    assert params(layers="dense(16, tanh), dense(8, elu(0.5))").tobytes() == sizes.tobytes()


@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_dropout_layers_give_the_bits_of_dropout(mode: str) -> None:
    short = params(hidden_layer_sizes=(16, 8), dropout=(0.2, 0.5), input_dropout=0.1, mode=mode)
    layers = "dropout(0.1), dense(16), dropout(0.2), dense(8), dropout(0.5)"
    assert params(layers=layers, mode=mode).tobytes() == short.tobytes()
    assert params(layers="dense(16), dense(8)", mode=mode).tobytes() != short.tobytes()


# --- shapes ---


def test_the_shape_of_images_comes_from_the_data() -> None:
    found = resolve(TrainConfig(layers=CONVOLUTIONAL), DIGITS).config
    assert found.input_shape == (8, 8, 1)
    assert resolve(TrainConfig(layers="flatten, dense(8)"), DIGITS).config.input_shape == ()


def test_a_list_that_ends_in_an_image_is_flattened() -> None:
    config = TrainConfig(layers="conv2d(4, 3, stride=2), avg_pool2d(2)", epochs=1)
    network = fit(config, DIGITS).predictor.network
    assert network.shapes == [(8, 8, 1), (3, 3, 4), (1, 1, 4), (10,)]


def test_rows_of_a_table_are_images_with_input_shape() -> None:
    rows = Dataset(DIGITS.X, DIGITS.y)
    config = TrainConfig(layers="conv2d(4, 3)", input_shape=(16, 2, 2), scale="minmax", epochs=1)
    with pytest.raises(ConfigError, match="kernel_size must be at most the input, 16x2, got 3x3"):
        fit(config, rows)
    network = fit(config.replace(input_shape=(4, 4, 4)), rows).predictor.network
    assert network.shapes == [(4, 4, 4), (2, 2, 4), (10,)]


# --- refusals ---


def refusal(dataset: Dataset | None = None, **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        config = TrainConfig(**settings)
        if dataset is not None:
            resolve(config, dataset)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": "conv(8, 3)"}, "unknown layer 'conv'; did you mean 'conv2d'?"),
        ({"layers": "dense(8), conv2d(8)"}, "conv2d needs kernel_size"),
        ({"layers": "dense(8"}, "cannot read 'dense(8'"),
        ({"layers": "dense(8),"}, "cannot read ''"),
        ({"layers": [8]}, "cannot read '8'; write a name"),
        ({"layers": "dense(8, exponential)"}, "activation exponential is for the output"),
        ({"layers": "dense(8)", "hidden_layer_sizes": (128, 64)}, "hidden_layer_sizes does not go"),
        ({"layers": "dense(8)", "hidden_layer_sizes": 9}, "hidden_layer_sizes does not go"),
        ({"layers": "dense(8)", "dropout": 0.1}, "dropout does not go with layers, got 0.1"),
        ({"layers": "dense(8)", "dropout": (0.1,)}, "dropout does not go with layers, got (0.1,)"),
        ({"layers": "dense(8)", "input_dropout": 0.1}, "input_dropout does not go with layers"),
        ({"layers": "dense(8)", "activation": ("relu",)}, "activation must be one value beside"),
        ({"input_shape": (8, 8, 1)}, "input_shape is the shape of the images that layers take"),
        *(
            ({"layers": "conv2d(8, 3)", "input_shape": shape}, "must be height, width and channels")
            for shape in (64, (8, 8), (1, 8, 8, 1))
        ),
        ({"layers": "conv2d(8, 3)", "input_shape": (8, 8, 0)}, "input_shape must be at least 1"),
    ],
)  # fmt: skip
def test_a_bad_list_is_refused(settings: dict[str, Any], message: str) -> None:
    assert message in refusal(**settings)


@pytest.mark.parametrize(
    ("layers", "input_shape", "message"),
    [
        ("conv2d(8, 9)", (), "kernel_size must be at most the input, 8x8, got 9x9"),
        ("conv2d(8, 7), max_pool2d(3)", (), "size must be at most the input, 2x2, got 3x3"),
        ("dense(8), conv2d(8, 3)", (), "layer 2, conv2d(8, 3, activation=relu), needs an image"),
        ("conv2d(8, 3)", (8, 9, 1), "must multiply to the number of features, 64, got 8,9,1"),
        ("conv2d(8, 3)", (4, 16, 1), "must be the shape of the data's images, 8,8,1, got 4,16,1"),
    ],
)
def test_a_list_that_does_not_fit_the_data_is_refused(
    layers: str, input_shape: tuple[int, ...], message: str
) -> None:
    assert message in refusal(DIGITS, layers=layers, input_shape=input_shape)


def test_an_image_layer_needs_an_input_shape() -> None:
    message = refusal(Dataset(DIGITS.X, DIGITS.y), layers="conv2d(8, 3)")
    assert "got an input without input_shape of 64 features; set input_shape" in message


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"hidden_layer_sizes": (100_000, 100_000)}, "training needs 160.12 GB for 10,007,600,010"),
        ({"layers": "conv2d(100000, 3, padding=same)"}, "GB for the outputs of 32 rows"),
    ],
)
def test_a_network_without_memory_for_it_is_refused(
    settings: dict[str, Any], needed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_checks, "usable_memory", lambda: 4e9)
    message = refusal(DIGITS, **settings)
    assert message.startswith("layers must fit into the memory, 4.00 GB: ")
    assert needed in message


def test_weights_turn_into_those_of_keras_and_pytorch() -> None:
    """The arrays of docs/training.md, used as PyTorch does: channels first."""
    config = TrainConfig(layers="conv2d(4, (3, 2)), dense(5, tanh)", epochs=1, dtype="float64")
    predictor = fit(config, DIGITS).predictor
    convolution, dense, output = predictor.network.weights
    biases = predictor.network.biases
    weight = convolution.reshape(3, 2, 1, 4).transpose(3, 2, 0, 1)
    linear = dense.reshape(6, 7, 4, 5).transpose(3, 2, 0, 1).reshape(5, -1)
    image = DIGITS.X[3].reshape(8, 8) / 16
    maps = [correlate2d(image, w[0], "valid") + b for w, b in zip(weight, biases[0], strict=True)]
    hidden = np.tanh(linear @ np.maximum(maps, 0).ravel() + biases[1])
    assert predictor.predict_proba(DIGITS.X[3:4])[0] == pytest.approx(
        softmax(output.T @ hidden + biases[2])
    )


def test_replace_with_no_layers_returns_to_the_short_form() -> None:
    config = TrainConfig(layers="conv2d(3, 2)", input_shape=(8, 8, 1))
    assert config.replace(layers=()) == TrainConfig()


@pytest.mark.parametrize("layers", ["max_pool2d(2)", "conv2d(3, 1), flatten, dense(4)"])
def test_memory_of_a_row_is_that_of_the_buffers(layers: str) -> None:
    config = TrainConfig(layers=layers, input_shape=(16, 16, 3), output_activation="softmax")
    network = Network(network_layers(config, 4), (16, 16, 3))
    workspace = Workspace(network, 32)
    # In panels, one row besides is not used.
    assert 32 * network.row_bytes <= workspace.work.A.nbytes <= 33 * network.row_bytes


def test_a_weight_of_two_is_a_row_twice() -> None:
    digits = load_dataset("digits")
    X, y = np.asarray(digits.X[:60]), digits.y[:60]
    config = TrainConfig(
        layers="conv2d(5, 3), max_pool2d(2), dense(9)", input_shape=(8, 8, 1), mode="batch",
        epochs=3, dtype="float64", validation=0, split="none", scale="none",
    )  # fmt: skip
    weights = 1 + (np.arange(60) % 3 == 0)
    rows = np.repeat(np.arange(60), weights)
    found = fit(config, Dataset(X, y), sample_weight=weights.astype(float)).predictor.network
    twice = fit(config, Dataset(X[rows], y[rows])).predictor.network
    np.testing.assert_allclose(found.params, twice.params, rtol=0, atol=1e-14)
