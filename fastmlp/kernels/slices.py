"""What a step is told to do and what it reports, besides the arrays of buffers.py."""

from typing import NamedTuple

from .machine.records import Floats, Ints, Keys, Reals
from .machine.stored import stored


@stored
class Slice(NamedTuple):
    """A part of an epoch, or several epochs: blocks ``first`` to ``last`` (exclusive).

    A batch is split into ``blocks_per_batch`` blocks of at most ``block_rows`` rows, whose
    gradients are summed before the update. So batches of any size fit the same workspace, and a
    slice can end within a batch.
    """

    first: int
    last: int
    batch_size: int
    block_rows: int
    blocks_per_batch: int
    epoch_rows: int
    epoch_steps: int
    steps_before: int  # updates done before the first of the epochs
    dropout_keys: Keys  # (2 * epochs,)


@stored
class Report(NamedTuple):
    """Results of one or several epochs, summed for each step; slices add to them."""

    loss: Floats  # (steps,)
    hits: Ints  # (steps,)
    rows: Ints  # (steps,): the number of rows
    weight: Floats  # (steps,): the sum of their sample weights
    penalty: Floats  # (steps,): before the update, if it is computed
    rates: Floats  # (steps,): an input: the learning rate of each step
    snapshots: Reals  # (epochs * (P + state),): parameters and state after each epoch; or empty
    note_penalties: int  # address of the kernel that computes penalties; 0: none
