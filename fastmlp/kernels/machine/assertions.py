"""Index assertions, compiled into kernels in a debug build only.

The environment variable FASTMLP_DEBUG_MEMORY=1, set before the package is imported, makes a debug
build. Every index is then compared with the size of its array, and every computed address, of an
element or of a vector, with the bounds of its array. An access out of bounds prints a message and
ends the process at once, like C's assert: an exception would leave the other members of a team
waiting at a barrier.
"""

import os
import re

from llvmlite import ir
from numba.core import cgutils

CHECKED = os.environ.get("FASTMLP_DEBUG_MEMORY", "0") not in ("", "0")

_WORD = ir.IntType(64)


def check_range(builder, start, count, size, unit):
    """Emit the assertion that ``count`` units from ``start`` on are within ``size`` units."""
    count = _WORD(count) if isinstance(count, int) else count
    # Unsigned: a negative start is beyond any end.
    is_behind = builder.icmp_unsigned(">", start, size)
    is_long = builder.icmp_unsigned(">", count, builder.sub(size, start))
    # Numba's names begin as C++'s do: _ZN7fastmlp7kernels6sparse14sparse_forwardB...
    kernel = ".".join(re.findall(r"(?<=\d)[a-z_]+", builder.function.name.partition("B")[0]))
    message = f"fastmlp: outside of an array, in {kernel}: {unit} %lld to %lld of %lld\n"
    with builder.if_then(builder.or_(is_behind, is_long), likely=False):
        cgutils.printf(builder, message, start, builder.add(start, count), size)
        for name, arguments in (("fflush", [cgutils.voidptr_t(None)]), ("abort", [])):
            kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
        builder.unreachable()


def _check_index(context, builder, index, size, axis=None):
    """Emit the assertion in place of Numba's own, which raises an exception."""
    wide = [value if value.type == _WORD else builder.sext(value, _WORD) for value in (index, size)]
    check_range(builder, wide[0], 1, wide[1], "elements")


if CHECKED:
    cgutils.do_boundscheck = _check_index
