"""What is under test: a function at one point, recorded if it can be.

Knows recordings and structures; knows no reference and passes no verdict.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Final

from .._primitive import Node, Observer
from .._structure import Structure, is_array, is_container
from .._watch import watching
from ..anomaly import user_line
from ..derivatives import _Recording
from ._differences import Difference, derivative
from ._expression import Expression

_NEAR: Final = 1e-3  # how near a comparison is a kink nearby, relative beyond 1
_MOST: Final = 5  # kinks and ties that are named


class _Spy(Observer):
    """Notices when the program takes numbers out of the graph, and what it compares."""

    def __init__(self) -> None:
        self.reads = 0
        self.trace: list[tuple[str, bool, bool]] = []
        self.near: dict[tuple[str, str], float] = {}

    def read(self, node: Node, how: str) -> None:
        self.reads += how == ".data"

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        if not x._level and not (isinstance(y, Node) and y._level):
            return  # of constants
        left, right = x._data, float(y._data if isinstance(y, Node) else y)  # type: ignore[arg-type]
        self.trace.append((op, left == right, outcome))
        far = 0.0 if left == right else abs(left - right)
        if far <= _NEAR * max(1.0, abs(left), abs(right)):
            file, line = user_line()
            text = f"bool({left!r})" if op == "bool" else f"{left!r} {op} {right!r}"
            place = text, f"{file}:{line}" if file else ""
            self.near[place] = min(far, self.near.get(place, math.inf))


class Subject:
    """The function under test at one point: recorded if it can be.

    Attributes:
        name: how a report calls it.
        argnums: which arguments hold floats.
        point, paths: those floats, and where each is.
        held: what is said of the integers that were held constant, "" if there are none.
        run: the recording; None if `refused`.
        reads: how often the function took a number out of the graph.
        near, ties: comparisons that were close, each with its distance; those of equal numbers.
        trace: what was compared in what order, and how it came out.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        __tracebackhide__ = True
        self.f = f
        self.args = args
        self.name = getattr(f, "__name__", None) or repr(f)
        if self.name == "<lambda>" or isinstance(f, Expression):
            self.name = repr(f) if isinstance(f, Expression) else "the function"
        names = _names(f, args)
        for name, x in zip(names, args, strict=True):
            refuse_precision(x, name if name.startswith("argument") else f"argument {name}")
        self.structures = [Structure(x) for x in args]
        self.argnums = tuple(i for i, s in enumerate(self.structures) if s.numbers)
        integers = [name for name, x in zip(names, args, strict=True) if _is_integer(x)]
        self.held = ""
        if integers:
            some = "is an integer" if len(integers) == 1 else "are integers"
            self.held = (
                f"{', '.join(integers)} {some} and held constant (pass a float, as in 3.0, to "
                "have the derivative by it checked)"
            )
        if not self.argnums:
            held = f": {self.held}" if integers else "; pass floats (3.0, not 3)"
            raise TypeError(
                "check_gradients: no argument holds a float to differentiate with respect to" + held
            )
        self.point = [float(x) for i in self.argnums for x in self.structures[i].numbers]
        self.paths = _paths(names, args, self.argnums)
        self.refused: Exception | None = None
        self.run: _Recording | None = None
        spy = _Spy()
        try:
            self.run = self.record(spy)
        except Exception as reason:
            self.refused = reason
        self.reads, self.trace = spy.reads, spy.trace
        self.near = sorted(
            ((text, line, far) for (text, line), far in spy.near.items()), key=lambda x: x[2]
        )
        self.ties = tuple((text, line) for text, line, far in self.near if far == 0.0)

    def record(self, observer: Observer | None = None) -> _Recording:
        """Return a recording of the function at the point."""
        with watching(observer or Observer()):
            return _Recording("check_gradients", self.f, self.argnums, self.args, {})

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
        refuse_precision(out, f"the result of {self.name}")
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


def _names(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """Return what the arguments are called."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values()][: len(args)]
    except (TypeError, ValueError):
        names = []
    if isinstance(f, Expression):
        names = list(f.variables)
    if len(names) < len(args) or len(set(names)) < len(names) or (names and names[-1] == "args"):
        names = [f"argument {i + 1}" for i in range(len(args))]
    return names


def _is_integer(x: Any) -> bool:
    if is_array(x):
        return bool(x.dtype.kind in "iu")
    return isinstance(x, Integral) and not isinstance(x, bool)


def refuse_precision(x: Any, what: str) -> None:
    """Refuse NumPy numbers that are not float64: they could only be judged at their own precision.

    Raises:
        TypeError: there is one in `x`; `what` names it in the error.
    """
    __tracebackhide__ = True
    numpy = sys.modules.get("numpy")
    if numpy is None or isinstance(x, float):
        return
    leaves = [x]
    if is_container(x):
        import optree

        from .._structure import _NAMESPACE

        leaves = optree.tree_leaves(x, namespace=_NAMESPACE)
    for leaf in leaves:
        if not isinstance(leaf, (numpy.ndarray, numpy.floating)):
            continue
        kind: Any = leaf.dtype
        if kind.kind == "f" and kind != numpy.float64:
            raise TypeError(
                f"check_gradients: {what} is of {kind}; derivatives are judged to the last digits "
                "of a float64, so compute in float64: x.astype(float), or float(x)"
            )


def _paths(names: list[str], args: tuple[Any, ...], argnums: tuple[int, ...]) -> list[str]:
    """Return where each number is, as Python would write it: `x`, `w[1]['bias']`, `a[0, 2]`."""
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
