"""Which branches did the last call of a kernel take, and how near was each to another way?

A kernel keeps the comparisons it was recorded with as guards, each with its line. How near they
were is computed when it is asked, not at each call, from the arguments of the last call. Knows
nothing of how results are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from .._decisions import Decision, Decisions, decisions
from ._execute import Code, Point
from .arguments import Call
from .families import Family, Path
from .forms import Array
from .native import Layout, NoLowering
from .paths import Paths
from .program import COMPARISONS, Program

_AT_ONCE: Final = 65_536  # rows whose operands are held in memory together

# What the last call was: its family and arguments, or the one path it could take and its memory.
Asked = tuple[Family, Call] | tuple[Path, Point | None] | None


def decided(paths: Paths, asked: Asked) -> Decisions:
    """Return the decisions of the last call.

    Raises:
        ValueError: there was none.
    """
    if asked is None:
        raise ValueError(f"{paths!r} has taken no decision yet; call it first")
    if isinstance(asked[0], Path):
        path, point = asked
        numbers = [] if point is None else point.inputs[: path.code.program.inputs].tolist()
        return Decisions(_at(path.code.program, numbers) or [] if numbers else [])
    family, call = asked
    assert isinstance(call, Call)
    if call.rows is not None:
        return Decisions(_over_rows(paths, family, call))
    shared = call.shared
    for path in family.paths:
        program = path.code.program
        found = _at(program, paths.inputs(path, shared).tolist()) if program.standard else None
        if found is not None:
            return Decisions(found)
    return _eagerly(paths, call, shared.tolist())


def _at(program: Program, numbers: Sequence[float]) -> list[Decision] | None:
    """Return the decisions of a program at one point, None if its guards do not hold there."""
    values = program.values(numbers)
    found: list[Decision] = []
    for (op, i, j, outcome), line in program.comparisons():
        x, y = values[i], values[j]
        if COMPARISONS[op](x, y) is not outcome:
            return None
        found.append(Decision(line, op, x, y, outcome, 1, int(outcome)))
    return found


def _eagerly(paths: Paths, call: Call, numbers: list[float]) -> Decisions:
    """Return the decisions of the function itself, where no program stands for it."""
    args, named = call.fill(numbers)

    def f(*values: Any) -> Any:
        return paths.call(
            list(values[: len(args)]), dict(zip(named, values[len(args) :], strict=True))
        )

    return decisions(f, *args, *named.values())


def _over_rows(paths: Paths, family: Family, call: Call) -> list[Decision]:
    """Return the decisions of all rows, one for each comparison of the source."""
    rows = call.rows
    assert rows is not None
    found: dict[tuple[str, str, int], Decision] = {}
    left: Any = np.arange(rows.count)
    for path in family.paths:
        if not len(left):
            break
        try:
            left = _by(paths, path, call, left, found)
        except NoLowering:
            break
    for row in left.tolist() if family.eager or paths.unsteady else ():
        counts: dict[tuple[str, str], int] = {}
        for d in _eagerly(paths, call, call.numbers(row)):
            _add(found, _key(d.where, d.op, counts), d)
    return list(found.values())


def _by(
    paths: Paths,
    path: Path,
    call: Call,
    left: Any,
    found: dict[tuple[str, str, int], Decision],
) -> Any:
    """Add what a path's guards decided for the rows that take it; return those that do not."""
    program = path.code.program
    if not program.guards:
        return left[:0]
    code = _operands(path)
    inputs = paths.inputs(path, call.shared)
    rest: list[Any] = []
    rows = call.rows
    assert rows is not None
    for first in range(0, len(left), _AT_ONCE):
        some = left[first : first + _AT_ONCE]
        columns, _, held = code.run(inputs, rows.take(some), paths.settings.options)
        rest.append(some[~held])
        if held.any():
            for key, d in _columns(program, columns[:, held]):
                _add(found, key, d)
    return np.concatenate(rest)


def _operands(path: Path) -> Code:
    """Return code that gives both operands of each guard, for rows."""
    program, layout = path.code.program, path.code.layout
    operands = tuple([i for _, x, y, _ in program.guards for i in (x, y)])
    wanted = replace(program, outputs=operands)
    return Code(wanted, Layout(layout.rows, (False,) * len(operands)), path.code.fast)


def _columns(program: Program, columns: Array) -> Iterator[tuple[tuple[str, str, int], Decision]]:
    """Yield the decision of each guard at the row that is nearest to its flip."""
    rows = columns.shape[1]
    counts: dict[tuple[str, str], int] = {}
    for g, ((op, _, _, outcome), line) in enumerate(program.comparisons()):
        x, y = columns[2 * g], columns[2 * g + 1]
        with np.errstate(invalid="ignore", over="ignore"):
            margins = np.where(x == y, 0.0, np.abs(x - y))
        at = int(np.argmin(np.where(np.isnan(margins), np.inf, margins)))
        decision = Decision(
            line, op, float(x[at]), float(y[at]), outcome, rows, rows if outcome else 0
        )
        yield _key(line, op, counts), decision


def _key(line: str, op: str, counts: dict[tuple[str, str], int]) -> tuple[str, str, int]:
    """Return what tells a comparison from others of its line: how many came before it."""
    counts[line, op] = counts.get((line, op), 0) + 1
    return line, op, counts[line, op]


def _add(
    found: dict[tuple[str, str, int], Decision], key: tuple[str, str, int], d: Decision
) -> None:
    """Put the rows of a decision to those that took the same one before."""
    old = found.get(key)
    if old is not None:
        nearer = d if old.margin != old.margin or d.margin < old.margin else old
        d = replace(nearer, rows=old.rows + d.rows, yes=old.yes + d.yes)
    found[key] = d
