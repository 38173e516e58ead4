"""Walks a probe across the boundary of one switch, and says how the function differs on both sides.

Deterministic, and each walk is a bounded number of runs. Knows nothing of what a finding is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ._probe import Probe, Run, Switch

_REACH: Final = 1.0  # how far inputs may move, relative to themselves
_CLOSE: Final = 2e-7  # how far apart both sides are in the end, relative to the way
_HALVINGS: Final = 30
_OFF: Final = 1e-7  # the step to either side of a point that is on the boundary
_FURTHER: Final = 100.0  # times as far, where slopes of a smooth function differ more
# A jump below this, relative to the values, is what iterations with a tolerance do.
JUMP: Final = 1e-4
_SLOPE: Final = 1e-3  # the same for slopes
_POLE: Final = 1e3  # the steepness on the way, relative to the step, from which it is a pole


@dataclass
class Crossing:
    """The function just before and just behind the flip of `switch`.

    Attributes:
        moves: for each input, whether the boundary depends on it.
        distance: the largest move of an input to the boundary, relative to the input.
    """

    switch: Switch
    probe: Probe
    before: Run
    behind: Run
    start: Run
    moves: list[bool]
    distance: float

    @cached_property
    def slopes(self) -> tuple[list[float], list[float]]:
        """The gradient on both sides."""
        return self.before.gradient(), self.behind.gradient()

    @cached_property
    def jump(self) -> tuple[float, float] | None:
        """The first output's value on both sides that differs there, None if it is continuous.

        At the guard of a pole there is none either: what would be infinite is no step.
        """
        change = self._change(self.before, self.behind)
        way = self._change(self.start, self.before)
        for a, b, s in zip(self.before.values, self.behind.values, self.start.values, strict=True):
            size = max(abs(a), abs(b), abs(s))
            step = abs(b - a)
            if math.isfinite(size) and step > JUMP * size + 4.0 * change and way < _POLE * step:
                return a, b
        return None

    def _change(self, here: Run, there: Run) -> float:
        """Return how much the steeper of both sides changes from one point to another."""
        pairs = zip(*self.slopes, here.inputs, there.inputs, strict=True)
        return math.fsum(max(abs(a), abs(b)) * abs(y._data - x._data) for a, b, x, y in pairs)

    def bends(self, i: int) -> tuple[float, float] | None:
        """Return the slopes by input `i` on both sides if they differ."""
        a, b = (side[i] for side in self.slopes)
        differ = abs(b - a) > _SLOPE * max(abs(a), abs(b), 1e-300)
        return (a, b) if math.isfinite(a - b) and differ else None

    @cached_property
    def kink(self) -> tuple[float, float] | None:
        """Where `start` is on the boundary: two slopes by one input that differ, of here and both
        sides; None if they come together there, as those of a smooth function do."""
        here = self.start.gradient()
        far = [
            self.probe.try_run(
                [
                    x._data + _FURTHER * (y._data - x._data)
                    for x, y in zip(self.start.inputs, side.inputs, strict=True)
                ]
            )
            for side in (self.before, self.behind)
        ]
        for i, (at, a, b) in enumerate(zip(here, *self.slopes, strict=True)):
            spread = max(at, a, b) - min(at, a, b)
            wide = [at, *(run.gradient()[i] for run in far if run is not None)]
            if spread > 0.1 * (max(wide) - min(wide)) and spread > _SLOPE * max(abs(a), abs(b)):
                return (a, b) if a != b else (at, a)
        return None


def cross(probe: Probe, start: Run, switch: Switch) -> Crossing | None:
    """Return the function on both sides of where `switch` flips first, on the shortest way there.

    None if the inputs do not move it, if the way is too long, or if the function raises there.
    """
    slope = start.slope(switch)
    if not any(slope) or not all(map(math.isfinite, slope)) or not math.isfinite(switch.need):
        return None
    point = [x._data for x in start.inputs]
    sizes = [abs(x) or 1.0 for x in point]
    pull = [g * s * s for g, s in zip(slope, sizes, strict=True)]
    steepness = math.fsum(g * p for g, p in zip(slope, pull, strict=True))
    if not 0.0 < steepness < math.inf:
        return None
    if switch.need == 0.0:
        return _beside(probe, start, switch, slope, pull, sizes)
    way = [switch.need / steepness * p for p in pull]
    far = max(abs(d) / s for d, s in zip(way, sizes, strict=True))
    if not 0.0 < far <= _REACH:
        return None
    ends = _ends(probe, point, way, switch, _REACH / far)
    if (
        ends is None
        or len(ends[0].outputs) != len(ends[1].outputs)
        or len(start.outputs) != len(ends[0].outputs)
    ):
        return None
    return Crossing(switch, probe, ends[0], ends[1], start, [g != 0.0 for g in slope], far)


def _beside(
    probe: Probe,
    start: Run,
    switch: Switch,
    slope: Sequence[float],
    pull: Sequence[float],
    sizes: Sequence[float],
) -> Crossing | None:
    """Return both sides of the starting point, which is on the boundary itself."""
    unit = max(abs(p) / s for p, s in zip(pull, sizes, strict=True))
    point = [x._data for x in start.inputs]
    sides = [
        probe.try_run([x + t * p / unit for x, p in zip(point, pull, strict=True)])
        for t in (-_OFF, _OFF)
    ]
    before, behind = sides
    if before is None or behind is None:
        return None
    counts = {len(run.outputs) for run in (start, before, behind)}
    if len(counts) > 1:
        return None
    return Crossing(switch, probe, before, behind, start, [g != 0.0 for g in slope], 0.0)


def _ends(
    probe: Probe, point: Sequence[float], way: Sequence[float], switch: Switch, longest: float
) -> tuple[Run, Run] | None:
    """Return the last run before the flip and the first one behind it."""

    def at(t: float) -> Run | None:
        return probe.try_run([x + t * d for x, d in zip(point, way, strict=True)])

    def flipped(run: Run) -> bool:
        there = run.switches.get(switch.key)
        return there is None or there.side != switch.side

    low, high = 0.0, 0.0
    below: Any = None
    above: Any = None
    for t in (1.0 - _CLOSE / 2, 1.0 + _CLOSE / 2, 1.001, 1.05, 1.5):
        if t > max(longest, 1.0 + _CLOSE):
            break
        run = at(t)
        if run is None:
            return None
        if flipped(run):
            high, above = t, run
            break
        low, below = t, run
    if above is None:
        return None
    for _ in range(_HALVINGS):
        if below is not None and high - low <= 2.0 * _CLOSE:
            break
        t = 0.5 * (low + high)
        run = at(t)
        if run is None:
            return None
        if flipped(run):
            high, above = t, run
        else:
            low, below = t, run
    there = above.switches.get(switch.key)
    if there is not None and there.need == 0.0:  # on the boundary itself, where sides are shared
        above = at(high + _CLOSE)
        there = None if above is None else above.switches.get(switch.key)
    if below is None or there is None or there.side == switch.side:
        return None  # something before it flipped first
    return below, above
