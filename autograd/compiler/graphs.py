"""A kernel inside another graph: as one node for each result, or written out where that graph is
itself being compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._structure import _flatten, _unflatten
from .._watch import nested, watch
from ..arrays import ValueArray
from ..derivatives import fresh_input
from .arguments import Call
from .check import compare, record
from .compose import Block
from .families import Family
from .forms import Form
from .paths import Paths
from .rows import lane_sum
from .trace import numbers_of


def depends(family: Family, call: Call, paths: Paths) -> bool:
    """Say whether a call's results may depend on nodes of a graph that is being recorded."""
    if call.graph:
        return True
    if not watch.nested:
        return False
    inside = watch.inside()
    if inside and call.rows is None and not family.paths:
        return True
    seen = [paths.fingerprint.values, *map(paths.captured, family.paths)]
    if inside:
        return any(map(_inner, seen))
    # In another thread only what belongs to a call under way there is no constant.
    levels = watch.levels()
    return any(value._level in levels for captured in seen for value in captured)


def _inner(captured: Sequence[Any]) -> bool:
    """Say whether one of these depends on an input of a derivative call."""
    return any(value._level > 0 for value in captured)


def as_nodes(paths: Paths, family: Family, call: Call) -> tuple[list[Any], Form]:
    """Return the results as nodes with exact partials, and their form."""
    values = call.values
    numbers = numbers_of(values)

    def nodes(block: Block, captured: list[Any]) -> list[Any] | None:
        depend = call.graph or _inner(captured)
        return block.nodes([*values, *[v if depend else v._data for v in captured]])

    if paths.unsteady or family.eager or not all(p.raw.standard for p in family.paths):
        return as_graph(paths, family, call)
    for path in family.paths:
        found = nodes(path.block, paths.captured(path))
        if found is not None:
            paths.last = path
            path.calls += 1
            if path.calls >= path.check_at:
                compare(paths, family, path, call, numbers, numbers_of(found))
            return found, path.out
    done, out = record(paths, family, numbers, call.fill)
    if not done.program.standard:  # a user's primitive has rules only as an object
        family.eager = True
        return as_graph(paths, family, call)
    block = Block(done.program, paths.name)
    if paths.may_record(family, done):
        paths.last = paths.path(family, done, out)
        block = paths.last.block
    found = nodes(block, done.captured)
    assert found is not None
    return found, out


def as_graph(paths: Paths, family: Family, call: Call) -> tuple[list[Any], Form]:
    """Return the results as the function itself makes them, and their form."""
    if paths.settings.leaves:
        raise TypeError(f"{paths!r} has leaves, so it can't be written out inside another graph")
    with nested() as level:
        values = [fresh_input(x, level) for x in call.values]
        if paths.f is not None:
            return paths.outputs(family, paths.call(*call.fill(values)), values, level)
        for path in family.paths:
            captured = paths.captured(path)
            if path.code.program.evaluate(numbers_of([*values, *captured]))[1]:
                return path.raw.apply([*values, *captured]), path.out
        return paths.outputs(family, paths.call([], {}), values, level)  # says that there is none


def by_rows(
    kernel: Callable[..., Any],
    args: tuple[Any, ...],
    axes: tuple[int | None, ...],
    reduce: str | None,
) -> Any:
    """Return what `kernel`, which takes one row, gives for rows with `Value`s in them: object
    arrays with one entry per row, or their sum or mean in the order of the lanes."""
    columns = [_rows_of(x, axis) for x, axis in zip(args, axes, strict=True) if axis is not None]
    count = len(columns[0])
    if any(len(column) != count for column in columns):
        raise ValueError(f"arguments with rows have {[*map(len, columns)]} of them")
    found: list[Any] = []
    for i in range(count):
        own = iter(columns)
        row = [x if axis is None else next(own)[i] for x, axis in zip(args, axes, strict=True)]
        found.append(kernel(*row))
    if not found:
        raise ValueError("no rows: what a kernel returns inside another graph is not known then")
    leaves = [_flatten(out)[0] for out in found]
    tree = _flatten(found[0])[1]
    results: list[Any] = []
    for column in zip(*leaves, strict=True):
        stacked = np.empty((count, *np.shape(column[0])), dtype=object).view(ValueArray)
        for i, x in enumerate(column):
            stacked[i] = x
        if reduce is not None:
            total = lane_sum(stacked)
            results.append(total / count if reduce == "mean" else total)
        else:
            results.append(stacked)
    return _unflatten(tree, results)


def _rows_of(x: Any, axis: int) -> list[Any]:
    """Return an argument row by row."""
    if isinstance(x, list):
        return x
    leaves, tree = _flatten(x)
    for leaf in leaves:
        if not isinstance(leaf, np.ndarray) or not -leaf.ndim <= axis < leaf.ndim:
            raise TypeError(
                f"an argument is mapped over rows (in_axes={axis}) but holds {leaf!r}, which has "
                "no such axis; pass an array (numpy.array of the Values)"
            )
    moved = [np.moveaxis(leaf, axis, 0) for leaf in leaves]
    return [_unflatten(tree, [leaf[i] for leaf in moved]) for i in range(len(moved[0]))]
