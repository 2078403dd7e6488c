"""Where a layer's outputs are, and which of them belong to a member of a team.

The outputs of a block are stored in one of three ways: in panels of columns, in rows (the output,
and softmax), or as images: the rows of the block in groups of ``lanes``, and for each group all
features, each a vector with an element of every row. The division into rectangles decides which
data move between cores, not the results: every element is the same chain of operations in any
rectangle.
"""

from ..buffers import layer_at
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


@kernel
def _owned_panels(c, panels, lanes, member, team):
    """Return a member's panels [first, last) of ``panels``, for all rows of a block.

    (0, 0) if there are fewer panels than members, or whole rows are needed: members share rows.
    """
    if panels < team or not is_in_panels(c, lanes):
        return 0, 0
    return share(panels, 1, member, team)


@kernel
def owned_units(c, lanes, member, team):
    """Return a member's panels [first, last) of a layer's units, or (0, 0).

    The weights into these units then stay in the member's cache from step to step.
    """
    return _owned_panels(c, c.ld_out // lanes, lanes, member, team)


@kernel
def rectangle(c, lanes, rows, member, team):
    """Return a member's panels and rows of a layer's outputs: (first, last, first, last)."""
    return _shared(c, not is_image(c), lanes, rows, member, team)


@kernel
def rectangle_below(c, above, lanes, rows, member, team):
    """Return the rectangle of gradients of a layer's outputs, for the backward pass of the layer
    ``above``: a dense one reads a part of its weights for each panel of its inputs.
    """
    return _shared(c, not is_image(above), lanes, rows, member, team)


@kernel
def _shared(c, by_panels, lanes, rows, member, team):
    """Return a member's part, of panels if asked and possible, else of rows.

    Images are shared by rows, unless the layer above is dense.
    """
    panels = c.ld // lanes
    p0, p1 = _owned_panels(c, panels, lanes, member, team) if by_panels else (0, 0)
    if p1 > 0:
        return p0, p1, 0, rows
    r0, r1 = share(rows, lanes, member, team)
    return 0, panels, r0, r1


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
    activate(c.function, parameter, work.Z, work.A, start, stride, length, first, last)


@kernel(inline=True)
def finish_gradients(c, parameter, work, box):
    """Change a rectangle of a layer's D from dL/dA to dL/dZ."""
    start, stride, length, first, last = contiguous_ranges(c, VECTOR_BYTES // work.A.itemsize, box)
    activate_backward(
        c.derivative, parameter, work.Z, work.A, work.D, start, stride, length, first, last
    )
