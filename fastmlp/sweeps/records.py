"""Checks of rows of the store, so that a trial has all its fields."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from ..base.errors import ConfigError
from ..base.json_values import digest
from ..training.config import TrainConfig
from .leaderboard import Trial

_FIELDS = {field.name for field in dataclasses.fields(TrainConfig)}


def trial_from(row: tuple[Any, ...], rank_by: str) -> Trial:
    """Return the trial of a row.

    Parameters
    ----------
    row : tuple
        Key, settings, config, status, error, four more texts of JSON, and the digest of all these.
    rank_by : str
        The metric that finished trials must have.

    Raises
    ------
    ValueError
        If something in it is not what was written.
    """
    *record, sha256 = row
    if sha256 != digest(*record):
        raise ValueError(f"the record of cell {row[0]!r:.80} does not have its checksum")
    key, settings, config, status, error, *texts = record
    try:
        parsed = [json.loads(text) for text in (settings, config, *texts)]
    except (TypeError, RecursionError) as wrong:
        raise ValueError(f"a column holds no JSON: {wrong}") from None
    trial = Trial(key, parsed[0], parsed[1], status, error, *parsed[2:])
    _check(trial, rank_by)
    return trial


def _check(trial: Trial, rank_by: str) -> None:
    texts = (trial.key, trial.status, trial.error)
    _demand(all(isinstance(text, str) for text in texts), "key, status and error", "texts")
    _demand(
        isinstance(trial.settings, dict) and set(trial.settings) <= _FIELDS,
        "settings", "a table of settings",
    )  # fmt: skip
    _demand(
        isinstance(trial.config, dict) and set(trial.config) == _FIELDS,
        "config", "a table of all settings",
    )  # fmt: skip
    try:
        # Without metrics, of which functions are recorded by their names alone.
        TrainConfig.from_dict({**trial.config, "metrics": ()})
    except ConfigError as error:
        raise ValueError(f"config: {error}") from None
    for name in ("history", "iterations"):
        columns = getattr(trial, name)
        _demand(
            isinstance(columns, dict)
            and all(isinstance(c, list) and all(map(_is_number, c)) for c in columns.values())
            and len({len(column) for column in columns.values()}) < 2,
            name, "columns of numbers, equally long",
        )  # fmt: skip
    for name in ("metrics", "timings"):
        values = getattr(trial, name)
        _demand(
            isinstance(values, dict) and all(map(_is_number, values.values())),
            name, "a table of numbers",
        )  # fmt: skip
    if trial.is_good:
        _demand(rank_by in trial.metrics, "metrics", "what cells are ranked by")
        _demand(trial.metrics.get("validation_loss") is not None, "metrics", "with a loss")


def _is_number(value: Any) -> bool:
    """Whether a value is None or a number in the range of float64."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 1 << 63
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _demand(is_so: bool, name: str, rule: str) -> None:
    if not is_so:
        raise ValueError(f"{name} must be {rule}")
