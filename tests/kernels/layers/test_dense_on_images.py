"""The products of a dense layer whose inputs are images, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from fastmlp.kernels import buffers
from fastmlp.kernels.buffers import layer_at
from fastmlp.kernels.layers.dense_on_images import (
    backward_product,
    forward_product,
    gradient_product,
)
from fastmlp.kernels.layers.dense_products import transpose_gradients
from fastmlp.kernels.layers.layout import PARTS, rectangle_below
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.layer_lists import parse_layers
from harness import DTYPES, compiled, indices

BLOCK_ROWS = 37
UNTOUCHED = -5.0
SHAPES = [(1, 1, 1), (3, 2, 5), (4, 5, 16)]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
each_n_out = pytest.mark.parametrize("n_out", [1, 16, 35])


class Layer:
    """A dense layer above a convolution of 1x1."""

    def __init__(self, shape: tuple[int, ...], n_out: int, dtype: str):
        spec = f"conv2d({shape[2]}, 1, activation=identity), dense({n_out}, activation=identity)"
        self.network = Network(
            [*parse_layers(spec), *parse_layers("dense(5, softmax)")], shape, dtype
        )
        self.rng = np.random.default_rng(sum(shape))
        for view in [*self.network.weights, *self.network.biases]:
            view[...] = self.draw(*view.shape)
        self.workspace = Workspace(self.network, BLOCK_ROWS)
        self.net, self.work, self.lanes = (
            self.workspace.net, self.workspace.work, self.workspace.lanes
        )  # fmt: skip
        stages = self.network.stages()
        assert [stage.kernels for stage in stages[:3]] == ["unflatten", "conv2d", "dense_on_images"]
        self.below, self.c = (compiled(layer_at)(self.net.layers, number) for number in (1, 2))
        self.inputs = indices(self.workspace, 2, buffers.IN)
        self.outputs = indices(self.workspace, 2, buffers.OUT)
        self.W, self.bias = self.network.weights[1], self.network.biases[1]
        self.panels, self.panels_in = self.c.ld_out // self.lanes, self.c.ld_in // self.lanes

    def draw(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 1, shape).astype(self.network.dtype)

    def fill(self, array: np.ndarray, places: np.ndarray) -> np.ndarray:
        array[places] = self.draw(*places.shape)
        return array[places]


def assert_near(found: np.ndarray, expected: np.ndarray, magnitude: np.ndarray, K: int) -> None:
    limit = (K + 2) * np.finfo(found.dtype).eps * magnitude
    assert found.shape == expected.shape and (np.abs(found - expected) <= limit).all()


@each_dtype
@each_shape
@each_n_out
def test_forward_overwrites_its_rectangle(dtype: str, shape: tuple[int, ...], n_out: int) -> None:
    layer = Layer(shape, n_out, dtype)
    A, work = layer.fill(layer.work.A, layer.inputs), layer.work
    half = layer.panels // 2
    one = layer.lanes
    for p0, p1, r0, r1 in [
        (0, layer.panels, 0, 29),
        (half, layer.panels, one, 29),
        (0, half, 0, 3),
    ]:
        work.Z[:] = UNTOUCHED
        compiled(forward_product)(layer.c, layer.net.params, work.A, work.Z, p0, p1, r0, r1)
        part = np.s_[r0:r1, p0 * one : p1 * one]
        expected = reference.dense_forward(A, layer.W, layer.bias)
        magnitude = np.abs(A) @ np.abs(layer.W) + np.abs(layer.bias)
        assert_near(work.Z[layer.outputs][part], expected[part], magnitude[part], A.shape[1])
        work.Z[layer.outputs[part]] = UNTOUCHED
        assert (work.Z[layer.outputs] == UNTOUCHED).all()


@each_dtype
@each_shape
@each_n_out
@pytest.mark.parametrize("rows", [1, 16, 29])
def test_backward_gives_images_and_lanes_without_a_row_are_0(
    dtype: str, shape: tuple[int, ...], n_out: int, rows: int
) -> None:
    layer = Layer(shape, n_out, dtype)
    work, one = layer.work, layer.lanes
    dZ = layer.fill(work.D, layer.outputs)
    places = layer.inputs
    work.D[places] = UNTOUCHED
    compiled(transpose_gradients)(layer.c, work.D, work.T, 0, layer.panels, 0, rows)
    written = np.zeros(work.D.size, int)
    for number in range(3):
        before = work.D.copy()
        for part in range(PARTS):
            box = compiled(rectangle_below)(layer.below, layer.c, one, rows, number, 3, part)
            compiled(backward_product)(layer.c, layer.net.params, work.T, work.zeros, work.D, *box)
        written += before != work.D
    assert written.max() == 1  # members share no element
    last = -(-rows // one) * one
    dZ[rows:] = 0
    expected = reference.dense_input_gradient(dZ, layer.W)
    magnitude = np.abs(dZ) @ np.abs(layer.W).T
    found = work.D[places]
    assert_near(found[:last], expected[:last], magnitude[:last], n_out)
    assert (found[rows:last] == 0).all() and (found[last:] == UNTOUCHED).all()


@each_dtype
@each_shape
@each_n_out
def test_gradient_of_a_group_of_weights(dtype: str, shape: tuple[int, ...], n_out: int) -> None:
    layer = Layer(shape, n_out, dtype)
    work, one, real = layer.work, layer.lanes, layer.network.dtype.type
    rows = 19
    A, dZ = layer.fill(work.A, layer.inputs)[:rows], layer.fill(work.D, layer.outputs)[:rows]
    work.D[layer.outputs[rows:]] = np.nan  # no such rows
    expected = 0.75 * layer.W - 0.5 * reference.dense_gradients(A, dZ)[0]
    magnitude = np.abs(layer.W) + np.abs(A).T @ np.abs(dZ)
    for q0, q1 in [(0, layer.panels_in), (layer.panels_in // 2, layer.panels_in)]:
        work.grads[:] = UNTOUCHED
        for p in range(layer.panels):
            compiled(gradient_product)(
                layer.c, work.A, work.D, p, q0, q1, rows, layer.net.params, real(0.75), real(-0.5),
                work.grads,
            )  # fmt: skip
        found = layer.network.gradient_views(layer.workspace.in_rows(work.grads))[0][1]
        part = slice(q0 * one, q1 * one)
        assert_near(found[part], expected[part], magnitude[part], rows)
        assert (found[: q0 * one] == UNTOUCHED).all()
