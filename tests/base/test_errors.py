"""Errors raised on purpose: how callers catch them, and the exit codes they stand for."""

from __future__ import annotations

import pickle

import pytest

from fastmlp.base.errors import ConfigError, DataError, DivergenceError, FastMLPError, close_match

ALL = [FastMLPError, ConfigError, DataError, DivergenceError]


@pytest.mark.parametrize(
    ("error", "code"),
    [(FastMLPError, 1), (ConfigError, 2), (DataError, 3), (DivergenceError, 4)],
)
def test_exit_codes_are_part_of_the_command_line(error: type[FastMLPError], code: int) -> None:
    assert error.exit_code == code
    assert error("what went wrong").exit_code == code


@pytest.mark.parametrize("error", ALL)
def test_all_are_caught_as_one(error: type[FastMLPError]) -> None:
    with pytest.raises(FastMLPError, match="what went wrong"):
        raise error("what went wrong")


@pytest.mark.parametrize(
    ("error", "usual"),
    [(ConfigError, ValueError), (DataError, ValueError), (DivergenceError, ArithmeticError)],
)
def test_each_is_also_what_python_would_raise(error: type[Exception], usual: type) -> None:
    assert issubclass(error, usual)


def test_divergence_brings_the_result() -> None:
    result = object()
    assert DivergenceError("in epoch 3", result).result is result
    assert DivergenceError("in epoch 3").result is None
    assert str(DivergenceError("in epoch 3", result)) == "in epoch 3"


@pytest.mark.parametrize("error", ALL)
def test_errors_survive_the_way_between_processes(error: type[FastMLPError]) -> None:
    copied = pickle.loads(pickle.dumps(error("what went wrong")))
    assert type(copied) is error and str(copied) == "what went wrong"


def test_a_near_name_is_suggested() -> None:
    assert close_match("rleu", ["tanh", "relu", "elu"]) == "; did you mean 'relu'?"


@pytest.mark.parametrize("known", [["b", "a"], {"a": 1, "b": 2}, iter(["a", "b"])])
def test_without_a_near_name_all_known_ones_are_listed_in_order(known: object) -> None:
    assert close_match("zzz", known) == "; known: a, b"  # type: ignore[arg-type]
