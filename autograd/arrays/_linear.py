"""Linear algebra on cells: elimination with the largest pivot, Cholesky's factor, norms.

Everything is recorded step by step, so derivatives of any order follow. Pivots are chosen by
comparing, which whoever watches the graph sees. Nothing here is recursive.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

import numpy as np

from .._rules import abs, div, log, sign, sqrt
from ._array import as_cells, refused, wrapped
from ._functions import by_own_text
from ._ufuncs import axes_of

Cells = Any  # a two-dimensional object array


def _square(x: Any, func: str) -> Cells:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"{func}: the last two dimensions of {x.shape} must be square")
    return x.view(np.ndarray)


def _pivot(rows: Cells, k: int) -> int:
    """Return the row, from `k` on, whose entry in column `k` is the largest."""
    best, size = k, abs(rows[k, k])
    for i in range(k + 1, len(rows)):
        other = abs(rows[i, k])
        if other > size:
            best, size = i, other
    return best


def _eliminated(a: Cells, b: Cells) -> tuple[Cells, Cells, int, bool]:
    """Return `a` as an upper triangle, `b` likewise, how many rows were swapped, and whether `a` is
    singular (then it is not finished)."""
    rows, right = a.copy(), b.copy()
    swaps = 0
    for k in range(len(rows)):
        p = _pivot(rows, k)
        if p != k:
            rows[[k, p]], right[[k, p]] = rows[[p, k]], right[[p, k]]
            swaps += 1
        if rows[k, k] == 0.0:
            return rows, right, swaps, True
        for i in range(k + 1, len(rows)):
            factor = div(rows[i, k], rows[k, k])
            rows[i, k + 1 :] = rows[i, k + 1 :] - factor * rows[k, k + 1 :]
            right[i] = right[i] - factor * right[k]
    return rows, right, swaps, False


def _solved(a: Cells, b: Cells) -> Cells:
    rows, right, _, singular = _eliminated(a, b)
    if singular:
        raise np.linalg.LinAlgError("Singular matrix")
    divide = np.frompyfunc(div, 2, 1)
    for k in reversed(range(len(rows))):
        for i in range(k + 1, len(rows)):
            right[k] = right[k] - rows[k, i] * right[i]
        right[k] = divide(right[k], rows[k, k])
    return right


def _determinant(a: Cells) -> Any:
    rows, _, swaps, singular = _eliminated(a, np.empty((len(a), 0), dtype=object))
    if singular:
        return _without_dividing(a)
    total: Any = -1.0 if swaps % 2 else 1.0
    for k in range(len(rows)):
        total = total * rows[k, k]
    return total


def _without_dividing(a: Cells) -> Any:
    """Return the determinant by R. S. Bird's algorithm (2011), right where `a` is singular."""
    n = len(a)
    x = a
    for _ in range(n - 1):
        below: Any = 0.0
        f = np.full((n, n), 0.0, dtype=object)
        for i in reversed(range(n)):
            f[i, i] = -below
            f[i, i + 1 :] = x[i, i + 1 :]
            below = x[i, i] + below
        x = f @ a
    return x[0, 0] if n % 2 else -x[0, 0]


def _log_determinant(a: Cells) -> tuple[Any, Any]:
    rows, _, swaps, singular = _eliminated(a, np.empty((len(a), 0), dtype=object))
    if singular:
        return 0.0, -inf
    total: Any = 0.0
    signs: Any = -1.0 if swaps % 2 else 1.0
    for k in range(len(rows)):
        signs = signs * sign(rows[k, k])
        total = total + log(abs(rows[k, k]))
    return signs, total


def _factor(a: Cells) -> Cells:
    """Return Cholesky's lower triangle; entries above the diagonal of `a` are not looked at."""
    n = len(a)
    low = np.full((n, n), 0.0, dtype=object)
    for j in range(n):
        rest = a[j, j] - sum((x * x for x in low[j, :j]), 0.0)
        if rest <= 0.0:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        low[j, j] = sqrt(rest)
        for i in range(j + 1, n):
            done = sum((x * y for x, y in zip(low[i, :j], low[j, :j], strict=True)), 0.0)
            low[i, j] = div(a[i, j] - done, low[j, j])
    return low


def _stacked(run: Callable[..., Any], *matrices: Cells) -> Any:
    """Return what `run` makes of each matrix of stacks of them."""
    fronts = np.broadcast_shapes(*[m.shape[:-2] for m in matrices])
    stacks = [np.broadcast_to(m, (*fronts, *m.shape[-2:])) for m in matrices]
    if not fronts:
        return run(*stacks)
    results = [run(*[stack[at] for stack in stacks]) for at in np.ndindex(*fronts)]
    shape = np.shape(results[0]) if results else matrices[-1].shape[-2:]
    found = np.empty((*fronts, *shape), dtype=object)
    for at, result in zip(np.ndindex(*fronts), results, strict=True):
        found[at] = result
    return found


def _solve(a: Any, b: Any) -> Any:
    a, b = _square(as_cells(a), "solve"), as_cells(b).view(np.ndarray)
    if b.ndim == 1:
        return wrapped(_stacked(_solved, a, b[:, None]))[..., 0]
    return wrapped(_stacked(_solved, a, b))


def _inv(a: Any) -> Any:
    a = _square(as_cells(a), "inv")
    return wrapped(_stacked(_solved, a, np.eye(a.shape[-1]).astype(object)))


def _det(a: Any) -> Any:
    return wrapped(_stacked(_determinant, _square(as_cells(a), "det")))


def _slogdet(a: Any) -> Any:
    a = _square(as_cells(a), "slogdet")
    signs = wrapped(_stacked(lambda m: _log_determinant(m)[0], a))
    return type(np.linalg.slogdet(np.eye(1)))(
        signs, wrapped(_stacked(lambda m: _log_determinant(m)[1], a))
    )


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    a = _square(as_cells(a), "cholesky")
    a = np.swapaxes(a, -1, -2) if upper else a
    low = wrapped(_stacked(_factor, a))
    return np.swapaxes(low, -1, -2) if upper else low


def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = as_cells(a), as_cells(b)
    if axes is not None:
        a = np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = a.shape[b.ndim :]
    return _solve(a.reshape(b.size, -1), b.ravel()).reshape(shape)


def _tensorinv(a: Any, ind: int = 2) -> Any:
    a = as_cells(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    front, back = a.shape[:ind], a.shape[ind:]
    return _inv(a.reshape(np.prod(front, dtype=int), -1)).reshape((*back, *front))


# -------------------------------------------------------------------------------------- norms


def _length(x: Any) -> Any:
    """Return the Euclidean length along the first axis, 0 with derivative 0 at the origin."""
    if not len(x):
        return np.sum(x, axis=0)
    total = np.abs(x[0])
    for entry in x[1:]:
        total = np.hypot(total, entry)
    return total


def _vector_norm(x: Any, order: Any) -> Any:
    """Return the norm along the first axis."""
    if order is None or order == 2:
        return _length(x)
    if order == inf:
        return np.max(np.abs(x), axis=0)
    if order == -inf:
        return np.min(np.abs(x), axis=0)
    if order == 0:
        return np.sum(np.asarray(x != 0.0), axis=0).astype(float)
    if not isinstance(order, (int, float)):
        raise ValueError(f"Invalid norm order {order!r} for vectors")
    if order == 1:
        return np.sum(np.abs(x), axis=0)
    return np.sum(np.abs(x) ** float(order), axis=0) ** (1.0 / order)


def _matrix_norm(x: Any, order: Any) -> Any:
    """Return the norm over the first two axes."""
    if order is None or order in ("fro", "f"):
        return _length(x.reshape(-1, *x.shape[2:]))
    if order in (1, -1, inf, -inf):
        sums = np.sum(np.abs(x), axis=0 if order in (1, -1) else 1)
        return np.max(sums, axis=0) if order in (1, inf) else np.min(sums, axis=0)
    raise refused(np.linalg.norm, f"does not take ord={order!r} of a matrix (singular values)")


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_cells(x)
    if axis is None and (ord is None or x.ndim == 1):
        axes = tuple(range(x.ndim))
        found = _vector_norm(x.ravel(), ord)
    else:
        axes = axes_of(x, axis)
        if isinstance(axis, tuple):  # rows and columns in the order given
            axes = tuple([n % x.ndim for n in axis])
        if len(axes) > 2:
            raise ValueError("Improper number of dimensions to norm.")
        moved = np.moveaxis(x, axes, range(len(axes)))
        found = _vector_norm(moved, ord) if len(axes) == 1 else _matrix_norm(moved, ord)
    if keepdims:
        shape = [1 if n in axes else size for n, size in enumerate(x.shape)]
        return as_cells(found).reshape(shape)
    return found


def _linalg_vector_norm(
    x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2
) -> Any:
    x = as_cells(x)
    axes = axes_of(x, axis)
    moved = np.moveaxis(x, axes, range(len(axes)))
    found = _vector_norm(moved.reshape(-1, *moved.shape[len(axes) :]), ord)
    shape = [1 if n in axes else size for n, size in enumerate(x.shape)]
    return as_cells(found).reshape(shape) if keepdims else found


def _linalg_matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)


_OWN_TEXT: Final = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

TABLE: Final[dict[Any, Callable[..., Any]]] = {
    **{
        getattr(np.linalg, name): by_own_text(getattr(np.linalg, name))
        for name in _OWN_TEXT
        if hasattr(np.linalg, name)
    },
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
    np.linalg.cholesky: _cholesky,
    np.linalg.norm: _norm,
    np.linalg.tensorinv: _tensorinv,
    np.linalg.tensorsolve: _tensorsolve,
}
if hasattr(np.linalg, "vector_norm"):  # NumPy 2
    TABLE[np.linalg.vector_norm] = _linalg_vector_norm
    TABLE[np.linalg.matrix_norm] = _linalg_matrix_norm
