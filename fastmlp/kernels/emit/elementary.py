"""exp, expm1, log, log1p, tanh, erf, sin and cos as polynomials.

They become vector code, while library calls stay scalar, and give the same bits on every system.

Kernels have no fast-math flags (machine/jit.py), which would reorder deliberate rounding.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .emitter import multiply_add

# Constants are made by exact operations and roundings only, not by the C library's functions.
_LN2 = 0.6931471805599453


class _Format:
    """A floating-point type: its bits, and the polynomials that reach its precision."""

    def __init__(
        self, integer, mantissa, largest, ln2, exp_terms, tanh_numerator, tanh_denominator,
        log1p_terms, sine_terms, erf_near, erf_far, erf_is_one,
    ):  # fmt: skip
        self.integer, self.mantissa = ir.IntType(integer), mantissa
        self.bias = (1 << (integer - mantissa - 2)) - 1
        self.magic = 1.5 * 2.0**mantissa  # added, it rounds a number into the last bits
        self.largest = largest  # the largest number whose exp is finite
        self.smallest = (1.5 - self.bias) * _LN2
        self.ln2_head, self.ln2_tail = ln2  # their sum; n times the first is exact
        self.exp_terms = exp_terms
        self.tanh_numerator, self.tanh_denominator = tanh_numerator, tanh_denominator
        self.log1p_terms, self.sine_terms = log1p_terms, sine_terms
        self.log_terms = (log1p_terms + 3) // 2  # for |s| < 0.172
        self.erf_near, self.erf_far, self.erf_is_one = erf_near, erf_far, erf_is_one


# exp: its Taylor series, until the next term is lost in rounding, for |r| <= log(2) / 2.
# tanh below 5/8: x + x^3 P(x^2) / Q(x^2) (Moshier, Cephes: tanhf and tanh).
# log1p: 2 artanh(s), s = x / (2 + x) <= 1 / 3, its Taylor series.
# sin(2 pi x) for |x| <= 1 / 4: its Taylor series.
# erf below 1: x + x P(x^2); above, 1 - exp(-P(x - 2)), P the minimax polynomial of -log(erfc(x)),
# weighted by erfc (Lawson's iteration, 60 digits): errors of 2e-9 and 7e-18.
_FORMATS = {
    types.float32: _Format(
        32, 23, 88.72283, (0.693359375, -2.12194440e-4), 7,
        (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
         -3.33332819422e-1), (1.0,),
        8, 7,
        (7.8536257e-5, -8.0101222e-4, 5.18831955e-3, -2.685380765e-2, 1.1283585046e-1,
         -3.7612625816e-1, 1.2837916573e-1),
        (-1.8547790e-4, 7.1291211e-4, -3.543621648e-3, 1.6487200624e-2, 9.23753040176e-1,
         4.41815937252, 5.36494106153), 4.0,
    ),
    types.float64: _Format(
        64, 52, 709.78271289338397, (6.93147180369123816490e-1, 1.90821492927058770002e-10), 13,
        (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3),
        (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3),
        18, 12,
        (-7.7794346479962362675e-10, 1.371096167498849686e-8, -1.6206309282368033182e-7,
         1.6447130966067428554e-6, -1.4924712251151412243e-5, 1.2055293574151702255e-4,
         -8.5483259292188889114e-4, 5.2239776061163963795e-3, -2.6866170643111203301e-2,
         1.1283791670944182892e-1, -3.7612638903183519442e-1, 1.283791670955125656e-1),
        (4.8420413955983813867e-12, -3.6524850922881351978e-11, 7.1575759138666165646e-11,
         2.5635929765629345298e-10, -2.609455545047162093e-9, 1.3991239677291381214e-8,
         -5.7696490780822447531e-8, 1.7317001583854561913e-7, -2.0372709946493549946e-7,
         -1.9521855744280277066e-6, 2.0706470775189383226e-5, -1.3530933131341656035e-4,
         7.3239937781365161839e-4, -3.5707563477316484811e-3, 1.6465118137426157295e-2,
         9.2375084182394031057e-1, 4.4181608059944116502, 5.3649412646166361731), 6.0,
    ),
}  # fmt: skip


class Elementary:
    """Emits functions of numbers of a type, or of vectors of ``lanes`` of them: the same bits."""

    def __init__(self, builder, kind, lanes=1):
        self.builder, self.format, self.lanes = builder, _FORMATS[kind], lanes
        self.real = ir.FloatType() if kind == types.float32 else ir.DoubleType()
        self.whole = self.format.integer
        if lanes > 1:
            self.real, self.whole = (ir.VectorType(one, lanes) for one in (self.real, self.whole))
        self.fma_function = multiply_add(builder, self.real)

    def number(self, value):
        """Return a constant in all lanes."""
        value = float(np.float32(value)) if self.format.mantissa < 52 else value
        return ir.Constant(self.real, value if self.lanes == 1 else [value] * self.lanes)

    def bits(self, value):
        """Return an integer of the type's size in all lanes."""
        return ir.Constant(self.whole, value if self.lanes == 1 else [value] * self.lanes)

    def fma(self, a, b, c):
        return self.builder.call(self.fma_function, [a, b, c])

    def polynomial(self, x, coefficients):
        """Emit Horner's scheme, the highest power first."""
        total = self.number(coefficients[0])
        for coefficient in coefficients[1:]:
            total = self.fma(total, x, self.number(coefficient))
        return total

    def short_polynomial(self, x, coefficients):
        """Emit Estrin's scheme, the highest power first: for single numbers, whose chain waits."""
        terms, power = [self.number(coefficient) for coefficient in coefficients[::-1]], x
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            last = terms[-1:] if len(terms) % 2 else []
            terms = [self.fma(upper, power, lower) for lower, upper in pairs] + last
            power = self.builder.fmul(power, power)
        return terms[0]

    def reduced(self, x):
        """Emit r and 2^(n - 1) of x = n log(2) + r.

        Half the power, since n may exceed the largest exponent by one.
        """
        builder, form = self.builder, self.format
        magic = self.number(form.magic)
        shifted = self.fma(x, self.number(1.0 / _LN2), magic)
        n = builder.fsub(shifted, magic)
        r = self.fma(n, self.number(-form.ln2_head), x)
        r = self.fma(n, self.number(-form.ln2_tail), r)
        bits = builder.bitcast(shifted, self.whole)
        bits = builder.add(bits, self.bits(form.bias - 1))
        bits = builder.shl(bits, self.bits(form.mantissa))
        return r, builder.bitcast(bits, self.real)

    def exp_terms(self, lowest):
        """Return the coefficients of exp's series, down to the power ``lowest``."""
        return [1.0 / math.factorial(k) for k in range(self.format.exp_terms, lowest - 1, -1)]

    def exp(self, x):
        """Emit 2^n exp(r), x = n log(2) + r; infinity and 0 outside the range, NaN for NaN."""
        builder, form = self.builder, self.format
        r, power = self.reduced(x)
        found = self.polynomial(r, self.exp_terms(0))
        found = builder.fmul(builder.fadd(found, found), power)
        is_large = builder.fcmp_ordered(">", x, self.number(form.largest))
        is_small = builder.fcmp_ordered("<", x, self.number(form.smallest))
        found = builder.select(is_large, self.number(math.inf), found)
        return builder.select(is_small, self.number(0.0), found)

    def expm1(self, x):
        """Emit 2^n (exp(r) - 1) + (2^n - 1), for x <= 0: -1 below the range, NaN for NaN."""
        builder = self.builder
        r, half = self.reduced(x)
        power = builder.fadd(half, half)
        near = builder.fmul(self.polynomial(r, self.exp_terms(1)), r)
        found = self.fma(power, near, builder.fsub(power, self.number(1.0)))
        is_small = builder.fcmp_ordered("<", x, self.number(self.format.smallest))
        return builder.select(is_small, self.number(-1.0), found)

    def log(self, x):
        """Emit n log(2) + 2 artanh((m - 1) / (m + 1)), x = 2^n m, m from 1 / sqrt(2) to sqrt(2)."""
        builder, form = self.builder, self.format
        bits = builder.bitcast(x, self.whole)
        mantissa = builder.and_(bits, self.bits((1 << form.mantissa) - 1))
        one = builder.bitcast(self.number(1.0), self.whole)
        m = builder.bitcast(builder.or_(mantissa, one), self.real)
        n = builder.sub(
            builder.lshr(bits, self.bits(form.mantissa)),
            self.bits(form.bias),
        )
        n = builder.sitofp(n, self.real)
        is_high = builder.fcmp_ordered(">", m, self.number(math.sqrt(2.0)))
        m = builder.select(is_high, builder.fmul(m, self.number(0.5)), m)
        n = builder.select(is_high, builder.fadd(n, self.number(1.0)), n)
        m = builder.fsub(m, self.number(1.0))
        near = self.artanh2(m, form.log_terms, Elementary.short_polynomial)
        found = self.fma(n, self.number(form.ln2_tail), near)
        found = self.fma(n, self.number(form.ln2_head), found)
        # Infinity and NaN as they are, -infinity for 0, NaN below.
        is_finite = builder.fcmp_ordered("<", x, self.number(math.inf))
        found = builder.select(is_finite, found, x)
        is_zero = builder.fcmp_ordered("==", x, self.number(0.0))
        found = builder.select(is_zero, self.number(-math.inf), found)
        is_negative = builder.fcmp_ordered("<", x, self.number(0.0))
        return builder.select(is_negative, self.number(math.nan), found)

    def log1p(self, x):
        """Emit 2 artanh(x / (2 + x)), for x from 0 to 1."""
        return self.artanh2(x, self.format.log1p_terms)

    def artanh2(self, x, count, polynomial=polynomial):
        """Emit 2 artanh(s), s = x / (2 + x), which is log(1 + x), by ``count`` terms."""
        builder = self.builder
        s = builder.fdiv(x, builder.fadd(x, self.number(2.0)))
        terms = [1.0 / (2 * k + 1) for k in range(count, 0, -1)]
        square = builder.fmul(s, s)
        found = self.fma(builder.fmul(s, square), polynomial(self, square, terms), s)
        return builder.fadd(found, found)

    def erf(self, x):
        """Emit an odd polynomial near 0, elsewhere 1 - exp(-P(|x|)) with the sign of x."""
        builder, form = self.builder, self.format
        square = builder.fmul(x, x)
        near = self.fma(self.polynomial(square, form.erf_near), x, x)
        is_negative = builder.fcmp_ordered("<", x, self.number(0.0))
        size = builder.select(is_negative, builder.fneg(x), x)
        is_one = builder.fcmp_ordered(">", size, self.number(form.erf_is_one))
        within = builder.select(is_one, self.number(form.erf_is_one), size)
        exponent = self.polynomial(builder.fsub(within, self.number(2.0)), form.erf_far)
        far = builder.fsub(self.number(1.0), self.exp(builder.fneg(exponent)))
        far = builder.select(is_negative, builder.fneg(far), far)
        is_near = builder.fcmp_unordered("<", size, self.number(1.0))
        return builder.select(is_near, near, far)

    def sin2pi(self, x):
        """Emit sin(2 pi v) of the nearest v within a quarter turn of 0 that has the same sine."""
        turn = self._turn(x)
        is_negative = self.builder.fcmp_ordered("<", turn, self.number(0.0))
        half = self.builder.select(is_negative, self.number(-0.5), self.number(0.5))
        size = self.builder.select(is_negative, self.builder.fneg(turn), turn)
        is_far = self.builder.fcmp_ordered(">", size, self.number(0.25))
        return self._sine(self.builder.select(is_far, self.builder.fsub(half, turn), turn))

    def cos2pi(self, x):
        """Emit sin(2 pi (1 / 4 - |t|)), t within half a turn of 0."""
        turn = self._turn(x)
        is_negative = self.builder.fcmp_ordered("<", turn, self.number(0.0))
        size = self.builder.select(is_negative, self.builder.fneg(turn), turn)
        return self._sine(self.builder.fsub(self.number(0.25), size))

    def _turn(self, x):
        """Emit x less the nearest whole number, which is exact."""
        name = f"llvm.rint.f{64 if self.format.mantissa == 52 else 32}"
        kind = ir.FunctionType(self.real, [self.real])
        rint = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.fsub(x, self.builder.call(rint, [x]))

    def _sine(self, v):
        """Emit sin(2 pi v), for |v| <= 1 / 4."""
        signs = ((-1) ** k for k in range(self.format.sine_terms))
        terms = [
            sign * math.prod([2 * math.pi] * (2 * k + 1)) / math.factorial(2 * k + 1)
            for k, sign in enumerate(signs)
        ]
        square = self.builder.fmul(v, v)
        return self.builder.fmul(self.polynomial(square, terms[::-1]), v)

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
def fma(typingctx, a, b, c):
    """Return a b + c, rounded once. Of two products that are added, CPUs would fuse either."""

    def codegen(context, builder, signature, args):
        return Elementary(builder, a).fma(*args)

    return a(a, a, a), codegen


def _function(name, text):
    """Return the intrinsic ``name`` of a number, with this docstring."""

    def function(typingctx, x):
        def codegen(context, builder, signature, args):
            return getattr(Elementary(builder, x), name)(args[0])

        return x(x), codegen

    function.__name__, function.__doc__ = name, text
    return intrinsic(function)


exp = _function("exp", "Return exp(x), within 2 units in the last place; 0 if nearly denormal.")
expm1 = _function("expm1", "Return exp(x) - 1 for x <= 0, within 2 units in the last place.")
log = _function("log", "Return log(x), within 2 units in the last place; x is not denormal.")
log1p = _function("log1p", "Return log(1 + x) for 0 <= x <= 1, within 2 units in the last place.")
tanh = _function("tanh", "Return tanh(x), within 2 units in the last place.")
sin2pi = _function("sin2pi", "Return sin(2 pi x), to 2 units in the last place of 1.")
cos2pi = _function("cos2pi", "Return cos(2 pi x), to 2 units in the last place of 1.")
erf = _function("erf", "Return erf(x), within 2 units in the last place.")
