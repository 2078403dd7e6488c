"""What can be told of a run while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """Base of callbacks; override what you need.

    After an interruption ``on_train_end`` can come without ``on_train_begin`` before it.

    ``run`` is the run going on: ``run.config``, ``run.network``, ``run.history``, ``run.epoch``,
    ``run.rows_done`` and ``run.n_train`` of this epoch, ``run.train_loss`` so far, and
    ``run.request_stop()``.
    """

    def on_setup(self, run: Run) -> None:
        """With data and network ready, before kernels are compiled or loaded."""

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_progress(self, run: Run) -> None:
        """Within an epoch, about twenty times a second."""

    def on_epoch_end(self, run: Run, row: dict[str, Any]) -> None:
        """After an epoch and its evaluation; ``row`` is the new row of the history."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, however training ended."""
