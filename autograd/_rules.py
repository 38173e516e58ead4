"""The table: one row per primitive, nothing else.

A row says what the operation is on floats and what its partial derivatives are; everything else
(eager operation, reverse and forward mode, higher orders, pictures, tests) is derived from it.
`docs/conventions.md` states the conventions at kinks, poles and infinities.

Partials see `(out, *args)` and are written with primitives and `+ - *` only, never `/` or `**`:
on floats Python's own raise at zero, ours follow IEEE 754. They are lambdas, so that a row can be
read, and a traceback shows, as one statement.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from math import inf, nan
from typing import Any, Final

from . import _special
from ._primitive import Interval, Primitive, Special, register

_LN2: Final = math.log(2.0)
_LOG2_E: Final = 1.4426950408889634
_LOG10_E: Final = 0.4342944819032518
_LN10: Final = math.log(10.0)
ALL_WHOLE: Final = 9007199254740992.0  # 2**53: floats from here on are even integers (or infinite)
_SQRT_HALF: Final = 0.7071067811865476
_THIRD: Final = 0.3333333333333333
_TWO_OVER_SQRT_PI: Final = 1.1283791670955126
_ONE_OVER_SQRT_2PI: Final = 0.3989422804014327

_ANY: Final = (-8.0, 8.0)
_POSITIVE: Final = (0.01, 50.0)
_UNIT: Final = (-0.99, 0.99)


def _row(
    name: str,
    fn: Callable[..., float],
    partials: tuple[Callable[..., Any] | None, ...],
    domain: tuple[Interval, ...],
    special: tuple[Special, ...],
    exact: Callable[..., Any],
    **more: Any,
) -> Primitive:
    """Return a registered primitive; here, unlike for users, points and definition are a must."""
    row = Primitive(name, fn, partials, domain=domain, special=special, exact=exact, **more)
    return register(row)


# ------------------------------------------------------- values on floats, where Python's differ


def _ieee(
    f: Callable[[float], float], pole: tuple[float, float] = (nan, nan), odd: bool = False
) -> Callable[[float], float]:
    """Return `f` with IEEE results in place of Python's exceptions.

    `pole` is one (argument, value); overflow gives inf, with the sign of the argument if `odd`.
    """

    def quiet(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            at, value = pole
            if math.fabs(x) == at:
                return math.copysign(value, x) if odd else value
            return nan
        except OverflowError:
            return math.copysign(inf, x) if odd else inf

    return quiet


def _add(x: float, y: float) -> float:
    return x + y


def _sub(x: float, y: float) -> float:
    return x - y


def _mul(x: float, y: float) -> float:
    return x * y


def _neg(x: float) -> float:
    return -x


def _identity(x: float) -> float:
    return x


def divide(x: float, y: float) -> float:
    """Return x / y as IEEE 754 has it."""
    if y != 0.0:
        return x / y
    if x == 0.0 or x != x or y != y:
        return nan
    return math.copysign(inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """Return x ** y as IEEE 754 and C have it, exactly rounded for y = 2, 1 and -1."""
    if y == 2.0:
        return x * x
    if y == 1.0:
        return x
    if y == -1.0:
        return divide(1.0, x)
    try:
        return math.pow(x, y)
    except ValueError:  # a pole at zero, or a negative base with a fractional exponent
        if x == 0.0:
            odd = y == math.floor(y) and math.fmod(y, 2.0) != 0.0
            return math.copysign(inf, x) if odd else inf
        return nan
    except OverflowError:
        odd = y == math.floor(y) and math.fmod(y, 2.0) != 0.0
        return -inf if x < 0.0 and odd else inf


def power_slope(out: Any, x: Any, y: Any) -> Any:
    """Return the partial of `out` = x ** y by x, of floats or in the graph.

    From 2**53 on y - 1 is no float (and its neighbours are even where y - 1 is odd): there the
    power is taken at an even exponent and brought back by a factor x or 1 / x.
    """
    if not isinstance(y, float):
        # 0 ** 0 must not bring the pole of 1/x into higher orders.
        huge = greater(abs(y), ALL_WHOLE - 1.0)
        rising = greater(y, 0.0)
        less = where(huge, where(rising, 2.0, 0.0), 1.0)
        factor = where(huge, where(rising, x, div(1.0, x)), 1.0)
        return where(hypot(x, y), strong_mul(y, factor * pow(x, y - less)), 0.0)
    if y == 0.0:
        return 0.0
    if y >= ALL_WHOLE:
        return y * (x * pow(x, y - 2.0))
    return y * (div(1.0, x) * out) if y <= -ALL_WHOLE else y * pow(x, y - 1.0)


def _strong_mul(x: float, y: float) -> float:
    return 0.0 if x == 0.0 else x * y


def _log_slope(x: float) -> float:
    return nan if x < 0.0 else divide(1.0, x)


def _one_minus_square(x: float) -> float:
    size = math.fabs(x)
    if size <= 0.5:
        return 1.0 - x * x
    return (1.0 - x) * (1.0 + x) if size <= 1.0 else nan


def _gauss(x: float) -> float:
    return math.exp(-x * x)


def _log1p(x: float) -> float:
    if x == -1.0:
        return -inf
    return math.log1p(x) if x > -1.0 else nan


def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + _exp(-x))
    z = _exp(x)
    return z / (1.0 + z)


def _sech(x: float) -> float:
    z = math.exp(-math.fabs(x))
    return (z + z) / (1.0 + z * z)


def _sech_squared(x: float) -> float:
    z = math.exp(-2.0 * math.fabs(x))
    return 4.0 * z / ((1.0 + z) * (1.0 + z))


def _sigmoid_slope(x: float) -> float:
    z = math.exp(-math.fabs(x))
    return z / ((1.0 + z) * (1.0 + z))


def _softplus(x: float) -> float:
    return (x if x > 0.0 or x != x else 0.0) + math.log1p(_exp(-math.fabs(x)))


def _log_sigmoid(x: float) -> float:
    return -_softplus(-x)


def _gelu(x: float) -> float:
    if x < -37.0:  # erfc is no normal number where the result still may be: asymptotically
        r = 1.0 / (x * x)
        h = math.exp(-0.25 * x * x)
        series = 1.0 - r * (1.0 - 3.0 * r * (1.0 - 5.0 * r * (1.0 - 7.0 * r)))
        return 0.0 - _ONE_OVER_SQRT_2PI * series * h * h
    return _strong_mul(0.5 * math.erfc(-x * _SQRT_HALF), x)


def _silu(x: float) -> float:
    if x < -700.0:  # in halves, as x exp(x) may be a normal number where exp(x) is none
        h = math.exp(0.5 * x)
        return _strong_mul(h, x) * h + 0.0
    return _strong_mul(_sigmoid(x), x)


def _relu(x: float) -> float:
    return x if x > 0.0 or x != x else 0.0


def _leaky_relu(x: float, slope: float) -> float:
    return x if x > 0.0 else slope * x


def _elu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(x)


def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x + 0.0


def _greater(x: float, y: float) -> float:
    return 1.0 if x > y else 0.0


def _maximum(x: float, y: float) -> float:
    if x != x or y != y:
        return nan
    return x if x > y else y


def _minimum(x: float, y: float) -> float:
    if x != x or y != y:
        return nan
    return x if x < y else y


def _copysign(x: float, y: float) -> float:
    return nan if y != y else math.copysign(x, y)


def _where(condition: float, x: float, y: float) -> float:
    return x if condition != 0.0 else y


def _integral(f: Callable[[float], float]) -> Callable[[float], float]:
    """Return `f`, a rounding to int, as a function of all floats that keeps the sign of zero."""

    def rounded(x: float) -> float:
        if not math.fabs(x) < 4503599627370496.0:  # 2**52: integers already, or inf, or nan
            return x
        return math.copysign(float(f(x)), x)

    return rounded


def _fmod(x: float, y: float) -> float:
    try:
        return math.fmod(x, y)
    except ValueError:
        return nan


def _mod(x: float, y: float) -> float:
    r = _fmod(x, y)
    if r == 0.0:
        return math.copysign(0.0, y)
    return r + y if (y < 0.0) != (r < 0.0) else r


def _floordiv(x: float, y: float) -> float:
    if y == 0.0:
        return divide(x, y)
    r = _fmod(x, y)
    q = (x - r) / y  # nearly an integer, as CPython has it
    if r != 0.0 and (y < 0.0) != (r < 0.0):
        q -= 1.0
    if q == 0.0:
        return math.copysign(0.0, x / y)
    below = _floor(q)
    return below + 1.0 if q - below > 0.5 else below


def _ieee_remainder(x: float, y: float) -> float:
    try:
        return math.remainder(x, y)
    except ValueError:
        return nan


def _round_digits(x: float, n: float) -> float:
    if n != n or not math.fabs(n) <= 22.0 or n != math.floor(n):  # 10**22 is exact, 10**23 is not
        return nan
    return builtins.round(x, int(n))


def _logaddexp(x: float, y: float) -> float:
    if x == y:  # also where both are the same infinity
        return x + _LN2
    if x != x or y != y:
        return nan
    big = x if x > y else y
    small = y if x > y else x
    return big + math.log1p(_exp(small - big))


def _xlogy(x: float, y: float) -> float:
    if x == 0.0:
        return nan if y != y else 0.0
    return x * _log(y)


def _digamma(x: float) -> float:
    return _special.polygamma(0.0, x)


_exp: Final = _ieee(math.exp)
_log: Final = _ieee(math.log, pole=(0.0, -inf))
_floor: Final = _integral(math.floor)

# ----------------------------------------------------------------------- arithmetic
# Value holds these partials inlined, for speed; a test keeps both equal.

add: Final[Primitive] = _row(
    "add",
    _add,
    (lambda out, x, y: 1.0, lambda out, x, y: 1.0),
    (_ANY, _ANY),
    (((0.0, -0.0), 0.0, (1.0, 1.0)), ((inf, -inf), nan, (1.0, 1.0))),
    lambda m, x, y: x + y,
    symbol="+",
    doc="x + y",
)
sub: Final[Primitive] = _row(
    "sub",
    _sub,
    (lambda out, x, y: 1.0, lambda out, x, y: -1.0),
    (_ANY, _ANY),
    (((0.0, 0.0), 0.0, (1.0, -1.0)), ((inf, inf), nan, (1.0, -1.0))),
    lambda m, x, y: x - y,
    symbol="−",
    aliases=("subtract",),
    doc="x - y",
)
mul: Final[Primitive] = _row(
    "mul",
    _mul,
    (lambda out, x, y: y, lambda out, x, y: x),
    (_ANY, _ANY),
    (((0.0, inf), nan, (inf, 0.0)), ((0.0, 3.0), 0.0, (3.0, 0.0))),
    lambda m, x, y: x * y,
    symbol="×",
    aliases=("multiply",),
    doc="x y",
)
div: Final[Primitive] = _row(
    "div",
    divide,
    (lambda out, x, y: div(1.0, y), lambda out, x, y: div(-out, y)),
    (_ANY, (0.1, 8.0)),
    (
        ((1.0, 0.0), inf, (inf, -inf)),
        ((-1.0, 0.0), -inf, (inf, inf)),
        ((1.0, -0.0), -inf, (-inf, -inf)),
        ((0.0, 0.0), nan, (inf, nan)),
        ((1.0, inf), 0.0, (0.0, 0.0)),
    ),
    lambda m, x, y: x / y,
    symbol="÷",
    aliases=("divide", "true_divide"),
    doc="x / y",
)
neg: Final[Primitive] = _row(
    "neg",
    _neg,
    (lambda out, x: -1.0,),
    (_ANY,),
    (((0.0,), -0.0, (-1.0,)), ((-inf,), inf, (-1.0,))),
    lambda m, x: -x,
    symbol="−",
    aliases=("negative",),
    doc="-x",
)
pow: Final[Primitive] = _row(
    "pow",
    power,
    (
        power_slope,
        lambda out, x, y: where(
            x, strong_mul(out, log(x)), where(greater(0.0, y), strong_mul(out, log(x)), 0.0)
        ),
    ),
    ((0.1, 5.0), (-3.0, 3.0)),
    (
        ((0.0, 0.0), 1.0, (0.0, 0.0)),
        ((0.0, 2.0), 0.0, (0.0, 0.0)),
        ((0.0, 1.0), 0.0, (1.0, 0.0)),
        ((0.0, 0.5), 0.0, (inf, 0.0)),
        ((0.0, -1.0), inf, (-inf, -inf)),
        ((-0.0, -1.0), -inf, (-inf, None)),
        ((-0.0, -3.0), -inf, (-inf, None)),
        ((-3.0, 2.0), 9.0, (-6.0, nan)),
        ((-3.0, 0.0), 1.0, (0.0, nan)),
        ((-2.0, 3.0), -8.0, (12.0, nan)),
        ((-8.0, 1.0 / 3.0), nan, (nan, nan)),
        ((nan, 0.0), 1.0, (0.0, nan)),
        ((1e200, 2.0), inf, (2e200, inf)),
        ((-1e200, 3.0), -inf, (inf, nan)),
        ((-1.0, 2.0**53), 1.0, (-(2.0**53), nan)),
        ((-1.0, -(2.0**53)), 1.0, (2.0**53, nan)),
        ((-1.0, 1e17), 1.0, (-1e17, nan)),
    ),
    lambda m, x, y: m.power(x, y),
    kink=lambda m, x, y: m.inf if y >= 0 and y == m.nint(y) else x,
    symbol="^",
    aliases=("power",),
    doc="x to the power y",
)

# ----------------------------------------------------------------------- building blocks

strong_mul: Final[Primitive] = _row(
    "strong_mul",
    _strong_mul,
    (lambda out, x, y: y, lambda out, x, y: x),
    (_ANY, _ANY),
    (((0.0, inf), 0.0, (inf, 0.0)), ((0.0, nan), 0.0, (nan, 0.0)), ((inf, 0.0), nan, (0.0, inf))),
    lambda m, x, y: x * y,
    symbol="⊗",
    doc="x y, and 0 where x = 0 whatever y is (the product of a cotangent and a partial)",
)
identity: Final[Primitive] = _row(
    "identity",
    _identity,
    (lambda out, x: 1.0,),
    (_ANY,),
    (((-0.0,), -0.0, (1.0,)),),
    lambda m, x: x,
    symbol="=",
    doc="x",
)
stop_gradient: Final[Primitive] = _row(
    "stop_gradient",
    _identity,
    (None,),
    (_ANY,),
    (((2.0,), 2.0, (0.0,)),),
    lambda m, x: x,
    symbol="stop",
    selects=True,
    doc="x, taken as a constant",
)
where: Final[Primitive] = _row(
    "where",
    _where,
    (None, lambda out, c, x, y: where(c, 1.0, 0.0), lambda out, c, x, y: where(c, 0.0, 1.0)),
    ((0.5, 1.5), _ANY, _ANY),
    (
        ((0.0, 2.0, 3.0), 3.0, (0.0, 0.0, 1.0)),
        ((-0.0, 2.0, 3.0), 3.0, (0.0, 0.0, 1.0)),
        ((nan, 2.0, 3.0), 2.0, (0.0, 1.0, 0.0)),
        ((1.0, 2.0, nan), 2.0, (0.0, 1.0, 0.0)),
    ),
    lambda m, c, x, y: x if c != 0 else y,
    kink=lambda m, c, x, y: c,
    selects=True,
    doc="x if condition is not zero, else y; branch-free",
)
greater: Final[Primitive] = _row(
    "greater",
    _greater,
    (None, None),
    ((1.0, 2.0), (-2.0, 0.0)),
    (((0.0, 0.0), 0.0, (0.0, 0.0)), ((nan, 0.0), 0.0, (0.0, 0.0)), ((2.0, 1.0), 1.0, (0.0, 0.0))),
    lambda m, x, y: m.mpf(x > y),
    kink=lambda m, x, y: x - y,
    symbol=">",
    selects=True,
    doc="1 if x > y, else 0: a comparison that stays in the graph",
)

# ----------------------------------------------------------------------- pieces and kinks

abs: Final[Primitive] = _row(
    "abs",
    math.fabs,
    (lambda out, x: sign(x),),
    ((0.1, 8.0),),
    (((0.0,), 0.0, (0.0,)), ((-0.0,), 0.0, (0.0,)), ((-inf,), inf, (-1.0,))),
    lambda m, x: m.fabs(x),
    kink=lambda m, x: x,
    symbol="|·|",
    selects=True,
    aliases=("absolute", "fabs"),
    doc="|x|, with derivative 0 at 0",
)
sign: Final[Primitive] = _row(
    "sign",
    _sign,
    (None,),
    ((0.1, 8.0),),
    (((0.0,), 0.0, (0.0,)), ((-0.0,), 0.0, (0.0,)), ((nan,), nan, (0.0,))),
    lambda m, x: m.sign(x),
    kink=lambda m, x: x,
    selects=True,
    doc="-1, 0 or 1",
)
maximum: Final[Primitive] = _row(
    "maximum",
    _maximum,
    (
        lambda out, x, y: 0.5 * (1.0 + greater(x, y) - greater(y, x)),
        lambda out, x, y: 0.5 * (1.0 + greater(y, x) - greater(x, y)),
    ),
    ((1.0, 8.0), (-8.0, 0.9)),
    (
        ((2.0, 2.0), 2.0, (0.5, 0.5)),
        ((inf, inf), inf, (0.5, 0.5)),
        ((1.0, 2.0), 2.0, (0.0, 1.0)),
        ((nan, 2.0), nan, (0.5, 0.5)),
        ((2.0, nan), nan, (0.5, 0.5)),
    ),
    lambda m, x, y: max(x, y),
    kink=lambda m, x, y: x - y,
    symbol="max",
    selects=True,
    doc="the larger of x and y; ties share the gradient",
)
minimum: Final[Primitive] = _row(
    "minimum",
    _minimum,
    (
        lambda out, x, y: 0.5 * (1.0 + greater(y, x) - greater(x, y)),
        lambda out, x, y: 0.5 * (1.0 + greater(x, y) - greater(y, x)),
    ),
    ((1.0, 8.0), (-8.0, 0.9)),
    (
        ((2.0, 2.0), 2.0, (0.5, 0.5)),
        ((1.0, 2.0), 1.0, (1.0, 0.0)),
        ((nan, 2.0), nan, (0.5, 0.5)),
    ),
    lambda m, x, y: min(x, y),
    kink=lambda m, x, y: x - y,
    symbol="min",
    selects=True,
    doc="the smaller of x and y; ties share the gradient",
)
copysign: Final[Primitive] = _row(
    "copysign",
    _copysign,
    (lambda out, x, y: sign(x) * copysign(1.0, y), None),
    ((0.1, 8.0), (0.1, 8.0)),
    (
        ((0.0, -1.0), -0.0, (0.0, 0.0)),
        ((-3.0, -0.0), -3.0, (1.0, 0.0)),
        ((2.0, nan), nan, (nan, 0.0)),
        ((2.0, -nan), nan, (nan, 0.0)),
        ((nan, -2.0), nan, (None, 0.0)),
    ),
    lambda m, x, y: m.fabs(x) * m.sign(y) if y != 0 else m.nan,  # its zeros have no sign
    kink=lambda m, x, y: min(m.fabs(x), m.fabs(y)),
    selects=True,
    doc="|x| with the sign of y; nan if y is, whose sign means nothing",
)
floor: Final[Primitive] = _row(
    "floor",
    _integral(math.floor),
    (None,),
    ((0.1, 0.9),),
    (
        ((-0.5,), -1.0, (0.0,)),
        ((-0.0,), -0.0, (0.0,)),
        ((2.0,), 2.0, (0.0,)),
        ((inf,), inf, (0.0,)),
    ),
    lambda m, x: m.floor(x),
    kink=lambda m, x: x - m.nint(x),
    selects=True,
    doc="the largest integer not above x",
)
ceil: Final[Primitive] = _row(
    "ceil",
    _integral(math.ceil),
    (None,),
    ((0.1, 0.9),),
    (((-0.5,), -0.0, (0.0,)), ((2.0,), 2.0, (0.0,)), ((-inf,), -inf, (0.0,))),
    lambda m, x: m.ceil(x),
    kink=lambda m, x: x - m.nint(x),
    selects=True,
    doc="the smallest integer not below x",
)
round: Final[Primitive] = _row(
    "round",
    _integral(builtins.round),
    (None,),
    ((0.1, 0.4),),
    (
        ((0.5,), 0.0, (0.0,)),
        ((1.5,), 2.0, (0.0,)),
        ((-0.5,), -0.0, (0.0,)),
        ((nan,), nan, (0.0,)),
        ((4503599627370497.0,), 4503599627370497.0, (0.0,)),
    ),
    lambda m, x: m.nint(x),
    kink=lambda m, x: x - m.floor(x) - 0.5,
    selects=True,
    aliases=("rint",),
    doc="the nearest integer, halves to even",
)
fmod: Final[Primitive] = _row(
    "fmod",
    _fmod,
    (lambda out, x, y: 1.0, lambda out, x, y: round(div(out - x, y))),
    ((5.1, 5.9), (1.05, 1.2)),
    (
        ((5.0, 0.0), nan, (1.0, None)),
        ((-5.5, 2.0), -1.5, (1.0, 2.0)),
        ((5.5, inf), 5.5, (1.0, 0.0)),
    ),
    lambda m, x, y: x - y * (m.floor(x / y) if x / y >= 0 else m.ceil(x / y)),
    kink=lambda m, x, y: (
        (x - y * m.nint(x / y)) / m.nint(x / y) if m.fabs(2 * x) > m.fabs(y) else y
    ),
    doc="the remainder of x / y, with the sign of x (as C has it)",
)
trunc: Final[Primitive] = _row(
    "trunc",
    _integral(math.trunc),
    (None,),
    ((1.1, 1.9),),
    (
        ((-2.5,), -2.0, (0.0,)),
        ((-0.5,), -0.0, (0.0,)),
        ((0.0,), 0.0, (0.0,)),
        ((-inf,), -inf, (0.0,)),
        ((nan,), nan, (0.0,)),
    ),
    lambda m, x: m.floor(x) if x > 0 else m.ceil(x),
    kink=lambda m, x: x - m.nint(x) if m.nint(x) != 0 else 1 - m.fabs(x),
    selects=True,
    aliases=("fix",),
    doc="the integer part: rounded towards zero",
)
mod: Final[Primitive] = _row(
    "mod",
    _mod,
    (lambda out, x, y: 1.0, lambda out, x, y: -floordiv(x, y)),
    ((5.1, 5.9), (1.05, 1.2)),
    (
        ((-1.0, 3.0), 2.0, (1.0, 1.0)),
        ((-19.0, 3.0), 2.0, (1.0, 7.0)),
        ((1.0, -3.0), -2.0, (1.0, 1.0)),
        ((6.0, -3.0), -0.0, (1.0, 2.0)),
        ((5.0, 0.0), nan, (1.0, None)),
        ((-1.0, inf), inf, (1.0, 1.0)),
        ((5.5, inf), 5.5, (1.0, 0.0)),
        ((inf, 2.0), nan, (1.0, nan)),
    ),
    lambda m, x, y: x - y * m.floor(x / y),
    kink=lambda m, x, y: (x - y * m.nint(x / y)) / max(1, m.fabs(m.nint(x / y))),
    symbol="mod",
    doc="x % y: the remainder of x / y with the sign of y, as Python has it",
)
floordiv: Final[Primitive] = _row(
    "floordiv",
    _floordiv,
    (None, None),
    ((5.1, 5.9), (1.05, 1.2)),
    (
        ((-1.0, 3.0), -1.0, (0.0, 0.0)),
        ((7.0, 2.0), 3.0, (0.0, 0.0)),
        ((-0.0, 2.0), -0.0, (0.0, 0.0)),
        ((1.0, 0.0), inf, (0.0, 0.0)),
        ((-1.0, 0.0), -inf, (0.0, 0.0)),
        ((0.0, 0.0), nan, (0.0, 0.0)),
        ((inf, 2.0), nan, (0.0, 0.0)),
        ((-1.0, inf), -1.0, (0.0, 0.0)),
    ),
    lambda m, x, y: m.floor(x / y),
    kink=lambda m, x, y: (x - y * m.nint(x / y)) / max(1, m.fabs(m.nint(x / y))),
    symbol="//",
    selects=True,
    aliases=("floor_divide",),
    doc="x // y: the largest integer not above x / y",
)
ieee_remainder: Final[Primitive] = _row(
    "ieee_remainder",
    _ieee_remainder,
    (lambda out, x, y: 1.0, lambda out, x, y: round(div(out - x, y))),
    ((5.1, 5.3), (1.05, 1.1)),
    (
        ((5.0, 2.0), 1.0, (1.0, -2.0)),
        ((-7.0, 2.0), 1.0, (1.0, 4.0)),
        ((-4.0, 2.0), -0.0, (1.0, 2.0)),
        ((5.0, 0.0), nan, (1.0, None)),
        ((5.5, inf), 5.5, (1.0, 0.0)),
        ((inf, 2.0), nan, (1.0, None)),
    ),
    lambda m, x, y: x - y * m.nint(x / y),
    kink=lambda m, x, y: y * (x / y - m.floor(x / y) - 0.5) / max(1, m.fabs(m.nint(x / y))),
    symbol="rem",
    doc="x - y n with n the integer nearest to x / y (math.remainder); exact",
)
round_digits: Final[Primitive] = _row(
    "round_digits",
    _round_digits,
    (None, None),
    ((0.1, 0.4), (0.0, 0.0)),
    (
        ((2.675, 2.0), 2.67, (0.0, 0.0)),
        ((0.125, 2.0), 0.12, (0.0, 0.0)),
        ((-1250.0, -2.0), -1200.0, (0.0, 0.0)),
        ((-0.001, 2.0), -0.0, (0.0, 0.0)),
        ((1e300, 22.0), 1e300, (0.0, 0.0)),
        ((1.5, 23.0), nan, (0.0, 0.0)),
        ((1.5, 0.5), nan, (0.0, 0.0)),
        ((inf, 1.0), inf, (0.0, 0.0)),
    ),
    lambda m, x, n: (
        m.nint(x * m.mpf(10) ** m.nint(n)) / m.mpf(10) ** m.nint(n) if m.fabs(n) < 22.5 else m.nan
    ),
    kink=lambda m, x, n: (
        (x * m.mpf(10) ** m.nint(n) - m.floor(x * m.mpf(10) ** m.nint(n)) - 0.5)
        / m.mpf(10) ** m.nint(n)
    ),
    symbol="round",
    selects=True,
    doc="x rounded to n decimal digits, -22 to 22, as Python's round has it (halves to even)",
)

# ----------------------------------------------------------------------- exponentials, logarithms

exp: Final[Primitive] = _row(
    "exp",
    _exp,
    (lambda out, x: out,),
    (_ANY,),
    (
        ((1000.0,), inf, (inf,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((0.0,), 1.0, (1.0,)),
        ((-inf,), 0.0, (0.0,)),
    ),
    lambda m, x: m.exp(x),
    doc="e to the power x",
)
expm1: Final[Primitive] = _row(
    "expm1",
    _ieee(math.expm1),
    (lambda out, x: exp(x),),
    (_ANY,),
    (((1e-300,), 1e-300, (1.0,)), ((-1000.0,), -1.0, (0.0,)), ((1000.0,), inf, (inf,))),
    lambda m, x: m.expm1(x),
    doc="exp(x) - 1, exact for small x",
)
exp2: Final[Primitive] = _row(
    "exp2",
    _ieee(math.exp2),
    (lambda out, x: _LN2 * out,),
    (_ANY,),
    (((10.0,), 1024.0, (1024.0 * _LN2,)), ((2000.0,), inf, (inf,)), ((-2000.0,), 0.0, (0.0,))),
    lambda m, x: m.power(2, x),
    doc="2 to the power x",
)
log: Final[Primitive] = _row(
    "log",
    _log,
    (lambda out, x: log_slope(x),),
    (_POSITIVE,),
    (
        ((0.0,), -inf, (inf,)),
        ((-0.0,), -inf, (-inf,)),
        ((-1.0,), nan, (nan,)),
        ((inf,), inf, (0.0,)),
        ((1.0,), 0.0, (1.0,)),
    ),
    lambda m, x: m.log(x),
    doc="the natural logarithm",
)
log1p: Final[Primitive] = _row(
    "log1p",
    _log1p,
    (lambda out, x: log_slope(1.0 + x),),
    ((-0.9, 20.0),),
    (((-1.0,), -inf, (inf,)), ((1e-300,), 1e-300, (1.0,)), ((-2.0,), nan, (nan,))),
    lambda m, x: m.log1p(x),
    doc="log(1 + x), exact for small x",
)
log2: Final[Primitive] = _row(
    "log2",
    _ieee(math.log2, pole=(0.0, -inf)),
    (lambda out, x: _LOG2_E * log_slope(x),),
    (_POSITIVE,),
    (((8.0,), 3.0, (_LOG2_E / 8.0,)), ((0.0,), -inf, (inf,)), ((-1.0,), nan, (nan,))),
    lambda m, x: m.log(x) / m.log(2),
    doc="the logarithm to base 2",
)
log10: Final[Primitive] = _row(
    "log10",
    _ieee(math.log10, pole=(0.0, -inf)),
    (lambda out, x: _LOG10_E * log_slope(x),),
    (_POSITIVE,),
    (((1000.0,), 3.0, (_LOG10_E / 1000.0,)), ((0.0,), -inf, (inf,))),
    lambda m, x: m.log(x) / m.log(10),
    doc="the logarithm to base 10",
)
log_slope: Final[Primitive] = _row(
    "log_slope",
    _log_slope,
    (lambda out, x: div(-out, x),),
    (_POSITIVE,),
    (
        ((0.0,), inf, (-inf,)),
        ((-0.0,), -inf, (-inf,)),
        ((-1.0,), nan, (nan,)),
        ((inf,), 0.0, (0.0,)),
    ),
    lambda m, x: 1 / x if x >= 0 else m.nan,
    symbol="d log",
    doc="1 / x, the slope of log: nan where x < 0",
)
sqrt: Final[Primitive] = _row(
    "sqrt",
    _ieee(math.sqrt),
    (lambda out, x: div(0.5, out),),
    (_POSITIVE,),
    (((0.0,), 0.0, (inf,)), ((-1.0,), nan, (nan,)), ((inf,), inf, (0.0,)), ((4.0,), 2.0, (0.25,))),
    lambda m, x: m.sqrt(x),
    kink=lambda m, x: x,
    symbol="√",
    doc="the square root",
)
cbrt: Final[Primitive] = _row(
    "cbrt",
    math.cbrt,
    (lambda out, x: div(div(_THIRD, out), out),),
    (_POSITIVE,),
    (((0.0,), 0.0, (inf,)), ((-8.0,), -2.0, (1.0 / 12.0,)), ((-inf,), -inf, (0.0,))),
    lambda m, x: m.sign(x) * m.cbrt(m.fabs(x)),
    kink=lambda m, x: x,
    symbol="∛",
    doc="the cube root, of negative numbers too",
)
logaddexp: Final[Primitive] = _row(
    "logaddexp",
    _logaddexp,
    (lambda out, x, y: sigmoid(x - y), lambda out, x, y: sigmoid(y - x)),
    (_ANY, _ANY),
    (
        ((0.0, 0.0), _LN2, (0.5, 0.5)),
        ((1000.0, 0.0), 1000.0, (1.0, 0.0)),
        ((-inf, 1.0), 1.0, (0.0, 1.0)),
        ((1.0, inf), inf, (0.0, 1.0)),
        ((-inf, -inf), -inf, (nan, nan)),
        ((nan, 1.0), nan, (nan, nan)),
    ),
    lambda m, x, y: max(x, y) + m.log1p(m.exp(-m.fabs(x - y))),
    doc="log(exp(x) + exp(y)), without overflow",
)
xlogy: Final[Primitive] = _row(
    "xlogy",
    _xlogy,
    (
        lambda out, x, y: log(y),
        # x / y, but where x is 0 its derivative by x is 1 / y all the same.
        lambda out, x, y: where(x, div(x, y), strong_mul(x, div(1.0, y))),
    ),
    (_ANY, _POSITIVE),
    (
        ((0.0, 0.0), 0.0, (-inf, 0.0)),
        ((0.0, nan), nan, (nan, 0.0)),
        ((2.0, 0.0), -inf, (-inf, inf)),
        ((0.0, 3.0), 0.0, (math.log(3.0), 0.0)),
        ((1.0, -1.0), nan, (nan, None)),
    ),
    lambda m, x, y: x * m.log(y) if x != 0 else m.mpf(0),
    symbol="x log y",
    doc="x log(y), and 0 where x = 0",
)

# ----------------------------------------------------------------------- circular functions

sin: Final[Primitive] = _row(
    "sin",
    _ieee(math.sin),
    (lambda out, x: cos(x),),
    (_ANY,),
    (((0.0,), 0.0, (1.0,)), ((-0.0,), -0.0, (1.0,)), ((inf,), nan, (nan,))),
    lambda m, x: m.sin(x),
    doc="the sine",
)
cos: Final[Primitive] = _row(
    "cos",
    _ieee(math.cos),
    (lambda out, x: -sin(x),),
    (_ANY,),
    (((0.0,), 1.0, (-0.0,)), ((inf,), nan, (nan,))),
    lambda m, x: m.cos(x),
    doc="the cosine",
)
tan: Final[Primitive] = _row(
    "tan",
    _ieee(math.tan),
    (lambda out, x: 1.0 + out * out,),
    ((-1.5, 1.5),),
    (((0.0,), 0.0, (1.0,)), ((inf,), nan, (nan,))),
    lambda m, x: m.tan(x),
    doc="the tangent",
)
one_minus_square: Final[Primitive] = _row(
    "one_minus_square",
    _one_minus_square,
    (lambda out, x: -2.0 * x,),
    (_UNIT,),
    (
        ((0.0,), 1.0, (-0.0,)),
        ((1.0,), 0.0, (-2.0,)),
        ((-1.0,), 0.0, (2.0,)),
        ((0.5,), 0.75, (-1.0,)),
        ((2.0,), nan, (-4.0,)),
    ),
    lambda m, x: 1 - x * x if m.fabs(x) <= 1 else m.nan,
    symbol="1−□²",
    doc="1 - x x, exact beside 1 and -1 and nan beyond (the slopes of asin, acos and atanh)",
)
asin: Final[Primitive] = _row(
    "asin",
    _ieee(math.asin),
    (lambda out, x: div(1.0, sqrt(one_minus_square(x))),),
    (_UNIT,),
    (((1.0,), math.pi / 2, (inf,)), ((-1.0,), -math.pi / 2, (inf,)), ((2.0,), nan, (nan,))),
    lambda m, x: m.asin(x),
    aliases=("arcsin",),
    doc="the inverse sine",
)
acos: Final[Primitive] = _row(
    "acos",
    _ieee(math.acos),
    (lambda out, x: div(-1.0, sqrt(one_minus_square(x))),),
    (_UNIT,),
    (((1.0,), 0.0, (-inf,)), ((-1.0,), math.pi, (-inf,)), ((2.0,), nan, (nan,))),
    lambda m, x: m.acos(x),
    aliases=("arccos",),
    doc="the inverse cosine",
)
atan: Final[Primitive] = _row(
    "atan",
    math.atan,
    (lambda out, x: direction(1.0, x) * direction(1.0, x),),
    (_ANY,),
    (((inf,), math.pi / 2, (0.0,)), ((-0.0,), -0.0, (1.0,))),
    lambda m, x: m.atan(x),
    aliases=("arctan",),
    doc="the inverse tangent",
)
atan2: Final[Primitive] = _row(
    "atan2",
    math.atan2,
    (
        lambda out, y, x: div(direction(x, y), hypot(y, x)),
        lambda out, y, x: -div(direction(y, x), hypot(y, x)),
    ),
    (_ANY, (0.1, 8.0)),
    (
        ((0.0, 0.0), 0.0, (nan, nan)),
        ((0.0, -1.0), math.pi, (-1.0, -0.0)),
        ((-0.0, -1.0), -math.pi, (-1.0, 0.0)),
        ((2e200, 0.0), math.pi / 2, (0.0, -5e-201)),
    ),
    lambda m, y, x: m.atan2(y, x),
    kink=lambda m, y, x: y if x <= 0 else m.hypot(x, y),
    aliases=("arctan2",),
    doc="the angle of the point (x, y); the first argument is y",
)

# ----------------------------------------------------------------------- hyperbolic functions

sinh: Final[Primitive] = _row(
    "sinh",
    _ieee(math.sinh, odd=True),
    (lambda out, x: cosh(x),),
    (_ANY,),
    (((-1000.0,), -inf, (inf,)), ((1e-300,), 1e-300, (1.0,))),
    lambda m, x: m.sinh(x),
    doc="the hyperbolic sine",
)
cosh: Final[Primitive] = _row(
    "cosh",
    _ieee(math.cosh),
    (lambda out, x: sinh(x),),
    (_ANY,),
    (((-1000.0,), inf, (-inf,)), ((0.0,), 1.0, (0.0,))),
    lambda m, x: m.cosh(x),
    doc="the hyperbolic cosine",
)
tanh: Final[Primitive] = _row(  # 1 - out*out would lose every digit where tanh saturates
    "tanh",
    math.tanh,
    (lambda out, x: sech_squared(x),),
    (_ANY,),
    (
        ((1000.0,), 1.0, (0.0,)),
        ((-1000.0,), -1.0, (0.0,)),
        ((20.0,), 1.0, (1.6993417021166355e-17,)),
        ((0.0,), 0.0, (1.0,)),
    ),
    lambda m, x: m.tanh(x),
    doc="the hyperbolic tangent",
)
sech: Final[Primitive] = _row(
    "sech",
    _sech,
    (lambda out, x: -out * tanh(x),),
    (_ANY,),
    (((0.0,), 1.0, (-0.0,)), ((1000.0,), 0.0, (-0.0,)), ((-inf,), 0.0, (0.0,))),
    lambda m, x: 1 / m.cosh(x),
    doc="1 / cosh(x), the hyperbolic secant",
)
sech_squared: Final[Primitive] = _row(
    "sech_squared",
    _sech_squared,
    (lambda out, x: -2.0 * (out * tanh(x)),),
    (_ANY,),
    (
        ((0.0,), 1.0, (-0.0,)),
        ((1000.0,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((20.0,), 1.6993417021166355e-17, (-3.398683404233271e-17,)),
    ),
    lambda m, x: 1 / m.cosh(x) ** 2,
    symbol="sech²",
    doc="1 / cosh(x) squared, the slope of tanh",
)
asinh: Final[Primitive] = _row(
    "asinh",
    math.asinh,
    (lambda out, x: direction(1.0, x),),
    (_ANY,),
    (((1e200,), math.asinh(1e200), (1e-200,)), ((-0.0,), -0.0, (1.0,))),
    lambda m, x: m.asinh(x),
    aliases=("arcsinh",),
    doc="the inverse hyperbolic sine",
)
acosh: Final[Primitive] = _row(
    "acosh",
    _ieee(math.acosh),
    (lambda out, x: div(div(1.0, sqrt(x - 1.0)), sqrt(x + 1.0)),),
    ((1.01, 50.0),),
    (((1.0,), 0.0, (inf,)), ((0.5,), nan, (nan,)), ((1e200,), math.acosh(1e200), (1e-200,))),
    lambda m, x: m.acosh(x),
    aliases=("arccosh",),
    doc="the inverse hyperbolic cosine",
)
atanh: Final[Primitive] = _row(
    "atanh",
    _ieee(math.atanh, pole=(1.0, inf), odd=True),
    (lambda out, x: div(1.0, one_minus_square(x)),),
    (_UNIT,),
    (((1.0,), inf, (inf,)), ((-1.0,), -inf, (inf,)), ((2.0,), nan, (nan,))),
    lambda m, x: m.atanh(x),
    aliases=("arctanh",),
    doc="the inverse hyperbolic tangent",
)
hypot: Final[Primitive] = _row(
    "hypot",
    _special.hypot,
    (lambda out, x, y: direction(x, y), lambda out, x, y: direction(y, x)),
    (_ANY, _ANY),
    (
        ((0.0, 0.0), 0.0, (0.0, 0.0)),
        ((3e200, 4e200), 5e200, (0.6, 0.8)),
        ((3e-320, 0.0), 3e-320, (1.0, 0.0)),
        ((-inf, nan), inf, (nan, nan)),
        ((nan, 0.0), nan, (nan, nan)),
        ((0.0, nan), nan, (nan, nan)),
        ((3.0, -inf), inf, (0.0, -1.0)),
    ),
    lambda m, x, y: m.sqrt(x * x + y * y),
    kink=lambda m, x, y: max(m.fabs(x), m.fabs(y)),
    doc="sqrt(x x + y y) without overflow, with derivative 0 at the origin",
)
direction: Final[Primitive] = _row(
    "direction",
    _special.direction,
    (
        lambda out, x, y: where(
            hypot(x, y), div(direction(y, x), hypot(x, y)) * direction(y, x), 0.0
        ),
        lambda out, x, y: where(hypot(x, y), -div(out * direction(y, x), hypot(x, y)), 0.0),
    ),
    (_ANY, _ANY),
    (
        ((0.0, 0.0), 0.0, (0.0, 0.0)),
        ((3e200, 4e200), 0.6, (1.28e-201, -9.6e-202)),
        ((-inf, 2.0), -1.0, (0.0, 0.0)),
        ((2.0, inf), 0.0, (0.0, 0.0)),
        ((inf, inf), nan, (nan, nan)),
        ((0.0, nan), nan, (nan, nan)),
    ),
    lambda m, x, y: x / m.sqrt(x * x + y * y) if x or y else m.mpf(0),
    kink=lambda m, x, y: max(m.fabs(x), m.fabs(y)),
    symbol="dir",
    doc="x / hypot(x, y), the slope of hypot: 0 at the origin",
)

# ----------------------------------------------------------------------- special functions

gauss: Final[Primitive] = _row(
    "gauss",
    _gauss,
    # In halves, exp(-x x / 2) twice, as the slope may be a normal number where `out` no longer is.
    # Beyond 39 these are 0, and x may stay small: no order meets 0 * inf.
    (
        lambda out, x: (
            (-2.0 * maximum(minimum(x, 64.0), -64.0) * gauss(x * _SQRT_HALF))
            * gauss(x * _SQRT_HALF)
        ),
    ),
    ((-4.0, 4.0),),
    (
        ((0.0,), 1.0, (-0.0,)),
        ((1e200,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((26.0,), 2.6117417612840555e-294, (None,)),
    ),
    lambda m, x: m.exp(-x * x),
    doc="exp(-x x), the bell curve (the slope of erf)",
)
erf: Final[Primitive] = _row(
    "erf",
    math.erf,
    (lambda out, x: _TWO_OVER_SQRT_PI * gauss(x),),
    ((-4.0, 4.0),),
    (((0.0,), 0.0, (_TWO_OVER_SQRT_PI,)), ((1000.0,), 1.0, (0.0,)), ((-inf,), -1.0, (0.0,))),
    lambda m, x: m.erf(x) if m.fabs(x) < 10**4 else m.sign(x),
    doc="the error function",
)
erfc: Final[Primitive] = _row(
    "erfc",
    math.erfc,
    (lambda out, x: -_TWO_OVER_SQRT_PI * gauss(x),),
    ((-4.0, 4.0),),
    (((0.0,), 1.0, (-_TWO_OVER_SQRT_PI,)), ((1000.0,), 0.0, (-0.0,)), ((-1000.0,), 2.0, (-0.0,))),
    lambda m, x: m.erfc(x) if x < 10**4 else m.mpf(0),
    doc="1 - erf(x), exact for large x",
)
lgamma: Final[Primitive] = _row(
    "lgamma",
    _special.lgamma,
    (lambda out, x: digamma(x),),
    ((0.1, 30.0),),
    (
        ((1.0,), 0.0, (-0.5772156649015329,)),
        ((2.0,), 0.0, (1.0 - 0.5772156649015329,)),
        ((0.0,), inf, (-inf,)),
        ((-0.0,), inf, (inf,)),
        ((-2.0,), inf, (nan,)),
        ((-inf,), inf, (nan,)),
        ((inf,), inf, (inf,)),
    ),
    lambda m, x: m.log(m.fabs(m.gamma(x))),
    aliases=("gammaln",),
    doc="the logarithm of |gamma(x)|",
)
digamma: Final[Primitive] = _row(
    "digamma",
    _digamma,
    (lambda out, x: polygamma(1.0, x),),
    ((0.1, 30.0),),
    (
        ((1.0,), -0.5772156649015329, (math.pi**2 / 6,)),
        ((1.4616321449683622,), -9.241265521729427e-17, (0.9676722454476212,)),
        ((0.0,), -inf, (inf,)),
        ((-0.0,), inf, (inf,)),
        ((-3.0,), nan, (inf,)),
        ((inf,), inf, (0.0,)),
    ),
    lambda m, x: m.digamma(x),
    aliases=("psi",),
    doc="the derivative of lgamma",
)
polygamma: Final[Primitive] = _row(
    "polygamma",
    _special.polygamma,
    (lambda out, n, x: nan, lambda out, n, x: polygamma(n + 1.0, x)),
    ((1.0, 1.0), (0.1, 30.0)),
    (((1.0, 1.0), math.pi**2 / 6, (nan, None)), ((0.5, 1.0), nan, (nan, nan))),
    # mpmath counts up from a negative x, one by one
    lambda m, n, x: (
        m.polygamma(int(m.nint(n)), x) if x > -1000 and m.fabs(n - m.nint(n)) < 0.25 else m.nan
    ),
    doc="the n-th derivative of digamma at x; n is an integer and has no derivative (nan)",
)
gamma: Final[Primitive] = _row(
    "gamma",
    _special.gamma,
    (lambda out, x: out * digamma(x),),
    ((0.1, 20.0),),
    (
        ((5.0,), 24.0, (36.146824042363207,)),
        ((1.0,), 1.0, (-0.5772156649015329,)),
        ((0.5,), math.sqrt(math.pi), (None,)),
        ((0.0,), inf, (None,)),
        ((-0.0,), -inf, (None,)),
        ((-2.0,), nan, (None,)),
        ((-1.5,), 2.3632718012073544, (None,)),
        ((180.0,), inf, (inf,)),
        ((-200.5,), -0.0, (None,)),
        ((-inf,), nan, (nan,)),
        ((inf,), inf, (inf,)),
    ),
    lambda m, x: m.gamma(x),
    symbol="Γ",
    doc="the gamma function, (x - 1)! at integers",
)

# ----------------------------------------------------------------------- activations

relu: Final[Primitive] = _row(
    "relu",
    _relu,
    (lambda out, x: greater(x, 0.0),),
    ((0.1, 8.0),),
    (
        ((0.0,), 0.0, (0.0,)),
        ((-0.0,), 0.0, (0.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((nan,), nan, (0.0,)),
        ((inf,), inf, (1.0,)),
    ),
    lambda m, x: max(x, m.mpf(0)),
    kink=lambda m, x: x,
    symbol="ReLU",
    selects=True,
    doc="max(x, 0), with derivative 0 at 0",
)
leaky_relu: Final[Primitive] = _row(
    "leaky_relu",
    _leaky_relu,
    (
        lambda out, x, slope: where(greater(x, 0.0), 1.0, slope),
        lambda out, x, slope: where(greater(x, 0.0), 0.0, x),
    ),
    ((-8.0, -0.1), (0.01, 0.5)),
    (
        ((0.0, 0.01), 0.0, (0.01, 0.0)),
        ((3.0, 0.01), 3.0, (1.0, 0.0)),
        ((-1000.0, 0.01), -10.0, (0.01, -1000.0)),
    ),
    lambda m, x, slope: x if x > 0 else slope * x,
    kink=lambda m, x, slope: x,
    symbol="leaky ReLU",
    defaults=(0.01,),
    aliases=("prelu",),
    doc="x where x > 0, else slope x; slope is 0.01 unless given",
)
elu: Final[Primitive] = _row(
    "elu",
    _elu,
    (
        lambda out, x, alpha: where(
            greater(x, 0.0), 1.0, alpha * exp(where(greater(x, 0.0), 0.0, x))
        ),
        lambda out, x, alpha: expm1(where(greater(x, 0.0), 0.0, x)),
    ),
    ((-8.0, -0.1), (0.5, 2.0)),
    (
        ((0.0, 1.0), 0.0, (1.0, 0.0)),
        ((1000.0, 1.0), 1000.0, (1.0, 0.0)),
        ((-1000.0, 1.0), -1.0, (0.0, -1.0)),
    ),
    lambda m, x, alpha: x if x > 0 else alpha * m.expm1(x),
    kink=lambda m, x, alpha: x,
    symbol="ELU",
    defaults=(1.0,),
    doc="x where x > 0, else alpha (exp(x) - 1); alpha is 1 unless given",
)
gelu: Final[Primitive] = _row(
    "gelu",
    _gelu,
    (
        lambda out, x: (
            0.5 * erfc(-x * _SQRT_HALF)
            + _ONE_OVER_SQRT_2PI
            * (maximum(minimum(x, 64.0), -64.0) * gauss(0.5 * x))
            * gauss(0.5 * x)
        ),
    ),
    (_ANY,),
    (
        ((1000.0,), 1000.0, (1.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((0.0,), 0.0, (0.5,)),
    ),
    lambda m, x: x * m.erfc(-x / m.sqrt(2)) / 2 if x > -(10**4) else m.mpf(0),
    symbol="GELU",
    doc="x times the normal distribution function at x (the exact form, with erf)",
)
silu: Final[Primitive] = _row(
    "silu",
    _silu,
    (
        # Where the sech is 0, x may stay small: no order meets 0 * inf.
        lambda out, x: (
            sigmoid(x)
            + (0.25 * maximum(minimum(x, 2000.0), -2000.0) * sech(0.5 * x)) * sech(0.5 * x)
        ),
    ),
    (_ANY,),
    (
        ((1000.0,), 1000.0, (1.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((0.0,), 0.0, (0.5,)),
    ),
    lambda m, x: x / (1 + m.exp(-x)),
    symbol="SiLU",
    aliases=("swish",),
    doc="x sigmoid(x)",
)
sigmoid: Final[Primitive] = _row(
    "sigmoid",
    _sigmoid,
    (lambda out, x: sigmoid_slope(x),),
    (_ANY,),
    (
        ((1000.0,), 1.0, (0.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((40.0,), 1.0, (4.248354255291589e-18,)),
        ((0.0,), 0.5, (0.25,)),
    ),
    lambda m, x: 1 / (1 + m.exp(-x)),
    symbol="σ",
    aliases=("expit",),
    doc="1 / (1 + exp(-x))",
)
sigmoid_slope: Final[Primitive] = _row(
    "sigmoid_slope",
    _sigmoid_slope,
    (lambda out, x: -out * tanh(0.5 * x),),
    (_ANY,),
    (
        ((0.0,), 0.25, (-0.0,)),
        ((1000.0,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((40.0,), 4.248354255291589e-18, (-4.248354255291589e-18,)),
    ),
    lambda m, x: 1 / (4 * m.cosh(x / 2) ** 2),
    symbol="σ'",
    doc="sigmoid(x) (1 - sigmoid(x)), the slope of sigmoid",
)
log_sigmoid: Final[Primitive] = _row(
    "log_sigmoid",
    _log_sigmoid,
    (lambda out, x: sigmoid(-x),),
    (_ANY,),
    (((1000.0,), -0.0, (0.0,)), ((-1000.0,), -1000.0, (1.0,)), ((nan,), nan, (nan,))),
    lambda m, x: -m.log1p(m.exp(-x)),
    symbol="log σ",
    aliases=("logsigmoid",),
    doc="log(sigmoid(x))",
)
softplus: Final[Primitive] = _row(
    "softplus",
    _softplus,
    (lambda out, x: sigmoid(x),),
    (_ANY,),
    (((1000.0,), 1000.0, (1.0,)), ((-1000.0,), 0.0, (0.0,)), ((nan,), nan, (nan,))),
    lambda m, x: m.log1p(m.exp(x)),
    doc="log(1 + exp(x))",
)
tanhshrink: Final[Primitive] = _row(
    "tanhshrink",
    _special.tanhshrink,
    (lambda out, x: tanh(x) * tanh(x),),
    (_ANY,),
    (
        ((0.0,), 0.0, (0.0,)),
        ((1e-5,), 3.3333333332e-16, (9.999999999333333e-11,)),
        ((-1000.0,), -999.0, (1.0,)),
        ((inf,), inf, (1.0,)),
    ),
    lambda m, x: (
        x - m.tanh(x)
        if m.fabs(x) > 1e-10  # below, the difference would have too few digits
        else x**3 / 3 - 2 * x**5 / 15 + 17 * x**7 / 315 - 62 * x**9 / 2835 + 1382 * x**11 / 155925
    ),
    doc="x - tanh(x), exact for small x",
)

# ----------------------------------------------------------------------- other numbers of arguments
# What `math` takes beside the arguments of the row; composed, so they need no row of their own.


def _log_to_base(*args: Any) -> Any:
    if len(args) != 2:
        raise TypeError(f"log() takes 1 to 2 arguments, got {len(args)}")
    return div(log(args[0]), log(args[1]))


def _hypot_of_any(*args: Any) -> Any:
    total: Any = abs(args[0]) if args else 0.0
    for x in args[1:]:
        total = hypot(total, x)
    return total


def _round_to(*args: Any) -> Any:
    if len(args) != 2:
        raise TypeError(f"round() takes 1 to 2 arguments, got {len(args)}")
    n = args[1]
    if n is None:
        return round(args[0])
    n = operator.index(n)
    if not -22 <= n <= 22:
        raise ValueError(f"round(x, {n}): a number of digits from -22 to 22")
    return round_digits(args[0], n)


log.otherwise = _log_to_base
hypot.otherwise = _hypot_of_any
round.otherwise = _round_to
