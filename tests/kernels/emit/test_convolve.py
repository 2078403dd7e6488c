"""Products of convolutions: every remainder of a tile, and one chain of sums for every element."""

from __future__ import annotations

import numpy as np
import pytest

import reference_layers
from fastmlp.kernels.buffers import Image
from fastmlp.kernels.emit.convolve import convolve, convolve_back
from fastmlp.kernels.emit.convolve_gradient import convolve_gradient, convolve_gradient_of_windows
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
def forward(W, w, w_panel, X, x, B, b, C, c, n, image, y, lines):
    convolve(W, w, w_panel, X, x, B, b, C, c, n, image, y, lines)


@cached
def back(W, w, w_panel, X, x, B, b, C, c, n, image, y, lines):
    convolve_back(W, w, w_panel, X, x, B, b, C, c, n, image, y, lines)


@cached
def gradient(
    X, x, x_group, x_row, x_column, x_line, D, d, d_group, d_row, d_column,
    TAPS, t, groups, lines, columns, window, C, c, c_row, line, m, n, overwrite,
):  # fmt: skip
    convolve_gradient(
        X, x, x_group, x_row, x_column, x_line, D, d, d_group, d_row, d_column,
        TAPS, t, groups, lines, columns, window, C, c, c_row, line, m, n, overwrite,
    )  # fmt: skip


@cached
def gradient_of_windows(
    X, x, x_group, x_row, x_column, x_line, D, d, d_group, d_row, d_column,
    TAPS, t, groups, lines, columns, window, C, c, c_row, line, m, n, overwrite,
):  # fmt: skip
    convolve_gradient_of_windows(
        X, x, x_group, x_row, x_column, x_line, D, d, d_group, d_row, d_column,
        TAPS, t, groups, lines, columns, window, C, c, c_row, line, m, n, overwrite,
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
        geometry = layer.kernel_parameters(self.shape)
        self.image = Image(*self.shape, *self.outputs, *geometry, 1, 1, 0, 0)
        rng = np.random.default_rng(channels + filters)
        taps = int(np.prod(self.geometry["kernel_size"]))
        self.W = rng.normal(0, 1, (taps * channels, filters)).astype(dtype)
        self.bias = rng.normal(0, 1, filters).astype(dtype)
        self.X = rng.normal(0, 1, (self.lanes, *self.shape)).astype(dtype)
        self.dZ = rng.normal(0, 1, (self.lanes, *self.outputs)).astype(dtype)

    @property
    def lines_out(self) -> tuple[Image, int, int]:
        """The geometry, and all lines of outputs."""
        return self.image, 0, self.outputs[0]

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
        forward(made.panels(), 3, 0, vectors(made.X), 0, made.bias, 0, C, 4, n, *made.lines_out)
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
        rest = (zeros, 0, C, 4, n, made.image, 0, made.shape[0])
        back(made.panels(), 3, panel, vectors(made.dZ), 0, *rest)
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
    forward(made.panels(), 3, 0, *rest, 0, together, 0, n, *made.lines_out)
    for j in range(n):
        forward(made.panels(), 3 + j, 0, *rest, j, alone, j * made.lanes, 1, *made.lines_out)
    assert alone.tobytes() == together.tobytes()


@each_dtype
@pytest.mark.parametrize("m", range(1, 10))
@pytest.mark.parametrize("window", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("overwrite", [True, False])
def test_sums_over_samples_and_positions_of_any_size(
    dtype: str, m: int, window: tuple[int, int], overwrite: bool
) -> None:
    rng, one = np.random.default_rng(m), lanes(np.dtype(dtype))
    groups, height, width, channels = 2, 4, 6, 10
    pooled = height // window[0], width // window[1]
    X = rng.normal(0, 1, (groups, height, width, channels, one)).astype(dtype)
    D = rng.normal(0, 1, (groups, *pooled, one, one)).astype(dtype)
    TAPS = rng.integers(0, window[0] * window[1], D.shape).astype(dtype)
    full = np.repeat(np.repeat(D, window[0], axis=1), window[1], axis=2)
    y, x = np.indices((height, width))
    tap = y % window[0] * window[1] + x % window[1]
    wanted = np.repeat(np.repeat(TAPS, window[0], axis=1), window[1], axis=2)
    full *= wanted == tap[np.newaxis, :, :, np.newaxis, np.newaxis]
    strides = [(array.strides[0], array.strides[1], array.strides[2]) for array in (X, D)]
    (x_strides, d_strides) = ([s // X.itemsize for s in each] for each in strides)
    for n in range(1, one + 1):
        for lines, columns in [((0, 4), (0, 6)), ((1, 4), (2, 5)), ((2, 2), (0, 6))]:
            C = np.full((m + 1, one), -5, dtype)
            product = gradient if window == (1, 1) else gradient_of_windows
            product(
                X.ravel(), one, *x_strides, 4 * one, D.ravel(), 0, *d_strides, TAPS.ravel(), 0,
                groups, lines, columns, window, C.ravel(), 0, one, 4, m, n, overwrite,
            )  # fmt: skip
            part = np.s_[:, slice(*lines), slice(*columns)]
            factors = X[part][..., 1 : m + 1, :], full[part][..., :n, :]
            sums = np.einsum("gyxkl,gyxjl->kj", *factors)
            size = np.einsum("gyxkl,gyxjl->kj", *map(np.abs, factors)) + 5
            limit = groups * height * width * one * np.finfo(dtype).eps * size
            assert (np.abs(C[:m, :n] - (sums + (0 if overwrite else -5))) <= limit).all()
            C[:m, :n] = -5
            assert (C == -5).all()
