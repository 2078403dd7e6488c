"""The file of a checkpoint: the identity of its run, and the state of its loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..base.errors import CallbackError, DataError
from ..base.json_values import digest
from ..model.tensor_file import (
    Expected,
    Format,
    Header,
    Tensors,
    read_header,
    read_tensors,
    write_tensors,
)

# The identity of a run has its own checksum, so that it can be checked without reading tensors,
# which may be far larger than those of this run.
FACTS = ("identity", "machine", "every")
CHECKPOINT = Format(
    "checkpoint",
    version=3,
    entries=(
        *FACTS, "facts_sha256", "epoch", "block", "recorded_steps", "stop_status",
        "loss_limit", "best", "rate_controller", "callbacks", "seconds",
    ),
    advice="give the folder that --checkpoint-every wrote into",
)  # fmt: skip
T = TypeVar("T")


class LoopState(NamedTuple):
    """Everything that the rest of a run depends on, between two slices of an epoch.

    Attributes
    ----------
    entries : dict
        JSON serializable; ``callbacks`` is a list of names and states.
    tensors : dict of ndarray
    """

    entries: Header
    tensors: dict[str, np.ndarray]


def save_checkpoint(state: LoopState, path: Path, facts: Header) -> None:
    """Write a state, with the ``FACTS`` of its run.

    Raises
    ------
    FastMLPError
        If the file cannot be written; CallbackError if a callback's state is not JSON serializable.
    """
    entries = {**facts, "facts_sha256": digest(facts), **state.entries}
    try:
        write_tensors(path, CHECKPOINT, entries, state.tensors)
    except TypeError as error:
        names = ", ".join(name for name, _ in state.entries["callbacks"])
        raise CallbackError(
            f"the state_dict of a callback ({names}) must be JSON serializable: {error}"
        ) from None


def read_facts(path: Path) -> Header:
    """Return the ``FACTS`` of the run of a checkpoint; the rest of the file is not read.

    Raises
    ------
    DataError
        If the file is missing or has another format, or its facts are damaged.
    """
    header = read_header(path, CHECKPOINT)
    facts = {name: header[name] for name in FACTS}
    with suppress(RecursionError):  # brackets within brackets
        if header["facts_sha256"] == digest(facts):
            return facts
    raise unreadable_facts(path)


def unreadable_facts(path: Path) -> DataError:
    """Return the error for a checkpoint whose facts are damaged."""
    return DataError(
        f"checkpoint file {path} is damaged: the settings and data of its run cannot be read"
    )


def load_checkpoint(
    path: Path, expected: Callable[[Header], Expected], restore: Callable[[Header, Tensors], T]
) -> T:
    """Return the result of ``restore`` for a checkpoint.

    Parameters
    ----------
    path : Path
    expected : callable
        Returns the dtype and the possible shapes of each tensor, given the header.
    restore : callable
        Is called with the header and the tensors.

    Raises
    ------
    DataError
        If the file is damaged, or is not a checkpoint of such a loop.
    """
    return read_tensors(path, CHECKPOINT, expected, restore)


def check_integer(header: Header, name: str, least: int, most: int) -> None:
    """Raise ValueError unless an entry is an integer from ``least`` to ``most``."""
    value = header[name]
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, got {value!r:.80}")


def checked_number(value: Any) -> float:
    """Return a time or a limit; ValueError unless it is a number of at least 0."""
    if type(value) not in (int, float) or math.isnan(value) or value < 0:
        raise ValueError(f"times and limits must be numbers of at least 0, got {value!r:.80}")
    return float(value)


def checked_text(value: Any) -> str:
    """Return the stop status; ValueError unless it is a text."""
    if not isinstance(value, str):
        raise ValueError(f"stop_status must be a text, got {value!r:.80}")
    return value
