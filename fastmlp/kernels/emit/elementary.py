"""exp and tanh as polynomials: they become vector code, while library calls stay scalar.

Emitted as IR without fast-math flags, which would reorder deliberate rounding.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .emitter import multiply_add


class _Format:
    """A floating-point type: its bits, and the polynomials that reach its precision."""

    def __init__(
        self, integer, mantissa, largest, ln2, exp_terms, tanh_numerator, tanh_denominator
    ):
        self.integer, self.mantissa = ir.IntType(integer), mantissa
        self.bias = (1 << (integer - mantissa - 2)) - 1
        self.magic = 1.5 * 2.0**mantissa  # added, it rounds a number into the last bits
        self.largest = largest  # the largest number whose exp is finite
        self.smallest = (1.5 - self.bias) * math.log(2.0)
        self.ln2_head, self.ln2_tail = ln2  # their sum; n times the first is exact
        self.exp_terms = exp_terms
        self.tanh_numerator, self.tanh_denominator = tanh_numerator, tanh_denominator


# exp: its Taylor series, until the next term is lost in rounding, for |r| <= log(2) / 2.
# tanh below 5/8: x + x^3 P(x^2) / Q(x^2) (Moshier, Cephes: tanhf and tanh).
_FORMATS = {
    types.float32: _Format(
        32, 23, 88.72283, (0.693359375, -2.12194440e-4), 7,
        (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
         -3.33332819422e-1), (1.0,),
    ),
    types.float64: _Format(
        64, 52, 709.78271289338397, (6.93147180369123816490e-1, 1.90821492927058770002e-10), 13,
        (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3),
        (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3),
    ),
}  # fmt: skip


class _ScalarEmitter:
    def __init__(self, context, builder, kind):
        self.builder, self.format = builder, _FORMATS[kind]
        self.real = context.get_value_type(kind)
        self.fma_function = multiply_add(builder, self.real)

    def number(self, value):
        return ir.Constant(
            self.real, float(np.float32(value)) if self.format.mantissa < 52 else value
        )

    def fma(self, a, b, c):
        return self.builder.call(self.fma_function, [a, b, c])

    def polynomial(self, x, coefficients):
        """Emit Horner's scheme, the highest power first."""
        total = self.number(coefficients[0])
        for coefficient in coefficients[1:]:
            total = self.fma(total, x, self.number(coefficient))
        return total

    def exp(self, x):
        """Emit 2^n exp(r), x = n log(2) + r; infinity and 0 outside the range, NaN for NaN."""
        builder, form = self.builder, self.format
        magic = self.number(form.magic)
        shifted = self.fma(x, self.number(1.0 / math.log(2.0)), magic)
        n = builder.fsub(shifted, magic)
        r = self.fma(n, self.number(-form.ln2_head), x)
        r = self.fma(n, self.number(-form.ln2_tail), r)
        terms = [1.0 / math.factorial(k) for k in range(form.exp_terms, -1, -1)]
        # 2^(n - 1), and twice the rest: n may exceed the largest exponent by one.
        bits = builder.bitcast(shifted, form.integer)
        bits = builder.add(bits, ir.Constant(form.integer, form.bias - 1))
        bits = builder.shl(bits, ir.Constant(form.integer, form.mantissa))
        power = builder.bitcast(bits, self.real)
        found = self.polynomial(r, terms)
        found = builder.fmul(builder.fadd(found, found), power)
        is_large = builder.fcmp_ordered(">", x, self.number(form.largest))
        is_small = builder.fcmp_ordered("<", x, self.number(form.smallest))
        found = builder.select(is_large, ir.Constant(self.real, math.inf), found)
        return builder.select(is_small, self.number(0.0), found)

    def tanh(self, x):
        """Emit an odd polynomial near 0, elsewhere 1 - 2 / (exp(2 |x|) + 1) with the sign of x."""
        builder, form = self.builder, self.format
        square = builder.fmul(x, x)
        quotient = self.polynomial(square, form.tanh_numerator)
        if len(form.tanh_denominator) > 1:
            quotient = builder.fdiv(quotient, self.polynomial(square, form.tanh_denominator))
        near = self.fma(builder.fmul(x, square), quotient, x)
        is_negative = builder.fcmp_ordered("<", x, self.number(0.0))
        size = builder.select(is_negative, builder.fneg(x), x)
        growth = self.exp(builder.fadd(size, size))
        far = builder.fsub(
            self.number(1.0), builder.fdiv(self.number(2.0), builder.fadd(growth, self.number(1.0)))
        )
        far = builder.select(is_negative, builder.fneg(far), far)
        is_near = builder.fcmp_unordered("<", size, self.number(0.625))
        return builder.select(is_near, near, far)


@intrinsic
def exp(typingctx, x):
    """Return exp(x), within 2 units in the last place; 0 if it is nearly denormal."""

    def codegen(context, builder, signature, args):
        return _ScalarEmitter(context, builder, x).exp(args[0])

    return x(x), codegen


@intrinsic
def tanh(typingctx, x):
    """Return tanh(x), within 2 units in the last place."""

    def codegen(context, builder, signature, args):
        return _ScalarEmitter(context, builder, x).tanh(args[0])

    return x(x), codegen
