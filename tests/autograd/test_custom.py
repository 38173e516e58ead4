"""Primitives and partials by users: every mode and order, and what is refused."""

import copy
import functools
import gc
import math
import operator
import pickle
import warnings
import weakref
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import autograd as ag
from autograd import (
    Value,
    custom_partials,
    grad,
    hessian,
    hvp,
    jvp,
    primitive,
    primitives,
    stop_gradient,
    unregister,
    vjp,
)

DOMAIN = ((-2.0, 2.0),)
NINE = Decimal(9)


@pytest.fixture
def versine():
    @primitive(
        lambda out, x: ag.sin(x),
        domain=((-6.0, 6.0),),
        special=(((0.0,), 0.0, (0.0,)), ((math.inf,), math.nan, (math.nan,))),
        exact=lambda m, x: 2 * m.sin(x / 2) ** 2,
        symbol="vers",
    )
    def versine(x):
        """1 - cos(x), exact for small x"""
        half = ag.sin(0.5 * x)
        return 2.0 * half * half

    yield versine
    unregister("versine")


@pytest.fixture
def power_mean():
    """Two arguments, the second with a default and no derivative."""

    @primitive(
        lambda out, x, n: ag.div(out * n, x),
        None,
        domain=((0.5, 2.0), (1.0, 3.0)),
        defaults=(2.0,),
        name="nth_power",
    )
    def some_other_name(x, n):
        return x**n

    yield some_other_name
    unregister("nth_power")


def test_a_primitive_is_one_of_ours(versine):
    assert primitives()["versine"] is versine
    assert versine(0.5) == pytest.approx(1.0 - math.cos(0.5), rel=1e-14)
    y = versine(Value(0.5)) * 1.0
    assert y.parents[0].op == "versine"
    assert y.parents[0].primitive.symbol == "vers"
    assert y.parents[0].primitive.doc == "1 - cos(x), exact for small x"
    assert Value(0.5).versine().data == versine(0.5)
    assert pickle.loads(pickle.dumps(y)).parents[0].primitive is versine
    assert repr(versine) == "<primitive versine>"


def test_it_works_in_every_mode_and_order(versine):
    x = 1.3
    with mpmath.workdps(60):
        want = [float(mpmath.diff(lambda x: 1 - mpmath.cos(x), mpmath.mpf(x), k)) for k in range(5)]
    f = versine
    for value in want:
        assert f(x) == pytest.approx(value, rel=1e-11)
        f = grad(f)
    assert jvp(versine, (x,), (2.0,))[1] == pytest.approx(2.0 * want[1], rel=1e-13)
    assert vjp(versine, x)[1](2.0)[0] == pytest.approx(2.0 * want[1], rel=1e-13)
    assert hessian(versine)(x) == pytest.approx(want[2], rel=1e-12)
    assert hvp(versine, (x,), (3.0,)) == pytest.approx(3.0 * want[2], rel=1e-12)
    y = versine(Value(x))
    y.backward()
    assert y.parents[0].grad == pytest.approx(want[1], rel=1e-13)
    assert grad(versine)(0.0) == 0.0


def test_defaults_names_and_zero_partials(power_mean):
    assert power_mean.name == "nth_power"
    assert power_mean(3.0) == 9.0
    assert power_mean(2.0, 3.0) == 8.0
    assert grad(power_mean)(3.0) == 6.0
    assert grad(power_mean, argnums=(0, 1))(2.0, 3.0) == (12.0, 0.0)
    with pytest.raises(TypeError, match=r"nth_power\(\) takes 1 to 2 arguments, got 3"):
        power_mean(1.0, 2.0, 3.0)


def test_it_shows_in_pictures(versine):
    viz = pytest.importorskip("viz")
    assert "vers" in viz.draw(versine(Value(0.5)) * 2.0).dot


def test_it_is_checked_as_ours_are(versine):
    testing = pytest.importorskip("autograd.testing")
    if not hasattr(testing, "check_primitive"):
        pytest.skip("autograd.testing has no check_primitive yet")
    assert testing.check_primitive(versine).right > 0


# --------------------------------------------------------------------------------- refusals


def test_a_wrong_number_of_arguments_is_refused_when_declared():
    one, two = (lambda out, x: 1.0), (lambda out, x, y: 1.0)
    with pytest.raises(ValueError, match=r"primitive f: the function must take 2 arguments.*\(x\)"):

        @primitive(two, two, domain=DOMAIN * 2)
        def f(x):
            return x

    with pytest.raises(
        ValueError, match=r"primitive g: partial 1 must take 2 arguments, \(out, \*"
    ):

        @primitive(lambda x: 1.0, domain=DOMAIN)
        def g(x):
            return x

    with pytest.raises(ValueError, match="primitive h: the function must take 1 arguments"):
        custom_partials(one, name="h")(lambda: 1.0)
    with pytest.raises(ValueError, match="primitive k: one partial per argument"):

        @custom_partials()
        def k():
            return 1.0

    assert not {"f", "g", "k"} & set(primitives())


class Scale:
    factor = 3.0

    def method(self, x):
        return self.factor * x


@pytest.mark.parametrize(
    "fn",
    [
        Scale().method,
        functools.partial(lambda a, x: a * x, 3.0),
        lambda x, factor=3.0: factor * x,
        lambda *xs: 3.0 * xs[0],
    ],
)
def test_any_callable_of_the_right_arity_will_do(fn):
    row = custom_partials(lambda out, x: 3.0, name="thrice")(fn)
    assert row(2.0) == 6.0
    assert grad(row)(2.0) == 3.0


def test_builtins_without_a_signature_are_trusted():
    row = custom_partials(lambda out, x, y: ag.div(x, out), lambda out, x, y: ag.div(y, out))(
        math.hypot
    )
    assert row(3.0, 4.0) == 5.0
    assert grad(row, argnums=(0, 1))(3.0, 4.0) == (0.6, 0.8)


@pytest.mark.parametrize(
    ("result", "shown"), [(1j, r"1j \(complex\)"), (None, "None"), ("a", "'a'"), (NINE, "Decimal")]
)
def test_a_result_that_is_no_number_is_refused(result, shown):
    @custom_partials(lambda out, x: 1.0)
    def bad_value(x):
        return result

    @custom_partials(lambda out, x: result)
    def bad_partial(x):
        return x

    for x in (2.0, Value(2.0)):
        with pytest.raises(
            TypeError, match=f"bad_value: fn of floats must return a real number, not {shown}"
        ):
            bad_value(x)
    with pytest.raises(TypeError, match=f"primitive bad_partial: a partial of floats .*{shown}"):
        bad_partial(Value(2.0))
    for wrong in ((), (1.0, 2.0)):
        with pytest.raises(TypeError, match=r"bad_value\(\) takes 1 arguments, got"):
            bad_value(*wrong)


@pytest.mark.parametrize(
    "three",
    [3, np.int8(3), np.uint64(3), np.float16(3), np.float64(3), np.longdouble(3), Fraction(3)],
    ids=lambda x: type(x).__name__,
)
def test_every_real_number_is_a_result(three):
    @custom_partials(lambda out, x: three)
    def triple(x):
        return three * x if isinstance(three, int) else three

    @custom_partials(lambda out, x, y: three, lambda out, x, y: three * 1)
    def weigh(x, y):
        return three

    y = triple(Value(1.0))
    assert (type(y.data), type(y.partials[0]), y.data) == (float, float, 3.0)
    assert type(triple(1.0)) is float
    assert grad(triple)(1.0) == 3.0
    assert grad(grad(lambda x: triple(x) * x))(1.0) == 6.0
    assert hessian(lambda x: triple(x) ** 2)(1.0) == 18.0
    assert jvp(triple, (1.0,), (2.0,)) == (3.0, 6.0)
    assert grad(lambda x: grad(lambda y: weigh(x, y))(2.0) * x)(1.0) == 3.0
    assert ag.compile(triple).grad(1.0) == 3.0


def test_a_result_out_of_range_is_refused():
    huge = custom_partials(lambda out, x: 10**400, name="huge")(lambda x: 1.0)
    with pytest.raises(OverflowError, match="primitive huge: a partial of floats is too large"):
        huge(Value(1.0))


def test_other_fields_are_checked():
    with pytest.raises(ValueError, match="primitive 'not a name': the name must be an identifier"):
        primitive(lambda out, x: 1.0, domain=DOMAIN, name="not a name")(lambda x: x)
    with pytest.raises(ValueError, match="name 'tanh' is taken"):
        primitive(lambda out, x: 1.0, domain=DOMAIN, name="tanh")(lambda x: x)
    with pytest.raises(ValueError, match="name 'backward' is taken"):
        primitive(lambda out, x: 1.0, domain=DOMAIN, name="backward")(lambda x: x)
    with pytest.raises(ValueError, match="a registered row needs a domain"):
        primitive(lambda out, x: 1.0, domain=(), name="nowhere")(lambda x: x)
    with pytest.raises(TypeError, match="a partial must be callable, not 3"):
        custom_partials(3, name="three")(lambda x: x)
    with pytest.raises(TypeError, match=r"fn must be callable, not 4"):
        custom_partials(lambda out, x: 1.0, name="four")(4)
    assert "nowhere" not in primitives()


# ------------------------------------------------------------------------- custom partials


def newton(f, x, *args):
    for _ in range(100):
        step = f(x, *args) / grad(f)(x, *args)
        x -= step
        if abs(step) <= 1e-15 * abs(x):
            break
    return x


def kepler(e_anomaly, mean, eccentricity):
    return e_anomaly - eccentricity * ag.sin(e_anomaly) - mean


def implicit(i):
    """dE/d(argument i) of kepler's solution, by the implicit function theorem."""

    def partial(out, *args):
        slope, change = grad(kepler, argnums=(0, i))(out, *args)
        return -ag.div(change, slope)

    return partial


@custom_partials(implicit(1), implicit(2))
def solve_kepler(mean, eccentricity):
    return newton(kepler, mean + eccentricity, mean, eccentricity)


def mp_kepler(mean, e):
    return mpmath.findroot(lambda x: x - e * mpmath.sin(x) - mean, mean + e, tol=1e-100)


@pytest.mark.parametrize("args", [(0.8, 0.3), (2.5, 0.6)])
def test_implicit_differentiation_of_a_root_finder(args):
    names = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (2, 1), (3, 0)]
    with mpmath.workdps(80):
        exact = tuple(map(mpmath.mpf, args))
        want = {n: float(mpmath.diff(mp_kepler, exact, n)) for n in names}
    assert grad(solve_kepler, argnums=(0, 1))(*args) == pytest.approx(
        (want[1, 0], want[0, 1]), rel=1e-13
    )
    (mm, me), (em, ee) = hessian(solve_kepler, argnums=(0, 1))(*args)
    assert (mm, me, em, ee) == pytest.approx(
        (want[2, 0], want[1, 1], want[1, 1], want[0, 2]), rel=1e-12
    )
    third = grad(grad(grad(solve_kepler)))(*args)
    assert third == pytest.approx(want[3, 0], rel=1e-11)
    mixed = grad(grad(grad(solve_kepler)), argnums=1)(*args)
    assert mixed == pytest.approx(want[2, 1], rel=1e-11)
    assert jvp(solve_kepler, args, (1.0, 2.0))[1] == pytest.approx(
        want[1, 0] + 2.0 * want[0, 1], rel=1e-13
    )


def test_the_inside_of_a_custom_function_is_not_recorded():
    y = solve_kepler(Value(0.8), 0.3)
    assert [node.op for node in ag.topological_order(y)] == ["", "solve_kepler"]
    assert "solve_kepler" not in primitives()
    assert grad(lambda m: solve_kepler(m, 0.3) * solve_kepler(m, 0.3))(0.8) == pytest.approx(
        2.0 * solve_kepler(0.8, 0.3) * grad(solve_kepler)(0.8, 0.3), rel=1e-14
    )


def test_custom_partials_decide_the_derivative():
    @custom_partials(lambda out, x: 1.0)
    def straight_through(x):
        return float(round(x))

    assert grad(lambda x: straight_through(x) ** 2)(2.7) == 6.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert hessian(lambda x: straight_through(x) ** 2)(2.7) == 2.0

    @custom_partials(lambda out, x: stop_gradient(out))
    def once(x):
        return math.exp(x)

    assert grad(once)(1.0) == math.e
    assert hessian(once)(1.0) == 0.0


# ------------------------------------------------------------------------ what holds its results


class Layer:
    """Holds its operation, and whatever was computed with it."""

    def __init__(self):
        self.operation = custom_partials(lambda out, x: 2.0 * x)(self.square)

    def square(self, x):
        return x * x

    def __call__(self, x):
        return self.operation(x)


HOLDS = {
    "its output": lambda x, y: y,
    "x + y": lambda x, y: x + y,
    "y + x": lambda x, y: y + x,
    "x - y": lambda x, y: x - y,
    "y * 2": lambda x, y: y * 2.0,
    "2 / y": lambda x, y: 2.0 / y,
    "x / y": lambda x, y: x / y,
    "y ** 2": lambda x, y: y**2,
    "2 ** y": lambda x, y: 2.0**y,
    "x ** y": lambda x, y: x**y,
    "-y": lambda x, y: -y,
    "relu": lambda x, y: y.relu(),
    "a row": lambda x, y: ag.exp(y),
    "a row with it first": lambda x, y: ag.maximum(y, x),
    "a row with it last": lambda x, y: ag.maximum(x, y),
    "a third operand": lambda x, y: ag.where(0.0, x, y),
    "behind a third operand": lambda x, y: ag.where(0.0, x, y) + x,
    "a copy": lambda x, y: copy.copy(y),
    "a deep copy": lambda x, y: copy.deepcopy(y * x),
    "a derivative": lambda x, y: ag.differentiate(y, [x])[0],
    "far below": lambda x, y: functools.reduce(lambda total, _: total + x, range(1000), y),
}


@pytest.mark.parametrize("what", HOLDS)
def test_who_holds_a_result_of_its_own_operation_is_freed(what):
    x = Value(1.5)
    layer = Layer()
    seen = weakref.ref(layer)
    layer.held = HOLDS[what](x, layer(x))
    del layer
    gc.collect()
    assert seen() is None
    assert x.data == 1.5


def test_a_label_that_leads_back_is_no_leak():
    class Named(str):
        __slots__ = ("__dict__", "__weakref__")

    def named(set_label):
        label = Named("name")
        label.value = set_label(label)
        assert label.value.label == "name"
        assert type(label.value.label) is str
        return weakref.ref(label)

    def assigned(label):
        x = Value(1.0)
        x.label = label
        x.label = label
        return x

    def scoped(label):
        with ag.scope(label):
            x = Value(1.0) * 2.0
        assert [type(name) for name in x.scope] == [str]
        x.label = "name"
        return x

    for set_label in (lambda label: Value(1.0, label=label), assigned, scoped):
        seen = named(set_label)
        gc.collect()
        assert seen() is None


def test_results_outlive_their_operation():
    x = Value(3.0)
    layer = Layer()
    y = layer(x) * x + ag.where(0.0, x, layer(x))
    assert isinstance(y, Value)
    assert (y.parents[0].parents[0].op, y.op) == ("square", "add")
    seen = weakref.ref(layer)
    del layer
    gc.collect()
    y.backward()
    assert x.grad == 3 * 9.0 + 6.0
    first = ag.differentiate(y, [x])[0]
    assert ag.differentiate(first, [x])[0].data == 6 * 3.0 + 2.0
    assert seen() is not None  # its primitive is needed
    del y, first
    gc.collect()
    assert seen() is None


def test_operators_of_such_results_are_the_ordinary_ones():
    """To the bit, with partials and refusals."""
    square = custom_partials(lambda out, x: 2.0 * x)(lambda_square)
    a = 1.7
    for f in (
        *(lambda x, y, op=op: op(x, y) for op in (operator.add, operator.sub, operator.mul)),
        *(lambda x, y, op=op: op(y, x) for op in (operator.sub, operator.truediv, operator.pow)),
        *(lambda x, y, op=op: op(x, 3) for op in (operator.add, operator.truediv, operator.pow)),
        *(lambda x, y, op=op: op(0.3, x) for op in (operator.sub, operator.truediv, operator.pow)),
        lambda x, y: -x,
        lambda x, y: x.relu(),
        lambda x, y: x / 0.0,
    ):
        mine, plain = Value(a), Value(a)
        got, want = f(square(mine), mine), f(plain * plain, plain)
        assert (repr(got), got.partials) == (repr(want), want.partials)
        got.backward()
        want.backward()
        assert repr(mine.grad) == repr(plain.grad)
    for op in (operator.add, operator.mul, operator.pow):
        for left, right in ((square(Value(a)), "x"), ("x", square(Value(a)))):
            with pytest.raises(TypeError):
                op(left, right)


def lambda_square(x):
    return x * x
