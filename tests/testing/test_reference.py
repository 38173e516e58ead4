"""The reference against what is known in closed form."""

import mpmath
import pytest

import autograd as ag
from autograd.derivatives import _Recording
from autograd.testing._differences import derivative
from autograd.testing._reference import context, local
from autograd.testing._replay import Replay


def _close(m, got, true, digits=25):
    return m.fabs(got - true) <= m.mpf(10) ** -digits * (1 + m.fabs(true))


@pytest.mark.parametrize("x", [0.3, -7.5, 1e-300, 700.0])
def test_sinh_to_third_order(x):
    m = context()
    found = local(m, ag.sinh, [m.mpf(x)], [0], 3)
    assert _close(m, found.first[0] / m.cosh(x), 1)
    assert _close(m, found.second[0][0] / m.sinh(x), 1, 15)
    assert _close(m, found.third[0][0][0] / m.cosh(x), 1, 15)


@pytest.mark.parametrize(("x", "y"), [(0.7, 2.5), (3.0, -1.25), (1e-5, 3.0)])
def test_pow_and_its_mixed_derivatives(x, y):
    m = context()
    a, b = m.mpf(x), m.mpf(y)
    found = local(m, ag.pow, [a, b], [0, 1], 3)
    log = m.log(a)
    assert _close(m, found.first[1] / (a**b * log), 1)
    assert _close(m, found.second[0][1] / (a ** (b - 1) * (1 + b * log)), 1)
    assert _close(m, found.third[0][0][1] / (a ** (b - 2) * (2 * b - 1 + b * (b - 1) * log)), 1)
    assert _close(m, found.third[1][0][1] / (a ** (b - 1) * (2 * log + b * log**2)), 1)


def test_the_third_mixed_derivative_of_three_arguments():
    m = context()
    row = ag.Primitive(
        "box",
        lambda x, y, z: x * y * z,
        (None, None, None),
        domain=((1.0, 2.0),) * 3,
        exact=lambda m, x, y, z: x * y * z + m.exp(x * y * z),
    )
    found = local(m, row, [m.mpf(0.5), m.mpf(2), m.mpf(3)], [0, 1, 2], 3)
    t = m.mpf(3)
    assert _close(m, found.third[0][1][2], 1 + m.exp(t) * (1 + 3 * t + t * t))


@pytest.mark.parametrize(
    ("row", "args", "middle", "radius"),
    [
        (ag.relu, (0.0,), 0.5, 0.5),
        (ag.abs, (0.0,), 0.0, 1.0),
        (ag.maximum, (2.0, 2.0), 0.5, 0.5),
        (ag.leaky_relu, (0.0, 0.25), 0.625, 0.375),
    ],
)
def test_on_a_kink_both_sides_count(row, args, middle, radius):
    m = context()
    found = local(m, row, [m.mpf(x) for x in args], list(range(len(args))), 3)
    assert found.kink == 0
    assert _close(m, found.first[0], middle)
    assert _close(m, found.radius[0], radius)
    assert (found.second[0][0], found.radius_second[0][0]) == (0, 0)  # as on either side


def test_second_derivatives_on_a_kink_lie_between_those_of_the_sides():
    m = context()
    found = local(m, ag.elu, [m.mpf(0), m.mpf(1)], [0], 3)
    assert _close(m, found.second[0][0], 0.5)
    assert _close(m, found.radius_second[0][0], 0.5)
    assert _close(m, found.third[0][0][0], 0.5)


@pytest.mark.parametrize(("row", "x"), [(ag.sqrt, 0.0), (ag.cbrt, 0.0), (ag.asin, 1.0)])
def test_at_the_edge_of_a_domain_a_derivative_is_its_limit(row, x):
    m = context()
    found = local(m, row, [m.mpf(x)], [0], 2)
    assert found.first[0] == m.inf
    assert found.why == "infinite"


def test_on_a_jump_the_derivative_is_that_of_a_side():
    m = context()
    found = local(m, ag.floor, [m.mpf(3)], [0], 2)
    assert found.jumps
    assert (found.value, found.first[0], found.radius[0]) == (3, 0, 0)


def _replay(f, point, order=2, exact=False):
    run = _Recording("test", f, tuple(range(len(point))), point, {})
    return Replay(run.out, run.inputs, order, 2.0**-44, exact)


def test_a_replay_is_the_true_derivative():
    jet = _replay(lambda x, y: ag.sin(x * y) * ag.exp(x), (0.7, 1.9), exact=True).jet
    with mpmath.workdps(40):
        x, y = mpmath.mpf(0.7), mpmath.mpf(1.9)

        def f(x, y):
            return mpmath.sin(x * y) * mpmath.exp(x)

        for got, orders in zip(
            [*jet.first, *jet.second], [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)], strict=True
        ):
            true = mpmath.diff(f, (x, y), orders)
            assert abs(mpmath.mpf(got) - true) < mpmath.mpf(10) ** -18 * (1 + abs(true))


def test_slack_grows_with_cancellation():
    easy = _replay(lambda x: ag.cos(x) + 1.0, (1e-4,), 1, True).jet
    hard = _replay(lambda x: (1.0 - ag.cos(x)) / (x * x), (1e-4,), 1, True).jet
    assert easy.slack_first[0] < 1e-12
    assert 1e-3 < hard.slack_first[0] < 1e3


def test_what_is_stopped_has_no_derivative():
    jet = _replay(lambda x: ag.stop_gradient(x) * x, (3.0,)).jet
    assert jet.first[0] == 3


def test_differences_know_their_error():
    for f, df, x in (
        (mpmath.fp.exp, mpmath.fp.exp, 1.0),
        (mpmath.fp.sin, mpmath.fp.cos, 100.0),
        (lambda x: x**5, lambda x: 5 * x**4, -3.0),
        (lambda x: 1e6 + x * x, lambda x: 2 * x, 0.5),
    ):
        found = derivative(f, x)
        assert abs(found.value - df(x)) <= 8 * found.error
        assert found.error < 1e-6 * abs(df(x))
        assert not found.kink
    kink = derivative(abs, 0.0)
    assert (kink.value, kink.error, kink.kink) == (0.0, 1.0, True)
