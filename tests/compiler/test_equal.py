"""Compiled and eager give the same bits: random expressions, random points, one lane and many."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, primitives
from autograd.compiler import compile
from autograd.compiler.passes import simplify
from autograd.compiler.program import Program
from autograd.compiler.trace import gradient, trace

NAMES = [name for name in primitives() if name != "polygamma"]
CONSTANTS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, math.inf, 1e-300]
NUMBERS = st.one_of(
    st.floats(-4.0, 4.0), st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan])
)


@st.composite
def expressions(draw):
    """Return steps (primitive, operands); operands count inputs and earlier steps, or constants."""
    steps = []
    for n in range(draw(st.integers(1, 14))):
        primitive = primitives()[draw(st.sampled_from(NAMES))]
        operands = [
            draw(st.one_of(st.integers(0, 2 + n), st.sampled_from(CONSTANTS)))
            for _ in range(primitive.arity)
        ]
        if not any(isinstance(x, int) for x in operands):
            operands[0] = draw(st.integers(0, 2 + n))
        steps.append((primitive, operands))
    return steps


def function(steps):
    def f(x, y, z):
        values = [x, y, z]
        for primitive, operands in steps:
            values.append(primitive(*[values[i] if isinstance(i, int) else i for i in operands]))
        return values[-1]

    return f


def same(x, y):
    return (x != x and y != y) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))


def eager(f, row):
    """Return the value and the gradient that `backward` finds."""
    leaves = [Value(x) for x in row]
    out = f(*leaves)
    if isinstance(out, Value):
        out.backward()
        return [out.data, *(leaf.grad for leaf in leaves)]
    return [out, 0.0, 0.0, 0.0]


@settings(max_examples=60, deadline=None)
@given(expressions(), st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=11))
def test_kernels_have_the_bits_of_eager(steps, rows):
    f = function(steps)
    expected = [eager(f, row) for row in rows]

    point = compile(f, wrt=(0, 1, 2))
    for row, want in zip(rows, expected, strict=True):
        for _ in range(2):  # recorded, then compiled
            value, grads = point.value_and_grad(*row)
            assert all(map(same, [value, *grads], want)), (row, value, grads, want)

    many = compile(f, wrt=(0, 1, 2), in_axes=0)
    value, grads = many.value_and_grad(*np.array(rows).T)
    for i, want in enumerate(expected):
        assert all(map(same, [value[i], *(g[i] for g in grads)], want)), (rows[i], want)


@settings(max_examples=100, deadline=None)
@given(expressions(), st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_programs_have_the_bits_of_eager_when_printed_evaluated_and_simplified(steps, row):
    f = function(steps)

    def run(values, level):
        out = f(*values)
        return [out, *gradient(out, values, level)]

    recorded = trace(row, run)
    want = eager(f, row)
    for program in (recorded.program, simplify(recorded.program)):
        program.check()
        values, held = program.evaluate(row)
        assert held
        assert all(map(same, values, want)), str(program)
        names: dict = {}
        exec(str(program), names)
        assert all(map(same, names["program"](*row), want)), str(program)
        assert Program.from_json(program.to_json()).digest == program.digest
    assert all(map(same, recorded.values, want))
    assert len(simplify(recorded.program).code) <= len(recorded.program.code)


def test_rows_that_take_different_branches():
    def f(x, y):
        if x > 0.0:
            y = y * x
        while y > 1.0:
            y = y / 2.0
        return autograd.sin(y) if y != 0.5 else y

    rows = np.random.default_rng(0).normal(size=(300, 2)) * 4.0
    kernel = compile(f, wrt=(0, 1), in_axes=0)
    value, (dx, dy) = kernel.value_and_grad(rows[:, 0], rows[:, 1])
    for i, row in enumerate(rows.tolist()):
        out, grads = autograd.value_and_grad(f, argnums=(0, 1))(*row)
        assert [value[i], dx[i], dy[i]] == [out, *grads]
    assert kernel.stats.paths > 4
