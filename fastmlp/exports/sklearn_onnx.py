"""Conversion of estimators by skl2onnx, which calls these functions of a fitted estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ..base.errors import ConfigError
from ..model.predictor import Predictor
from .onnx_graph import OnnxGraph
from .onnx_model import OPSET, decoded, label_array, network_outputs, predicted, scaled
from .program import Program


def shape_calculator(predictor: Predictor) -> Callable[[Any], None]:
    """Return the function that sets the types of an operator's outputs."""
    program = Program.of(predictor)

    def calculate(operator: Any) -> None:
        from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

        rows, n = operator.inputs[0].type.shape[0], program.task.n_outputs
        if program.task.kind == "regression":
            operator.outputs[0].type = FloatTensorType([rows, n])
            return
        if program.task.kind == "multilabel":
            types = Int64TensorType([rows, n]), FloatTensorType([rows, n])
        else:
            is_text = label_array(program)[1] is np.str_
            label = StringTensorType([rows]) if is_text else Int64TensorType([rows])
            types = label, FloatTensorType([rows, len(program.labels)])
        for output, kind in zip(operator.outputs, types, strict=True):
            output.type = kind

    return calculate


def converter(predictor: Predictor) -> Callable[[Any, Any, Any], None]:
    """Return the function that adds the nodes of a model to a container."""
    program = Program.of(predictor)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        if container.target_opset < OPSET:
            raise ConfigError(
                f"target_opset must be at least {OPSET}, got {container.target_opset}; leave it out"
            )
        graph = OnnxGraph(scope.get_unique_variable_name("fastmlp"))
        rows = graph.cast(operator.inputs[0].full_name, np.float32)
        outputs = network_outputs(program, graph, scaled(program, graph, rows))
        found: tuple[str, ...]
        if program.task.kind == "regression":
            flat = predicted(program, graph, outputs)
            found = (graph.shaped(graph.cast(flat, np.float32), -1, program.task.n_outputs),)
        else:
            labels, probabilities = decoded(program, graph, outputs)
            if program.task.kind != "multilabel" and label_array(program)[1] is not np.str_:
                labels = graph.cast(labels, np.int64)  # which skl2onnx has for classes
            found = labels, probabilities
        for value, output in zip(found, operator.outputs, strict=True):
            graph.nodes.append(helper.make_node("Identity", [value], [output.full_name]))
        _add(graph, container)

    return convert


def _add(graph: OnnxGraph, container: Any) -> None:
    for tensor in graph.tensors:
        content: Any = tensor
        if tensor.data_type == TensorProto.STRING:
            content = numpy_helper.to_array(tensor).ravel().tolist()
        container.add_initializer(tensor.name, tensor.data_type, list(tensor.dims), content)
    for node in graph.nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        container.add_node(
            node.op_type, list(node.input), list(node.output), op_domain=node.domain,
            name=node.name, **attributes,
        )  # fmt: skip
