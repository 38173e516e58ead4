"""A function of another library at one point, and its gradient under our check.

The arguments are taken apart into leaves, arrays of the library that hold floats; the check sees a
function of those, as NumPy has them, and the gradient as numbers. Passes no verdict of its own.
What differs between libraries is in `_libraries`.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from .._primitive import Node
from ..derivatives import grad
from ._by_hand import add, floats_only, is_theirs, note_on
from ._check import check_gradients
from ._libraries import Library, Unsupported, index_of, shape_of, weights
from ._opinion import believable
from ._report import Checked, GradientMismatch, Mismatch
from ._verdict import RTOL

_SAME_VALUE: Final = 1e-6  # relative; a reference further off is another function
_ULPS: Final = 256  # of a type's epsilon, as in RTOL
_DENORMAL: Final = 1e-307  # what differences do not tell from 0
_NARROW: Final = 1e-15  # epsilon of types in which differences judge nothing


class Case:
    """A function of another library at one point, its arguments taken apart into leaves."""

    def __init__(
        self,
        library: Library,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        reference: Callable[..., Any] | None,
        compared: bool = True,
    ) -> None:
        import optree

        self.library = library
        self.f = f
        self.args = args
        self.reference = reference
        self.compared = compared and reference is not None
        self.name = getattr(f, "__name__", "<lambda>").replace("<lambda>", "the function")
        names = _names(f, len(args))
        tree: Any = args
        self.everything: list[Any]
        accessors, self.everything, self.tree = optree.tree_flatten_with_accessor(
            tree, none_is_leaf=True
        )
        self.leaves: list[Any] = []  # under test, as the library has them
        self.places: list[int] = []
        self.paths: list[str] = []
        self.epsilon = 0.0
        narrow = ""
        for i, (accessor, leaf) in enumerate(zip(accessors, self.everything, strict=True)):
            if not (library.is_array(leaf) or isinstance(leaf, float)):
                continue
            if library.is_array(leaf) and library.precision(leaf) is None:
                continue
            lifted = library.array(library.numbers(leaf) if library.is_array(leaf) else leaf, leaf)
            kind, epsilon = library.precision(lifted) or ("float", 0.0)
            path = names[accessor[0].entry] + accessor[1:].codify("")
            if epsilon > _NARROW:
                narrow = narrow or f"{path} is {kind}"
            self.epsilon = max(self.epsilon, epsilon)
            self.leaves.append(lifted)
            self.places.append(i)
            self.paths.append(path)
        if not self.places:
            raise TypeError(
                f"{library.call}: no argument holds floats to differentiate with respect to; "
                "integers are constants, write 3.0 for 3"
            )
        if narrow and reference is None:
            raise TypeError(
                f"{library.call}: {narrow}, in which differences of {self.name} judge nothing: "
                f"{library.way_out}, or give reference=, the same function on Values"
            )
        self.points = [self._as_numpy(leaf) for leaf in self.leaves]
        self._identifiers = _identifiers(self.paths)
        self._numbers = {  # by the paths of reports
            name + index_of(place, shape_of(point)): (leaf, place)
            for leaf, (name, point) in enumerate(zip(self._identifiers, self.points, strict=True))
            for place in range(getattr(point, "size", 1))
        }

    def _as_numpy(self, leaf: Any) -> Any:
        numbers = self.library.numbers(leaf)
        return numbers if shape_of(numbers) else float(numbers)

    def rebuilt(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments again, with other leaves."""
        import optree

        everything = list(self.everything)
        for i, leaf in zip(self.places, leaves, strict=True):
            everything[i] = leaf
        return tuple(optree.tree_unflatten(self.tree, everything))

    def check(self, modes: Sequence[str], order: int, rtol: float | None, atol: float) -> Checked:
        """Check the first derivatives in each mode, and the second ones at order 2."""
        __tracebackhide__ = True
        call = self.library.call
        if order not in (1, 2):
            raise ValueError(f"{call}: order must be 1 or 2, not {order!r}")
        if not modes or any(mode not in ("reverse", "forward") for mode in modes):
            raise ValueError(f"{call}: modes must be of 'reverse', 'forward', not {modes!r}")
        self.rtol = max(RTOL, _ULPS * self.epsilon) if rtol is None else rtol
        self.atol = max(atol, _DENORMAL) if self.reference is None else atol
        if self.compared:
            self._compare()
        truth = self._named(self._by_library if self.reference is None else self._by_reference)
        done = Checked()
        judged: list[list[Any]] = []
        left_out: list[str] = []
        for mode in modes:
            try:
                who, entries = self.library.first(self._library_value, self._fresh(), mode)
            except Unsupported as reason:
                left_out.append(f"{mode} mode left out: {reason}")
                continue
            entries = self._fitting(entries, who)
            self._refuse_chance(entries, who, mode)
            if not any(_same(entries, other) for other in judged):  # bits that are judged already
                judged.append(entries)
                self._judge(truth, who, entries, done)
        if not judged:
            raise TypeError(f"{call}: {self.name} has no derivatives: {'; '.join(left_out)}")
        if order == 2:
            self._second(truth, done)
        done.notes = (*done.notes, *left_out)
        return done

    # ------------------------------------------------------------------ the function

    def _fresh(self, points: Sequence[Any] | None = None) -> list[Any]:
        """Return leaves in memory of their own, which a function may write to."""
        pairs = zip(self.points if points is None else points, self.leaves, strict=True)
        return [self.library.array(point, leaf) for point, leaf in pairs]

    def _library_value(self, leaves: Sequence[Any]) -> Any:
        out = self.f(*self.rebuilt(leaves))
        if self.library.is_array(out):
            return out
        plain = self.library.plain_outputs
        if isinstance(out, (float, int)) and plain:
            return float(out)
        raise TypeError(
            f"{self.library.call}: {self.name} must return one array of {self.library.name}"
            f"{' or a number' if plain else ''}, not {type(out).__name__}"
        )

    def _by_library(self, *points: Any) -> float:
        out = self._library_value(self._fresh(points))
        return float(_added(self.library.numbers(out) if self.library.is_array(out) else out))

    def _by_reference(self, *points: Any) -> Any:
        assert self.reference is not None
        return _added(self.reference(*self.rebuilt(points)))

    def _compare(self) -> None:
        """Hold the values of function and reference against each other."""
        there = self._by_library(*self.points)
        out = self._by_reference(*self.points)
        here = float(out._data if isinstance(out, Node) else out)
        most = max(_SAME_VALUE, _ULPS * self.epsilon) * max(abs(here), abs(there))
        alike = here == there or (here != here and there != there) or abs(here - there) <= most
        if not alike:
            raise ValueError(
                f"{self.library.call}: reference= is another function than {self.name}, or one of "
                f"the two has a wrong value: {here!r} and {there!r} at these arguments"
            )

    def _named(self, f: Callable[..., Any], name: str = "") -> Callable[..., Any]:
        """Return `f` with a name, and arguments by whose names reports call the leaves."""

        def named(*points: Any) -> Any:
            return f(*points)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [inspect.Parameter(x, kind) for x in self._identifiers]
        named.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        named.__name__ = named.__qualname__ = name or self.name
        return named

    # ------------------------------------------------------------------ its derivatives

    def _fitting(self, entries: Sequence[Any], who: str) -> list[Any]:
        """Return the entries as float64 arrays.

        Raises:
            TypeError: one has another shape than its leaf.
        """
        import numpy

        found = []
        for path, point, entry in zip(self.paths, self.points, entries, strict=True):
            array = numpy.asarray(entry, dtype=float)
            if array.shape != shape_of(point):
                raise TypeError(
                    f"{self.library.call}: {who} gave shape {array.shape} for {path}, whose shape "
                    f"is {shape_of(point)}; a gradient has its argument's shape (axes that were "
                    "broadcast are summed over)"
                )
            found.append(array)
        return found

    def _refuse_chance(self, entries: list[Any], who: str, mode: str) -> None:
        """Compute a gradient again, and compare the bits.

        Raises:
            ValueError: they differ.
        """
        _, again = self.library.first(self._library_value, self._fresh(), mode)
        if not _same(entries, self._fitting(again, who)):
            raise ValueError(
                f"{self.library.call}: {who} of {self.name} gives other numbers at the next call, "
                "with the same arguments; a derivative of chance cannot be judged: call eval(), or "
                "seed its random numbers inside of it"
            )

    def _judge(
        self, truth: Callable[..., Any], who: str, entries: list[Any], done: Checked
    ) -> None:
        """Judge one gradient of `truth`, and add what was found to `done`."""
        __tracebackhide__ = True
        entries = [entry.copy() for entry in entries]
        doubtful: list[str] = []
        ours: Mismatch | None = None
        while True:
            try:
                found = self._judged(truth, who, entries)
                break
            except GradientMismatch as mismatch:
                report = mismatch.report
                if not is_theirs(report):
                    truth, ours = floats_only(truth), report
                    continue
                if not self._doubtful(truth, report):
                    notes = self._notes(report.notes)
                    exact = "definitions" in report.method  # its program writes the function out
                    program = self._program() or (report.program if exact else "")
                    report = replace(report, program=program, notes=notes)
                    raise GradientMismatch(report) from None
                leaf, place = self._numbers[report.argument]
                entries[leaf].ravel()[place] = report.reference  # the others are to be judged yet
                doubtful.append(report.argument)
        if doubtful:
            found.right -= len(doubtful)
            found.undecide("differences", len(doubtful))
        found.notes = self._notes(found.notes)
        if ours is not None:
            found.notes += (note_on(ours),)
        if doubtful:
            doubt = "differences of long and of short steps contradict each other: give reference="
            found.notes += (f"by {', '.join(doubtful)}, {doubt}",)
        add(done, found)

    def _judged(self, truth: Callable[..., Any], who: str, entries: list[Any]) -> Checked:
        __tracebackhide__ = True
        parts = tuple(x if x.shape else float(x) for x in entries)

        def gradient(*_: Any) -> Any:
            return parts[0] if len(parts) == 1 else parts

        gradient.__name__ = who
        return check_gradients(
            truth, *self.points, order=1, gradient=gradient, rtol=self.rtol, atol=self.atol
        )

    def _doubtful(self, truth: Callable[..., Any], report: Mismatch) -> bool:
        """Say whether a mismatch is one with differences that shorter steps do not confirm."""
        if report.argument not in self._numbers or "differences" not in report.method:
            return False
        leaf, place = self._numbers[report.argument]

        def along(moved: float) -> float:
            points = [point.copy() if shape_of(point) else point for point in self.points]
            if shape_of(points[leaf]):
                points[leaf].ravel()[place] = moved
            else:
                points[leaf] = moved
            try:
                return float(truth(*points))
            except (ValueError, ZeroDivisionError, OverflowError):
                return math.nan

        point = self.points[leaf]
        x = float(point.ravel()[place]) if shape_of(point) else point
        claimed, found, error = report.analytic, report.reference, report.reference_error
        return not believable(along, x, claimed, found, error)

    def _second(self, truth: Callable[..., Any], done: Checked) -> None:
        """Judge each entry of the gradient by its own derivatives."""
        __tracebackhide__ = True
        ours = grad(truth, argnums=tuple(range(len(self.points))))
        for leaf, point in enumerate(self.points):
            for place in range(getattr(point, "size", 1)):

                def entry(*points: Any, leaf: int = leaf, place: int = place) -> Any:
                    if self.reference is not None:
                        part = ours(*points)[leaf]
                    else:
                        leaves = self._fresh(points)
                        part = self.library.first(self._library_value, leaves, "reverse")[1][leaf]
                    one = part.ravel()[place] if shape_of(part) else part
                    return one if isinstance(one, Node) else float(one)

                who, rows = self.library.second(self._library_value, self._fresh(), (leaf, place))
                where = self.paths[leaf] + index_of(place, shape_of(point))
                name = f"the derivative of {self.name} by {where}"
                self._judge(self._named(entry, name), who, self._fitting(rows, who), done)

    def _notes(self, notes: tuple[str, ...]) -> tuple[str, ...]:
        return ("no reference= was given",) if self.reference is None else notes

    def _program(self) -> str:
        call = self.library.call
        if not self.name.isidentifier():
            return ""
        arguments = " ".join(", ".join([self.name, *map(repr, self.args)]).split())
        return f"from autograd.testing import {call}; {call}({arguments})"


def _added(out: Any) -> Any:
    """Return an output as one number: itself, or its entries weighted and added up."""
    import numpy

    if isinstance(out, (float, Node)):
        return out
    array = out if isinstance(out, numpy.ndarray) else numpy.asarray(out, dtype=object)
    entries = array.ravel().tolist()
    if len(entries) == 1:
        return entries[0]
    total: Any = 0.0
    for w, y in zip(weights(len(entries)), entries, strict=True):
        total = total + w * y
    return total


def _same(these: list[Any], others: list[Any]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(these, others, strict=True))


def _identifiers(paths: list[str]) -> list[str]:
    """Return a Python name for each path."""
    names = [re.sub(r"\W+", "_", path).strip("_") for path in paths]
    if len(set(names)) == len(names) and all(x.isidentifier() for x in names):
        return names
    return [f"leaf{i + 1}" for i in range(len(paths))]


def _names(f: Callable[..., Any], n: int) -> list[str]:
    """Return what `f` calls its first `n` arguments."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        names = [p.name for p in inspect.signature(f).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        names = []
    return names[:n] if len(names) >= n else [f"argument{i + 1}" for i in range(n)]
