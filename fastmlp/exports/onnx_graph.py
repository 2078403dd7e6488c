"""Graphs of ONNX: nodes, constants, and operations written as nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ..ops.expressions import Language
from ..ops.operations import Affine, Apply, Convolve, Pool, Select, Shape, Sort
from .program import Writer

# The operators of expressions, by their names there.
_OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negative": "Neg",
    "greater": "Greater", "less": "Less", "greater_equal": "GreaterOrEqual",
    "less_equal": "LessOrEqual", "abs": "Abs", "cos": "Cos", "erf": "Erf", "exp": "Exp",
    "floor": "Floor", "isnan": "IsNaN", "log": "Log", "maximum": "Max", "minimum": "Min",
    "sin": "Sin", "sqrt": "Sqrt", "tanh": "Tanh", "where": "Where",
}  # fmt: skip
_REDUCTIONS = {"row_max": "ReduceMax", "row_sum": "ReduceSum"}


class OnnxGraph(Writer[str]):
    """Writes nodes, in which a value is the name of a tensor.

    Images are in ONNX's order: channels first. Numbers are float32, in formulas of float64 arrays
    float64.

    Parameters
    ----------
    prefix : str, default ""
        Of the names of nodes and constants.

    Attributes
    ----------
    nodes : list of NodeProto
    tensors : list of TensorProto
        Constants.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self._constants: dict[tuple[Any, ...], str] = {}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = f"{self.prefix}/{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Return the name of a constant, a tensor of float32 unless another type is given."""
        array = np.array(values, dtype or np.float32, order="C")
        key: tuple[Any, ...] = (array.dtype.str, array.shape, array.tobytes())
        if array.dtype.kind in "UO":
            key = ("str", array.shape, tuple(array.ravel().tolist()))
            array = array.astype(object)
        if key not in self._constants:
            name = self._constants[key] = f"{self.prefix}/constant_{len(self.tensors)}"
            self.tensors.append(numpy_helper.from_array(array, name))
        return self._constants[key]

    def shaped(self, value: str, *shape: int) -> str:
        """Return a tensor with another shape."""
        return self.node("Reshape", value, self.constant(shape, np.int64))

    def cast(self, value: str, dtype: Any) -> str:
        """Return a tensor of another type."""
        return self.node("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def as_images(self, rows: str, shape: Shape) -> str:
        return self.node("Transpose", self.shaped(rows, -1, *shape), perm=[0, 3, 1, 2])

    def as_rows(self, images: str, shape: Shape) -> str:
        last = self.node("Transpose", images, perm=[0, 2, 3, 1])
        return self.shaped(last, -1, int(np.prod(shape)))

    def affine(self, operation: Affine, found: str) -> str:
        return self.node(
            "Gemm", found, self.constant(operation.weights), self.constant(operation.biases)
        )

    def select(self, operation: Select, found: str) -> str:
        return self.node("Gather", found, self.constant(operation.index, np.int64), axis=1)

    def convolve(self, operation: Convolve, found: str) -> str:
        weights = self.constant(operation.weights.transpose(3, 2, 0, 1))
        biases, pads = self.constant(operation.biases), operation.padding
        return self.node("Conv", found, weights, biases, strides=operation.stride, pads=pads)

    def pool(self, operation: Pool, found: str) -> str:
        operator = "MaxPool" if operation.takes_max else "AveragePool"
        return self.node(operator, found, kernel_shape=operation.size, strides=operation.stride)

    def sort(self, operation: Sort, found: str) -> str:
        name, n = f"{self.prefix}/TopK_{len(self.nodes)}", operation.outputs[-1]
        inputs, outputs = [found, self.constant([n], np.int64)], [name, f"{name}_indices"]
        self.nodes.append(helper.make_node("TopK", inputs, outputs, name, largest=0))
        return name

    def apply(self, operation: Apply, found: str) -> str:
        return self.formula(operation, found, np.float32)

    def formula(self, operation: Apply, found: str, dtype: Any) -> str:
        """Return the value of a formula, computed in ``dtype``, which ``found`` has."""
        values = {"z": found}
        for name, value in operation.constants.items():
            array = np.asarray(value)
            # Channels come before the pixels.
            is_image = len(operation.inputs) == 3 and array.ndim
            values[name] = self.constant(array.reshape(-1, 1, 1) if is_image else array, dtype)
        return self.evaluate(operation.formula, values, dtype)

    def evaluate(self, formula: str, values: dict[str, str], dtype: Any) -> str:
        """Return the value of a formula of tensors of ``dtype``."""
        functions = {
            name: lambda *args, op=operator: self.node(op, *args)
            for name, operator in _OPERATORS.items()
        } | {name: lambda x, op=operator: self._reduced(op, x)
             for name, operator in _REDUCTIONS.items()}  # fmt: skip
        language = Language(functions, lambda number: self.constant(number, dtype))
        return language.evaluate(formula, values)

    def _reduced(self, operator: str, value: str) -> str:
        return self.node(operator, value, self.constant([-1], np.int64), keepdims=1)
