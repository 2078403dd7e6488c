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
from fastmlp.kernels.buffers import layer_at
from fastmlp.kernels.machine.team import Member, new_sync
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.layer_lists import parse_layers
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
    # With pooling in the same kernels.
    ("conv2d(3, 3, activation=sigmoid), max_pool2d(2)", (6, 7, 1)),
    ("conv2d(17, 2, padding=same, activation=relu), max_pool2d((1, 3))", (3, 7, 3)),
    ("conv2d(6, 3, stride=2, padding=same, activation=tanh), max_pool2d(3)", (8, 11, 2)),
    ("conv2d(5, 1, activation=identity), max_pool2d((2, 1))", (4, 1, 4)),
    # Winograd's: odd sizes, images smaller than a tile, lines of more tiles than are done at once.
    ("conv2d(16, 3, activation=tanh)", (5, 6, 8)),
    ("conv2d(16, 3, activation=identity)", (3, 3, 9)),
    ("conv2d(32, 3, padding=same, activation=tanh)", (3, 4, 17)),
    ("conv2d(48, 3, padding=same, activation=relu)", (1, 2, 8)),
    ("conv2d(112, 3, padding=same, activation=tanh)", (3, 15, 100)),
    ("conv2d(16, 3, activation=tanh), max_pool2d(2)", (6, 9, 8)),
    ("conv2d(32, 3, padding=same, activation=relu), max_pool2d(2)", (5, 5, 9)),
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
    """An image layer above another one, with numbers of its own in every place.

    The layer may be a convolution with pooling.
    """

    def __init__(self, spec: str, shape: tuple[int, ...], dtype: str):
        self.record, *pooling = (layer.complete("tanh") for layer in parse_layers(spec))
        # The convolution below stores images, whatever the layer, and takes no pooling along.
        below = LAYERS.parse(f"conv2d({shape[-1]}, 1, activation=silu)")
        layers = [below, self.record, *pooling, Dense(2, "identity")]
        self.network = Network(layers, shape, dtype)
        self.rng = np.random.default_rng(sum(shape))
        for view in [*self.network.weights, *self.network.biases]:
            view[...] = self.draw(*view.shape)
        self.workspace = Workspace(self.network, BLOCK_ROWS)
        self.net, self.work = self.workspace.net, self.workspace.work
        stages = self.network.stages()
        self.number = next(n for n, stage in enumerate(stages) if stage.number == 1)
        self.kernels = stages[self.number].kernels
        self.inputs, self.outputs = (
            indices(self.workspace, self.number, at) for at in (buffers.IN, buffers.OUT)
        )
        self.padded_rows, self.lanes = len(self.work.row_loss), self.workspace.lanes
        self.c = compiled(layer_at)(self.net.layers, self.number)
        self.shape, self.output_shape = self.network.shapes[1], stages[self.number].outputs
        self.pooling = twin.layer_of(pooling[0]) if stages[self.number].window != (1, 1) else None
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
        kernel = self.kernel(verb)
        box = (0, self.c.ld // self.lanes, r0, r1)
        if verb == "forward":
            run = Run(Case(dtype=str(self.network.dtype)))
            rows = run.data.sparse, run.data.order
            compiled(kernel)(self.net, self.work, *rows, KEY, 0, self.number, box)
        else:
            compiled(kernel)(self.net, self.work, KEY, 0, self.number, box)

    def kernel(self, verb: str) -> Any:
        module = import_module(f"fastmlp.kernels.layers.{self.kernels}")
        return getattr(module, f"{self.kernels}_{verb}")

    def call_gradient(self, me: Member, rows: int, overwrite: bool) -> None:
        kernel = compiled(self.kernel("gradient"))
        kernel(me, self.net, self.work, self.number, rows, overwrite)

    def passed_forward(self) -> np.ndarray:
        """Draw inputs, compute the outputs of all rows, and return the inputs."""
        X = self.fill(self.work.A, self.inputs, self.shape)
        self.call("forward", 0, BLOCK_ROWS)
        return X

    def convolution(self, X: np.ndarray) -> np.ndarray:
        return reference_layers.conv2d(X, self.W, self.network.biases[1], **self.geometry)

    def gradient_of_outputs(self, X: np.ndarray, d: np.ndarray) -> np.ndarray:
        """The gradient of the convolution's outputs, d or that before pooling."""
        if self.pooling is None:
            return d
        kind, geometry = self.pooling
        return reference_layers.BACKWARD[kind](self.convolution(X), d, **geometry)

    def forward_twin(self, X: np.ndarray) -> np.ndarray:
        """Z of a convolution, else A."""
        if self.kind == "conv2d":
            Z = self.convolution(X)
            if self.pooling is None:
                return Z
            kind, geometry = self.pooling
            return reference_layers.FORWARD[kind](Z, **geometry)
        if self.kind == "dropout":
            return X * self.mask
        return reference_layers.FORWARD[self.kind](X, **self.geometry)

    def backward_twin(self, X: np.ndarray, d: np.ndarray) -> np.ndarray:
        """The gradient of the inputs."""
        if self.kind == "conv2d":
            dZ = self.gradient_of_outputs(X, d)
            return reference_layers.conv2d_input_gradient(X, self.W, dZ, **self.geometry)
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
    X = layer.passed_forward()
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


@each_dtype
@each_convolution
@pytest.mark.parametrize(("team", "overwrite"), [(1, True), (2, True), (3, False), (6, True)])
def test_gradient_of_each_member_s_filters(
    dtype: str, spec: str, shape: tuple[int, ...], team: int, overwrite: bool
) -> None:
    layer = Layer(spec, shape, dtype)
    work, c = layer.work, layer.c
    X, d = layer.passed_forward(), layer.fill(work.D, layer.outputs, layer.output_shape)
    weights = slice(c.w, c.w + c.n_in * c.ld_out)
    biases = slice(c.b, c.b + c.ld_out)
    for rows in ROWS:
        d[rows:] = 0  # as lanes without a row are
        work.D[layer.outputs] = d.reshape(len(d), -1)
        dZ = layer.gradient_of_outputs(X, d)[:rows]
        dW, db = reference_layers.conv2d_gradients(X[:rows], dZ, **layer.geometry)
        sizes = reference_layers.conv2d_gradients(np.abs(X[:rows]), np.abs(dZ), **layer.geometry)
        work.grads[:] = before = 0.5
        for number in range(team):
            layer.call_gradient(Member(number, team, new_sync()), rows, overwrite)
        views = layer.network.gradient_views(layer.workspace.in_rows(work.grads))
        unit = (rows * dZ[0, :, :, 0].size + 8) * np.finfo(dtype).eps
        for found, sum_, size in ((views[0][1], dW, sizes[0]), (views[1][1], db, sizes[1])):
            expected = sum_ + (0 if overwrite else before)
            assert (np.abs(found - expected) <= 4 * unit * (size + before)).all()
        work.grads[biases] = before
        assert (np.delete(work.grads, weights) == before).all()
        last_panel = work.grads[weights].reshape(-1, c.n_in, layer.lanes)[-1]
        fill = last_panel[:, (c.n_out - 1) % layer.lanes + 1 :]
        assert (fill == (0 if overwrite else before)).all()


@each_dtype
@each_convolution
def test_gradient_has_the_same_bits_in_any_team(
    dtype: str, spec: str, shape: tuple[int, ...]
) -> None:
    layer = Layer(spec, shape, dtype)
    layer.passed_forward()
    layer.fill(layer.work.D, layer.outputs, layer.output_shape)
    found = set()
    for team in (1, 2, 3, 6):
        layer.work.grads[:] = 0
        for number in range(team):
            layer.call_gradient(Member(number, team, new_sync()), BLOCK_ROWS, True)
        found.add(layer.work.grads.tobytes())
    assert len(found) == 1


# --- Winograd's convolution ---


def products(layer: Layer, W: np.ndarray, X: np.ndarray, d: np.ndarray) -> list[np.ndarray]:
    """All three products of a layer on these numbers, for the first 63 filters."""
    work, n = layer.work, layer.c.n_out
    layer.W[...] = W[:, :n]
    layer.network.biases[1][...] = 0
    layer.workspace.load()
    work.A[layer.inputs], work.D[layer.outputs] = (
        X.reshape(len(X), -1),
        d[..., :n].reshape(len(d), -1),
    )
    layer.call("forward", 0, BLOCK_ROWS)
    layer.call("backward", 0, BLOCK_ROWS)
    layer.call_gradient(Member(0, 1, new_sync()), len(X), True)
    gradients = layer.network.gradient_views(layer.workspace.in_rows(work.grads))[0][1]
    return [
        work.Z[layer.outputs].reshape(-1, *layer.output_shape)[..., :63],
        work.D[layer.inputs].reshape(-1, *layer.shape), gradients[:, :63],
    ]  # fmt: skip


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_fewer_products_are_no_less_accurate(padding: str) -> None:
    """Errors against float64 of Winograd's form and of the direct form of 63 filters.

    On the same numbers: the last of 64 filters has weights and gradients of 0.
    """
    fast, direct = (
        Layer(f"conv2d({n}, 3, padding={padding})", (13, 13, 32), "float32") for n in (64, 63)
    )
    assert (fast.kernels, direct.kernels) == ("winograd", "conv2d")
    W, X = fast.draw(*fast.W.shape), fast.draw(fast.padded_rows, *fast.shape)
    d = fast.draw(fast.padded_rows, *fast.output_shape)
    W[:, 63], d[..., 63] = 0, 0
    wide, bias = [array.astype(np.float64) for array in (X, W[:, :63], d[..., :63])], np.zeros(63)
    expected = (
        reference_layers.conv2d(*wide[:2], bias, **fast.geometry)[:BLOCK_ROWS],
        reference_layers.conv2d_input_gradient(*wide, **fast.geometry)[:BLOCK_ROWS],
        reference_layers.conv2d_gradients(wide[0], wide[2], **fast.geometry)[0],
    )
    errors = [
        [np.sqrt(np.mean((a[: len(b)] - b) ** 2))
         for a, b in zip(products(layer, W, X, d), expected, strict=True)]
        for layer in (fast, direct)
    ]  # fmt: skip
    for fewer, all_products in zip(*errors, strict=True):
        assert 0 < fewer <= all_products


@pytest.mark.parametrize(
    ("spec", "shape", "kernels"),
    [
        ("conv2d(16, 3)", (4, 5, 8), "winograd"),
        ("conv2d(16, 3), max_pool2d(2)", (4, 5, 8), "winograd"),
        ("conv2d(16, 3)", (4, 5, 7), "conv2d"),
        ("conv2d(16, 3)", (3, 3, 8), "conv2d"),  # 16 products for 9
        ("conv2d(16, 3, padding=same)", (2, 2, 8), "conv2d"),
        ("conv2d(17, 3)", (4, 5, 8), "conv2d"),
        ("conv2d(16, 3, stride=2)", (4, 5, 8), "conv2d"),
        ("conv2d(16, (3, 2))", (4, 5, 8), "conv2d"),
        ("conv2d(16, 3), max_pool2d(3)", (5, 5, 8), "conv2d_max_pool2d"),
        ("conv2d(5, 3), max_pool2d((1, 2))", (5, 5, 8), "conv2d_max_pool2d"),
        ("conv2d(5, 3), max_pool2d(2, stride=1)", (5, 5, 8), "conv2d"),
        ("conv2d(5, 3, activation=gelu), max_pool2d(2)", (5, 5, 8), "conv2d"),
    ],
)
def test_kernels_follow_from_the_shapes(spec: str, shape: tuple[int, ...], kernels: str) -> None:
    assert Layer(spec, shape, "float32").kernels == kernels


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
@pytest.mark.parametrize("size", ["2", "(1, 4)"])
def test_maximum_with_nan_is_nan(dtype: str, place: int, rest: float, size: str) -> None:
    layer = Layer(f"max_pool2d({size})", (2, 2, 1) if size == "2" else (1, 4, 1), dtype)
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


@each_dtype
@pytest.mark.parametrize(
    ("spec", "shape"),
    [("conv2d(3, 1), max_pool2d(2)", (4, 4, 1)), ("conv2d(16, 3), max_pool2d(2)", (6, 6, 8))],
    ids=str,
)
def test_pooling_in_the_convolution_keeps_nan(
    dtype: str, spec: str, shape: tuple[int, ...]
) -> None:
    layer = Layer(spec, shape, dtype)
    X = layer.fill(layer.work.A, layer.inputs, layer.shape)
    X[:, 0, 0, 0] = np.nan
    layer.work.A[layer.inputs] = X.reshape(len(X), -1)
    layer.call("forward", 0, BLOCK_ROWS)
    pooled = layer.work.Z[layer.outputs].reshape(-1, *layer.output_shape)
    assert np.isnan(pooled[:, 0, 0]).all()
    assert np.isfinite(pooled[:, 1, 1]).all()


def test_every_kind_of_image_layer_is_tested() -> None:
    tested: set[Any] = {parse_layers(spec)[0].name for spec, _ in [*CONVOLUTIONS, *OTHERS]}
    images = {name for name, kind in LAYERS.records.items() if kind.takes_images}
    assert tested == images
