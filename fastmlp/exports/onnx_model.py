"""Models as ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, ValueInfoProto, checker, helper

from .._version import __version__
from ..ops.fitted_category import FittedCategory
from .onnx_graph import OnnxGraph
from .program import Program, features_of_texts

# Since 18, reductions take their axes as an input; onnxruntime reads it from 1.14 on.
OPSET, ML_OPSET, IR_VERSION = 18, 3, 8
LABEL, PROBABILITIES, PREDICTIONS = "label", "probabilities", "predictions"


def onnx_model(program: Program) -> ModelProto:
    """Return a model, checked.

    A model of numbers has one input ``X``, float32 of shape (n, n_features). One of a table has an
    input for each column, shape (n, 1): float64 numbers, NaN for gaps; times as float64 seconds
    since 1970; texts, empty for gaps. Outputs are ``label``, shape (n,), and ``probabilities``,
    float32 of shape (n, n_classes); of several labels both have a column for each; of a regression
    ``predictions``, shape (n,) or (n, n_outputs). Networks of float64 are computed in float32.
    """
    graph = OnnxGraph()
    inputs, features = _features(program, graph)
    outputs = _write_outputs(program, graph, network_outputs(program, graph, features))
    proto = helper.make_graph(graph.nodes, "fastmlp", inputs, outputs, graph.tensors)
    model = helper.make_model(
        proto,
        producer_name="fastmlp",
        producer_version=__version__,
        doc_string=program.title,
        ir_version=IR_VERSION,
        opset_imports=[
            helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)
        ],
    )  # fmt: skip
    facts = {"task": program.task.kind}
    if program.task.kind in ("binary", "multilabel"):
        facts["threshold"] = repr(program.task.threshold)
    if program.names is not None:
        facts["features"] = ",".join(program.names)
    helper.set_model_props(model, facts)
    checker.check_model(model, full_check=True)
    return model


def network_outputs(program: Program, graph: OnnxGraph, features: str) -> str:
    """Return the mean of the outputs of the networks."""
    found = [graph.write(operations, features) for operations in program.members]
    return found[0] if len(found) == 1 else graph.node("Mean", *found)


def scaled(program: Program, graph: OnnxGraph, rows: str) -> str:
    """Return the features of the networks, float32, for rows of float32."""
    if program.scaling is None:
        return rows
    # In float64, in which they were scaled in training.
    return graph.cast(
        graph.formula(program.scaling, graph.cast(rows, np.float64), np.float64), np.float32
    )


def decoded(program: Program, graph: OnnxGraph, outputs: str) -> tuple[str, str]:
    """Return labels and probabilities."""
    task = program.task
    if task.kind == "multiclass":
        return _labels(program, graph, graph.node("ArgMax", outputs, axis=1, keepdims=0)), outputs
    threshold = graph.constant(task.threshold)
    is_above = graph.cast(graph.node("GreaterOrEqual", outputs, threshold), np.int64)
    if task.kind == "multilabel":
        return is_above, outputs
    other = graph.node("Sub", graph.constant(1.0), outputs)
    both = graph.node("Concat", other, outputs, axis=1)
    return _labels(program, graph, graph.shaped(is_above, -1)), both


def predicted(program: Program, graph: OnnxGraph, outputs: str) -> str:
    """Return the predictions of a regression, shape (n,) or (n, n_outputs)."""
    if program.target is not None:
        wide = graph.formula(program.target, graph.cast(outputs, np.float64), np.float64)
        outputs = wide
        if program.predicted_dtype("float32") != np.float64:
            outputs = graph.cast(wide, np.float32)
    return graph.shaped(outputs, -1) if program.task.n_outputs == 1 else outputs


def _labels(program: Program, graph: OnnxGraph, indices: str) -> str:
    """Return the labels at some indices of the classes."""
    return graph.node("Gather", graph.constant(*label_array(program)), indices, axis=0)


def label_array(program: Program) -> tuple[np.ndarray, Any]:
    """Return the labels and their type in ONNX: int64, bool, float64 or str."""
    labels = program.labels
    kinds: dict[str, Any] = {"i": np.int64, "u": np.int64, "b": np.bool_, "f": np.float64}
    if labels.dtype.kind in kinds:
        return labels, kinds[labels.dtype.kind]
    return labels.astype(str), np.str_


def _features(program: Program, graph: OnnxGraph) -> tuple[list[ValueInfoProto], str]:
    """Return the inputs of the model, and the features of the networks."""
    if program.encoding is None:
        rows = _value("X", np.float32, ["n", program.n_features])
        return [rows], scaled(program, graph, "X")
    inputs, parts = [], []
    taken = {LABEL, PROBABILITIES, PREDICTIONS}
    for j, (_, fitted) in enumerate(program.encoding.columns):
        name = program.names[j] if program.names else f"column_{j}"
        while name in taken or not name:
            name += "_"
        taken.add(name)
        is_text = isinstance(fitted, FittedCategory)
        inputs.append(_value(name, np.str_ if is_text else np.float64, ["n", 1]))
        if isinstance(fitted, FittedCategory):
            parts += _one_hot(fitted, graph, name) if fitted.outputs else []
        else:
            parts += [
                graph.cast(graph.evaluate(formula, {"x": name}, np.float64), np.float32)
                for formula in fitted.formulas()
            ]
    features = graph.node("Concat", *parts, axis=1)
    order = graph.constant(program.feature_order, np.int64)
    return inputs, graph.node("Gather", features, order, axis=1)


def _one_hot(fitted: FittedCategory, graph: OnnxGraph, name: str) -> list[str]:
    """Return the features of a column of texts."""
    known, n = features_of_texts(fitted), len(fitted.outputs)
    features = graph.node(
        "LabelEncoder", name, domain="ai.onnx.ml", keys_strings=list(known),
        values_int64s=[feature % (n + 1) for feature in known.values()],
        default_int64=fitted.level_features().other % (n + 1),
    )  # fmt: skip
    flat, ends = graph.shaped(features, -1), graph.constant([0.0, 1.0])
    # The last column is that of no feature.
    columns = graph.node("OneHot", flat, graph.constant(n + 1, np.int64), ends, axis=-1)
    cut = [graph.constant([number], np.int64) for number in (0, n, 1)]
    return [graph.node("Slice", columns, *cut)]


def _write_outputs(program: Program, graph: OnnxGraph, outputs: str) -> list[ValueInfoProto]:
    """Name the outputs of the model, and return them."""
    task, n = program.task, program.task.n_outputs
    named: dict[str, tuple[str, Any, list[Any]]]
    if task.kind == "regression":
        found = predicted(program, graph, outputs)
        shape: list[Any] = ["n"] if n == 1 else ["n", n]
        named = {PREDICTIONS: (found, program.predicted_dtype("float32"), shape)}
    elif task.kind == "multilabel":
        labels, probabilities = decoded(program, graph, outputs)
        named = {LABEL: (labels, np.int64, ["n", n]),
                 PROBABILITIES: (probabilities, np.float32, ["n", n])}  # fmt: skip
    else:
        labels, probabilities = decoded(program, graph, outputs)
        named = {
            LABEL: (labels, label_array(program)[1], ["n"]),
            PROBABILITIES: (probabilities, np.float32, ["n", len(program.labels)]),
        }
    for name, (value, _, _) in named.items():
        graph.nodes.append(helper.make_node("Identity", [value], [name], name))
    return [_value(name, dtype, shape) for name, (_, dtype, shape) in named.items()]


def _value(name: str, dtype: Any, shape: list[Any]) -> ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(object if dtype is np.str_ else dtype))
    return helper.make_tensor_value_info(name, kind, shape)
