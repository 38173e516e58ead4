"""Runs a function at points of its choice and notes what a lint wants to know: every switch with
its side and line, every `where`, every plain number taken out of a `Value`.

A switch is whatever has sides: a comparison, or a primitive that picks (`maximum`) or steps
(`floor`). Knows nothing of findings, nor of how a switch is made to flip.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ._graph import order_of
from ._primitive import Node, Observer, as_float, operands_of
from ._structure import Structure
from ._sweep import cotangents, pull_graph
from ._value import Value
from ._watch import nested, watching
from .anomaly import user_line

Key = tuple[str, str, int]  # operation, "file:line", how many like it came before

_OF_TWO: Final = frozenset({"fmod", "mod", "floordiv", "ieee_remainder", "round_digits"})
STEPS: Final = _OF_TWO | {"floor", "ceil", "trunc", "round", "sign", "greater", "copysign"}
PICKS: Final = frozenset({"maximum", "minimum", "abs", "relu", "leaky_relu"})
_SWITCHES: Final = STEPS | PICKS | {"elu"}
_GOLDEN: Final = 0.6180339887498949


@dataclass
class Switch:
    """One thing with sides, as it stood in one run.

    Attributes:
        key: what tells it from the others; the same in another run that came the same way.
        branch: whether it is a comparison that chose a branch.
        side: which side it is on.
        x, y: it flips where their difference has changed by `need`; `y` may be a plain number.
        need: that change; 0 exactly on the boundary, nan or inf where there is none.
    """

    key: Key
    branch: bool
    side: object
    x: Node
    y: Node | float
    need: float

    @property
    def op(self) -> str:
        return self.key[0]

    @property
    def where(self) -> str:
        return self.key[1]

    @property
    def level(self) -> int:
        """The nesting level it depends on."""
        y = self.y._level if isinstance(self.y, Node) else 0
        return max(self.x._level, y)

    @property
    def nearness(self) -> float:
        """How near it is to its flip, relative to the numbers involved."""
        y = self.y._data if isinstance(self.y, Node) else self.y
        size = abs(self.x._data) + abs(y)
        return abs(self.need) / size if size else 0.0


@dataclass
class Run:
    """What one run of the function did.

    Attributes:
        inputs: fresh `Value`s of this `level`, one per number.
        outputs: the numbers it returned.
        switches: by key, in order.
        wheres: each `where` the function made, with its line.
        reads: nodes whose plain number was taken, with the line.
        stops: each `stop_gradient`, with its line.
        made: all nodes recorded, the inputs not among them.
    """

    level: int
    inputs: list[Value]
    outputs: list[Any] = field(default_factory=list)
    switches: dict[Key, Switch] = field(default_factory=dict)
    wheres: list[tuple[Node, str]] = field(default_factory=list)
    reads: list[tuple[Node, str]] = field(default_factory=list)
    stops: list[tuple[Node, str]] = field(default_factory=list)
    made: list[Node] = field(default_factory=list)

    @property
    def values(self) -> list[float]:
        """The outputs as floats."""
        return [y._data if isinstance(y, Node) else float(y) for y in self.outputs]

    @property
    def value(self) -> float:
        """The outputs as one number: themselves if there is one, else a sum with uneven weights, in
        which changes do not cancel."""
        return sum(w * y for w, y in zip(self._weights(), self.values, strict=True))

    def _weights(self) -> list[float]:
        return [1.0 + (i * _GOLDEN) % 1.0 for i in range(len(self.outputs))]

    def _roots(self) -> tuple[list[Node], list[float]]:
        pairs = zip(self.outputs, self._weights(), strict=True)
        kept = [(y, w) for y, w in pairs if isinstance(y, Node)]
        return [y for y, _ in kept], [w for _, w in kept]

    def gradient(self) -> list[float]:
        """Return the derivative of `value` by each input."""
        roots, weights = self._roots()
        return cotangents(roots, weights, list(self.inputs), self.level)

    def curvatures(self, wanted: Sequence[int]) -> list[float]:
        """Return the second derivative of `value` by each of the inputs `wanted`, twice by each."""
        roots, weights = self._roots()
        chosen = [self.inputs[i] for i in wanted]
        with nested():
            first = pull_graph(list(roots), list(weights), list(chosen), self.level)
        return [
            cotangents([g], [1.0], [x], self.level)[0] if isinstance(g, Node) else 0.0
            for g, x in zip(first, chosen, strict=True)
        ]

    def slope(self, switch: Switch) -> list[float]:
        """Return the derivative of the difference `switch` watches, by each input."""
        roots, seeds = [switch.x], [1.0]
        if isinstance(switch.y, Node):
            roots.append(switch.y)
            seeds.append(-1.0)
        return cotangents(roots, seeds, list(self.inputs), self.level)

    def below(self, nodes: Sequence[Any]) -> set[int]:
        """Return the ids of everything `nodes` were made of."""
        return {id(x) for x in order_of([x for x in nodes if isinstance(x, Node)])}

    def reached(self) -> set[int]:
        """Return the ids of the nodes that some derivative of an output can reach."""
        roots = [y for y in self.outputs if isinstance(y, Node)]
        found = {id(y) for y in roots}
        for node in reversed(order_of(roots)):
            prim = node._prim
            if prim is not None and id(node) in found:
                for (parent, _), partial in zip(operands_of(node), prim.partials, strict=True):
                    if parent is not None and partial is not None:
                        found.add(id(parent))
        return found


@dataclass
class Budget:
    """How much may still be recorded, in nodes; probes of one question share it.

    A short function may be run a thousand times, one of a million nodes twice.
    """

    nodes: int = 2_000_000

    def spend(self, run: Run) -> None:
        """Take off what a run has cost."""
        self.nodes -= 2_000 + len(run.made)


class _Enough(BaseException):
    """A run takes far longer than the first one did, perhaps for ever. (No `Exception`, which the
    function might catch.)"""


class Probe:
    """A function of a flat list of numbers: those of some arguments of another function.

    `fixed` are the places of arguments whose numbers are `Value`s too, but no inputs (a row).

    Attributes:
        f: that function.
        numbers: where it was asked about.
        owners: for each number, the argument it belongs to.
        structures: the structure of each argument.
        budget: what may still be recorded.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        fixed: Sequence[int] = (),
        budget: Budget | None = None,
    ) -> None:
        self.f = f
        self.kwargs = kwargs
        self.structures = [Structure(x) for x in args]
        self.fixed = frozenset(fixed)
        self.owners = [
            i
            for i, s in enumerate(self.structures)
            for _ in range(0 if i in self.fixed else len(s.numbers))
        ]
        self.numbers = [
            x._data if isinstance(x, Node) else float(x)
            for i, s in enumerate(self.structures)
            if i not in self.fixed
            for x in s.numbers
        ]
        self.budget = budget or Budget()
        self._longest = sys.maxsize  # of a run, in nodes

    def run(self, numbers: Sequence[float]) -> Run:
        """Return what the function does with these numbers.

        Raises:
            TypeError: it returns no number. Otherwise what the function raises.
        """
        with nested() as level:
            run = Run(level, [])
            given = iter(numbers)
            filled: list[Any] = []
            for i, structure in enumerate(self.structures):
                fresh = []
                for x in structure.numbers:
                    if i in self.fixed:
                        fresh.append(Value(x._data if isinstance(x, Node) else x))
                    else:
                        fresh.append(Value(next(given)))
                        fresh[-1]._level = level
                        run.inputs.append(fresh[-1])
                filled.append(structure.fill(fresh))
            listener = _Listener(run, self._longest)
            with watching(listener):
                out = self.f(*filled, **self.kwargs)
        if self._longest == sys.maxsize:
            self._longest = 1_000 + 10 * len(run.made)
        run.outputs = Structure(out, integers=True).numbers
        if not run.outputs:
            raise TypeError(f"lint: the function returned {out!r}, which holds no number")
        return run

    def try_run(self, numbers: Sequence[float]) -> Run | None:
        """Return what the function does there, None if it raises or the budget is spent."""
        if self.budget.nodes <= 0:
            return None
        try:
            run = self.run(numbers)
        except (Exception, _Enough):  # a point nobody asked about, where this is no concern
            self.budget.nodes -= min(self._longest, 2_000)
            return None
        self.budget.spend(run)
        return run


class _Listener(Observer):
    """Writes into `run` what the function does."""

    def __init__(self, run: Run, longest: int) -> None:
        self._run = run
        self._longest = longest
        self._counts: dict[tuple[str, str], int] = {}

    def made(self, node: Node) -> None:
        run = self._run
        run.made.append(node)
        if len(run.made) > self._longest:
            raise _Enough
        prim = node._prim
        if prim is None:
            return
        if prim.name in _SWITCHES and node._level >= run.level:
            self._note(prim.name, node)
        elif prim.name == "where" and not _by_a_sweep():
            run.wheres.append((node, _line()))
        elif prim.name == "stop_gradient":
            run.stops.append((node, _line()))

    def _note(self, op: str, node: Node) -> None:
        operands = operands_of(node)
        a = operands[0][0]
        y: Node | float = 0.0
        if op in ("greater", "maximum", "minimum") or op in _OF_TWO:
            y = operands[1][1] if operands[1][0] is None else operands[1][0]
        elif op == "copysign":
            a = operands[1][0]
        if a is None:
            if not isinstance(y, Node):
                return  # the sign of a constant
            a, y = y, operands[0][1]  # the difference the other way round flips at the same place
        other = y._data if isinstance(y, Node) else y
        side, need = _side(op, a._data, other)
        self._add(op, Switch(self._key(op), False, side, a, 0.0 if op in _OF_TWO else y, need))

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        other: Node | float = y if isinstance(y, Node) else as_float(y, "a comparison")
        number = other._data if isinstance(other, Node) else other
        need = 0.0 if x._data == number else number - x._data
        self._add(op, Switch(self._key(op), True, outcome, x, other, need))

    def read(self, node: Node, how: str) -> None:
        if how == ".data":
            self._run.reads.append((node, _line()))

    def _key(self, op: str) -> Key:
        where = _line()
        count = self._counts.get((op, where), 0)
        self._counts[op, where] = count + 1
        return op, where, count

    def _add(self, op: str, switch: Switch) -> None:
        self._run.switches[switch.key] = switch


def _side(op: str, x: float, y: float) -> tuple[object, float]:
    """Return which side a primitive is on, and by how much `x` must change to flip it."""
    if not math.isfinite(x) or not math.isfinite(y):
        return None, math.nan
    if op in ("floor", "ceil"):
        return (math.floor(x) if op == "floor" else math.ceil(x)), round(x) - x
    if op == "round":
        return round(x), math.floor(x) + 0.5 - x
    if op == "trunc":
        return math.trunc(x), (round(x) or math.copysign(1.0, x)) - x
    if op == "round_digits":
        y, op = 10.0**-y, "ieee_remainder"
    if op in _OF_TWO:
        if y == 0.0 or not math.isfinite(x / y):
            return None, math.nan
        if op == "ieee_remainder":
            return round(x / y), y * (math.floor(x / y) + 0.5) - x
        side = math.trunc(x / y) if op == "fmod" else math.floor(x / y)
        return side, y * round(x / y) - x
    return (x > y) - (x < y), y - x


def _line() -> str:
    file, line = user_line()
    return f"{file}:{line}" if file else ""


def _by_a_sweep() -> bool:
    """Say whether the node being recorded belongs to a derivative rather than to the function.

    The compiled engine leaves no frames, so the caller of a sweep is looked for, not the sweep.
    """
    frame = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module in ("autograd.derivatives", "autograd._sweep"):
            return True
        if not module.startswith("autograd."):
            return False
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False
