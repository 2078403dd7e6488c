from __future__ import annotations

import numpy as np
import pytest

from fastmlp.model.feature_maps import feature_maps
from image_models import image_model

LAYERS = (
    "dropout(0.2), conv2d(5, (2, 3), padding=same, activation=tanh), max_pool2d(2), "
    "conv2d(3, 2, stride=2, activation=relu), dense(4, relu), dense(3, softmax)"
)


def convolved(images: np.ndarray, weights: np.ndarray, biases: np.ndarray, kernel: tuple[int, int],
              stride: int) -> np.ndarray:  # fmt: skip
    """A convolution without padding, before its activation."""
    windows = np.lib.stride_tricks.sliding_window_view(images, kernel, axis=(0, 1))
    windows = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2)
    return windows.reshape(*windows.shape[:2], -1) @ weights + biases


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("zeros", [0.0, 0.9])
def test_feature_maps_are_the_outputs_of_convolutions(zeros: float, dtype: str) -> None:
    predictor = image_model(LAYERS, (7, 6, 3), dtype)
    rng = np.random.default_rng(0)
    row = (rng.integers(0, 256, (1, 126)) * (rng.random((1, 126)) >= zeros)).astype(np.uint8)
    first, second = feature_maps(predictor, row)
    network = predictor.network
    padded = np.pad(row.reshape(7, 6, 3) / 255, ((0, 1), (1, 1), (0, 0)))
    wanted = np.tanh(convolved(padded, network.weights[0], network.biases[0], (2, 3), 1))
    assert (first.number, first.layer) == (1, network.layers[1])
    np.testing.assert_allclose(first.maps, wanted, rtol=1e-4, atol=1e-6)
    pooled = wanted[:6, :6].reshape(3, 2, 3, 2, 5).max(axis=(1, 3))
    wanted = convolved(pooled, network.weights[1], network.biases[1], (2, 2), 2).clip(0)
    assert (second.number, second.maps.shape) == (3, (1, 1, 3))
    np.testing.assert_allclose(second.maps, wanted, rtol=1e-4, atol=1e-6)


def test_dense_networks_have_no_feature_maps() -> None:
    assert feature_maps(image_model("dense(3, softmax)"), np.zeros((1, 4))) == []
