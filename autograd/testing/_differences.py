"""Derivatives of a function that only takes floats: Ridders' extrapolated differences.

(C. Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4, 1982.) Knows
nothing but functions of one float.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

_SHRINK: Final = 1.6
_ROUNDS: Final = 12
_STARTS: Final = (0.5, 0.05, 5e-3, 5e-4, 5e-6)  # first steps, relative
_TINY: Final = 1e-280  # steps relative to less would underflow
_POOR: Final = 1e-5  # a relative error above which the sides are looked at one by one


class Difference(NamedTuple):
    """A derivative, a bound on its error, the last step used, and whether a kink was met."""

    value: float
    error: float
    step: float
    kink: bool = False


def _extrapolate(quotient: Callable[[float], float], h: float, power: int) -> Difference:
    """Return the limit of `quotient(h)` for h to 0, its error going like h**power, 2*power, ..."""
    best = Difference(math.nan, math.inf, h)
    row: list[float] = []
    for _ in range(_ROUNDS):
        new = [quotient(h)]
        factor = _SHRINK**power
        weight = factor
        for old in row:
            new.append((new[-1] * weight - old) / (weight - 1.0))
            weight *= factor
            error = max(abs(new[-1] - new[-2]), abs(new[-1] - old))
            if error < best.error:
                best = Difference(new[-1], error, h)
        if row and abs(new[-1] - row[-1]) >= 2.0 * best.error:
            break
        row = new
        h /= _SHRINK
    return best


def derivative(f: Callable[[float], float], x: float) -> Difference:
    """Return the derivative of `f` at `x`, from the first step that promises the least error.

    Where the two sides differ, the value is their middle and the error reaches both.
    """
    middle = f(x)
    noise = 4.0 * math.ulp(1.0) * abs(middle) + 4.0 * math.ulp(0.0)

    def central(h: float) -> float:
        return (f(x + h) - f(x - h)) / (((x + h) - (x - h)) or math.nan)

    def best_of(quotient: Callable[[float], float], power: int) -> Difference:
        found = [_extrapolate(quotient, start * scale, power) for start in _STARTS]
        # Agreement by chance is no proof: what rounding does to a quotient stays in the bound.
        found = [d._replace(error=d.error + noise / d.step) for d in found]
        found = [d for d in found if math.isfinite(d.value)]
        return min(found, key=lambda d: d.error, default=Difference(math.nan, math.inf, 0.0))

    def gap(h: float) -> float:
        """Return by how much the slopes to both sides differ, beyond rounding."""
        right, left = ((f(moved) - middle) / ((moved - x) or math.nan) for moved in (x + h, x - h))
        return abs(right - left) - 4.0 * noise / h

    scale = abs(x) if abs(x) > _TINY else 1.0
    both = best_of(central, 2)
    smooth = gap(1e-6 * scale) <= max(0.0, 0.3 * gap(1e-5 * scale))  # it shrinks with the step
    if smooth and both.error <= _POOR * max(abs(both.value), abs(middle / scale) * 1e-3):
        return both
    right, left = (
        best_of(lambda h, s=s: (f(x + s * h) - middle) / (((x + s * h) - x) or math.nan), 1)  # type: ignore[misc]
        for s in (1.0, -1.0)
    )
    if smooth and right.error + left.error >= both.error:
        return both
    reach = abs(right.value - left.value) / 2.0 + max(right.error, left.error)
    return Difference((right.value + left.value) / 2.0, reach, min(right.step, left.step), True)
