"""The methods of estimators that make other models of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from ..model.from_sklearn import task_of
from ..model.network import Network
from ..model.predictor import Predictor
from ..ops.scalers import NO_SCALING
from .hidden import network_layout


class Exporting:
    """A Predictor of an estimator, and its conversion by skl2onnx."""

    def to_predictor(self) -> Predictor:
        """Return a Predictor that predicts the same, with a copy of the weights.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ConfigError
            If it has one class.
        """
        estimator: Any = self
        check_is_fitted(estimator)
        layout = network_layout(estimator)
        network = Network(layout.layers, layout.input_shape, layout.dtype)
        network.set_weights(estimator.coefs_, estimator.intercepts_)
        return Predictor(network, NO_SCALING, task_of(estimator), encoding=estimator._encoding)

    def onnx_shape_calculator(self) -> Callable[..., None]:
        """Return what skl2onnx calls to know the types of the outputs."""
        from ..exports.sklearn_onnx import shape_calculator

        return shape_calculator(self.to_predictor())

    def onnx_converter(self) -> Callable[..., None]:
        """Return what skl2onnx calls to convert the estimator."""
        from ..exports.sklearn_onnx import converter

        return converter(self.to_predictor())
