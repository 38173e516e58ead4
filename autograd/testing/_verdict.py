"""Right, wrong or undecided: one number against its reference.

Knows the reference and counts; knows nothing of reports.
"""

from __future__ import annotations

import math
import sys
from typing import Final

from .._primitive import operands_of
from ._operations import agree
from ._reference import Mpf, Replay, context
from ._report import Checked

RTOL: Final = 256 * sys.float_info.epsilon
_RANGE: Final = 1e308


class Judge:
    """Judges the numbers of one call, and counts what it found in `done`."""

    def __init__(self, replay: Replay | None, atol: float, done: Checked) -> None:
        self.replay = replay
        self.atol = atol
        self.done = done
        self._peak: Mpf | None = None
        self._product: Mpf = 0

    def right(self, analytic: float, reference: Mpf | None, slack: Mpf | None) -> bool:
        """Say whether a number may stand, and count it."""
        m = context()
        reference = m.mpf(0) if reference is None else reference
        slack = m.mpf(self.atol) + (m.mpf(0) if slack is None else slack)
        if not (m.isfinite(reference) and m.isfinite(slack)):
            self.done.undecided += 1
            return True
        if agree(m, analytic, reference, slack):
            self.done.right += 1
            return True
        if self._out_of_range(analytic):
            self.done.undecided += 1
            return True
        return False

    def _out_of_range(self, analytic: float) -> bool:
        """Say whether something along the way was on a jump, or beyond the range of a float."""
        if self.replay is None:
            return False
        if self._peak is None:
            self._peak, self._product = _sizes(self.replay)
        if self._peak > _RANGE:
            return True
        if any(p != p for step in self.replay.steps for p in step.local.first):
            return True  # exactly on a jump, where rounding often puts a number: no derivative
        if math.isfinite(analytic):
            return False
        # Not a number, and no wonder: a partial along the way is none either, or is infinite.
        rates = [
            p
            for step in self.replay.steps
            for p in (*step.local.first, *(float(p) for _, p in operands_of(step.node)))
        ]
        return bool(self._product > _RANGE or any(p - p != 0 for p in rates))


def _sizes(replay: Replay) -> tuple[Mpf, Mpf]:
    """Return the largest size of anything the reference knows of, and a product of some.

    A sweep multiplies sizes in an order of its own, and may pass the end of the range where
    the result does not: with the four largest, their reciprocals among them, for instance.
    """
    m = replay.m
    sizes = [m.mpf(1)] * 4
    for step in replay.steps:
        rows = [step.local.first, *step.local.second, [p for _, p in operands_of(step.node)]]
        sizes += [m.fabs(x) for row in rows for x in row]
        sizes += [m.fabs(x) for x in (step.node._data, *step.args)]
    peaks = [x for x in sizes if x == x]
    reciprocals = [1 / m.fabs(x) for step in replay.steps for x in step.args if x != 0]
    product = m.fprod(sorted(peaks + reciprocals)[-4:])
    for jet in replay.jets.values():
        peaks += [x for x in (*jet.size_first, *jet.size_second) if x is not None and x == x]
    return max(peaks), product
