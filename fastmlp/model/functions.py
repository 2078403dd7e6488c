"""The addresses of the kernels that activations, losses and optimizers are."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from ..kernels.buffers import Objective
from ..kernels.machine.calls import address
from ..kernels.rules import activations, losses, optimizers
from ..kernels.steps import update
from ..ops.losses import Loss
from ..ops.optimizers import Optimizer

_FLOAT64_ARRAY = types.Array(types.float64, 1, "C")


@cache
def activation_addresses(name: str, dtype: np.dtype) -> tuple[int, int]:
    """Return the addresses of the forward and the backward kernel."""
    real = from_dtype(dtype)
    array = types.Array(real, 1, "C")
    forward = getattr(activations, name)
    backward = getattr(activations, f"{name}_backward")
    return (
        address(forward, (array, array, real)),
        address(backward, (array, array, array, real)),
    )


@cache
def loss_address(name: str, dtype: np.dtype) -> int:
    """Return the address of the kernel of one row's loss."""
    real = from_dtype(dtype)
    array = types.Array(real, 1, "C")
    signature = (array, array, array, array, real, types.float64, _FLOAT64_ARRAY)
    return int(address(getattr(losses, name), signature))


@cache
def update_address(name: str, dtype: np.dtype) -> int:
    """Return the address of the kernel that updates a stretch of parameters."""
    array = types.Array(from_dtype(dtype), 1, "C")
    signature = (
        array, array, array, types.intp, _FLOAT64_ARRAY, types.float64, types.int64, types.boolean
    )  # fmt: skip
    return int(address(getattr(optimizers, name), signature))


@cache
def penalties_address(dtype: np.dtype) -> int:
    """Return the address of the kernel that notes the penalties of all groups of weights."""
    numbers = types.Array(from_dtype(dtype), 1, "C")
    signature = (
        types.intp, types.intp, types.Array(types.int64, 2, "C"), numbers, _FLOAT64_ARRAY,
        types.float64, types.float64,
    )  # fmt: skip
    return int(address(update.note_penalties, signature))


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
    """Return what kernels are given; without a loss, for outputs alone."""
    return Objective(
        loss=0 if loss is None else loss_address(loss.name, dtype),
        loss_parameter=0.0 if loss is None else float(loss.kernel_parameter),
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
