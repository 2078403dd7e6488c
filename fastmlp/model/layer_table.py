"""The kernels' tables of layers: sizes, addresses, and where each layer's buffers are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..kernels import buffers
from ..kernels.call_types import (
    call_forward,
    call_gradient,
    call_layer_backward,
    call_weight_gradient,
)
from ..kernels.emit.winograd_forms import PLACES
from ..kernels.layers.layout import IMAGE
from ..kernels.layers.winograd import APART
from ..kernels.machine.calls import address
from ..kernels.steps.groups import GROUP
from ..ops.layers import WINOGRAD, Layer, Shape
from .functions import activation_addresses, of_rows_address
from .memory import CACHE_LINE, padded
from .network import Network
from .stages import Stage, stages

# Of transformed inputs and outputs of a convolution: they stay in the second-level cache.
_TILE_BYTES = 640 << 10


class BlockLayout(NamedTuple):
    """The facts that determine the offsets of the buffers of a block of rows.

    Attributes
    ----------
    stages : list of Stage
    rows : int
        Of a block, padded.
    dtype : dtype
    in_panels : bool
        Whether activations are stored in panels; False for the per-sample step.
    training : bool
    sparse : SparseRows or None
        The rows that enter the first layer, if they are sparse.
    """

    stages: list[Stage]
    rows: int
    dtype: np.dtype
    in_panels: bool
    training: bool
    sparse: buffers.SparseRows | None

    @property
    def lanes(self) -> int:
        """The number of elements of a vector."""
        return CACHE_LINE // self.dtype.itemsize

    @property
    def panel_rows(self) -> int:
        """The rows of a panel, one of which is not used.

        With 64 or 128 rows, the panels of a row would all fall into one set of the first cache.
        """
        return self.rows + self.in_panels

    @property
    def takes_sparse_rows(self) -> bool:
        """Whether the first layer reads sparse rows, so that inputs are not copied to a block."""
        return not self.in_panels or (self.sparse is not None and self.sparse.forward != 0)


def groups_of(row: np.ndarray, lanes: int) -> int:
    """Return the number of groups of weights and biases of a layer."""
    panels_in, panels_out = row[buffers.LD_IN] // lanes, row[buffers.LD_OUT] // lanes
    return int(panels_out * (-(-panels_in // GROUP) + 1))


def layer_table(network: Network, layout: BlockLayout) -> np.ndarray:
    """Return the rows of ``Net.layers``."""
    table = np.zeros((len(layout.stages), buffers.LAYER_FIELDS), np.int64)
    rows, lanes, dtype = layout.panel_rows, layout.lanes, layout.dtype
    width = padded(math.prod(layout.stages[0].inputs), dtype)
    in_panels = (lanes, rows * lanes)
    strides = in_panels if layout.in_panels else (width, lanes)
    start, norms = 0, 0
    for number, (row, stage) in enumerate(zip(table, layout.stages, strict=True)):
        if stage.table is not None:
            row[:] = network.table[stage.table]
            row[buffers.NORMS] = norms
            norms += groups_of(row, lanes)
        # Sparse rows are read once for several panels: a single one would take as long.
        row[buffers.DIVIDES] = number > 0 or not layout.takes_sparse_rows
        row[buffers.IN] = start
        row[[buffers.IN_ROW, buffers.IN_PANEL]] = strides
        if number > 0 or not layout.takes_sparse_rows:
            start += rows * width
        row[buffers.WIDTH] = math.prod(stage.outputs)
        width = row[buffers.LD] = padded(int(row[buffers.WIDTH]), dtype)
        row[buffers.OUT] = start
        row[buffers.T] = start - table[0, buffers.OUT]
        is_output = number == len(layout.stages) - 1
        if stage.are_images:
            strides = (width, IMAGE)
        elif stage.table is not None:
            is_row_wise = network.activations[stage.table].is_row_wise
            gives_rows = stage.layer is not None and stage.layer.gives_rows
            by_rows = is_output or is_row_wise or gives_rows or not layout.in_panels
            strides = (width, lanes) if by_rows else in_panels
        elif stage.layer is None:
            strides = in_panels
        row[[buffers.OUT_ROW, buffers.OUT_PANEL]] = strides
    _set_addresses(table, network, layout)
    return table


def image_table(stages: Sequence[Stage], dtype: np.dtype, training: bool) -> np.ndarray:
    """Return the rows of ``Net.images``."""
    table = np.zeros((len(stages), buffers.IMAGE_FIELDS), np.int64)
    for row, stage in zip(table, stages, strict=True):
        if stage.layer is None:
            continue
        if stage.are_images:
            height, width, channels = _as_image(stage.outputs)
            before_pooling = height * stage.window[0], width * stage.window[1], channels
            row[:6] = (*_as_image(stage.inputs), *before_pooling)
        parameters = (
            (stage.stream,) if stage.layer.trains_only
            else stage.layer.kernel_parameters(stage.inputs)
        )  # fmt: skip
        row[6 : 6 + len(parameters)] = parameters
        row[[buffers.POOL_HEIGHT, buffers.POOL_WIDTH]] = stage.window
        row[buffers.TILES] = tiles_at_once(stage, dtype)
    table[:, buffers.SCRATCH] = max(scratch_size(stage, dtype, training) for stage in stages)
    return table


def scratch_size(stage: Stage, dtype: np.dtype, training: bool) -> int:
    """Return the number of elements of ``Work.scratch`` for a group of rows of a stage.

    A forward pass needs the lines of one line of windows, a backward pass all outputs.
    """
    lanes = CACHE_LINE // dtype.itemsize
    if stage.kernels == WINOGRAD:
        channels, filters = stage.inputs[2], stage.outputs[2]
        tiles = tiles_at_once(stage, dtype)
        place = channels * filters + tiles * (channels + filters) * lanes + 3 * APART * lanes
        return PLACES * place + 4 * lanes**2
    if stage.window == (1, 1):
        return 0
    height, width, channels = stage.outputs
    lines = stage.window[0] * (height if training else 1)
    return lines * stage.window[1] * width * channels * lanes


def scratch_bytes(
    layers: Sequence[Layer], shapes: Sequence[Shape], rows: int, dtype: np.dtype
) -> int:
    """Return the memory of ``Work.scratch`` for a block of rows."""
    most = max(scratch_size(stage, dtype, training=True) for stage in stages(layers, shapes))
    return -(-rows * dtype.itemsize // CACHE_LINE) * most * dtype.itemsize


def tiles_at_once(stage: Stage, dtype: np.dtype) -> int:
    """Return the number of tiles of a line that are transformed at once: equal parts of a line."""
    if stage.kernels != WINOGRAD:
        return 0
    channels = stage.inputs[2] + stage.outputs[2]
    line = -(-stage.outputs[1] * stage.window[1] // 2)
    most = max(1, _TILE_BYTES // (PLACES * channels * CACHE_LINE))
    parts = -(-line // most)
    return -(-line // parts)


def _as_image(shape: Shape) -> Shape:
    """Return the shape of an image; a row of features stored as one has a single pixel."""
    return shape if len(shape) == 3 else (1, 1, *shape)


def stage_parameters(
    network: Network, stages: Sequence[Stage]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the parameters of activations and of layers, one for each stage, and the factors of
    the learning rate, two for each.
    """
    activations = [
        0.0 if stage.table is None else network.activations[stage.table].kernel_parameter
        for stage in stages
    ]
    layers = [0.0 if stage.layer is None else stage.layer.kernel_parameter for stage in stages]
    factors = [1.0 if stage.layer is None else stage.layer.lr_factor for stage in stages]
    return np.array(activations, network.dtype), np.array(layers), np.repeat(factors, 2)


def _set_addresses(table: np.ndarray, network: Network, layout: BlockLayout) -> None:
    """Set the addresses of the kernels of layers and activations."""
    dtype = layout.dtype
    first = next(n for n, stage in enumerate(layout.stages) if stage.table is not None)
    for number, (row, stage) in enumerate(zip(table, layout.stages, strict=True)):
        if stage.table is not None:
            activation = network.activations[stage.table]
            row[[buffers.FUNCTION, buffers.DERIVATIVE]] = activation_addresses(
                activation.name, dtype
            )
        if not layout.in_panels:
            continue
        if stage.table is not None and activation.is_row_wise:
            row[buffers.OF_ROWS] = of_rows_address(activation.name, dtype)
        is_sparse = number == 0 and layout.takes_sparse_rows
        row[buffers.FORWARD] = forward_address(stage.kernels, dtype, is_sparse)
        if layout.training and number > first:
            row[buffers.BACKWARD] = backward_address(stage.kernels, dtype)


def set_gradients(table: np.ndarray, layout: BlockLayout) -> None:
    """Set the addresses of the gradients of weights.

    Apart and late: at a cold start a second process compiles them before the other ones.
    """
    if not layout.training or not layout.in_panels:
        return
    for number, (row, stage) in enumerate(zip(table, layout.stages, strict=True)):
        if number == 0 and layout.sparse is not None and layout.takes_sparse_rows:
            row[buffers.GRADIENT] = layout.sparse.gradient
        elif stage.table is not None:
            row[buffers.GRADIENT] = gradient_address(stage.kernels, layout.dtype)
            row[buffers.OWN_GRADIENT] = stage.has_own_gradient


def layer_addresses(kernels: str, dtype: np.dtype) -> list[int]:
    """Return the addresses of all kernels of a form of layer, or of the change to images."""
    found = [address(*pair, dtype) for pair in layer_kernels(kernels)]
    of_sparse = getattr(_module(kernels), f"{kernels}_forward_of_sparse", None)
    return found if of_sparse is None else [*found, address(call_forward, of_sparse, dtype)]


def layer_kernels(kernels: str) -> list[tuple[Any, Any]]:
    """Return the kernels of a form of layer for dense rows or images, each after its call type."""
    module = _module(kernels)
    named = (
        (call_forward, "forward"),
        (call_layer_backward, "backward"),
        (call_weight_gradient, "weight_gradient"),
        (call_gradient, "gradient"),
    )
    found = ((call, getattr(module, f"{kernels}_{name}", None)) for call, name in named)
    return [(call, kernel) for call, kernel in found if kernel is not None]


def forward_address(kernels: str, dtype: np.dtype, is_sparse: bool = False) -> int:
    """Return the address of a layer's forward kernel."""
    name = f"{kernels}_forward_of_sparse" if is_sparse else f"{kernels}_forward"
    return int(address(call_forward, _kernel(kernels, name), dtype))


def backward_address(kernels: str, dtype: np.dtype) -> int:
    """Return the address of a layer's backward kernel."""
    return int(address(call_layer_backward, _kernel(kernels, f"{kernels}_backward"), dtype))


def gradient_address(kernels: str, dtype: np.dtype) -> int:
    """Return the address of the kernel of the gradient of a layer's weights or filters."""
    call, kernel = layer_kernels(kernels)[-1]
    return int(address(call, kernel, dtype))


def _kernel(kernels: str, name: str) -> Any:
    return getattr(_module(kernels), name)


def _module(kernels: str) -> Any:
    return import_module(f"fastmlp.kernels.layers.{kernels}")
