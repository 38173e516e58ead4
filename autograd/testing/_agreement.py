"""Numbers against each other rather than a reference: the same call again, forward against reverse.

Knows the function under test and its recordings; knows no reference.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from .._graph import order_of
from .._primitive import Node, operands_of
from ..derivatives import _Recording
from ._claims import name_of_gradient, theirs
from ._subject import Subject

_STRAIN: Final = 900.0


def refuse_chance(
    subject: Subject, gradient: Callable[..., Any] | None, claimed: Sequence[float]
) -> None:
    """Call everything again, and compare the bits.

    Raises:
        ValueError: a number is another one than before.
    """
    __tracebackhide__ = True
    ways = (
        "a derivative of chance cannot be judged; seed its random numbers inside of it, pass them "
        "as arguments, or start from the same state at every call"
    )
    run = subject.run
    if run is not None:
        again = subject.record()
        before, after = run.scalar(run.out), again.scalar(again.out)
        numbers = [(_number(before), _number(after))]
        slopes = [r.reverse([x], [1.0], False) for r, x in ((run, before), (again, after))]
        numbers += zip(*slopes, strict=True)
    else:
        numbers = [(subject.at(subject.point), subject.at(subject.point))]
    for what, pairs in (("value", numbers[:1]), ("derivative", numbers[1:])):
        for x, y in pairs:
            if not _same(x, y):
                raise ValueError(
                    f"check_gradients: {subject.name} is not deterministic: its {what} is {x!r} at "
                    f"one call and {y!r} at the next, with the same arguments; {ways}"
                )
    if gradient is not None:
        for path, x, y in zip(subject.paths, claimed, theirs(subject, gradient), strict=True):
            if not _same(x, y):
                raise ValueError(
                    f"check_gradients: {name_of_gradient(gradient)} is not deterministic: by "
                    f"{path} it gives {x!r} at one call and {y!r} at the next, with the same "
                    f"arguments; {ways}"
                )


def _number(x: Any) -> float:
    return float(x._data if isinstance(x, Node) else x)


def _same(x: float, y: float) -> bool:
    return (x != x and y != y) or struct.pack("d", x) == struct.pack("d", y)


def disagreement(
    run: _Recording, out: Any, reverse: Sequence[float], forward: Sequence[float], rtol: float
) -> tuple[int, float] | None:
    """Return the input by which the two modes disagree, and by how much rounding lets them.

    None if they agree, or where products could leave the range of a float on the way.
    """
    sizes = _sizes(run, out)
    for i, (x, y, size) in enumerate(zip(reverse, forward, sizes or reverse, strict=True)):
        slack = rtol * size + math.ulp(0.0)
        if sizes is not None and not abs(x - y) <= slack:
            return i, slack
    return None


def _sizes(run: _Recording, out: Any) -> list[float] | None:
    """Return the first derivatives of `out` with every partial taken positive."""
    n = len(run.inputs)
    if not isinstance(out, Node):
        return [0.0] * n
    at = {id(x): i for i, x in enumerate(run.inputs)}
    found: dict[int, list[float]] = {}
    strain = 0.0  # how far a product of partials can get from 1, in powers of 2
    for node in order_of([out]):
        row = [0.0] * n
        if id(node) in at:
            row[at[id(node)]] = 1.0
        else:
            partials = [(found[id(x)], abs(p)) for x, p in operands_of(node) if x is not None]
            if not all(math.isfinite(p) for _, p in partials):
                return None
            strain += max([abs(math.log2(p)) for _, p in partials if p], default=0.0)
            row = [sum(p * sizes[i] for sizes, p in partials) for i in range(n)]
        found[id(node)] = row
    return found[id(out)] if strain < _STRAIN else None
