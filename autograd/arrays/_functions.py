"""NumPy's functions that move cells about, or are made of its ufuncs, and the few that need words
of their own. A test walks all of NumPy and holds each to its run on floats.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from .._primitive import Node
from .._rules import where as where_row
from ._array import ValueArray, as_cells, name_of, refused, wrapped
from ._scalars import is_infinite, is_nan, sinc

# These look at cells only as objects, or add and multiply them: NumPy runs on plain object arrays.
_PLAIN: Final = [
    "append",
    "array2string",
    "array_repr",
    "array_split",
    "array_str",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block",
    "broadcast_arrays",
    "broadcast_to",
    "can_cast",
    "choose",
    "column_stack",
    "compress",
    "concat",
    "concatenate",
    "convolve",
    "copy",
    "correlate",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "delete",
    "diag",
    "diagflat",
    "diagonal",
    "dot",
    "dsplit",
    "dstack",
    "einsum",
    "einsum_path",
    "expand_dims",
    "extract",
    "flatnonzero",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "inner",
    "insert",
    "iscomplexobj",
    "isrealobj",
    "kron",
    "matrix_transpose",
    "may_share_memory",
    "meshgrid",
    "moveaxis",
    "ndim",
    "nonzero",
    "outer",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "resize",
    "result_type",
    "roll",
    "rollaxis",
    "rot90",
    "shape",
    "shares_memory",
    "size",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "take_along_axis",
    "tensordot",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "unstack",
    "vsplit",
    "vstack",
]
# These are written with NumPy's ufuncs and with what is in these tables: its own text runs.
_OWN_TEXT: Final = [
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "apply_along_axis",
    "apply_over_axes",
    "argwhere",
    "array_equal",
    "array_equiv",
    "clip",
    "cross",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "ediff1d",
    "fix",
    "isclose",
    "isneginf",
    "isposinf",
    "max",
    "mean",
    "min",
    "nancumprod",
    "nancumsum",
    "nanmean",
    "nanprod",
    "nansum",
    "pad",
    "piecewise",
    "polyadd",
    "polyder",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "prod",
    "ptp",
    "real",
    "real_if_close",
    "sum",
    "trapezoid",
    "trapz",
    "trim_zeros",
    "unwrap",
    "vander",
]
# These write into their first argument, which must be able to hold Values.
_WRITE: Final = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"]


def _unwrapped(x: Any) -> Any:
    """Return arguments with plain arrays in the place of ours."""
    if type(x) is ValueArray:
        return x.view(np.ndarray)
    if type(x) in (list, tuple):
        return type(x)([_unwrapped(entry) for entry in x])
    return x


def plainly(func: Any) -> Callable[..., Any]:
    """Return NumPy's `func` as it runs on plain object arrays, its results as ours."""

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        options = {key: _unwrapped(x) for key, x in kwargs.items()}
        # Not `func` itself, which would ask a Value among its arguments once more.
        return wrapped(func._implementation(*_unwrapped(args), **options))

    return run


def by_own_text(func: Any) -> Callable[..., Any]:
    """Return NumPy's `func` as its own Python text runs on our arrays."""

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        return wrapped(func._implementation(*args, **kwargs))

    return run


def _writing(func: Any) -> Callable[..., Any]:
    run = plainly(func)

    @functools.wraps(func)
    def write(target: Any, *args: Any, **kwargs: Any) -> Any:
        if target.dtype.kind != "O" and any(map(_has_values, (*args, *kwargs.values()))):
            raise TypeError(
                f"{name_of(func)} would write Values into an array of dtype {target.dtype}, which "
                "holds plain numbers only; make it with dtype=object"
            )
        return run(target, *args, **kwargs)

    return write


def _has_values(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind == "O" and any(isinstance(cell, Node) for cell in x.flat)
    return isinstance(x, Node)


def option(func: Any, name: str, given: Any, allowed: Sequence[Any] = (None,)) -> None:
    """Refuse an option of NumPy's `func` that is not understood here."""
    if not any(given is x or (type(given) is type(x) and given == x) for x in allowed):
        raise refused(func, f"does not take {name}={given!r:.60}")


# --------------------------------------------------------------------------------- new arrays


def _full(shape: Any, x: Any) -> ValueArray:
    array = np.empty(shape, dtype=object)
    array[...] = x
    return array.view(ValueArray)


def _like(func: Any, number: float) -> Callable[..., Any]:
    @functools.wraps(func)
    def like(
        a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, **_: Any
    ) -> Any:
        shape = np.shape(a) if shape is None else shape
        return (
            np.full(shape, number, dtype) if dtype not in (None, object) else _full(shape, number)
        )

    return like


def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    **_: Any,
) -> Any:
    option(np.full_like, "dtype", dtype, (None, object))
    return _full(np.shape(a) if shape is None else shape, as_cells(fill_value))


def _made_like(func: Any) -> Callable[..., Any]:
    """Return numpy.zeros, ones, array ... as they are with like= an array of `Value`s."""

    @functools.wraps(func)
    def make(*args: Any, dtype: Any = None, like: Any = None, **kwargs: Any) -> Any:
        if dtype not in (None, object):
            return func(*map(_unwrapped, args), dtype=dtype, **kwargs)
        return as_cells(func(*map(_unwrapped, args), **kwargs))

    return make


def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    **_: Any,
) -> Any:
    option(np.linspace, "dtype", dtype, (None, object))
    start, stop = as_cells(start), as_cells(stop)
    parts = num - 1 if endpoint else num
    step = (stop - start) / float(parts) if parts > 0 else (stop - start) * np.nan
    rows = [start + step * float(i) if i else start + 0.0 * step for i in range(num)]
    if endpoint and num > 1:
        rows[-1] = stop + 0.0 * start
    shape = np.broadcast_shapes(start.shape, stop.shape)
    found = np.empty((num, *shape), dtype=object)
    for i, row in enumerate(rows):
        found[i] = row
    points = np.moveaxis(found, 0, axis).view(ValueArray)
    return (points, step) if retstep else points


# ---------------------------------------------------------------------------------- by pieces

_choose: Final = np.frompyfunc(where_row, 3, 1)


def _where(condition: Any, *choices: Any) -> Any:
    if not choices:
        return np.nonzero(_unwrapped(condition))
    x, y = [as_cells(c).view(np.ndarray) for c in choices]
    if _has_values(condition):  # a Value as condition stays in the graph
        return wrapped(_choose(as_cells(condition).view(np.ndarray), x, y))
    return wrapped(np.where(np.asarray(_unwrapped(condition), dtype=bool), x, y))


def _select(condlist: Any, choicelist: Any, default: Any = 0.0) -> Any:
    found = as_cells(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        found = _where(condition, choice, found)
    return found


def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    most = float(np.finfo(np.float64).max)

    def number(cell: Any) -> Any:
        if is_nan(cell):
            return nan
        if is_infinite(cell):
            if cell > 0.0:
                return most if posinf is None else posinf
            return -most if neginf is None else neginf
        return cell

    cells = as_cells(x)
    found = wrapped(np.frompyfunc(number, 1, 1)(cells.view(np.ndarray)))
    if copy:
        return found
    cells[...] = found
    return cells


def _round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    scale = 10.0 ** abs(decimals)
    x = as_cells(a)
    if decimals == 0:
        return np.rint(x, out=out) if out is not None else np.rint(x)
    found = np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale
    if out is None:
        return found
    out[...] = found
    return out


def _sinc(x: Any) -> Any:
    return wrapped(np.frompyfunc(sinc, 1, 1)(as_cells(x).view(np.ndarray)))


def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    option(np.interp, "period", period)
    places, heights = list(as_cells(xp).flat), list(as_cells(fp).flat)
    if not places or len(places) != len(heights):
        raise ValueError("fp and xp are not of the same length, or there are none")

    def at(point: Any) -> Any:
        if is_nan(point):
            return point * 1.0
        if point < places[0]:
            return heights[0] if left is None else left
        if point > places[-1]:
            return heights[-1] if right is None else right
        low, high = 0, len(places) - 1
        while low < high - 1:
            middle = (low + high) // 2
            if point >= places[middle]:
                low = middle
            else:
                high = middle
        if low == high:
            return heights[0]
        if point == places[high]:  # exactly NumPy's number, and the slope before it
            low, base = high - 1, high
        else:
            base = low
        rise = (heights[high] - heights[low]) / (places[high] - places[low])
        return rise * (point - places[base]) + heights[base]

    return wrapped(np.frompyfunc(at, 1, 1)(as_cells(x).view(np.ndarray)))


# ------------------------------------------------------------------------------- differences


def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    y = as_cells(f)
    option(np.gradient, "edge_order", edge_order, (1, 2))
    axes = range(y.ndim) if axis is None else np.atleast_1d(axis).tolist()
    axes = [a % y.ndim for a in axes]
    spacings = list(varargs) or [1.0]
    spacings = (
        spacings * len(axes) if len(spacings) == 1 and np.ndim(spacings[0]) == 0 else spacings
    )
    if len(spacings) != len(axes):
        raise TypeError("numpy.gradient: one spacing for all axes, or one for each")
    found: list[Any] = []
    for a, spacing in zip(axes, spacings, strict=True):
        if y.shape[a] <= edge_order:
            raise ValueError(
                "numpy.gradient: at least (edge_order + 1) elements are needed along each axis"
            )
        slopes = _slopes(np.moveaxis(y, a, 0), spacing, edge_order)
        found.append(np.moveaxis(slopes, 0, a))
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(y: Any, spacing: Any, edge_order: int) -> Any:
    """Return the slopes along the first axis, as NumPy forms them."""
    n = len(y)
    widths = as_cells(np.diff(as_cells(spacing))) if np.ndim(spacing) else None
    if widths is not None and len(widths) != n - 1:
        raise ValueError("numpy.gradient: as many places as there are entries along the axis")
    h = [spacing] * (n - 1) if widths is None else list(widths)
    even = all(width is spacing or bool(width == h[0]) for width in h)
    rows: list[Any] = []
    for i in range(1, n - 1):
        before, after = h[i - 1], h[i]
        if even:
            rows.append((y[i + 1] - y[i - 1]) / (2.0 * h[0]))
            continue
        rows.append(
            -after / (before * (before + after)) * y[i - 1]
            + (after - before) / (before * after) * y[i]
            + before / (after * (before + after)) * y[i + 1]
        )
    if edge_order == 1:
        first, last = (y[1] - y[0]) / h[0], (y[-1] - y[-2]) / h[-1]
    elif even:
        first = (-1.5 * y[0] + 2.0 * y[1] - 0.5 * y[2]) / h[0]
        last = (0.5 * y[-3] - 2.0 * y[-2] + 1.5 * y[-1]) / h[0]
    else:
        a, b = h[0], h[1]
        first = (
            -(2.0 * a + b) / (a * (a + b)) * y[0]
            + (a + b) / (a * b) * y[1]
            - a / (b * (a + b)) * y[2]
        )
        a, b = h[-2], h[-1]
        last = (
            b / (a * (a + b)) * y[-3]
            - (b + a) / (a * b) * y[-2]
            + (2.0 * b + a) / (b * (a + b)) * y[-1]
        )
    found = np.empty(y.shape, dtype=object)
    for i, row in enumerate([first, *rows, last]):
        found[i] = row
    return found.view(ValueArray)


def _vdot(a: Any, b: Any, /) -> Any:
    return np.dot(np.ravel(as_cells(a)), np.ravel(as_cells(b)))


def _astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return as_cells(x).astype(dtype)


def _without_nan(func: Any, ufunc: Any) -> Callable[..., Any]:
    @functools.wraps(func)
    def run(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Any:
        options = {key: x for key, x in more.items() if x is not np._NoValue}
        return ufunc.reduce(as_cells(a), axis=axis, out=out, keepdims=keepdims is True, **options)

    return run


def _imag(x: Any) -> Any:
    return _full(np.shape(x), 0.0)


def _angle(z: Any, deg: bool = False) -> Any:
    angle = np.arctan2(0.0, as_cells(z))
    return np.degrees(angle) if deg else angle


def _of_reals(answer: bool) -> Callable[..., Any]:
    def all_the_same(x: Any) -> Any:
        return np.full(np.shape(x), answer)

    return all_the_same


def _present(names: Sequence[str]) -> list[Any]:
    """Return the functions of these names that this NumPy has."""
    return [getattr(np, name) for name in names if hasattr(np, name)]


TABLE: Final[dict[Any, Callable[..., Any]]] = {
    **{func: plainly(func) for func in _present(_PLAIN)},
    **{func: by_own_text(func) for func in _present(_OWN_TEXT)},
    **{func: _writing(func) for func in _present(_WRITE)},
    **{
        func: _made_like(func)
        for func in _present(["array", "asarray", "asanyarray", "zeros", "ones", "full"])
    },
    np.zeros_like: _like(np.zeros_like, 0.0),
    np.empty_like: _like(np.empty_like, 0.0),
    np.ones_like: _like(np.ones_like, 1.0),
    np.full_like: _full_like,
    np.linspace: _linspace,
    np.where: _where,
    np.select: _select,
    np.nan_to_num: _nan_to_num,
    np.round: _round,
    np.around: _round,
    np.sinc: _sinc,
    np.interp: _interp,
    np.gradient: _gradient,
    np.imag: _imag,
    np.angle: _angle,
    np.vdot: _vdot,
    np.nanmax: _without_nan(np.nanmax, np.fmax),
    np.nanmin: _without_nan(np.nanmin, np.fmin),
    **dict.fromkeys(_present(["astype"]), _astype),
    np.isreal: _of_reals(True),
    np.iscomplex: _of_reals(False),
}
