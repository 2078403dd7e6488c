"""Operations as statements of C99, in float32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ops.expressions import Language, is_row_wise
from ..ops.operations import Affine, Apply, Convolve, Pool, Select, Shape, Sort
from .program import Writer, size_of

_FUNCTIONS = {
    "add": "({} + {})", "subtract": "({} - {})", "multiply": "({} * {})", "divide": "({} / {})",
    "negative": "(-{})", "greater": "({} > {})", "less": "({} < {})",
    "greater_equal": "({} >= {})", "less_equal": "({} <= {})", "abs": "fabs@({})",
    "cos": "cos@({})", "erf": "erf@({})", "exp": "exp@({})", "floor": "floor@({})",
    "isnan": "isnan({})", "log": "log@({})", "maximum": "fmax@({}, {})",
    "minimum": "fmin@({}, {})", "sin": "sin@({})", "sqrt": "sqrt@({})", "tanh": "tanh@({})",
    "where": "({} ? {} : {})",
}  # fmt: skip


class CWriter(Writer[str]):
    """Writes statements that read one buffer and write another.

    Parameters
    ----------
    prefix : str
        Of all names.

    Attributes
    ----------
    lines : list of str
        Of a function's body.
    arrays : list of str
        Definitions of constants.
    largest : int
        Elements that a buffer needs.
    """

    def __init__(self, prefix: str):
        self.prefix, self.largest = prefix, 1
        self.lines: list[str] = []
        self.arrays: list[str] = []
        self._n_hoisted = 0

    def array(self, values: np.ndarray) -> str:
        """Define a constant and return its name."""
        kind, end = ("double", "") if values.dtype == np.float64 else ("float", "f")
        name = f"{self.prefix}_a{len(self.arrays)}"
        numbers = [f"{value!s}{end}" for value in values.ravel()]
        rows = (", ".join(numbers[i : i + 8]) for i in range(0, len(numbers), 8))
        text = ",\n    ".join(rows)
        self.arrays.append(f"static const {kind} {name}[{values.size}] = {{\n    {text}}};")
        return name

    def as_images(self, rows: str, shape: Shape) -> str:
        return rows

    def as_rows(self, images: str, shape: Shape) -> str:
        return images

    def affine(self, operation: Affine, found: str) -> str:
        n_in, n_out = operation.weights.shape
        weights, biases = self._weights(operation)
        other = self._other(found, n_out)
        self.lines += [
            f"memcpy({other}, {biases}, sizeof {biases});",
            f"for (int i = 0; i < {n_in}; i++)",
            f"    for (int j = 0; j < {n_out}; j++)",
            f"        {other}[j] += {found}[i] * {weights}[i * {n_out} + j];",
        ]
        return other

    def select(self, operation: Select, found: str) -> str:
        n = size_of(operation.outputs)
        other = self._other(found, n)
        index = ", ".join(map(str, operation.index.tolist()))
        name = f"{self.prefix}_a{len(self.arrays)}"
        self.arrays.append(f"static const int {name}[{n}] = {{{index}}};")
        self.lines += [f"for (int j = 0; j < {n}; j++)", f"    {other}[j] = {found}[{name}[j]];"]
        return other

    def convolve(self, operation: Convolve, found: str) -> str:
        weights, biases = self._weights(operation)
        other = self._other(found, size_of(operation.outputs))
        (height, width, channels), (rows, columns, filters) = operation.inputs, operation.outputs
        tall, wide = operation.weights.shape[:2]
        top, left = operation.padding[:2]
        down, right = operation.stride
        self.lines += [
            f"for (int y = 0; y < {rows}; y++)",
            f"    for (int x = 0; x < {columns}; x++) {{",
            f"        float *out = {other} + (y * {columns} + x) * {filters};",
            f"        memcpy(out, {biases}, sizeof {biases});",
            f"        for (int v = 0; v < {tall}; v++)",
            f"            for (int u = 0; u < {wide}; u++) {{",
            f"                const int row = y * {down} + v - {top}, "
            f"column = x * {right} + u - {left};",
            f"                if (row < 0 || row >= {height} || column < 0 || column >= {width})",
            "                    continue;",
            f"                const float *in = {found} + (row * {width} + column) * {channels};",
            f"                const float *w = {weights} + (v * {wide} + u) * "
            f"{channels * filters};",
            f"                for (int c = 0; c < {channels}; c++)",
            f"                    for (int j = 0; j < {filters}; j++)",
            f"                        out[j] += in[c] * w[c * {filters} + j];",
            "            }",
            "    }",
        ]
        return other

    def pool(self, operation: Pool, found: str) -> str:
        other = self._other(found, size_of(operation.outputs))
        _, width, channels = operation.inputs
        rows, columns = operation.outputs[:2] if len(operation.outputs) == 3 else (1, 1)
        (tall, wide), (down, right) = operation.size, operation.stride
        first, taken, last = "0.0f", "m += in[0];", f"m / {float(tall * wide)}f"
        if operation.takes_max:
            first, taken, last = "-INFINITY", "m = fmaxf(m, in[0]);", "m"
        self.lines += [
            f"for (int y = 0; y < {rows}; y++)",
            f"    for (int x = 0; x < {columns}; x++)",
            f"        for (int c = 0; c < {channels}; c++) {{",
            f"            float m = {first};",
            f"            for (int v = 0; v < {tall}; v++)",
            f"                for (int u = 0; u < {wide}; u++) {{",
            f"                    const float *in = {found} + ((y * {down} + v) * {width} + "
            f"x * {right} + u) * {channels} + c;",
            f"                    {taken}",
            "                }",
            f"            {other}[(y * {columns} + x) * {channels} + c] = {last};",
            "        }",
        ]
        return other

    def sort(self, operation: Sort, found: str) -> str:
        other, n = self._other(found, size_of(operation.outputs)), size_of(operation.outputs)
        self.lines += [
            f"for (int i = 0; i < {n}; i++) {{",
            "    int j = i;",
            f"    for (; j > 0 && {other}[j - 1] > {found}[i]; j--)",
            f"        {other}[j] = {other}[j - 1];",
            f"    {other}[j] = {found}[i];",
            "}",
        ]
        return other

    def apply(self, operation: Apply, found: str) -> str:
        other = found if found in ("a", "b") else self._other(found, size_of(operation.outputs))
        self.apply_to(operation, found, other)
        return other

    def apply_to(self, operation: Apply, found: str, other: str, kind: str = "float") -> None:
        """Write a formula of each element of one array to another, whose elements have a kind."""
        n, channels = size_of(operation.outputs), operation.inputs[-1]
        arrays = {name: np.atleast_1d(value) for name, value in operation.constants.items()}
        wide = any(isinstance(value, np.ndarray) and value.dtype == np.float64
                   for value in operation.constants.values())  # fmt: skip
        values = {"z": f"(double){found}[j]" if wide else f"{found}[j]"}
        for name, array in arrays.items():
            index = "j" if array.size == n else f"j % {channels}"
            values[name] = (
                self.number(float(array[0]), wide)
                if array.size == 1
                else f"{self.array(array)}[{index}]"
            )
        inner: list[str] = []
        language = self._language(n, wide, None if is_row_wise(operation.formula) else inner)
        value = language.evaluate(operation.formula, values)
        if value != f"{other}[j]":
            lines = [f"    {line}" for line in (*inner, f"{other}[j] = ({kind}){value};")]
            self.lines += [f"for (int j = 0; j < {n}; j++) {{", *lines, "}"]

    def assign(self, formula: str, value: str, target: str) -> None:
        """Write a formula of a value in double to a target in float."""
        inner = [f"const double x = {value};"]
        result = self._language(1, True, inner).evaluate(formula, {"x": "x"})
        lines = [f"    {line}" for line in (*inner, f"{target} = (float){result};")]
        self.lines += ["{", *lines, "}"]

    def _language(self, n: int, wide: bool, inner: list[str] | None) -> Language[str]:
        """Return the language of double (``wide``) or of float, in rows of n elements.

        Intermediate results are added to ``inner``; None: they are written where they are used.
        """
        suffix, kind = ("", "double") if wide else ("f", "float")
        functions: dict[str, Callable[..., str]] = {
            name: text.replace("@", suffix).format for name, text in _FUNCTIONS.items()
        }
        functions["row_max"] = lambda value: self._reduced(value, n, "fmaxf({}, {})", "-INFINITY")
        functions["row_sum"] = lambda value: self._reduced(value, n, "{} + {}", "0.0f")

        def let(name: str, value: str) -> str:
            if inner is None:
                return value
            inner.append(f"const {kind} {name} = {value};")
            return name

        return Language(functions, lambda number: self.number(number, wide), let)

    @staticmethod
    def number(value: float, wide: bool) -> str:
        """Return a literal."""
        text = f"{value!r}" if wide else f"{np.float32(value)!s}f"
        return f"({text})" if value < 0 else text

    def _reduced(self, value: str, n: int, update: str, first: str) -> str:
        """Compute a reduction over a row before the loop over its elements; return its name."""
        name = f"r{self._n_hoisted}"
        self._n_hoisted += 1
        self.lines += [
            f"float {name} = {first};",
            f"for (int j = 0; j < {n}; j++)",
            f"    {name} = {update.format(name, value)};",
        ]
        return name

    def _weights(self, operation: Affine | Convolve) -> tuple[str, str]:
        weights, biases = operation.weights, operation.biases
        return self.array(weights.astype(np.float32)), self.array(biases.astype(np.float32))

    def _other(self, found: str, size: int) -> str:
        """Return the buffer that is not read, of a size."""
        self.largest = max(self.largest, size)
        return "b" if found == "a" else "a"
