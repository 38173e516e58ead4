"""Which branches did a function take, and how near was each to going the other way?

A derivative is that of the branch taken; this says which that was. Runs the function once and
listens to its comparisons. Knows no derivative, and nothing of compiled kernels, whose decisions
are reported in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

from ._block import refuse_unstarted
from ._primitive import Node, Observer, as_float
from ._structure import Structure
from ._value import Value
from ._watch import nested, watching
from .anomaly import user_line

_FEW: Final = 20  # decisions that are printed one by one; more are printed line by line


@dataclass(frozen=True)
class Decision:
    """One comparison that chose a branch.

    Attributes:
        where: "file:line" of the code that asked, "" if unknown.
        op: the operator; "bool" where the truth of a number was asked (is it other than 0?).
        left, right: the numbers compared; over rows, those of the row nearest to the flip.
        outcome: what came out for them.
        rows: how many rows asked this; 1 at one point.
        yes: how many of them were answered True.
    """

    where: str
    op: str
    left: float
    right: float
    outcome: bool
    rows: int = 1
    yes: int = 0

    @property
    def margin(self) -> float:
        """How far the operands are from being equal, where the answer flips: |left - right|.

        0 for equal infinities; nan where an operand is nan, which no small change mends.
        """
        return 0.0 if self.left == self.right else abs(self.left - self.right)

    @property
    def share(self) -> float:
        """The share of the rows that were answered True."""
        return self.yes / self.rows

    def __str__(self) -> str:
        return "  ".join(_cells(self))


class Decisions(Sequence[Decision]):
    """The decisions of one call, those nearest to the flip first; prints as a table."""

    def __init__(self, found: Iterable[Decision]) -> None:
        self._found = sorted(found, key=_nearness)

    @overload
    def __getitem__(self, at: int) -> Decision: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Decision]: ...
    def __getitem__(self, at: int | slice) -> Decision | Sequence[Decision]:
        return Decisions(self._found[at]) if isinstance(at, slice) else self._found[at]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        if not self._found:
            return "<no decisions>"
        return f"<{len(self)} decisions, the smallest margin {self._found[0].margin:.6g}>"

    def __str__(self) -> str:
        if not self._found:
            return "no comparison chose a branch"
        return _table([("margin", "comparison", "outcome", "line"), *self._rows()])

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the table: all decisions, or the nearest of each line."""
        if len(self) <= _FEW:
            return [_cells(d) for d in self._found]
        lines: dict[tuple[str, str], list[Decision]] = {}
        for d in self._found:
            lines.setdefault((d.where, d.op), []).append(d)
        rows: list[tuple[str, ...]] = []
        for group in lines.values():
            margin, asked, outcome, where = _cells(group[0])
            if len(group) > 1:
                yes = sum(d.yes for d in group)
                no = sum(d.rows for d in group) - yes
                where += f"  (nearest of {len(group)}: {yes} True, {no} False)"
            rows.append((margin, asked, outcome, where))
        return rows


def decisions(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Decisions:
    """Return every comparison that `f(*args, **kwargs)` made to choose a branch.

    Runs `f` once. The floats of positional arguments become `Value`s, nested as `grad` takes them;
    keyword arguments are passed through. Comparisons of plain numbers are not seen, nor are choices
    made within the graph (`maximum`, `where`), which need none.

    Raises:
        TypeError: `f` is no function, or returns a generator or coroutine, whose body has not run.
            Otherwise what `f` raises.
    """
    if not callable(f):
        raise TypeError(f"decisions: the first argument must be a function, not {f!r}")
    structures = [Structure(x) for x in args]
    listener = _Listener()
    with nested() as level:
        filled = [_fresh(structure, level) for structure in structures]
        with watching(listener):
            result = f(*filled, **kwargs)
    refuse_unstarted("decisions", result)
    return Decisions(listener.found)


def _fresh(structure: Structure, level: int) -> Any:
    """Return an argument again, with fresh inputs of this level for its numbers."""
    inputs = []
    for x in structure.numbers:
        node = Value(x._data if isinstance(x, Node) else x)
        node._level = level
        inputs.append(node)
    return structure.fill(inputs)


class _Listener(Observer):
    """Keeps all comparisons."""

    def __init__(self) -> None:
        self.found: list[Decision] = []

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        file, line = user_line()
        where = f"{file}:{line}" if file else ""
        right = y._data if isinstance(y, Node) else as_float(y, "a comparison")
        self.found.append(Decision(where, op, x._data, right, outcome, 1, int(outcome)))

    def wants_all(self) -> bool:
        return True  # kernels too run the function itself


def _nearness(d: Decision) -> tuple[bool, float]:
    margin = d.margin
    return margin != margin, margin


def _cells(d: Decision) -> tuple[str, ...]:
    left, right = f"{d.left:.10g}", f"{d.right:.10g}"
    asked = f"bool({left})" if d.op == "bool" else f"{left} {d.op} {right}"
    outcome = str(d.outcome)
    if d.rows > 1:
        outcome += f" ({100.0 * d.share:.3g} % of {d.rows} rows are True)"
    return f"{d.margin:.6g}", asked, outcome, d.where or "?"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
