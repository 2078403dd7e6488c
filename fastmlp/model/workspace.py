"""Every buffer that training or evaluation writes to, allocated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..kernels import buffers
from ..kernels.buffers import SparseRows
from ..kernels.machine import phases
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK
from ..kernels.steps.sample_step import MEMBER_ROWS
from ..kernels.steps.update import GROUP
from .functions import activation_addresses, with_passes
from .memory import CACHE_LINE, aligned_zeros
from .network import Network
from .samples import MEMBERS, new_samples
from .sparse import new_columns, new_list_scratch

# A block's inputs and activations stay in the L2 cache.
BLOCK_ROWS = 128


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
    dropout : sequence of float, default ()
        The fraction of each layer's inputs that is dropped; empty: none.
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
        dropout: Sequence[float] = (),
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
        rates = np.array(dropout or [0.0] * network.depth)
        has_lists = per_sample or (sparse is not None and sparse.forward != 0)
        layers = _layer_table(network, padded_rows, rates, self.lanes, not per_sample, has_lists)
        parameters = np.array([each.kernel_parameter for each in network.activations], dtype)
        net = buffers.Net(layers, parameters, rates, aligned_zeros(size, dtype), 0, 0, 0)
        last = layers[-1]
        activations = int(last[buffers.OUT] + padded_rows * last[buffers.LD_OUT])
        gradients = size if training else 0
        transposed = int(last[buffers.T] + padded_rows * last[buffers.LD_OUT])
        norms = int(last[buffers.NORMS] + _groups(last, self.lanes))
        self.work = buffers.Work(
            A=aligned_zeros(activations, dtype),
            Z=aligned_zeros(activations, dtype),
            D=aligned_zeros(activations, dtype),  # losses write gradients in an evaluation, too
            T=aligned_zeros(transposed if training else 0, dtype),
            Y=aligned_zeros(padded_rows * int(last[buffers.LD_OUT]), dtype),
            grads=aligned_zeros(gradients, dtype),
            state=aligned_zeros(state_buffers * gradients, dtype),
            zeros=aligned_zeros(self.lanes, dtype),
            group_norms=np.zeros(norms if training else 0),
            group_penalties=np.zeros(norms if training else 0),
            row_loss=np.zeros(padded_rows),
            row_hit=np.zeros(padded_rows, np.int64),
            phases=np.zeros(len(phases.NAMES), np.int64),
            columns=new_columns(
                sparse if training else None,
                SAMPLE_BLOCK if per_sample else block_rows,
                int(layers[0, buffers.LD_OUT]),
                dtype,
            ),
        )
        self.net = with_passes(net, training and not per_sample)
        self.list_scratch = new_list_scratch(
            network.layer_sizes[0] if makes_lists else 0, block_rows, dtype
        )
        self.samples = new_samples(network, self.work, sparse) if per_sample else None
        self._both = list(self._pairs(self.net.params, network.params))
        self.load()

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


def _groups(row: np.ndarray, lanes: int) -> int:
    """Return the number of groups of weights and biases of a layer."""
    panels_in, panels_out = row[buffers.LD_IN] // lanes, row[buffers.LD_OUT] // lanes
    return int(panels_out * (-(-panels_in // GROUP) + 1))


def _layer_table(
    network: Network, rows: int, dropout: np.ndarray, lanes: int, in_panels: bool, has_lists: bool
) -> np.ndarray:
    """Return the network's table with the offsets and strides of blocks of ``rows`` rows."""
    layers = network.table.copy()
    start, norms = 0, 0
    strides = (lanes, rows * lanes) if in_panels else (layers[0, buffers.LD_IN], lanes)
    for number, (row, activation) in enumerate(zip(layers, network.activations, strict=True)):
        row[[buffers.FUNCTION, buffers.DERIVATIVE]] = activation_addresses(
            activation.name, network.dtype
        )
        row[buffers.SOURCE] = start
        if dropout[number] > 0:
            # The inputs after dropout are a copy: the layer below needs its outputs.
            start += rows * row[buffers.LD_IN]
        row[buffers.IN] = start
        row[[buffers.IN_ROW, buffers.IN_PANEL]] = strides
        if number > 0 or not has_lists:
            start += rows * row[buffers.LD_IN]
        row[buffers.OUT] = start
        is_output = number == network.depth - 1
        by_rows = is_output or activation.is_row_wise or not in_panels
        strides = (row[buffers.LD_OUT], lanes) if by_rows else (lanes, rows * lanes)
        row[[buffers.OUT_ROW, buffers.OUT_PANEL]] = strides
        row[buffers.T] = row[buffers.OUT] - layers[0, buffers.OUT]
        row[buffers.NORMS] = norms
        norms += _groups(row, lanes)
    return layers
