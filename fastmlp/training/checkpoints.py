"""A folder of checkpoints: when one is due, the last two kept, and going on from the newest."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError, DataError, FastMLPError
from ..base.files import remove_partial
from ..base.folders import lock_folder, make_folder
from ..model.tensor_file import Header
from .checkpoint import load_checkpoint, read_facts, save_checkpoint
from .identity import differences, machine
from .interval import Interval

if TYPE_CHECKING:
    from .loop import Loop

KEPT = 2
_WHAT = "checkpoint_dir"


class Checkpoints:
    """Writes a loop into a folder from time to time; until it is closed, nobody else does.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    every : int, str or None
        See :meth:`Interval.parse`; None: as the run began, else 1.
    identity : dict
        Of the run, see :func:`~fastmlp.training.identity.identity`.
    resume : bool, default False
        Whether to go on from what the folder holds, if it holds any.

    Raises
    ------
    ConfigError
        If the folder holds checkpoints and ``resume`` is false, or they are of another run: the
        differences are named. If it cannot be made, or another process or thread trains in it.
    DataError
        If all that it holds are damaged.
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
        """Look at what the folder holds; return how often it was written."""
        if resume:
            remove_partial(self.folder)
            return self._check_same()
        if _files_in(self.folder):
            raise ConfigError(
                f"checkpoint_dir {self.folder} holds checkpoints already; go on from them by "
                "resume, or choose another folder"
            )
        return None

    def close(self) -> None:
        """Let others have the folder."""
        self._lock.release()

    def resume(self, loop: Loop) -> None:
        """Let a new loop go on from the newest checkpoint that is whole, if there is one.

        Raises
        ------
        DataError
            If there are some and none is whole.
        """
        for path in self._readable:
            try:
                load_checkpoint(loop, path)
                return
            except DataError as error:
                if path == self._readable[-1]:
                    raise
                _warn_of(error, 5)

    def save_if_due(self, loop: Loop, epoch_has_ended: bool) -> None:
        """Write the loop if it is time."""
        interval = self.interval
        if interval.seconds:
            due = time.monotonic() - self._written >= interval.seconds
        else:
            due = epoch_has_ended and loop.run.epoch % interval.epochs == 0
        if due:
            self.save(loop)

    def save(self, loop: Loop) -> None:
        """Write the loop, and remove all but the last two; warn if that fails."""
        path = self.folder / f"checkpoint-{loop.run.steps.iterations:012d}.safetensors"
        facts = {
            "identity": self.identity,
            "machine": machine(),
            "every": self.interval.text,
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_checkpoint(loop, path, facts)
        except (OSError, FastMLPError) as error:
            # A full disk must not cost what was trained so far.
            warnings.warn(f"{error}; training goes on without it", stacklevel=2)
        else:
            for old in _files_in(self.folder)[KEPT:]:
                old.unlink(missing_ok=True)
        self._written = time.monotonic()

    def _check_same(self) -> str | None:
        """Take note of the files that can be read; return how often they were written."""
        files = _files_in(self.folder)
        for number, path in enumerate(files):
            try:
                facts = _facts_of(path, self.identity)
            except DataError as error:
                if path == files[-1]:
                    raise
                _warn_of(error, 6)
                continue
            self._readable = files[number:]
            return str(facts["every"])
        return None


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a folder, and the folder if nothing else is in it.

    Raises
    ------
    ConfigError
        If another process or thread trains in it.
    """
    if not folder.is_dir():
        return
    lock = lock_folder(folder, _WHAT)
    try:
        for path in _files_in(folder):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
    finally:
        lock.release()


def _files_in(folder: Path) -> list[Path]:
    """Return all checkpoints, the newest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"), reverse=True)


def _facts_of(path: Path, identity: dict[str, Any]) -> Header:
    """Return what a checkpoint says of its run; ConfigError if that is another."""
    facts = read_facts(path)
    try:
        found = differences(facts["identity"], identity)
    except (AttributeError, KeyError, TypeError):
        raise DataError(f"checkpoint file {path} does not say of what run it is") from None
    if found:
        raise ConfigError(
            f"resume needs the run that {path.parent} was begun with, and this is another: "
            f"{'; '.join(found)}; give the same, or choose another folder"
        )
    if facts["machine"] != machine():
        warnings.warn(
            f"the run was begun on {facts['machine']}, this is {machine()}: its last bits may "
            "differ from those of a run without interruption",
            stacklevel=6,
        )
    return facts


def _warn_of(error: Exception, level: int) -> None:
    warnings.warn(f"{error}; going on from the checkpoint before it", stacklevel=level)
