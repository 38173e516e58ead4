"""Results over rows: each row goes to the path whose guards hold there; sums have the same bits
whatever was recorded before, and however many threads or machines share the rows."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ._execute import BLOCK, Options, total
from .arguments import Call
from .check import compare, record
from .families import Family, Path
from .forms import Array, Form
from .keys import static_key
from .native import LANES
from .paths import Paths
from .trace import Trace

_chance: Final = random.Random(0)  # which rows are compared


@dataclass
class _Part:
    """What one path found: the rows it is for, their columns, and its sums, one row per block."""

    rows: Any
    columns: Array
    sums: Array
    out: Form


def over_rows(paths: Paths, family: Family, call: Call, eager: bool) -> tuple[Any, Form]:
    """Return the results, one entry per output (a sum, or an array over rows), and their form; by
    the function itself, row by row, if `eager`."""
    assert call.rows is not None
    n = call.rows.count
    known: dict[int, tuple[Trace, Form]] = {}  # what was recorded at single rows
    if not family.paths:
        known[0] = _first(paths, family, call)
    started = time.perf_counter()
    sums = family.paths[0].code.sums
    columns: Array = np.empty((int((~sums).sum()), n))
    parts: list[tuple[int, int, Array]] = []  # (block, first row, sums)
    statics: list[tuple[Any, Form]] = []  # rows, and the form of what they return
    for part in _parts(paths, family, call, sums, known, eager):
        statics.append((part.rows, part.out))
        if len(part.rows) == n:  # every row, whatever paths before it found
            columns, parts, statics = part.columns, [], statics[-1:]
        else:
            columns[:, part.rows] = part.columns
        if part.sums.size:
            blocks, first = np.unique(part.rows // BLOCK, return_index=True)
            for block, at in zip(blocks.tolist(), first.tolist(), strict=True):
                parts.append((block, int(part.rows[at]), part.sums[block]))
    # Within a block the sums of different paths are added in the order of their first rows, so
    # the bits do not depend on which path was recorded first.
    parts.sort(key=lambda part: part[:2])
    added = np.zeros((-(-n // BLOCK), int(sums.sum())))
    with np.errstate(all="ignore"):  # infinities and nan, as in eager sums
        for block, _, part_sums in parts:
            added[block] += part_sums
        results = _assemble(paths, sums, columns, total(added), n)
    if n:
        paths.costs.run_seconds = (time.perf_counter() - started) / n
    return results, _with_statics(paths, family.paths[0].out, statics, n)


def _first(paths: Paths, family: Family, call: Call) -> tuple[Trace, Form]:
    """Record the first path, at the first row; with no row at ones, to learn what comes back."""
    assert call.rows is not None
    numbers = call.numbers(0) if call.rows.count else [1.0] * len(family.mapped)
    try:
        done, out = record(paths, family, numbers, call.fill)
    except Exception as error:
        if not call.rows.count:
            error.add_note(
                f"{paths!r} was called with no rows, so it was run at ones to learn what it returns"
            )
        raise
    paths.path(family, done, out)
    return done, out


def _parts(
    paths: Paths,
    family: Family,
    call: Call,
    sums: Any,
    known: dict[int, tuple[Trace, Form]],
    eager: bool,
) -> Iterator[_Part]:
    """Yield what each path finds, until there is no row left without a result.

    A path that adds up sees all rows, because a row's place decides which others it is added to;
    else it sees only those that are left.
    """
    rows, shared = call.rows, call.shared
    assert rows is not None
    left: Any = np.arange(rows.count)
    everywhere = bool(sums.any())
    at = 0
    while len(left) and not eager:
        if at == len(family.paths):
            row = int(left[0])
            done, out = known[row] = record(paths, family, call.numbers(row), call.fill)
            if not paths.may_record(family, done):
                break
            paths.path(family, done, out)
        path = family.paths[at]
        at += 1
        code = paths.code(family, path)
        if code is None:
            break
        paths.last = path
        seen = rows if everywhere or len(left) == rows.count else rows.take(left)
        inputs = paths.inputs(path, shared)
        found, added, held = code.run(inputs, seen, paths.settings.options)
        if held is None:
            held = np.ones(seen.count, dtype=bool)
        mine = held[left] if seen is rows else held
        if mine.any():  # else two threads have recorded the same path
            path.calls += 1
            if path.calls >= path.check_at:
                _compare_one(paths, family, path, call, left[mine])
        if seen is rows and held.all():
            yield _Part(np.arange(rows.count), found, added, path.out)
            return
        if mine.any():
            yield _Part(left[mine], found[:, held], added, path.out)
        left = left[~mine]
    if len(left):
        yield from _eager_parts(paths, family, call, sums, known, left)


def _eager_parts(
    paths: Paths,
    family: Family,
    call: Call,
    sums: Any,
    known: dict[int, tuple[Trace, Form]],
    left: Any,
) -> Iterator[_Part]:
    """Yield what the rows `left` give without code, path by path, added up as code would."""
    assert call.rows is not None
    n = call.rows.count
    found: dict[Any, tuple[list[int], list[Array], Form]] = {}
    for row in left.tolist():
        # A row that was recorded already is not run again: a function with a state would notice.
        done, out = known.get(row) or record(paths, family, call.numbers(row), call.fill)
        paths.same_shape(family, out)
        which, values, _ = found.setdefault((done.program, out.key), ([], [], out))
        which.append(row)
        values.append(np.array(done.values))
    for which, values, out in found.values():
        matrix = np.array(values).T
        yield _Part(np.array(which), matrix[~sums], _lane_sums(which, matrix[sums], n), out)


def _compare_one(paths: Paths, family: Family, path: Path, call: Call, which: Any) -> None:
    """Compare what a path gives for one of its rows with what the function gives there."""
    assert call.rows is not None
    row = int(which[_chance.randrange(len(which))])
    found, added, _ = path.code.run(
        paths.inputs(path, call.shared), call.rows.take([row]), Options(paths.settings.options.fast)
    )
    rest, whole = iter(found[:, 0].tolist()), iter(added[0].tolist())
    results = [next(whole) if summed else next(rest) for summed in path.code.sums]
    compare(paths, family, path, call, call.numbers(row), results)


def _with_statics(paths: Paths, out: Form, parts: list[tuple[Any, Form]], n: int) -> Form:
    """Return the form of results whose static leaves may differ from row to row: booleans and
    whole numbers are one entry per row, others are if they differ."""
    columns: list[Any] = []
    for k, first in enumerate(out.statics):
        leaves = [(rows, form.statics[k]) for rows, form in parts]
        differ = any(static_key(leaf) != static_key(leaves[0][1]) for _, leaf in leaves)
        if paths.settings.reduce is not None and differ:
            raise ValueError(
                f"{paths!r} returns {first!r} for some rows and another for others, which "
                f"reduce={paths.settings.reduce!r} can't add up; return a float"
            )
        many = isinstance(first, (bool, int, np.bool_, np.integer))
        if paths.settings.reduce is not None or not (differ or many):
            columns.append(first)
            continue
        kinds = {type(leaf) for _, leaf in leaves} or {type(first)}
        column = np.empty(n, dtype=kinds.pop() if many and len(kinds) == 1 else object)
        for rows, leaf in leaves:
            for row in rows:
                column[row] = leaf
        columns.append(column)
    return out.with_statics(columns)


def _lane_sums(which: list[int], terms: Array, n: int) -> Array:
    """Return the sums of `terms` over the rows `which`, one row per block, in the order of machine
    code: an incomplete group of lanes first, then group by group; at last lane after lane."""
    lanes = np.zeros((-(-n // BLOCK), LANES, len(terms)), terms.dtype)
    whole = n - n % LANES
    first = [i for i, row in enumerate(which) if row >= whole]
    with np.errstate(all="ignore"):
        for i in [*first, *range(len(which) - len(first))]:
            lanes[which[i] // BLOCK, which[i] % LANES] += terms[:, i]
        return np.array([sum(block, np.zeros(len(terms))) for block in lanes])


def lane_sum(column: Any) -> Any:
    """Return the sum of the entries of an array of objects, in the order of machine code."""
    n = len(column)
    blocks = _lane_sums(list(range(n)), column.reshape(n, -1).T, n)
    added = sum(blocks, np.zeros(blocks.shape[1])).reshape(column.shape[1:])
    return added.item() if added.shape == () else added


def _assemble(paths: Paths, sums: Any, columns: Array, added: Array, n: int) -> Any:
    if paths.settings.reduce == "mean":
        added = added / n if n else np.full(len(added), np.nan)
    if not len(columns):
        return added
    if paths.settings.reduce == "mean":
        columns = columns / max(n, 1)
    rest, whole = iter(columns), iter(added)
    return [next(whole) if summed else next(rest) for summed in sums]
