"""What NumPy and SciPy do number by number, written with our rows where no row is just that.

Takes and returns `Value`s and floats; knows neither arrays nor ufuncs. Where a function has pieces,
it compares, so whoever watches the graph sees each of its decisions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from math import inf, nan
from typing import Any, Final

from .._rules import (
    ceil,
    copysign,
    div,
    erfc,
    floor,
    log,
    log1p,
    maximum,
    minimum,
    pow,
    sin,
    softplus,
)

_LN2: Final = math.log(2.0)
_SQRT_HALF: Final = math.sqrt(0.5)


def _square(x: Any) -> Any:
    return x * x


def _reciprocal(x: Any) -> Any:
    return div(1.0, x)


def _positive(x: Any) -> Any:
    return x


def _float_power(x: Any, y: Any) -> Any:
    return pow(x, y)


def _degrees(x: Any) -> Any:
    return x * (180.0 / math.pi)


def _radians(x: Any) -> Any:
    return x * (math.pi / 180.0)


def _fmax(x: Any, y: Any) -> Any:
    return y if x != x else x if y != y else maximum(x, y)


def _fmin(x: Any, y: Any) -> Any:
    return y if x != x else x if y != y else minimum(x, y)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return minimum(maximum(x, low), high)


def _heaviside(x: Any, at_zero: Any) -> Any:
    if x == 0.0:
        return at_zero
    return 1.0 if x > 0.0 else 0.0 if x < 0.0 else nan


def _logaddexp(x: Any, y: Any) -> Any:
    if x == y and is_infinite(x):
        return maximum(x, y)
    return x + softplus(y - x) if x >= y else y + softplus(x - y)


def _logaddexp2(x: Any, y: Any) -> Any:
    return _logaddexp(x * _LN2, y * _LN2) * (1.0 / _LN2)


def _trunc(x: Any) -> Any:
    return ceil(x) if x < 0.0 else floor(x)


def _modf(x: Any) -> tuple[Any, Any]:
    whole = _trunc(x)
    return copysign(0.0 if is_infinite(x) else x - whole, x), whole


def _ldexp(x: Any, exponent: Any) -> Any:
    return x * pow(2.0, exponent)


def _ndtr(x: Any) -> Any:
    return 0.5 * erfc(x * -_SQRT_HALF)


def _logit(x: Any) -> Any:
    return log(x) - log1p(-x)


def _xlogy(x: Any, y: Any) -> Any:
    return 0.0 * x if x == 0.0 and y == y else x * log(y)


def _xlog1py(x: Any, y: Any) -> Any:
    return 0.0 * x if x == 0.0 and y == y else x * log1p(y)


def _exp10(x: Any) -> Any:
    return pow(10.0, x)


_SINC: Final = [(-1.0) ** k / math.factorial(2 * k + 1) for k in range(11)]


def sinc(x: Any) -> Any:
    """Return sin(pi x) / (pi x); near 0 by its series, whose derivatives of any order are right."""
    y = x * math.pi
    if not -0.5 < y < 0.5:
        return div(sin(y), y)
    square = y * y
    series: Any = _SINC[-1]
    for term in reversed(_SINC[:-1]):
        series = series * square + term
    return series


COMPOSED: Final[dict[str, Callable[..., Any]]] = {
    "clip": _clip,
    "conjugate": _positive,
    "deg2rad": _radians,
    "degrees": _degrees,
    "exp10": _exp10,
    "float_power": _float_power,
    "fmax": _fmax,
    "fmin": _fmin,
    "heaviside": _heaviside,
    "ldexp": _ldexp,
    "logaddexp": _logaddexp,
    "logaddexp2": _logaddexp2,
    "logit": _logit,
    "modf": _modf,
    "ndtr": _ndtr,
    "positive": _positive,
    "rad2deg": _degrees,
    "radians": _radians,
    "reciprocal": _reciprocal,
    "square": _square,
    "trunc": _trunc,
    "xlog1py": _xlog1py,
    "xlogy": _xlogy,
}
# ------------------------------------------------------------- answers of yes or no: plain bools
# They are comparisons, so whoever watches the graph sees each of them.


def is_nan(x: Any) -> bool:
    """Say whether a cell is nan."""
    return bool(x != x)


def is_infinite(x: Any) -> bool:
    """Say whether a cell is an infinity."""
    return bool(x == inf or x == -inf)


def _is_finite(x: Any) -> bool:
    return bool(x > -inf and x < inf)


def _signbit(x: Any) -> bool:
    return bool(copysign(1.0, x) < 0.0)


def _both(x: Any, y: Any) -> bool:
    return bool(x) and bool(y)


def _either(x: Any, y: Any) -> bool:
    return bool(x) or bool(y)


def _one(x: Any, y: Any) -> bool:
    return bool(x) != bool(y)


ANSWERS: Final[dict[str, Callable[..., Any]]] = {
    "equal": operator.eq,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "isfinite": _is_finite,
    "isinf": is_infinite,
    "isnan": is_nan,
    "less": operator.lt,
    "less_equal": operator.le,
    "logical_and": _both,
    "logical_not": operator.not_,
    "logical_or": _either,
    "logical_xor": _one,
    "not_equal": operator.ne,
    "signbit": _signbit,
}
