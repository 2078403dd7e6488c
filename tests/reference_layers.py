"""Layers of images and of numbers, dropout and flattening in plain NumPy: twins of kernels/layers/.

As in reference.py, nothing is imported from fastmlp and each function is its formula. Images are
arrays (rows, height, width, channels); a layer is its name with its parameters, pairs where sizes
are meant. W of a convolution is (kernel height x kernel width x channels, filters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from reference import (
    Activation,
    Array,
    Passes,
    activate,
    activate_backward,
    dense_forward,
    dense_gradients,
    dense_input_gradient,
)

Pair = tuple[int, int]
Layer = tuple[str, dict[str, Any]]
# For each layer what its inputs are multiplied by if it is dropout, or None: nothing is dropped.
Masks = Sequence[Array | None]

# --- windows -------------------------------------------------------------------------------------


def windows(X: Array, size: Pair, stride: Pair) -> Iterator[tuple[int, int, Array]]:
    """Yield every position (y, x) of a window that fits X, and a view of X there."""
    height, width = X.shape[1:3]
    for y, top in enumerate(range(0, height - size[0] + 1, stride[0])):
        for x, left in enumerate(range(0, width - size[1] + 1, stride[1])):
            yield y, x, X[:, top : top + size[0], left : left + size[1]]


def outputs_of(X: Array, channels: int, size: Pair, stride: Pair) -> Array:
    """An array with a place for each window."""
    sizes = [(n - k) // s + 1 for n, k, s in zip(X.shape[1:3], size, stride, strict=True)]
    return np.zeros((len(X), *sizes, channels), X.dtype)


def same_padding(n: int, size: int, stride: int) -> Pair:
    """Zeros before and after, for ceil(n / stride) outputs: Keras' rule, the odd one after."""
    total = max((math.ceil(n / stride) - 1) * stride + size - n, 0)
    return total // 2, total - total // 2


def paddings(X: Array, kernel_size: Pair, stride: Pair, padding: str) -> tuple[Pair, Pair]:
    """Zeros before and after, along y and along x."""
    if padding == "valid":
        return (0, 0), (0, 0)
    along_y, along_x = (
        same_padding(n, k, s) for n, k, s in zip(X.shape[1:3], kernel_size, stride, strict=True)
    )
    return along_y, along_x


# --- the convolution: a dense layer on rows of each position's window -----------------------------


def padded(X: Array, kernel_size: Pair, stride: Pair, padding: str) -> tuple[Array, Array]:
    """Return the images with zeros around them, and a view of the images in these."""
    (top, bottom), (left, right) = paddings(X, kernel_size, stride, padding)
    n, height, width, channels = X.shape
    around = np.zeros((n, top + height + bottom, left + width + right, channels), X.dtype)
    inside = around[:, top : top + height, left : left + width]
    inside[...] = X
    return around, inside


def unfolded(X: Array, kernel_size: Pair, stride: Pair, padding: str) -> Array:
    """The windows of all positions as rows, shape (n, height, width, fan-in)."""
    around, _ = padded(X, kernel_size, stride, padding)
    found = np.lib.stride_tricks.sliding_window_view(around, kernel_size, axis=(1, 2))
    found = np.moveaxis(found[:, :: stride[0], :: stride[1]], 3, 5)
    return found.reshape(*found.shape[:3], -1)


def conv2d(X: Array, W: Array, b: Array, kernel_size: Pair, stride: Pair, padding: str) -> Array:
    """z = window W + b, at every position of the padded images."""
    return dense_forward(unfolded(X, kernel_size, stride, padding), W, b)


def conv2d_gradients(
    X: Array, dZ: Array, kernel_size: Pair, stride: Pair, padding: str
) -> tuple[Array, Array]:
    """dW and db: sums over rows and positions."""
    rows = unfolded(X, kernel_size, stride, padding)
    return dense_gradients(rows.reshape(-1, rows.shape[3]), dZ.reshape(-1, dZ.shape[3]))


def conv2d_input_gradient(
    X: Array, W: Array, dZ: Array, kernel_size: Pair, stride: Pair, padding: str
) -> Array:
    """dX: every window gets dz W^T; what zeros of the padding get is dropped."""
    dX, inside = padded(np.zeros_like(X), kernel_size, stride, padding)
    for y, x, window in windows(dX, kernel_size, stride):
        window += dense_input_gradient(dZ[:, y, x], W).reshape(window.shape)
    return inside


# --- pooling -------------------------------------------------------------------------------------


def in_rows(window: Array) -> Array:
    """A window as (rows, places, channels), place by place along x, then along y."""
    return window.reshape(len(window), -1, window.shape[3])


def max_pool2d(X: Array, size: Pair, stride: Pair) -> Array:
    """a = max of the window; NaN if there is one."""
    A = outputs_of(X, X.shape[3], size, stride)
    for y, x, window in windows(X, size, stride):
        A[:, y, x] = in_rows(window).max(axis=1)
    return A


def max_pool2d_backward(X: Array, dA: Array, size: Pair, stride: Pair) -> Array:
    """The first maximum of each window gets the gradient."""
    dX = np.zeros_like(X)
    places = np.arange(math.prod(size))[:, np.newaxis]
    for (y, x, window), (_, _, gradient) in zip(
        windows(X, size, stride), windows(dX, size, stride), strict=True
    ):
        is_first = places == in_rows(window).argmax(axis=1)[:, np.newaxis]
        gradient += (is_first * dA[:, y, x][:, np.newaxis]).reshape(window.shape)
    return dX


def avg_pool2d(X: Array, size: Pair, stride: Pair) -> Array:
    """a = mean of the window."""
    A = outputs_of(X, X.shape[3], size, stride)
    for y, x, window in windows(X, size, stride):
        A[:, y, x] = in_rows(window).mean(axis=1)
    return A


def avg_pool2d_backward(X: Array, dA: Array, size: Pair, stride: Pair) -> Array:
    """Every element of a window gets an equal share."""
    dX = np.zeros_like(X)
    for y, x, gradient in windows(dX, size, stride):
        gradient += dA[:, y, x][:, np.newaxis, np.newaxis] / X.dtype.type(math.prod(size))
    return dX


# --- layers of numbers: W has one row, the other features are passed on ---------------------------


def diagonal(X: Array, W: Array, b: Array) -> tuple[Array, Array]:
    """Z = w x + b, and A: the others beside it."""
    Z = X[:, : b.size] * W[0] + b
    return Z, np.hstack([Z, X[:, b.size :]])


def diagonal_gradients(X: Array, W: Array, Z: Array, dA: Array) -> tuple[Array, Array, Array]:
    """Return dZ, what W was multiplied by, and dX."""
    n = Z.shape[1]
    return dA[:, :n], X[:, :n], np.hstack([dA[:, :n] * W[0], dA[:, n:]])


def periodic(X: Array, W: Array, b: Array, frequencies: int) -> tuple[Array, Array]:
    """Z = w x + b, all numbers with their first w, then with their second; A: with cos(2 pi Z)."""
    Z = np.tile(X[:, : b.size // frequencies], frequencies) * W[0] + b
    numbers = b.size // frequencies
    return Z, np.hstack([X[:, :numbers], np.cos(2 * math.pi * Z), X[:, numbers:]])


def periodic_gradients(
    X: Array, W: Array, Z: Array, dA: Array, frequencies: int
) -> tuple[Array, Array, Array]:
    """Return dZ, what W was multiplied by, and dX."""
    numbers = Z.shape[1] // frequencies
    last = numbers + Z.shape[1]
    dZ = -2 * math.pi * np.sin(2 * math.pi * Z) * dA[:, numbers:last]
    dX = np.hstack([dA[:, :numbers], dA[:, last:]])
    dX[:, :numbers] += (dZ * W[0]).reshape(len(X), frequencies, numbers).sum(axis=1)
    return dZ, np.tile(X[:, :numbers], frequencies), dX


OF_NUMBERS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "diagonal": (diagonal, diagonal_gradients),
    "periodic": (periodic, periodic_gradients),
}


# --- layers without weights: A = f(X), and dX from dA --------------------------------------------

FORWARD: dict[str, Callable[..., Array]] = {
    "max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "global_avg_pool2d": lambda X: X.mean(axis=(1, 2)),
    "flatten": lambda X: X.reshape(len(X), -1),
}

BACKWARD: dict[str, Callable[..., Array]] = {
    "max_pool2d": max_pool2d_backward,
    "avg_pool2d": avg_pool2d_backward,
    "global_avg_pool2d": lambda X, dA: (
        np.ones_like(X) * dA[:, np.newaxis, np.newaxis] / X.dtype.type(X[0, :, :, 0].size)
    ),
    "flatten": lambda X, dA: dA.reshape(X.shape),
}


# --- the network ---------------------------------------------------------------------------------


def passes(
    layers: Sequence[Layer], input_shape: Sequence[int], masks: Masks | None = None
) -> Passes:
    """How a network of these layers is computed; masks for all layers, in order."""
    masks = masks if masks is not None else [None] * len(layers)

    def forward(
        weights: Sequence[Array], biases: Sequence[Array], activations: Sequence[Activation],
        X: Array,
    ) -> tuple[list[Array], list[Array]]:  # fmt: skip
        """Return Z of the layers with weights, and every layer's A, preceded by X."""
        Zs: list[Array] = []
        As = [X.reshape(len(X), *input_shape)]
        for (kind, parameters), mask in zip(layers, masks, strict=True):
            if kind in ("dense", "conv2d"):
                number = len(Zs)
                W, b = weights[number], biases[number]
                Zs.append(
                    conv2d(As[-1], W, b, **parameters)
                    if kind == "conv2d"
                    else dense_forward(As[-1].reshape(len(X), -1), W, b)
                )
                As.append(activate(activations[number], Zs[-1]))
            elif kind in OF_NUMBERS:
                flat, number = As[-1].reshape(len(X), -1), len(Zs)
                Z, A = OF_NUMBERS[kind][0](flat, weights[number], biases[number], **parameters)
                Zs.append(Z)
                As.append(A)
            elif kind == "dropout":
                As.append(multiplied(As[-1], mask))
            else:
                As.append(FORWARD[kind](As[-1], **parameters))
        return Zs, As

    def backward(
        weights: Sequence[Array], activations: Sequence[Activation], Zs: Sequence[Array],
        As: Sequence[Array], dZ: Array,
    ) -> tuple[list[Array], list[Array]]:  # fmt: skip
        """Return dW and db of the layers with weights, given the output layer's dZ."""
        dWs: list[Array] = []
        dbs: list[Array] = []
        number, dA = len(weights), dZ
        for place, (kind, parameters) in reversed(list(enumerate(layers))):
            X = As[place]
            if kind in ("dense", "conv2d"):
                number -= 1
                if place < len(layers) - 1:
                    dZ = activate_backward(activations[number], Zs[number], As[place + 1], dA)
                W = weights[number]
                if kind == "conv2d":
                    dW, db = conv2d_gradients(X, dZ, **parameters)
                    dA = conv2d_input_gradient(X, W, dZ, **parameters)
                else:
                    dW, db = dense_gradients(X.reshape(len(X), -1), dZ)
                    dA = dense_input_gradient(dZ, W).reshape(X.shape)
                dWs.insert(0, dW)
                dbs.insert(0, db)
            elif kind in OF_NUMBERS:
                number -= 1
                flat, W, Z = X.reshape(len(X), -1), weights[number], Zs[number]
                dZ, x, dX = OF_NUMBERS[kind][1](flat, W, Z, dA, **parameters)
                dA = dX.reshape(X.shape)
                dWs.insert(0, (dZ * x).sum(axis=0)[np.newaxis])
                dbs.insert(0, dZ.sum(axis=0))
            elif kind == "dropout":
                dA = multiplied(dA, masks[place])
            else:
                dA = BACKWARD[kind](X, dA, **parameters)
        return dWs, dbs

    return Passes(forward, backward)


def multiplied(A: Array, mask: Array | None) -> Array:
    """A, or its gradient, where a mask of one row of features for each row drops some."""
    return A if mask is None else A * mask.reshape(A.shape)
