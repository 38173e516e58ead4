"""Gradient checks: random expressions of about 20 operations, checked to second order.

No peer has a checker with an exact reference, so there is only our own side; the limit is a
thousand expressions in 60 s on two cores.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Unit
from benchmarks._worker import Measurement, repeat


def check(count: int, operations: int) -> Measurement:
    """Return the nanoseconds of growing, and of checking, one expression."""
    from autograd.testing import check_gradients
    from autograd.testing._expression import random_expression

    rng = random.Random(0)

    def step(lap: Callable[[str], None]) -> None:
        grown = [random_expression(rng, 2, operations) for _ in range(count)]
        lap("grow")
        for e in grown:
            check_gradients(e, *e.point)
        lap("check")

    return repeat(count, 1, 1, step, warm=False)


OURS = Environment("ours-testing", ("mpmath",), build="compiled")

SECTIONS = (
    Section(
        "Random expressions of about 20 operations to second order",
        "benchmarks.testing:check",
        Unit("ms/expression", 1e6),
        Side("ours, compiled", OURS, {"count": 200, "operations": 17}, None),
        limit=60.0,
        rounds=3,
        note="One core; about 23 operations each, at hard points too.",
    ),
)
