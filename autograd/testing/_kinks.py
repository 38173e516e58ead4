"""Kinks and ties: where a derivative jumps, and what is right there.

Knows the reference and the function under test; passes no verdict.
"""

from __future__ import annotations

import math
from typing import Final

from .._primitive import Node
from ._operations import name_of
from ._reference import Local, Replay, context
from ._subject import Subject

_NUDGE: Final = 1e-150  # off a tie at zero, and clear of denormal numbers


def kinks_of(replay: Replay) -> list[tuple[str, float]]:
    """Return the kinks nearer than a thousandth (of the operands, beyond 1), nearest first."""
    found = []
    for step in replay.steps:
        far: Local = step.local
        if far.kink is not None and step.active:
            size = max([1.0, *(abs(float(x)) for x in step.args)])
            if far.kink <= 1e-3 * size:
                found.append((name_of(step), float(far.kink)))
    return sorted(found, key=lambda kink: kink[1])[:5]


def on_another_branch(subject: Subject, i: int, analytic: float, taken: float, rtol: float) -> bool:
    """Say whether the number is between those of the branches of a tied comparison."""
    m = context()
    low = high = m.mpf(taken)
    for at, x in enumerate(subject.point):
        for by in (-max(math.ulp(x), _NUDGE), max(math.ulp(x), _NUDGE)):
            numbers = list(subject.point)
            numbers[at] = x + by
            near = Subject(subject.f, subject.refill(numbers))
            if near.run is None:
                continue
            out = near.run.scalar(near.run.out)
            g = slack = m.mpf(0)
            if isinstance(out, Node):
                jet = Replay(out, near.run.inputs, 1, rtol).jet
                g, slack = jet.first[i] or g, jet.slack_first[i] or slack
            low, high = min(low, g - slack), max(high, g + slack)
    return bool(low <= analytic <= high)
