"""Every row of the table, at every point: value, partials, second order, special points.

The reference is the row's `exact` definition on numbers of 60 digits, differentiated numerically;
no derivative formula is typed again here.
"""

import ast
import math
import random
from pathlib import Path

import mpmath
import pytest

import autograd
from autograd import Primitive, Value, differentiate, jvp, primitives
from autograd import _rules as rules
from autograd._primitive import operands_of

ROWS = list(primitives().values())
# Where the derivative is not that of the definition: an integer argument, a cut on purpose.
NOT_DIFFERENTIABLE = {"polygamma": {0}, "stop_gradient": {0}}

m = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.MPContext()
m.dps = 60


def points(row: Primitive, n: int = 12) -> list[tuple[float, ...]]:
    rng = random.Random(f"points of {row.name}")
    found = []
    for _ in range(n):
        found.append(tuple(a if a == b else rng.uniform(a, b) for a, b in row.domain))
    return found


def exact(row, args):
    return m.mpf(row.exact(m, *[m.mpf(x) for x in args]))


def exact_partial(row, args, i, order=1):
    """The derivative by argument i, from central differences of 60-digit numbers."""

    def along(x):
        shifted = [m.mpf(a) for a in args]
        shifted[i] = x
        return row.exact(m, *shifted)

    return m.diff(along, m.mpf(args[i]), order, h=m.mpf(10) ** -15)


def close(got: float, want, scale, ulps: float) -> bool:
    """Whether `got` is within so many ulps of the reference, at the scale of what went into it."""
    if math.isnan(got):
        return bool(m.isnan(want))
    return abs(m.mpf(got) - want) <= ulps * m.mpf(2) ** -52 * scale


def condition(row, args, want):
    """The size of the value and of what an ulp in each argument does to it."""
    slopes = sum(abs(exact_partial(row, args, i) * a) for i, a in enumerate(args) if a)
    return abs(want) + slopes


def same(got: float, want: float) -> bool:
    """Equality that tells nan from numbers and 0.0 from -0.0."""
    if math.isnan(want):
        return math.isnan(got)
    return got == want and math.copysign(1.0, got) == math.copysign(1.0, want)


def wanted_arguments(row):
    return [i for i in range(row.arity) if i not in NOT_DIFFERENTIABLE.get(row.name, ())]


def test_every_row_has_points():
    for row in ROWS:
        assert row.domain, f"{row.name} has no domain to sample"
        assert row.special, f"{row.name} has no special points"
        assert row.exact is not None, f"{row.name} has no exact definition"
        assert row.doc, f"{row.name} has no line for the documentation"


def test_rules_use_no_operator_that_raises():
    tree = ast.parse(Path(rules.__file__).with_suffix("").with_name("_rules.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            names = [a.arg for a in node.args.args]
            if names[:1] == ["out"]:
                bad = [n for n in ast.walk(node) if isinstance(n, (ast.Div, ast.Pow, ast.Mod))]
                assert not bad, f"line {node.lineno}: use div() and pow() in partials"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_value(row):
    for args in points(row):
        got = row(*args)
        want = exact(row, args)
        assert type(got) is float
        assert close(got, want, condition(row, args, want), 4), (args, got, want)
        node = row(*map(Value, args))
        assert same(node.data, got)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_partials(row):
    for args in points(row):
        node = row(*map(Value, args))
        assert len(node.partials) == row.arity
        for i in wanted_arguments(row):
            want = exact_partial(row, args, i)
            slope = sum(abs(m.mpf(a) * _mixed(row, args, i, j)) for j, a in enumerate(args) if a)
            scale = abs(want) + slope + m.mpf(10) ** -40
            assert close(node.partials[i], want, scale, 8), (args, i, node.partials[i], want)


def _mixed(row, args, i, j):
    def partial_at(x):
        shifted = list(map(m.mpf, args))
        shifted[j] = x

        def along(y):
            again = list(shifted)
            again[i] = y
            return row.exact(m, *again)

        return m.diff(along, shifted[i], h=m.mpf(10) ** -15)

    h = m.mpf(10) ** -8
    x = m.mpf(args[j])
    return (partial_at(x + h) - partial_at(x - h)) / (2 * h)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_second_order(row):
    """Derivatives of derivatives, for every pair of arguments."""
    for args in points(row, 4):
        leaves = [Value(x) for x in args]
        first = differentiate(row(*leaves), leaves)
        for i in wanted_arguments(row):
            second = differentiate(first[i], leaves)
            for j in wanted_arguments(row):
                want = _mixed(row, args, i, j)
                tolerance = 1e-9 * (abs(want) + abs(exact_partial(row, args, i))) + 1e-12
                assert abs(m.mpf(second[j].data) - want) <= tolerance, (args, i, j)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_rule_off_by_a_thousandth_fails(row):
    """The comparison of `test_partials` can fail."""
    for args in points(row, 2):
        for i in wanted_arguments(row):
            want = exact_partial(row, args, i)
            if want != 0:
                assert not close(float(want) * 1.001, want, abs(want), 8)


SPECIAL = [(row, *special) for row in ROWS for special in row.special]


@pytest.mark.parametrize(
    ("row", "args", "value", "partials"), SPECIAL, ids=[f"{s[0].name}{s[1]}" for s in SPECIAL]
)
def test_special_point(row, args, value, partials):
    got = row(*args)
    if math.isfinite(value) and value not in (0.0, row(*args)):
        assert math.isclose(got, value, rel_tol=1e-15), (got, value)
    else:
        assert same(got, value), (got, value)
    node = row(*map(Value, args))
    assert same(node.data, got)
    for i, want in enumerate(partials):
        if want is None:
            continue
        have = node.partials[i]
        assert (
            have == want
            or math.isclose(have, want, rel_tol=4e-15)
            or (math.isnan(have) and math.isnan(want))
        ), f"partial {i}: {have}, expected {want}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_modes_agree_at_points(row):
    """Reverse on floats, reverse as graph and forward give the same bits for one operation."""
    for args in points(row, 6):
        leaves = [Value(x) for x in args]
        out = row(*leaves)
        out.backward()
        graph = differentiate(out, leaves)
        for i, leaf in enumerate(leaves):
            assert same(leaf.grad, graph[i].data + 0.0)
            direction = tuple(float(i == j) for j in range(row.arity))
            value, tangent = jvp(row, args, direction)
            assert same(value, out.data)
            assert same(tangent, leaf.grad)


@pytest.mark.parametrize("row", [r for r in ROWS if r.arity > 1], ids=lambda row: row.name)
def test_constant_operands_are_kept_but_have_no_partial(row):
    for args in points(row, 2):
        for i in range(row.arity):
            leaf = Value(args[i])
            node = row(*[leaf if i == j else a for j, a in enumerate(args)])
            assert node.parents == (leaf,)
            expected = tuple(leaf if i == j else a for j, a in enumerate(args))
            assert node.operands == expected
            full = row(*map(Value, args))
            assert same(node.data, full.data)
            assert same(node.partials[0], full.partials[i])


INLINED = [
    ("add", lambda x, y: x + y),
    ("sub", lambda x, y: x - y),
    ("mul", lambda x, y: x * y),
    ("div", lambda x, y: x / y),
    ("pow", lambda x, y: x**y),
]
NUMBERS = [0.0, -0.0, 1.0, -1.5, 2.0, 3.0, 0.5, 1e200, -1e-200, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize(("name", "operator"), INLINED, ids=[name for name, _ in INLINED])
@pytest.mark.parametrize("x", NUMBERS)
@pytest.mark.parametrize("y", NUMBERS)
def test_inlined_operators_equal_their_rows(name, operator, x, y):
    row = primitives()[name]
    for a, b in [(Value(x), Value(y)), (Value(x), y), (x, Value(y))]:
        inlined, table = operator(a, b), row(a, b)
        assert inlined.op == table.op == name
        assert same(inlined.data, table.data)
        assert inlined.operands == table.operands or math.isnan(x) or math.isnan(y)
        for have, want in zip(inlined.partials, table.partials, strict=True):
            assert same(have, want), (a, b, have, want)


@pytest.mark.parametrize("x", NUMBERS)
def test_inlined_unary_operations_equal_their_rows(x):
    for inlined, table in [
        (-Value(x), autograd.neg(Value(x))),
        (abs(Value(x)), autograd.abs(Value(x))),
        (Value(x).relu(), autograd.relu(Value(x))),
    ]:
        assert inlined.op == table.op
        assert same(inlined.data, table.data)
        assert same(inlined.partials[0], table.partials[0])
        assert len(operands_of(inlined)) == 1


def test_helpers_agree_with_high_precision():
    xs = [0.3, -1.7, 2.5]
    leaves = [Value(x) for x in xs]
    cases = {
        autograd.logsumexp: lambda *v: m.log(sum(m.exp(x) for x in v)),
        autograd.norm: lambda *v: m.sqrt(sum(x * x for x in v)),
        autograd.mean: lambda *v: sum(v) / 3,
        autograd.prod: lambda *v: v[0] * v[1] * v[2],
        autograd.sum: lambda *v: sum(v),
        lambda v: autograd.dot(v, v): lambda *v: sum(x * x for x in v),
        lambda v: autograd.softmax(v)[1]: lambda *v: m.exp(v[1]) / sum(m.exp(x) for x in v),
    }
    for ours, reference in cases.items():
        out = ours(leaves)
        assert float(reference(*map(m.mpf, xs))) == pytest.approx(out.data, rel=1e-15)
        assert same(ours(xs), out.data)
        for got, i in zip(differentiate(out, leaves), range(3), strict=True):
            direction = tuple(int(i == j) for j in range(3))
            want = m.diff(reference, tuple(map(m.mpf, xs)), direction)
            assert float(want) == pytest.approx(got.data, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("shift", [0.0, 1000.0, -1000.0])
def test_softmax_and_logsumexp_are_stable(shift):
    leaves = [Value(x + shift) for x in (0.0, 1.0, -1.0)]
    total = autograd.logsumexp(leaves)
    parts = [p.data for p in autograd.softmax(leaves)]
    assert total.data == pytest.approx(1.4076059644443804 + shift, rel=1e-15)
    assert sum(parts) == pytest.approx(1.0, rel=1e-15)
    total.backward()
    assert [leaf.grad for leaf in leaves] == pytest.approx(parts, rel=1e-12)


def test_helpers_of_nothing_and_of_wrong_things():
    assert autograd.sum([]) == 0.0
    assert autograd.prod([]) == 1.0
    assert autograd.dot([], []) == 0.0
    assert autograd.norm([]) == 0.0
    assert autograd.logsumexp([]) == -math.inf
    assert autograd.softmax([]) == []
    with pytest.raises(ValueError, match="mean"):
        autograd.mean([])
    with pytest.raises(ValueError, match="2 and 1"):
        autograd.dot([1.0, 2.0], [1.0])
    with pytest.raises(TypeError, match="sum"):
        autograd.sum(3.0)
    assert autograd.logsumexp([-math.inf, -math.inf]) == -math.inf
    assert autograd.logsumexp([math.inf, 0.0]) == math.inf


@pytest.mark.parametrize("name", ["add", "mul", "hypot"])
def test_what_the_compiler_takes_as_commuting_commutes(name):
    row = primitives()[name]
    for x in NUMBERS:
        for y in NUMBERS:
            assert same(row(x, y), row(y, x)), (x, y)


@pytest.mark.parametrize(
    "name", ["log", "log1p", "log2", "log10", "asin", "acos", "acosh", "atanh"]
)
def test_outside_a_domain_every_derivative_is_nan(name):
    f = primitives()[name]
    for _ in range(4):
        assert math.isnan(f(-2.5))
        f = autograd.grad(f)
