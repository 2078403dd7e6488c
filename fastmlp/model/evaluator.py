"""Networks with their workspaces, kept ready from one prediction to the next.

Building one takes longer than a few rows do: 0.2 ms for 4-100-3, 0.3 ms for 784-100-10, which a row
passes in 15 us. They are no part of a model. Whoever predicts borrows one of the right layout and
gives it his weights, unless these are bit by bit the ones that it has. So a changed weight counts
at once, copies and pickles of a model carry nothing along, all models of an ensemble share one, and
threads that predict at the same time have one each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..kernels.buffers import Data, Objective
from ..kernels.rules import codes
from ..ops.activations import Activation
from ..ops.optimizers import SGD
from ..ops.scalers import Scaling
from .encoding import refuse_infinite
from .evaluation import Evaluation, evaluate_network
from .functions import objective
from .network import Network
from .workspace import BLOCK_ROWS, Workspace

# All that a process keeps, in bytes: the least recently used go first, what is larger is not kept.
# 784-500-250-100-10 in float64 takes 14 MB, 4-100-3 for few rows 0.1.
KEPT_BYTES = 32 << 20
# Rows of a block where there are no more: in one of BLOCK_ROWS, a row of 784 features takes 10 us
# longer, since its panels lie apart.
FEW_ROWS = 16


class NetworkLayout(NamedTuple):
    """What decides the buffers of a network, and the kernels that it uses."""

    layer_sizes: tuple[int, ...]
    activations: tuple[Activation, ...]
    dtype: np.dtype


class Evaluator:
    """A network of its own and a workspace to evaluate it.

    Parameters
    ----------
    layout : NetworkLayout
    block_rows : int
        How many rows are taken through the network at once.
    data : Data
        Rows such as it will be used for: dense, bytes or lists, or to be listed.
    """

    def __init__(self, layout: NetworkLayout, block_rows: int, data: Data):
        self.network = Network(*layout)
        self.workspace = Workspace(
            self.network,
            block_rows,
            training=False,
            sparse=data.sparse,
            makes_lists=data.compress != 0,
        )
        workspace = self.workspace
        buffers = workspace.net, workspace.work, workspace.list_scratch
        self.bytes = _bytes(buffers) + self.network.params.nbytes
        self._is_checked = False

    def take_params(self, params: np.ndarray) -> None:
        """Take over the parameters of a network of the same layout, whatever they are."""
        if not _same_bits(params, self.network.params):
            self.network.params[...] = params
            self.workspace.load()
            self._is_checked = False

    def take_weights(self, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> None:
        """Take over weights and biases.

        Parameters and errors as for :meth:`Network.set_weights`.
        """
        given, own = [*weights, *biases], [*self.network.weights, *self.network.biases]
        if self._is_checked and len(given) == len(own) and all(map(_same_bits, given, own)):
            return
        self.network.set_weights(weights, biases)
        self.workspace.load()
        self._is_checked = True

    def run(
        self, data: Data, threads: int, scaling: Scaling, goal: Objective | None = None
    ) -> Evaluation:
        """Return the outputs for rows, and what the objective says of them.

        Parameters
        ----------
        data : Data
        threads : int
        scaling : Scaling
            Of the features, for the message.
        goal : Objective, optional
            Default: outputs alone.

        Raises
        ------
        DataError
            If rows of which lists are made hold what is not finite, after scaling.
        """
        is_infinite = self.workspace.list_scratch.is_infinite
        is_infinite[0] = 0
        goal = _outputs_alone(self.network.dtype) if goal is None else goal
        found = evaluate_network(self.workspace, data, goal, threads, want_outputs=True, load=False)
        if is_infinite[0]:
            refuse_infinite(scaling, self.network.dtype)
        return found


@cache
def _outputs_alone(dtype: np.dtype) -> Objective:
    """Return what stands for an objective where there are no targets."""
    return objective(None, SGD(), dtype, codes.REGRESSION)


_kept: list[tuple[Any, Evaluator]] = []  # the least recently used first
_lock = threading.Lock()


@contextmanager
def borrowed(layout: NetworkLayout, data: Data) -> Iterator[Evaluator]:
    """Lend an evaluator for rows like these, with whatever weights, to nobody else meanwhile.

    One whose use has failed is not kept.

    Parameters
    ----------
    layout : NetworkLayout
    data : Data

    Raises
    ------
    ConfigError
        As :class:`Network` does.
    """
    rows = FEW_ROWS if data.order.size <= FEW_ROWS else BLOCK_ROWS
    key = layout, rows, data.sparse.forward != 0, data.compress != 0
    evaluator = _take(key) or Evaluator(layout, rows, data)
    yield evaluator
    _put(key, evaluator)


# Neither ever waits: a signal's handler that predicts may have interrupted the thread that has the
# lock. Who cannot have it builds anew, or keeps nothing.


def _take(key: Any) -> Evaluator | None:
    if _lock.acquire(blocking=False):
        try:
            for place in reversed(range(len(_kept))):
                if _kept[place][0] == key:
                    return _kept.pop(place)[1]
        finally:
            _lock.release()
    return None


def _put(key: Any, evaluator: Evaluator) -> None:
    if _lock.acquire(blocking=False):
        try:
            _kept.append((key, evaluator))
            while sum(kept.bytes for _, kept in _kept) > KEPT_BYTES:
                del _kept[0]
        finally:
            _lock.release()


def _after_fork_in_child() -> None:
    """Let go of what a thread may have held that is not there any more."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _same_bits(one: Any, other: np.ndarray) -> bool:
    """Whether both are the same numbers, of the same type; a zero's sign counts."""
    if not isinstance(one, np.ndarray) or (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    bits = f"i{other.itemsize}"
    return bool((one.view(bits) == other.view(bits)).all())


def _bytes(arrays: Any) -> int:
    """Return the memory of all arrays in nested tuples."""
    if isinstance(arrays, tuple):
        return sum(map(_bytes, arrays))
    return int(getattr(arrays, "nbytes", 0))
