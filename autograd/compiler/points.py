"""Results at one point: the path whose guards hold there, or a new one."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ._execute import Point
from .arguments import Call
from .check import compare, record
from .families import Family, Path
from .forms import Array, Form
from .paths import Paths


def at_point(paths: Paths, family: Family, call: Call, eager: bool) -> tuple[Any, Form]:
    """Return the numbers of the results, and their form; by the function itself if `eager`."""
    shared = call.shared
    for path in family.paths if not eager else ():
        if paths.code(family, path) is None:
            eager = True
            break
        found = _try(paths, family, path, shared)
        if found is not None:
            path.calls += 1
            if path.calls >= path.check_at:
                compare(paths, family, path, call, shared.tolist(), found.tolist())
            return found, path.out
    done, out = record(paths, family, shared.tolist(), call.fill)
    # What recording computed is the result: the first call needs no code at all.
    if not eager and paths.may_record(family, done):
        paths.last = paths.path(family, done, out)
    return np.array(done.values), out


def _try(paths: Paths, family: Family, path: Path, shared: Array) -> Array | None:
    """Return the results by this path, None if its guards do not hold."""
    try:
        point = path.points.pop()
    except IndexError:
        form = family.forms[0] if family.forms else None
        point = Point(path.code, None if form is None else form.shape)
    point.inputs[: path.code.program.inputs] = paths.inputs(path, shared)
    started = time.perf_counter()
    held = point.run()
    paths.costs.run_seconds = time.perf_counter() - started
    found = point.results.copy() if held else None
    path.points.append(point)
    if held:
        paths.last = path
    return found
