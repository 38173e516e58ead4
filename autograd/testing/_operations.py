"""Operations one by one: is this value right, are these partials, and how are they called?

Knows steps of the reference; knows nothing of the function they are part of.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from .._primitive import Node, operands_of
from ..derivatives import _Recording
from ._expression import Expression
from ._reference import Mpf, evaluate
from ._replay import Replay, Step


def agree(m: Any, analytic: float, reference: Mpf, slack: Mpf) -> bool:
    """Say whether a number is the reference, as far as `slack` and the range of a float go."""
    if math.isinf(analytic):  # too large for a float, once rounded
        beyond = m.fabs(reference) + slack >= sys.float_info.max
        return bool(beyond and (analytic > 0) == (reference > 0))
    return bool(m.fabs(m.mpf(analytic) - reference) <= slack)  # nan agrees with nothing


def name_of(step: Step) -> str:
    """Return how a report calls an operation."""
    prim = step.node._prim
    assert prim is not None
    args = ", ".join(repr(float(x)) for x in step.args)
    return f"{prim.name}({args}) (operation {step.number})"


def wrong_value(m: Any, step: Step, rtol: float) -> str | None:
    """Return what is wrong with an operation's value, "" if nothing, None if that is unknown."""
    found = step.local
    value = step.node._data
    if not found.errors or not m.isfinite(found.value):
        return None
    slack = m.fabs(found.value) * rtol + found.errors[0][0] + math.ulp(0.0)
    for at, i in enumerate(step.active):
        slope = m.fabs(found.first[at]) + found.radius[at]
        if slope == slope:
            slack += slope * m.fabs(step.args[i]) * rtol
        elif not found.jumps and found.why != "jump":
            return None  # on a jump, the definition says what the value is
    slack += math.ulp(0.0) * sum(m.fabs(x) for x in step.args)
    if not m.isfinite(slack):
        return None
    if agree(m, value, found.value, slack):
        return ""
    if found.kink == 0 and 0.0 in step.args:  # a zero's sign is beyond the definition
        return None
    prim = step.node._prim
    assert prim is not None
    for i, x in enumerate(step.args):  # those that carry no derivative have no slope yet
        if i not in step.active:
            moved = [*step.args[:i], x * (1 + rtol), *step.args[i + 1 :]]
            there = evaluate(m, prim, moved)
            slack += m.fabs(there - found.value) if there == there else 0
    if agree(m, value, found.value, slack):
        return ""
    return f"{name_of(step)} is {value!r}, its definition gives {m.nstr(found.value, 17)}"


def wrong_partial(m: Any, step: Step, order: int, rtol: float) -> str:
    """Return what is wrong with an operation's partials up to `order`, "" if nothing."""
    found = step.local
    if not found.errors:
        return ""
    operands = operands_of(step.node)
    tiny = math.ulp(0.0) * sum((m.fabs(x) for x in step.args), m.mpf(1))
    for at, i in enumerate(step.active):
        p = found.first[at]
        slack = m.fabs(p) * rtol + found.radius[at] + found.errors[1][at] + tiny
        for other, j in enumerate(step.active):
            rate = m.fabs(found.second[at][other])
            if rate == rate:
                slack += rate * m.fabs(step.args[j]) * rtol
        if p == p and not agree(m, operands[i][1], p, slack):
            return (
                f"{name_of(step)}: partial {i + 1} is {operands[i][1]!r}, "
                f"its definition gives {m.nstr(p, 17)}"
            )
    if order < 2:
        return ""
    prim = step.node._prim
    assert prim is not None
    run = _Recording(
        "check",
        _applied(prim, step),
        tuple(range(len(step.active))),
        tuple(float(step.args[i]) for i in step.active),
        {},
    )
    first = run.reverse([run.out], [1.0], True)
    for at, g in enumerate(first):
        row = run.reverse([g], [1.0], False) if isinstance(g, Node) else [0.0] * len(first)
        for other, entry in enumerate(row):
            p = found.second[at][other]
            slack = (m.fabs(p) + m.fabs(found.first[at]) + m.fabs(found.first[other])) * rtol
            slack += found.errors[2][at] + found.errors[2][other] + tiny
            for third, j in enumerate(step.active):
                rate = m.fabs(found.third[at][other][third])
                slack += rate * m.fabs(step.args[j]) * rtol if rate == rate else 0
            if p == p and not agree(m, entry, p, slack):
                return (
                    f"{name_of(step)}: second partial {step.active[at] + 1}, "
                    f"{step.active[other] + 1} is {entry!r}, its definition gives "
                    f"{m.nstr(p, 17)}"
                )
    return ""


def _applied(prim: Any, step: Step) -> Callable[..., Any]:
    """Return the operation of `step` as a function of its active arguments."""

    def operation(*values: Any) -> Any:
        args: list[Any] = [float(x) for x in step.args]
        for i, x in zip(step.active, values, strict=True):
            args[i] = x
        return prim(*args)

    return operation


def program_of(step: Step) -> str:
    """Return one line of Python that checks an operation alone."""
    prim = step.node._prim
    assert prim is not None
    operands: list[int | float] = [float(x) for x in step.args]
    active = step.active or list(range(len(operands)))
    for at, i in enumerate(active):
        operands[i] = at
    names = tuple(f"x{i + 1}" for i in range(len(active)))
    e = Expression(names, ((prim, tuple(operands)),))
    point = ", ".join(repr(float(step.args[i])) for i in active)
    return (
        "import autograd as ag; from autograd.testing import check_gradients; "
        f"check_gradients({e!r}, {point})"
    )


def chain_of(replay: Replay, wanted: set[int]) -> list[str]:
    """Return the operations that depend on the inputs `wanted`, as text; the middle left out."""
    m = replay.m
    lines = []
    for step in replay.steps:
        node = step.node
        if any(replay.jets[id(node)].first[i] is not None for i in wanted):
            numbers = operands_of(node)
            partials = ", ".join(
                f"{numbers[i][1]!r} ({m.nstr(step.local.first[at], 17)})"
                for at, i in enumerate(step.active)
            )
            lines.append(f"{name_of(step)} = {node._data!r}, partials (reference): {partials}")
    if len(lines) > 12:
        lines = [*lines[:6], f"... {len(lines) - 12} more ...", *lines[-6:]]
    return lines
