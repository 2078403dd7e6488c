"""Each operation of Winograd's form has the same bits on every CPU.

Each has inputs of its own, so that on a CPU where a network's bits differ the first operation that
differs is found. Signs of zeros do not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from fastmlp.kernels.buffers import Image
from fastmlp.kernels.emit import winograd
from fastmlp.kernels.emit.winograd_products import products, products_back
from fastmlp.kernels.machine.jit import kernel

# 6x6 images of 8 channels, 16 filters of 3x3, padding same: three tiles in a line.
IMAGE = Image(6, 6, 8, 6, 6, 16, 3, 3, 1, 1, 1, 1, 1, 1, 0, 3)
LANES, PLACES, TILES, CHANNELS, FILTERS = 16, 16, 3, 8, 16
WEIGHTS, INPUTS, OUTPUTS = CHANNELS * LANES, TILES * CHANNELS * LANES, TILES * FILTERS * LANES


@kernel(cached=True)
def weights(given, result):
    winograd.weights(given, 0, 128, 8, result, 0, 128)


@kernel(cached=True)
def weight_gradients(given, result):
    winograd.weight_gradients(result, 0, 128, 8, given, 0, 128, False)


@kernel(cached=True)
def inputs(given, result, image):
    winograd.inputs(given, 0, image, 1, (0, 3), result, 0, 384)


@kernel(cached=True)
def input_gradients(given, result, image):
    winograd.input_gradients(result, 0, image, 1, (0, 3), given, 0, 384)


@kernel(cached=True)
def outputs(given, result, image):
    winograd.outputs(given, 0, 768, given, 5, image, 1, (0, 3), result, 0, result, 0, False)


@kernel(cached=True)
def output_gradients(given, result, image):
    winograd.output_gradients(given, 0, given, 0, image, 1, (0, 3), result, 0, 768)


@kernel(cached=True)
def forward_products(W, X, result):
    products(W, 0, 128, X, 0, 384, result, 0, 768, 8, 16, 3)


@kernel(cached=True)
def backward_products(W, X, result):
    products_back(W, 0, 128, X, 0, 768, result, 0, 384, 8, 16, 3)


def draw(size: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(size) - 0.5).astype(np.float32)


def _digest(result: np.ndarray) -> str:
    return hashlib.sha256((result + np.float32(0)).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("transform", "size", "result_size", "has_image", "expected"),
    [
        (weights, 9 * WEIGHTS, PLACES * WEIGHTS, False, "1ba7af60559cef69"),
        (weight_gradients, PLACES * WEIGHTS, 9 * WEIGHTS, False, "79cf2e0655ef79d4"),
        (inputs, 36 * CHANNELS * LANES, PLACES * INPUTS, True, "99a1a84d7eb498f3"),
        (input_gradients, PLACES * INPUTS, 36 * CHANNELS * LANES, True, "bf47422ed284a08c"),
        (outputs, PLACES * OUTPUTS, 36 * FILTERS * LANES, True, "39f3bad645b0b75f"),
        (output_gradients, 36 * FILTERS * LANES, PLACES * OUTPUTS, True, "01a1f26f9c6255ab"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bits_of_a_transform(
    transform: Callable[..., None], size: int, result_size: int, has_image: bool, expected: str
) -> None:
    given, result = draw(size, 0), draw(result_size, 1)
    transform(given, result, *([IMAGE] if has_image else []))
    assert _digest(result) == expected


@pytest.mark.parametrize(
    ("multiply", "size", "result_size", "expected"),
    [
        (forward_products, INPUTS, OUTPUTS, "832946b4feaf468f"),
        (backward_products, OUTPUTS, INPUTS, "85b784a8aa3cf1a1"),
    ],
    ids=["forward", "backward"],
)
def test_bits_of_the_products(
    multiply: Callable[..., None], size: int, result_size: int, expected: str
) -> None:
    W, X, result = draw(PLACES * WEIGHTS, 0), draw(PLACES * size, 1), draw(PLACES * result_size, 2)
    multiply(W, X, result)
    assert _digest(result) == expected
