"""What is easily overlooked in a function that is to be differentiated, by line, with the way out.

Each rule is a question to runs of the function (`_probe`) and to walks across its boundaries
(`_boundaries`); a finding is only what those runs have shown in numbers. Knows no compiler.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ._boundaries import Crossing
from ._case import Averaged, Case, case_of, groups, place
from ._findings import Finding, Findings
from ._graph import order_of
from ._primitive import Node, operands_of
from ._probe import PICKS, STEPS, Probe, Run
from ._structure import is_array
from ._unseen import line_of, unwrapped

_A_LINE: Final = 8  # nodes of one line that are looked into
_CURVED: Final = 64  # inputs
_MEAN: Final = 8  # kinks of one line from which they are taken for a mean over paths
_NUDGE: Final = 1e-3


def lint(f: Callable[..., Any] | Averaged, /, *args: Any, **kwargs: Any) -> Findings:
    """Return what is easily overlooked when `f` is differentiated at these arguments.

    The floats of positional arguments are the inputs, nested as `grad` takes them. `f` runs at and
    around them, always at the same points, a few hundred times at most unless it branches a lot
    (and a function of a million operations a few times); it should have no side effects. For
    `Averaged(f, in_axes)` the shared arguments are the inputs, and rows beyond 256 are sampled
    evenly. Where `f` raises at a point nobody asked about, nothing is said.

    Raises:
        TypeError: `f` is no function, or returns no number. Otherwise what `f` raises.
        ValueError: `in_axes` does not fit the arguments.
    """
    describe: Any = getattr(type(f), "__lint__", None)
    if describe is not None:  # a kernel says what it was made of
        f = describe(f)
    case = case_of(f, args, kwargs)
    found = list(_unrepeatable(case))
    if not found:
        case.walk()
        for rule in (_no_curvature, _jumps, _wheres, _boundaries, _unseen, _unreached):
            found += rule(case)
    told: dict[tuple[str, str, str], Finding] = {}
    for x in found:
        which = x.what if x.kind in ("unreached", "unseen-weight") else ""
        told.setdefault((x.kind, x.where, which), x)
    return Findings(list(told.values()))


# ------------------------------------------------------------------------------------- rules


def _unrepeatable(case: Case) -> Iterator[Finding]:
    probe, first = case.probes[0], case.runs[0].values
    again = probe.try_run(probe.numbers)
    if again is not None and _differ(first, again.values):
        pairs = zip(first, again.values, strict=False)
        a, b = next((pair for pair in pairs if _differ(*pair)), (first, again.values))
        yield Finding(
            "unrepeatable",
            line_of(case.f),
            f"called twice with the same numbers it returned {a!r} and {b!r}",
            "pass random numbers and state as arguments",
        )


def _differ(x: Any, y: Any) -> bool:
    """Say whether two numbers, or lists of them, differ; nans are the same."""
    return repr(x) != repr(y)


def _no_curvature(case: Case) -> Iterator[Finding]:
    """A function that is straight on both sides of a kink: its curvature is all in the kink."""
    probe = case.probes[0]
    for crossing in case.crossings:
        op, where, _ = crossing.switch.key
        if op not in PICKS:
            continue
        kinks = [s.where for s in crossing.start.switches.values() if s.op in PICKS]
        single = len(kinks) == 1
        if case.mean or kinks.count(where) >= _MEAN:
            if op not in ("maximum", "minimum", "relu" if case.mean else ""):
                continue  # a sum of absolute values is a loss or a penalty, one of ReLUs a network
        elif not single:
            continue
        for i in _asked_twice(probe, single and not case.mean):
            slopes = crossing.bends(i) if crossing.moves[i] else None
            if slopes is None or (single and op != "abs" and 0.0 not in slopes and not case.mean):
                continue
            runs = (crossing.start, crossing.before, crossing.behind)
            if any(run.curvatures([i])[0] != 0.0 for run in runs):
                continue
            yield Finding(
                "no-curvature",
                where,
                f"the second derivative by {place(probe, i)} is identically zero: {op} bends "
                f"the slope from {slopes[0]:.6g} to {slopes[1]:.6g} and the rest is straight, so "
                "a mean of it has a curvature that no second derivative shows",
                "smooth it (softplus((x - k) / h) * h), or take differences of first derivatives "
                "(or the likelihood ratio) under the mean",
            )
            break


def _asked_twice(probe: Probe, entries: bool) -> list[int]:
    """Return the inputs whose second derivative people ask for: floats that are arguments by
    themselves. The entries of lists and arrays are weights, unless `entries`."""

    def alone(owner: int) -> bool:
        structure = probe.structures[owner]
        return structure._tree is None and not is_array(structure._leaves[0])

    return [i for i, owner in enumerate(probe.owners) if entries or alone(owner)][:_CURVED]


def _jumps(case: Case) -> Iterator[Finding]:
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


def _movers(case: Case, crossing: Crossing) -> str:
    names = [place(case.probes[0], i) for i, moves in enumerate(crossing.moves) if moves]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _wheres(case: Case) -> Iterator[Finding]:
    for run in case.runs:
        for node, where in _first_of_each_line(run.wheres):
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


def _boundaries(case: Case) -> Iterator[Finding]:
    for crossing in case.crossings:
        switch = crossing.switch
        if not _on_boundary(crossing):
            continue
        what, sides = "value", crossing.jump
        if sides is None:
            what, sides = "slope", crossing.kink
        if sides is None:
            continue
        yield Finding(
            "on-boundary",
            switch.where,
            f"the branch was taken exactly on its boundary, both sides of `{switch.op}` being "
            f"{switch.x._data!r}: the {what} is {sides[0]:.6g} on one side and {sides[1]:.6g} on "
            "the other",
            "decide which side is meant, and move the point or the boundary off it",
        )


def _unseen(case: Case) -> Iterator[Finding]:
    probe, run = case.probes[0], case.runs[0]
    nodes_reached: set[int] = set()
    reached: set[int] = set()  # inputs
    for one in case.every_run():
        ids = one.reached()
        nodes_reached |= ids
        reached |= {i for i, x in enumerate(one.inputs) if id(x) in ids}
    made = {id(x) for x in (*run.made, *run.inputs)}
    for how, nodes in (("its .data", run.reads), ("stop_gradient", run.stops)):
        for node, where in _first_of_each_line(nodes):
            ids = run.below([node])
            for i, x in enumerate(run.inputs):
                if id(x) in ids and i not in reached and _matters(probe, run, i):
                    case.unseen.add(i)
                    yield _detached(where, place(probe, i), x._data, how)
            from_outside = id(node) not in made
            if from_outside and id(node) not in nodes_reached and how == "its .data":
                label = node._extra.label if node._extra is not None else ""
                if _enters(probe, run, node._data, functools.partial(setattr, node, "_data")):
                    name = f"the Value {label}" if label else "a Value from outside"
                    yield _detached(where, name, node._data, how)
    for loose in unwrapped(case.f):
        if _enters(probe, run, loose.number, loose.put):
            yield Finding(
                "unseen-weight",
                line_of(case.f),
                f"{loose.name} = {loose.number!r} is a plain float that enters the result, so no "
                "derivative sees it",
                "make it an argument or a Value",
            )


def _first_of_each_line(nodes: Sequence[tuple[Node, str]]) -> Iterator[tuple[Node, str]]:
    """Yield so many of each line that a loop does not take forever."""
    seen: dict[str, int] = {}
    for node, where in nodes:
        seen[where] = seen.get(where, 0) + 1
        if seen[where] <= _A_LINE:
            yield node, where


def _detached(where: str, name: str, number: float, by: str) -> Finding:
    return Finding(
        "unseen-weight",
        where,
        f"{name} = {number:.6g} enters the result only through {by}, so its derivative is zero",
        "compute with the Value itself",
    )


def _nudged(x: float) -> float:
    return x * (1.0 + _NUDGE) if x else _NUDGE


def _matters(probe: Probe, run: Run, i: int) -> bool:
    """Say whether the result changes with input `i`."""
    moved = [_nudged(x) if j == i else x for j, x in enumerate(probe.numbers)]
    other = probe.try_run(moved)
    return other is not None and _differ(other.values, run.values)


def _enters(probe: Probe, run: Run, number: float, put: Callable[[float], None]) -> bool:
    """Say whether the result changes with a number outside the arguments, which is put back."""
    try:
        put(_nudged(number))
    except (AttributeError, TypeError):  # where it is can't be written to
        return False
    try:
        other = probe.try_run(probe.numbers)
    finally:
        put(number)
    return other is not None and _differ(other.values, run.values)


def _unreached(case: Case) -> Iterator[Finding]:
    probe = case.probes[0]
    reached = set(case.unseen)
    read = {i for run in case.runs for i in _read(run)}
    branches = any(s.branch for run in case.runs for s in run.switches.values())
    for run in case.every_run():
        asked = [x for s in run.switches.values() if s.branch for x in (s.x, s.y)]
        ids = run.below([*run.outputs, *asked])
        reached.update(i for i, x in enumerate(run.inputs) if id(x) in ids)
    for name, places in groups(probe, entries=not branches):
        if places and not reached.intersection(places):
            only = ", only its .data is read" if read.intersection(places) else ""
            yield Finding(
                "unreached",
                line_of(case.f),
                f"the result does not depend on {name}: no path leads to it from there{only}",
                "use it, or leave it out of the arguments",
            )


def _read(run: Run) -> Iterator[int]:
    """Yield the inputs whose plain number was taken."""
    for node, _ in _first_of_each_line(run.reads):
        ids = run.below([node])
        yield from (i for i, x in enumerate(run.inputs) if id(x) in ids)
