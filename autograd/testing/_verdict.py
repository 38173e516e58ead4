"""Right, wrong or undecided, and why: one number against its reference.

Knows the reference and counts; knows nothing of reports.
"""

from __future__ import annotations

import math
import sys
from typing import Final

from .._primitive import operands_of
from ._operations import agree
from ._reference import Mpf, context
from ._replay import Ball, Replay
from ._report import Checked

RTOL: Final = 256 * sys.float_info.epsilon
_RANGE: Final = 1e308
_SMALL: Final = 1e-100  # the cube of its reciprocal is near the end of the range


class Judge:
    """Judges the numbers of one call, and counts what it found in `done`."""

    def __init__(self, replay: Replay | None, atol: float, done: Checked) -> None:
        self.replay = replay
        self.atol = atol
        self.done = done
        self._peak: Mpf | None = None
        self._product: Mpf = 0

    def right(self, analytic: float, reference: Ball | None, order: int = 1) -> bool:
        """Say whether a number may stand, and count it."""
        found = self.verdict(analytic, reference, order)
        if found is None:
            return False
        if found:
            self.done.undecide(found)
        else:
            self.done.right += 1
        return True

    def verdict(self, analytic: float, reference: Ball | None, order: int = 1) -> str | None:
        """Return "" if the number is right, None if it is wrong, else why that is undecided."""
        m = context()
        true, _, slack = (m.mpf(0),) * 3 if reference is None else reference
        slack = slack + self.atol
        if m.isinf(true):
            return "" if analytic == true else self._finite(analytic, order)
        if not m.isfinite(true):
            return "" if analytic != analytic and self._outside() else self._why()
        if not m.isfinite(slack):
            return "rounding"
        if agree(m, analytic, true, slack):
            return ""
        return self._beyond(analytic)

    def _finite(self, analytic: float, order: int) -> str | None:
        """Return None if a number is a mistake where a derivative is infinite.

        Higher ones follow from what the conventions say of the first.
        """
        steps = () if self.replay is None else self.replay.steps
        edge = len(steps) == 1 and order == 1
        return None if edge and math.isfinite(analytic) else "infinite"

    def _outside(self) -> bool:
        """Say whether the function, a single operation, has no value here or beside."""
        steps = () if self.replay is None else self.replay.steps
        return len(steps) == 1 and steps[0].local.outside

    def _why(self) -> str:
        """Return why there is no reference."""
        steps = () if self.replay is None else self.replay.steps
        found = {step.local.why for step in steps}
        return next((why for why in ("kink", "jump", "pole") if why in found), "infinite")

    def _beyond(self, analytic: float) -> str | None:
        """Return why a number that disagrees is no mistake: None if it is one."""
        if self.replay is None:
            return None
        if self._peak is None:
            self._peak, self._product = _sizes(self.replay)
        if self._peak > _RANGE:
            return "range"
        # Exactly on a jump, where rounding often puts a number, there is no derivative.
        if any(s.local.jumps or p != p for s in self.replay.steps for p in s.local.first):
            return "jump"
        if math.isfinite(analytic):
            return None
        # Not a number, and no wonder: a product on the way may be none, or infinite, and so may a
        # partial. A single operation has nothing to multiply but its own reciprocals.
        steps = self.replay.steps
        alone = len(steps) == 1 and not any(0 < abs(x) < _SMALL for x in steps[0].args)
        if self._product > _RANGE and not alone:
            return "range"
        rates = [
            p
            for step in self.replay.steps
            for p in (*step.local.first, *(float(p) for _, p in operands_of(step.node)))
        ]
        return "infinite" if any(p - p != 0 for p in rates) else None


def _sizes(replay: Replay) -> tuple[Mpf, Mpf]:
    """Return the largest size of anything the reference knows of, and a product of some.

    A sweep multiplies sizes in an order of its own, and may pass the end of the range where
    the result does not: with the four largest, their reciprocals among them, for instance.
    """
    m = replay.m
    sizes = [m.mpf(1)] * 4
    for step in replay.steps:
        found = step.local
        rows = [found.first, *found.second, [p for _, p in operands_of(step.node)]]
        if replay.order > 2:
            rows += [row for matrix in found.third for row in matrix]
        sizes += [m.fabs(x) for row in rows for x in row]
    peaks = [x for x in sizes if x == x]
    values = [m.fabs(x) for step in replay.steps for x in (step.node._data, *step.args)]
    reciprocals = [1 / m.fabs(x) for step in replay.steps for x in step.args if x != 0]
    product = m.fprod(sorted(peaks + values + reciprocals)[-4:])
    for jet in replay.jets.values():
        peaks += [x for x in (*jet.size_first, *jet.size_second) if x is not None and x == x]
        peaks += [size for _, size, _ in jet.third.values() if size == size]
    return max(peaks), product
