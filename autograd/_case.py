"""One question to `lint`: the function at one point or over rows, its runs, and walks across the
boundaries near it. Knows no rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ._boundaries import Crossing, cross
from ._probe import PICKS, Budget, Probe, Run, Switch
from ._structure import is_array, is_container

_PER_LINE: Final = 3  # switches that are crossed for each line and operation, the nearest first
_TRIED: Final = 12  # of so many: some can't be crossed
# Under a mean a jump may show in few rows only: a path that survives may end worthless too.
_PER_LINE_OF_ROWS: Final = 48
_ROWS: Final = 256
_NODES: Final = 2_000_000  # of all rows together
_LIST: Final = 8  # entries of a list that are taken for arguments of their own


@dataclass(frozen=True)
class Averaged:
    """A function of one row that is meant to be averaged (or added up) over many; `lint` takes it.

    Attributes:
        f: the function of one row.
        in_axes: as `compile` has it: 0 for an argument with rows, None for one shared by all, a
            tuple with one entry per argument.
    """

    f: Callable[..., Any]
    in_axes: int | tuple[int | None, ...] | None = 0

    def axes(self, count: int) -> tuple[int | None, ...]:
        """Return the axis of rows of each of `count` arguments.

        Raises:
            ValueError: there is another number of entries, one that is neither 0 nor None, or no 0.
        """
        axes = self.in_axes if isinstance(self.in_axes, tuple) else (self.in_axes,) * count
        if len(axes) != count:
            raise ValueError(
                f"Averaged: in_axes has {len(axes)} entries, the call {count} arguments"
            )
        if any(axis not in (0, None) for axis in axes) or 0 not in axes:
            raise ValueError(
                f"Averaged: in_axes={self.in_axes!r} must be 0 for arguments with rows, at least "
                "one, and None for the others"
            )
        return axes


class Case:
    """One question to `lint`: the probes, what they did, and the walks made so far."""

    def __init__(
        self, f: Callable[..., Any], mean: bool, probes: list[Probe], runs: list[Run]
    ) -> None:
        self.f = f
        self.mean = mean
        self.probes = probes
        self.runs = runs
        self.crossings: list[Crossing] = []
        self.unseen: set[int] = set()  # inputs of which it was said

    def walk(self) -> None:
        """Cross the nearest switches of each line."""
        near: dict[tuple[str, str], list[tuple[float, int, Switch]]] = {}
        for i, run in enumerate(self.runs):
            for switch in run.switches.values():
                if switch.level >= run.level and not math.isnan(switch.need):
                    found = near.setdefault((switch.op, switch.where), [])
                    found.append((switch.nearness, i, switch))
        for (op, _), switches in near.items():
            switches.sort(key=lambda entry: (entry[0], entry[1]))
            many = self.mean and op not in PICKS
            crossed = 0
            for _, i, switch in switches[: _PER_LINE_OF_ROWS if many else _TRIED]:
                crossing = cross(self.probes[i], self.runs[i], switch)
                if crossing is not None:
                    self.crossings.append(crossing)
                    crossed += 1
                    if crossing.jump is not None or (crossed == _PER_LINE and not many):
                        break

    def every_run(self) -> Iterator[Run]:
        """Yield all runs, also those beyond boundaries."""
        yield from self.runs
        for crossing in self.crossings:
            yield crossing.behind


def case_of(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Case:
    """Return the question that a call of `lint` is, its function run once at each point.

    Raises:
        TypeError: `f` is no function, or returns no number. Otherwise what `f` raises.
        ValueError: `in_axes` does not fit the arguments.
    """
    if isinstance(f, Averaged):
        probes, f, mean = _rows(f, args, kwargs), f.f, True
    elif callable(f):
        probes, mean = [Probe(f, args, kwargs)], False
    else:
        raise TypeError(f"lint: the first argument must be a function, not {f!r}")
    first = probes[0].run(probes[0].numbers)
    step = 1 + len(probes) * len(first.made) // _NODES
    probes = probes[::step]
    return Case(f, mean, probes, [first, *[probe.run(probe.numbers) for probe in probes[1:]]])


def _rows(f: Averaged, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Probe]:
    """Return a probe for each row, of a sample if there are many."""
    axes = f.axes(len(args))
    fixed = [i for i, axis in enumerate(axes) if axis == 0]
    counts = {_count(args[i]) for i in fixed}
    if len(counts) != 1:
        raise ValueError(f"Averaged: arguments with {sorted(counts)} rows")
    n = counts.pop()
    if not n:
        raise ValueError("Averaged: no rows")
    some = sorted({i * n // min(n, _ROWS) for i in range(min(n, _ROWS))})
    budget = Budget()
    return [
        Probe(
            f.f,
            tuple([_row(x, at) if i in fixed else x for i, x in enumerate(args)]),
            kwargs,
            fixed,
            budget,
        )
        for at in some
    ]


def _count(x: Any) -> int:
    """Return how many rows an argument has."""
    if is_container(x) and not isinstance(x, list):
        return _count(next(iter(_parts(x)), []))
    return len(x)


def _row(x: Any, at: int) -> Any:
    """Return row `at` of an argument: of each array in it, or of a list."""
    if is_array(x):
        row = x[at]
        return float(row) if row.shape == () and row.dtype.kind == "f" else row
    if isinstance(x, dict):
        return {key: _row(y, at) for key, y in x.items()}
    if type(x) is tuple:
        return tuple([_row(y, at) for y in x])
    return x[at]


def _parts(x: Any) -> list[Any]:
    return list(x.values()) if isinstance(x, dict) else list(x)


def groups(probe: Probe, entries: bool) -> list[tuple[str, list[int]]]:
    """Return what is to be reached as a whole, with its inputs: an argument, or, if `entries`, each
    entry of a short list of numbers. (Of an array or a deeper structure some entries may do.)"""
    groups: dict[str, list[int]] = {}
    i = 0
    for at, structure in enumerate(probe.structures):
        if at in probe.fixed:
            continue
        n = len(structure.numbers)
        apart = entries and structure._plain and structure._tree is not None and n <= _LIST
        for k in range(n):
            groups.setdefault(f"argument {at}" + (f"[{k}]" if apart else ""), []).append(i + k)
        i += n
    return list(groups.items())


def place(probe: Probe, i: int) -> str:
    """Return how to call input `i`."""
    at = probe.owners[i]
    structure = probe.structures[at]
    if structure._tree is None and len(structure.numbers) == 1:
        return f"argument {at}"
    return f"number {i - probe.owners.index(at)} of argument {at}"
