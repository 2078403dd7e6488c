"""The events of a run, and the base class of what receives them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Callback:
    """Base class of callbacks; override the methods that you need.

    After an interruption ``on_train_end`` may be called without ``on_train_begin``.

    ``monitored_columns`` names columns that the callback adds to every row of the history and that
    can be monitored, and whether higher is better: ``monitored_columns = {"gap": False}``.

    ``reads_weights``: whether events need the present weights of ``run.network``. Several epochs of
    a small table are trained in one launch; with False their weights are not copied for this
    callback, and ``on_progress`` is called once a launch.

    ``run`` is the current :class:`~fastmlp.training.run.Run`, with ``run.config``,
    ``run.network``, ``run.history``, ``run.epoch``, ``run.rows_done`` and ``run.n_train`` of this
    epoch, the current ``run.train_loss``, and ``run.request_stop()``.
    """

    monitored_columns: Mapping[str, bool] = MappingProxyType({})
    reads_weights = True

    def on_setup(self, run: Any) -> None:
        """Called when data and network are ready, before kernels are compiled or loaded."""

    def on_train_begin(self, run: Any) -> None:
        """Called before the first epoch."""

    def on_progress(self, run: Any) -> None:
        """Called within an epoch, about twenty times a second."""

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        """Called after an epoch and its evaluation; ``row`` is the new row of the history.

        A callback may add columns to it: numbers, texts, True, False or None.
        """

    def after_epoch(self, run: Any, row: dict[str, Any]) -> None:
        """Called after ``on_epoch_end`` of all callbacks, when the row is complete."""

    def on_train_end(self, run: Any) -> None:
        """Called after the last epoch, also after an error or an interruption."""

    def of_model(self, number: int) -> Callback:
        """Return the callback for one of the models of an ensemble, each with a run of its own.

        By default a copy if there is a ``state_dict``, else the callback itself. Callbacks are
        called on the threads of the runs, and never two at the same time.

        Parameters
        ----------
        number : int
            Of the model, from 1: ``run.number``.
        """
        has_state = type(self).state_dict is not Callback.state_dict
        return copy.copy(self) if has_state else self

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint; must be JSON serializable."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state of :meth:`state_dict`; called after ``on_train_begin``."""


EVENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class Listeners(NamedTuple):
    """The callbacks with a method of their own for an event, and whether one reads weights."""

    methods: list[tuple[Callback, Callable[..., None]]]
    read_weights: bool


def listeners_of(callbacks: Iterable[Callback], event: str) -> Listeners:
    """Return what is called for an event."""
    methods = [(callback, getattr(callback, event)) for callback in callbacks]
    own = [
        (callback, method)
        for callback, method in methods
        if getattr(method, "__func__", None) is not getattr(Callback, event)
    ]
    return Listeners(own, any(callback.reads_weights for callback, _ in own))
