"""Where a layer's outputs are, and which of them belong to a member of a team.

The outputs of a block are stored in one of three ways: in panels of columns, in rows (the output,
and softmax), or as images: the rows of the block in groups of ``lanes``, and for each group all
features, each a vector with an element of every row. The division into rectangles decides which
data move between cores, not the results: every element is the same chain of operations in any
rectangle.
"""

from ..buffers import layer_at
from ..call_types import call_activation_of_rows
from ..emit.emitter import VECTOR_BYTES
from ..machine.jit import kernel
from ..machine.team import share
from ..rules.activations import activate, activate_backward

IMAGE = 0  # value of OUT_PANEL for outputs stored as images; OUT_ROW is then the padded features


@kernel
def is_image(c):
    """Whether a layer's outputs are stored as images."""
    return c.out_panel == IMAGE


@kernel
def takes_images(c):
    """Whether a layer's inputs are stored as images."""
    return c.in_panel == IMAGE


@kernel
def stores_images(net):
    """Whether any outputs are: then members share the rows of a block in whole groups."""
    found = False
    for layer in range(net.layers.shape[0]):
        found = found or is_image(layer_at(net.layers, layer))
    return found


@kernel
def has_own_gradients(net):
    """Whether any layer computes its gradients itself, before the updates."""
    found = False
    for layer in range(net.layers.shape[0]):
        found = found or layer_at(net.layers, layer).own_gradient != 0
    return found


@kernel
def is_in_panels(c, lanes):
    """Whether units can be shared: outputs are in panels or images, not in rows."""
    return c.out_panel != lanes


# A member's parts of a layer: its own panels, and its share of those that are left over.
OWN, LEFT = range(2)
PARTS = 2


@kernel
def _owned_panels(c, panels, lanes, member, team):
    """Return a member's own panels [first, last) of ``panels``, and the first of those left over.

    The members share what is left over by rows: less than a panel for each, or all panels if these
    are fewer than members or whole rows are needed.
    """
    if panels < team or not is_in_panels(c, lanes):
        return 0, 0, 0
    if c.divides == 0:
        first, last = share(panels, 1, member, team)
        return first, last, panels
    own = panels // team
    return member * own, (member + 1) * own, team * own


@kernel
def owned_units(c, lanes, member, team):
    """Return a member's own panels [first, last) of a layer's units, and the first left over.

    The weights into its own units stay in the member's cache from step to step.
    """
    return _owned_panels(c, c.ld_out // lanes, lanes, member, team)


@kernel
def rectangle(c, lanes, rows, member, team, part):
    """Return a part of a member's outputs of a layer: panels (first, last), rows (first, last)."""
    return _shared(c, not is_image(c), lanes, rows, member, team, part)


@kernel
def rectangle_below(c, above, lanes, rows, member, team, part):
    """Return a part of the gradients of a layer's outputs, for the backward pass of the layer
    ``above``: a dense one reads a part of its weights for each panel of its inputs.
    """
    return _shared(c, not is_image(above), lanes, rows, member, team, part)


@kernel
def _shared(c, by_panels, lanes, rows, member, team, part):
    """Return a member's own panels, if asked and possible, or its rows of the others.

    Images are shared by rows, unless the layer above is dense.
    """
    panels = c.ld // lanes
    p0, p1, left = _owned_panels(c, panels, lanes, member, team) if by_panels else (0, 0, 0)
    if part == OWN:
        return p0, p1, 0, rows
    r0, r1 = share(rows, lanes, member, team)
    return left, panels, r0, r1


@kernel
def is_empty(box):
    """Whether a rectangle has no panels or no rows."""
    p0, p1, r0, r1 = box
    return p0 >= p1 or r0 >= r1


@kernel
def clear_gradients(c, grads, p0, p1, lanes):
    """Set to 0 the gradients of biases and of a single row of weights, for panels of units."""
    for j in range(p0 * lanes, p1 * lanes):
        grads[c.w + j] = grads.dtype.type(0)
        grads[c.b + j] = grads.dtype.type(0)


@kernel
def scratch_of(image, row, lanes):
    """Return the start of the part of Work.scratch that belongs to a group of rows.

    A member uses that of its first group for all its groups: so it stays in the member's cache.
    """
    return row // lanes * image.scratch


@kernel(inline=True)
def contiguous_ranges(c, lanes, box):
    """Return the longest contiguous ranges of a rectangle of a layer's outputs.

    As (start, stride, length, first, last): ranges ``first`` to ``last`` of ``length`` elements.
    """
    p0, p1, r0, r1 = box
    if is_image(c):
        groups, block = (r1 - r0 + lanes - 1) // lanes, lanes * lanes
        start = c.out + r0 * c.out_row + p0 * block
        return start, lanes * c.out_row, (p1 - p0) * block, 0, groups
    if is_in_panels(c, lanes):
        return c.out + r0 * lanes, c.out_panel, (r1 - r0) * lanes, p0, p1
    return c.out, c.out_row, c.width, r0, r1


@kernel(inline=True)
def activate_rectangle(c, parameter, work, box):
    """A = f(Z) on a rectangle of a layer's outputs."""
    start, stride, length, first, last = contiguous_ranges(c, VECTOR_BYTES // work.A.itemsize, box)
    if c.of_rows != 0:
        call_activation_of_rows(c.of_rows, (work.Z, work.A, start, stride, length, first, last))
    else:
        activate(c.function, parameter, work.Z, work.A, start, stride, length, first, last)


@kernel(inline=True)
def finish_gradients(c, parameter, work, box):
    """Change a rectangle of a layer's D from dL/dA to dL/dZ."""
    start, stride, length, first, last = contiguous_ranges(c, VECTOR_BYTES // work.A.itemsize, box)
    activate_backward(
        c.derivative, parameter, work.Z, work.A, work.D, start, stride, length, first, last
    )
