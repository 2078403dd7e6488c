"""Compilation for several processes: one compiles the kernels, the others load them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from ..base.files import locked
from ..training.config import TrainConfig
from ..training.warm_up import kept_in, temporary_note

_LOCK = "fastmlp.lock"
_ready: set[tuple[object, ...]] = set()


@contextmanager
def compiled_once(config: TrainConfig) -> Iterator[bool]:
    """Let one process at a time create and compile a run with these settings.

    The workers of a search begin together: each would take half a minute to compile the same.

    Yields
    ------
    bool
        Whether it is the first time.
    """
    needs = (config.dtype, config.mode, config.activation, config.output_activation, config.loss,
             config.optimizer)  # fmt: skip
    if needs in _ready:
        yield False
        return
    if (note := temporary_note()) is not None:
        warnings.warn(note, stacklevel=2)
    with _lock():
        yield True
    _ready.add(needs)


def _lock() -> AbstractContextManager[None]:
    """Return a lock between processes, if kernels are kept on disk."""
    folder = kept_in()
    if folder is None:
        return nullcontext()
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return locked(Path(folder) / _LOCK)
