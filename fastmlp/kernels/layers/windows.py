"""Windows of images, for pooling."""

from ..machine.jit import kernel


@kernel(inline=True)
def window_at(c, image, r, position, channel, lanes):
    """Return where the first inputs of a window and its outputs are, for the group of row r."""
    y, x = position // image.out_width, position % image.out_width
    pixel = y * image.stride_height * image.in_width + x * image.stride_width
    first = c.in_ + r * c.in_row + (pixel * image.in_channels + channel) * lanes
    output = c.out + r * c.out_row + (position * image.out_channels + channel) * lanes
    return first, output


@kernel(inline=True)
def clear_inputs(c, D, r0, r1, lanes):
    """Set the gradients of the inputs of rows to 0."""
    groups = (r1 - r0 + lanes - 1) // lanes
    for d in range(c.in_ + r0 * c.in_row, c.in_ + r0 * c.in_row + groups * lanes * c.in_row):
        D[d] = D.dtype.type(0)


@kernel(inline=True)
def are_tiles(image):
    """Whether each input belongs to exactly one window."""
    return (
        image.stride_height == image.kernel_height
        and image.stride_width == image.kernel_width
        and image.out_height * image.kernel_height == image.in_height
        and image.out_width * image.kernel_width == image.in_width
    )
