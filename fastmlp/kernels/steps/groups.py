"""Groups of parameters, which the members of a team share, and chunks, which one call processes.

A group has the weights from a few panels of inputs to one panel of units, or the biases of one: its
gradient is still in the L1 cache when the update uses it.
"""

from typing import NamedTuple

from ..layers.layout import OWN, owned_units
from ..machine.jit import kernel
from ..machine.team import share

# Panels of inputs in a group: 64 x 16 float32, 4 KB of gradient.
GROUP = 4
# Groups that one call processes: their gradient fits the L1 cache, and a call takes 70 ns.
_RUN = 4


class Chunk(NamedTuple):
    """Groups ``group`` to ``stop`` of panels ``first`` to ``last`` of a layer's units."""

    first: int
    last: int
    group: int
    stop: int


@kernel
def groups_of_inputs(c, lanes):
    """Return the number of groups of the weights into a panel of units."""
    return (c.ld_in // lanes + GROUP - 1) // GROUP


@kernel
def owned_groups(c, lanes, member, team, part):
    """Return a part of a member's groups of W, whole panels of units or some inputs of what is left
    over: panels of units (first, last), groups of inputs (first, last).

    Group -1 holds the biases of a panel of units.
    """
    groups = groups_of_inputs(c, lanes)
    p0, p1, left = owned_units(c, lanes, member, team)
    if part == OWN:
        return p0, p1, -1, groups
    first, last = share(groups, 1, member, team)
    return left, c.ld_out // lanes, first - (first == 0 and last > 0), last


@kernel
def group_range(c, lanes, p, group):
    """Return start and size of a group among the parameters."""
    if group < 0:
        return c.b + p * lanes, lanes
    first, last = group * GROUP * lanes, min((group + 1) * GROUP * lanes, c.n_in)
    return c.w + (p * c.n_in + first) * lanes, (last - first) * lanes


@kernel
def range_of(c, lanes, chunk):
    """Return start and size of a chunk among the parameters, if it is contiguous."""
    start, _ = group_range(c, lanes, chunk.first, chunk.group)
    last, n = group_range(c, lanes, chunk.last - 1, chunk.stop - 1)
    return start, last + n - start


@kernel
def chunk_size(c, lanes, group, stop, wide):
    """Return the panels of units and the groups of each that a chunk of ``group`` to ``stop`` has,
    and the panels of these that are contiguous.

    Biases and layers of few inputs are taken several panels at a time, others some groups of one
    panel. Of sparse rows, ``wide`` panels make a group large enough.
    """
    if stop == 0:  # biases
        panels = c.ld_out // lanes
        return panels, 1, panels
    if wide > 1:
        return wide, 1, 1
    is_whole = group == 0 and stop == groups_of_inputs(c, lanes)
    panels = _RUN * GROUP * lanes // c.n_in if is_whole else 0
    return (panels, stop, panels) if panels > 1 else (1, _RUN, 1)


@kernel
def norm_index(c, lanes, p, group):
    """Return the index of a group's squared norm in Work.group_norms."""
    return c.norms + p * (groups_of_inputs(c, lanes) + 1) + group + 1
