"""NumPy's and SciPy's ufuncs on cells: which primitive of ours each one is, and how it is applied.

Found by the names and aliases of the rows, never listed a second time. Cells are `Value`s and
floats in plain object arrays; this module does not know the class of arrays around them.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import _rules
from .._primitive import Node, Primitive
from .._value import Value
from ._scalars import ANSWERS, COMPOSED

WAYS_OUT: Final = (
    "write it with functions that docs/arrays.md lists, give it a derivative of your own "
    "(autograd.custom_partials), or leave the graph on purpose ([v.data for v in x.flat])"
)

# NumPy's and SciPy's spellings that are no name of a row. Their `remainder` is Python's `%`, not
# that of `math`.
_SPELLINGS: Final = {
    "expit": "sigmoid",
    "floor_divide": "floordiv",
    "gammaln": "lgamma",
    "log_expit": "log_sigmoid",
    "power": "pow",
    "psi": "digamma",
    "remainder": "mod",
}
# Called like rows that we have or may have, but with other arguments.
_NAMESAKES: Final = frozenset(
    {"scipy.special.huber", "scipy.special.kl_div", "scipy.special.pseudo_huber"}
)
# Python's own operators do these right, number by number, and NumPy calls them fastest.
_NATIVE: Final = frozenset(
    {"absolute", "add", "matmul", "matvec", "multiply", "negative", "subtract", "vecmat"}
)


@functools.cache
def rows() -> dict[str, Primitive]:
    """Return our rows by all their names."""
    found = [row for row in vars(_rules).values() if isinstance(row, Primitive)]
    return {name: row for row in found for name in (row.name, *row.aliases)}


def _takes(row: Primitive, count: int) -> bool:
    return row.arity - len(row.defaults) <= count <= row.arity


@dataclass(frozen=True)
class Cells:
    """How one ufunc runs on cells.

    Attributes:
        name: what messages call it.
        run: the ufunc that does it, over plain object arrays.
        answers: whether it answers yes or no.
        careful: the same for cells at which `run` raises ZeroDivisionError, if there are any.
    """

    name: str
    run: Any
    answers: bool = False
    careful: Any = None


def _full_name(ufunc: Any) -> str:
    """Return "numpy.exp" for NumPy's, likewise for scipy.special; "" for anybody else's."""
    name: str = ufunc.__name__
    if getattr(np, name, None) is ufunc or name == "clip":  # numpy.clip is a function around it
        return f"numpy.{name}"
    if getattr(sys.modules.get("scipy.special"), name, None) is ufunc:
        return f"scipy.special.{name}"
    return ""


@functools.cache
def cells_of(ufunc: Any) -> Cells:
    """Return how `ufunc` runs on cells.

    Raises:
        TypeError: no row of ours is it.
    """
    full, name = _full_name(ufunc), ufunc.__name__
    if not full:
        if all(set(kinds) <= set("O->") for kinds in ufunc.types):
            return Cells(name, ufunc)  # made by numpy.frompyfunc: Python's own calls
        raise TypeError(
            f"{name} is a ufunc of neither numpy nor scipy.special, so its derivative is not known "
            f"here; {WAYS_OUT}"
        )
    if name in _NATIVE:
        return Cells(full, ufunc)
    if name in ANSWERS:
        return Cells(full, np.frompyfunc(ANSWERS[name], ufunc.nin, 1), answers=True)
    if name == "divide":
        return Cells(full, ufunc, careful=np.frompyfunc(_rules.div, 2, 1))
    run: Callable[..., Any] | None = rows().get(_SPELLINGS.get(name, name))
    if name == "divmod" and {"floordiv", "mod"} <= rows().keys():
        floordiv, mod = rows()["floordiv"], rows()["mod"]

        def run(x: Any, y: Any) -> tuple[Any, Any]:
            return floordiv(x, y), mod(x, y)

    if full in _NAMESAKES or (isinstance(run, Primitive) and not _takes(run, ufunc.nin)):
        run = None
    run = run or COMPOSED.get(name)
    if run is None:
        raise TypeError(f"{full} has no derivative here; {WAYS_OUT}")
    return Cells(full, np.frompyfunc(run, ufunc.nin, ufunc.nout))


_PYTHONS: Final[dict[Any, Callable[[Any, Any], Any]]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
}


def on_scalars(ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """Return what a ufunc of two numbers gives, one of them a `Value`; NotImplemented if that takes
    the longer way. Here because numpy.float64 asks the ufunc at each `x * v`."""
    run = _PYTHONS.get(ufunc)
    if run is None:
        return NotImplemented
    x, y = inputs
    x = float(x) if isinstance(x, np.floating) else x
    if isinstance(x, (Node, float)) and isinstance(y, (Node, float)):
        return run(x, y)
    return NotImplemented


# Without a look at options and spellings, which would cost small arrays more than the arithmetic.
_FAST: Final = frozenset({np.add, np.subtract, np.multiply, np.negative, np.matmul})


def arithmetic(ufunc: Any, inputs: list[Any]) -> Any:
    """Return what Python's own operators give for plain arrays of cells or floats and for floats;
    NotImplemented for anything else."""
    values = ufunc is np.power and {*map(type, _listed(inputs[0]))} == {Value}
    if not values and ufunc not in _FAST:
        return NotImplemented
    for x in inputs:
        if type(x) not in (float, int) and (type(x) is not np.ndarray or x.dtype.kind not in "Of"):
            return NotImplemented
    with np.errstate(all="ignore"):
        return ufunc(*inputs)


def total(x: Any, options: dict[str, Any]) -> Any:
    """Return a sum of cells, which needs no look at spellings either."""
    with np.errstate(all="ignore"):
        return np.add.reduce(x, **options)


def _listed(x: Any) -> list[Any]:
    return x.ravel().tolist() if type(x) is np.ndarray and x.dtype.kind == "O" else [x]


def apply(ufunc: Any, method: str, inputs: list[Any], options: dict[str, Any]) -> Any:
    """Return what a ufunc, or its method, gives for these inputs: plain arrays, `Value`s, numbers.

    Raises:
        TypeError: there is no derivative of it, or an option of NumPy's would lose `Value`s.
    """
    if ufunc.__name__ in ("vecdot", "vecmat"):  # NumPy's would look for complex numbers
        x, y = [plain(x, f"numpy.{ufunc.__name__}") for x in inputs]
        if ufunc.__name__ == "vecmat":
            return apply(np.matmul, method, [x[..., None, :], y], options)[..., 0, :]
        axis = options.pop("axis", -1)
        x, y = np.moveaxis(x, axis, -1)[..., None, :], np.moveaxis(y, axis, -1)[..., :, None]
        return apply(np.matmul, method, [x, y], options)[..., 0, 0]
    cells = cells_of(ufunc)
    options = {key: x for key, x in options.items() if key not in ("casting", "order", "subok")}
    dtype = options.pop("dtype", None)
    wanted = (None, object, bool) if cells.answers else (None, object)
    if dtype not in wanted or "signature" in options or "sig" in options:
        raise TypeError(
            f"{cells.name}: arrays of Values have no dtype but object, so it takes no dtype="
            f"{dtype!r} here; leave the option out"
        )
    out = options.pop("out", None)
    out = out if out is None or isinstance(out, tuple) else (out,)
    kinds = "Ob" if cells.answers else "O"
    for x in out or ():
        if x is not None and x.dtype.kind not in kinds:
            raise TypeError(
                f"{cells.name} would write Values into an array of dtype {x.dtype}, which holds "
                "plain numbers only; write x = x + y instead of x += y, or make the array with "
                "dtype=object (numpy.zeros_like(v) of an array of Values does)"
            )
    if options.get("where", True) is True:
        options.pop("where", None)
    elif method == "__call__" and out is None:
        raise TypeError(
            f"{cells.name} with where= leaves cells without a number; choose with "
            "numpy.where(condition, x, y), or give out="
        )
    inputs = [plain(x, cells.name) for x in inputs] if method != "at" else inputs
    if cells.answers:
        found = _answers(ufunc, cells, method, inputs, options)
        if out is None:
            return found
        np.copyto(out[0], found, where=options.get("where", True))
        return out[0]
    if out is not None:
        options["out"] = out
    if method in ("reduce", "accumulate", "reduceat") and inputs[0].dtype.kind != "O":
        raise TypeError(f"{cells.name}.{method}: index arrays can't be Values")
    if method == "reduce":
        with np.errstate(all="ignore"):
            return _reduce(ufunc, cells, inputs[0], *inputs[1:], **options)
    with np.errstate(all="ignore"):  # infinities and nan travel on without a word, as in Value
        try:
            return getattr(cells.run, method)(*inputs, **options)
        except ZeroDivisionError:
            if cells.careful is None:
                raise
            return getattr(cells.careful, method)(*inputs, **options)


def plain(x: Any, name: str) -> Any:
    """Return an input of a ufunc as an array of cells; plain numbers become floats."""
    if isinstance(x, float):
        return x
    array = np.asarray(x)
    if array.dtype.kind == "O":
        return array
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name}: an array of dtype {array.dtype} does not go with Values, which are real "
            "numbers; convert it with .astype(float)"
        )
    return array.astype(np.float64)


def _answers(
    ufunc: Any, cells: Cells, method: str, inputs: list[Any], options: dict[str, Any]
) -> Any:
    """Return bools: from comparing cells, or from combining the truth of cells."""
    if method == "__call__":
        with np.errstate(all="ignore"):
            return np.asarray(cells.run(*inputs), dtype=bool)[()]
    if method == "outer":
        return np.asarray(cells.run.outer(*inputs), dtype=bool)
    if not ufunc.__name__.startswith("logical_"):
        raise TypeError(f"{cells.name}.{method} has no meaning for Values; compare them directly")
    inputs[0] = np.asarray(np.frompyfunc(bool, 1, 1)(inputs[0]), dtype=bool)
    return getattr(ufunc, method)(*inputs, **options)


def _reduce(
    ufunc: Any,
    cells: Cells,
    x: Any,
    axis: Any = 0,
    *,
    keepdims: bool = False,
    out: Any = None,
    **options: Any,
) -> Any:
    """Return a reduction along one axis, several, or all (None), one cell after the other."""
    found: Any
    if cells.run is ufunc:  # NumPy reduces by the operator itself
        found = _first_careful(cells, x, axis=axis, keepdims=keepdims, **options)
    else:
        axes = axes_of(x, axis)
        kept = [n for n in range(x.ndim) if n not in axes]
        flat = x.transpose(*kept, *axes)
        flat = flat.reshape(*flat.shape[: len(kept)], -1)
        where = options.pop("where", None)
        if where is not None:
            where = np.broadcast_to(where, x.shape).transpose(*kept, *axes)
            options["where"] = where.reshape(flat.shape)
        if not flat.shape[-1] and "initial" not in options:
            raise ValueError(
                f"zero-size array to reduction operation {ufunc.__name__} which has no identity"
            )
        found = cells.run.reduce(flat, axis=-1, **options)
        if keepdims:
            shape = [1 if n in axes else size for n, size in enumerate(x.shape)]
            found = _cell_array(found).reshape(shape)
    if out is None or out[0] is None:
        return found
    out[0][...] = found
    return out[0]


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """Return the axes that NumPy's `axis` means: one, several, or all of them (None), from 0."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for n in axes:
        if not -x.ndim <= n < x.ndim:
            raise np.exceptions.AxisError(n, x.ndim)
    return tuple(sorted({n % x.ndim for n in axes}))


def _first_careful(cells: Cells, x: Any, **options: Any) -> Any:
    try:
        return cells.run.reduce(x, **options)
    except ZeroDivisionError:
        if cells.careful is None:
            raise
        return cells.careful.reduce(x, **options)


def _cell_array(x: Any) -> Any:
    """Return `x`, an array or one cell, as an array."""
    if isinstance(x, np.ndarray):
        return x
    array = np.empty((), dtype=object)
    array[()] = x
    return array
