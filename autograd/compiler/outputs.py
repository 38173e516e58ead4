"""What a function returned, as numbers; and their derivatives, as graph for a recording, or as
floats for a check. Both form their sums in the same order, so their bits agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Literal

import numpy as np

from .._graph import order_of
from .._opaque import hidden
from .._primitive import Node, as_float, is_number
from .._structure import _flatten, _unflatten, brief, is_container, is_flag
from .._sweep import cotangents, pull_graph, push_graph, tangents
from .._watch import nested
from .forms import Form
from .trace import gradient, numbers_of

Mode = Literal["value", "value_and_grad", "jacobian", "hessian"]

_writing_out: Final[ContextVar[bool]] = ContextVar("writing_out", default=False)


@contextmanager
def kernels_written_out() -> Iterator[None]:
    """Let kernels inside a graph be written out rather than be one node, whose derivatives have
    other last bits."""
    token = _writing_out.set(True)
    try:
        yield
    finally:
        _writing_out.reset(token)


def are_kernels_written_out() -> bool:
    """Say whether this is within `kernels_written_out`."""
    return _writing_out.get()


def taken_apart(out: Any, mode: Mode, name: str) -> tuple[list[Any], Form]:
    """Return the numbers of what the function called `name` returned, and their form.

    Raises:
        TypeError: there is no number in it, or more than `mode` takes.
    """
    where = f"the result of {name}"
    if mode != "value" or not (is_container(out) or isinstance(out, np.ndarray)):
        out = _floats(out, where)
    for leaf in _flatten(out)[0]:
        array = isinstance(leaf, np.ndarray)
        why = hidden(leaf) if array or (mode != "value" and not isinstance(leaf, Node)) else None
        if why is not None:
            raise TypeError(f"{where} holds {brief(leaf)}, which {why}")
    numbers = _numbers_of(out)
    form = Form(_plain(out), where)
    if mode in ("value_and_grad", "hessian") and (len(numbers) != 1 or not form.single):
        raise TypeError(
            f"{mode} needs a scalar output, but {name} returned {out!r}; "
            "for several outputs use jacobian"
        )
    return numbers, form


def as_graph(mode: Mode, numbers: list[Any], wrt: list[Any], level: int) -> list[Any]:
    """Return what `mode` asks for, `Value`s or floats."""
    if mode == "value":
        return numbers
    if mode == "jacobian":
        return _jacobian(numbers, wrt, level, gradient, push_graph)
    root = numbers[0]
    if mode == "value_and_grad":
        return [root, *gradient(root, wrt, level)]
    return [g for x in _slopes(root, wrt, level) for g in gradient(x, wrt, level)]


def as_floats(mode: Mode, numbers: list[Any], wrt: list[Any], level: int) -> list[float]:
    """Return the same as floats; nobody's `.grad` changes."""
    values = numbers_of(numbers)
    if mode == "value":
        return values
    roots = [x for x in numbers if isinstance(x, Node)]
    # Below the level of a derivative call, sweeps write to nodes that others hold.
    kept = [(node, node._grad) for node in order_of(roots + wrt)] if level == 0 else []
    try:
        if mode == "value_and_grad":
            return [*values, *_row(numbers[0], wrt, level)]
        if mode == "hessian":
            with nested():
                slopes = _slopes(numbers[0], wrt, level)
            return [g for x in slopes for g in _row(x, wrt, level)]
        return _jacobian(numbers, wrt, level, _row, tangents)
    finally:
        for node, grad in kept:
            node._grad = grad


def _row(root: Any, wrt: list[Any], level: int) -> list[float]:
    if not isinstance(root, Node):
        return [0.0] * len(wrt)
    return cotangents([root], [1.0], wrt, level)


def _slopes(root: Any, wrt: list[Any], level: int) -> list[Any]:
    """Return the gradient of `root` as graph."""
    if not isinstance(root, Node):
        return [0.0] * len(wrt)
    return pull_graph([root], [1.0], wrt, level)


def _jacobian(
    outputs: list[Any],
    wrt: list[Any],
    level: int,
    row: Callable[[Any, list[Any], int], list[Any]],
    along: Callable[[list[Any], list[Any], list[Any], int], list[Any]],
) -> list[Any]:
    """Return all outputs by all inputs, row by row, in the mode that `autograd.jacobian` takes:
    by a `row` for each output, or `along` each input."""
    if len(wrt) >= len(outputs):
        return [g for y in outputs for g in row(y, wrt, level)]
    nodes = [y for y in outputs if isinstance(y, Node)]
    columns: list[list[Any]] = []
    for i in range(len(wrt)):
        found = iter(along(nodes, wrt, [float(i == j) for j in range(len(wrt))], level))
        columns.append([next(found) if isinstance(y, Node) else 0.0 for y in outputs])
    return [column[j] for j in range(len(outputs)) for column in columns]


# ------------------------------------------------------------------------- what was returned


def _numbers_of(out: Any) -> list[Any]:
    """Return the numbers of an output, `Value`s and floats, in order."""
    numbers: list[Any] = []
    for leaf in _flatten(out)[0]:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fO":
            numbers += [
                x if isinstance(x, Node) else as_float(x, "an entry of the result")
                for x in leaf.ravel().tolist()
            ]
        elif isinstance(leaf, (Node, float, np.floating)):
            numbers.append(leaf if isinstance(leaf, Node) else float(leaf))
    return numbers


def _plain(out: Any) -> Any:
    """Return an output with 0.0 for each `Value`, to take its form from.

    Raises:
        TypeError: there is no number in it.
    """

    def plain(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fO":
            return np.zeros(leaf.shape)
        return 0.0 if isinstance(leaf, (Node, float, np.floating)) else leaf

    leaves, tree = _flatten(out)
    found = [plain(leaf) for leaf in leaves]
    if tree is None and not (
        isinstance(found[0], float)
        or (isinstance(found[0], np.ndarray) and found[0].dtype.kind == "f")
    ):
        raise TypeError(f"a compiled function must return numbers (floats or Values), not {out!r}")
    return _unflatten(tree, found)


def _floats(out: Any, where: str) -> Any:
    """Return an output with floats in the place of whole numbers, whose derivatives are zero."""

    def as_floats(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return leaf.astype(np.float64) if leaf.dtype.kind in "iu" else leaf
        return as_float(leaf, where) if is_number(leaf) and not is_flag(leaf) else leaf

    leaves, tree = _flatten(out)
    return _unflatten(tree, [as_floats(leaf) for leaf in leaves])
