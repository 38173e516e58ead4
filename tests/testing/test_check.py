"""check_gradients finds what is wrong, says what it is, and lets pass what is right."""

import dataclasses
import math

import numpy
import pytest
from wrong import ROWS, wrong_value

import autograd as ag
from autograd.testing import GradientMismatch, check_gradients, check_primitive, gradients_hold

# Where each fault shows.
POINTS = {
    "off by 0.1 %": 0.3,
    "wrong sign": 0.3,
    "wrong branch at a kink": -1e-4,
    "beyond the subdifferential": 0.0,
    "wrong second order on a kink": 0.0,
    "wrong second order": 0.3,
    "wrong for |x| > 100": 101.0,
    "wrong at denormals": 1e-310,
    "unstable in saturation": 2.0,
}


@pytest.mark.parametrize("fault", POINTS)
def test_a_wrong_rule_is_caught_and_named(fault):
    row = ROWS[fault]
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(lambda x, y: y * row(x) + x, POINTS[fault], 0.7)
    report = caught.value.report
    assert row.name in report.culprit
    assert report.argument.startswith("x")
    wide = fault.startswith("beyond") or report.reference == 0.0  # 0 has small ulps
    assert report.ulps > 1000 * report.explained or wide
    assert row.name in str(caught.value)


@pytest.mark.parametrize("fault", ROWS)
def test_check_primitive_finds_a_wrong_row_by_itself(fault):
    with pytest.raises(GradientMismatch, match=ROWS[fault].name):
        check_primitive(ROWS[fault])


@pytest.mark.parametrize("fault", ["wrong for |x| > 100", "wrong at denormals"])
def test_a_property_test_finds_it_and_shrinks_it(fault):
    row = ROWS[fault]

    def composed(x: float, y: float):
        return ag.tanh(y) * row(x) + x

    with pytest.raises(GradientMismatch) as caught:
        gradients_hold(examples=200)(composed)()
    assert row.name in caught.value.report.culprit


def test_a_wrong_value_is_found_though_the_gradient_agrees():
    with pytest.raises(GradientMismatch, match="wrong_value") as caught:
        check_gradients(lambda x: wrong_value(x) * 2.0, 1.0)
    assert caught.value.report.what.startswith("value")


def test_a_partial_that_takes_the_wrong_arguments_is_named():
    row = ag.Primitive(
        "wrong_arity", math.sin, (lambda x: ag.cos(x),), domain=((-1.0, 1.0),), exact=ag.sin.exact
    )
    with pytest.raises(GradientMismatch, match="wrong_arity") as caught:
        check_primitive(row)
    assert "TypeError" in caught.value.report.culprit


def test_a_row_that_contradicts_its_special_points():
    row = ag.Primitive(
        "wrong_special",
        math.sin,
        (lambda out, x: ag.cos(x),),
        domain=((-1.0, 1.0),),
        special=(((0.0,), 0.0, (0.5,)),),
        exact=ag.sin.exact,
    )
    with pytest.raises(GradientMismatch, match=r"partial 1 is 1\.0, the row says 0\.5"):
        check_primitive(row)


def test_a_row_without_definition_is_held_against_differences():
    right = ag.Primitive("mine", math.sin, (lambda out, x: ag.cos(x),), domain=((-3.0, 3.0),))
    found = check_primitive(right)
    assert "Ridders" in found.method
    assert found.right >= 12
    wrong = ag.Primitive(
        "mine", math.sin, (lambda out, x: 1.001 * ag.cos(x),), domain=((-3.0, 3.0),)
    )
    with pytest.raises(GradientMismatch, match="Ridders"):
        check_primitive(wrong)


# ------------------------------------------------------------------- somebody else's gradient


class Tape:
    """A reverse mode by hand, as people write it: each operation pushes its pullback."""

    def __init__(self, forget_cotangent):
        self.forget = forget_cotangent

    def gradient(self, x, y):
        """Return the gradient of sin(x y) x."""
        p = x * y
        s = math.sin(p)
        ct_s, ct_x = x, s
        ct_p = math.cos(p) * (1.0 if self.forget else ct_s)
        return ct_x + ct_p * y, ct_p * x


def product(x, y):
    return ag.sin(x * y) * x


def test_a_missing_factor_of_the_cotangent():
    check_gradients(product, 0.7, 1.3, gradient=Tape(False).gradient)
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(product, 0.7, 1.3, gradient=Tape(True).gradient)
    report = caught.value.report
    assert report.what == "derivative from gradient"
    assert report.argument == "x"
    x, y = 0.7, 1.3
    true = math.sin(x * y) + x * y * math.cos(x * y)
    assert report.reference == pytest.approx(true, rel=1e-15)
    assert report.analytic == Tape(True).gradient(x, y)[0]


@pytest.mark.parametrize("returned", [(1.0,), (1.0, 2.0, 3.0), 1.0, (1.0, (2.0, 3.0))])
def test_a_gradient_of_the_wrong_arity(returned):
    with pytest.raises(TypeError, match="one entry per argument"):
        check_gradients(product, 0.7, 1.3, gradient=lambda x, y: returned)


def test_gradients_in_structures_and_arrays():
    def loss(w, x):
        return ag.tanh(w["a"][0] * x[0, 1] + w["b"]) + x[1, 0] * x[0, 0]

    w = {"a": [0.5, 2.0], "b": -0.3}
    x = numpy.array([[0.1, 0.2], [0.3, 0.4]])
    right = ag.grad(loss, (0, 1))
    assert check_gradients(loss, w, x, gradient=right).right > 50

    def wrong(w, x):
        gw, gx = right(w, x)
        gx = gx.copy()
        gx[1, 0] *= 1.001
        return gw, gx

    with pytest.raises(GradientMismatch) as caught:
        check_gradients(loss, w, x, gradient=wrong)
    assert caught.value.report.argument == "x[1, 0]"

    def wrong_too(w, x):
        gw, gx = right(w, x)
        return {"a": [gw["a"][0], 1e-3], "b": gw["b"]}, gx

    with pytest.raises(GradientMismatch) as caught:
        check_gradients(loss, w, x, gradient=wrong_too)
    assert caught.value.report.argument == "w['a'][1]"


def test_dataclasses_are_taken_apart():
    @dataclasses.dataclass
    class Point:
        x: float
        y: float

    assert check_gradients(lambda p: p.x * p.y, Point(2.0, 3.0)).right > 0


def test_a_function_of_plain_floats_is_held_against_differences():
    def f(x, y):
        return math.exp(x) * math.sin(y)

    def right(x, y):
        return math.exp(x) * math.sin(y), math.exp(x) * math.cos(y)

    def wrong(x, y):
        return math.exp(x) * math.sin(y), 1.001 * math.exp(x) * math.cos(y)

    found = check_gradients(f, 0.3, 1.1, gradient=right)
    assert "Ridders" in found.method
    assert found.right == 2
    with pytest.raises(GradientMismatch, match=r"does not run on Values") as caught:
        check_gradients(f, 0.3, 1.1, gradient=wrong)
    report = caught.value.report
    assert report.argument == "y"
    assert 0.0 < report.reference_error < 1e-9
    assert abs(report.reference - right(0.3, 1.1)[1]) <= report.reference_error
    with pytest.raises(TypeError, match="give gradient="):
        check_gradients(f, 0.3, 1.1)


def test_a_pass_by_differences_says_so():
    found = check_gradients(
        math.erf, 0.4, gradient=lambda x: 2 / math.sqrt(math.pi) * math.exp(-x * x)
    )
    assert not found.exact
    assert 0.0 < found.unseen < 1e-9
    assert "approximate: first derivatives only" in str(found)
    exact = check_gradients(ag.erf, 0.4, exact=True)
    assert exact.exact
    assert "approximate" not in str(exact)
    with pytest.raises(TypeError, match="no exact reference for sin, since it does not run on Val"):
        check_gradients(math.sin, 0.4, gradient=math.cos, exact=True)


def test_differences_of_denormals_know_their_noise():
    def f(x, y):
        return math.exp(x) * math.sin(y)

    def df(x, y):
        return math.exp(x) * math.sin(y), math.exp(x) * math.cos(y)

    check_gradients(f, 0.0, 2.2250738585e-313, gradient=df)


def test_a_number_taken_out_of_the_graph_is_noticed():
    with pytest.raises(GradientMismatch, match=r"\.data"):
        check_gradients(lambda x: x * math.sin(x.data if hasattr(x, "data") else x), 0.7)


# ------------------------------------------------------------------- kinks


@pytest.mark.parametrize("claimed", [-1.0, -0.3, 0.0, 1.0])
def test_any_element_of_the_subdifferential_is_right(claimed):
    found = check_gradients(lambda x: abs(x), 0.0, gradient=lambda x: claimed)
    assert found.kinks == (("abs(0.0) (operation 1)", 0.0),)


@pytest.mark.parametrize("claimed", [-1.1, 1.001, math.nan])
def test_nothing_else_is(claimed):
    with pytest.raises(GradientMismatch, match="kinks nearby"):
        check_gradients(lambda x: abs(x), 0.0, gradient=lambda x: claimed)


@pytest.mark.parametrize(("claimed", "right"), [(1.0, True), (1.7, True), (2.5, False)])
def test_a_tied_comparison_is_a_kink_too(claimed, right):
    def f(x):
        return x if x > 0 else 2.0 * x

    if right:
        check_gradients(f, 0.0, gradient=lambda x: claimed)
    else:
        with pytest.raises(GradientMismatch):
            check_gradients(f, 0.0, gradient=lambda x: claimed)


@pytest.mark.parametrize("x", [1e-300, -1e-16, 5e-324])
def test_a_kink_close_by_is_not_crossed_and_is_reported(x):
    found = check_gradients(lambda x: ag.relu(x) + ag.abs(x - 1.0), x)
    assert found.kinks[0][0].startswith("relu")
    assert found.kinks[0][1] == abs(x)
    assert found.undecided == 0


def test_differences_near_a_kink_and_on_it():
    for x in (1e-7, -1e-7):
        check_gradients(lambda x: math.fabs(x), x, gradient=lambda x: math.copysign(1.0, x))
        with pytest.raises(GradientMismatch):
            check_gradients(lambda x: math.fabs(x), x, gradient=lambda x: math.copysign(0.9, x))
    check_gradients(lambda x: math.fabs(x), 0.0, gradient=lambda x: 0.4)
    with pytest.raises(GradientMismatch):
        check_gradients(lambda x: math.fabs(x), 0.0, gradient=lambda x: 1.4)


@pytest.mark.parametrize(
    ("claimed", "right"),
    [((4, 0, 0), True), ((1, 1, 2), True), ((0, 5, 0), False), ((-1, 4, 0), False)],
)
def test_nested_kinks_leave_what_is_between_their_sides(claimed, right):
    def f(x, y, z):
        return ag.maximum(ag.maximum(x, y), z) ** 2

    if right:
        check_gradients(f, 2.0, 2.0, 2.0, gradient=lambda *_: claimed)
    else:
        with pytest.raises(GradientMismatch):
            check_gradients(f, 2.0, 2.0, 2.0, gradient=lambda *_: claimed)


@pytest.mark.parametrize(
    ("row", "args"),
    [(ag.abs, (0.0,)), (ag.relu, (0.0,)), (ag.elu, (0.0,)), (ag.maximum, (2.0, 2.0))],
)
def test_all_orders_are_judged_on_a_kink(row, args):
    assert check_gradients(row, *args, order=3).undecided == 0


@pytest.mark.parametrize(("row", "x"), [(ag.sqrt, 0.0), (ag.cbrt, 0.0), (ag.asin, 1.0)])
def test_an_infinite_derivative_at_the_edge_is_right(row, x):
    found = check_gradients(row, x, order=1)
    assert found.right == 3
    assert found.undecided == 0


@pytest.mark.parametrize("args", [(-2.0, 0.5), (-3.0, 2.0)])
def test_nan_is_right_where_there_is_no_value(args):
    assert check_gradients(ag.pow, *args, order=1).right >= 2
    found = check_gradients(lambda x, y: ag.pow(x, y) + 0.0, *args, order=1)  # who knows why
    assert found.undecided > 0


# ------------------------------------------------------------------- the third order


def test_third_derivatives_in_every_combination_of_modes():
    found = check_gradients(lambda x, y: ag.sin(x * y) * ag.exp(x - y), 0.7, 0.3, order=3)
    assert found.undecided == 0
    assert found.right > 8 * 4 + 4 * 3 + 2 * 2
    with pytest.raises(GradientMismatch, match=r"third derivative \(reverse over") as caught:
        check_gradients(lambda x, y: y * ROWS["wrong third order"](x), 0.3, 0.7, order=3)
    assert caught.value.report.argument == "x three times"
    check_gradients(lambda x, y: y * ROWS["wrong third order"](x), 0.3, 0.7)


@pytest.mark.parametrize("x", [1e-3, 1e3, 1e8])
def test_third_derivatives_may_lose_what_rounding_takes(x):
    assert check_gradients(lambda x: ag.sin(x) / (1.0 + x * x), x, order=3).undecided == 0


# ------------------------------------------------------------------- what is not judged, and why


def test_undecided_numbers_are_counted_by_reason():
    found = check_gradients(lambda x: ag.floor(x) * x + ag.hypot(x, x), 0.0)
    assert "kink" in found.undecided_by
    assert found.undecided == sum(found.undecided_by.values()) > 0
    count = found.undecided_by["kink"]
    assert f"undecided: {count} where a derivative jumps" in str(found)
    assert set(check_gradients(lambda x: ag.exp(x) / ag.exp(x), 1e3).undecided_by) == {"infinite"}


# ------------------------------------------------------------------- float64 and integers


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_numbers_of_less_precision_are_refused(kind):
    few = numpy.dtype(kind).type
    with pytest.raises(TypeError, match=f"argument x is of {kind}; .* x.astype"):
        check_gradients(lambda x: x[0] * x[1], numpy.array([1.0, 2.0], kind))
    with pytest.raises(TypeError, match=f"argument w is of {kind}"):
        check_gradients(lambda w: w["a"] * 2.0, {"a": few(1.0)})
    with pytest.raises(TypeError, match=f"the result of the gradient is of {kind}"):
        check_gradients(lambda x: x * x, 1.0, gradient=lambda x: few(2.0 * x))
    with pytest.raises(TypeError, match=f"the result of the function is of {kind}"):
        check_gradients(lambda x: few(math.sin(x)), 1.0, gradient=math.cos)
    assert check_gradients(lambda x: x * x, numpy.float64(1.0)).right > 0


def test_an_integer_is_named():
    def power(x, n):
        return x**n

    found = check_gradients(power, 2.0, 3)
    assert found.notes[0].startswith("n is an integer and held constant")
    assert "note: n is an integer" in str(found)
    with pytest.raises(TypeError, match="x, n are integers and held constant"):
        check_gradients(power, 2, 3)
    with pytest.raises(TypeError, match=r"one entry per argument.*n is an integer and held"):
        check_gradients(power, 2.0, 3, gradient=lambda x, n: (n * x ** (n - 1), 0.0))
    with pytest.raises(GradientMismatch, match="note: n is an integer"):
        check_gradients(power, 2.0, 3, gradient=lambda x, n: 11.0)


# ------------------------------------------------------------------- rounding is not an error


@pytest.mark.parametrize("x", [1e-3, 1e-6, 1e-8])
def test_cancellation_is_no_mismatch_but_a_wrong_rule_under_it_is(x):
    def f(x):
        return (1.0 - ag.cos(x)) / (x * x)

    def f_wrong(x):
        return (1.0 - ROWS["wrong sign"](x)) / (x * x)

    check_gradients(f, x)
    with pytest.raises(GradientMismatch, match="wrong_sign"):
        check_gradients(f_wrong, x)


def test_the_engine_itself_is_under_test(monkeypatch):
    """A sweep that forgets something is found, and no operation is blamed for it."""
    from autograd import derivatives

    sweep = derivatives.cotangents
    monkeypatch.setattr(derivatives, "cotangents", lambda *args: [1.001 * x for x in sweep(*args)])
    with pytest.raises(GradientMismatch, match="their combination does not"):
        check_gradients(lambda x: ag.sin(x) * x, 0.7)


# ------------------------------------------------------------------- reports


def test_the_program_in_a_report_shows_it_again():
    ag.register(ROWS["off by 0.1 %"])
    try:
        with pytest.raises(GradientMismatch) as caught:
            check_gradients(lambda x: ROWS["off by 0.1 %"](x * 2.0), 0.3)
        program = caught.value.report.program
        assert "\n" not in program
        with pytest.raises(GradientMismatch) as again:
            exec(program, {})  # our own text, built from this test
        assert (
            again.value.report.culprit.split(" (")[0]
            == (caught.value.report.culprit.split(" (")[0])
        )
    finally:
        ag.unregister("wrong_scale")


def test_the_program_for_a_foreign_gradient_needs_neither_function():
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(product, 0.7, 1.3, gradient=Tape(True).gradient)
    with pytest.raises(GradientMismatch) as again:
        exec(caught.value.report.program, {})  # our own text, built from this test
    assert again.value.report.reference == caught.value.report.reference
    assert again.value.report.analytic == caught.value.report.analytic


def test_a_report_says_where_it_went_wrong():
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(lambda x: ag.exp(ROWS["off by 0.1 %"](x * 2.0)), 0.3)
    report = caught.value.report
    assert [line.split("(")[0] for line in report.chain] == ["mul", "wrong_scale", "exp"]
    assert "operation 2" in report.culprit
    assert report.reference_error < 1e-15 * abs(report.reference)
    assert report.step == 1e-35
    assert abs(report.analytic / report.reference - 1.001) < 1e-9
    for part in ("analytic", "reference", "ulps", "step", "first wrong operation"):
        assert part in str(caught.value)


# ------------------------------------------------------------------- wrong use


def test_wrong_use_is_told():
    with pytest.raises(TypeError, match="holds a float"):
        check_gradients(lambda n: n, 3)
    with pytest.raises(ValueError, match="order must be 1, 2 or 3"):
        check_gradients(ag.sin, 1.0, order=4)
    with pytest.raises(ValueError, match="modes"):
        check_gradients(ag.sin, 1.0, modes=("backward",))
    with pytest.raises(TypeError, match="scalar"):
        check_gradients(lambda x: [x, x], 1.0)


def test_a_constant_function():
    assert check_gradients(lambda x: 3.0, 1.0).right > 0
    with pytest.raises(GradientMismatch):
        check_gradients(lambda x: 3.0, 1.0, gradient=lambda x: 0.1)


def test_the_users_mpmath_precision_is_left_alone():
    import mpmath

    before = mpmath.mp.dps
    check_gradients(ag.sin, 1.0)
    assert mpmath.mp.dps == before
