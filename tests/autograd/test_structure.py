"""Nested arguments and arrays: what `f` receives, what comes back, what is left alone."""

import collections
import dataclasses
import typing
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, _structure, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd._structure import Structure, holds_values, strip


@dataclasses.dataclass
class Plain:
    w: float
    parts: list


@dataclasses.dataclass(frozen=True)
class Frozen:
    w: float
    n: int
    name: str = "layer"


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    w: float
    inner: Frozen


@dataclasses.dataclass
class Strict:
    """Refuses in `__init__` what is not a float; what is put together again is not asked."""

    w: float
    twice: float = dataclasses.field(init=False)

    def __post_init__(self):
        if not isinstance(self.w, float):
            raise TypeError("w must be a float")
        self.twice = 2.0 * self.w


class Point(typing.NamedTuple):
    x: float
    y: float


# --------------------------------------------------------------------------- containers


@pytest.mark.parametrize(
    ("f", "p", "want"),
    [
        (lambda p: p[0] * p[1], (2.0, 3.0), (3.0, 2.0)),
        (lambda p: p[0] * p[1], [2.0, 3.0], [3.0, 2.0]),
        (lambda p: p["x"] * p["y"], {"y": 2.0, "x": 3.0}, {"y": 3.0, "x": 2.0}),
        (lambda p: p.x * p.y, Point(2.0, 3.0), Point(3.0, 2.0)),
        (lambda p: p.w * p.parts[1], Plain(2.0, ["a", 3.0]), Plain(3.0, ["a", 2.0])),
        (lambda p: p.w**p.n, Frozen(2.0, 3), Frozen(12.0, 3)),
        (
            lambda p: p.w * p.inner.w,
            Slotted(2.0, Frozen(3.0, 1, "z")),
            Slotted(3.0, Frozen(2.0, 1, "z")),
        ),
        (
            lambda p: p[0] * p[1],
            collections.deque([2.0, 3.0], maxlen=5),
            collections.deque([3.0, 2.0], maxlen=5),
        ),
        (
            lambda p: p["b"] * p["a"],
            collections.OrderedDict(b=2.0, a=3.0),
            collections.OrderedDict(b=3.0, a=2.0),
        ),
        (lambda p: p[1] * p["k"], {1: 2.0, "k": 3.0}, {1: 3.0, "k": 2.0}),
        (
            lambda p: p[0][1]["a"][0].x * p[1],
            ((1, {"a": [Point(2.0, 5.0)]}), 3.0),
            ((1, {"a": [Point(3.0, 0.0)]}), 2.0),
        ),
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_result_has_the_arguments_structure(f, p, want):
    found = grad(f)(p)
    assert found == want
    assert type(found) is type(want)
    assert value_and_grad(f)(p) == (f(p), want)
    if isinstance(p, dict):
        assert list(found) == list(p)
    if isinstance(p, collections.deque):
        assert found.maxlen == 5


def test_a_dataclass_is_put_together_without_its_init():
    found = grad(lambda p: p.w * p.twice)(Strict(3.0))
    assert (type(found), found.w, found.twice) == (Strict, 6.0, 3.0)


def test_what_is_no_float_is_left_alone():
    class Thing:
        pass

    thing, words = Thing(), np.array(["a", "b"])
    p = {
        "x": 2.0,
        "n": 3,
        "s": "t",
        "b": True,
        "none": None,
        "o": thing,
        "i": np.arange(3),
        "w": words,
        "f": len,
    }

    def f(p):
        assert p["i"].dtype.kind == "i"
        assert p["none"] is None
        return p["x"] ** p["n"] * p["i"].sum()

    found = grad(f)(p)
    assert found.keys() == p.keys()
    assert found["x"] == 36.0
    for key in set(p) - {"x"}:
        assert found[key] is p[key]


def test_subclasses_of_containers_are_refused():
    class Mine(list):
        pass

    with pytest.raises(TypeError, match=r"argument 0 is \[1.0\] \(Mine\), which holds a number at"):
        grad(lambda p: p[0])(Mine([1.0]))
    with pytest.raises(TypeError, match=r"argument 0\[1\] is"):
        grad(lambda p: p[0] * p[1][0])([2.0, Mine([5.0])])
    p = [2.0, Mine(["a", 5])]  # no number to differentiate by
    assert grad(lambda p: p[0] * p[1][1])(p) == [5.0, p[1]]
    assert holds_values(Mine([Value(1.0)])) is True
    assert strip({"a": Mine([1.0])}) == {"a": [1.0]}


def test_a_number_in_two_places_counts_twice():
    x = 3.0
    assert grad(lambda p: p[0] * p[1] * p[1])([x, x]) == [9.0, 18.0]
    inner = [2.0]
    assert grad(lambda p: p[0][0] ** 2 + 5.0 * p[1][0])((inner, inner)) == ([4.0], [5.0])


def test_the_argument_itself_is_not_changed():
    a = np.array([1.0, 2.0])
    p = {"a": a, "l": [3.0]}

    def f(p):
        p["a"][0] = p["l"][0] * 2.0
        p["l"].append(1.0)
        p["new"] = 1.0
        return p["a"].sum() * 1.0

    found = grad(f)(p)
    assert a.tolist() == [1.0, 2.0]
    assert list(p) == ["a", "l"]
    assert p["l"] == [3.0]
    assert found["a"].tolist() == [0.0, 1.0]
    assert found["l"] == [2.0]


@pytest.mark.parametrize("empty", [[], (), {}, [[], {}], [None], np.zeros(0), np.zeros((0, 3))])
def test_empty_arguments_have_empty_gradients(empty):
    found = grad(lambda p: 3.0)(empty)
    assert type(found) is type(empty)
    if isinstance(empty, np.ndarray):
        assert found.shape == empty.shape
        assert found.dtype == np.float64
        assert hessian(lambda p: 3.0)(empty).shape == empty.shape * 2
        assert jacobian(lambda p: np.array([1.0, 2.0]))(empty).shape == (2, *empty.shape)
    else:
        assert found == empty


# ------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize(
    "x",
    [
        np.array([1.0, 2.0, 3.0]),
        np.arange(6.0).reshape(2, 3),
        np.arange(8.0).reshape(2, 2, 2),
        np.array(2.5),
        np.array([1.5, 2.5], dtype=np.float32),
        np.array([1.5], dtype=np.float16),
        np.array([1.5], dtype=np.longdouble),
        np.arange(12.0).reshape(3, 4)[:, ::2].T,
        np.arange(3.0)[::-1],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(np.array([1.0, 2.0]), (3, 2)),
        np.array([1.0, 2.0], dtype=object),
        np.array([1.0, 2.0], dtype=">f8"),
    ],
    ids=lambda x: f"{x.dtype}-{x.shape}",
)
def test_any_array_of_floats(x):
    seen = []

    def f(v):
        seen.append(v)
        return np.sum(v * v * v)

    found = grad(f)(x)
    assert isinstance(seen[0], np.ndarray)
    assert seen[0].dtype == object
    assert seen[0].shape == found.shape == x.shape
    assert all(isinstance(v, Value) for v in seen[0].ravel())
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, 3.0 * np.asarray(x, dtype=float) ** 2, rtol=1e-15)
    h = hessian(f)(x)
    assert h.shape == x.shape * 2
    flat = np.asarray(x, dtype=float).ravel()
    np.testing.assert_allclose(h.reshape(flat.size, flat.size), np.diag(6.0 * flat), rtol=1e-15)


@pytest.mark.parametrize("x", [np.float64(2.0), np.float32(2.0), np.float16(2.0), np.longdouble(2)])
def test_numpy_scalars_are_floats(x):
    assert grad(lambda x: x * x)(x) == 4.0
    assert type(grad(lambda x: x * x)(x)) is float


def test_numpy_scalars_as_constants_leave_no_trace():
    big = np.float64(1e308)
    for f in (
        lambda x: x * big * big,
        lambda x: big * x + big * x,
        lambda x: ag.mul(ag.mul(x, big), big),
        lambda x: ag.where(1.0, x * x, np.float64(2.0)) / np.float64(0.0),
        lambda x: (x + np.float64(1.0)) ** np.float64(5000.0),
    ):
        value, gradient = value_and_grad(f)(np.float64(2.0))  # warnings would be errors
        assert type(value) is type(gradient) is float
        assert value == np.inf
    assert type(Value(np.float64(2.0)).data) is float
    assert type((Value(1.0) * np.float64(2.0)).operands[1]) is float


A = np.arange(6.0).reshape(3, 2) / 7.0 - 0.3
FUNCTIONS = {
    "index": lambda x, np: x[0] * x[2] + x[-1],
    "slice": lambda x, np: (x[1:] * x[:-1]).sum(),
    "mask": lambda x, np: x[np.array([True, False, True])].sum(),
    "fancy": lambda x, np: (x[[0, 0, 2]] * x[[1, 2, 2]]).sum(),
    "sum": lambda x, np: x.sum() * np.sum(x * x),
    "mean": lambda x, np: x.mean() * np.mean(x),
    "prod": lambda x, np: x.prod() + np.prod(x),
    "matmul": lambda x, np: (x @ A).sum() ** 2,
    "rmatmul": lambda x, np: (A.T @ x)[0] * (A.T @ x)[1],
    "dot": lambda x, np: np.dot(x, x) * np.dot(x, np.array([1.0, 2.0, 3.0])),
    "outer": lambda x, np: (np.outer(x, x) * A[:, :1]).sum(),
    "trace": lambda x, np: np.trace(np.outer(x, x)),
    "cumsum": lambda x, np: (np.cumsum(x) ** 2).sum(),
    "power": lambda x, np: (np.power(x, 3) + x**2 + np.square(x)).sum(),
    "stack": lambda x, np: np.concatenate([x, x * x]).reshape(2, 3)[1].sum(),
    "where": lambda x, np: np.where(x > 0.45, x * x, x).sum(),
    "maximum": lambda x, np: np.maximum(x, 0.45).sum() + np.minimum(x, 0.45).sum() ** 2,
    "max": lambda x, np: np.max(x) * np.min(x),
    "norm": lambda x, np: np.sqrt((x * x).sum()) + np.linalg.norm(x),
    "einsum": lambda x, np: np.einsum("i,ij,j->", x, A @ A.T, x),
    "abs": lambda x, np: np.abs(x - 0.5).sum(),
    "broadcast": lambda x, np: (x[:, None] * A + x[None, :] @ A).sum(),
    "sort": lambda x, np: np.sort(x)[::-1] @ np.array([1.0, 2.0, 3.0]),
    "hypot": lambda x, np: np.hypot(x[0], x[1]) + np.arctan2(x[1], x[2]),
    **{
        name: (lambda x, np, name=name: getattr(np, name)(x).sum())
        for name in [
            "exp",
            "exp2",
            "expm1",
            "log",
            "log2",
            "log10",
            "log1p",
            "sqrt",
            "cbrt",
            "sin",
            "cos",
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "sinh",
            "cosh",
            "tanh",
            "arcsinh",
            "arctanh",
            "absolute",
            "fabs",
            "negative",
        ]
    },
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_works_on_arrays_of_values(name):
    f = FUNCTIONS[name]
    x = np.array([0.4, 0.7, 0.2])
    value, gradient = value_and_grad(lambda x: f(x, np))(x)
    assert value == pytest.approx(float(f(x, np)), rel=1e-14)
    h = 1e-6
    for i in range(3):
        e = h * np.eye(3)[i]
        slope = (f(x + e, np) - f(x - e, np)) / (2 * h)
        assert gradient[i] == pytest.approx(float(slope), rel=1e-8, abs=1e-9)


def test_writing_into_arrays():
    def f(x):
        x[0] = x[1] * x[2]
        x[1:] *= 2.0
        x += 1.0
        y = np.zeros(2, dtype=object)
        y[0] = x[0]
        return y.sum() * x[2]

    assert grad(f)(np.array([9.0, 2.0, 3.0])).tolist() == [0.0, 3.0 * 7.0, 2.0 * 7.0 + 7.0 * 2.0]


def test_writing_a_value_into_an_array_of_floats_says_why_not():
    def f(x):
        y = np.zeros(2)
        y[0] = x[0]
        return y.sum()

    with pytest.raises(TypeError, match="silently drop the gradient"):
        grad(f)(np.array([1.0, 2.0]))


def test_arrays_of_objects():
    x = np.array([Value(1.0), 2.0], dtype=object)
    found = grad(lambda x: (x * x).sum())(x)
    assert found.dtype == object
    assert [v.data for v in found] == [2.0, 4.0]
    with pytest.raises(TypeError, match="an array entry must be a real number, not 'a'"):
        grad(lambda x: x.sum())(np.array(["a", 1.0], dtype=object))


# ------------------------------------------------------------------------------- blocks


def test_jacobian_of_array_by_array_joins_the_shapes():
    x = np.arange(6.0).reshape(2, 3)
    found = jacobian(lambda x: x @ np.ones((3, 4)) * x[0, 0])(x)
    assert found.shape == (2, 4, 2, 3)
    assert found.dtype == np.float64
    assert jacobian(lambda x: x.sum())(x).shape == (2, 3)
    assert jacobian(lambda t: np.array([t, t * t]))(3.0).tolist() == [1.0, 6.0]
    assert jacobian(lambda x: np.array(x[0] * x[1]))(np.array([2.0, 3.0])).tolist() == [3.0, 2.0]


def test_jacobian_in_nested_structure():
    def f(p):
        return {"u": p["a"] * p["b"].sum(), "v": [np.array([p["a"], 1.0]), 7]}

    found = jacobian(f)({"a": 2.0, "b": np.array([3.0, 4.0]), "n": 5})
    assert found["u"]["a"] == 7.0
    assert found["u"]["b"].tolist() == [2.0, 2.0]
    assert found["v"][0]["a"].tolist() == [1.0, 0.0]
    assert found["v"][0]["b"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert found["v"][1] == {"a": 0.0, "b": pytest.approx(np.zeros(2)), "n": 5}


def test_directions_and_pullbacks_in_nested_structure():
    def f(p, q):
        return Point(p["x"] * q[0], p["y"][1] ** 2)

    primals = ({"x": 2.0, "y": np.array([3.0, 4.0]), "n": 1}, [5.0])
    out, tangent = jvp(f, primals, ({"x": 1.0, "y": np.array([0.0, 1.0]), "n": 0}, [10.0]))
    assert out == Point(10.0, 16.0)
    assert tangent == Point(25.0, 8.0)
    p, q = vjp(f, *primals)[1](Point(1.0, 2.0))
    assert (p["x"], p["y"].tolist(), p["n"], q) == (5.0, [0.0, 16.0], 1, [2.0])
    found = hvp(
        lambda p: p["x"] ** 2 * p["y"][0],
        primals[:1],
        ({"x": 1.0, "y": np.array([1.0, 0.0]), "n": 0},),
    )
    assert (found["x"], found["y"].tolist()) == (2 * 3.0 + 2 * 2.0, [4.0, 0.0])


def test_structure_knows_what_matches():
    s = Structure({"a": 1.0, "b": [np.zeros((2, 2)), "text"]})
    assert s.match({"a": 1, "b": [np.eye(2), "other"]}) == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert s.match({"a": 1.0, "b": [np.zeros(4), "text"]}) is None
    assert s.match({"a": "1.0", "b": [np.zeros((2, 2)), "text"]}) is None
    assert s.match([1.0]) is None
    assert Structure(1.0).match(True) is None


# -------------------------------------------------------- random functions x random structures

numbers = st.floats(-1.5, 1.5, allow_subnormal=False)
arrays = st.lists(numbers, max_size=3).map(np.array) | st.lists(
    numbers, min_size=4, max_size=4
).map(lambda x: np.array(x).reshape(2, 2))
others = st.none() | st.integers(-3, 3) | st.text(max_size=2) | st.booleans()
structures = st.recursive(
    numbers | arrays | others,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Plain, inner, st.lists(inner, max_size=2))
        | st.builds(Slotted, inner, st.builds(Frozen, inner, st.integers()))
    ),
    max_leaves=8,
)


def entries(p):
    """All floats and Values in `p`, found without the library under test."""
    if isinstance(p, (float, Value)):
        return [p]
    if isinstance(p, np.ndarray):
        return [x for x in p.ravel().tolist() if isinstance(x, (float, Value))]
    if isinstance(p, dict):
        return [x for key in sorted(p) for x in entries(p[key])]
    if isinstance(p, (list, tuple)):
        return [x for part in p for x in entries(part)]
    if dataclasses.is_dataclass(p):
        return [x for field in dataclasses.fields(p) for x in entries(getattr(p, field.name))]
    return []


UNARY = [ag.sin, ag.tanh, ag.exp, ag.softplus, ag.erf, abs, ag.relu, lambda x: x * x, ag.atan]
BINARY = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x - y,
    ag.maximum,
    lambda x, y: x / (2.0 + y * y),
    lambda x, y: ag.where(ag.greater(x, y), x, y * x),
]
steps = st.lists(
    st.tuples(st.sampled_from(UNARY), st.sampled_from(BINARY), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


def program(steps, xs):
    pool = list(xs)
    for unary, binary, i in steps:
        pool.append(binary(unary(pool[i % len(pool)]), pool[(i * 7 + 3) % len(pool)]))
    return ag.sum(x * (1.0 + 0.1 * i) for i, x in enumerate(pool))


@settings(max_examples=100)
@given(p=structures, steps=steps)
def test_random_functions_of_random_structures(p, steps):
    flat = entries(p)
    if not flat:
        return
    # The reference: the same program on leaves, by backward().
    leaves = [Value(x) for x in flat]
    y = program(steps, leaves)
    y.backward()
    value, found = value_and_grad(lambda p: program(steps, entries(p)))(p)
    assert value == y.data
    assert entries(found) == [leaf.grad for leaf in leaves]
    assert Structure(found)._shapes == Structure(p)._shapes
    assert type(found) is type(p)
    direction = Structure(p).result([0.5 + 0.25 * i for i in range(len(flat))])
    out, tangent = jvp(lambda p: program(steps, entries(p)), (p,), (direction,))
    assert out == y.data
    want = sum(leaf.grad * (0.5 + 0.25 * i) for i, leaf in enumerate(leaves))
    scale = 1.0 + sum(abs(leaf.grad) for leaf in leaves)
    assert tangent == pytest.approx(want, rel=1e-12, abs=1e-12 * scale)
    product = hvp(lambda p: program(steps, entries(p)), (p,), (direction,))
    n = len(flat)
    rows = hessian(lambda x: program(steps, x))(flat)
    want = [sum(rows[i][j] * (0.5 + 0.25 * j) for j in range(n)) for i in range(n)]
    size = 1.0 + max(abs(x) for row in rows for x in row)
    np.testing.assert_allclose(entries(product), want, rtol=1e-9, atol=1e-11 * size)


def test_registering_twice_is_harmless():
    """An interrupt may come between telling optree and taking a note of it."""

    @dataclasses.dataclass
    class Pair:
        x: float
        y: float

    assert grad(lambda p: p.x * p.y)(Pair(2.0, 3.0)) == Pair(3.0, 2.0)
    _structure._registered.discard(Pair)
    assert _structure._register_dataclasses({Pair})
    assert Pair in _structure._registered
    assert grad(lambda p: p.x * p.y)(Pair(2.0, 3.0)) == Pair(3.0, 2.0)


# -------------------------------------------------------------------- what is a number

NUMBERS = [
    3,
    np.int64(3),
    np.int8(3),
    np.uint32(3),
    np.float16(3),
    np.float32(3),
    np.float64(3),
    np.longdouble(3),
    np.array(3),
    np.array(3.0),
    Fraction(3),
    Value(3.0),
]


@pytest.mark.parametrize("three", NUMBERS, ids=lambda x: f"{type(x).__name__}")
def test_constants_of_every_kind_have_derivative_zero(three):
    with pytest.warns(UserWarning, match="does not depend"):
        assert grad(lambda x: three)(2.0) == 0.0
    for found in (
        jacobian(lambda x: [three, x])(2.0),
        jacobian(lambda x: [three, x], mode="forward")(2.0),
        jvp(lambda x: [three, x], (2.0,), (1.0,))[1],
        ag.compile(lambda x: [three, x]).jacobian(2.0),
    ):
        assert [*map(float, found)] == [0.0, 1.0]
    assert ag.compile(lambda x: three).grad(2.0) == 0.0


@pytest.mark.parametrize("three", NUMBERS[:-1], ids=lambda x: f"{type(x).__name__}")
def test_numbers_of_every_kind_are_tangents_and_cotangents(three):
    assert jvp(lambda x: x * x, (2.0,), (three,)) == (4.0, 12.0)
    assert jvp(lambda x: x[0] * x[1], ([2.0, 5.0],), ([three, 0],)) == (10.0, 15.0)
    assert vjp(lambda x: x * x, 2.0)[1](three) == (12.0,)
    assert hvp(lambda x: x * x * x, (2.0,), (three,)) == 36.0
    assert grad(lambda x: x * three)(2.0) == 3.0


@pytest.mark.parametrize("three", NUMBERS[4:-1], ids=lambda x: f"{type(x).__name__}")
def test_floats_of_every_kind_are_arguments(three):
    whole = isinstance(three, np.ndarray) and three.dtype.kind == "i"
    if whole:
        with pytest.raises(TypeError, match="holds no float"):
            grad(lambda x: x * x)(three)
        return
    assert grad(lambda x: x * x)(three) == 6.0
    assert grad(lambda p: p["a"] * p["b"])({"a": three, "b": 2.0}) == {"a": 2.0, "b": 3.0}
    assert ag.compile(lambda x: x * x).grad(three) == 6.0


@pytest.mark.parametrize("empty", [{"a": np.zeros(0)}, [np.zeros((0, 2)), []], (np.zeros(0), 3)])
def test_empty_arrays_inside_have_empty_gradients(empty):
    found = grad(lambda p: 3.0)(empty)
    assert repr(found) == repr(empty)
    assert jvp(lambda p: 3.0, (empty,), (empty,)) == (3.0, 0.0)
    hessian(lambda p: 3.0)(empty)


def test_stop_gradient_of_many_says_how():
    with pytest.raises(TypeError, match=r"apply it to each: \[stop_gradient\(v\) for v in x\]$"):
        ag.stop_gradient([1.0])
    with pytest.raises(TypeError, match=r"numpy\.frompyfunc\(stop_gradient, 1, 1\)\(x\)"):
        ag.stop_gradient(np.ones(2))
    assert grad(lambda x: (x * np.frompyfunc(ag.stop_gradient, 1, 1)(x)).sum())(
        np.array([2.0, 3.0])
    ).tolist() == [2.0, 3.0]
