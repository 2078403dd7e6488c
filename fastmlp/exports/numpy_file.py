"""Models as a module of NumPy alone."""

from __future__ import annotations

import base64
import inspect
import pprint
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._version import __version__
from ..base import levels
from ..ops.expressions import Language
from ..ops.fitted_category import FittedCategory
from ..ops.fitted_columns import FittedDate
from ..ops.operations import Affine, Apply, Convolve, Pool, Select, Shape, Sort
from . import numpy_runtime as runtime
from .program import Program, Writer, size_of

_FUNCTIONS = {
    "add": "({} + {})", "subtract": "({} - {})", "multiply": "({} * {})", "divide": "({} / {})",
    "negative": "(-{})", "greater": "({} > {})", "less": "({} < {})",
    "greater_equal": "({} >= {})", "less_equal": "({} <= {})", "abs": "np.abs({})",
    "cos": "np.cos({})", "erf": "erf({})", "exp": "np.exp({})", "floor": "np.floor({})",
    "isnan": "np.isnan({})", "log": "np.log({})", "maximum": "np.maximum({}, {})",
    "minimum": "np.minimum({}, {})", "row_max": "np.max({}, axis=-1, keepdims=True)",
    "row_sum": "np.sum({}, axis=-1, keepdims=True)", "sin": "np.sin({})", "sqrt": "np.sqrt({})",
    "tanh": "np.tanh({})", "where": "np.where({}, {}, {})",
}  # fmt: skip

_HEAD = '''\
"""Predictions of a trained model by NumPy alone: {title}.

predict(X) takes {rows}.
Written by fastmlp {version}.
"""

from __future__ import annotations

import base64
import math
import re
from datetime import datetime

import numpy as np

ROWS_AT_ONCE = 1024
'''
_OUTPUTS = '''\
def outputs(X):
    """Return the outputs of the network, shape (n, {n_outputs})."""
    rows = features(X)
    found = []
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, max(1, len(rows)), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            found.append(({networks}) / {n})
    return np.concatenate(found)
'''


class NumpyWriter(Writer[str]):
    """Writes lines of Python, each of which assigns ``x``.

    Attributes
    ----------
    lines : list of str
        Of a function's body.
    arrays : list of str
        Definitions of constants.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: list[str] = []
        functions = {name: text.format for name, text in _FUNCTIONS.items()}
        self.language: Language[str] = Language(functions, repr, self.let)

    def body(self) -> str:
        """Return the lines so far, indented, and begin anew."""
        text = textwrap.indent("\n".join(self.lines), "    ")
        self.lines = []
        return text

    def array(self, values: np.ndarray) -> str:
        """Define a constant and return its name."""
        name = f"A{len(self.arrays)}"
        little = values.astype(values.dtype.newbyteorder("<"))
        text = base64.b85encode(np.ascontiguousarray(little).tobytes()).decode()
        self.arrays.append(f'{name} = decoded("{little.dtype.str}", {values.shape}, "{text}")')
        return name

    def let(self, name: str, value: str) -> str:
        """Assign a variable and return its name."""
        self.lines.append(f"{name} = {value}")
        return name

    def as_images(self, rows: str, shape: Shape) -> str:
        return self.let("x", f"{rows}.reshape(-1, {', '.join(map(str, shape))})")

    def as_rows(self, images: str, shape: Shape) -> str:
        return self.let("x", f"{images}.reshape(-1, {size_of(shape)})")

    def affine(self, operation: Affine, found: str) -> str:
        weights, biases = self.array(operation.weights), self.array(operation.biases)
        return self.let("x", f"{found} @ {weights} + {biases}")

    def select(self, operation: Select, found: str) -> str:
        return self.let("x", f"{found}[:, {self.array(operation.index)}]")

    def convolve(self, operation: Convolve, found: str) -> str:
        weights, biases = self.array(operation.weights), self.array(operation.biases)
        shape = f"{operation.stride}, {operation.padding}"
        return self.let("x", f"convolved({found}, {weights}, {biases}, {shape})")

    def pool(self, operation: Pool, found: str) -> str:
        reduced = "max" if operation.takes_max else "mean"
        windows = f"windows({found}, {operation.size}, {operation.stride})"
        return self.let("x", f"{windows}.{reduced}(axis=(4, 5))")

    def sort(self, operation: Sort, found: str) -> str:
        return self.let("x", f"np.sort({found}, axis=1)")

    def apply(self, operation: Apply, found: str) -> str:
        values = {"z": found}
        for name, value in operation.constants.items():
            values[name] = repr(value) if isinstance(value, float) else self.array(value)
        result = self.language.evaluate(operation.formula, values)
        return self.let("x", result) if result != found else found


def numpy_source(program: Program) -> str:
    """Return the source of a module with ``predict``, and ``predict_proba`` of classes."""
    writer = NumpyWriter()
    functions = [_features(program, writer)]
    for number, operations in enumerate(program.members):
        writer.write(operations, "x")
        writer.lines.append("return x")
        functions.append(f"def network_{number}(x):\n{writer.body()}\n")
    n = len(program.members)
    networks = " + ".join(f"network_{number}(part)" for number in range(n))
    functions.append(_OUTPUTS.format(n_outputs=program.task.n_outputs, networks=networks, n=n))
    functions += _predictions(program, writer)
    head = _HEAD.format(title=program.title, rows=_rows(program), version=__version__)
    constants = "\n".join([*writer.arrays, ""])
    return "\n\n".join([head, *_copied(), constants, "\n\n".join(functions)])


def _rows(program: Program) -> str:
    if program.encoding is None:
        return f"an array of shape (n, {program.n_features})"
    what = "a frame, or a dict of columns by name" if program.names else "an array of columns"
    return f"{what}; times are datetime64, seconds since 1970, or texts as in training"


def _copied() -> Iterator[str]:
    """Yield the sources of the functions, and of what they need."""
    yield "\n".join([
        f"MISSING = frozenset({sorted(levels.MISSING)!r})",
        f"_PLAIN = re.compile({levels._PLAIN.pattern!r})",
        f"_TRUTH = {levels._TRUTH!r}",
        f"_LARGEST = {levels._LARGEST!r}\n",
    ])  # fmt: skip
    copied: list[Callable[..., Any]] = [
        levels.canonical, levels.number_text, runtime.decoded, runtime.erf, runtime.windows,
        runtime.convolved, runtime.numbers, runtime.seconds, runtime.parsed,
        runtime.level_features,
    ]  # fmt: skip
    for function in copied:
        yield inspect.getsource(function)


def _features(program: Program, writer: NumpyWriter) -> str:
    """Return a function that makes the network's features of rows or columns."""
    if program.encoding is None:
        writer.lines += ["x = np.asarray(X)", f"x = x.reshape(len(x), {program.n_features})"]
        if program.scaling is not None:
            writer.apply(program.scaling, "x")
        writer.lines.append(f"return x.astype(np.{program.dtype.name})")
    else:
        parts = _columns(program, writer)
        writer.lines += ["columns = [", *(f"    {part}," for part in parts), "]"]
        order = writer.array(program.feature_order)
        writer.lines.append("x = np.column_stack(columns)")
        writer.lines.append(f"return x[:, {order}].astype(np.{program.dtype.name})")
    text = '"""Return the features of the network, scaled."""'
    return f"def features(X):\n    {text}\n{writer.body()}\n"


def _columns(program: Program, writer: NumpyWriter) -> list[str]:
    """Return the features of each column, after the lines that compute them."""
    assert program.encoding is not None
    parts = []
    for j, (_, fitted) in enumerate(program.encoding.columns):
        values = f"X[{program.names[j]!r}]" if program.names else f"np.asarray(X, object)[:, {j}]"
        if isinstance(fitted, FittedCategory):
            index, other, gap = fitted.level_features()
            if n := len(fitted.outputs):
                writer.arrays.append(f"L{j} = {pprint.pformat(index, sort_dicts=False)}")
                parts.append(f"level_features(list({values}), L{j}, {other}, {gap}, {n})")
            continue
        read = f"numbers({values})"
        if isinstance(fitted, FittedDate):
            read = f"seconds({values}, {fitted.format!r})"
        writer.let("x", read)
        for number, formula in enumerate(fitted.formulas()):
            value = writer.language.evaluate(formula, {"x": "x"})
            parts.append(writer.let(f"f{j}_{number}", value))
    return parts


def _predictions(program: Program, writer: NumpyWriter) -> Iterator[str]:
    """Yield ``predict``, and ``predict_proba`` of classes or labels."""
    task, described = program.task, '    """Return the {} of each row."""\n'
    if task.classes is not None:
        classes = f"np.array({task.classes.tolist()!r}, {task.classes.dtype.str!r})"
        writer.arrays.append(f"CLASSES = {classes}")
    if task.kind == "regression":
        writer.lines.append("x = outputs(X)")
        if program.target is not None:
            writer.apply(program.target, "x")
        dtype = program.predicted_dtype(program.dtype.name)
        squeezed = "[:, 0]" if task.n_outputs == 1 else ""
        writer.lines.append(f"return x.astype(np.{dtype.name}){squeezed}")
        yield f"def predict(X):\n{described.format('prediction')}{writer.body()}\n"
        return
    found = {
        "multiclass": "CLASSES[outputs(X).argmax(axis=1)]",
        "binary": f"CLASSES[(outputs(X)[:, 0] >= {task.threshold!r}).astype(int)]",
        "multilabel": f"(outputs(X) >= {task.threshold!r}).astype(np.int64)",
    }[task.kind]
    yield f"def predict(X):\n{described.format('label')}    return {found}\n"
    lines = ["found = outputs(X)"]
    lines.append(
        "return np.hstack([1 - found, found])" if task.kind == "binary" else "return found"
    )
    body = textwrap.indent("\n".join(lines), "    ")
    yield f"def predict_proba(X):\n{described.format('probabilities')}{body}\n"
