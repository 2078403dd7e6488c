"""A folder of checkpoints: when one is due, the last two kept, and resuming from the newest."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ..base.errors import ConfigError, DataError, FastMLPError
from ..base.files import remove_partial
from ..base.folders import lock_folder, make_folder
from ..model.tensor_file import Expected, Header, Tensors
from .checkpoint import LoopState, load_checkpoint, read_facts, save_checkpoint, unreadable_facts
from .identity import differences, machine
from .interval import Interval

KEPT = 2
T = TypeVar("T")
_WHAT = "checkpoint_dir"


class Checkpoints:
    """Writes checkpoints into a folder, which is locked for others until it is closed.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist.
    every : int, str or None
        See :meth:`Interval.parse`; None: the value of the resumed run, else 1.
    identity : dict
        Of the run, see :func:`~fastmlp.training.identity.identity`.
    resume : bool, default False
        Whether to resume from the checkpoints in the folder, if there are any.

    Raises
    ------
    ConfigError
        If the folder contains checkpoints and ``resume`` is false, or checkpoints of another run:
        the message names the differences. If it cannot be created, or another process or thread
        uses it.
    DataError
        If all checkpoints are damaged.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: int | str | None,
        identity: dict[str, Any],
        resume: bool = False,
    ):
        self.folder, self.identity = make_folder(folder, _WHAT), identity
        self._readable: list[Path] = []
        self._lock = lock_folder(self.folder, _WHAT)
        try:
            stored = self._begin(resume)
            self.interval = Interval.parse(stored or 1 if every is None else every)
        except BaseException:
            self.close()
            raise
        self._written = time.monotonic()

    def _begin(self, resume: bool) -> str | None:
        """Check the contents of the folder; return the interval of the resumed run."""
        refuse_files(_files_of_models(self.folder), self.identity, resume)
        if resume:
            remove_partial(self.folder)
            return self._check_same()
        refuse_files(_files_in(self.folder), self.identity, resume)
        return None

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.release()

    def load_newest(
        self, expected: Callable[[Header], Expected], restore: Callable[[Header, Tensors], T]
    ) -> T | None:
        """Return the result of ``restore`` for the newest undamaged checkpoint; None without any.

        Parameters as for :func:`~fastmlp.training.checkpoint.load_checkpoint`.

        Raises
        ------
        DataError
            If there are checkpoints and all are damaged.
        """
        for path in self._readable:
            try:
                return load_checkpoint(path, expected, restore)
            except DataError as error:
                if path == self._readable[-1]:
                    raise
                _warn_of(error, 6)
        return None

    def is_due(self, finished_epoch: int | None) -> bool:
        """Whether to write a checkpoint, at the end of an epoch or, with None, within one."""
        interval = self.interval
        if interval.seconds:
            return time.monotonic() - self._written >= interval.seconds
        return finished_epoch is not None and finished_epoch % interval.epochs == 0

    def save(self, state: LoopState, iterations: int) -> None:
        """Write a state after a number of updates, and remove all but the last two checkpoints.

        Warns if the file cannot be written, or a callback's state is not JSON serializable.
        """
        path = self.folder / f"checkpoint-{iterations:012d}.safetensors"
        facts = {
            "identity": self.identity,
            "machine": machine(),
            "every": self.interval.text,
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_checkpoint(state, path, facts)
        except (OSError, FastMLPError) as error:
            # A full disk must not end the training.
            warnings.warn(f"{error}; training continues without it", stacklevel=2)
        else:
            for old in _files_in(self.folder)[KEPT:]:
                old.unlink(missing_ok=True)
        self._written = time.monotonic()

    def _check_same(self) -> str | None:
        """Find the readable files; return their interval."""
        files = _files_in(self.folder)
        for number, path in enumerate(files):
            try:
                facts = _facts_of(path, self.identity)
            except DataError as error:
                if path == files[-1]:
                    raise
                _warn_of(error, 7)
                continue
            self._readable = files[number:]
            return str(facts["every"])
        return None


def check_no_files(folder: Path, identity: dict[str, Any], resume: bool) -> None:
    """Raise ConfigError if a folder for ensembles contains checkpoints of a single model."""
    refuse_files(_files_in(folder), identity, resume)


def refuse_files(files: list[Path], identity: dict[str, Any], resume: bool) -> None:
    """Raise ConfigError if there are checkpoints, with ``resume`` for their differences."""
    if not files:
        return
    if resume:
        _facts_of(files[0], identity)
    raise ConfigError(
        f"checkpoint_dir {files[0].parent} contains checkpoints; resume from them with resume, "
        "or choose another folder"
    )


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints in a folder and of the models in it, and all folders then empty.

    Raises
    ------
    ConfigError
        If another process or thread uses it.
    """
    if not folder.is_dir():
        return
    lock = lock_folder(folder, _WHAT)
    try:
        for of_model in folder.glob("model-*"):
            remove_checkpoints(of_model)
        for path in _files_in(folder):
            path.unlink(missing_ok=True)
    finally:
        lock.release()
    with suppress(OSError):  # not before: on Windows the folder holds the lock's file
        folder.rmdir()


def _files_in(folder: Path) -> list[Path]:
    """Return all checkpoints, newest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"), reverse=True)


def _files_of_models(folder: Path) -> list[Path]:
    return sorted(folder.glob("model-*/checkpoint-*.safetensors"))


def _facts_of(path: Path, identity: dict[str, Any]) -> Header:
    """Return the facts of a checkpoint's run; ConfigError if it is another run."""
    facts = read_facts(path)
    try:
        found = differences(facts["identity"], identity)
    except (AttributeError, KeyError, TypeError):
        raise unreadable_facts(path) from None
    if found:
        raise ConfigError(
            f"resume needs the settings and data of the run in {path.parent}, and these differ: "
            f"{'; '.join(found)}; give the same, or choose another folder"
        )
    if facts["machine"] != machine():
        warnings.warn(
            f"the run was started on {facts['machine']}, this is {machine()}: its last bits may "
            "differ from those of a run without interruption",
            stacklevel=7,
        )
    return facts


def _warn_of(error: Exception, level: int) -> None:
    warnings.warn(f"{error}; resuming from the checkpoint before it", stacklevel=level)
