"""Networks with their workspaces, kept ready from one prediction to the next.

Building one takes longer than predicting a few rows: 0.2 ms for 4-100-3, 0.3 ms for 784-100-10,
where a row takes 15 us. Evaluators are not part of a model: a prediction borrows one of the right
layout and copies the model's weights into it, unless they are already the same, bit by bit. So a
changed weight takes effect at once, copies and pickles of a model do not contain an evaluator, all
models of an ensemble share one, and threads that predict at the same time have one each.
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
from ..ops.layers import Layer, Shape
from ..ops.optimizers import SGD
from ..ops.scalers import Scaling
from .encoding import refuse_infinite
from .evaluation import Evaluation, evaluate_network
from .functions import objective
from .network import Network
from .workspace import BLOCK_ROWS, Workspace, rows_at_once

# Memory that a process keeps, in bytes: the least recently used are dropped first.
# 784-500-250-100-10 in float64 takes 14 MB, 4-100-3 for few rows 0.1.
KEPT_BYTES = 32 << 20
# Block size for few rows: in a block of BLOCK_ROWS, a row of 784 features takes 10 us longer,
# because its panels are far apart.
FEW_ROWS = 16


class NetworkLayout(NamedTuple):
    """What determines the buffers and the kernels of a network."""

    layers: tuple[Layer, ...]
    input_shape: Shape
    dtype: np.dtype

    @property
    def needs_dense_rows(self) -> bool:
        """Whether the first layer that predictions use cannot skip zeros."""
        used = (layer for layer in self.layers if not (layer.trains_only or layer.only_reshapes))
        return not next(used).takes_sparse_rows


class Evaluator:
    """A network and a workspace to evaluate it.

    Parameters
    ----------
    layout : NetworkLayout
    block_rows : int
        Rows that go through the network at once.
    data : Data
        Rows of the form that it will evaluate: dense, bytes, lists, or to be made lists.
    """

    def __init__(self, layout: NetworkLayout, block_rows: int, data: Data):
        self.network = Network(*layout)
        self.workspace = Workspace(
            self.network,
            min(block_rows, rows_at_once(self.network)),
            training=False,
            sparse=data.sparse,
            makes_lists=data.compress != 0,
        )
        workspace = self.workspace
        buffers = workspace.net, workspace.work, workspace.list_scratch
        self.bytes = _bytes(buffers) + self.network.params.nbytes
        self._is_checked = False

    def take_params(self, params: np.ndarray) -> None:
        """Copy the parameters of a network of the same layout; they need not be finite."""
        if not _same_bits(params, self.network.params):
            self.network.params[...] = params
            self.workspace.load()
            self._is_checked = False

    def take_weights(self, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> None:
        """Copy weights and biases.

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
        """Return the outputs for rows, and their loss if there is an objective.

        Parameters
        ----------
        data : Data
        threads : int
        scaling : Scaling
            Of the features, for error messages.
        goal : Objective, optional
            Default: outputs only.

        Raises
        ------
        DataError
            If lists of rows are made and a scaled value is not finite.
        """
        is_infinite = self.workspace.list_scratch.is_infinite
        is_infinite[0] = 0
        goal = _outputs_only(self.network.dtype) if goal is None else goal
        found = evaluate_network(self.workspace, data, goal, threads, want_outputs=True, load=False)
        if is_infinite[0]:
            refuse_infinite(scaling, self.network.dtype)
        return found


@cache
def _outputs_only(dtype: np.dtype) -> Objective:
    """Return the objective for rows without targets."""
    return objective(None, SGD(), dtype, codes.REGRESSION)


_kept: list[tuple[Any, Evaluator]] = []  # the least recently used first
_lock = threading.Lock()


@contextmanager
def borrowed(layout: NetworkLayout, data: Data) -> Iterator[Evaluator]:
    """Lend an evaluator exclusively; its weights are arbitrary.

    After an error the evaluator is not kept.

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


# Neither function waits: a signal handler that predicts may have interrupted the thread that holds
# the lock. If it is taken, a new evaluator is built, or none is kept.


def _take(key: Any) -> Evaluator | None:
    if _lock.acquire(blocking=False):
        try:
            for index in reversed(range(len(_kept))):
                if _kept[index][0] == key:
                    return _kept.pop(index)[1]
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
    """Replace the lock, which a thread that does not exist in the child may hold."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _same_bits(one: Any, other: np.ndarray) -> bool:
    """Whether two arrays have the same dtype, shape and bits."""
    if not isinstance(one, np.ndarray) or (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    bits = f"i{other.itemsize}"
    return bool((one.view(bits) == other.view(bits)).all())


def _bytes(arrays: Any) -> int:
    """Return the memory of all arrays in nested tuples."""
    if isinstance(arrays, tuple):
        return sum(map(_bytes, arrays))
    return int(getattr(arrays, "nbytes", 0))
