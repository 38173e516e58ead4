"""Results over rows: each row goes to the path whose guards hold there; sums have the same bits
whatever was recorded before, and however many threads or machines share the rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._execute import BLOCK, total
from .arguments import Array, Call, Form
from .native import LANES
from .paths import Family, Paths


@dataclass
class _Part:
    """What one path found: the rows it is for, their columns, and its sums, one row per block."""

    rows: Any
    columns: Array
    sums: Array


def over_rows(paths: Paths, family: Family, call: Call) -> tuple[Any, Form]:
    """Return the results, one entry per output (a sum, or an array over rows), and their form."""
    assert call.rows is not None
    n = call.rows.count
    if not family.paths and not family.eager:
        numbers = call.numbers(0) if n else [1.0] * len(family.mapped)
        done, out = paths.record(family, numbers, call.fill)
        paths.path(family, done, out)
    started = time.perf_counter()
    sums = family.paths[0].code.sums
    columns: Array = np.empty((int((~sums).sum()), n))
    parts: list[tuple[int, int, Array]] = []  # (block, first row, sums)
    for part in _parts(paths, family, call, sums):
        if len(part.rows) == n:  # every row, whatever paths before it found
            columns, parts = part.columns, []
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
    for block, _, part_sums in parts:
        added[block] += part_sums
    results = _assemble(paths, sums, columns, total(added), n)
    if n:
        paths.costs.run_seconds = (time.perf_counter() - started) / n
    return results, family.paths[0].out


def _parts(paths: Paths, family: Family, call: Call, sums: Any) -> Iterator[_Part]:
    """Yield what each path finds, until there is no row left without a result.

    A path that adds up sees all rows, because a row's place decides which others it is added to;
    else it sees only those that are left.
    """
    rows, shared = call.rows, call.shared
    assert rows is not None
    left: Any = np.arange(rows.count)
    everywhere = bool(sums.any())
    at = 0
    while len(left):
        if at == len(family.paths):
            done, out = paths.record(family, call.numbers(int(left[0])), call.fill)
            if not paths.may_record(family, done.branch):
                break
            paths.path(family, done, out)
        path = family.paths[at]
        at += 1
        code = paths.code(family, path)
        if code is None:
            break
        paths.last = path
        seen = rows if everywhere or len(left) == rows.count else rows.take(left)
        inputs = np.concatenate([shared, path.extra()]) if path.captured else shared
        found, added, held = code.run(inputs, seen, paths.settings.options)
        if held is None:
            held = np.ones(seen.count, dtype=bool)
        if seen is rows and held.all():
            yield _Part(np.arange(rows.count), found, added)
            return
        mine = held[left] if seen is rows else held
        if mine.any():  # else two threads have recorded the same path
            yield _Part(left[mine], found[:, held], added)
        left = left[~mine]
    if len(left):
        yield from _eager_parts(paths, family, call, sums, left)


def _eager_parts(paths: Paths, family: Family, call: Call, sums: Any, left: Any) -> Iterator[_Part]:
    """Yield what the rows `left` give without code, path by path, added up as code would."""
    assert call.rows is not None
    n = call.rows.count
    found: dict[Any, tuple[list[int], list[Array]]] = {}
    for row in left.tolist():
        done, _ = paths.record(family, call.numbers(row), call.fill)
        which, values = found.setdefault(done.program, ([], []))
        which.append(row)
        values.append(np.array(done.values))
    for which, values in found.values():
        matrix = np.array(values).T
        yield _Part(np.array(which), matrix[~sums], _lane_sums(which, matrix[sums], n))


def _lane_sums(which: list[int], terms: Array, n: int) -> Array:
    """Return the sums of `terms` over the rows `which`, one row per block, in the order of machine
    code: an incomplete group of lanes first, then group by group; at last lane after lane."""
    lanes = np.zeros((-(-n // BLOCK), LANES, len(terms)))
    whole = n - n % LANES
    first = [i for i, row in enumerate(which) if row >= whole]
    for i in [*first, *range(len(which) - len(first))]:
        lanes[which[i] // BLOCK, which[i] % LANES] += terms[:, i]
    return np.array([total(block) for block in lanes])


def _assemble(paths: Paths, sums: Any, columns: Array, added: Array, n: int) -> Any:
    if paths.settings.reduce == "mean":
        added = added / n if n else np.full(len(added), np.nan)
    if not len(columns):
        return added
    if paths.settings.reduce == "mean":
        columns = columns / max(n, 1)
    rest, whole = iter(columns), iter(added)
    return [next(whole) if summed else next(rest) for summed in sums]
