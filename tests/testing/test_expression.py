"""Expressions print as Python, run on three kinds of numbers, and come from graphs too."""

import random

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import Expression
from autograd.testing._expression import random_expression, usable
from autograd.testing.strategies import expressions, graphs, hard_floats, points, structures_of


@settings(max_examples=200)
@given(st.one_of(expressions(variables=3), graphs()))
def test_text_is_the_same_function(e):
    leaves = [ag.Value(x) for x in e.point]
    again = eval(repr(e), {"ag": ag})(*leaves)  # our own text, built from primitives
    mine = e(*leaves)
    value = e(*e.point)
    assert isinstance(value, float)
    assert getattr(mine, "data", mine) == value
    # x**1 and the like are folded by no one: the text makes the same operations.
    assert getattr(again, "data", again) == value


def test_numbers_of_mpmath():
    e = Expression.of(*_recorded(lambda x, y: ag.exp(x) * y + 2.0))
    with mpmath.workdps(40):
        got = e(mpmath.mpf(1), mpmath.mpf(3))
        assert got == mpmath.exp(1) * 3 + 2
    assert repr(e) == "lambda x, y: ag.exp(x) * y + 2.0"


def _recorded(f):
    x, y = ag.Value(1.5), ag.Value(-0.5)
    return f(x, y), [x, y]


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x, y: x - (y - 1.0), "x - (y - 1.0)"),
        (lambda x, y: x - y - 1.0, "x - y - 1.0"),
        (lambda x, y: (x + y) * x / (y * 2.0), "(x + y) * x / (y * 2.0)"),
        (lambda x, y: -(x + y), "-(x + y)"),
        (lambda x, y: (-x) ** 2.0 * -1.5, "(-x) ** 2.0 * (-1.5)"),
        (lambda x, y: x ** (-y), "x ** (-y)"),
        (lambda x, y: (lambda t: t * t + y)(x * y), "(t1 := x * y) * t1 + y"),
        (lambda x, y: ag.maximum(x, -ag.inf), "ag.maximum(x, -ag.inf)"),
        (lambda x, y: x, "ag.identity(x)"),
    ],
)
def test_spelling(f, text):
    assert Expression.of(*_recorded(f)).text() == text


def test_a_deep_graph_is_spelled_without_recursion():
    x = ag.Value(0.5)
    y = x
    for _ in range(20_000):
        y = ag.neg(y)
    assert Expression.of(y, [x]).text().count("-") == 20_000


def test_a_primitive_of_the_user_is_spelled_by_name():
    row = ag.Primitive(
        "cubed",
        lambda x: x * x * x,
        (lambda out, x: 3.0 * x * x,),
        domain=((-2.0, 2.0),),
        exact=lambda m, x: x**3,
    )
    x = ag.Value(2.0)
    assert Expression.of(row(x), [x]).text() == "ag.primitives()['cubed'](x)"


def test_random_expressions_are_reproducible_and_finite():
    one, two = (random_expression(random.Random(7), 2, 12) for _ in range(2))
    assert repr(one) == repr(two)
    assert one.point == two.point
    sizes = [len(random_expression(random.Random(i), 2, 20)) for i in range(200)]
    assert 15 < sum(sizes) / len(sizes) < 30
    used = {p for i in range(600) for p, _ in random_expression(random.Random(i)).operations}
    assert used == set(usable())


def test_wrong_number_of_arguments():
    with pytest.raises(TypeError, match="takes 2 arguments, got 1"):
        Expression.of(*_recorded(lambda x, y: x * y))(1.0)


@pytest.mark.parametrize("row", [ag.log, ag.pow, ag.where, ag.polygamma], ids=lambda row: row.name)
def test_points_are_in_the_domain_or_special(row):
    special = {args for args, _, _ in row.special}

    @settings(max_examples=60)
    @given(points(row))
    def holds(args):
        inside = all(low <= x <= high for x, (low, high) in zip(args, row.domain, strict=True))
        assert inside or args in special

    holds()


def test_hard_floats_reach_what_they_promise():
    seen = []

    @settings(max_examples=1500)
    @given(hard_floats())
    def collect(x):
        seen.append(x)

    collect()
    assert any(0.0 < abs(x) < 2.2e-308 for x in seen)
    assert any(abs(x) > 1e300 for x in seen)
    assert any(str(x) == "-0.0" for x in seen)
    assert any(100.0 < abs(x) < 1e3 for x in seen)


@settings(max_examples=60)
@given(structures_of(st.floats(-2.0, 2.0)))
def test_gradients_have_the_structure_of_the_argument(tree):
    import optree

    leaves, spec = optree.tree_flatten(tree)

    def total(t):
        return ag.sum([x * x for x in optree.tree_leaves(t)])

    gradient = ag.grad(total)(tree)
    assert optree.tree_flatten(gradient) == ([2.0 * x for x in leaves], spec)


def test_wrong_sizes():
    with pytest.raises(ValueError, match="variables"):
        expressions(variables=0)
    with pytest.raises(ValueError, match="max_size"):
        graphs(max_size=0)
