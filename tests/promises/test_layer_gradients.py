"""Gradients of networks of every layer kind against central differences, in float64."""

from __future__ import annotations

import itertools

import pytest

from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.layers import LAYERS
from fastmlp.ops.losses import legal_pairs
from harness import HIDDEN, Case, Run
from slopes import (
    SMALL_MARGIN,
    assert_gradients_are_slopes,
    assert_gradients_are_slopes_along_lines,
    away_from_kinks,
)

ELEMENTWISE = [name for name in HIDDEN if name != "softmax"]
WINDOWS = list(itertools.product(["valid", "same"], ["1", "2"]))
# Every kind at once; the first convolution makes the second one's gradient of its inputs needed.
ALL_KINDS = (
    "conv2d(2, 1), conv2d(2, 2, stride={stride}, padding={padding}), dropout(0.2), "
    "max_pool2d((2, 1), stride=1), avg_pool2d((1, 2), stride=1), flatten(), dense(3)"
)
PLAIN = Case(rows=2, batch_size=2, epochs=1, sizes=(0, 2), input_shape=(4, 4, 1))

each_activation = pytest.mark.parametrize("hidden", ELEMENTWISE)
each_pair = pytest.mark.parametrize(("output", "loss"), legal_pairs())


@each_pair
@each_activation
def test_every_activation_and_loss_with_every_padding_and_stride(
    hidden: str, output: str, loss: str
) -> None:
    for padding, stride in WINDOWS:
        layers = ALL_KINDS.format(padding=padding, stride=stride)
        case = PLAIN.but(layers=layers, hidden=hidden, output=output, loss=loss)
        assert_gradients_are_slopes_along_lines(away_from_kinks(case, SMALL_MARGIN))


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", ["1", "2", "3", "(1, 2)"])
@pytest.mark.parametrize("kernel_size", ["1", "2", "3", "(3, 2)"])
def test_slopes_of_a_convolution_along_every_weight(
    hidden: str, padding: str, stride: str, kernel_size: str
) -> None:
    layers = f"conv2d(2, 1), conv2d(2, {kernel_size}, stride={stride}, padding={padding})"
    case = PLAIN.but(layers=layers, hidden=hidden, input_shape=(3, 4, 1))
    assert_gradients_are_slopes(away_from_kinks(case))


EDGES = [
    ("conv2d(3, 1)", (1, 1, 1)),
    ("conv2d(2, 1), conv2d(2, 5, padding=same)", (1, 1, 2)),
    ("conv2d(2, 1), conv2d(2, 4, padding=same, stride=3)", (3, 5, 1)),
    ("conv2d(1, 1), conv2d(17, 1), conv2d(2, 2)", (2, 3, 1)),
    ("conv2d(1, 1, activation=identity), conv2d(2, 2)", (2, 3, 17)),
    ("conv2d(2, 2), max_pool2d(2), conv2d(2, 1)", (5, 5, 1)),
    ("conv2d(2, 2), max_pool2d(3, stride=2), dropout(0.5)", (6, 6, 1)),
    ("conv2d(2, 2), avg_pool2d(3, stride=2), dense(3)", (6, 6, 1)),
    ("dropout(0.3), conv2d(2, 2), dropout(0.3), dropout(0.3), dense(3), dropout(0.3)", (3, 3, 1)),
    ("max_pool2d(2), conv2d(2, 1), flatten(), flatten(), dropout(0.2)", (4, 4, 1)),
    ("conv2d(2, 2), dense(4, softmax), dense(3)", (3, 3, 1)),
    ("conv2d(2, (1, 2), activation=elu(0.5)), dense(3, leaky_relu(0.2))", (2, 3, 2)),
    ("conv2d(3, 2), global_avg_pool2d()", (4, 3, 2)),
    ("global_avg_pool2d(), dropout(0.3), dense(3)", (2, 3, 4)),
    ("conv2d(2, 1), conv2d(3, 2), global_avg_pool2d, flatten, dropout(0.2), dense(3)", (3, 3, 1)),
    ("flatten(), dense(3)", (2, 3, 1)),
    ("diagonal(), periodic(2, numbers=3), dense(3)", (2, 2, 1)),
    ("conv2d(3, 2, activation=tanh), max_pool2d(2), dense(3)", (4, 5, 2)),
]


@pytest.mark.parametrize(("layers", "shape"), EDGES, ids=str)
def test_slopes_of_unusual_networks_along_every_weight(layers: str, shape: tuple[int, ...]) -> None:
    case = PLAIN.but(layers=layers, input_shape=shape, l1=0.1, l2=0.2, weighted=True)
    assert_gradients_are_slopes(away_from_kinks(case))


@each_pair
def test_gradients_summed_over_blocks_are_the_same_slopes(output: str, loss: str) -> None:
    layers = "conv2d(2, 2), max_pool2d(2), dropout(0.2)"
    case = PLAIN.but(layers=layers, rows=19, batch_size=19, block_rows=16)
    run = away_from_kinks(case.but(output=output, loss=loss), SMALL_MARGIN)
    assert_gradients_are_slopes_along_lines(run)


def test_every_kind_of_layer_is_tested() -> None:
    specs = [ALL_KINDS.format(padding="same", stride="1"), *(layers for layers, _ in EDGES)]
    assert {layer.name for text in specs for layer in parse_layers(text)} == {*LAYERS.names()}


def test_the_second_layers_input_gradient_is_needed() -> None:
    run = Run(PLAIN.but(layers=ALL_KINDS.format(padding="same", stride="1")))
    assert run.network.weighted == (0, 1, 6, 7)


@pytest.mark.parametrize("pooling", ["", ", max_pool2d(2)"])
def test_slopes_of_winograds_form(pooling: str) -> None:
    layers = f"conv2d(8, 1), conv2d(16, 3, padding=same){pooling}"
    case = PLAIN.but(layers=layers, input_shape=(2, 4, 1), hidden="tanh")
    assert_gradients_are_slopes(away_from_kinks(case, SMALL_MARGIN))
