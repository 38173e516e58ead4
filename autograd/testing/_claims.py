"""The numbers under test: derivatives by our sweeps in every mode, and somebody else's gradient.

Knows recordings; knows no reference and passes no verdict.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from .._primitive import Node
from .._structure import Structure
from ..derivatives import _Recording
from ._subject import Subject, refuse_precision

Mode = Literal["reverse", "forward"]

_ORDERS: Final = ("", "first", "second", "third")


class Claim(NamedTuple):
    """A derivative under test: how it was computed, by which inputs (in order), and the number."""

    what: str
    by: tuple[int, ...]
    number: float


# Numbers of a recording, each with the inputs it is differentiated by so far.
Entries = list[tuple[tuple[int, ...], Any]]


def ours(run: _Recording, out: Any, order: int, modes: Sequence[Mode]) -> Iterator[Claim]:
    """Yield the derivatives of `out` up to `order`, in each of `modes` over each.

    Where the order of the inputs makes no difference, the number comes once.
    """
    recorded: list[tuple[tuple[Mode, ...], Entries]] = [((), [((), out)])]
    for depth in range(1, order + 1):
        for (path, entries), mode in itertools.product(recorded, modes):
            what = f"{_ORDERS[depth]} derivative ({' over '.join(reversed((*path, mode)))})"
            found: dict[tuple[int, ...], set[float]] = {}
            for by, number in _swept(run, entries, mode, False):
                found.setdefault(tuple(sorted(by)), set()).add(number)
            for by in sorted(found):
                for number in found[by]:
                    yield Claim(what, by, number)
        if depth < order:
            recorded = [
                ((*path, mode), _swept(run, entries, mode, True))
                for path, entries in recorded
                for mode in modes
            ]


def _swept(run: _Recording, entries: Entries, mode: Mode, as_graph: bool) -> Entries:
    """Return the derivative of each entry by each input."""
    n = len(run.inputs)
    if mode == "reverse":
        rows = [run.reverse([root], [1.0], as_graph) for _, root in entries]
    else:
        roots = [root for _, root in entries]
        units = [[float(i == j) for j in range(n)] for i in range(n)]
        columns = [run.forward(roots, unit, as_graph) for unit in units]
        rows = [list(row) for row in zip(*columns, strict=True)]
    return [
        ((*by, i), row[i]) for (by, _), row in zip(entries, rows, strict=True) for i in range(n)
    ]


def theirs(subject: Subject, gradient: Callable[..., Any]) -> list[float]:
    """Return the entries of the gradient under test.

    Raises:
        TypeError: not one number for each number in the arguments, or one of less than a float's
            precision.
    """
    __tracebackhide__ = True
    got = gradient(*subject.refill(subject.point))
    wanted = len(subject.point)
    name = name_of_gradient(gradient)
    refuse_precision(got, f"the result of {name}")
    parts = list(got) if isinstance(got, (tuple, list)) and len(subject.argnums) > 1 else [got]
    numbers: list[float] = []
    if len(parts) == len(subject.argnums):
        for i, part in zip(subject.argnums, parts, strict=True):
            matched = subject.structures[i].match(part)
            entries = Structure(part).numbers if matched is None else matched
            numbers += [float(x._data if isinstance(x, Node) else x) for x in entries]
    if len(parts) != len(subject.argnums) or len(numbers) != wanted:
        held = f"; {subject.held}" if subject.held else ""
        raise TypeError(
            f"check_gradients: {name} must return one entry per argument, in the argument's "
            f"structure: {len(subject.argnums)} entries holding {wanted} numbers, "
            f"not {got!r}{held}"
        )
    return numbers


def name_of_gradient(gradient: Callable[..., Any]) -> str:
    """Return how a report calls somebody else's gradient."""
    name = getattr(gradient, "__name__", repr(gradient))
    return "the gradient" if name == "<lambda>" else str(name)
