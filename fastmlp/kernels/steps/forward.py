"""Inputs of a block of rows."""

from ..buffers import layer_at
from ..call_types import call_gather
from ..machine.jit import kernel


@kernel
def gather(data, first_row, first, last, A, start, row, panel):
    """Copy rows order[first_row + first : first_row + last] of X to rows ``first`` to ``last``."""
    call_gather(
        data.gather,
        (
            data.X, data.order, first_row + first, first_row + last, data.offset, data.factor,
            A, start + first * row, row, panel,
        ),
    )  # fmt: skip


@kernel
def gather_inputs(net, work, data, first_row, first, last):
    """Overwrite rows ``first`` to ``last`` of the network's inputs."""
    c = layer_at(net.layers, 0)
    gather(data, first_row, first, last, work.A, c.in_, c.in_row, c.in_panel)
