"""Formulas that exports compute."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp.base.dates import parts_of
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.expressions import NAMES, Language, is_row_wise
from fastmlp.ops.fitted_columns import CALENDAR
from reference import FORWARD

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "negative": operator.neg, "greater": operator.gt,
    "less": operator.lt, "greater_equal": operator.ge, "less_equal": operator.le,
    "abs": np.abs, "cos": np.cos, "erf": np.vectorize(math.erf), "exp": np.exp,
    "floor": np.floor, "isnan": np.isnan, "log": np.log, "maximum": np.maximum,
    "minimum": np.minimum, "row_max": lambda x: x.max(axis=-1, keepdims=True),
    "row_sum": lambda x: x.sum(axis=-1, keepdims=True), "sin": np.sin, "sqrt": np.sqrt,
    "tanh": np.tanh, "where": np.where,
}  # fmt: skip
NUMPY: Language[Any] = Language(FUNCTIONS, float)


def test_every_function_has_a_meaning() -> None:
    assert {*FUNCTIONS} == {*NAMES}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * x - 4 / 2", 5.0), ("-x", -3.0), ("-2", -2.0), ("x - -2", 5.0),
        ("a = x * x\nb = a + a\nb", 18.0), ("where(x >= 3, 1, 0)", 1.0),
        ("where(isnan(x), 1, 0)", 0.0), ("x = x + 1\nx", 4.0),
    ],
)  # fmt: skip
def test_value_of_a_formula(formula: str, value: float) -> None:
    assert NUMPY.evaluate(formula, {"x": 3.0}) == value


@pytest.mark.parametrize(
    "formula",
    ["y", "x ** 2", "open('x')", "x.real", "[x]", "'x'", "True", "x if x else x", "1 < x < 2",
     "a = 1", "", "x\nx", "import os", "x = y = 1\nx", "+x", "f(x)"],
)  # fmt: skip
def test_anything_else_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        NUMPY.evaluate(formula, {"x": 3.0})


def test_unused_lines_are_left_out() -> None:
    seen = []
    language: Language[Any] = Language(FUNCTIONS, float, lambda n, v: [seen.append(n), v][1])
    language.evaluate("a = x\nb = x\nc = a\nc + 1", {"x": 1.0})
    assert seen == ["a", "c"]


@pytest.mark.parametrize("name", ACTIVATIONS.names())
def test_expression_of_an_activation_is_its_twin(name: str) -> None:
    record = ACTIVATIONS.parse(name)
    ends = np.array([[-1000.0, -100.0, -30.0, -1e-8, 0.0], [1e-8, 0.5, 30.0, 100.0, 700.0]])
    z = np.vstack([ends, np.random.default_rng(0).normal(0, 5, (40, 5))])
    values = {"z": z, **vars(record)}
    with np.errstate(over="ignore"):
        found = NUMPY.evaluate(record.expression, values)
        expected = FORWARD[name](z, record.kernel_parameter)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert is_row_wise(record.expression) == record.is_row_wise


@pytest.mark.parametrize("part", ["year", "month", "weekday", "hour"])
def test_calendar_of_formulas_is_that_of_numpy(part: str) -> None:
    rng = np.random.default_rng(0)
    seconds = np.concatenate([
        rng.integers(-(10**11), 10**11, 2000), np.arange(-5, 5), 86_400 * np.arange(-900, 900)
    ]).astype(float)  # fmt: skip
    found = NUMPY.evaluate(f"{CALENDAR}{part}", {"x": seconds})
    np.testing.assert_array_equal(found, getattr(parts_of(seconds), part))
