"""What is under test: a function at one point, recorded if it can be.

Knows recordings and structures; knows no reference and passes no verdict.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from .._primitive import Node, Observer
from .._structure import Structure, is_array, is_container
from .._watch import watching
from ..derivatives import _Recording
from ._differences import Difference, derivative
from ._expression import Expression


class Spy(Observer):
    """Notices when the program takes numbers out of the graph, or compares equal ones."""

    def __init__(self) -> None:
        self.reads = 0
        self.ties = 0

    def read(self, node: Node, how: str) -> None:
        self.reads += how == ".data"

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        other = y._data if isinstance(y, Node) else y
        if x._data == other:
            self.ties += 1


class Subject:
    """The function under test at one point: recorded if it can be."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f = f
        self.args = args
        self.name = getattr(f, "__name__", None) or repr(f)
        if self.name == "<lambda>" or isinstance(f, Expression):
            self.name = repr(f) if isinstance(f, Expression) else "the function"
        self.structures = [Structure(x) for x in args]
        self.argnums = tuple(i for i, s in enumerate(self.structures) if s.numbers)
        if not self.argnums:
            raise TypeError(
                "check_gradients: no argument holds a float to differentiate with respect to; "
                "pass floats (3.0, not 3)"
            )
        self.point = [float(x) for i in self.argnums for x in self.structures[i].numbers]
        self.paths = _paths(f, args, self.argnums)
        self.refused: Exception | None = None
        self.run: _Recording | None = None
        spy = Spy()
        try:
            with watching(spy):
                self.run = _Recording("check_gradients", f, self.argnums, args, {})
        except Exception as reason:
            self.refused = reason
        self.reads, self.ties = spy.reads, spy.ties

    def refill(self, numbers: Sequence[float]) -> tuple[Any, ...]:
        """Return the arguments with other numbers, as floats and float64 arrays."""
        args = list(self.args)
        at = 0
        for i in self.argnums:
            n = len(self.structures[i].numbers)
            args[i] = self.structures[i].result(list(numbers[at : at + n]))
            at += n
        return tuple(args)

    def at(self, numbers: Sequence[float]) -> float:
        """Return f at other numbers."""
        out = self.f(*self.refill(numbers))
        return float(out._data if isinstance(out, Node) else out)

    def differences(self) -> list[Difference]:
        """Return the derivative by each number, from values of `f` alone."""
        found = []
        for i, x in enumerate(self.point):

            def along(moved: float, i: int = i) -> float:
                numbers = list(self.point)
                numbers[i] = moved
                try:
                    return self.at(numbers)
                except (ValueError, ZeroDivisionError, OverflowError):
                    return math.nan

            found.append(derivative(along, x))
        return found


def _paths(f: Callable[..., Any], args: tuple[Any, ...], argnums: tuple[int, ...]) -> list[str]:
    """Return where each number is, as Python would write it: `x`, `w[1]['bias']`, `a[0, 2]`."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values()][: len(args)]
    except (TypeError, ValueError):
        names = []
    if isinstance(f, Expression):
        names = list(f.variables)
    if len(names) < len(args) or len(set(names)) < len(names) or names[-1] == "args":
        names = [f"argument {i + 1}" for i in range(len(args))]
    found: list[str] = []
    for i in argnums:
        leaves = [(names[i], args[i])]
        if is_container(args[i]):
            import optree

            from .._structure import _NAMESPACE

            accessors, parts, _ = optree.tree_flatten_with_accessor(args[i], namespace=_NAMESPACE)
            leaves = [(a.codify(names[i]), x) for a, x in zip(accessors, parts, strict=True)]
        for path, leaf in leaves:
            if is_array(leaf) and leaf.dtype.kind in "fO":
                import numpy

                indices = numpy.ndindex(leaf.shape)
                found += [f"{path}[{', '.join(map(str, at))}]" if at else path for at in indices]
            elif Structure(leaf).numbers:
                found.append(path)
    return found
