"""Where Winograd's transforms find numbers: in images, and at the 16 places of tiles."""

from llvmlite import ir
from numba.core import cgutils

from .emitter import Emitter, integer

TILE = 4  # inputs of a tile along each axis
OUT = 2  # outputs


class Places(Emitter):
    """Emits code on a line of tiles; ``tiles`` is (first, last) along x."""

    def __init__(self, context, builder, names, signature, args):
        kinds, given = (dict(zip(names, each, strict=True)) for each in (signature.args, args))
        super().__init__(context, builder, kinds, given, kinds["M"].dtype)
        self.zero = ir.Constant(self.vector, None)
        if "image" in given:
            fields = kinds["image"].fields
            parts = cgutils.unpack_tuple(builder, given["image"])
            self.size = dict(zip(fields, parts, strict=True))
            first, last = cgutils.unpack_tuple(builder, given["tiles"])
            self.first, self.count = first, builder.sub(last, first)

    def at(self, array, index):
        """Return a pointer to a vector of an array."""
        return self.vector_at(array, self.pointer(array, index))

    def product(self, *factors):
        """Return a product of integers."""
        found = factors[0]
        for factor in factors[1:]:
            found = self.builder.mul(found, factor)
        return found

    def sum(self, *terms):
        """Return a sum of integers."""
        found = terms[0]
        for term in terms[1:]:
            found = self.builder.add(found, term)
        return found

    def each(self, count):
        """Return a loop over vectors: the offset of each."""
        step = integer(self.lanes)
        return cgutils.for_range_slice(
            self.builder, integer(0), self.builder.mul(count, step), step
        )

    def places(self, offset):
        """Return pointers to a vector of M at all 16 places, as a block."""
        first = self.sum(self.given["m"], offset)
        numbers = [[integer(TILE * y + x) for x in range(TILE)] for y in range(TILE)]
        return [
            [
                self.at("M", self.sum(
                    first, self.product(self.given["m_place"], number)))
                for number in row
            ]
            for row in numbers
        ]  # fmt: skip

    def store_places(self, block, offset):
        for row, pointers in zip(block, self.places(offset), strict=True):
            for value, pointer in zip(row, pointers, strict=True):
                self.store(value, pointer)

    def load_places(self, offset):
        return [[self.load(pointer) for pointer in row] for row in self.places(offset)]

    def positions(self, tile, side, count):
        """Return positions along both axes with whether each lies within the image.

        ``side`` is ``in`` or ``out``; there are ``count`` along each axis.
        """
        builder, found = self.builder, []
        for axis, number in (("height", self.given["y"]), ("width", tile)):
            first = self.product(number, integer(OUT))
            if side == "in":
                first = builder.sub(first, self.size[f"padding_{axis}"])
            size, along = self.size[f"{side}_{axis}"], []
            for k in range(count):
                at = self.sum(first, integer(k))
                is_inside = builder.icmp_unsigned("<", at, size)  # negative numbers are large
                along.append((at, is_inside))
            found.append(along)
        return found

    def offset_of(self, y, x, width, channels):
        """Return the offset of the first channel of a position."""
        return self.product(self.sum(self.product(y, width), x), channels, integer(self.lanes))

    def load_if(self, is_inside, name, index):
        """Return a vector of an array, or 0."""
        builder = self.builder
        found = cgutils.alloca_once(builder, self.vector)
        builder.store(self.zero, found)
        with builder.if_then(is_inside):
            builder.store(self.load(self.at(name, index)), found)
        return builder.load(found)
