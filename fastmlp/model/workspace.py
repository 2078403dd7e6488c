"""Every buffer that training or evaluation writes to, allocated once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..kernels import buffers
from ..kernels.buffers import SparseRows
from ..kernels.machine import phases
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK
from ..kernels.steps.sample_step import MEMBER_ROWS
from .functions import with_backward
from .layer_table import (
    BlockLayout,
    groups_of,
    image_table,
    layer_table,
    set_gradients,
    stage_parameters,
)
from .memory import CACHE_LINE, aligned_zeros
from .network import Network
from .samples import MEMBERS, new_samples
from .sparse import new_columns, new_list_scratch

# A block's inputs and activations stay in the L2 cache.
BLOCK_ROWS = 128
# Of a network with images: outputs of all layers for the rows of a block, in bytes.
_IMAGE_BYTES = 8 << 20


def rows_at_once(network: Network) -> int:
    """Return the number of rows of a block: fewer for networks that store images.

    At least two groups of rows, which two members of a team can share, and whole groups.
    """
    return image_rows(network.row_bytes, network.dtype) if network.stores_images else BLOCK_ROWS


def image_rows(row_bytes: int, dtype: np.dtype) -> int:
    """Return the number of rows of a block of images, each with ``row_bytes`` of outputs."""
    grain = 2 * (CACHE_LINE // dtype.itemsize)
    return max(grain, min(BLOCK_ROWS, _IMAGE_BYTES // row_bytes) // grain * grain)


class Workspace:
    """Scratch buffers for one network and one block size, and the optimizer's state.

    Parameters
    ----------
    network : Network
    block_rows : int, default 128
        Rows that go through the network at once.
    state_buffers : int, default 0
        Elements of the optimizer's state for each parameter.
    training : bool, default True
        False: no buffers for gradients.
    per_sample : bool, default False
        Whether it is for the per-sample step, which stores activations in rows.
    sparse : SparseRows, optional
        The rows that it will process, if they are sparse: these are not copied to a block.
    makes_lists : bool, default False
        Whether evaluations make lists of the rows.

    Attributes
    ----------
    net : kernels.buffers.Net
    work : kernels.buffers.Work
    list_scratch : kernels.buffers.ListScratch
    samples : kernels.steps.sample_step.Samples or None
    """

    def __init__(
        self,
        network: Network,
        block_rows: int = BLOCK_ROWS,
        state_buffers: int = 0,
        training: bool = True,
        per_sample: bool = False,
        sparse: SparseRows | None = None,
        makes_lists: bool = False,
    ):
        self.network = network
        if per_sample:
            block_rows = MEMBERS * MEMBER_ROWS
        self.block_rows = block_rows
        dtype, size = network.dtype, network.params.size
        self.lanes = CACHE_LINE // dtype.itemsize
        padded_rows = -(-block_rows // self.lanes) * self.lanes
        layout = BlockLayout(
            network.stages(training), padded_rows, dtype, not per_sample, training, sparse
        )
        layers = layer_table(network, layout)
        images = image_table(layout.stages, dtype, training)
        net = buffers.Net(
            layers, images, *stage_parameters(network, layout.stages),
            aligned_zeros(size, dtype), 0, 0, 0,
        )  # fmt: skip
        last = layers[-1]
        activations = int(last[buffers.OUT] + padded_rows * last[buffers.LD])
        gradients = size if training else 0
        transposed = int(last[buffers.T] + padded_rows * last[buffers.LD])
        norms = int(last[buffers.NORMS] + groups_of(last, self.lanes))
        self.work = buffers.Work(
            A=aligned_zeros(activations, dtype),
            Z=aligned_zeros(activations, dtype),
            D=aligned_zeros(activations, dtype),  # losses write gradients in an evaluation, too
            T=aligned_zeros(transposed if training else 0, dtype),
            Y=aligned_zeros(padded_rows * int(last[buffers.LD_OUT]), dtype),
            grads=aligned_zeros(gradients, dtype),
            state=aligned_zeros(state_buffers * gradients, dtype),
            zeros=aligned_zeros(self.lanes, dtype),
            strip=aligned_zeros(0, dtype),
            ones=np.ones_like(aligned_zeros(self.lanes, dtype)),
            scratch=aligned_zeros(
                max(2, padded_rows // self.lanes) * int(images[0, buffers.SCRATCH]), dtype
            ),
            group_norms=np.zeros(norms if training else 0),
            group_penalties=np.zeros(norms if training else 0),
            row_loss=np.zeros(padded_rows),
            row_hit=np.zeros(padded_rows, np.int64),
            phases=np.zeros(len(phases.NAMES), np.int64),
            layer_ticks=np.zeros(len(layers) * len(phases.PARTS_OF_LAYER), np.int64),
            columns=new_columns(
                sparse if training else None,
                SAMPLE_BLOCK if per_sample else block_rows,
                int(layers[0, buffers.LD_OUT]),
                dtype,
            ),
        )
        set_gradients(layers, layout)
        self.net = with_backward(net) if training and not per_sample else net
        self.list_scratch = new_list_scratch(
            network.n_inputs if makes_lists else 0, block_rows, dtype
        )
        self.samples = new_samples(network, self.work, sparse) if per_sample else None
        self._both = list(self._pairs(self.net.params, network.params))
        self.load()

    @property
    def n_bytes(self) -> int:
        """The memory of parameters and buffers."""
        arrays = [self.net.params, *self.work, *self.list_scratch]
        arrays += [*self.work.columns, *(self.samples or ())]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))

    def load(self) -> None:
        """Copy the network's parameters to the workspace."""
        for panels, rows in self._both:
            panels[...] = rows

    def store(self) -> None:
        """Copy the parameters, which kernels have changed, to the network."""
        for panels, rows in self._both:
            rows[...] = panels

    def in_rows(self, buffer: np.ndarray) -> np.ndarray:
        """Return a copy of a buffer (gradients, or a buffer of the optimizer's state) in the layout
        of ``Network.params``.
        """
        found = np.empty_like(buffer)
        for panels, rows in self._pairs(buffer, found):
            rows[...] = panels
        return found

    def _pairs(
        self, in_panels: np.ndarray, in_rows: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield views of the same parameters in both layouts, of the same shape."""
        for row in self.network.table:
            n_in, panels = int(row[buffers.N_IN]), int(row[buffers.LD_OUT]) // self.lanes
            part = slice(row[buffers.W], row[buffers.W] + n_in * row[buffers.LD_OUT])
            yield (
                in_panels[part].reshape(panels, n_in, self.lanes),
                in_rows[part].reshape(n_in, panels, self.lanes).transpose(1, 0, 2),
            )
        biases = slice(self.network.table[0, buffers.B], None)
        yield in_panels[biases], in_rows[biases]
