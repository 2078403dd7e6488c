"""Layer records: grammar, shapes, matrices, fans, padding, and what they refuse."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import reference_layers
from fastmlp.base.errors import ConfigError
from fastmlp.ops.layer_lists import parse_layers, shapes
from fastmlp.ops.layers import (
    LAYERS,
    AvgPool2d,
    Conv2d,
    Dense,
    Diagonal,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    MaxPool2d,
    Periodic,
    pair,
)

RECORDS: dict[str, Layer] = {
    "dense(64)": Dense(64),
    "dense(64, tanh)": Dense(64, "tanh"),
    "dense(units=64, activation=leaky_relu(0.02))": Dense(64, "leaky_relu(0.02)"),
    "conv2d(32, 3)": Conv2d(32, 3),
    "conv2d(32, (3, 5))": Conv2d(32, (3, 5)),
    "conv2d(32, (3, 3), stride=(2, 2))": Conv2d(32, 3, 2),
    "conv2d(32, kernel_size=3, stride=2, padding=same)": Conv2d(32, 3, 2, "same"),
    "conv2d(8, 1, (1, 2), valid, relu)": Conv2d(8, 1, (1, 2), "valid", "relu"),
    "conv2d(8, 3, activation=elu(0.5))": Conv2d(8, 3, activation="elu(0.5)"),
    "max_pool2d(2)": MaxPool2d(2),
    "max_pool2d(2, 2)": MaxPool2d(2),
    "max_pool2d(size=(2, 3))": MaxPool2d((2, 3)),
    "max_pool2d(3, stride=2)": MaxPool2d(3, 2),
    "avg_pool2d((2, 1), stride=(1, 1))": AvgPool2d((2, 1), 1),
    "global_avg_pool2d()": GlobalAvgPool2d(),
    "dropout(0.5)": Dropout(0.5),
    "dropout(0)": Dropout(0.0),
    "diagonal": Diagonal(),
    "diagonal(3, lr_factor=6)": Diagonal(3, lr_factor=6.0),
    "periodic(8)": Periodic(8),
    "periodic(8, sigma=1, numbers=2)": Periodic(8, 1.0, 2),
    "dense(64, lr_factor=0.5)": Dense(64, lr_factor=0.5),
    "flatten()": Flatten(),
    "flatten": Flatten(),
}


@pytest.mark.parametrize("text", RECORDS)
def test_spec_is_its_record(text: str) -> None:
    assert LAYERS.parse(text) == RECORDS[text]


@pytest.mark.parametrize("text", RECORDS)
def test_text_of_a_record_is_its_spec(text: str) -> None:
    record = RECORDS[text]
    assert LAYERS.parse(str(record)) == record
    assert str(LAYERS.parse(str(record))) == str(record)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (Dense(64), "dense(64)"),
        (Dense(64, "leaky_relu(0.02)"), "dense(64, activation=leaky_relu(slope=0.02))"),
        (Conv2d(32, (3, 5)), "conv2d(32, (3, 5))"),
        (Conv2d(32, 3, 2, "same"), "conv2d(32, 3, stride=2, padding=same)"),
        (MaxPool2d(2), "max_pool2d(2)"),
        (MaxPool2d((2, 2), 2), "max_pool2d(2)"),
        (AvgPool2d((2, 1), 1), "avg_pool2d((2, 1), stride=1)"),
        (Dropout(0.5), "dropout(0.5)"),
        (Diagonal(lr_factor=6.0), "diagonal(lr_factor=6.0)"),
        (Periodic(8, numbers=3), "periodic(8, numbers=3)"),
        (Flatten(), "flatten()"),
    ],
)
def test_texts_are_short(record: Layer, text: str) -> None:
    assert str(record) == text


def test_every_kind_is_tested() -> None:
    assert {record.name for record in RECORDS.values()} == set(LAYERS.names())


@pytest.mark.parametrize("record", RECORDS.values(), ids=str)
def test_records_are_constant_and_say_what_they_compute(record: Layer) -> None:
    assert type(record).formula and record == LAYERS.parse(record)
    with pytest.raises(FrozenInstanceError):
        record.name = "other"  # type: ignore[misc]


# --- lists ---


@pytest.mark.parametrize(
    "given",
    [
        "conv2d(32, (3, 5)), dense(8, leaky_relu(0.02)), dropout(0.5)",
        " conv2d( 32,(3,5) ) ,dense(8,leaky_relu(0.02)),dropout(0.5) ",
        ["conv2d(32, (3, 5))", "dense(8, leaky_relu(0.02))", "dropout(0.5)"],
        (Conv2d(32, (3, 5)), "dense(8, leaky_relu(0.02))", Dropout(0.5)),
    ],
)
def test_list_of_layers(given: Any) -> None:
    expected = (Conv2d(32, (3, 5)), Dense(8, "leaky_relu(0.02)"), Dropout(0.5))
    assert parse_layers(given) == expected
    assert parse_layers(", ".join(map(str, expected))) == expected


def test_list_of_one_layer() -> None:
    assert parse_layers("dense(8)") == parse_layers(Dense(8)) == (Dense(8),)


@pytest.mark.parametrize(
    ("layer", "completed"),
    [
        (Dense(8), Dense(8, "tanh")),
        (Dense(8, "relu"), Dense(8, "relu")),
        (Conv2d(8, 3), Conv2d(8, 3, activation="tanh")),
        (Dropout(0.5), Dropout(0.5)),
        (MaxPool2d(2), MaxPool2d(2)),
        (Flatten(), Flatten()),
    ],
)
def test_layer_without_activation_takes_the_networks(layer: Layer, completed: Layer) -> None:
    assert layer.complete("tanh") == completed


# --- shapes ---

IMAGE = (7, 6, 3)


@pytest.mark.parametrize(
    ("layer", "outputs"),
    [
        (Dense(4), (4,)),
        (Conv2d(4, 3), (5, 4, 4)),
        (Conv2d(4, (7, 6)), (1, 1, 4)),
        (Conv2d(4, (3, 2), stride=2), (3, 3, 4)),
        (Conv2d(4, 3, stride=(1, 3)), (5, 2, 4)),
        (Conv2d(4, 3, padding="same"), (7, 6, 4)),
        (Conv2d(4, 9, stride=2, padding="same"), (4, 3, 4)),
        (Conv2d(4, 1, stride=9), (1, 1, 4)),
        (MaxPool2d(2), (3, 3, 3)),
        (MaxPool2d(3, 1), (5, 4, 3)),
        (AvgPool2d((7, 6)), (1, 1, 3)),
        (AvgPool2d(2, 3), (2, 2, 3)),
        (GlobalAvgPool2d(), (3,)),
        (Dropout(0.5), IMAGE),
        (Flatten(), (126,)),
    ],
    ids=str,
)
def test_outputs_have_this_shape(layer: Layer, outputs: tuple[int, ...]) -> None:
    assert layer.output_shape(IMAGE) == outputs
    assert shapes([layer], IMAGE) == [IMAGE, outputs]


def test_shapes_of_a_network() -> None:
    text = "dropout(0.1), conv2d(4, 3), max_pool2d(2), flatten, dropout(0.1), dense(5)"
    layers = parse_layers(text)
    expected = [IMAGE, IMAGE, (5, 4, 4), (2, 2, 4), (16,), (16,), (5,)]
    assert shapes(layers, IMAGE) == expected
    assert shapes(parse_layers("dense(5), flatten, dropout(0.1)"), (9,)) == [(9,), (5,), (5,), (5,)]


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 5))
def test_same_padding_is_that_of_keras(n: int, size: int, stride: int) -> None:
    layer = Conv2d(1, (size, 1), stride=(stride, 1), padding="same")
    assert layer.output_shape((n, 1, 1)) == (math.ceil(n / stride), 1, 1)
    before, _ = reference_layers.same_padding(n, size, stride)
    assert layer.kernel_parameters((n, 1, 1)) == (*(size, 1), *pair(layer.stride), before, 0)


def test_odd_zero_of_same_padding_comes_after() -> None:
    assert Conv2d(1, 4, padding="same").kernel_parameters((9, 9, 1))[-2:] == (1, 1)  # and 2 after
    assert Conv2d(1, 2, padding="same").kernel_parameters((9, 9, 1))[-2:] == (0, 0)
    assert Conv2d(1, (5, 3), padding="same").kernel_parameters((9, 9, 1))[-2:] == (2, 1)
    # With strides it depends on the size of the image.
    assert Conv2d(1, 3, 2, "same").kernel_parameters((7, 8, 1))[-2:] == (1, 0)


@pytest.mark.parametrize(
    ("layer", "matrix", "fans"),
    [
        (Dense(4), (126, 4), (126, 4)),
        # Keras: the receptive field times the channels of inputs, and of outputs.
        (Conv2d(4, 3), (27, 4), (27, 36)),
        (Conv2d(4, (2, 5), stride=2, padding="same"), (30, 4), (30, 40)),
        (Conv2d(4, 1), (3, 4), (3, 4)),
        (MaxPool2d(2), (0, 0), (0, 0)),
        (Dropout(0.5), (0, 0), (0, 0)),
        (Flatten(), (0, 0), (0, 0)),
    ],
    ids=str,
)
def test_matrix_and_fans(layer: Layer, matrix: tuple[int, int], fans: tuple[int, int]) -> None:
    assert (layer.matrix_shape(IMAGE), layer.fans(IMAGE)) == (matrix, fans)


# --- refusals ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dense", r"dense needs units; write dense\(units\)"),
        ("dense()", "dense needs units"),
        ("dense(0)", r"dense: units must be from 1 to 2\*\*24 - 1, got 0"),
        ("dense(2.5)", "dense: units must be a whole number, got 2.5"),
        ("dense(8, 3)", "dense: activation must be a name, got 3"),
        ("dense(8, tahn)", "'tahn'.*tanh"),
        ("dense(8, tanh, 3)", "dense takes units, activation, lr_factor; got 3 values"),
        ("conv2d(8)", "conv2d needs kernel_size; write conv2d"),
        ("conv2d(8, (3, 3, 3))", r"kernel_size must be a whole number, or two such as \(3, 5\)"),
        ("conv2d(8, 0)", "conv2d: kernel_size must be from 1 to .*, got 0"),
        ("conv2d(8, 3, stride=0)", "conv2d: stride must be from 1 to .*, got 0"),
        ("conv2d(8, (3, -1))", r"conv2d: kernel_size must be from 1 to .*, got \(3, -1\)"),
        ("conv2d(16777216, 3)", "filters must be from 1 to .*, got 16777216"),
        ("conv2d(8, 3, padding=full)", "conv2d: padding must be valid or same, got full"),
        ("conv2d(8, 3, activation=softmax)", "element by element, got softmax; use it in a dense"),
        ("conv2d(8, 3, dilation=2)", "conv2d has no parameter 'dilation'"),
        ("max_pool2d", r"max_pool2d needs size; write max_pool2d\(size\)"),
        ("max_pool2d(2, stride=-1)", "max_pool2d: stride must be from 1 to .*, got -1"),
        ("avg_pool2d((0, 2))", r"avg_pool2d: size must be from 1 to .*, got \(0, 2\)"),
        ("dropout", "dropout needs rate"),
        ("dropout(1)", "dropout: rate must be at least 0 and below 1, got 1"),
        ("dropout(-0.1)", "dropout: rate must be at least 0 and below 1, got -0.1"),
        ("flatten(2)", "flatten takes no parameters; got 1"),
        ("max_pool(2)", "max_pool2d"),
        ("conv(8, 3)", "conv2d"),
    ],
)
def test_wrong_specs_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LAYERS.parse(text)


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ("conv2d(8, 3)", (9,), "layer 1, .* an input without input_shape .*set input_shape"),
        ("dense(9), max_pool2d(2)", IMAGE, "layer 2, .* a plain row of 9 features; put it before"),
        ("global_avg_pool2d, conv2d(8, 3)", IMAGE, "layer 2, .* a plain row of 3 features"),
        ("flatten, conv2d(8, 3)", IMAGE, "layer 2, .* a plain row of 126 features"),
        (
            "conv2d(8, (8, 1))", IMAGE,
            "layer 1, .*: kernel_size must be at most the input, 7x6, got 8x1; use padding=same",
        ),
        (
            "conv2d(8, 3), max_pool2d(5)", IMAGE,
            "layer 2, .*: size must be at most the input, 5x4, got 5x5; make it smaller",
        ),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_are_refused(
    layers: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        shapes(parse_layers(layers), shape)


def test_records_take_numpys_numbers() -> None:
    assert str(Dropout(np.float64(0.5))) == "dropout(0.5)"
    assert Conv2d(np.int64(3), (np.int32(2), np.int32(2))) == Conv2d(3, 2)
    assert parse_layers(str(Dropout(np.float32(0.25)))) == (Dropout(0.25),)


@pytest.mark.parametrize("size", [(1, 2, 3), (), 2.5, True, "3", None])
def test_sizes_of_records_are_one_or_two_whole_numbers(size: Any) -> None:
    with pytest.raises(ConfigError, match="kernel_size must be a whole number, or two of them"):
        Conv2d(4, size)


def test_sizes_of_records_may_be_lists() -> None:
    assert Conv2d(4, [3, 5]) == Conv2d(4, (3, 5))  # type: ignore[arg-type]


def test_stride_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="stride must be from 1"):
        MaxPool2d(2, stride=0)
