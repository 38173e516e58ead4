"""Activations, and other functions of one number, that are composed of primitives without losing
digits; those that would lose some are rows of the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from math import inf
from typing import Any, Final

from ._primitive import as_float
from ._rules import (
    abs,
    add,
    div,
    elu,
    exp,
    greater,
    log,
    logaddexp,
    maximum,
    minimum,
    mul,
    neg,
    relu,
    sigmoid,
    sign,
    softplus,
    sqrt,
    strong_mul,
    sub,
    tanh,
    where,
)
from .helpers import _items, _shift, sum

Scalar = Any  # a Value or a float: what comes out is a Value as soon as one goes in

_SELU_SCALE: Final = 1.0507009873554805
_SELU_ALPHA: Final = 1.6732632423543772
_SQRT_8_OVER_PI: Final = math.sqrt(8.0 / math.pi)  # twice sqrt(2 / pi)


def clip(x: Scalar, low: Scalar, high: Scalar) -> Scalar:
    """Return `x` within [low, high]; at the ends the gradient is shared, as by `maximum`."""
    return minimum(maximum(x, low), high)


def rsqrt(x: Scalar) -> Scalar:
    """Return 1 / sqrt(x)."""
    return div(1.0, sqrt(x))


def hardtanh(x: Scalar, low: Scalar = -1.0, high: Scalar = 1.0) -> Scalar:
    """Return `x` within [-1, 1], or [low, high]."""
    return clip(x, low, high)


def relu6(x: Scalar) -> Scalar:
    """Return min(max(x, 0), 6)."""
    return minimum(relu(x), 6.0)


def hardsigmoid(x: Scalar) -> Scalar:
    """Return x / 6 + 1/2 within [0, 1]."""
    return div(clip(add(x, 3.0), 0.0, 6.0), 6.0)


def hardswish(x: Scalar) -> Scalar:
    """Return x hardsigmoid(x)."""
    return strong_mul(hardsigmoid(x), x)


def selu(x: Scalar) -> Scalar:
    """Return the self-normalizing `elu`: 1.0507 elu(x, 1.6733)."""
    return mul(_SELU_SCALE, elu(x, _SELU_ALPHA))


def celu(x: Scalar, alpha: float = 1.0) -> Scalar:
    """Return x where x > 0, else alpha (exp(x / alpha) - 1); alpha is a positive number."""
    width = _positive(alpha, "celu(): alpha")
    return mul(width, elu(div(x, width)))


def mish(x: Scalar) -> Scalar:
    """Return x tanh(softplus(x))."""
    return strong_mul(tanh(softplus(x)), x)


def gelu_tanh(x: Scalar) -> Scalar:
    """Return the approximation x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 of `gelu`."""
    # (1 + tanh(u)) / 2 is sigmoid(2 u), which keeps its digits where tanh(u) is nearly -1.
    inner = mul(_SQRT_8_OVER_PI, mul(x, add(1.0, mul(0.044715, mul(x, x)))))
    return strong_mul(sigmoid(inner), x)


def softshrink(x: Scalar, lambd: Scalar = 0.5) -> Scalar:
    """Return x moved towards 0 by `lambd`, and 0 where it is nearer."""
    return sub(relu(sub(x, lambd)), relu(sub(neg(x), lambd)))


def softsign(x: Scalar) -> Scalar:
    """Return x / (1 + |x|), 1 or -1 at the infinities."""
    size = abs(x)
    below = div(x, add(1.0, size))
    # From 1 on in a form whose derivatives keep their digits: no numbers of one size subtracted.
    beyond = mul(sign(x), sub(1.0, div(1.0, add(1.0, size))))
    return where(greater(1.0, size), below, beyond)


def hardshrink(x: Scalar, lambd: Scalar = 0.5) -> Scalar:
    """Return x where |x| > lambd, else 0."""
    return _unless_nan(greater(abs(x), lambd), x, 0.0)


def threshold(x: Scalar, threshold: Scalar, value: Scalar) -> Scalar:
    """Return x where x > threshold, else `value`."""
    return _unless_nan(greater(x, threshold), x, value)


def log_softmax(values: Iterable[Scalar]) -> list[Scalar]:
    """Return the logarithm of each `softmax`, right to the last digits for values of any size."""
    items = _items(values, "log_softmax")
    if not items:
        return []
    shift = _shift(items)
    moved = [x - shift for x in items]
    total = log(sum([exp(x) for x in moved]))
    return [x - total for x in moved]


def smooth_max(x: Scalar, y: Scalar, width: float) -> Scalar:
    """Return width log(exp(x / width) + exp(y / width)), a smooth max(x, y) for payoffs.

    It is at most width log(2) too large, where x = y. `width` is a positive number.
    """
    size = _positive(width, "smooth_max(): width")
    return mul(size, logaddexp(div(x, size), div(y, size)))


def smooth_step(x: Scalar, width: float) -> Scalar:
    """Return a smooth step from 0 to 1 at x = 0, sigmoid(x / width); `width` is positive."""
    return sigmoid(div(x, _positive(width, "smooth_step(): width")))


def _unless_nan(chosen: Scalar, x: Scalar, value: Scalar) -> Scalar:
    """Return x where it is chosen, else `value`; nan where x is nan, which is never chosen."""
    return where(chosen, x, add(value, mul(0.0, sign(x))))


def _positive(x: object, what: str) -> float:
    number = as_float(x, what)
    if not 0.0 < number < inf:
        raise ValueError(f"{what} must be a positive number, not {x!r}")
    return number
