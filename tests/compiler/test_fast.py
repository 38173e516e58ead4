"""fast=True: as accurate as docs/compile.md says, and right at every special point."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath")

import autograd  # noqa: E402
from autograd import primitives  # noqa: E402
from autograd.compiler import compile  # noqa: E402
from autograd.compiler._execute import Code, Options  # noqa: E402
from autograd.compiler.arguments import Rows  # noqa: E402
from autograd.compiler.native import Layout, vector_functions  # noqa: E402
from autograd.compiler.program import Program  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs/compile.md").read_text("utf-8")
TABLE = {
    name: (float(default), float(fast))
    for name, default, fast in re.findall(r"\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", PAGE)
}
SAME = set(primitives()) - set(TABLE)


def run(name, columns, fast):
    arity = len(columns)
    program = Program(arity, (), ((name, tuple(range(arity))),), (arity,))
    code = Code(program, Layout((True,) * arity, (False,)), fast)
    rows = Rows([np.array(columns).T.copy()], len(columns[0]))
    return code.run(np.empty(0), rows, Options())[0][0]


@pytest.mark.skipif(vector_functions() is None, reason="no libmvec here")
@pytest.mark.parametrize("name", TABLE)
def test_errors_are_as_documented(name):
    primitive = primitives()[name]
    rng = np.random.default_rng(7)
    columns = [rng.uniform(low, high, 200) for low, high in primitive.domain]
    with mpmath.workprec(200):
        exact = [
            primitive.exact(mpmath, *map(mpmath.mpf, row)) for row in np.array(columns).T.tolist()
        ]
        for fast in (False, True):
            worst = max(
                abs(mpmath.mpf(float(found)) - want) / math.ulp(float(want))
                for found, want in zip(run(name, columns, fast), exact, strict=True)
            )
            assert worst <= TABLE[name][fast]


@pytest.mark.parametrize("name", sorted(SAME - {"polygamma"}))
def test_what_the_page_does_not_list_is_the_same(name):
    rng = np.random.default_rng(8)
    columns = [rng.uniform(low, high, 300) for low, high in primitives()[name].domain]
    if name == "digamma":  # through log; its error is its own
        assert np.allclose(run(name, columns, True), run(name, columns, False), rtol=1e-14)
    elif name == "gelu":  # through erfc
        assert np.allclose(run(name, columns, True), run(name, columns, False), rtol=1e-13)
    else:
        assert np.array_equal(run(name, columns, True), run(name, columns, False))


@pytest.mark.parametrize("name", [n for n in primitives() if n != "polygamma"])
def test_special_points(name):
    points = primitives()[name].special
    columns = np.array([args for args, _, _ in points]).T
    found = run(name, columns, True)
    for value, (args, want, _) in zip(found, points, strict=True):
        assert (math.isnan(value) and math.isnan(want)) or value == pytest.approx(
            want, rel=1e-14
        ), args


def test_a_sum_of_products_is_contracted_and_strong_zeros_stay():
    def f(x, y):
        return x * y + 1.0

    x, y = np.full(8, 1.0 + 2.0**-30), np.full(8, -1.0 + 2.0**-30)
    assert np.all(compile(f, in_axes=0)(x, y) == 0.0)
    assert np.all(compile(f, in_axes=0, fast=True)(x, y) == 2.0**-60)

    def zero(x):
        return autograd.sqrt(x) * 0.0  # an infinite partial under a zero cotangent

    assert np.array_equal(compile(zero, in_axes=0, fast=True).grad(np.zeros(3)), np.zeros(3))
