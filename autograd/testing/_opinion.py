"""A second opinion on a derivative by differences: what do the shortest steps say that can say it?

Extrapolation takes the steps that agree best, and steps may agree by accident: those of a sine, all
longer than its period; those of `floor`, all far longer than a stair; those of a value that has
underflowed, or been swallowed by a sum. Knows nothing but functions of one float.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Final

_RESOLVED: Final = 1e-3  # how small rounding is to be against what is asked for
_ALIKE: Final = 1e-2  # how near two opinions are to be, relative to what is asked for
_INNER: Final = 1e4 * sys.float_info.epsilon  # what rounding inside of a function may come to
_WHOLE: Final = 2.0**53  # from here on floats are more than 1 apart, and a sine is noise


def believable(
    f: Callable[[float], float], x: float, claimed: float, found: float, error: float
) -> bool:
    """Say whether `found` +- `error` may contradict the `claimed` derivative of `f` at `x`.

    The shortest steps that are above rounding, and agree with steps twice as long, have to agree
    with it. Where the value does not move at all, a sum inside may have swallowed what both
    make of the step. A function that jumps has no derivative to contradict anything with.
    """
    if abs(x) >= _WHOLE:
        return False
    if math.isnan(claimed):
        return error <= 2.0 * max(1.0, abs(found))
    if math.isinf(claimed):
        return error <= _RESOLVED * abs(found)
    size = max(abs(claimed), abs(found))
    inner = _INNER * max(1.0, abs(x), abs(f(x)))
    h = max(math.ulp(x), 2.0 * math.ulp(0.0))
    while h <= max(1.0, abs(x)):
        high, low = f(x + h), f(x - h)
        width = (x + h) - (x - h)
        if not math.isfinite(high - low):
            return False
        if 4.0 * max(math.ulp(high), math.ulp(low)) <= _RESOLVED * size * width:
            slope = (high - low) / width
            longer = (f(x + 2.0 * h) - f(x - 2.0 * h)) / ((x + 2.0 * h) - (x - 2.0 * h))
            steady = abs(slope - longer) <= 0.5 * _ALIKE * size
            if not steady and abs(high - low) > inner:
                return False
            if steady and (high != low or size * width >= inner):
                return abs(slope - found) <= _ALIKE * size + error
        h *= 2.0
    return False
