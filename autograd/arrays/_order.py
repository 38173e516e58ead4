"""What goes by the order of numbers: sorting, places of extremes, medians and quantiles.

Cells are compared, so whoever watches the graph sees each comparison; nan comes last, as in NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ._array import ValueArray, as_cells
from ._functions import option
from ._scalars import is_nan
from ._ufuncs import axes_of


def _along(run: Callable[[list[Any]], list[Any]], x: Any, axis: Any, dtype: Any) -> Any:
    """Return what `run` makes of each line of cells along `axis` (None: of all of them)."""
    cells = as_cells(x).view(np.ndarray)
    if axis is None:
        cells, axis = cells.ravel(), 0
    moved = np.moveaxis(cells, axis, -1)
    lines = [run(line.tolist()) for line in moved.reshape(-1, moved.shape[-1])]
    width = len(lines[0]) if lines else moved.shape[-1]
    flat = [entry for line in lines for entry in line]
    found = np.fromiter(flat, dtype, len(flat)).reshape(*moved.shape[:-1], width)
    return np.moveaxis(found, -1, axis)


def _ranks(line: list[Any]) -> list[int]:
    """Return the places of cells in rising order; equal ones as they stand, nan last."""
    nans = [is_nan(x) for x in line]
    numbers = [i for i, nan in enumerate(nans) if not nan]
    return [*sorted(numbers, key=line.__getitem__), *[i for i, nan in enumerate(nans) if nan]]


def _sorted(line: list[Any]) -> list[Any]:
    return [line[i] for i in _ranks(line)]


def _sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Any:
    option(np.sort, "order", order)
    return _along(_sorted, a, axis, object).view(ValueArray)


def _argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Any:
    option(np.argsort, "order", order)
    return _along(_ranks, a, axis, np.intp)


def _partition(a: Any, kth: Any, axis: Any = -1, *_: Any, **__: Any) -> Any:
    return _sort(a, axis)


def _argpartition(a: Any, kth: Any, axis: Any = -1, *_: Any, **__: Any) -> Any:
    return _argsort(a, axis)


def _extreme(func: Any, largest: bool, skip_nan: bool) -> Callable[..., Any]:
    def place(line: list[Any]) -> list[int]:
        if not line:
            raise ValueError(f"attempt to get {func.__name__} of an empty sequence")
        nans = [is_nan(x) for x in line]
        if any(nans) and not skip_nan:
            return [nans.index(True)]
        if all(nans):
            raise ValueError("All-NaN slice encountered")
        best = nans.index(False)
        for i in range(best + 1, len(line)):
            if not nans[i] and (line[i] > line[best] if largest else line[i] < line[best]):
                best = i
        return [best]

    @functools.wraps(func)
    def run(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        option(func, "out", out)
        found = _along(place, a, axis, np.intp)
        if axis is None:
            return found.reshape((1,) * np.ndim(a)) if keepdims is True else found[0]
        return found if keepdims is True else np.squeeze(found, axis)

    return run


def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    places = list(as_cells(a).view(np.ndarray).flat)
    if sorter is not None:
        places = [places[i] for i in sorter]

    def place(x: Any) -> int:
        low, high = 0, len(places)
        while low < high:
            middle = (low + high) // 2
            one, other = (places[middle], x) if side == "left" else (x, places[middle])
            less = one < other or (is_nan(other) and not is_nan(one))  # nan comes last
            before = less if side == "left" else not less
            low, high = (middle + 1, high) if before else (low, middle)
        return low

    option(np.searchsorted, "side", side, ("left", "right"))
    return np.asarray(np.frompyfunc(place, 1, 1)(as_cells(v).view(np.ndarray)), dtype=np.intp)[()]


# ---------------------------------------------------------------------------------- quantiles

_METHODS: Final = ("linear", "lower", "higher", "midpoint", "nearest")


def _between(line: list[Any], fraction: float, method: str) -> Any:
    """Return the quantile of sorted numbers, as NumPy interpolates it."""
    place = fraction * (len(line) - 1)
    low = int(np.floor(place))
    high = min(low + 1, len(line) - 1)
    part = place - low
    if method == "nearest":
        return line[int(np.rint(place))]
    if method == "lower" or part == 0.0:
        return line[low]
    if method == "higher":
        return line[high]
    part = 0.5 if method == "midpoint" else part
    rise = line[high] - line[low]
    return line[low] + rise * part if part < 0.5 else line[high] - rise * (1.0 - part)


def _quantiles(func: Any, scale: float, skip_nan: bool) -> Callable[..., Any]:
    @functools.wraps(func)
    def run(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: Any = False,
        method: Any = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
        interpolation: Any = None,
    ) -> Any:
        option(func, "out", out)
        option(func, "weights", weights)
        option(func, "interpolation", interpolation)
        option(func, "method", method, _METHODS)
        wanted = np.asarray(q, dtype=np.float64) / scale
        if not np.all((wanted >= 0.0) & (wanted <= 1.0)):
            raise ValueError(f"{func.__name__}: what is asked for must be within [0, {scale:g}]")

        def quantiles(line: list[Any]) -> list[Any]:
            nans = [x for x in line if is_nan(x)]
            numbers = _sorted([x for x in line if not is_nan(x)]) if nans else _sorted(line)
            if not numbers or (nans and not skip_nan):
                return [nans[0] if nans else float("nan")] * wanted.size
            return [_between(numbers, float(f), method) for f in wanted.flat]

        return _over_axes(quantiles, a, axis, wanted.shape, keepdims)

    return run


def _over_axes(
    run: Callable[[list[Any]], list[Any]], a: Any, axis: Any, front: Any, keepdims: Any
) -> Any:
    """Return the results of `run` on all cells of several axes: new axes of shape `front` first."""
    cells = as_cells(a).view(np.ndarray)
    axes = axes_of(cells, axis)
    kept = [n for n in range(cells.ndim) if n not in axes]
    flat = cells.transpose(*kept, *axes)
    flat = flat.reshape(*flat.shape[: len(kept)], -1)
    found = np.moveaxis(_along(run, flat, -1, object), -1, 0)
    shape = [cells.shape[n] for n in kept]
    if keepdims is True:
        shape = [1 if n in axes else size for n, size in enumerate(cells.shape)]
    found = found.reshape((*front, *shape))
    return found.view(ValueArray) if found.ndim else found[()]


def _median(func: Any, skip_nan: bool) -> Callable[..., Any]:
    @functools.wraps(func)
    def run(
        a: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: Any = False,
        keepdims: Any = False,
    ) -> Any:
        option(func, "out", out)

        def middle(line: list[Any]) -> list[Any]:
            nans = [x for x in line if is_nan(x)]
            numbers = _sorted([x for x in line if not is_nan(x)]) if nans else _sorted(line)
            if not numbers or (nans and not skip_nan):
                return [nans[0] if nans else float("nan")]
            half, odd = divmod(len(numbers), 2)
            return [numbers[half] if odd else (numbers[half - 1] + numbers[half]) / 2.0]

        return _over_axes(middle, a, axis, (), keepdims)

    return run


TABLE: Final[dict[Any, Callable[..., Any]]] = {
    np.sort: _sort,
    np.argsort: _argsort,
    np.partition: _partition,
    np.argpartition: _argpartition,
    np.argmax: _extreme(np.argmax, True, False),
    np.argmin: _extreme(np.argmin, False, False),
    np.nanargmax: _extreme(np.nanargmax, True, True),
    np.nanargmin: _extreme(np.nanargmin, False, True),
    np.searchsorted: _searchsorted,
    np.median: _median(np.median, False),
    np.nanmedian: _median(np.nanmedian, True),
    np.quantile: _quantiles(np.quantile, 1.0, False),
    np.nanquantile: _quantiles(np.nanquantile, 1.0, True),
    np.percentile: _quantiles(np.percentile, 100.0, False),
    np.nanpercentile: _quantiles(np.nanpercentile, 100.0, True),
}
