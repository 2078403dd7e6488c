"""A loop as a file: all that the rest of a run depends on, from between two slices of an epoch."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..base.digest import digest
from ..base.errors import CallbackError, ConfigError, DataError
from ..model.tensor_file import (
    AtMost,
    Expected,
    Format,
    Header,
    Tensors,
    read_header,
    read_tensors,
    write_tensors,
)
from .callbacks import Callback
from .loop import Loop

# What a checkpoint says of its run, with a checksum of its own: so whose it is can be told without
# reading what may be many times as much as this run could have written.
FACTS = ("identity", "machine", "every")
CHECKPOINT = Format(
    "checkpoint",
    version=2,
    entries=(
        *FACTS, "facts_sha256", "epoch", "block", "recorded_steps", "stop_status",
        "loss_limit", "best", "watcher", "callbacks", "seconds",
    ),
    advice="give the folder that --checkpoint-every wrote into",
)  # fmt: skip


def save_checkpoint(loop: Loop, path: Path, facts: Header) -> None:
    """Write a loop, with the ``FACTS`` of its run.

    Raises
    ------
    FastMLPError
        If the file cannot be written; CallbackError if a callback's state is not for JSON.
    """
    run = loop.run
    entries = {
        **facts,
        "facts_sha256": digest(facts),
        "epoch": run.epoch,
        "block": run.steps.blocks_done,
        "recorded_steps": loop.recorded_steps,
        "stop_status": run.stop_status,
        "loss_limit": loop.loss_limit,
        "best": loop.best.state_dict(),
        "watcher": loop.rate_controller.state_dict(),
        "callbacks": [[_name(callback), callback.state_dict()] for callback in _stateful(loop)],
        "seconds": {
            "train": loop.seconds_so_far(),
            "step": run.steps.seconds,
            "phases": run.steps.phase_seconds(),
        },
    }
    try:
        write_tensors(path, CHECKPOINT, entries, _tensors(loop, run.steps.blocks_done))
    except TypeError as error:
        names = ", ".join(_name(callback) for callback in _stateful(loop))
        raise CallbackError(
            f"the state_dict of a callback ({names}) must hold what JSON can: {error}"
        ) from None


def read_facts(path: Path) -> Header:
    """Return the ``FACTS`` of the run that a checkpoint is of; nothing else of it is read.

    Raises
    ------
    DataError
        If the file is missing or of another format, or these are damaged.
    """
    header = read_header(path, CHECKPOINT)
    facts = {name: header[name] for name in FACTS}
    with suppress(RecursionError):  # brackets within brackets
        if header["facts_sha256"] == digest(facts):
            return facts
    raise DataError(f"checkpoint file {path} does not say of what run it is; it is damaged")


def load_checkpoint(loop: Loop, path: Path) -> None:
    """Let a new loop go on from where another was saved.

    Raises
    ------
    DataError
        If the file is damaged, or not that of such a loop.
    ConfigError
        If the run has other callbacks.
    """
    run = loop.run

    def expected(header: Header) -> Expected:
        _whole(header, "epoch", 1, run.config.epochs)
        _whole(header, "block", 0, run.steps.blocks_per_epoch)
        lengths = _most_bytes(loop, header["epoch"])
        return {
            name: (array.dtype, [(AtMost(lengths[name]),) if name in lengths else array.shape])
            for name, array in _tensors(loop, header["block"]).items()
        }

    saved = read_tensors(path, CHECKPOINT, expected, lambda *found: _restore(loop, *found))
    names, callbacks = [name for name, _ in saved], _stateful(loop)
    now = [_name(callback) for callback in callbacks]
    if now != names:
        raise ConfigError(
            f"callbacks must be those that the run began with, {names}, got {now} (those that "
            "have a state_dict); give the same"
        )
    loop.callback_states = [
        (callback, state) for callback, (_, state) in zip(callbacks, saved, strict=True)
    ]


def _tensors(loop: Loop, block: int) -> dict[str, np.ndarray]:
    """Return views of a loop's numbers, ``block`` blocks into an epoch, and its tables as bytes."""
    return {
        **loop.run.steps.state(block),
        "best_params": loop.best.params,
        "history": loop.run.history.to_json(),
        "iterations": loop.run.iterations.to_json(),
    }


def _most_bytes(loop: Loop, epoch: int) -> dict[str, int]:
    """Return how many bytes each of a loop's tables can have in an epoch."""
    run, every = loop.run, loop.run.config.log_every
    recorded = epoch * run.steps.steps_per_epoch // every if every else 0
    return {
        "history": run.history.most_bytes(epoch),
        "iterations": run.iterations.most_bytes(recorded),
    }


def _restore(loop: Loop, header: Header, tensors: Tensors) -> list[tuple[str, dict[str, Any]]]:
    """Bring a loop where it was saved; return the names and states of its callbacks."""
    run, epoch = loop.run, header["epoch"]
    _whole(header, "recorded_steps", 0, run.steps.steps_per_epoch)
    run.history.load_json(tensors["history"])
    run.iterations.load_json(tensors["iterations"])
    is_recorded = len(run.history) == epoch
    if run.history["epoch"] != list(range(1, epoch + is_recorded)) or (
        is_recorded and header["block"] < run.steps.blocks_per_epoch
    ):
        raise ValueError(f"history must go up to epoch {epoch}")
    run.stop_status = _text(header["stop_status"])
    loop.loss_limit = _number(header["loss_limit"])
    loop.recorded_steps = header["recorded_steps"]
    loop.best.load_state_dict(header["best"])
    loop.best.params[:] = tensors["best_params"]
    loop.rate_controller.load_state_dict(header["watcher"])
    _restore_seconds(loop, header["seconds"])
    callbacks = [(str(name), state) for name, state in header["callbacks"]]
    if not all(isinstance(state, dict) for _, state in callbacks):
        raise ValueError("callbacks must hold a state each")
    loop.take_up(epoch, header["block"], tensors, is_recorded)
    return callbacks


def _restore_seconds(loop: Loop, seconds: dict[str, Any]) -> None:
    loop.seconds_before = _number(seconds["train"])
    loop.run.steps.seconds = _number(seconds["step"])
    phases = seconds["phases"].items() if isinstance(seconds["phases"], dict) else ()
    loop.run.steps.phase_seconds_before = {name: _number(value) for name, value in phases}


def _stateful(loop: Loop) -> list[Callback]:
    return [
        callback
        for callback in loop.run.callbacks
        if type(callback).state_dict is not Callback.state_dict
    ]


def _name(callback: Callback) -> str:
    return type(callback).__name__


def _whole(header: Header, name: str, least: int, most: int) -> None:
    value = header[name]
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, got {value!r:.80}")


def _number(value: Any) -> float:
    if type(value) not in (int, float) or math.isnan(value) or value < 0:
        raise ValueError(f"times and limits must be numbers of at least 0, got {value!r:.80}")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"stop_status must be a text, got {value!r:.80}")
    return value
