"""certify: how many digits of a value and a gradient are right, and which operation lost the rest.

Knows recordings and the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .._graph import order_of
from .._primitive import Node, operands_of
from .._value import Value
from ._reference import Mpf, context, evaluate
from ._replay import Replay
from ._subject import Subject
from ._verdict import RTOL

_ALL: Final = 17.0  # digits; more than a float holds
_NOTABLE: Final = 1.0  # digits; smaller losses are ordinary rounding


@dataclass(frozen=True)
class Certified:
    """A number, what it should have been, and what rounding did.

    Attributes:
        name: "value", or the argument the derivative is by.
        value: as computed in floats.
        reference: the true one, rounded to a float.
        digits: correct decimal digits, 0 to 17; nan where no reference exists.
        blame: the operation that lost most digits, "" if none lost more than one.
    """

    name: str
    value: float
    reference: float
    digits: float
    blame: str

    def __str__(self) -> str:
        blame = f"; lost by {self.blame}" if self.blame else ""
        return f"{self.name} = {self.value!r}: {self.digits:.1f} digits{blame}"


@dataclass(frozen=True)
class Certificate:
    """What `certify` found: the value, and the derivative by each number in the arguments."""

    value: Certified
    gradient: tuple[Certified, ...]

    def __str__(self) -> str:
        return "\n".join(str(x) for x in (self.value, *self.gradient))


def digits(m: Any, got: float, true: Mpf) -> float:
    """Return how many decimal digits of `got` are right, from 0 to 17."""
    if not m.isfinite(true):
        return math.nan
    if not math.isfinite(got):
        return 0.0
    error = m.fabs(m.mpf(got) - true)
    if error == 0:
        return _ALL
    if true == 0:
        return 0.0
    return float(min(max(-m.log10(error / m.fabs(true)), 0), _ALL))


def _blame(m: Any, root: Any) -> str:
    """Return the operation below `root` that has fewest digits against its operands."""
    if not isinstance(root, Value):
        return ""
    true: dict[int, Mpf] = {}
    right: dict[int, float] = {}
    worst, found = _NOTABLE, ""
    for number, node in enumerate(order_of([root]), start=1):
        prim = node._prim
        operands = operands_of(node)
        args = [m.mpf(x) if parent is None else true[id(parent)] for parent, x in operands]
        if prim is None:
            exact = m.mpf(node._data)
        elif not all(m.isfinite(x) for x in args):
            exact = m.nan
        else:
            exact = evaluate(m, prim, args)
            if exact != 0 and m.mag(exact) < -2000:
                exact = m.mpf(0)
        true[id(node)] = exact
        right[id(node)] = _ALL if prim is None else digits(m, node._data, exact)
        before = min([right[id(p)] for p, _ in operands if p is not None], default=_ALL)
        lost = min(before, 16.0) - right[id(node)]
        if lost > worst and prim is not None:
            values = [x if p is None else p._data for p, x in operands]
            text = ", ".join(repr(x) for x in values)
            worst, found = lost, f"{prim.name}({text}) = {node._data!r} (node {number})"
    return found


def certify(f: Callable[..., Any], *args: Any) -> Certificate:
    """Return the value and gradient of `f` at `args` with the number of right digits of each.

    `f` is recorded once and replayed in multi-precision arithmetic, through the branches it took.
    The operation to blame is the one whose result has most digits fewer than its operands: in the
    computation of `f` for the value, in that of the derivative (by the reverse sweep) for the
    gradient.

    Raises:
        TypeError: no argument holds a float, or `f` does not run on `Value`s.
    """
    subject = Subject(f, args)
    run = subject.run
    if run is None:
        raise TypeError(
            f"certify: {subject.name} does not run on Values ({subject.refused})"
        ) from subject.refused
    m = context()
    out = run.scalar(run.out)
    if not isinstance(out, Node):
        constant = Certified("value", float(out), float(out), _ALL, "")
        zeros = [Certified(path, 0.0, 0.0, _ALL, "") for path in subject.paths]
        return Certificate(constant, tuple(zeros))
    jet = Replay(out, run.inputs, 1, RTOL, exact=True).jet
    value = Certified(
        "value", out._data, float(jet.value), digits(m, out._data, jet.value), _blame(m, out)
    )
    gradient = []
    for path, g, true in zip(
        subject.paths, run.reverse([out], [1.0], True), jet.first, strict=True
    ):
        got = g._data if isinstance(g, Node) else float(g)
        true = m.mpf(0) if true is None else true
        gradient.append(
            Certified(f"by {path}", got, float(true), digits(m, got, true), _blame(m, g))
        )
    return Certificate(value, tuple(gradient))
