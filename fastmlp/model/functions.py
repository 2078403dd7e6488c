"""The addresses of the kernels that steps call: rules, and the passes of a network.

The passes (forward, backward, and the update) are compiled apart, because the compiler takes more
than twice as long for code that is twice as long, and because training and evaluation share the
first.
"""

from __future__ import annotations

import numpy as np

from ..kernels.buffers import OWN_GRADIENT, Net, Objective
from ..kernels.call_types import (
    call_activation,
    call_activation_backward,
    call_activation_of_rows,
    call_backward,
    call_loss,
    call_penalties,
    call_update,
    call_update_pass,
)
from ..kernels.machine.calls import address
from ..kernels.rules import activations, losses, optimizers, rows_in_lanes
from ..kernels.rules.loss_of_rows import over_rows
from ..kernels.steps.general_step import backward
from ..kernels.steps.update import note_penalties, update_in_one_pass, update_in_passes
from ..ops.losses import Loss
from ..ops.optimizers import Optimizer


def activation_addresses(name: str, dtype: np.dtype) -> tuple[int, int]:
    """Return the addresses of the forward and the backward kernel."""
    return (
        address(call_activation, getattr(activations, name), dtype),
        address(call_activation_backward, getattr(activations, f"{name}_backward"), dtype),
    )


def of_rows_address(name: str, dtype: np.dtype) -> int:
    """Return the address of the kernel of an activation of all rows; 0 if it has none."""
    found = getattr(rows_in_lanes, f"{name}_in_lanes", None)
    return 0 if found is None else address(call_activation_of_rows, found, dtype)


def loss_address(name: str, dtype: np.dtype) -> int:
    """Return the address of the kernel of the loss of a block's rows."""
    in_lanes = getattr(rows_in_lanes, f"{name}_in_lanes", None)
    return address(call_loss, over_rows(getattr(losses, name), in_lanes), dtype)


def update_address(name: str, dtype: np.dtype) -> int:
    """Return the address of the kernel that updates a range of parameters."""
    return address(call_update, getattr(optimizers, name), dtype)


def penalties_address(dtype: np.dtype) -> int:
    """Return the address of the kernel that computes the penalties of all groups of weights."""
    return address(call_penalties, note_penalties, dtype)


def pass_addresses(dtype: np.dtype) -> list[int]:
    """Return the addresses of the passes over all weights of a network."""
    updates = [
        address(call_update_pass, update, dtype)
        for update in (update_in_one_pass, update_in_passes)
    ]
    return [penalties_address(dtype), *updates]


def with_backward(net: Net) -> Net:
    """Return the network with the address of its backward pass."""
    return net._replace(backward=address(call_backward, backward, net.params.dtype))


def with_update(net: Net, objective: Objective, blocks_per_batch: int) -> Net:
    """Return the network with the addresses of the kernels that update it.

    Plain SGD needs no stored gradients, unless they are limited, summed over the blocks of a batch,
    or computed by layers themselves. Only the kernels that are needed are compiled.
    """
    dtype = net.params.dtype
    is_limited = objective.l1 or objective.clip_norm or objective.clip_value
    has_own = net.layers[:, OWN_GRADIENT].any()
    is_one_pass = objective.is_plain_sgd and not is_limited and not has_own
    one_pass = address(call_update_pass, update_in_one_pass, dtype) if is_one_pass else 0
    needs_passes = not is_one_pass or blocks_per_batch > 1
    passes = address(call_update_pass, update_in_passes, dtype) if needs_passes else 0
    if (net.update_in_one_pass, net.update_in_passes) == (one_pass, passes):
        return net
    return net._replace(update_in_one_pass=one_pass, update_in_passes=passes)


def objective(
    loss: Loss | None,
    optimizer: Optimizer,
    dtype: np.dtype,
    task: int,
    threshold: float = 0.5,
    label_smoothing: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    clip_norm: float = 0.0,
    clip_value: float = 0.0,
    max_norm: float = 0.0,
    penalty_per_row: bool = False,
) -> Objective:
    """Return the objective for kernels; without a loss, for outputs only."""
    return Objective(
        loss=0 if loss is None else loss_address(loss.name, dtype),
        loss_parameters=np.array(() if loss is None else loss.kernel_parameters, np.float64),
        is_fused=0 if loss is None else int(loss.is_fused),
        task=task,
        threshold=float(threshold),
        label_smoothing=float(label_smoothing),
        l1=float(l1),
        l2=float(l2),
        penalty_per_row=int(penalty_per_row),
        clip_norm=float(clip_norm),
        clip_value=float(clip_value),
        max_norm=float(max_norm),
        update=0 if loss is None else update_address(optimizer.name, dtype),
        is_plain_sgd=int(optimizer.is_plain),
        optimizer_parameters=np.array(optimizer.kernel_parameters, np.float64),
    )
