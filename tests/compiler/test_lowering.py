"""Every primitive has a lowering, and it gives the bits of its row in the table."""

import itertools
import math

import numpy as np
import pytest

import autograd
from autograd import primitives
from autograd.compiler import compile
from autograd.compiler._execute import Code, Options, Point
from autograd.compiler._lowering import LOWERINGS
from autograd.compiler.arguments import Rows
from autograd.compiler.native import Layout
from autograd.compiler.program import Program

TRICKY = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, 3.0, -3.0, 2.5, 9.999, 10.0, 171.3]
TRICKY += [math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e-310, 2.2e-308, 1e-17, 1e17]
TRICKY += [1e200, -1e200, 1e305, 1.7e308, -1e308, 0.1, -0.3, 4503599627370495.5, -1.0000000001]


def same(x, y):
    """Say whether two arrays hold the same bits, all NaNs counting as one."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return np.array_equal(x, y, equal_nan=True) and np.array_equal(
        np.signbit(x[x == x]), np.signbit(y[y == y])
    )


def arguments(primitive):
    """Return rows of arguments: special points, all tricky combinations, the domain."""
    rows = [args for args, _, _ in primitive.special]
    few = TRICKY if primitive.arity < 3 else TRICKY[:8]
    if primitive.name == "polygamma":
        rows += [(float(n), x) for n in (0, 1, 2, 5) for x in TRICKY]
    else:
        rows += itertools.product(few, repeat=primitive.arity)
    rng = np.random.default_rng(5)
    rows += [tuple(float(rng.uniform(lo, hi)) for lo, hi in primitive.domain) for _ in range(100)]
    rows += [tuple(float(rng.normal(0, 100.0)) for _ in primitive.domain) for _ in range(30)]
    return rows


def test_every_primitive_has_a_lowering():
    assert set(primitives()) == set(LOWERINGS)


@pytest.mark.parametrize("name", [n for n in primitives() if n != "polygamma"])
def test_bits_of_a_primitive(name):
    primitive = primitives()[name]
    rows = arguments(primitive)
    arity = primitive.arity
    program = Program(arity, (), ((name, tuple(range(arity))),), (arity,))
    expected = [primitive.fn(*row) for row in rows]

    point = Point(Code(program, Layout((False,) * arity, (False,), point=True)))
    found = []
    for row in rows:
        point.inputs[:arity] = row
        assert point.run()
        found.append(point.results[0])
    assert same(found, expected)

    code = Code(program, Layout((True,) * arity, (False,)))
    columns, _, held = code.run(np.empty(0), Rows([np.array(rows)], len(rows)), Options())
    assert held is None
    assert same(columns[0], expected)


@pytest.mark.parametrize("order", [0.0, 1.0, 2.0, 3.0, 7.0, 60.0, 61.0, 0.5, -1.0])
def test_bits_of_polygamma(order):
    polygamma = primitives()["polygamma"]
    xs = [*TRICKY, *np.random.default_rng(3).uniform(-20.0, 40.0, 100).tolist()]
    program = Program(1, (order,), (("polygamma", (1, 0)),), (2,))
    code = Code(program, Layout((True,), (False,)))
    columns, _, _ = code.run(np.empty(0), Rows([np.array(xs)[:, None]], len(xs)), Options())
    assert same(columns[0], [polygamma.fn(order, x) for x in xs])


def test_an_order_of_polygamma_known_only_when_it_runs():
    program = Program(2, (), (("polygamma", (0, 1)),), (2,))
    point = Point(Code(program, Layout((False, False), (False,), point=True)))
    for n, x in [(0.0, 2.5), (3.0, 1.25), (3.0, -1.25), (2.5, 1.0)]:
        point.inputs[:2] = n, x
        point.run()
        assert same(point.results[0], primitives()["polygamma"].fn(n, x))


@pytest.mark.parametrize("name", [n for n in primitives() if n != "polygamma"])
def test_bits_of_the_gradient_of_a_primitive(name):
    """The gradient of a primitive at tricky points, beside the eager sweep."""
    primitive = primitives()[name]
    rows = arguments(primitive)[:400]
    wrt = tuple(range(primitive.arity))
    kernel = compile(primitive, wrt=wrt, in_axes=0)
    found = np.array(kernel.grad(*np.array(rows).T))
    expected = []
    for row in rows:
        leaves = [autograd.Value(x) for x in row]
        primitive(*leaves).backward()
        expected.append([leaf.grad for leaf in leaves])
    assert same(found.T, expected)


@pytest.mark.parametrize("order", [math.nan, math.inf, -1.0, 0.5, 61.0])
def test_polygamma_of_an_order_that_is_none(order):
    kernel = compile(lambda x: autograd.polygamma(order, x))
    for _ in range(2):
        assert math.isnan(kernel(1.5))
