"""Ties: comparisons of equal numbers, and what derivatives are on their sides.

A branch that is taken where two numbers are equal may be taken on that single point only. So the
function is run again beside the point, as close as takes it off the tie, and differentiated there.
Knows the function under test and the reference; passes no verdict.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from .._primitive import Node
from .._value import Value
from ._reference import Mpf, context
from ._replay import Ball, Jet, Replay
from ._subject import Subject

_STEPS: Final = (2.0**-51, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5)  # relative
_STEPS_AT_ZERO: Final = (1e-150, 1e-100, 1e-50, 1e-20, 1e-10, 1e-7, 1e-6, 1e-5)
_DIRECTIONS: Final = 12  # at random, besides those of the axes
_AT_ONCE: Final = 7  # other inputs that are moved at once
_CLEAR: Final = 1e-6  # a blur of this much of a derivative is no reason to look further away
_VAGUE: Final = 1e-3  # with a blur of more than this of a derivative, there is nothing to say
_NOTHING: Final = 1e-100  # and of zero, with more than this


class Sides(Enum):
    """What two sides of a tie say of a derivative."""

    SAME = "the tie does not depend on this input, or the branch taken is that of both sides"
    POINT = "the sides agree with each other, and not with the branch taken"
    KINK = "the sides differ"
    JUMP = "the function jumps"


_ON_THE_TIE: Final = "still on the tie"
_UNUSABLE: Final = "not differentiable there"

_Pair = tuple["_Neighbour | None", "_Neighbour | None"]


class _Neighbour:
    """The function beside the point, by some of its inputs, and how far each of them is moved."""

    def __init__(self, steps: dict[int, float], value: float, jet: Jet | None) -> None:
        self.steps = steps
        self.value = value
        self._place = {i: at for at, i in enumerate(steps)}
        self._jet = jet

    def by(self, *inputs: int) -> tuple[Mpf, Mpf]:
        """Return a derivative, and how far rounding may shift it."""
        found = None if self._jet is None else self._jet.by([self._place[i] for i in inputs])
        return (context().mpf(0),) * 2 if found is None else (found[0], found[2])

    def bound(self, *inputs: int) -> Mpf:
        """Return how large a derivative may be."""
        x, slack = self.by(*inputs)
        return abs(x) + slack

    def blur(self, i: int) -> Mpf:
        """Return how far the derivative by input `i` may be from that at the point itself."""
        moved = sum(4 * abs(step) * self.bound(i, k) for k, step in self.steps.items() if step)
        return self.by(i)[1] + moved


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
        self.pairs = [self._axis(i, [i]) for i in range(n)]
        self._found: dict[int, tuple[Sides, Mpf, Mpf]] = {}

    def _axis(self, i: int, inputs: Sequence[int]) -> _Pair | None:
        """Return the neighbours below and above by input `i`; None if it leaves the tie alone."""
        sides = [self._beside({k: s * (k == i) for k in inputs}) for s in (-1.0, 1.0)]
        if all(side == _ON_THE_TIE for side in sides):
            return None
        return _usable(sides[0]), _usable(sides[1])

    def _beside(self, direction: dict[int, float]) -> _Neighbour | str:
        """Return a close neighbour that is off the tie and differentiable.

        If there is none, say whether the function cannot be differentiated there, or is still on
        the tie. Not the closest one, if rounding leaves nothing of its derivatives.
        """
        subject = self.subject
        f = self._by(list(direction))
        tied = Subject(f, tuple(subject.point[i] for i in direction)).trace
        best: _Neighbour | str = _ON_THE_TIE
        least = None
        for at in range(max(len(_STEPS), len(_STEPS_AT_ZERO))):
            moved: dict[int, float] = {}
            for i, d in direction.items():
                x = subject.point[i]
                steps = _STEPS if x else _STEPS_AT_ZERO
                moved[i] = x + d * steps[min(at, len(steps) - 1)] * (abs(x) if x else 1.0)
            near = Subject(f, tuple(moved.values()))
            if near.run is not None and near.trace == tied:
                continue
            if isinstance(best, str):
                best = _UNUSABLE
            if near.run is None:
                continue
            out = near.run.scalar(near.run.out)
            node = isinstance(out, Node)
            value = float(out._data if node else out)
            if not math.isfinite(value):
                continue
            jet = Replay(out, near.run.inputs, 2, self.rtol).jet if node else None
            found = _Neighbour({i: x - subject.point[i] for i, x in moved.items()}, value, jet)
            each = [i for i, d in direction.items() if d]
            blur = max(found.blur(i) for i in each)
            if blur == blur and (least is None or blur < least):
                best, least = found, blur
            if blur <= max(found.bound(i) for i in each) * _CLEAR + _NOTHING:
                break
        return best

    def _by(self, inputs: list[int]) -> Callable[..., Any]:
        """Return the function of these inputs alone, the others being where they are."""
        subject = self.subject

        def restricted(*numbers: Any) -> Any:
            point: list[Any] = [Value(x) for x in subject.point]
            for i, x in zip(inputs, numbers, strict=True):
                point[i] = x
            return subject.f(*subject.refill(point))

        return restricted

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
        for near in self._around(i):
            if not m.fabs(near.by(i)[0] - middle) <= off + near.blur(i):
                return Sides.KINK, g, slack
        return Sides.POINT, middle, off

    def same(self, i: int, k: int, second: Ball) -> bool:
        """Say whether the sides' second derivatives by `i` and `k` are that of the branch taken."""
        m = self.m
        for moved in (i, k):
            pair = self.pairs[moved] and self._axis(moved, sorted({i, k}))
            for near in pair or ():
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
        for near in (*(self.pairs[i] or ()), *self._around(i)):
            if near is not None:
                x, blur = near.by(i)[0], near.blur(i)
                low, high = min(low, x - blur), max(high, x + blur)
        return low, high

    def _around(self, i: int) -> list[_Neighbour]:
        """Return neighbours in directions at random, of input `i` and some that move the tie."""
        rng = random.Random(i)
        others = [k for k, pair in enumerate(self.pairs) if pair is not None and k != i]
        found = []
        for _ in range(_DIRECTIONS if others else 0):
            chosen = sorted([i, *rng.sample(others, min(len(others), _AT_ONCE))])
            found.append(self._beside({k: rng.uniform(-1.0, 1.0) for k in chosen}))
        return [near for near in found if isinstance(near, _Neighbour)]


def _usable(near: _Neighbour | str) -> _Neighbour | None:
    return near if isinstance(near, _Neighbour) else None
