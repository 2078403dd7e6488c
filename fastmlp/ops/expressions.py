"""Formulas that any language can compute: a few functions in Python's syntax.

A formula is lines such as ``e = exp(z - row_max(z))``, of which the last is the value. Activations,
scalings and encodings have formulas, from which exports write NumPy, C, ONNX and PyTorch.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.USub: "negative",
    ast.Gt: "greater",
    ast.Lt: "less",
    ast.GtE: "greater_equal",
    ast.LtE: "less_equal",
}
# isnan and comparisons return truth values, of which where takes one. row_max and row_sum are taken
# over all elements of a row.
FUNCTIONS = (
    "abs", "cos", "erf", "exp", "floor", "isnan", "log", "maximum", "minimum", "row_max", "row_sum",
    "sin", "sqrt", "tanh", "where",
)  # fmt: skip
NAMES = (*_OPERATORS.values(), *FUNCTIONS)
ROW_FUNCTIONS = ("row_max", "row_sum")


class Language(Generic[T]):
    """How a language computes: T is what it has for a value, such as a text or a tensor.

    Parameters
    ----------
    functions : mapping of str to callable
        For each of ``NAMES``: returns the value for given arguments.
    number : callable
        Returns the value of a number.
    let : callable, optional
        Returns the value of a named intermediate result, given its name and value.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., T]],
        number: Callable[[float], T],
        let: Callable[[str, T], T] = lambda name, value: value,
    ):
        self.functions, self.number, self.let = functions, number, let

    def evaluate(self, formula: str, values: Mapping[str, T]) -> T:
        """Return the value of a formula, given those of its names.

        Raises
        ------
        ValueError
            For syntax that is not part of formulas, or an unknown name.
        """
        known = dict(values)
        *lines, last = _lines(formula)
        for line in lines:
            known[line[0]] = self.let(line[0], self._value(line[1], known))
        return self._value(last[1], known)

    def _value(self, node: ast.expr, known: Mapping[str, T]) -> T:
        match node:
            case ast.Constant(value=int() | float() as number) if type(number) is not bool:
                return self.number(float(number))
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return self.number(-float(number))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                return self._call(_OPERATORS[type(op)], [operand], known)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._call(_OPERATORS[type(op)], [left, right], known)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return self._call(_OPERATORS[type(op)], [left, right], known)
            case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
                return self._call(name, args, known)
        raise ValueError(f"a formula must not hold {ast.unparse(node)!r}")

    def _call(self, name: str, arguments: list[ast.expr], known: Mapping[str, T]) -> T:
        return self.functions[name](*(self._value(argument, known) for argument in arguments))


def is_row_wise(formula: str) -> bool:
    """Return whether a formula needs all elements of a row at once."""
    return any(name in formula for name in ROW_FUNCTIONS)


@lru_cache(maxsize=256)
def _lines(formula: str) -> tuple[tuple[str, ast.expr], ...]:
    """Return the name, empty for the last one, and the expression of each line."""
    found: list[tuple[str, ast.expr]] = []
    for statement in ast.parse(formula).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append((name, value))
            case ast.Expr(value=value):
                found.append(("", value))
            case _:
                raise ValueError(f"a formula must not hold {ast.unparse(statement)!r}")
    if [name == "" for name, _ in found] != [False] * (len(found) - 1) + [True]:
        raise ValueError(f"the last line of a formula must be its value, got {formula!r}")
    return tuple(_used(found))


def _used(lines: list[tuple[str, ast.expr]]) -> list[tuple[str, ast.expr]]:
    """Return the lines without intermediate results of which nothing is made."""
    kept, needed = [], {""}
    for name, value in reversed(lines):
        if name in needed:
            kept.append((name, value))
            needed |= {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return kept[::-1]
