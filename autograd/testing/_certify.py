"""certify: how many digits of a value and its derivatives are right, and who lost the others.

Knows recordings and the reference, and how its certificates are written: as a table, HTML, JSON.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .._graph import order_of
from .._primitive import Node, operands_of
from .._value import Value
from ._document import json_number
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
        name: "value", or the arguments the derivative is by: "by x", "by x and y", "by x twice".
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
    """What `certify` found: the value, and the derivatives by each number in the arguments.

    `str` is a table, and so is what a notebook shows.

    Attributes:
        value: of the function.
        gradient: its first derivatives, one for each number in the arguments.
        second: its second derivatives, the lower triangle row after row; empty at order 1.
    """

    value: Certified
    gradient: tuple[Certified, ...]
    second: tuple[Certified, ...] = ()

    @property
    def rows(self) -> tuple[Certified, ...]:
        """All numbers, as the table has them."""
        return (self.value, *self.gradient, *self.second)

    def __str__(self) -> str:
        cells = [_HEAD, *(_cells(x) for x in self.rows)]
        wide = [max(len(row[i]) for row in cells) for i in range(4)]
        lines = []
        for a, b, c, d, blame in cells:
            line = f"{a:<{wide[0]}}  {b:>{wide[1]}}  {c:>{wide[2]}}  {d:>{wide[3]}}  {blame}"
            lines.append(line.rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{x}</th>" for x in _HEAD)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(x)}</td>' for x in _cells(row))}</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Return what the JSON document says; its schema is in docs/checking.md."""

        def entry(x: Certified) -> dict[str, Any]:
            return {
                "name": x.name,
                "value": json_number(x.value),
                "reference": json_number(x.reference),
                "digits": None if math.isnan(x.digits) else x.digits,
                "blame": x.blame,
            }

        return {
            "format": "scalar-autograd certify",
            "version": 1,
            "value": entry(self.value),
            "gradient": [entry(x) for x in self.gradient],
            "second": [entry(x) for x in self.second],
        }

    def to_json(self) -> str:
        """Return a JSON document; its schema is in docs/checking.md."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


_HEAD: Final = ("number", "value", "reference", "digits", "lost by")


def _cells(x: Certified) -> tuple[str, str, str, str, str]:
    known = "?" if math.isnan(x.digits) else f"{x.digits:.1f}"
    return x.name, repr(x.value), repr(x.reference), known, x.blame


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


def certify(f: Callable[..., Any], *args: Any, order: int = 2) -> Certificate:
    """Return value, gradient and second derivatives of `f` at `args` with the right digits of each.

    `f` is recorded once and replayed in multi-precision arithmetic, through the branches it took.
    The operation to blame is the one whose result has most digits fewer than its operands: in the
    computation of `f` for the value, in that of the derivative (by the reverse sweep, for second
    derivatives over itself) for the others. `order` 1 leaves the second derivatives out, whose
    number grows with the square of that of the arguments.

    Raises:
        TypeError: no argument holds a float, or `f` does not run on `Value`s.
        ValueError: `order` is neither 1 nor 2.
    """
    if order not in (1, 2):
        raise ValueError(f"certify: order must be 1 or 2, not {order!r}")
    subject = Subject(f, args)
    run = subject.run
    if run is None:
        raise TypeError(
            f"certify: {subject.name} does not run on Values ({subject.refused})"
        ) from subject.refused
    m = context()
    out = run.scalar(run.out)
    names = [f"by {path}" for path in subject.paths]
    pairs = [(i, k) for i in range(len(names)) for k in range(i + 1)] if order == 2 else []
    second_names = [
        f"by {subject.paths[k]} and {subject.paths[i]}"
        if i != k
        else f"by {subject.paths[i]} twice"
        for i, k in pairs
    ]
    if not isinstance(out, Node):
        constant = Certified("value", float(out), float(out), _ALL, "")
        zeros = [Certified(name, 0.0, 0.0, _ALL, "") for name in (*names, *second_names)]
        return Certificate(constant, tuple(zeros[: len(names)]), tuple(zeros[len(names) :]))
    jet = Replay(out, run.inputs, order, RTOL, exact=True).jet

    def certified(name: str, got: Any, true: Mpf) -> Certified:
        number = got._data if isinstance(got, Node) else float(got)
        true = m.mpf(0) if true is None else true
        return Certified(name, number, float(true), digits(m, number, true), _blame(m, got))

    first = run.reverse([out], [1.0], True)
    gradient = [certified(*row) for row in zip(names, first, jet.first, strict=True)]
    second: list[Certified] = []
    if order == 2:
        rows = [
            run.reverse([g], [1.0], True) if isinstance(g, Node) else [0.0] * len(names)
            for g in first
        ]
        entries = [rows[i][k] for i, k in pairs]
        second = [certified(*row) for row in zip(second_names, entries, jet.second, strict=True)]
    return Certificate(certified("value", out, jet.value), tuple(gradient), tuple(second))
