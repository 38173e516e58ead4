"""Arrays of `Value`s as arrays: cells, views, operators, methods, copies, text, refusals."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, compile, grad, hessian, jacobian, value_and_grad
from autograd.arrays import ValueArray, array_of

X = np.array([0.5, 2.0, -1.5])


def values(*numbers: float) -> ValueArray:
    return array_of([Value(x) for x in numbers], (len(numbers),))


def data(array: Any) -> Any:
    return np.array([getattr(x, "data", x) for x in array.ravel().tolist()]).reshape(array.shape)


# ------------------------------------------------------------------- where such arrays come from


def test_functions_are_given_such_arrays_eagerly_and_compiled() -> None:
    kinds: list[type] = []

    def f(x: Any) -> Any:
        kinds.append(type(x))
        return np.sum(x * x)

    grad(f)(X), jacobian(f)(X), hessian(f)(X), compile(f).grad(X), ag.jvp(f, (X,), (X,))
    assert set(kinds) == {ValueArray}


def test_results_that_are_values_come_in_such_arrays() -> None:
    inner = grad(lambda x: np.sum(x**3))(values(1.0, 2.0))
    assert type(inner) is ValueArray
    outer = grad(lambda x: np.max(grad(lambda y: np.sum(y**3))(x)))(np.array([1.0, 2.0]))
    assert outer.tolist() == [0.0, 12.0]


def test_a_value_by_an_array_of_numbers_gives_such_an_array() -> None:
    v = Value(2.0)
    for found in (v * X, X * v, np.multiply(X, v), np.float64(2.0) * values(1.0), v**X):
        assert type(found) is ValueArray
    assert isinstance(np.float64(3.0) * v, Value)
    assert (np.float64(3.0) * v).parents == (v,)
    assert isinstance(np.maximum(v, 1.0), Value)
    assert math.isnan(np.maximum(Value(math.nan), 2.0).data)
    assert isinstance(np.clip(v, 0.0, 1.0), Value)
    assert grad(lambda w: np.sum(np.sin(w * X)))(0.3) == pytest.approx(np.sum(X * np.cos(0.3 * X)))


# ------------------------------------------------------------------------ the conventions hold


def test_ties_share_nan_travels_and_steps_have_no_slope() -> None:
    both = grad(lambda x, y: np.maximum(x, y).sum(), argnums=(0, 1))
    assert [g.tolist() for g in both(np.array([2.0]), np.array([2.0]))] == [[0.5], [0.5]]
    assert grad(np.max)(np.array([2.0, 2.0])).tolist() == [0.5, 0.5]
    value, _ = value_and_grad(lambda x: np.maximum(x, 2.0).sum())(np.array([math.nan]))
    assert math.isnan(value)
    value, slope = value_and_grad(lambda x: np.sign(x).sum())(np.array([math.nan]))
    assert math.isnan(value)
    assert slope.tolist() == [0.0]
    value, slope = value_and_grad(lambda x: np.nan_to_num(x).sum())(np.array([1.0, math.nan]))
    assert (value, slope.tolist()) == (1.0, [1.0, 0.0])


def test_norms_have_slope_zero_at_the_origin() -> None:
    square = grad(lambda x: (np.linalg.norm(x, axis=-1) ** 2)[0])
    assert square(np.zeros((1, 2))).tolist() == [[0.0, 0.0]]
    assert square(np.array([[1.0, 2.0]])).tolist() == pytest.approx(np.array([[2.0, 4.0]]))
    assert grad(np.linalg.norm)(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_logaddexp_has_right_second_derivatives_at_ties() -> None:
    found = hessian(lambda x: np.logaddexp(x[0], x[1]))(np.array([1.0, 1.0]))
    assert np.allclose(found, [[0.25, -0.25], [-0.25, 0.25]], rtol=1e-12)


def test_sinc_has_its_derivatives_at_zero() -> None:
    second = hessian(lambda x: np.sinc(x[0]))
    assert second(np.zeros(1))[0, 0] == pytest.approx(-(math.pi**2) / 3.0, rel=1e-14)
    near = [grad(lambda x: np.sinc(x[0]))(np.array([0.5 / math.pi + d]))[0] for d in (-1e-9, 1e-9)]
    assert near[0] == pytest.approx(near[1], rel=1e-7)  # where the series ends


def test_a_determinant_has_its_cofactors_where_it_is_zero() -> None:
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    a[2] = a[0] * 2.0
    cofactors = np.array(
        [
            [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)]
            for i in range(3)
        ]
    )
    assert np.allclose(grad(np.linalg.det)(a), cofactors, atol=1e-12)
    assert grad(np.linalg.det)(np.zeros((2, 2))).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert hessian(np.linalg.det)(np.zeros((2, 2)))[0, 0].tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_linear_algebra_takes_stacks_of_matrices() -> None:
    stack = np.arange(12.0).reshape(3, 2, 2) + 3.0 * np.eye(2)
    right = np.ones((3, 2, 1))
    for f in (
        np.linalg.inv,
        np.linalg.det,
        lambda a: np.linalg.solve(a, right),
        lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2)),
        lambda a: np.linalg.slogdet(a)[1],
    ):
        cells = array_of([Value(x) for x in stack.ravel().tolist()], stack.shape)
        assert np.allclose(data(f(cells)), f(stack), rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        np.linalg.solve(values(0.0, 0.0, 0.0, 0.0).reshape(2, 2), np.ones(2))


# ------------------------------------------------------------------------------ mixed cells


def test_cells_may_be_floats_beside_values() -> None:
    def f(x: Any) -> Any:
        y = np.zeros_like(x)
        y[0] = x[0]
        y[1:] = 2.0
        return np.sum(np.exp(y)) + np.sum(np.divide(1.0, y))

    assert grad(f)(X) == pytest.approx([math.exp(0.5) - 4.0, 0.0, 0.0])
    assert data(np.divide(np.zeros_like(values(1.0)), 0.0) + 1.0) == pytest.approx(
        [math.nan], nan_ok=True
    )
    y = np.ones_like(values(1.0, 2.0))
    assert data(y / np.zeros_like(y)).tolist() == [math.inf, math.inf]
    assert data((-y) ** 0.5) == pytest.approx([math.nan] * 2, nan_ok=True)


def test_nothing_warns_on_the_way() -> None:
    x = values(1e308, -1e308, math.nan)  # warnings are errors here
    for f in (np.exp, np.sum, np.max, lambda z: z * 10.0, lambda z: z - z * 10.0, np.sqrt):
        f(x)
    assert (x > 0.0).tolist() == [True, False, False]
    assert math.isnan((x @ x).data)


# ------------------------------------------------------------------------------ as an array


def test_indexing_views_and_writing() -> None:
    x = values(1.0, 2.0, 3.0, 4.0)
    assert type(x[1:]) is ValueArray
    assert type(x.reshape(2, 2).T) is ValueArray
    assert isinstance(x[0], Value)
    assert [v.data for v in x] == [1.0, 2.0, 3.0, 4.0]
    x[1:3] = [7.0, x[0]]
    assert x[2] is x[0]
    assert x[1] == 7.0
    x[x > 3.5] = 0.0
    assert data(x).tolist() == [1.0, 0.0, 1.0, 0.0]
    assert x.tolist()[0] is x[0]
    assert x[0] in x
    x += 1.0
    assert data(x).tolist() == [2.0, 1.0, 2.0, 1.0]


def test_methods() -> None:
    x = values(3.0, 1.0, 2.0, 5.0).reshape(2, 2)
    assert x.sum().data == 11.0
    assert data(x.sum(axis=0)).tolist() == [5.0, 6.0]
    assert data(x.mean(axis=1, keepdims=True)).tolist() == [[2.0], [3.5]]
    assert x.var().data == pytest.approx(np.var([3.0, 1.0, 2.0, 5.0]))
    assert x.std(ddof=1).data == pytest.approx(np.std([3.0, 1.0, 2.0, 5.0], ddof=1))
    assert (x.max().data, x.min().data) == (5.0, 1.0)
    assert (x.argmax(), x.argmin(axis=0).tolist()) == (3, [1, 0])
    assert data(x.cumsum()).tolist() == [3.0, 4.0, 6.0, 11.0]
    assert data(x.clip(2.0, 4.0)).tolist() == [[3.0, 2.0], [2.0, 4.0]]
    assert x.argsort(axis=None).tolist() == [1, 2, 0, 3]
    assert data(x.round(1)).tolist() == [[3.0, 1.0], [2.0, 5.0]]
    assert data(x.dot(np.ones(2))).tolist() == [4.0, 7.0]
    assert x.trace().data == 8.0
    assert (bool(x.any()), bool(x.all())) == (True, True)
    x.sort(axis=1)
    assert data(x).tolist() == [[1.0, 3.0], [2.0, 5.0]]


def test_shapes_without_cells_and_without_dimensions() -> None:
    none = array_of([], (0,))
    assert np.sum(none) == 0.0
    assert none @ none == 0.0
    with pytest.raises(ValueError, match="zero-size"):
        np.max(none)
    point = array_of([Value(2.0)], ())
    assert isinstance(np.exp(point), Value)
    assert isinstance(point * 2.0, Value)
    assert np.linalg.det(array_of([], (0, 0))) == 1.0


def test_ufunc_methods_and_options() -> None:
    x = values(1.0, 4.0, 2.0)
    assert data(np.multiply.accumulate(x)).tolist() == [1.0, 4.0, 8.0]
    assert data(np.maximum.accumulate(x)).tolist() == [1.0, 4.0, 4.0]
    assert data(np.subtract.outer(x, x))[1].tolist() == [3.0, 0.0, 2.0]
    assert np.logaddexp.reduce(x).data == pytest.approx(np.logaddexp.reduce([1.0, 4.0, 2.0]))
    assert np.maximum.reduce(x.reshape(1, 3), axis=(0, 1), keepdims=True).shape == (1, 1)
    np.add.at(x, [0, 0], 1.0)
    assert x[0].data == 3.0
    out = np.zeros_like(x)
    assert np.exp(x, out=out) is out
    assert np.sum(x, where=np.array([True, False, True]), initial=0.0).data == 5.0
    assert np.greater(x, 3.5).dtype == bool
    assert np.logical_and.reduce(x)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda x: x.astype(float), r"x\.astype\(float64\)"),
        (lambda x: np.add(x, 1.0, out=np.zeros(3)), "dtype float64"),
        (lambda x: np.zeros(3).__iadd__(x), "write x = x \\+ y"),
        (lambda x: np.exp(x, where=np.array([True, False, True])), "numpy.where"),
        (lambda x: np.sum(x, dtype=float), "no dtype but object"),
        (lambda x: np.copyto(np.zeros(3), x), r"numpy\.copyto would write Values"),
        (lambda x: x * np.array([1j, 2.0, 3.0]), "complex128"),
        (lambda x: x + "a", "dtype <U1"),
        (lambda x: np.percentile(x, 10.0, method="weibull"), "method='weibull'"),
        (lambda x: np.cov(x, aweights=[1.0, 2.0, 3.0]), "aweights"),
        (lambda x: np.linalg.norm(x.reshape(1, 3), 2), "singular values"),
        (lambda x: x.tobytes(), "addresses"),
        (lambda x: np.asarray(x, dtype=float), "dtype=object"),
        (lambda x: np.zeros(3).__setitem__(0, x[0]), "dtype=object"),
        (lambda x: np.fft.fft(x), r"numpy\.fft\.fft"),
    ],
)
def test_what_would_lose_the_gradient_is_refused(run: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        run(values(1.0, 2.0, 3.0))


def test_text_shows_numbers_and_none_while_compiling() -> None:
    x = values(1.0, 2.5)
    assert repr(x) == "ValueArray([1.0, 2.5])"
    assert str(x) == "[1.0 2.5]"
    seen: list[str] = []

    def f(x: Any) -> Any:
        seen.append(repr(x))
        return x.sum()

    compile(f)(np.array([123.25, 2.0]))
    assert "123" not in seen[0]


def test_copies_keep_their_graph_and_pickles_their_class() -> None:
    x = values(1.0, 2.0)
    again = pickle.loads(pickle.dumps(x))
    assert type(again) is ValueArray
    assert data(again).tolist() == [1.0, 2.0]
    for twin in (copy.copy, copy.deepcopy, np.copy, np.array):
        found = grad(lambda x, twin=twin: np.sum(twin(x) ** 2))(X)
        assert found.tolist() == (2.0 * X).tolist()


def test_our_own_functions_go_cell_by_cell() -> None:
    assert grad(lambda x: np.sum(ag.stop_gradient(x) * x))(X).tolist() == X.tolist()
    assert (
        grad(lambda x: np.sum(ag.tanh(x)))(X).tolist()
        == grad(lambda x: np.sum(np.tanh(x)))(X).tolist()
    )
    chosen = grad(lambda x: np.sum(ag.where(ag.greater(x, 0.0), x * x, 3.0)))(X)
    assert chosen.tolist() == [1.0, 4.0, 0.0]
    assert data(ag.maximum(np.ones(2), values(0.5, 2.0))).tolist() == [1.0, 2.0]
    kernel = compile(lambda x: ag.sum(ag.where(ag.greater(x, 0.0), x, -x)), in_axes=0)
    assert kernel(np.array([X, -X])).tolist() == [4.0, 4.0]
    assert kernel.stats.guards == 0


def test_lists_of_values_in_functions_that_look_into_lists() -> None:
    def f(x: Any) -> Any:
        both = np.stack([x[0], x[1]]), np.append(x, x[0]), np.where(True, x[0], 1.0)
        parts = [*both, np.concatenate([x[:0], [x[2], 0.0]])]
        return sum(np.sum(np.exp(part)) for part in parts)

    assert grad(f)(X) == pytest.approx(np.exp(X) * np.array([4.0, 2.0, 2.0]))


def test_pythons_own_ways_through_arrays() -> None:
    assert grad(lambda x: np.sum(np.vectorize(lambda c: c * c)(x)))(X).tolist() == [1.0, 4.0, -3.0]
    assert grad(lambda x: sum(ag.exp(c) for c in x))(X).tolist() == np.exp(X).tolist()
    made = grad(lambda x: np.max(np.array([x[0] * x[1], x[2]], like=x)))(X)
    assert made.tolist() == [2.0, 0.5, 0.0]
    ufunc = np.frompyfunc(lambda c: c * 3.0, 1, 1)
    assert grad(lambda x: np.sum(ufunc(x)))(X).tolist() == [3.0, 3.0, 3.0]


# --------------------------------------------------------------------------------- compiled

KERNELS = {
    "maximum": lambda x: np.sum(np.maximum(x, 0.25) ** 2),
    "where": lambda x: np.sum(np.where(x > 0.0, np.log(np.abs(x)), x * x)),
    "solve": lambda x: np.sum(np.linalg.solve(np.diag(x) + 0.25, np.ones(3))),
    "std": lambda x: np.std(x) + np.median(x) + np.percentile(x, 30.0),
    "sort": lambda x: np.sort(x) @ np.arange(3.0),
    "logaddexp": lambda x: np.logaddexp.reduce(x),
    "interp": lambda x: np.sum(np.interp(x, [-1.0, 0.0, 1.0], [2.0, 3.0, 5.0])),
    "norm": lambda x: np.linalg.norm(x) + np.linalg.det(np.outer(x, x) + np.eye(3)),
    "nan": lambda x: np.nansum(x) + np.sum(np.nan_to_num(x, nan=2.0)),
}
POINTS = [X, np.array([1.0, 1.0, 2.0]), np.array([0.25, math.nan, -3.0]), -X]


@pytest.mark.parametrize("name", KERNELS)
def test_compiled_has_the_bits_of_eager(name: str) -> None:
    f = KERNELS[name]
    kernel = compile(f)
    for point in POINTS * 2:  # every path a second time
        expected = value_and_grad(f)(point)
        found = kernel.value_and_grad(point)
        assert np.array_equal(expected[0], found[0], equal_nan=True)
        assert np.array_equal(expected[1], found[1], equal_nan=True)


# ------------------------------------------------------------------------------ other libraries


def test_special_functions_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.array([0.5, 2.0, 1.5])
    cases: list[Any] = [
        *[
            getattr(special, n)
            for n in [
                "erf",
                "erfc",
                "expit",
                "log_expit",
                "gammaln",
                "digamma",
                "psi",
            ]
        ],
        *[getattr(special, n) for n in ["expm1", "log1p", "cbrt", "exp2", "exp10", "ndtr"]],
        lambda z: special.logit(z / 4.0),
        lambda z: special.xlogy(z, z),
        lambda z: special.xlog1py(z, z),
    ]
    for f in cases:
        cells = values(*x)
        assert np.allclose(data(f(cells)), f(x), rtol=1e-13)
        slopes = grad(lambda z, f=f: np.sum(f(z)))(x)
        assert np.allclose(slopes, (f(x + 1e-6) - f(x - 1e-6)) / 2e-6, rtol=1e-7)
    with pytest.raises(TypeError, match=r"scipy\.special\.jv"):
        special.jv(1.0, values(1.0))
    assert special.xlogy(values(0.0), 0.0)[0].data == 0.0


def test_tables_go_in_as_arguments_and_rows() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert grad(lambda c: np.sum(c * c))(table["a"]).tolist() == [2.0, 4.0]
    assert grad(lambda t: np.sum(t["a"] * t["b"]))({"a": table["a"], "b": table["b"]})[
        "a"
    ].tolist() == [3.0, 4.0]
    assert grad(np.sum)(table).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    kernel = compile(lambda w, x: w * x, in_axes=(None, 0), reduce="sum")
    assert kernel(2.0, table["b"]) == 14.0
    assert kernel(2.0, pandas.Series([1, 2])) == 6.0
    assert compile(lambda c: np.sum(c))(table["a"]) == 3.0
    with pytest.raises(TypeError) as refused:
        grad(np.sum)(pandas.Series(["left", "right"], name="secret"))
    assert "right" not in str(refused.value)  # one entry is named, the data are not printed


def test_rows_of_integers_are_numbers() -> None:
    kernel = compile(lambda x: x * x, in_axes=0)
    for _ in range(2):
        assert kernel(np.arange(3)).tolist() == [0.0, 1.0, 4.0]
