"""All of NumPy's public functions: as on floats and with right derivatives, or refused."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.arrays import array_of

Example = Callable[[Any], Any]

M = np.array([[4.0, 1.0], [0.5, 3.0]])
W = np.array([0.5, 1.5, -2.0, 0.25, 3.0, -1.0])
MASK = np.array([True, False, True, True, False, False])


def square(x: Any) -> Any:
    """A regular matrix made of the first four numbers."""
    return M + 0.1 * x[:4].reshape(2, 2)


def positive(x: Any) -> Any:
    """A symmetric positive definite matrix."""
    a = x[:4].reshape(2, 2)
    return a @ a.T + M + M.T


def written(write: Callable[[Any], Any]) -> Example:
    """Something that writes into a copy of its argument."""

    def run(x: Any) -> Any:
        x = x.copy()
        write(x)
        return x

    return run


UFUNCS: dict[str, Example] = {
    "absolute": np.absolute,
    "add": lambda x: np.add(x, W),
    "arccos": lambda x: np.arccos(0.3 * x),
    "arccosh": lambda x: np.arccosh(3.0 + x),
    "arcsin": lambda x: np.arcsin(0.3 * x),
    "arcsinh": np.arcsinh,
    "arctan": np.arctan,
    "arctan2": lambda x: np.arctan2(x, W),
    "arctanh": lambda x: np.arctanh(0.3 * x),
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "conjugate": np.conjugate,
    "copysign": lambda x: np.copysign(x, W),
    "cos": np.cos,
    "cosh": np.cosh,
    "deg2rad": np.deg2rad,
    "degrees": np.degrees,
    "divide": lambda x: np.divide(W, x),
    "equal": lambda x: np.equal(x, 1.0),
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "fabs": np.fabs,
    "float_power": lambda x: np.float_power(3.0 + x, W),
    "floor": np.floor,
    "fmax": lambda x: np.fmax(x, W),
    "fmin": lambda x: np.fmin(x, W),
    "fmod": lambda x: np.fmod(x, 0.37),
    "greater": lambda x: np.greater(x, W),
    "greater_equal": lambda x: np.greater_equal(x, W),
    "heaviside": lambda x: np.heaviside(x, 0.5),
    "hypot": lambda x: np.hypot(x, W),
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "isnan": np.isnan,
    "ldexp": lambda x: np.ldexp(x, 3),
    "less": lambda x: np.less(x, W),
    "less_equal": lambda x: np.less_equal(x, W),
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "logaddexp": lambda x: np.logaddexp(x, W),
    "logaddexp2": lambda x: np.logaddexp2(x, W),
    "logical_and": lambda x: np.logical_and(x, MASK),
    "logical_not": np.logical_not,
    "logical_or": lambda x: np.logical_or(x, MASK),
    "logical_xor": lambda x: np.logical_xor(x, MASK),
    "matmul": lambda x: np.matmul(M, x.reshape(2, 3)),
    "matvec": lambda x: np.matvec(x.reshape(3, 2), M),
    "maximum": lambda x: np.maximum(x, W),
    "minimum": lambda x: np.minimum(x, W),
    "modf": lambda x: np.modf(x)[0],
    "multiply": lambda x: np.multiply(x, W),
    "negative": np.negative,
    "not_equal": lambda x: np.not_equal(x, 1.0),
    "positive": np.positive,
    "power": lambda x: np.power(x, 3),
    "rad2deg": np.rad2deg,
    "radians": np.radians,
    "reciprocal": np.reciprocal,
    "rint": np.rint,
    "sign": np.sign,
    "signbit": lambda x: np.signbit(np.abs(x) - 1.5),
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square,
    "subtract": lambda x: np.subtract(W, x),
    "tan": np.tan,
    "tanh": np.tanh,
    "trunc": np.trunc,
    "vecdot": lambda x: np.vecdot(x.reshape(2, 3), W.reshape(2, 3)),
    "vecmat": lambda x: np.vecmat(x.reshape(3, 2), M),
}
# Rows that may come: where they are there, they must be right.
IF_ROW: dict[str, Example] = {
    "divmod": lambda x: np.divmod(x, 0.37)[1],
    "floor_divide": lambda x: np.floor_divide(x, 0.37),
    "remainder": lambda x: np.remainder(x, 0.37),
    "unwrap": lambda x: np.unwrap(3.0 * x),
}
UFUNCS_REFUSED: dict[str, Example] = {
    "bitwise_and": lambda x: np.bitwise_and(x, MASK),
    "bitwise_count": lambda x: np.bitwise_count(x),
    "bitwise_or": lambda x: np.bitwise_or(x, MASK),
    "bitwise_xor": lambda x: np.bitwise_xor(x, MASK),
    "frexp": np.frexp,
    "gcd": lambda x: np.gcd(x, 2),
    "invert": np.invert,
    "isnat": np.isnat,
    "lcm": lambda x: np.lcm(x, 2),
    "left_shift": lambda x: np.left_shift(x, 2),
    "nextafter": lambda x: np.nextafter(x, W),
    "right_shift": lambda x: np.right_shift(x, 2),
    "spacing": np.spacing,
}

FUNCTIONS: dict[str, Example] = {
    "all": np.all,
    "allclose": lambda x: np.allclose(x, x * 1.0),
    "amax": np.amax,
    "amin": lambda x: np.amin(x.reshape(2, 3), axis=0),
    "angle": lambda x: np.angle(x, deg=True),
    "any": lambda x: np.any(x > 2.0),
    "append": lambda x: np.append(x, W),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda r: r * r[0], 1, x.reshape(2, 3)),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x.reshape(2, 3), [0, 1]),
    "argmax": lambda x: np.argmax(x.reshape(2, 3), axis=1),
    "argmin": np.argmin,
    "argpartition": lambda x: x[np.argpartition(x, 5)[5]],
    "argsort": lambda x: np.argsort(x, kind="stable"),
    "argwhere": lambda x: np.argwhere(x > 0.0),
    "around": lambda x: np.around(x, 1),
    "array_equal": lambda x: np.array_equal(x, W),
    "array_equiv": lambda x: np.array_equiv(x, W),
    "array_split": lambda x: np.array_split(x, 4)[1],
    "astype": lambda x: np.astype(x, bool),
    "atleast_1d": np.atleast_1d,
    "atleast_2d": np.atleast_2d,
    "atleast_3d": np.atleast_3d,
    "average": lambda x: np.average(x, weights=W * W),
    "block": lambda x: np.block([[x[:2], x[2:4]], [x[1:3], W[:2]]]),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, M[:, :1])[0],
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 6)),
    "can_cast": lambda x: np.can_cast(x.dtype, object),
    "choose": lambda x: np.choose(np.array([0, 1, 1, 0, 1, 0]), [x, W]),
    "clip": lambda x: np.clip(x, -0.5, 1.5),
    "column_stack": lambda x: np.column_stack([x, W]),
    "compress": lambda x: np.compress(MASK, x),
    "concat": lambda x: np.concat([x, W]),
    "concatenate": lambda x: np.concatenate([W, x]),
    "convolve": lambda x: np.convolve(x, W[:3]),
    "copy": np.copy,
    "copyto": written(lambda x: np.copyto(x, 2.0 * x, where=MASK)),
    "corrcoef": lambda x: np.corrcoef(x.reshape(2, 3))[0, 1],
    "correlate": lambda x: np.correlate(x, W[:3], "same"),
    "count_nonzero": np.count_nonzero,
    "cov": lambda x: np.cov(x.reshape(2, 3)),
    "cross": lambda x: np.cross(x[:3], x[3:]),
    "cumprod": np.cumprod,
    "cumsum": lambda x: np.cumsum(x.reshape(2, 3), axis=1),
    "cumulative_prod": np.cumulative_prod,
    "cumulative_sum": np.cumulative_sum,
    "delete": lambda x: np.delete(x, 1),
    "diag": np.diag,
    "diagflat": np.diagflat,
    "diagonal": lambda x: np.diagonal(x.reshape(2, 3)),
    "diff": lambda x: np.diff(x, n=2),
    "dot": lambda x: np.dot(x.reshape(2, 3), x[:3]),
    "dsplit": lambda x: np.dsplit(x.reshape(1, 3, 2), 2)[1],
    "dstack": lambda x: np.dstack([x, W]),
    "ediff1d": np.ediff1d,
    "einsum": lambda x: np.einsum("ij,kj->ik", x.reshape(2, 3), W.reshape(2, 3)),
    "empty_like": lambda x: np.empty_like(x).shape,
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "extract": lambda x: np.extract(MASK, x),
    "fill_diagonal": lambda x: written(lambda a: np.fill_diagonal(a, 7.0))(x.reshape(2, 3)),
    "fix": np.fix,
    "flatnonzero": lambda x: np.flatnonzero(x > 0.0),
    "flip": np.flip,
    "fliplr": lambda x: np.fliplr(x.reshape(2, 3)),
    "flipud": np.flipud,
    "full_like": lambda x: np.full_like(x, 2.5) * x,
    "gradient": lambda x: np.gradient(x, np.array([0.0, 0.5, 0.7, 1.5, 2.5, 2.7]), edge_order=2),
    "hsplit": lambda x: np.hsplit(x, 2)[0],
    "hstack": lambda x: np.hstack([x, W]),
    "imag": np.imag,
    "inner": lambda x: np.inner(x, W),
    "insert": lambda x: np.insert(x, 1, 5.0),
    "interp": lambda x: np.interp(x, [-1.0, 0.0, 1.5], [2.0, 0.5, 3.0]),
    "isclose": lambda x: np.isclose(x, W),
    "iscomplex": np.iscomplex,
    "iscomplexobj": np.iscomplexobj,
    "isneginf": np.isneginf,
    "isposinf": np.isposinf,
    "isreal": np.isreal,
    "isrealobj": np.isrealobj,
    "kron": lambda x: np.kron(x[:2], x[2:]),
    "linspace": lambda x: np.linspace(x[0], x[1], 4),
    "matrix_transpose": lambda x: np.matrix_transpose(x.reshape(2, 3)),
    "max": lambda x: np.max(x.reshape(2, 3), axis=1),
    "may_share_memory": lambda x: np.may_share_memory(x, x),
    "mean": lambda x: np.mean(x.reshape(2, 3), axis=0),
    "median": np.median,
    "meshgrid": lambda x: np.meshgrid(x[:2], x[2:4])[1],
    "min": np.min,
    "moveaxis": lambda x: np.moveaxis(x.reshape(2, 3), 0, 1),
    "nan_to_num": lambda x: np.nan_to_num(x, posinf=9.0, neginf=-9.0),
    "nanargmax": np.nanargmax,
    "nanargmin": np.nanargmin,
    "nancumprod": np.nancumprod,
    "nancumsum": np.nancumsum,
    "nanmax": np.nanmax,
    "nanmean": lambda x: np.nanmean(x.reshape(2, 3), axis=0),
    "nanmedian": np.nanmedian,
    "nanmin": np.nanmin,
    "nanpercentile": lambda x: np.nanpercentile(x, 30.0),
    "nanprod": np.nanprod,
    "nanquantile": lambda x: np.nanquantile(x, [0.1, 0.5]),
    "nanstd": np.nanstd,
    "nansum": lambda x: np.nansum(x.reshape(2, 3), axis=1),
    "nanvar": lambda x: np.nanvar(x.reshape(2, 3), axis=1),
    "ndim": np.ndim,
    "nonzero": lambda x: np.nonzero(x > 0.0)[0],
    "ones_like": lambda x: np.ones_like(x) * x,
    "outer": lambda x: np.outer(x, W),
    "pad": lambda x: np.pad(x, 2, mode="edge"),
    "partition": lambda x: np.partition(x, 5)[5],
    "percentile": lambda x: np.percentile(x.reshape(2, 3), [20.0, 70.0], axis=1),
    "permute_dims": lambda x: np.permute_dims(x.reshape(2, 3), (1, 0)),
    "piecewise": lambda x: np.piecewise(x, [MASK], [lambda z: z * z, 1.0]),
    "place": written(lambda x: np.place(x, MASK, [4.0])),
    "polyadd": lambda x: np.polyadd(x[:2], x[2:]),
    "polyder": np.polyder,
    "polyint": np.polyint,
    "polymul": lambda x: np.polymul(x[:2], x[2:]),
    "polysub": lambda x: np.polysub(x[:2], x[2:]),
    "polyval": lambda x: np.polyval(x[:3], x[3:]),
    "prod": np.prod,
    "ptp": np.ptp,
    "put": written(lambda x: np.put(x, [1], [3.0])),
    "put_along_axis": written(lambda x: np.put_along_axis(x, np.array([2]), 3.0, 0)),
    "putmask": written(lambda x: np.putmask(x, MASK, 2.0 * x)),
    "quantile": lambda x: np.quantile(x, 0.3, method="midpoint"),
    "ravel": np.ravel,
    "real": np.real,
    "real_if_close": np.real_if_close,
    "repeat": lambda x: np.repeat(x, 2),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "resize": lambda x: np.resize(x, (2, 4)),
    "roll": lambda x: np.roll(x, 2),
    "rollaxis": lambda x: np.rollaxis(x.reshape(2, 3), 1),
    "rot90": lambda x: np.rot90(x.reshape(2, 3)),
    "round": np.round,
    "searchsorted": lambda x: np.searchsorted([-1.0, 0.5, 2.0], x),
    "select": lambda x: np.select([x > 1.0, x > 0.0], [x * x, 3.0 * x], default=-1.0),
    "shape": np.shape,
    "shares_memory": lambda x: np.shares_memory(x, x),
    "sinc": np.sinc,
    "size": np.size,
    "sort": lambda x: np.sort(x.reshape(2, 3), axis=0),
    "split": lambda x: np.split(x, 3)[2],
    "squeeze": lambda x: np.squeeze(x.reshape(1, 6)),
    "stack": lambda x: np.stack([x, W], axis=1),
    "std": lambda x: np.std(x.reshape(2, 3), axis=1, ddof=1, keepdims=True),
    "sum": lambda x: np.sum(x.reshape(1, 2, 3), axis=(0, 2)),
    "swapaxes": lambda x: np.swapaxes(x.reshape(2, 3), 0, 1),
    "take": lambda x: np.take(x, [3, 0]),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([3, 1]), 0),
    "tensordot": lambda x: np.tensordot(x.reshape(2, 3), x.reshape(3, 2), axes=1),
    "tile": lambda x: np.tile(x, 2),
    "trace": lambda x: np.trace(x.reshape(2, 3)),
    "transpose": lambda x: np.transpose(x.reshape(2, 3)),
    "trapezoid": lambda x: np.trapezoid(x[:3], x=x[3:]),
    "tril": lambda x: np.tril(x.reshape(2, 3)),
    "trim_zeros": np.trim_zeros,
    "triu": lambda x: np.triu(x.reshape(2, 3)),
    "unstack": lambda x: np.unstack(x.reshape(2, 3))[1],
    "vander": lambda x: np.vander(x, 3),
    "var": np.var,
    "vdot": lambda x: np.vdot(x, W),
    "vsplit": lambda x: np.vsplit(x.reshape(2, 3), 2)[0],
    "vstack": lambda x: np.vstack([x, W]),
    "where": lambda x: np.where(x > 0.5, x * x, -x),
    "zeros_like": lambda x: np.zeros_like(x) + x,
}
FUNCTIONS_REFUSED: dict[str, Example] = {
    "bincount": np.bincount,
    "common_type": np.common_type,
    "digitize": lambda x: np.digitize(x, W),
    "geomspace": lambda x: np.geomspace(x[0], x[1], 3),
    "histogram": np.histogram,
    "histogram2d": lambda x: np.histogram2d(x, W),
    "histogram_bin_edges": np.histogram_bin_edges,
    "histogramdd": lambda x: np.histogramdd(x.reshape(6, 1)),
    "i0": np.i0,
    "intersect1d": lambda x: np.intersect1d(x, W),
    "isin": lambda x: np.isin(x, W),
    "ix_": np.ix_,
    "lexsort": lambda x: np.lexsort((x, W)),
    "logspace": lambda x: np.logspace(x[0], x[1], 3),
    "packbits": np.packbits,
    "poly": np.poly,
    "polydiv": lambda x: np.polydiv(x, W),
    "polyfit": lambda x: np.polyfit(x, W, 1),
    "roots": np.roots,
    "save": lambda x: np.save("/dev/null", x),
    "savetxt": lambda x: np.savetxt("/dev/null", x),
    "savez": lambda x: np.savez("/dev/null", x),
    "savez_compressed": lambda x: np.savez_compressed("/dev/null", x),
    "setdiff1d": lambda x: np.setdiff1d(x, W),
    "setxor1d": lambda x: np.setxor1d(x, W),
    "sort_complex": np.sort_complex,
    "union1d": lambda x: np.union1d(x, W),
    "unique": np.unique,
    "unique_all": np.unique_all,
    "unique_counts": np.unique_counts,
    "unique_inverse": np.unique_inverse,
    "unique_values": np.unique_values,
    "unpackbits": np.unpackbits,
}
# Of dtypes, dates, places or text, not of numbers; or a sum NumPy 2 has renamed.
NO_NUMBERS = [
    "array2string",
    "array_repr",
    "array_str",
    "busday_count",
    "busday_offset",
    "datetime_as_string",
    "diag_indices_from",
    "einsum_path",
    "is_busday",
    "min_scalar_type",
    "ravel_multi_index",
    "result_type",
    "trapz",
    "tril_indices_from",
    "triu_indices_from",
    "unravel_index",
    "in1d",
    "row_stack",
]

LINEAR: dict[str, Example] = {
    "cholesky": lambda x: np.linalg.cholesky(positive(x)),
    "cross": lambda x: np.linalg.cross(x[:3], x[3:]),
    "det": lambda x: np.linalg.det(square(x)),
    "diagonal": lambda x: np.linalg.diagonal(x.reshape(2, 3)),
    "inv": lambda x: np.linalg.inv(square(x)),
    "matmul": lambda x: np.linalg.matmul(x.reshape(3, 2), M),
    "matrix_norm": lambda x: np.linalg.matrix_norm(x.reshape(2, 3)),
    "matrix_power": lambda x: np.linalg.matrix_power(square(x), -3),
    "matrix_transpose": lambda x: np.linalg.matrix_transpose(x.reshape(2, 3)),
    "multi_dot": lambda x: np.linalg.multi_dot([x.reshape(3, 2), M, x.reshape(2, 3)]),
    "norm": lambda x: np.linalg.norm(x.reshape(2, 3), axis=1, ord=3),
    "outer": lambda x: np.linalg.outer(x, W),
    "slogdet": lambda x: np.linalg.slogdet(square(x))[1],
    "solve": lambda x: np.linalg.solve(square(x), x[4:]),
    "tensordot": lambda x: np.linalg.tensordot(x.reshape(2, 3), M, axes=(0, 1)),
    "tensorinv": lambda x: np.linalg.tensorinv(square(x), ind=1),
    "tensorsolve": lambda x: np.linalg.tensorsolve(square(x), x[4:]),
    "trace": lambda x: np.linalg.trace(x.reshape(2, 3)),
    "vecdot": lambda x: np.linalg.vecdot(x, W),
    "vector_norm": lambda x: np.linalg.vector_norm(x.reshape(2, 3), axis=0),
}
LINEAR_REFUSED: dict[str, Example] = {
    name: getattr(np.linalg, name)
    for name in [
        "cond",
        "eig",
        "eigh",
        "eigvals",
        "eigvalsh",
        "matrix_rank",
        "pinv",
        "qr",
        "svd",
        "svdvals",
    ]
    if hasattr(np.linalg, name)
} | {"lstsq": lambda a: np.linalg.lstsq(a, a)}

ORDINARY = [0.7, -1.3, 2.1, 0.4, -0.6, 1.9]
SPECIAL = {
    "nan": [0.7, math.nan, 2.1, 0.4, -0.6, 1.9],
    "inf": [0.7, math.inf, 2.1, 0.4, -math.inf, 1.9],
    "ties": [1.0, 1.0, 2.0, 2.0, 1.0, -1.0],
    "zeros": [0.0, -0.0, 2.0, 0.0, 1.0, 0.0],
    "nans": [math.nan] * 6,
    "huge": [1e200, -1e200, 1e308, 1e-300, -1e-320, 5.0],
}
ALL = {
    **{f"numpy.{name}": run for name, run in (UFUNCS | FUNCTIONS).items()},
    **{f"numpy.linalg.{name}": run for name, run in LINEAR.items()},
    **{f"numpy.{name}": run for name, run in IF_ROW.items()},
}
PRESENT = {
    full: run
    for full, run in ALL.items()
    if hasattr(np.linalg if "linalg" in full else np, full.split(".")[-1])
}


SUMS = "sums overflow or not by the order of their terms, which BLAS chooses otherwise"
HYPOT = "ours does not overflow where the result does not"
OTHERWISE = {
    ("huge", "numpy.tensordot"): SUMS,
    ("huge", "numpy.linalg.multi_dot"): SUMS,
    ("huge", "numpy.linalg.cholesky"): SUMS,
    ("inf", "numpy.linalg.cholesky"): SUMS,
    ("huge", "numpy.linalg.matrix_norm"): HYPOT,
    ("huge", "numpy.linalg.vector_norm"): HYPOT,
}


def values(point: list[float]) -> Any:
    """Return an array of fresh `Value`s."""
    return array_of([Value(x) for x in point], (len(point),))


def plain(found: Any) -> Any:
    """Return a result with plain numbers in the place of `Value`s."""
    if isinstance(found, Value):
        return found.data
    if isinstance(found, np.ndarray) and found.dtype.kind == "O":
        return np.array([getattr(x, "data", x) for x in found.ravel().tolist()], float).reshape(
            found.shape
        )
    return found


def outcome(run: Example, x: Any) -> Any:
    """Return what a run gives, or the type of its exception."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return plain(run(x))
    except (np.linalg.LinAlgError, ValueError, IndexError) as error:
        return type(error)


def has_row(full: str) -> bool:
    return full.split(".")[-1] not in IF_ROW or "mod" in ag.primitives()


@pytest.mark.parametrize("place", ["ordinary", *SPECIAL])
@pytest.mark.parametrize("full", PRESENT)
def test_the_value_is_that_of_the_run_on_floats(full: str, place: str) -> None:
    if not has_row(full):
        pytest.skip("no row")
    if (place, full) in OTHERWISE:
        pytest.skip(OTHERWISE[place, full])
    point = ORDINARY if place == "ordinary" else SPECIAL[place]
    expected = outcome(PRESENT[full], np.array(point))
    found = outcome(PRESENT[full], values(point))
    if isinstance(expected, type):
        assert found is expected
        return
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=1e-12, atol=1e-300
    )
    assert (np.asarray(found).dtype == bool) == (np.asarray(expected).dtype == bool)


@pytest.mark.parametrize("full", PRESENT)
def test_the_derivative_is_that_of_differences(full: str) -> None:
    if not has_row(full):
        pytest.skip("no row")
    run = PRESENT[full]

    positive_only = full.split(".")[-1] in ("log", "log10", "log1p", "log2", "sqrt")
    point = np.abs(ORDINARY) if positive_only else np.array(ORDINARY)

    def total(x: Any) -> Any:
        found = np.asarray(run(x))
        weights = np.cos(np.arange(found.size)).reshape(found.shape)
        return (found.astype(float) if found.dtype != object else found).ravel() @ weights.ravel()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constants: their derivative is zero
        found = ag.grad(total)(point)
    h = 1e-6
    steps = np.eye(6) * h
    differences = [(total(point + s) - total(point - s)) / (2.0 * h) for s in steps]
    np.testing.assert_allclose(found, differences, rtol=2e-7, atol=2e-7)


def test_every_public_function_is_walked() -> None:
    ufuncs = {f.__name__ for f in vars(np).values() if isinstance(f, np.ufunc)}
    functions = {name for name, f in vars(np).items() if hasattr(f, "_implementation")}
    linear = {name for name, f in vars(np.linalg).items() if hasattr(f, "_implementation")}
    assert ufuncs - UFUNCS.keys() - IF_ROW.keys() - UFUNCS_REFUSED.keys() == set()
    walked = FUNCTIONS.keys() | FUNCTIONS_REFUSED.keys() | IF_ROW.keys() | set(NO_NUMBERS)
    assert functions - walked == set()
    assert linear - LINEAR.keys() - LINEAR_REFUSED.keys() == set()


REFUSED = {
    **{f"numpy.{name}": run for name, run in (UFUNCS_REFUSED | FUNCTIONS_REFUSED).items()},
    **{
        f"numpy.linalg.{name}": lambda x, run=run: run(square(x))
        for name, run in LINEAR_REFUSED.items()
    },
}


@pytest.mark.parametrize("full", REFUSED)
def test_the_rest_is_refused_in_one_sentence(full: str) -> None:
    with pytest.raises(TypeError, match=full.replace(".", r"\.")) as refused:
        REFUSED[full](values(ORDINARY))
    assert "custom_partials" in str(refused.value)
