"""A network: views into one padded buffer, where they lie, and what is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from fastmlp.base.errors import ConfigError
from fastmlp.kernels import buffers
from fastmlp.model.network import Network
from fastmlp.ops.activations import ACTIVATIONS
from harness import DTYPES

SIZES = (5, 17, 16, 1, 3)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def network(sizes: Any = SIZES, dtype: Any = "float32", hidden: str = "relu") -> Network:
    activations = [hidden] * (len(sizes) - 2) + ["softmax"]
    return Network.of_sizes(sizes, [ACTIVATIONS.parse(name) for name in activations], dtype)


def fill(made: Network) -> None:
    """Give every weight and bias a value of its own, from 1."""
    value = 1
    for view in [*made.weights, *made.biases]:
        view[...] = np.arange(value, value + view.size).reshape(view.shape)
        value += view.size


@each_dtype
def test_shapes_and_dtype(dtype: str) -> None:
    made = network(dtype=dtype)
    assert [view.shape for view in made.weights] == [(5, 17), (17, 16), (16, 1), (1, 3)]
    assert [view.shape for view in made.biases] == [(17,), (16,), (1,), (3,)]
    assert {view.dtype for view in [*made.weights, *made.biases]} == {np.dtype(dtype)}
    assert made.depth == 4


@each_dtype
def test_views_share_the_flat_buffer_and_do_not_overlap(dtype: str) -> None:
    made = network(dtype=dtype)
    assert (made.params == 0).all()
    fill(made)
    count = made.n_weights + made.n_biases
    assert sorted(made.params[made.params != 0]) == list(range(1, count + 1))


@each_dtype
def test_rows_are_padded_to_whole_cache_lines(dtype: str) -> None:
    made = network(dtype=dtype)
    assert made.params.ctypes.data % 64 == 0
    for view in [*made.weights, *made.biases]:
        assert view.ctypes.data % 64 == 0
    assert {view.strides[0] % 64 for view in made.weights} == {0}


def test_parameters_are_counted_without_padding() -> None:
    mnist = network((784, 128, 64, 10))
    assert mnist.n_weights + mnist.n_biases == 109_386
    assert mnist.n_biases == 202
    assert network((784, 256, 256, 10)).n_biases == 522


@pytest.mark.parametrize("dtype", ["float16", "int32", "double", None, np.dtype("float16")])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    with pytest.raises(ConfigError, match="dtype must be float32 or float64"):
        network(dtype=dtype)


@pytest.mark.parametrize("sizes", [(5,), (5, 0), (0, 5), (5, -1, 3)])
def test_sizes_that_make_no_network_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="layer_sizes must hold two sizes or more"):
        Network.of_sizes(sizes, [ACTIVATIONS.parse("relu")] * (len(sizes) - 1))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_layer_needs_its_activation(count: int) -> None:
    with pytest.raises(ConfigError, match=f"one for each of the 2 layers, got {count}"):
        Network.of_sizes((5, 4, 3), [ACTIVATIONS.parse("relu")] * count)


def test_weights_can_be_set_by_hand() -> None:
    source, target = network(), network()
    fill(source)
    target.set_weights(source.weights, source.biases)
    np.testing.assert_array_equal(target.params, source.params)
    assert not np.shares_memory(target.params, source.params)


@pytest.mark.parametrize("which", ["weights", "biases"])
def test_weights_of_the_wrong_shape_are_refused(which: str) -> None:
    made = network((5, 4, 3))
    parts = {"weights": [np.ones((5, 4)), np.ones((4, 3))], "biases": [np.ones(4), np.ones(3)]}
    for wrong in (parts[which][:1], [parts[which][0], np.ones((3, 4))]):
        with pytest.raises(ConfigError, match=f"{which} must have the shapes"):
            made.set_weights(**{**parts, which: wrong})


def test_views_of_gradients_lie_where_the_parameters_do() -> None:
    made = network()
    fill(made)
    weights, biases = made.gradient_views(made.params.copy())
    for view, own in zip([*weights, *biases], [*made.weights, *made.biases], strict=True):
        np.testing.assert_array_equal(view, own)
        assert not np.shares_memory(view, own)


@each_dtype
def test_table_has_offset_of_each_layers_parameters(dtype: str) -> None:
    made = network(dtype=dtype)
    fill(made)
    for row, weights, bias in zip(made.table, made.weights, made.biases, strict=True):
        assert (row[buffers.N_IN], row[buffers.N_OUT]) == weights.shape
        width = row[buffers.LD_OUT]
        assert width == weights.strides[0] // weights.itemsize
        assert made.params[row[buffers.W]] == weights[0, 0]
        assert made.params[row[buffers.W] + width * (len(weights) - 1)] == weights[-1, 0]
        assert made.params[row[buffers.B]] == bias[0]
    assert made.table[1:, buffers.LD_IN].tolist() == made.table[:-1, buffers.LD_OUT].tolist()


def test_weights_that_are_not_finite_are_refused_before_any_is_set() -> None:
    network = Network.of_sizes((1, 1), [ACTIVATIONS.parse("identity")])
    with pytest.raises(ConfigError, match="biases must be finite"):
        network.set_weights([np.ones((1, 1))], [np.array([np.nan])])
    assert not network.params.any()


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_the_views_of_a_copy_are_views_of_its_own_buffer(twin_of: Any) -> None:
    made = network(dtype="float64")
    fill(made)
    twin = twin_of(made)
    assert (twin.layer_sizes, twin.activations, twin.dtype) == (
        made.layer_sizes, made.activations, made.dtype,
    )  # fmt: skip
    np.testing.assert_array_equal(twin.table, made.table)
    np.testing.assert_array_equal(twin.params, made.params)
    for view in [*twin.weights, *twin.biases]:
        view[...] = 0
    assert not twin.params.any()
    assert made.params.any()
