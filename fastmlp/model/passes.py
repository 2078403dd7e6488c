"""The addresses of the kernels that a step is made of: forward, backward, and the update.

They are compiled apart, because the compiler takes more than twice as long for code that is twice
as long, and because training and evaluation share the first.
"""

from __future__ import annotations

import numpy as np
from numba import typeof, types

from ..kernels.buffers import Net, Work
from ..kernels.machine.calls import address
from ..kernels.steps.forward import forward_layer
from ..kernels.steps.general_step import backward
from ..kernels.steps.update import gradients_and_update
from ..ops.optimizers import SGD
from .functions import objective
from .sparse import no_columns, no_sparse

_SIZE = types.intp
_ORDER = types.Array(types.int64, 1, "C")
_KEY = types.Array(types.uint64, 1, "C")
_MEMBER = (_SIZE, _SIZE, _ORDER)
_forward: dict[np.dtype, int] = {}
_training: dict[np.dtype, tuple[int, int]] = {}


def with_passes(net: Net, work: Work, training: bool) -> Net:
    """Return the network with the addresses of the kernels for its type of numbers."""
    # Not by functools.cache: to take the types of all arrays each time would slow predictions down.
    dtype = net.params.dtype
    if dtype not in _forward:
        _forward[dtype] = _forward_address(net, work)
    if training and dtype not in _training:
        _training[dtype] = _training_addresses(net, work)
    back, descend = _training[dtype] if training else (0, 0)
    return net._replace(forward=_forward[dtype], backward=back, descend=descend)


def leave_out_passes(dtype: np.dtype) -> None:
    """Let networks of this type have none: for who only compiles what calls them."""
    _forward[dtype], _training[dtype] = 0, (0, 0)


def _forward_address(net: Net, work: Work) -> int:
    lists = typeof(no_sparse(net.params.dtype))
    places = (_SIZE,) * 6
    signature = (typeof(net), typeof(work), lists, _ORDER, _KEY, *places)
    return int(address(forward_layer, signature))


def _training_addresses(net: Net, work: Work) -> tuple[int, int]:
    dtype = net.params.dtype
    goal = typeof(objective(None, SGD(), dtype, task=0))
    common = (*_MEMBER, typeof(net), typeof(work))
    lists, columns = typeof(no_sparse(dtype)), typeof(no_columns(dtype))
    update = (lists, columns, _SIZE, goal, _SIZE, types.boolean, types.float64, _SIZE)
    return (
        int(address(backward, (*common, goal, _KEY, _SIZE, _SIZE))),
        int(address(gradients_and_update, (*common, *update))),
    )
