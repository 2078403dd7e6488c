"""The addresses of the kernels of a step: forward, backward, and the update.

They are compiled apart, because the compiler takes more than twice as long for code that is twice
as long, and because training and evaluation share the first.
"""

from __future__ import annotations

import numpy as np

from ..kernels.buffers import Net
from ..kernels.call_types import call_backward, call_forward, call_gradients_and_update
from ..kernels.machine.calls import address
from ..kernels.steps.forward import forward_layer
from ..kernels.steps.general_step import backward
from ..kernels.steps.update import gradients_and_update

_left_out: set[np.dtype] = set()


def with_passes(net: Net, training: bool) -> Net:
    """Return the network with the addresses of the kernels for its dtype."""
    dtype = net.params.dtype
    if dtype in _left_out:
        return net
    net = net._replace(forward=address(call_forward, forward_layer, dtype))
    if not training:
        return net
    return net._replace(
        backward=address(call_backward, backward, dtype),
        gradients_and_update=address(call_gradients_and_update, gradients_and_update, dtype),
    )


def leave_out_passes(dtype: np.dtype) -> None:
    """Give networks of this dtype no such kernels: for compiling only what calls them."""
    _left_out.add(dtype)
