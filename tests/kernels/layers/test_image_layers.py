"""Kernels of image layers against NumPy: each rectangle of rows, and nothing beside it."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import reference
import reference_layers
import twin
from fastmlp.base.random import Purpose, key
from fastmlp.kernels import buffers
from fastmlp.kernels.buffers import image_at, layer_at
from fastmlp.kernels.layers.conv2d import conv2d_gradient
from fastmlp.kernels.layers.image_bias import image_bias_gradient
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.layers import LAYERS, Dense
from harness import DTYPES, Case, Run, compiled, indices

UNTOUCHED = -5.0
BLOCK_ROWS = 33
KEY = key(3, Purpose.DROPOUT, 1)
ROWS = [1, 15, 16, 17, 33]

# Odd sizes, images of one pixel, kernels larger than half an image, filters beyond a tile and a
# panel.
CONVOLUTIONS = [
    ("conv2d(1, 1, activation=tanh)", (1, 1, 1)),
    ("conv2d(17, 1, activation=tanh)", (1, 1, 17)),
    ("conv2d(3, 3, activation=sigmoid)", (5, 7, 1)),
    ("conv2d(4, 3, padding=same, activation=tanh)", (5, 4, 3)),
    ("conv2d(3, 4, padding=same, activation=tanh)", (5, 7, 3)),  # asymmetric
    ("conv2d(2, 5, padding=same, activation=tanh)", (3, 3, 2)),
    ("conv2d(2, 7, padding=same, activation=tanh)", (1, 1, 3)),
    ("conv2d(33, (2, 3), activation=identity)", (4, 5, 3)),
    ("conv2d(5, (3, 1), stride=2, activation=tanh)", (7, 6, 17)),
    ("conv2d(16, 2, stride=3, activation=relu)", (7, 8, 3)),
    ("conv2d(7, 3, stride=(1, 2), padding=same, activation=tanh)", (5, 6, 2)),
    ("conv2d(6, 2, stride=3, padding=same, activation=tanh)", (6, 7, 1)),
    ("conv2d(3, 4, stride=2, padding=same, activation=tanh)", (7, 5, 3)),
]
OTHERS = [
    *(
        (f"{kind}({arguments})", shape)
        for kind in ("max_pool2d", "avg_pool2d")
        for arguments, shape in [
            ("1", (1, 1, 1)),
            ("2", (5, 7, 3)),
            ("(4, 3)", (5, 4, 17)),
            ("3, stride=1", (5, 5, 1)),
            ("2, stride=3", (7, 5, 3)),
            ("(1, 2), stride=(2, 1)", (4, 3, 2)),
        ]
    ),
    ("global_avg_pool2d()", (1, 1, 1)),
    ("global_avg_pool2d()", (5, 3, 17)),
    ("dropout(0.4)", (1, 1, 1)),
    ("dropout(0.4)", (3, 5, 3)),
]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_convolution = pytest.mark.parametrize(("spec", "shape"), CONVOLUTIONS, ids=str)
each_kind = pytest.mark.parametrize(("spec", "shape"), [*CONVOLUTIONS, *OTHERS], ids=str)


class Layer:
    """An image layer above another one, with numbers of its own in every place."""

    def __init__(self, spec: str, shape: tuple[int, ...], dtype: str):
        self.record = LAYERS.parse(spec)
        # The convolution below stores images, whatever the layer.
        below = LAYERS.parse(f"conv2d({shape[-1]}, 1, activation=identity)")
        self.network = Network([below, self.record, Dense(2, "identity")], shape, dtype)
        self.rng = np.random.default_rng(sum(shape))
        for view in [*self.network.weights, *self.network.biases]:
            view[...] = self.draw(*view.shape)
        self.workspace = Workspace(self.network, BLOCK_ROWS)
        self.net, self.work = self.workspace.net, self.workspace.work
        self.number = next(n for n, stage in enumerate(self.network.stages()) if stage.number == 1)
        self.inputs, self.outputs = (
            indices(self.workspace, self.number, at) for at in (buffers.IN, buffers.OUT)
        )
        self.padded_rows, self.lanes = len(self.work.row_loss), self.workspace.lanes
        self.c = compiled(layer_at)(self.net.layers, self.number)
        self.image = compiled(image_at)(self.net.images, self.number)
        self.shape, self.output_shape = self.network.shapes[1:3]
        self.kind, self.geometry = twin.layer_of(self.record)
        self.is_weighted = 1 in self.network.weighted

    def draw(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 1, shape).astype(self.network.dtype)

    def fill(self, array: np.ndarray, places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Overwrite those places by random numbers, and return them as images."""
        array[places] = self.draw(*places.shape)
        return array[places].reshape(-1, *shape)

    @cached_property
    def mask(self) -> np.ndarray:
        rate, places = self.record.kernel_parameter, range(self.padded_rows)
        of_row = reference.dropout_mask(
            KEY, rate, places, 1, int(np.prod(self.shape)), self.network.dtype
        )
        return of_row.reshape(-1, *self.shape)

    @property
    def W(self) -> np.ndarray:
        return self.network.weights[1]

    def call(self, verb: str, r0: int, r1: int) -> None:
        module = import_module(f"fastmlp.kernels.layers.{self.kind}")
        kernel = getattr(module, f"{self.kind}_{verb}")
        box = (0, self.c.ld // self.lanes, r0, r1)
        if verb == "forward":
            run = Run(Case(dtype=str(self.network.dtype)))
            rows = run.data.sparse, run.data.order
            compiled(kernel)(self.net, self.work, *rows, KEY, 0, self.number, box)
        else:
            compiled(kernel)(self.net, self.work, KEY, 0, self.number, box)

    def forward_twin(self, X: np.ndarray) -> np.ndarray:
        """Z of a convolution, else A."""
        if self.kind == "conv2d":
            bias = self.network.biases[1]
            return reference_layers.conv2d(X, self.W, bias, **self.geometry)
        if self.kind == "dropout":
            return X * self.mask
        return reference_layers.FORWARD[self.kind](X, **self.geometry)

    def backward_twin(self, X: np.ndarray, d: np.ndarray) -> np.ndarray:
        """The gradient of the inputs."""
        if self.kind == "conv2d":
            return reference_layers.conv2d_input_gradient(X, self.W, d, **self.geometry)
        if self.kind == "dropout":
            return d * self.mask
        return reference_layers.BACKWARD[self.kind](X, d, **self.geometry)


def assert_near(found: np.ndarray, expected: np.ndarray, terms: int) -> None:
    """Right to within what the roundings of sums of numbers of the order of 1 can do."""
    limit = (terms + 4) * np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=limit, atol=4 * limit)


def rectangles(layer: Layer, rows: int) -> list[tuple[int, int]]:
    """All rows, the first group, and all but it."""
    one = layer.lanes
    return [(0, rows), (0, min(one, rows)), (one, rows)] if rows > one else [(0, rows)]


def assert_only(array: np.ndarray, layer: Layer, start: int, ld: int, r0: int, last: int) -> None:
    """Nothing is written but the images of rows r0 to last, with what pads their features."""
    rest = np.ones(array.size, bool)
    rest[start + r0 * ld : start + last * ld] = False
    assert (array[rest] == UNTOUCHED).all()


@each_dtype
@each_kind
def test_forward_overwrites_its_rows(dtype: str, spec: str, shape: tuple[int, ...]) -> None:
    layer = Layer(spec, shape, dtype)
    work = layer.work
    X = layer.fill(work.A, layer.inputs, layer.shape)
    expected = layer.forward_twin(X)
    terms = len(layer.W) if layer.is_weighted else 16
    for rows in ROWS:
        for r0, r1 in rectangles(layer, rows):
            last = -(-r1 // layer.lanes) * layer.lanes
            work.A[:], work.Z[:] = UNTOUCHED, UNTOUCHED
            work.A[layer.inputs] = X.reshape(len(X), -1)
            layer.call("forward", r0, r1)
            A, Z = (
                array[layer.outputs[r0:last]].reshape(-1, *layer.output_shape)
                for array in (work.A, work.Z)
            )
            assert_near(Z if layer.is_weighted else A, expected[r0:last], terms)
            if layer.is_weighted:
                name = twin.activations_of(layer.network.activations)[1]
                assert_near(A, reference.activate(name, Z), 4)
                assert_only(work.Z, layer, layer.c.out, layer.c.out_row, r0, last)
            np.testing.assert_array_equal(work.A[layer.inputs], X.reshape(len(X), -1))
            work.A[layer.inputs] = UNTOUCHED
            assert_only(work.A, layer, layer.c.out, layer.c.out_row, r0, last)


@each_dtype
@each_kind
def test_backward_overwrites_its_rows(dtype: str, spec: str, shape: tuple[int, ...]) -> None:
    layer = Layer(spec, shape, dtype)
    work = layer.work
    X = layer.fill(work.A, layer.inputs, layer.shape)
    d = layer.fill(work.D, layer.outputs, layer.output_shape)
    expected = layer.backward_twin(X, d)
    terms = layer.W.size if layer.is_weighted else 16
    for rows in ROWS:
        for r0, r1 in rectangles(layer, rows):
            last = -(-r1 // layer.lanes) * layer.lanes
            work.D[:] = UNTOUCHED
            work.D[layer.outputs] = d.reshape(len(d), -1)
            layer.call("backward", r0, r1)
            found = work.D[layer.inputs[r0:last]].reshape(-1, *layer.shape)
            assert_near(found, expected[r0:last], terms)
            np.testing.assert_array_equal(work.D[layer.outputs], d.reshape(len(d), -1))
            work.D[layer.outputs] = UNTOUCHED
            assert_only(work.D, layer, layer.c.in_, layer.c.in_row, r0, last)


# --- the gradient of a convolution ---


def parts_of(k: int) -> list[tuple[int, int]]:
    """Ranges of weights: all, and two halves."""
    return [(0, k), (0, k // 2), (k // 2, k)] if k > 1 else [(0, k)]


@each_dtype
@each_convolution
@pytest.mark.parametrize("source", ["zeros", "itself", "parameters"])
def test_gradient_of_some_weights(
    dtype: str, spec: str, shape: tuple[int, ...], source: str
) -> None:
    layer = Layer(spec, shape, dtype)
    work, c, one = layer.work, layer.c, layer.lanes
    real = layer.network.dtype.type
    X = layer.fill(work.A, layer.inputs, layer.shape)
    dZ = layer.fill(work.D, layer.outputs, layer.output_shape)
    keep, gain = {"zeros": (1.0, 1.0), "itself": (1.0, 0.5), "parameters": (0.75, -0.5)}[source]
    given = np.zeros_like(layer.W) if source == "zeros" else layer.W
    weights = slice(c.w, c.w + c.n_in * c.ld_out)
    for rows in ROWS:
        dZ[rows:] = 0  # as lanes without a row are
        work.D[layer.outputs] = dZ.reshape(len(dZ), -1)
        dW = reference_layers.conv2d_gradients(X[:rows], dZ[:rows], **layer.geometry)[0]
        size = reference_layers.conv2d_gradients(
            np.abs(X[:rows]), np.abs(dZ[:rows]), **layer.geometry
        )[0]
        limit = (rows * dZ[0, :, :, 0].size + 4) * np.finfo(dtype).eps * (size + np.abs(given))
        for k0, k1 in parts_of(c.n_in):
            target = layer.net.params.copy() if source == "itself" else work.grads
            if source != "itself":
                target[:] = UNTOUCHED
            before = target.copy()
            sources = {"zeros": work.zeros, "itself": target}
            compiled(conv2d_gradient)(
                work.A, work.D, c, layer.image, 0, c.ld_out // one, k0, k1, rows,
                sources.get(source, layer.net.params), real(keep), real(gain), target,
            )  # fmt: skip
            found = layer.network.gradient_views(layer.workspace.in_rows(target))[0][1]
            expected = keep * given + gain * dW
            assert (np.abs(found - expected)[k0:k1] <= limit[k0:k1]).all()
            np.testing.assert_array_equal(np.delete(target, weights), np.delete(before, weights))
            rest = layer.network.gradient_views(layer.workspace.in_rows(before))[0][1]
            for part in (slice(0, k0), slice(k1, None)):
                np.testing.assert_array_equal(found[part], rest[part])


@each_dtype
@each_convolution
@pytest.mark.parametrize("overwrite", [True, False])
def test_gradient_of_biases_is_a_sum_over_positions(
    dtype: str, spec: str, shape: tuple[int, ...], overwrite: bool
) -> None:
    layer = Layer(spec, shape, dtype)
    work, c = layer.work, layer.c
    dZ = layer.fill(work.D, layer.outputs, layer.output_shape)
    for rows in ROWS:
        dZ[rows:] = 0
        work.D[layer.outputs] = dZ.reshape(len(dZ), -1)
        work.grads[:] = 0.5
        panels = c.ld_out // layer.lanes
        compiled(image_bias_gradient)(c, layer.image, work, 0, panels, rows, overwrite)
        biases = slice(c.b, c.b + c.n_out)
        expected = dZ[:rows].sum(axis=(0, 1, 2)) + (0 if overwrite else 0.5)
        limit = (rows * dZ[0, :, :, 0].size + 4) * np.finfo(dtype).eps
        size = 1 + np.abs(dZ[:rows]).sum(axis=(0, 1, 2))
        assert (np.abs(work.grads[biases] - expected) <= limit * size).all()
        padding = slice(c.b + c.n_out, c.b + c.ld_out)
        assert (work.grads[padding] == (0 if overwrite else 0.5)).all()
        assert (np.delete(work.grads, slice(c.b, c.b + c.ld_out)) == 0.5).all()


# --- the maximum ---


@each_dtype
def test_gradient_goes_to_the_first_maximum(dtype: str) -> None:
    layer = Layer("max_pool2d(2)", (4, 4, 3), dtype)
    work = layer.work
    work.A[layer.inputs] = layer.rng.integers(0, 2, layer.inputs.shape)  # ties in most windows
    X = work.A[layer.inputs].reshape(-1, *layer.shape)
    d = layer.fill(work.D, layer.outputs, layer.output_shape)
    layer.call("forward", 0, BLOCK_ROWS)
    layer.call("backward", 0, BLOCK_ROWS)
    np.testing.assert_array_equal(
        work.D[layer.inputs].reshape(-1, *layer.shape)[:BLOCK_ROWS],
        layer.backward_twin(X, d)[:BLOCK_ROWS],
    )


@each_dtype
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("rest", [-np.inf, 0.0, np.inf])
def test_maximum_with_nan_is_nan(dtype: str, place: int, rest: float) -> None:
    layer = Layer("max_pool2d(2)", (2, 2, 1), dtype)
    work = layer.work
    work.A[layer.inputs] = rest
    work.A[layer.inputs[:, place]] = np.nan
    work.D[layer.outputs] = 3
    layer.call("forward", 0, BLOCK_ROWS)
    layer.call("backward", 0, BLOCK_ROWS)
    assert np.isnan(work.A[layer.outputs]).all()
    expected = np.where(np.arange(4) == place, 3, 0)
    np.testing.assert_array_equal(
        work.D[layer.inputs[:BLOCK_ROWS]], np.broadcast_to(expected, (BLOCK_ROWS, 4))
    )


def test_every_kind_of_image_layer_is_tested() -> None:
    tested: set[Any] = {LAYERS.parse(spec).name for spec, _ in [*CONVOLUTIONS, *OTHERS]}
    images = {name for name, kind in LAYERS.records.items() if kind.takes_images}
    assert tested == images
