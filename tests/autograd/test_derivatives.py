"""Derivative functions: values, orders, nesting, arguments, messages, and that nothing is left."""

import functools
import gc
import itertools
import math
import operator
import random
import threading
import tracemalloc
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    Value,
    check_graph,
    differentiate,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    topological_order,
    value_and_grad,
    vjp,
)
from autograd._primitive import watch

REVERSE = {
    "grad": grad,
    "value_and_grad": value_and_grad,
    "hessian": hessian,
    "jacobian": jacobian,
}


def ulps(x, y):
    return 0.0 if x == y else abs(x - y) / math.ulp(max(abs(x), abs(y)))


# ------------------------------------------------------------------------- against mathematics

# For these the definition is no function of a multi-precision number in every argument, or every
# derivative is zero and mpmath's difference of equal numbers is, too.
FLAT = {"sign", "stop_gradient", "greater", "floor", "ceil", "round"}
HIGHER = [
    pytest.param(row, i, order, id=f"{row.name}-{i}-{order}")
    for row in ag.primitives().values()
    if row.exact is not None and row.name not in FLAT
    for i in range(row.arity)
    if row.partials[i] is not None and not (row.name == "polygamma" and i == 0)
    for order in (1, 2, 3, 4)
]


@pytest.mark.parametrize(("row", "i", "order"), HIGHER)
def test_orders_one_to_four_are_mpmaths(row, i, order):
    rng = random.Random(f"{row.name} {i}")
    derivative = row
    for _ in range(order):
        derivative = grad(derivative, argnums=i)
    with mpmath.workdps(80), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # higher derivatives of a sum are independent of it
        for _ in range(4):
            args = [rng.uniform(*interval) for interval in row.domain]
            exact = [mpmath.mpf(x) for x in args]

            def f(x, exact=exact):
                return row.exact(mpmath, *exact[:i], x, *exact[i + 1 :])

            want = mpmath.diff(f, exact[i], order)
            assert abs(derivative(*args) - want) <= 1e-10 * abs(want) + mpmath.mpf(10) ** -60


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in ag.primitives().values()
        if row.arity == 2
        and all(row.partials)
        and row.name not in ("polygamma", "maximum", "minimum", "fmod")  # not smooth in both
    ],
    ids=lambda row: row.name,
)
def test_mixed_third_derivative_is_mpmaths(row):
    rng = random.Random(row.name)
    with mpmath.workdps(80), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            args = [rng.uniform(*interval) for interval in row.domain]
            want = mpmath.diff(lambda x, y: row.exact(mpmath, x, y), tuple(args), (1, 2))
            found = grad(grad(grad(row, argnums=0), argnums=1), argnums=1)(*args)
            assert abs(found - want) <= 1e-10 * abs(want) + mpmath.mpf(10) ** -60


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(x)])


def rosenbrock_hessian(x):
    """By hand."""
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i + 1, i + 1] += 200.0
        h[i, i + 1] = h[i + 1, i] = -400.0 * x[i]
    return h


@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_hessian_of_rosenbrock(n):
    x = np.random.default_rng(n).normal(size=n)
    found = hessian(rosenbrock)(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, rosenbrock_hessian(x), rtol=1e-13, atol=1e-11)
    np.testing.assert_array_equal(found == 0.0, rosenbrock_hessian(x) == 0.0)
    assert hessian(rosenbrock)(list(x)) == found.tolist()
    v = np.linspace(-1.0, 1.0, n)
    np.testing.assert_allclose(hvp(rosenbrock, (x,), (v,)), found @ v, rtol=1e-11, atol=1e-9)


def test_hessian_of_several_arguments_is_one_symmetric_matrix_in_blocks():
    def f(x, p):
        return x * x * p["a"] + ag.sin(x * p["b"][0]) * p["b"][1]

    args = (0.7, {"a": 1.3, "b": np.array([0.4, -2.0])})
    (xx, xp), p = hessian(f, argnums=(0, 1))(*args)
    (ax, ap), (bx, bp) = p["a"], p["b"]
    assert xx == pytest.approx(2 * 1.3 - (-2.0) * 0.16 * math.sin(0.28), rel=1e-14)
    assert xp["a"] == ax == pytest.approx(1.4)
    np.testing.assert_allclose(xp["b"], bx, rtol=1e-15)
    assert ap["a"] == 0.0
    assert ap["b"].tolist() == bp["a"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(bp["b"], bp["b"].T)
    assert bp["b"][0, 1] == pytest.approx(math.cos(0.28) * 0.7, rel=1e-14)


# ------------------------------------------------------------------------------ modes agree

SMOOTH = [
    lambda x, y: ag.exp(x * y) / (1.0 + y * y),
    lambda x, y: ag.tanh(x) * ag.sin(y) + x**3 * y,
    lambda x, y: ag.log(1.0 + x * x + y * y) ** 2,
    lambda x, y: ag.atan2(y, x + 4.0) * ag.hypot(x, y),
    lambda x, y: ag.logsumexp([x, y, x * y]),
    lambda x, y: ag.where(ag.greater(x, y), x * x * y, ag.erf(y) * x),
    lambda x, y: (2.0 + x * x) ** y - ag.lgamma(3.0 + ag.cos(x * y)),
]
number = st.floats(-2.0, 2.0, allow_subnormal=False)


@settings(max_examples=60)
@given(f=st.sampled_from(SMOOTH), x=number, y=number, u=number, v=number)
def test_forward_is_reverse_to_the_last_ulps(f, x, y, u, v):
    out, tangent = jvp(f, (x, y), (u, v))
    same, pullback = vjp(f, x, y)
    gx, gy = pullback(1.0)
    assert out == same
    scale = abs(gx * u) + abs(gy * v)
    terms = sum(abs(t) for t in (jvp(f, (x, y), (u, 0.0))[1], jvp(f, (x, y), (0.0, v))[1]))
    # The sums run in another order: ulps of the largest terms, not of what cancels.
    assert abs(tangent - (gx * u + gy * v)) <= 64 * math.ulp(scale + terms + 1.0)


@pytest.mark.filterwarnings("ignore:.*does not depend")  # a derivative may be constant
@settings(max_examples=60)
@given(f=st.sampled_from(SMOOTH), x=number, y=number)
def test_all_orders_of_modes_agree(f, x, y):
    def forward(g, i):
        return lambda *args: jvp(g, args, (float(i == 0), float(i == 1)))[1]

    def reverse(g, i):
        return grad(g, argnums=i)

    h = hessian(f, argnums=(0, 1))(x, y)
    for i, j in itertools.product((0, 1), repeat=2):
        found = [
            outer(inner(f, i), j)(x, y)
            for outer in (forward, reverse)
            for inner in (forward, reverse)
        ]
        found.append(hvp(f, (x, y), (float(i == 0), float(i == 1)))[j])
        found.append(h[i][j])
        third = [
            a(b(c(f, i), j), 0)(x, y)
            for a in (forward, reverse)
            for b in (forward, reverse)
            for c in (forward, reverse)
        ]
        for values in (found, third):
            spread = max(values) - min(values)
            assert spread <= 1e-11 * (1.0 + max(map(abs, values)))


@settings(max_examples=40)
@given(x=st.lists(number, min_size=1, max_size=5), m=st.integers(1, 5))
def test_jacobian_is_the_same_in_both_modes(x, m):
    def f(x):
        return [ag.sin(sum(x) * float(i)) + x[i % len(x)] ** 2 for i in range(m)]

    forward = jacobian(f, mode="forward")(x)
    reverse = jacobian(f, mode="reverse")(x)
    auto = jacobian(f)(x)
    np.testing.assert_allclose(forward, reverse, rtol=1e-13, atol=1e-13)
    assert auto == (forward if len(x) < m else reverse)


def test_auto_sweeps_forward_when_inputs_are_fewer(monkeypatch):
    import autograd.derivatives as module

    calls = []
    for name in ("tangents", "cotangents"):
        real = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))[1]
        )
    jacobian(lambda x: [x, x * x, x**3])(2.0)
    assert calls == ["tangents"]
    calls.clear()
    jacobian(lambda x: [x[0] * x[1]])([2.0, 3.0])
    assert calls == ["cotangents"]


def test_pullback_may_be_called_again_and_within_other_calls():
    out, pullback = vjp(lambda x, y: (x * y, x + y), 2.0, 5.0)
    assert out == (10.0, 7.0)
    assert pullback((1.0, 0.0)) == (5.0, 2.0)
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert pullback((0.0, 1)) == (1.0, 1.0)
    (a, b) = pullback((Value(2.0), 1.0))
    assert (a.data, b.data) == (11.0, 5.0)


# ------------------------------------------------------------------ conventions at every order


def orders(f, x, n):
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(n + 1):
            found.append(f(x))
            f = grad(f)
    return found


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (lambda x: x**2, -3.0, [9.0, -6.0, 2.0, 0.0, 0.0]),
        (lambda x: x**2.0, 0.0, [0.0, 0.0, 2.0, 0.0, 0.0]),
        (lambda x: x**3, 0.0, [0.0, 0.0, 0.0, 6.0, 0.0]),
        (lambda x: x**0, -3.0, [1.0, 0.0, 0.0, 0.0]),
        (lambda x: x**0.0, 0.0, [1.0, 0.0, 0.0, 0.0]),
        (lambda x: ag.pow(x, 0.0) * x, 0.0, [0.0, 1.0, 0.0, 0.0]),
        (lambda x: 0.0**x, 2.0, [0.0, 0.0, 0.0, 0.0]),
        (lambda x: 0.0**x, 0.0, [1.0, 0.0, 0.0, 0.0]),
        (abs, 0.0, [0.0, 0.0, 0.0]),
        (abs, -3.0, [3.0, -1.0, 0.0]),
        (lambda x: abs(x) * x, -3.0, [-9.0, 6.0, -2.0, 0.0]),
        (lambda x: ag.maximum(x * x, x + 2.0), 2.0, [4.0, 2.5, 1.0, 0.0]),
        (lambda x: ag.minimum(x * x, x + 2.0), 2.0, [4.0, 2.5, 1.0, 0.0]),
        (lambda x: ag.maximum(x, x), 2.0, [2.0, 1.0, 0.0]),
        (lambda x: ag.where(0.0, ag.log(x), x * x), 0.0, [0.0, 0.0, 2.0, 0.0]),
        (lambda x: ag.where(x, ag.sqrt(x), 0.0), 0.0, [0.0, 0.0, 0.0]),
        (ag.relu, 0.0, [0.0, 0.0, 0.0]),
        (lambda x: ag.relu(x) ** 3, 2.0, [8.0, 12.0, 12.0, 6.0, 0.0]),
        (ag.sqrt, 0.0, [0.0, math.inf, -math.inf]),
        (lambda x: 0.0 * ag.sqrt(x), 0.0, [0.0, math.nan]),
        (lambda x: ag.stop_gradient(x) * x, 3.0, [9.0, 3.0, 0.0]),
        (lambda x: ag.floor(x) * x, 2.5, [5.0, 2.0, 0.0]),
        (lambda x: ag.fmod(x, 2.0) ** 2, 5.0, [1.0, 2.0, 2.0, 0.0]),
        (lambda x: ag.div(1.0, x), 0.0, [math.inf, -math.inf, math.inf]),
        (ag.exp, 1000.0, [math.inf] * 4),
        (ag.exp, -1000.0, [0.0] * 4),
    ],
)
def test_conventions_hold_at_every_order(f, x, want):
    found = orders(f, x, len(want) - 1)
    if math.isnan(want[-1]):  # 0 * inf is not a number, as IEEE has it: not our zero but the user's
        assert found[:-1] == want[:-1]
        assert math.isnan(found[-1]) or found[-1] == 0.0
    else:
        assert found == want


def test_conventions_hold_forward_too():
    for f, x, want in [
        (lambda x: x**2, -3.0, 2.0),
        (lambda x: ag.where(0.0, ag.log(x), x * x), 0.0, 2.0),
        (lambda x: ag.maximum(x * x, x + 2.0), 2.0, 1.0),
        (lambda x: abs(x) * x, -3.0, -2.0),
        (lambda x: x**3, 0.0, 0.0),
    ]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            twice = jvp(lambda x, f=f: jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1]
            assert [twice, hvp(f, (x,), (1.0,)), hessian(f)(x)] == [want] * 3


# --------------------------------------------------------------------------------- nesting


def test_no_perturbation_confusion():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(3.0) == 6.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0
    assert grad(lambda x: x * jvp(lambda y: x * y, (1.0,), (x,))[1])(2.0) == 12.0
    assert jvp(lambda x: x * grad(lambda y: x * y * y)(x), (2.0,), (1.0,)) == (16.0, 24.0)


def test_derivatives_nest_to_any_depth():
    f = functools.reduce(lambda g, _: grad(g), range(8), lambda x: x**9)
    assert f(2.0) == math.factorial(9) * 2.0
    deep = grad(lambda x: grad(lambda y: grad(lambda z: x * y * y * z * z * z)(y))(x))
    assert deep(2.0) == 12 * 4 * 2.0**3  # d/dx of 3 x y^4 differentiated: 12 x^4


def test_derivatives_within_control_flow():
    def newton(a):
        """The square root of a: while the step is large, with an inner derivative."""
        x = 1.0 + 0.0 * a
        step = x
        while abs(step) > 1e-15:
            step = (x * x - a) / grad(lambda x: x * x - a)(x)
            x = x - step
        return x

    assert newton(2.0) == pytest.approx(math.sqrt(2.0), abs=1e-15)
    assert grad(newton)(2.0) == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-14)

    def f(x):
        total = 0.0
        for i in range(4):
            slope = grad(lambda y, i=i: y ** (i + 1.0))(x)
            total = total + slope if slope > 1.0 else total - slope
        return total

    assert f(2.0) == -1.0 + 4.0 + 12.0 + 32.0
    assert grad(f)(2.0) == 2.0 + 12.0 + 48.0
    assert grad(f)(0.25) == -2.0 - 6.0 * 0.25 - 12.0 * 0.0625


def test_floats_outermost_values_inside_or_when_given():
    inner = []

    def f(x):
        inner.append(grad(lambda y: y * y * y)(2.0))
        return x * inner[-1]

    assert type(grad(f)(1.0)) is float
    assert isinstance(inner[0], Value)
    found = grad(lambda x: x**3)(Value(2.0))
    assert isinstance(found, Value)
    assert found.data == 12.0
    out, gradient = value_and_grad(lambda x, y: x * y)(2.0, Value(5.0))
    assert isinstance(out, Value)
    assert isinstance(gradient, Value)
    assert type(grad(lambda x, y: x * y)(2.0, y=5.0)) is float
    assert isinstance(grad(lambda x, y: x * y)(2.0, y=Value(5.0)), Value)


def test_what_comes_back_as_graph_is_differentiable_by_the_callers_values():
    a = Value(3.0, label="a")
    slope = grad(lambda x: a * x * x)(Value(2.0))
    slope.backward()
    assert (slope.data, a.grad) == (12.0, 4.0)
    x = Value(2.0)
    for found in (
        hessian(lambda x: x**3)(x),
        hvp(lambda x: x**3, (x,), (1.0,)),
        jacobian(lambda x: [x**3])(x)[0],
        jvp(lambda x: x**3, (x,), (1.0,))[1],
        vjp(lambda x: x**3, x)[1](1.0)[0],
    ):
        assert isinstance(found, Value)
        assert differentiate(found, [x])[0].data != 0.0
    assert differentiate(hessian(lambda x: x**3)(x), [x])[0].data == 6.0


def test_closures_over_values_keep_their_gradients():
    a, b = Value(3.0), Value(5.0)
    c = a * b
    c.backward()
    before = [v.grad for v in (a, b, c)]
    assert grad(lambda x: x * x * c + a)(2.0) == 60.0
    assert hessian(lambda x: x * x * c)(2.0) == 30.0
    assert jvp(lambda x: c * x, (2.0,), (1.0,)) == (30.0, 15.0)
    assert vjp(lambda x: c * x, 2.0)[1](1.0) == (15.0,)
    assert hvp(lambda x: x * x * c, (2.0,), (1.0,)) == 30.0
    differentiate(c * a, [a, b])
    assert [v.grad for v in (a, b, c)] == before


def test_values_of_an_earlier_call_are_constants_of_a_later_one():
    out, _ = value_and_grad(lambda x: x**3)(Value(2.0))
    kept = []
    grad(lambda x: (kept.append(x * x), x)[1])(4.0)
    for v in (out, kept[0]):
        v.backward()
        below = topological_order(v)
        before = [node.grad for node in below]
        assert grad(lambda x, v=v: x * v)(3.0) == v.data
        assert jvp(lambda x, v=v: x * v, (3.0,), (1.0,))[1] == v.data
        assert hessian(lambda x, v=v: x * x * v)(3.0) == 2.0 * v.data
        assert [node.grad for node in below] == before
        with pytest.warns(UserWarning, match="does not depend"):
            grad(lambda x, v=v: v)(3.0)


def test_stop_gradient():
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert grad(grad(lambda x: stop_gradient(x * x) * x * x))(3.0) == 18.0
    assert grad(lambda x: grad(lambda y: stop_gradient(x) * y * x)(1.0))(3.0) == 3.0
    assert stop_gradient(2.5) == 2.5


def test_numbering_of_levels_starts_again_without_harm(monkeypatch):
    monkeypatch.setattr(watch, "_levels", itertools.count(2**30))
    assert hessian(lambda x: x * grad(lambda y: x * y**3)(x))(2.0) == 3 * 4 * 3 * 4.0
    assert watch.next_level() < 100


# ---------------------------------------------------------------------------- differentiate


def test_differentiate_gives_graph_to_any_order():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    z = x * x * y + ag.sin(y)
    dx, dy = differentiate(z, [x, y])
    assert (dx.data, dy.data) == (12.0, 4.0 + math.cos(3.0))
    (dxy,) = differentiate(dx, [y])
    assert dxy.data == 4.0
    (dxyx,) = differentiate(dxy, [x])
    assert dxyx.data == 2.0
    assert check_graph(dx) > 0
    assert (x.grad, y.grad, z.grad) == (0.0, 0.0, 0.0)


def test_differentiate_by_inner_nodes_and_by_strangers():
    x = Value(2.0)
    u = x * x
    y = u * u
    du, dx, none, self_ = differentiate(y, [u, x, Value(1.0), y])
    assert [du.data, dx.data, none.data, self_.data] == [8.0, 32.0, 0.0, 1.0]
    assert none.op == ""


@pytest.mark.parametrize(
    ("y", "wrt", "message"),
    [
        (3.0, [Value(1.0)], r"y must be a Value, not 3.0 \(float\)"),
        (Value(1.0), [3.0], r"wrt must be a list of Values, not \[3.0\]"),
        (Value(1.0), Value(1.0), r"wrt must be a list of Values"),
    ],
)
def test_differentiate_refuses(y, wrt, message):
    with pytest.raises(TypeError, match=message):
        differentiate(y, wrt)


# ------------------------------------------------------------------------------- arguments


class Model:
    k = 2.0

    def energy(self, x):
        return self.k * x * x

    def __call__(self, x):
        return self.k * x

    @staticmethod
    def static(x):
        return x**3

    @classmethod
    def cls_method(cls, x):
        return cls.k * x


@pytest.mark.parametrize(
    ("f", "args", "want"),
    [
        (Model().energy, (3.0,), 12.0),
        (Model(), (3.0,), 2.0),
        (Model.static, (2.0,), 12.0),
        (Model.cls_method, (2.0,), 2.0),
        (functools.partial(lambda a, x: a * x * x, 2.0), (3.0,), 12.0),
        (functools.partial(lambda x, a: a * x * x, a=2.0), (3.0,), 12.0),
        (pow, (3.0, 2.0), 6.0),
        (abs, (-3.0,), -1.0),
        (max, (3.0, 1.0), 1.0),
        (operator.mul, (2.0, 5.0), 5.0),
        (ag.log, (4.0,), 0.25),
        (ag.atan2, (0.0, 2.0), 0.5),
        (functools.lru_cache(lambda x: x * x), (3.0,), 6.0),
    ],
)
def test_any_callable_has_a_gradient(f, args, want):
    assert grad(f)(*args) == want
    assert value_and_grad(f)(*args) == (f(*args), want)


def test_derivative_functions_keep_name_and_documentation():
    def loss(x):
        """What is lost."""
        return x

    for make in REVERSE.values():
        assert make(loss).__name__ == "loss"
        assert make(loss).__doc__ == "What is lost."
        assert make(loss).__wrapped__ is loss


def test_argnums():
    def f(x, y, z):
        return x * y * y * z

    assert grad(f, argnums=1)(2.0, 3.0, 5.0) == 60.0
    assert grad(f, argnums=-1)(2.0, 3.0, 5.0) == 18.0
    assert grad(f, argnums=(2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert grad(f, argnums=(-1,))(2.0, 3.0, 5.0) == (18.0,)
    assert value_and_grad(f, argnums=(0, 1))(2.0, 3.0, 5.0) == (90.0, (45.0, 60.0))
    assert jacobian(lambda x, y: [x * y, y], argnums=(0, 1))(2.0, 3.0) == [(3.0, 2.0), (0.0, 1.0)]
    assert hessian(f, argnums=(0, -2))(2.0, 3.0, 5.0) == ((0.0, 30.0), (30.0, 20.0))


def test_keywords_pass_through():
    def f(x, /, *rest, power=2.0, flag=False):
        return x**power if flag else x * rest[0]

    assert grad(f)(3.0, power=3.0, flag=True) == 27.0
    assert value_and_grad(f)(3.0, 7) == (21.0, 7.0)
    assert jacobian(f)(3.0, flag=True) == 6.0
    assert hessian(f)(3.0, power=3.0, flag=True) == 18.0


def test_aux_passes_through():
    def f(x):
        y = x * x
        return y * x, {"square": y, "array": np.array([y, 1.0]), "name": "cube", "n": 3}

    gradient, aux = grad(f, has_aux=True)(2.0)
    assert gradient == 12.0
    assert type(aux["square"]) is float
    assert (aux["square"], aux["name"], aux["n"]) == (4.0, "cube", 3)
    assert aux["array"].dtype == np.float64
    (value, aux), gradient = value_and_grad(f, has_aux=True)(2.0)
    assert (value, gradient, aux["square"]) == (8.0, 12.0, 4.0)
    words = np.array(["a", None], dtype=object)
    assert grad(lambda x: (x, words), has_aux=True)(1.0)[1] is words
    aux = grad(f, has_aux=True)(Value(2.0))[1]
    assert isinstance(aux["square"], Value)
    nested = grad(lambda x: grad(f, has_aux=True)(x)[1]["square"])
    assert nested(3.0) == 6.0


@pytest.mark.parametrize("returned", [3.0, (1.0, 2.0, 3.0), [1.0, 2.0]])
def test_aux_must_be_a_pair(returned):
    with pytest.raises(TypeError, match=r"with has_aux=True .* must return \(output, auxiliary\)"):
        grad(lambda x: returned, has_aux=True)(1.0)


# -------------------------------------------------------------------------------- messages


@pytest.mark.parametrize("bad", [3, True, "a", None, [1, 2], {"n": 3}, np.array([1, 2]), {1}])
@pytest.mark.parametrize("what", REVERSE)
def test_no_float_to_differentiate_by(what, bad):
    with pytest.raises(TypeError, match=f"{what}: argument 0 is .*holds no float.*3.0, not 3"):
        REVERSE[what](lambda x: 1.0)(bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: jvp(f, (x,), (1.0,)),
        lambda f, x: vjp(f, x),
        lambda f, x: hvp(f, (x,), (1.0,)),
    ],
)
def test_no_float_to_differentiate_by_in_the_others(call):
    with pytest.raises(TypeError, match=r"argument 0 is 3 \(int\), which holds no float"):
        call(lambda x: x * x, 3)


@pytest.mark.parametrize(
    "out", [None, "a", 1j, [1.0], (1.0, 2.0), {}, np.ones(2), np.ones((1, 1)), object()]
)
@pytest.mark.parametrize("what", ["grad", "value_and_grad", "hessian"])
def test_output_must_be_a_scalar(what, out):
    def f(x):
        return out

    with pytest.raises(TypeError, match=f"{what} needs a scalar output, but .*f returned .*jacobi"):
        REVERSE[what](f)(1.0)
    with pytest.raises(TypeError, match="hvp needs a scalar output"):
        hvp(f, (1.0,), (1.0,))


def test_a_zero_dimensional_array_is_a_scalar():
    assert grad(lambda x: np.sum(x * x) * np.array(2.0))(np.array([1.0, 3.0])).tolist() == [
        4.0,
        12.0,
    ]
    assert grad(lambda x: x * x)(np.array(3.0)).shape == ()


@pytest.mark.parametrize("out", [None, "a", ["a", None], {"x": "y"}, object(), True])
def test_jacobian_needs_numbers(out):
    def f(x):
        return out

    for call in (lambda: jacobian(f)(1.0), lambda: jvp(f, (1.0,), (1.0,)), lambda: vjp(f, 1.0)):
        with pytest.raises(TypeError, match=r"f returned .*which holds no number"):
            call()


@pytest.mark.parametrize(
    ("argnums", "error", "message"),
    [
        (2, ValueError, "argnums=2, but the function was called with 2 positional arguments"),
        (-3, ValueError, "argnums=-3, but"),
        ((0, 5), ValueError, r"argnums=\(0, 5\), but"),
        ((0, 0), ValueError, "at least one argument, each once"),
        ((1, -1), ValueError, "at least one argument, each once"),
        ((), ValueError, "at least one argument, each once"),
        ("x", TypeError, "argnums must be an int or a tuple of ints, not 'x'"),
        (True, TypeError, "argnums must be an int or a tuple of ints, not True"),
        ([0, 1], TypeError, "argnums must be an int or a tuple of ints"),
        (1.0, TypeError, "argnums must be an int or a tuple of ints"),
    ],
)
@pytest.mark.parametrize("what", REVERSE)
def test_wrong_argnums(what, argnums, error, message):
    with pytest.raises(error, match=f"{what}: .*{message}"):
        REVERSE[what](lambda x, y: x * y, argnums=argnums)(1.0, 2.0)


def test_keyword_arguments_are_not_differentiated():
    with pytest.raises(ValueError, match=r"0 positional arguments .keyword arguments are passed"):
        grad(lambda x: x)(x=1.0)


def test_mode_and_function_are_checked_at_once():
    with pytest.raises(ValueError, match="mode must be 'auto', 'forward' or 'reverse', not 'back'"):
        jacobian(lambda x: x, mode="back")
    for what, make in REVERSE.items():
        with pytest.raises(TypeError, match=f"{what}: the first argument must be a function"):
            make(3.0)


@pytest.mark.parametrize("call", [jvp, hvp])
def test_primals_and_tangents_must_match(call):
    name = call.__name__

    def f(x):
        return ag.sum(x) ** 2

    with pytest.raises(TypeError, match=f"{name}: primals must be a tuple of arguments, not 1.0"):
        call(f, 1.0, 1.0)
    with pytest.raises(TypeError, match=f"{name}: tangents must be a tuple of 1, one per primal"):
        call(f, ([1.0],), 1.0)
    with pytest.raises(TypeError, match=f"{name}: tangents must be a tuple of 1"):
        call(f, ([1.0],), (1.0, 2.0))
    for wrong in ([1.0], [1.0, "a"], (1.0, 2.0), np.ones(2), {"a": 1.0, "b": 1.0}, 1.0):
        with pytest.raises(ValueError, match=f"{name}: tangent 0, .* another structure than its"):
            call(f, ([1.0, 2.0],), (wrong,))
    assert call(f, ([1.0, 2.0],), ([1, 0],)) is not None  # integers do for directions


def test_cotangent_must_match():
    _, pullback = vjp(lambda x: {"a": x * x, "b": np.array([x, 2.0])}, 3.0)
    for wrong in (1.0, {"a": 1.0}, {"a": 1.0, "c": np.ones(2)}, {"a": 1.0, "b": np.ones(3)}):
        with pytest.raises(ValueError, match=r"pullback: the cotangent, .* another structure than"):
            pullback(wrong)
    assert pullback({"b": np.array([1, 0]), "a": 1}) == (7.0,)


@pytest.mark.parametrize(
    "call",
    [
        lambda f: grad(f)(2.0),
        lambda f: value_and_grad(f)(2.0),
        lambda f: hessian(f)(2.0),
        lambda f: jacobian(f)(2.0),
        lambda f: jvp(f, (2.0,), (1.0,)),
        lambda f: vjp(f, 2.0),
        lambda f: hvp(f, (2.0,), (1.0,)),
    ],
)
def test_independence_warns_at_the_users_line(call):
    def forgetful(x):
        return 7.0

    with pytest.warns(UserWarning, match="forgetful does not depend on the argument") as caught:
        call(forgetful)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert caught[0].lineno == call.__code__.co_firstlineno


def test_independence_gives_zero_in_the_arguments_structure():
    with pytest.warns(UserWarning, match="does not depend"):
        assert grad(lambda p: 7)({"a": 1.0, "b": [2.0]}) == {"a": 0.0, "b": [0.0]}
    with pytest.warns(UserWarning, match="does not depend"):
        assert grad(functools.partial(lambda a, x: a, 2.0))(1.0) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hessian(lambda x: 3.0 * x)(1.0) == 0.0
        assert grad(grad(grad(lambda x: 3.0 * x)))(1.0) == 0.0  # a constant derivative is fine
        assert jacobian(grad(lambda x: 3.0 * x))(1.0) == 0.0
        assert jacobian(lambda x: [x, 3.0, 4])(1.0) == [1.0, 0.0, 0.0]
        assert grad(lambda x: 3.0)([]) == []


# -------------------------------------------------------------------------- nothing is left


def test_an_exception_leaves_no_state():
    class BoomError(Exception):
        pass

    def boom(x):
        raise BoomError

    def inner(x):
        return x * grad(lambda y: boom(x * y))(x)

    for call in (
        lambda: grad(boom)(1.0),
        lambda: grad(inner)(1.0),
        lambda: hessian(boom)(1.0),
        lambda: jvp(inner, (1.0,), (1.0,)),
        lambda: grad(lambda x: [x])(1.0),
        lambda: jacobian(lambda x: None)(1.0),
    ):
        with pytest.raises((BoomError, TypeError)):
            call()
        assert (watch.nested, watch.count, watch.busy, watch.inside()) == (0, 0, False, False)
    assert type(grad(lambda x: x * x)(3.0)) is float
    assert (Value(2.0) * 3.0)._level == 0


def test_a_caught_exception_within_an_outer_derivative():
    def f(x):
        try:
            grad(lambda y: [y])(x)
        except TypeError:
            return x * grad(lambda y: x * y)(1.0)

    assert grad(f)(3.0) == 6.0


def test_memory_does_not_grow_and_there_are_no_cycles():
    f = grad(lambda p: ag.sin(p["a"] * p["b"][0]) + p["b"][1] ** 2)
    h = hessian(lambda x: x[0] ** 3 * x[1])
    p = {"a": 0.3, "b": np.array([1.0, 2.0])}

    def work(n):
        for _ in range(n):
            f(p)
        for _ in range(n // 20):
            h([1.0, 2.0])
            jvp(lambda x: x * x, (2.0,), (1.0,))
            vjp(lambda x: x * x, 2.0)[1](1.0)

    work(200)
    gc.collect()
    gc.disable()
    try:
        gc.set_debug(gc.DEBUG_SAVEALL)
        work(200)
        gc.collect()
        garbage, gc.garbage[:] = list(gc.garbage), []
    finally:
        gc.set_debug(0)
        gc.enable()
    assert [x for x in garbage if type(x).__module__.startswith("autograd")] == []
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work(10_000)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 20_000


def test_threads_do_not_disturb_each_other():
    failures = []
    shared = Value(3.0)
    start = threading.Barrier(4)

    def work(seed):
        rng = random.Random(seed)
        start.wait()
        for _ in range(150):
            x = rng.uniform(0.5, 2.0)
            found = grad(lambda x: grad(lambda y: shared * x * y**3)(x))(x)
            if abs(found - 27.0 * x * x) > 1e-12 * found or type(found) is not float:
                failures.append((x, found))
            rows = hessian(rosenbrock)([x, 1.0, x])
            if not np.allclose(rows, rosenbrock_hessian([x, 1.0, x]), rtol=1e-12):
                failures.append((x, rows))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert shared.grad == 0.0
    assert watch.nested == 0


def test_deep_graphs():
    def chain(x):
        for _ in range(100_000):
            x = x * 1.00001
        return x

    assert grad(chain)(1.0) == pytest.approx(math.e, rel=1e-4)
    assert hvp(lambda x: chain(x * x), (1.0,), (1.0,)) == pytest.approx(2 * math.e, rel=1e-4)
