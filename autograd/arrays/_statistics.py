"""Variances, averages and correlations of cells, in NumPy's order of operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ._array import ValueArray, as_cells
from ._functions import option
from ._ufuncs import axes_of


def _count(x: Any, axis: Any) -> int:
    count = 1
    for n in axes_of(x, axis):
        count *= x.shape[n]
    return count


def _divided(total: Any, count: float) -> Any:
    """Return a sum divided by a number that may be zero, as IEEE 754 has it."""
    return np.divide(as_cells(total), count)


def _mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Any:
    option(np.mean, "dtype", dtype, (None, object))
    option(np.mean, "out", out)
    option(np.mean, "where", where, (True, np._NoValue))
    x = as_cells(a)
    return _divided(np.sum(x, axis=axis, keepdims=keepdims is True), float(_count(x, axis)))


def _spread(func: Any, skip_nan: bool, root: bool) -> Callable[..., Any]:
    @functools.wraps(func)
    def run(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        mean: Any = np._NoValue,
        correction: Any = np._NoValue,
    ) -> Any:
        option(func, "dtype", dtype, (None, object))
        option(func, "out", out)
        option(func, "where", where, (True, np._NoValue))
        option(func, "mean", mean, (np._NoValue,))
        ddof = ddof if correction is np._NoValue else correction
        x: Any = as_cells(a)
        count: Any = float(_count(x, axis))
        if skip_nan:
            gone = np.isnan(x)
            count = np.sum(~gone, axis=axis, keepdims=True).astype(float)
            x = np.where(gone, 0.0, x)
        off = x - _divided(np.sum(x, axis=axis, keepdims=True), count)
        if skip_nan:
            off = np.where(gone, 0.0, off)
            count = count if keepdims is True else np.squeeze(count, axis)
        total = np.sum(off * off, axis=axis, keepdims=keepdims is True)
        found = _divided(total, np.maximum(count - ddof, 0.0))
        return np.sqrt(found) if root else found

    return run


def _average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    x: Any = as_cells(a)
    keep = keepdims is True
    if weights is None:
        mean, total = np.mean(x, axis=axis, keepdims=keep), as_cells(float(_count(x, axis)))
    else:
        w: Any = as_cells(weights)
        if w.shape != x.shape:
            if not isinstance(axis, int) or w.shape != (x.shape[axis],):
                raise TypeError("numpy.average: weights need the shape of the data, or of one axis")
            w = np.moveaxis(np.broadcast_to(w, np.moveaxis(x, axis, -1).shape), -1, axis)
        total = np.sum(w, axis=axis, keepdims=keep)
        mean = np.divide(np.sum(x * w, axis=axis, keepdims=keep), total)
    return (mean, np.broadcast_to(total, np.shape(mean))) if returned else mean


def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    option(np.cov, "fweights", fweights)
    option(np.cov, "aweights", aweights)
    option(np.cov, "dtype", dtype, (None, object))
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _variables(y, rowvar)])
    off = x - np.mean(x, axis=1, keepdims=True)
    freedom = x.shape[1] - (ddof if ddof is not None else 0 if bias else 1)
    return np.squeeze(np.divide(off @ off.T, max(float(freedom), 0.0)))[()]


def _variables(m: Any, rowvar: bool) -> Any:
    """Return data as one row for each variable."""
    x = as_cells(m)
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    if x.ndim < 2:
        return x.reshape(1, -1)
    return x if rowvar or x.shape[0] == 1 else x.T


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, **options: Any) -> Any:
    for name, given in options.items():
        option(np.corrcoef, name, given)
    c = _cov(x, y, rowvar)
    if not isinstance(c, ValueArray):
        return c / c
    width = np.sqrt(np.diag(c))
    return np.divide(np.divide(c, width[:, None]), width[None, :])


TABLE: Final[dict[Any, Callable[..., Any]]] = {
    np.mean: _mean,
    np.var: _spread(np.var, False, False),
    np.std: _spread(np.std, False, True),
    np.nanvar: _spread(np.nanvar, True, False),
    np.nanstd: _spread(np.nanstd, True, True),
    np.average: _average,
    np.cov: _cov,
    np.corrcoef: _corrcoef,
}
