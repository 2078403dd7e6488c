"""The outputs of convolutions for one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels import buffers
from ..ops.layers import Dense, Layer
from .encoding import encode_for_outputs
from .evaluator import Evaluator, NetworkLayout
from .memory import CACHE_LINE
from .network import Network
from .predictor import Predictor


class FeatureMaps(NamedTuple):
    """The outputs of a convolution for an image.

    Attributes
    ----------
    number : int
        Of the layer in the network, from 0.
    layer : Layer
    maps : ndarray, shape (height, width, filters)
    """

    number: int
    layer: Layer
    maps: np.ndarray


def feature_maps(predictor: Predictor, X: np.ndarray) -> list[FeatureMaps]:
    """Return the outputs of each layer of images that has weights.

    Parameters
    ----------
    predictor : Predictor
    X : ndarray, shape (1, n_features)
        An image before scaling, as a row.
    """
    network = predictor.network
    return [
        FeatureMaps(number, network.layers[number], _outputs(predictor, number, X))
        for number in network.weighted
        if network.layers[number].takes_images
    ]


def _outputs(predictor: Predictor, number: int, X: np.ndarray) -> np.ndarray:
    """Return the outputs of a layer of images.

    The network ends there: so the layer is not computed together with a pooling after it, which
    leaves no outputs of its own.
    """
    whole = predictor.network
    layers = [*whole.layers[: number + 1], Dense(1, "identity")]
    network = Network(layers, whole.input_shape, whole.dtype)
    for own, given in ((network.weights, whole.weights), (network.biases, whole.biases)):
        for view, values in zip(own[:-1], given, strict=False):
            view[...] = values
    layout = NetworkLayout(network.layers, network.input_shape, network.dtype)
    data = encode_for_outputs(
        X, predictor.scaling, network.dtype, n_outputs=1, needs_dense=layout.needs_dense_rows
    )
    evaluator = Evaluator(layout, 1, data)
    evaluator.take_params(network.params)
    evaluator.run(data, 1, predictor.scaling)
    workspace = evaluator.workspace
    lanes = CACHE_LINE // network.dtype.itemsize
    # A group of rows: the elements of all rows for each feature.
    row = workspace.net.layers[-2]
    start, width = row[buffers.OUT], row[buffers.WIDTH]
    group = workspace.work.A[start : start + width * lanes].reshape(width, lanes)
    maps: np.ndarray = group[:, 0].reshape(whole.shapes[number + 1]).copy()
    return maps
