"""The convolution by kernels of 3x3, stride 1, with fewer products (emit/winograd.py).

Lines of tiles are transformed in parts that stay in the cache, with pooling of 2x2 where a window
is a tile. The transformed weights, U, are made once for each call: 16 places of panels of filters,
each (channels, lanes), as the weights themselves. V holds the transformed inputs, M the products of
both, place by place, tile by tile.
"""

from typing import NamedTuple

from ..buffers import image_at, layer_at
from ..emit import winograd as transform
from ..emit.emitter import VECTOR_BYTES
from ..emit.tile import multiply_rows
from ..emit.transpose import transpose_block
from ..emit.winograd_forms import PLACES
from ..emit.winograd_products import products, products_back
from ..machine.jit import kernel
from ..machine.team import share
from .image_bias import image_bias_gradient
from .layout import activate_rectangle, scratch_of
from .windows import clear_inputs

# Vectors between places. Places whose distance is a multiple of 4 KB displace each other in the
# first-level cache: transforms that write to all of them took twice as long.
APART = 3


class Parts(NamedTuple):
    """Where a group's buffers are in Work.scratch, and the sizes of a place of each."""

    u: int
    v: int
    m: int
    blocks: int  # of gradients, transposed
    u_place: int
    v_place: int
    m_place: int
    panel_place: int  # of M, for one panel of filters
    tile_rows: int
    tile_columns: int
    tiles: int  # of a part of a line


@kernel
def parts_of(c, image, row, lanes):
    """Return the parts of the scratch of a group of rows."""
    channels, filters, tiles = image.in_channels, image.out_channels, image.tiles
    gap = APART * lanes
    u_place = channels * filters + gap
    v_place, m_place = tiles * channels * lanes + gap, tiles * filters * lanes + gap
    u = scratch_of(image, row, lanes)
    v = u + PLACES * u_place
    m = v + PLACES * v_place
    return Parts(
        u, v, m, m + PLACES * m_place, u_place, v_place, m_place, tiles * lanes * lanes + gap,
        (image.out_height + 1) // 2, (image.out_width + 1) // 2, tiles,
    )  # fmt: skip


@kernel(inline=True)
def transform_weights(c, image, work, params, parts):
    """U = G w G^T."""
    lanes = VECTOR_BYTES // work.A.itemsize
    channels = image.in_channels
    for p in range(c.ld_out // lanes):
        transform.weights(
            params, c.w + p * c.n_in * lanes, channels * lanes, channels,
            work.scratch, parts.u + p * channels * lanes, parts.u_place,
        )  # fmt: skip


@kernel(cached=True)
def winograd_forward(net, work, sparse, order, key, first_row, layer, box):
    """Overwrite rows of Z and A, and of T if there is one and outputs are pooled."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, s = VECTOR_BYTES // work.A.itemsize, work.scratch
    parts = parts_of(c, image, r0, lanes)
    if r0 < r1:
        transform_weights(c, image, work, net.params, parts)
    for r in range(r0, r1, lanes):
        for y in range(parts.tile_rows):
            for x in range(0, parts.tile_columns, parts.tiles):
                tiles = x, min(x + parts.tiles, parts.tile_columns)
                transform.inputs(
                    work.A, c.in_ + r * c.in_row, image, y, tiles, s, parts.v, parts.v_place
                )
                products(
                    s, parts.u, parts.u_place, s, parts.v, parts.v_place, s, parts.m, parts.m_place,
                    image.in_channels, image.out_channels, tiles[1] - tiles[0],
                )  # fmt: skip
                transform.outputs(
                    s, parts.m, parts.m_place, net.params, c.b, image, y, tiles,
                    work.Z, c.out + r * c.out_row, work.T, c.t + r * c.out_row, work.T.size > 0,
                )  # fmt: skip
    activate_rectangle(c, net.activation_parameters[layer], work, box)


@kernel(cached=True)
def winograd_backward(net, work, key, first_row, layer, box):
    """Overwrite rows of dL/dA of the layer's inputs."""
    _, _, r0, r1 = box
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, s = VECTOR_BYTES // work.D.itemsize, work.scratch
    parts = parts_of(c, image, r0, lanes)
    if r0 < r1:
        transform_weights(c, image, work, net.params, parts)
    for r in range(r0, r1, lanes):
        start = c.in_ + r * c.in_row
        clear_inputs(c, work.D, r, r + lanes, lanes)
        for y in range(parts.tile_rows):
            for x in range(0, parts.tile_columns, parts.tiles):
                tiles = x, min(x + parts.tiles, parts.tile_columns)
                transform.output_gradients(
                    work.D, c.out + r * c.out_row, work.T, c.t + r * c.out_row,
                    image, y, tiles, s, parts.m, parts.m_place,
                )  # fmt: skip
                products_back(
                    s, parts.u, parts.u_place, s, parts.m, parts.m_place, s, parts.v, parts.v_place,
                    image.in_channels, image.out_channels, tiles[1] - tiles[0],
                )  # fmt: skip
                transform.input_gradients(work.D, start, image, y, tiles, s, parts.v, parts.v_place)


@kernel(inline=True)
def transposed_gradients(c, image, work, parts, r, y, tiles, p):
    """M = A dz A^T for a panel of filters: for each place, tile and row, a vector of filters."""
    lanes, zero = VECTOR_BYTES // work.D.itemsize, work.D.dtype.type(0)
    block, filters = lanes * lanes, image.out_channels
    is_pooled = image.pool_height > 1
    out = r * c.out_row + p * block
    for tile in range(tiles[0], tiles[1]):
        if is_pooled:
            at = out + (y * (image.out_width // 2) + tile) * filters * lanes
            transpose_block(work.D, c.out + at, lanes, work.scratch, parts.blocks, lanes)
            transpose_block(work.T, c.t + at, lanes, work.scratch, parts.blocks + block, lanes)
        else:
            for position in range(4):
                row, column = 2 * y + position // 2, 2 * tile + position % 2
                to = parts.blocks + position * block
                if row < image.out_height and column < image.out_width:
                    at = out + (row * image.out_width + column) * filters * lanes
                    transpose_block(work.D, c.out + at, lanes, work.scratch, to, lanes)
                else:
                    for k in range(to, to + block):
                        work.scratch[k] = zero
        transform.output_gradients_in_rows(
            work.scratch, parts.blocks, is_pooled,
            work.scratch, parts.m + (tile - tiles[0]) * block, parts.panel_place,
        )  # fmt: skip


@kernel(cached=True)
def winograd_gradient(me, net, work, layer, rows, overwrite):
    """Overwrite, or add to, the gradients of the member's panels of filters."""
    c, image = layer_at(net.layers, layer), image_at(net.images, layer)
    lanes, one = VECTOR_BYTES // work.D.itemsize, work.D.dtype.type(1)
    channels, s, zero = image.in_channels, work.scratch, work.D.dtype.type(0)
    # Members have parts of the scratch of their own; there are as many as groups of rows, and two.
    slots = min(me.team, s.size // image.scratch)
    if me.number >= slots:
        return
    first, last = share(c.ld_out // lanes, 1, me.number, slots)
    if first == last:
        return
    parts = parts_of(c, image, me.number * lanes, lanes)
    for place in range(PLACES):
        u = parts.u + place * parts.u_place
        for k in range(u + first * channels * lanes, u + last * channels * lanes):
            s[k] = zero
    for r in range(0, rows, lanes):
        for y in range(parts.tile_rows):
            for x in range(0, parts.tile_columns, parts.tiles):
                tiles = x, min(x + parts.tiles, parts.tile_columns)
                transform.inputs(
                    work.A, c.in_ + r * c.in_row, image, y, tiles, s, parts.v, parts.v_place
                )
                for p in range(first, last):
                    transposed_gradients(c, image, work, parts, r, y, tiles, p)
                    for place in range(PLACES):
                        u = parts.u + place * parts.u_place + p * channels * lanes
                        multiply_rows(
                            s, parts.v + place * parts.v_place, lanes, channels * lanes,
                            s, parts.m + place * parts.panel_place, lanes,
                            s, u, lanes, one, one, s, u, lanes,
                            channels, (tiles[1] - tiles[0]) * lanes,
                        )  # fmt: skip
    for p in range(first, last):
        transform.weight_gradients(
            work.grads, c.w + p * c.n_in * lanes, channels * lanes, channels,
            s, parts.u + p * channels * lanes, parts.u_place, overwrite,
        )  # fmt: skip
        filters = p * lanes, (p + 1) * lanes
        image_bias_gradient(c, image, work, filters, rows, overwrite)
