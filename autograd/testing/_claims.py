"""The numbers under test: derivatives by our sweeps in every mode, and somebody else's gradient.

Knows recordings; knows no reference and passes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from .._primitive import Node
from .._structure import Structure
from ..derivatives import _Recording
from ._subject import Subject

Mode = Literal["reverse", "forward"]


def theirs(subject: Subject, gradient: Callable[..., Any]) -> list[float]:
    """Return the entries of the gradient under test.

    Raises:
        TypeError: not one number for each number in the arguments.
    """
    got = gradient(*subject.args)
    wanted = len(subject.point)
    name = getattr(gradient, "__name__", repr(gradient))
    parts = list(got) if isinstance(got, (tuple, list)) and len(subject.argnums) > 1 else [got]
    numbers: list[float] = []
    if len(parts) == len(subject.argnums):
        for part in parts:
            part = float(part) if isinstance(part, int) else part
            numbers += [
                float(x._data if isinstance(x, Node) else x) for x in Structure(part).numbers
            ]
    if len(parts) != len(subject.argnums) or len(numbers) != wanted:
        raise TypeError(
            f"check_gradients: {name} must return one entry per argument, in the argument's "
            f"structure: {len(subject.argnums)} entries holding {wanted} numbers, "
            f"not {got!r}"
        )
    return numbers


def first(run: _Recording, out: Any, modes: Sequence[Mode]) -> dict[str, list[float]]:
    """Return the first derivatives of `out` by all inputs, in each of `modes`."""
    found: dict[str, list[float]] = {}
    n = len(run.inputs)
    for mode in modes:
        if mode == "reverse":
            found[mode] = run.reverse([out], [1.0], False)
        else:
            found[mode] = [run.forward([out], unit, False)[0] for unit in units(n)]
    return found


def second(run: _Recording, out: Any, modes: Sequence[Mode]) -> dict[str, list[list[float]]]:
    """Return the second derivatives of `out`, in each of `modes` over each."""
    directions = units(len(run.inputs))
    found: dict[str, list[list[float]]] = {}
    for inner in modes:
        if inner == "reverse":
            inner_first = run.reverse([out], [1.0], True)
        else:
            inner_first = [run.forward([out], unit, True)[0] for unit in directions]
        for outer in modes:
            if outer == "reverse":
                rows = [run.reverse([g], [1.0], False) for g in inner_first]
            else:
                columns = [run.forward(inner_first, unit, False) for unit in directions]
                rows = [list(row) for row in zip(*columns, strict=True)]
            found[f"{outer} over {inner}"] = rows
    return found


def units(n: int) -> list[list[float]]:
    """Return the rows of the unit matrix."""
    return [[float(i == j) for j in range(n)] for i in range(n)]
