"""What is easily overlooked in a function that is to be differentiated, by line, with the way out.

Each rule is a question to runs of the function (`_probe`) and to walks across its boundaries
(`_boundaries`); a finding is only what those runs have shown in numbers. Knows no compiler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

from ._boundaries import Crossing, cross
from ._graph import order_of
from ._primitive import Node, operands_of
from ._probe import PICKS, STEPS, Probe, Run, Switch
from ._structure import is_array, is_container
from ._unseen import line_of, unwrapped

_PER_LINE: Final = 3  # switches that are crossed for each line and operation, the nearest first
_SLOPES: Final = 12  # of which so many are looked at more closely
_ROWS: Final = 64
_WHERES: Final = 8  # looked into, for each line
_CURVED: Final = 64  # inputs
_NUDGE: Final = 1e-3
_LIST: Final = 8  # entries of a list that are taken for arguments of their own

KINDS: Final = {
    "no-curvature": "a second derivative that is zero on both sides of a kink",
    "jump": "a step whose derivative is dropped",
    "jump-under-mean": "a branch or jump that moves with a parameter, under a mean",
    "where-not-finite": "a branch of `where` that is not chosen and not finite",
    "unreached": "an input that no path reaches",
    "on-boundary": "a branch taken exactly on its boundary",
    "unseen-weight": "a number that enters the result and that no derivative sees",
    "unrepeatable": "a function that does not return the same twice",
}


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes:
        kind: one of `KINDS`, for programs.
        where: "file:line", "" if unknown.
        what: what is wrong, with the numbers that show it.
        way_out: what to do about it.
    """

    kind: str
    where: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where or '?'}: [{self.kind}] {self.what}; {self.way_out}"


class Findings(Sequence[Finding]):
    """What `lint` found, in the order of the rules; empty if there is nothing to say."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self._found = tuple(found)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        return self._found[at]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<{len(self)} findings: {', '.join(sorted({x.kind for x in self})) or 'none'}>"

    def __str__(self) -> str:
        return "\n".join(map(str, self._found)) or "nothing found"


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


def lint(f: Callable[..., Any] | Averaged, /, *args: Any, **kwargs: Any) -> Findings:
    """Return what is easily overlooked when `f` is differentiated at these arguments.

    The floats of positional arguments are the inputs, nested as `grad` takes them. `f` runs a few
    times at and around them, at most a few hundred times, always at the same points; it should have
    no side effects. For `Averaged(f, in_axes)` the shared arguments are the inputs, and rows beyond
    64 are sampled evenly. Where `f` raises at a point nobody asked about, nothing is said.

    Raises:
        TypeError: `f` is no function, or returns no number. Otherwise what `f` raises.
        ValueError: `in_axes` does not fit the arguments.
    """
    f = getattr(f, "linted", f)  # a kernel says what it was made of
    if isinstance(f, Averaged):
        probes = _rows(f, args, kwargs)
        inner, mean = f.f, True
    else:
        if not callable(f):
            raise TypeError(f"lint: the first argument must be a function, not {f!r}")
        probes, inner, mean = [Probe(f, args, kwargs)], f, False
    runs = [probe.run(probe.numbers) for probe in probes]
    case = _Case(inner, mean, probes, runs)
    found = list(_unrepeatable(case))
    if not found:
        case.walk()
        for rule in (_no_curvature, _jumps, _wheres, _boundaries, _unseen, _unreached):
            found += rule(case)
    told: dict[tuple[str, str, str], Finding] = {}
    for x in found:
        place = x.what if x.kind in ("unreached", "unseen-weight") else ""
        told.setdefault((x.kind, x.where, place), x)
    return Findings(list(told.values()))


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
    return [
        Probe(
            f.f,
            tuple([_row(x, at) if i in fixed else x for i, x in enumerate(args)]),
            kwargs,
            fixed,
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


class _Case:
    """One question to `lint`: the probes, what they did, and the walks made so far."""

    def __init__(
        self, f: Callable[..., Any], mean: bool, probes: list[Probe], runs: list[Run]
    ) -> None:
        self.f = f
        self.mean = mean
        self.probes = probes
        self.runs = runs
        self.crossings: list[Crossing] = []

    def walk(self) -> None:
        """Cross the nearest switches of each line."""
        near: dict[tuple[str, str], list[tuple[float, int, Switch]]] = {}
        for i, run in enumerate(self.runs):
            for switch in run.switches.values():
                if switch.level >= run.level and not math.isnan(switch.need):
                    found = near.setdefault((switch.op, switch.where), [])
                    found.append((switch.nearness, i, switch))
        for switches in near.values():
            switches.sort(key=lambda entry: (entry[0], entry[1]))
            crossed = 0
            for _, i, switch in switches[:_SLOPES]:
                if crossed == _PER_LINE:
                    break
                crossing = cross(self.probes[i], self.runs[i], switch)
                if crossing is not None:
                    self.crossings.append(crossing)
                    crossed += 1

    def every_run(self) -> Iterator[Run]:
        """Yield all runs, also those beyond boundaries."""
        yield from self.runs
        for crossing in self.crossings:
            yield crossing.behind


# ------------------------------------------------------------------------------------- rules


def _unrepeatable(case: _Case) -> Iterator[Finding]:
    probe, first = case.probes[0], case.runs[0].values
    again = probe.try_run(probe.numbers)
    second = [] if again is None else again.values
    if second != first and repr(second) != repr(first):  # two nans are the same
        a, b = next(
            ((x, y) for x, y in zip(first, second, strict=False) if repr(x) != repr(y)),
            (first, second),
        )
        yield Finding(
            "unrepeatable",
            line_of(case.f),
            f"called twice with the same numbers it returned {a!r} and {b!r}",
            "pass random numbers and state as arguments",
        )


def _no_curvature(case: _Case) -> Iterator[Finding]:
    """A function that is straight on both sides of a kink: its curvature is all in the kink."""
    kinks = [c for c in case.crossings if c.switch.op in PICKS]
    for crossing in kinks:
        op, where, _ = crossing.switch.key
        together = sum(s.op == op and s.where == where for s in crossing.start.switches.values())
        if op == "abs" and (together > 1 or case.mean):
            continue  # a sum of absolute values is a loss or a penalty, meant for first derivatives
        probe = case.probes[0]
        for i in _scalars(probe, len(crossing.start.switches)):
            slopes = crossing.bends(i) if crossing.moves[i] else None
            if slopes is None or any(
                run.curvatures([i])[0] != 0.0
                for run in (crossing.start, crossing.before, crossing.behind)
            ):
                continue
            yield Finding(
                "no-curvature",
                where,
                f"the second derivative by {_place(probe, i)} is identically zero: {op} bends "
                f"the slope from {slopes[0]:.6g} to {slopes[1]:.6g} and the rest is straight, so "
                "a mean of it has a curvature that no second derivative shows",
                "smooth it (softplus((x - k) / h) * h), or take differences of first derivatives "
                "(or the likelihood ratio) under the mean",
            )
            break


def _scalars(probe: Probe, switches: int) -> list[int]:
    """Return the inputs whose second derivative people ask for: floats that are arguments by
    themselves. The entries of lists and arrays are weights, unless there is a single switch."""
    found = [
        i
        for i, owner in enumerate(probe.owners)
        if switches == 1
        or (
            probe.structures[owner]._tree is None
            and not is_array(probe.structures[owner]._leaves[0])
        )
    ]
    return found[:_CURVED]


def _jumps(case: _Case) -> Iterator[Finding]:
    for crossing in case.crossings:
        op, where, _ = crossing.switch.key
        step = crossing.jump
        if step is None or _on_boundary(crossing):
            continue
        a, b = step
        text = f"{'a branch' if crossing.switch.branch else op} on {_movers(case, crossing)}"
        if case.mean:
            yield Finding(
                "jump-under-mean",
                where,
                f"{text} makes the value jump from {a:.6g} to {b:.6g} at its boundary, and under "
                "the mean the derivative lacks the rows that change sides",
                "smooth the boundary, weight by the probability of not crossing it, or use the "
                "likelihood ratio",
            )
        elif op in STEPS or _is_step(crossing):
            yield Finding(
                "jump",
                where,
                f"{text} makes the value jump from {a:.6g} to {b:.6g}, which no derivative shows",
                "smooth the step (sigmoid((x - k) / h)), or differentiate what it is a mean of",
            )


def _on_boundary(crossing: Crossing) -> bool:
    return crossing.switch.branch and crossing.switch.need == 0.0


def _is_step(crossing: Crossing) -> bool:
    """Say whether only the value changes at the flip, as where a branch returns constants.

    (Else one formula takes the place of another, each with its own derivative.)
    """
    return not any(moves and crossing.bends(i) for i, moves in enumerate(crossing.moves))


def _movers(case: _Case, crossing: Crossing) -> str:
    names = [_place(case.probes[0], i) for i, moves in enumerate(crossing.moves) if moves]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _wheres(case: _Case) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for run in case.runs:
        for node, where in run.wheres:
            seen[where] = seen.get(where, 0) + 1
            if seen[where] > _WHERES:
                continue
            (condition, c), (x, _), (y, _) = operands_of(node)
            chosen = (c if condition is None else condition._data) != 0.0
            unused, used = (y, x) if chosen else (x, y)
            if unused is None or unused._level < run.level:
                continue
            fault = _not_finite(unused, [] if used is None else [used])
            if fault:
                yield Finding(
                    "where-not-finite",
                    where,
                    f"the branch of where that was not chosen is not finite: {fault}",
                    "choose the argument first: where(c, f(where(c, x, 1.0)), y)",
                )


def _not_finite(unused: Node, used: list[Node]) -> str:
    """Return what is not finite below `unused`, and not below `used` too."""
    shared = {id(x) for x in order_of(used)}
    for node in order_of([unused]):
        if node._prim is None or id(node) in shared:
            continue
        if not math.isfinite(node._data):
            return f"{node._prim.name} gave {node._data!r}"
        for parent, partial in operands_of(node):
            if parent is not None and not math.isfinite(partial):
                return f"the derivative of {node._prim.name} at {parent._data!r} is {partial!r}"
    return ""


def _boundaries(case: _Case) -> Iterator[Finding]:
    for crossing in case.crossings:
        switch = crossing.switch
        if not _on_boundary(crossing):
            continue
        here = crossing.start.gradient()
        change = _differs(here, *crossing.slopes)
        step = crossing.jump
        if change is None and step is None:
            continue
        shown = (
            f"the value is {step[0]:.6g} on one side and {step[1]:.6g} on the other"
            if step is not None
            else f"the slope is {change[0]:.6g} on one side and {change[1]:.6g} on the other"
            if change is not None
            else ""
        )
        yield Finding(
            "on-boundary",
            switch.where,
            f"the branch was taken exactly on its boundary, both sides of `{switch.op}` being "
            f"{switch.x._data!r}: {shown}",
            "decide which side is meant, and move the point or the boundary off it",
        )


def _differs(*gradients: Sequence[float]) -> tuple[float, float] | None:
    """Return two entries of the same input that differ between gradients."""
    for slopes in zip(*gradients, strict=True):
        low, high = min(slopes), max(slopes)
        if abs(high - low) > 1e-5 * max(abs(low), abs(high)) + 1e-6:
            return slopes[-2], slopes[-1]
    return None


def _unseen(case: _Case) -> Iterator[Finding]:
    probe, run = case.probes[0], case.runs[0]
    reached = set().union(*({*r.reached()} for r in case.runs))
    for what, nodes in (("its .data", run.reads), ("stop_gradient", run.stops)):
        for node, where in nodes:
            ids = run.below([node])
            for i, x in enumerate(run.inputs):
                if id(x) in ids and id(x) not in reached and _matters(probe, run, i):
                    yield _detached(where, _place(probe, i), x._data, what)
            outside = [node] if id(node) not in run.made and node not in _ids(run.inputs) else []
            for leaf in outside if what == "its .data" else []:
                if id(leaf) not in reached and _enters(probe, run, leaf._data, _putter(leaf)):
                    name = (
                        f"the Value {leaf._extra.label}" if leaf._extra else "a Value from outside"
                    )
                    yield _detached(where, name, leaf._data, what)
    for loose in unwrapped(case.f):
        if _enters(probe, run, loose.number, loose.put):
            yield Finding(
                "unseen-weight",
                line_of(case.f),
                f"{loose.name} = {loose.number!r} is a plain float that enters the result, so no "
                "derivative sees it",
                "make it an argument or a Value",
            )


def _detached(where: str, name: str, number: float, by: str) -> Finding:
    return Finding(
        "unseen-weight",
        where,
        f"{name} = {number:.6g} enters the result only through {by}, so its derivative is zero",
        "compute with the Value itself",
    )


class _ids:
    """Membership by identity: `==` of `Value`s compares numbers."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._ids = {id(x) for x in nodes}

    def __contains__(self, node: Node) -> bool:
        return id(node) in self._ids


def _putter(leaf: Node) -> Callable[[float], None]:
    def put(x: float) -> None:
        leaf._data = x

    return put


def _nudged(x: float) -> float:
    return x * (1.0 + _NUDGE) if x else _NUDGE


def _matters(probe: Probe, run: Run, i: int) -> bool:
    """Say whether the result changes with input `i`."""
    moved = [_nudged(x) if j == i else x for j, x in enumerate(probe.numbers)]
    other = probe.try_run(moved)
    return other is not None and other.values != run.values


def _enters(probe: Probe, run: Run, number: float, put: Callable[[float], None]) -> bool:
    """Say whether the result changes with a number outside the arguments, which is put back."""
    put(_nudged(number))
    try:
        other = probe.try_run(probe.numbers)
    finally:
        put(number)
    return other is not None and other.values != run.values


def _unreached(case: _Case) -> Iterator[Finding]:
    probe = case.probes[0]
    reached: set[int] = set()
    for run in case.every_run():
        asked = [x for s in run.switches.values() if s.branch for x in (s.x, s.y)]
        ids = run.below([*run.outputs, *asked, *(node for node, _ in run.reads)])
        reached.update(i for i, x in enumerate(run.inputs) if id(x) in ids)
    for name, places in _groups(probe):
        if places and not reached.intersection(places):
            yield Finding(
                "unreached",
                line_of(case.f),
                f"the result does not depend on {name}: no path leads to it from there",
                "use it, or leave it out of the arguments",
            )


def _groups(probe: Probe) -> list[tuple[str, list[int]]]:
    """Return what is to be reached as a whole, with its inputs: an argument, an entry of a short
    list of numbers, a key of a dict. (Of an array or a deeper structure some entries may do.)"""
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(_names(probe)):
        groups.setdefault(name, []).append(i)
    return list(groups.items())


def _names(probe: Probe) -> list[str]:
    found: list[str] = []
    for at, structure in enumerate(probe.structures):
        if at in probe.fixed:
            continue
        n = len(structure.numbers)
        flat = structure._plain and structure._tree is not None and n <= _LIST
        found += [f"argument {at}" + (f"[{k}]" if flat else "") for k in range(n)]
    return found


def _place(probe: Probe, i: int) -> str:
    """Return how to call input `i`."""
    at = probe.owners[i]
    structure = probe.structures[at]
    if structure._tree is None and len(structure.numbers) == 1:
        return f"argument {at}"
    return f"number {i - probe.owners.index(at)} of argument {at}"
