"""Errors that fastmlp raises on purpose, each with the exit code of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class FastMLPError(Exception):
    """Base class of this package's errors; ``exit_code`` is the exit code of command lines."""

    exit_code = 1


class ConfigError(FastMLPError, ValueError):
    """A setting, or a combination of settings, that cannot be carried out."""

    exit_code = 2


class DataError(FastMLPError, ValueError):
    """Data that is missing, damaged, or does not fit the task."""

    exit_code = 3


class TrainingError(FastMLPError):
    """Training failed.

    Parameters
    ----------
    message : str
    result : TrainResult
        What :func:`fastmlp.fit` would have returned, with the best weights so far.
    """

    def __init__(self, message: str, result: Any = None):
        super().__init__(message)
        self.result = result


class DivergenceError(TrainingError, ArithmeticError):
    """Training diverged: a loss or a weight is not finite, or a loss exceeds the limit."""

    exit_code = 4


class CallbackError(TrainingError, RuntimeError):
    """A callback raised an exception, which is the ``__cause__``."""


def close_match(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` or, without a near name, the list of known names."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


def check_type(name: str, value: object, wanted: type, remedy: str) -> None:
    """Raise ConfigError for an argument of another type; ``remedy`` is what to give."""
    if not isinstance(value, wanted):
        raise ConfigError(
            f"{name} must be of type {wanted.__name__}, got {value!r:.80}; give {remedy}"
        )
