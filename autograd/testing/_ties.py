"""Ties: comparisons of equal numbers, and what derivatives are on their sides.

A branch that is taken where two numbers are equal may be taken on that single point only. So the
function is run again beside the point, as close as takes it off the tie, and differentiated there.
Knows the function under test and the reference; passes no verdict.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from enum import Enum
from typing import Final

from .._primitive import Node
from ._reference import Mpf, context
from ._replay import Ball, Jet, Replay
from ._subject import Subject

_STEPS: Final = (2.0**-51, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5)  # relative
_STEPS_AT_ZERO: Final = (1e-150, 1e-100, 1e-50, 1e-20, 1e-10, 1e-7, 1e-6, 1e-5)
_DIRECTIONS: Final = 12  # at random, besides those of the axes
_CLEAR: Final = 1e-6  # a blur of this much of a derivative is no reason to look further away
_VAGUE: Final = 1e-3  # with a blur of more than this of a derivative, there is nothing to say
_NOTHING: Final = 1e-100  # and of zero, with more than this


class Sides(Enum):
    """What two sides of a tie say of a derivative."""

    SAME = "the tie does not depend on this input, or the branch taken is that of both sides"
    POINT = "the sides agree with each other, and not with the branch taken"
    KINK = "the sides differ"
    JUMP = "the function jumps"


class _Neighbour:
    """The function beside the point: how far in each input, its value and derivatives there."""

    def __init__(self, steps: list[float], value: float, jet: Jet | None) -> None:
        self.steps = steps
        self.value = value
        self._jet = jet

    def by(self, *inputs: int) -> tuple[Mpf, Mpf]:
        """Return a derivative, and how far rounding may shift it."""
        found = None if self._jet is None else self._jet.by(inputs)
        return (context().mpf(0),) * 2 if found is None else (found[0], found[2])

    def bound(self, *inputs: int) -> Mpf:
        """Return how large a derivative may be."""
        x, slack = self.by(*inputs)
        return abs(x) + slack

    def blur(self, i: int) -> Mpf:
        """Return how far the derivative by input `i` may be from that at the point itself."""
        moved = [(k, abs(step)) for k, step in enumerate(self.steps) if step]
        return self.by(i)[1] + sum(4 * step * self.bound(i, k) for k, step in moved)


class Ties:
    """The neighbourhood of a point at which comparisons are tied."""

    def __init__(self, subject: Subject, replay: Replay | None, value: float, rtol: float) -> None:
        self.subject = subject
        self.value = value
        self.rtol = rtol
        self.m = context()
        n = len(subject.point)
        zero = self.m.mpf(0)
        self.taken: list[Ball] = [
            (replay is not None and replay.jet.by((i,))) or (zero, zero, zero) for i in range(n)
        ]
        self.pairs = [self._axis(i) for i in range(n)]
        self._found: dict[int, tuple[Sides, Mpf, Mpf]] = {}
        self._cloud: list[_Neighbour] | None = None

    def _axis(self, i: int) -> tuple[_Neighbour | None, _Neighbour | None] | None:
        """Return the neighbours below and above by input `i`; None if it leaves the tie alone."""
        unit = [float(i == j) for j in range(len(self.subject.point))]
        below, above = (self._beside([sign * x for x in unit]) for sign in (-1.0, 1.0))
        return None if below is None and above is None else (below, above)

    def _beside(self, direction: Sequence[float]) -> _Neighbour | None:
        """Return a close neighbour that is off the tie and differentiable; None if there is none.

        The closest one, unless it is so close that rounding leaves nothing of its derivatives.
        """
        subject = self.subject
        best, least = None, None
        for at in range(max(len(_STEPS), len(_STEPS_AT_ZERO))):
            numbers = []
            for x, d in zip(subject.point, direction, strict=True):
                steps = _STEPS if x else _STEPS_AT_ZERO
                by = steps[min(at, len(steps) - 1)] * (abs(x) if x else 1.0)
                numbers.append(x + d * by)
            near = Subject(subject.f, subject.refill(numbers))
            if near.run is None or near.trace == subject.trace:
                continue
            out = near.run.scalar(near.run.out)
            node = isinstance(out, Node)
            value = float(out._data if node else out)
            if not math.isfinite(value):
                continue
            jet = Replay(out, near.run.inputs, 2, self.rtol).jet if node else None
            moved = [a - b for a, b in zip(numbers, subject.point, strict=True)]
            found = _Neighbour(moved, value, jet)
            each = [i for i, d in enumerate(direction) if d]
            blur = max(found.blur(i) for i in each)
            if blur == blur and (least is None or blur < least):
                best, least = found, blur
            if blur <= max(found.bound(i) for i in each) * _CLEAR + _NOTHING:
                break
        return best

    def sides(self, i: int) -> tuple[Sides, Mpf, Mpf]:
        """Return what the sides say of the derivative by input `i`, their number, and its slack."""
        if i not in self._found:
            self._found[i] = self._sides(i)
        return self._found[i]

    def _sides(self, i: int) -> tuple[Sides, Mpf, Mpf]:
        m = self.m
        pair = self.pairs[i]
        g, _, slack = self.taken[i]
        if pair is None:
            return Sides.SAME, g, slack
        if pair[0] is None or pair[1] is None:
            return Sides.KINK, g, slack
        for near in (pair[0], pair[1]):
            step = abs(near.steps[i])
            reach = step * 2 * (near.bound(i) + step * near.bound(i, i))
            reach += m.fabs(self.value) * self.rtol + math.ulp(0.0)
            if not abs(near.value - self.value) <= reach:
                return Sides.JUMP, g, slack
        x, y = pair[0].by(i)[0], pair[1].by(i)[0]
        off = pair[0].blur(i) + pair[1].blur(i)
        scale = max(1.0, abs(self.subject.point[i]))
        size = (
            m.fabs(x) + m.fabs(g) + scale * sum(m.fabs(near.by(i, i)[0]) for near in pair if near)
        )
        if not m.fabs(x - y) <= off or off > _VAGUE * size + _NOTHING:
            return Sides.KINK, g, slack
        middle = (x + y) / 2
        if m.fabs(g - middle) <= off + slack:
            return Sides.SAME, g, slack
        for near in self._around():
            if not m.fabs(near.by(i)[0] - middle) <= off + near.blur(i):
                return Sides.KINK, g, slack
        return Sides.POINT, middle, off

    def same(self, i: int, k: int, second: Ball) -> bool:
        """Say whether the sides' second derivatives by `i` and `k` are that of the branch taken."""
        m = self.m
        for moved in (i, k):
            for near in self.pairs[moved] or ():
                if near is None:
                    return False
                x, slack = near.by(i, k)
                size = m.fabs(x) + m.fabs(second[0])
                slack += second[2]
                if slack > _VAGUE * size + _NOTHING or m.fabs(x - second[0]) > slack + 1e-4 * size:
                    return False
        return True

    def range(self, i: int) -> tuple[Mpf, Mpf]:
        """Return the least and greatest derivative by input `i`, here and on all sides."""
        low, high = self.taken[i][0] - self.taken[i][2], self.taken[i][0] + self.taken[i][2]
        for near in (*(x for pair in self.pairs for x in pair or ()), *self._around()):
            if near is not None:
                x, blur = near.by(i)[0], near.blur(i)
                low, high = min(low, x - blur), max(high, x + blur)
        return low, high

    def _around(self) -> list[_Neighbour]:
        """Return neighbours in some directions at random."""
        if self._cloud is None:
            rng = random.Random(0)
            n = len(self.subject.point)
            found = [
                self._beside([rng.uniform(-1.0, 1.0) for _ in range(n)])
                for _ in range(_DIRECTIONS if n > 1 else 0)
            ]
            self._cloud = [near for near in found if near is not None]
        return self._cloud
