"""The outputs of convolutions for one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels import buffers
from ..ops.layers import Layer
from .encoding import encode_for_outputs
from .evaluator import Evaluator, NetworkLayout
from .memory import CACHE_LINE
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
    layout = NetworkLayout(network.layers, network.input_shape, network.dtype)
    data = encode_for_outputs(
        X, predictor.scaling, network.dtype,
        n_outputs=network.n_outputs, needs_dense=layout.needs_dense_rows,
    )  # fmt: skip
    evaluator = Evaluator(layout, 1, data)
    evaluator.take_params(network.params)
    evaluator.run(data, 1, predictor.scaling)
    workspace = evaluator.workspace
    lanes = CACHE_LINE // network.dtype.itemsize
    found = []
    for stage, row in zip(network.stages(training=False), workspace.net.layers, strict=True):
        if stage.are_images and stage.table is not None and stage.layer is not None:
            # A group of rows: the elements of all rows for each feature.
            start, width = row[buffers.OUT], row[buffers.WIDTH]
            group = workspace.work.A[start : start + width * lanes].reshape(width, lanes)
            maps = group[:, 0].reshape(stage.outputs).copy()
            found.append(FeatureMaps(stage.number or 0, stage.layer, maps))
    return found
