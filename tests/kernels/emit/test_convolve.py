"""Products of convolutions: every remainder of a tile, and one chain of sums for every element."""

from __future__ import annotations

import numpy as np
import pytest

import reference_layers
from fastmlp.kernels.buffers import Image
from fastmlp.kernels.emit.convolve import convolve, convolve_back
from fastmlp.kernels.emit.convolve_gradient import convolve_gradient
from fastmlp.kernels.emit.emitter import lanes
from fastmlp.ops.layers import Conv2d, pair
from harness import DTYPES, cached

COUNTS = range(1, 18)
GEOMETRIES = [
    Conv2d(1, 3),
    Conv2d(1, (2, 3), stride=(2, 1), padding="same"),
    Conv2d(1, 4, stride=3, padding="same"),
    Conv2d(1, (1, 5), padding="same"),
]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_geometry = pytest.mark.parametrize("layer", GEOMETRIES, ids=str)


@cached
def forward(W, w, w_panel, X, x, B, b, C, c, n, image):
    convolve(W, w, w_panel, X, x, B, b, C, c, n, image)


@cached
def back(W, w, w_panel, X, x, B, b, C, c, n, image):
    convolve_back(W, w, w_panel, X, x, B, b, C, c, n, image)


@cached
def gradient(
    X, x, x_group, x_row, x_column, D, d, d_group, d_row, d_column,
    groups, height, width, I, i, i_row, keep, gain, C, c, c_row, m, n,
):  # fmt: skip
    convolve_gradient(
        X, x, x_group, x_row, x_column, D, d, d_group, d_row, d_column,
        groups, height, width, I, i, i_row, keep, gain, C, c, c_row, m, n,
    )  # fmt: skip


class Product:
    """A group of samples, the weights of some filters, and the geometry."""

    def __init__(self, layer: Conv2d, channels: int, filters: int, dtype: str):
        self.lanes = lanes(np.dtype(dtype))
        self.shape = (5, 6, channels)
        self.outputs = (*layer.output_shape(self.shape)[:2], filters)
        self.geometry = {
            "kernel_size": pair(layer.kernel_size), "stride": pair(layer.stride),
            "padding": layer.padding,
        }  # fmt: skip
        self.image = Image(*self.shape, *self.outputs, *layer.kernel_parameters(self.shape))
        rng = np.random.default_rng(channels + filters)
        taps = int(np.prod(self.geometry["kernel_size"]))
        self.W = rng.normal(0, 1, (taps * channels, filters)).astype(dtype)
        self.bias = rng.normal(0, 1, filters).astype(dtype)
        self.X = rng.normal(0, 1, (self.lanes, *self.shape)).astype(dtype)
        self.dZ = rng.normal(0, 1, (self.lanes, *self.outputs)).astype(dtype)

    def panels(self) -> np.ndarray:
        """The weights in panels of filters, in the midst of cells that must not count."""
        K, n = self.W.shape
        padded = np.full((-(-n // self.lanes), K, self.lanes), np.nan, self.W.dtype)
        for j in range(n):
            padded[j // self.lanes, :, j % self.lanes] = self.W[:, j]
        return np.concatenate([np.full(3, np.nan, self.W.dtype), padded.ravel()])


def vectors(images: np.ndarray) -> np.ndarray:
    """A vector of samples for each feature."""
    return np.ascontiguousarray(images.reshape(len(images), -1).T).ravel()


def images_of(found: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return found.reshape(int(np.prod(shape)), -1).T.reshape(-1, *shape)


def assert_near(found: np.ndarray, expected: np.ndarray, terms: int) -> None:
    limit = (terms + 4) * np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=limit, atol=4 * limit)


@each_dtype
@each_geometry
def test_outputs_for_any_number_of_filters(dtype: str, layer: Conv2d) -> None:
    for n in range(1, lanes(np.dtype(dtype)) + 1):
        made = Product(layer, 3, n, dtype)
        size = made.lanes * int(np.prod(made.outputs))
        C = np.full(size + 8, -5, dtype)
        forward(made.panels(), 3, 0, vectors(made.X), 0, made.bias, 0, C, 4, n, made.image)
        expected = reference_layers.conv2d(made.X, made.W, made.bias, **made.geometry)
        assert_near(images_of(C[4:-4], made.outputs), expected, len(made.W))
        assert (C[:4] == -5).all() and (C[-4:] == -5).all()


@each_dtype
@each_geometry
@pytest.mark.parametrize("filters", [1, 5, 17])
def test_gradients_of_any_number_of_inputs(dtype: str, layer: Conv2d, filters: int) -> None:
    for n in COUNTS:
        made = Product(layer, n, filters, dtype)
        C = np.full(vectors(made.X).size + 8, -5, dtype)
        panel = len(made.W) * made.lanes
        zeros = np.zeros(made.lanes, dtype)
        back(made.panels(), 3, panel, vectors(made.dZ), 0, zeros, 0, C, 4, n, made.image)
        expected = reference_layers.conv2d_input_gradient(made.X, made.W, made.dZ, **made.geometry)
        assert_near(images_of(C[4:-4], made.shape), expected, made.W.size)
        assert (C[:4] == -5).all() and (C[-4:] == -5).all()


@each_dtype
@each_geometry
def test_filter_has_the_same_bits_in_any_tile(dtype: str, layer: Conv2d) -> None:
    n = lanes(np.dtype(dtype))
    made = Product(layer, 3, n, dtype)
    together, alone = (np.empty(made.lanes * int(np.prod(made.outputs)), dtype) for _ in range(2))
    rest = (vectors(made.X), 0, made.bias)
    forward(made.panels(), 3, 0, *rest, 0, together, 0, n, made.image)
    for j in range(n):
        forward(made.panels(), 3 + j, 0, *rest, j, alone, j * made.lanes, 1, made.image)
    assert alone.tobytes() == together.tobytes()


@each_dtype
@pytest.mark.parametrize("m", range(1, 10))
def test_sums_over_samples_and_positions_of_any_size(dtype: str, m: int) -> None:
    rng, one = np.random.default_rng(m), lanes(np.dtype(dtype))
    groups, height, width, channels = 2, 3, 2, 10
    for n in range(1, one + 1):
        X = rng.normal(0, 1, (groups, height, width, channels, one)).astype(dtype)
        D = rng.normal(0, 1, (groups, height, width, one, one)).astype(dtype)
        I = rng.normal(0, 1, (m, one)).astype(dtype)
        C = np.full((m + 1, one), -5, dtype)
        strides = [(array.strides[0], array.strides[1], array.strides[2]) for array in (X, D)]
        (x_strides, d_strides) = ([s // X.itemsize for s in each] for each in strides)
        real = X.dtype.type
        gradient(
            X.ravel(), one, *x_strides, D.ravel(), 0, *d_strides, groups, height, width,
            I.ravel(), 0, one, real(0.5), real(2), C.ravel(), 0, one, m, n,
        )  # fmt: skip
        product = np.einsum("gyxkl,gyxjl->kj", X[:, :, :, 1 : m + 1], D[:, :, :, :n])
        expected = real(0.5) * I[:, :n] + real(2) * product
        size = np.einsum("gyxkl,gyxjl->kj", np.abs(X[:, :, :, 1 : m + 1]), np.abs(D[:, :, :, :n]))
        terms = groups * height * width * one
        limit = terms * np.finfo(dtype).eps * (size + 1)
        assert (np.abs(C[:m, :n] - expected) <= limit).all()
        C[:m, :n] = -5
        assert (C == -5).all()


@each_dtype
def test_sum_of_nothing_keeps_the_source(dtype: str) -> None:
    real, one = np.dtype(dtype).type, lanes(np.dtype(dtype))
    I, C = np.arange(one, dtype=dtype), np.full(one, -5, dtype)
    empty = np.full(one, np.nan, dtype)
    for groups, height, width in [(0, 1, 1), (1, 0, 1), (1, 1, 0)]:
        gradient(
            empty, 0, 0, 0, 0, empty, 0, 0, 0, 0, groups, height, width,
            I, 0, 0, real(2), real(1), C, 0, 0, 1, 3,
        )  # fmt: skip
        np.testing.assert_array_equal(C[:3], 2 * I[:3])
