"""Every buffer that training or evaluation writes to, allocated once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..kernels import buffers
from .memory import aligned_zeros
from .network import Network

# A block's inputs and activations stay in the second-level cache; a multiple of the tile's 6 rows.
BLOCK_ROWS = 96


class Workspace:
    """Scratch buffers for one network and one block size, and the optimizer's state.

    Parameters
    ----------
    network : Network
    block_rows : int, default 96
        How many rows are taken through the network at once.
    state_buffers : int, default 0
        How many numbers of state the optimizer keeps for each parameter.
    training : bool, default True
        Evaluation alone needs no gradients.
    dropout : sequence of float, default ()
        The share of each layer's inputs that is dropped; empty: none.

    Attributes
    ----------
    net : kernels.buffers.Net
    work : kernels.buffers.Work
    """

    def __init__(
        self,
        network: Network,
        block_rows: int = BLOCK_ROWS,
        state_buffers: int = 0,
        training: bool = True,
        dropout: Sequence[float] = (),
    ):
        self.network = network
        self.block_rows = block_rows
        self.net = network.kernel_view(block_rows, dropout)
        layers, dtype = self.net.layers, network.dtype
        activations = layers[-1, buffers.OUT] + block_rows * layers[-1, buffers.LD_OUT]
        gradients = network.params.size if training else 0
        self.work = buffers.Work(
            A=aligned_zeros(activations, dtype),
            Z=aligned_zeros(activations, dtype),
            D=aligned_zeros(activations, dtype),
            Y=aligned_zeros(block_rows * layers[-1, buffers.LD_OUT], dtype),
            WT=aligned_zeros(network.layout.transposed_size if training else 0, dtype),
            grads=aligned_zeros(gradients, dtype),
            state=aligned_zeros(state_buffers * gradients, dtype),
            zeros=aligned_zeros(int(layers[:, buffers.LD_IN : buffers.LD_OUT + 1].max()), dtype),
            row_norms=np.zeros(sum(network.layer_sizes[:-1]) + network.depth if training else 0),
            row_loss=np.zeros(block_rows),
            row_hit=np.zeros(block_rows, np.int64),
        )
        if training:
            self.refresh_transposed()

    def refresh_transposed(self) -> None:
        """Copy the weights into their transposed places; needed after weights are set by hand."""
        for row, weights in zip(self.net.layers[1:], self.network.weights[1:], strict=True):
            n_in, n_out, width = row[buffers.N_IN], row[buffers.N_OUT], row[buffers.LD_IN]
            start = row[buffers.WT]
            view = self.work.WT[start : start + n_out * width].reshape(n_out, width)
            view[:, :n_in] = weights.T
