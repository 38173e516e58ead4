"""Sweeps on random graphs: against high-precision differences, and their own invariants."""

import math
from math import inf, nan

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
import autograd as ag
from autograd import Value, _sweep, differentiate, grad, primitives, topological_order, vjp
from autograd._primitive import operands_of

# Random graphs are built from every primitive that is smooth and total near its domain's values;
# a choice of operands is brought into the domain by a bounded map first. (`direction` jumps at the
# origin, where differences of two sides say nothing.)
NO_DIFFERENCES = [
    "polygamma",
    "stop_gradient",
    "floor",
    "ceil",
    "round",
    "fmod",
    "where",
    "direction",
]
ROWS = [row for row in primitives().values() if row.name not in NO_DIFFERENCES]


def into(row, i, x):
    """A smooth map of any number into the domain of argument i of `row`."""
    low, high = row.domain[i]
    middle, half = 0.5 * (low + high), 0.45 * (high - low)
    return autograd.tanh(x * 0.3) * half + middle


@st.composite
def programs(draw):
    """A list of steps: (row, operand indices); an index below 0 is a constant."""
    steps = []
    for k in range(draw(st.integers(1, 7))):
        row = draw(st.sampled_from(ROWS))
        operands = []
        for _ in range(row.arity):
            if row.arity > 1 and operands and draw(st.integers(0, 4)) == 0:
                operands.append(draw(st.floats(-2.0, 2.0)))
            else:
                operands.append(draw(st.integers(0, 2 + k)))
        steps.append((row, operands))
    return steps


inputs = st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3)


def run(steps, leaves):
    pool = list(leaves)
    for row, operands in steps:
        args = [
            into(row, i, pool[at] if isinstance(at, int) else at) for i, at in enumerate(operands)
        ]
        pool.append(row(*args))
    return autograd.sum(pool[3:])


def replay(y, leaves, at):
    """The recorded graph evaluated again on high-precision numbers, through the definitions."""
    numbers = {id(leaf): x for leaf, x in zip(leaves, at, strict=True)}
    for node in topological_order(y):
        if node.op:
            args = [
                mpmath.mpf(number) if parent is None else numbers[id(parent)]
                for parent, number in operands_of(node)
            ]
            numbers[id(node)] = node.primitive.exact(mpmath.mp, *args)
        else:
            numbers.setdefault(id(node), mpmath.mpf(node.data))
    return numbers[id(y)]


@given(programs(), inputs)
@settings(max_examples=300)
def test_random_graphs_against_high_precision_differences(steps, xs):
    leaves = [Value(x) for x in xs]
    y = run(steps, leaves)
    y.backward()
    with mpmath.workdps(60):
        at = [mpmath.mpf(x) for x in xs]
        h = mpmath.mpf(10) ** -20
        for i, leaf in enumerate(leaves):
            up, down = list(at), list(at)
            up[i] += h
            down[i] -= h
            right = (replay(y, leaves, up) - replay(y, leaves, at)) / h
            left = (replay(y, leaves, at) - replay(y, leaves, down)) / h
            scale = abs(right) + sum(abs(v.grad * v.data) for v in topological_order(y)) + 1
            if abs(right - left) < 1e-9 * scale:  # not on a kink
                assert abs(mpmath.mpf(leaf.grad) - (left + right) / 2) < 1e-8 * scale
            else:  # on one: between both sides
                low, high = min(left, right), max(left, right)
                assert low - 1e-8 * scale <= leaf.grad <= high + 1e-8 * scale


@given(programs(), inputs)
@settings(max_examples=200)
def test_floats_and_graph_give_the_same_bits(steps, xs):
    leaves = [Value(x) for x in xs]
    y = run(steps, leaves)
    y.backward()
    graph = differentiate(y, leaves)
    for leaf, g in zip(leaves, graph, strict=True):
        assert (g.data + 0.0).hex() == leaf.grad.hex()


@given(programs(), programs(), inputs, st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
@settings(max_examples=150)
def test_the_reverse_sweep_is_linear(one, two, xs, a, b):
    def f(*leaves):
        return [run(one, leaves), run(two, leaves)]

    _, pullback = vjp(f, *xs)
    first, second, both = pullback([1.0, 0.0]), pullback([0.0, 1.0]), pullback([a, b])
    for g, h, s in zip(first, second, both, strict=True):
        scale = abs(a * g) + abs(b * h) + 1.0
        assume(math.isfinite(scale))
        # Cancellation inside is not bounded by the results; the graphs here are tame.
        assert abs(s - (a * g + b * h)) <= 1e-9 * scale


def test_a_zero_cotangent_contributes_zero_even_to_an_infinite_partial():
    x = Value(0.0)
    y = autograd.sqrt(x) * 0.0 + x
    y.backward()
    assert x.grad == 1.0
    assert differentiate(y, [x])[0].data == 1.0


def test_a_branch_not_selected_contributes_nothing():
    x = Value(0.0)
    y = autograd.where(x > 0.0, autograd.log(x), x * 3.0)
    y.backward()
    assert x.grad == 3.0


@pytest.mark.parametrize("select", [autograd.relu, lambda x: autograd.where(0.0, x, 0.0)])
def test_an_infinite_cotangent_stops_where_nothing_was_selected(select):
    x = Value(-1.0)
    y = autograd.log(select(x))
    y.backward()
    assert x.grad == 0.0
    assert differentiate(y, [x])[0].data == 0.0


def test_an_infinite_cotangent_times_a_real_zero_is_nan():
    x = Value(0.0)
    y = autograd.sqrt(x * x)
    y.backward()
    assert math.isnan(x.grad)
    assert math.isnan(differentiate(y, [x])[0].data)


def test_the_partial_of_a_constant_is_never_computed():
    x = Value(-3.0)
    y = x**2
    y.backward()
    assert x.grad == -6.0
    assert differentiate(differentiate(y, [x])[0], [x])[0].data == 2.0


def test_partials_are_those_of_the_forward_pass():
    """Changing a leaf's data afterwards does not change what backward() differentiates."""
    x, w = Value(2.0), Value(3.0)
    y = x * w
    w.data = 100.0
    y.backward()
    assert x.grad == 3.0


def test_closures_keep_their_gradients():
    w = Value(2.0)
    w.grad = 7.0
    assert autograd.grad(lambda x: autograd.where(x, w * x * w, x))(3.0) == 4.0
    assert w.grad == 7.0
    assert autograd.jvp(lambda x: w * x, (3.0,), (1.0,)) == (6.0, 2.0)
    assert w.grad == 7.0


def test_a_partial_that_passes_through_zero_keeps_its_own_derivative():
    for f in (autograd.leaky_relu, autograd.elu):
        mixed = autograd.hessian(f, argnums=(0, 1))(-2.0, 0.0)[0][1]
        assert mixed == (1.0 if f is autograd.leaky_relu else math.exp(-2.0))


# ------------------------------------------------------------- constants that are not finite

UNSELECTED = [
    ("relu", ag.relu, -1.0),
    ("abs", lambda x: ag.abs(x), 0.0),
    ("maximum", lambda x: ag.maximum(x, 2.0), 1.0),
    ("minimum", lambda x: ag.minimum(2.0, x), 3.0),
    ("where x", lambda x: ag.where(0.0, x, 5.0), 1.0),
    ("where y", lambda x: ag.where(x, 5.0, x) * 1.0, 1.0),
    ("sign", lambda x: ag.sign(x) + ag.relu(x), -1.0),
]


@pytest.mark.parametrize("constant", [inf, -inf, nan])
@pytest.mark.parametrize(("name", "f", "x"), UNSELECTED, ids=[row[0] for row in UNSELECTED])
def test_what_is_not_selected_contributes_nothing(name, f, x, constant):
    """`0 * inf` where a primitive selects is 0 in every mode, also with a constant `inf`."""

    def scaled(x):
        return constant * f(x)

    def within(x):
        return f(x) * constant + x * 0.0

    kernel = ag.compile(scaled)
    for g in (scaled, within):
        y = Value(x)
        g(y).backward()
        found = [
            y.grad,
            ag.grad(g)(x),
            ag.jacobian(g, mode="forward")(x),
            ag.jvp(g, (x,), (1.0,))[1],
            ag.differentiate(g(z := Value(x)), [z])[0].data,
            ag.grad(lambda t, g=g: ag.grad(g)(t) + t)(x) - 1.0,
            ag.hvp(g, (x,), (1.0,)),
            ag.hessian(g)(x),
        ]
        assert found == [0.0] * len(found)
    assert [kernel.grad(x), kernel.grad(x), kernel.grad(x)] == [0.0] * 3
    if constant != constant:
        return
    for along in (constant, Value(constant)):  # an infinite tangent likewise
        tangent = ag.jvp(f, (x,), (along,))[1]
        assert (tangent.data if isinstance(tangent, Value) else tangent) == 0.0


def test_a_sweep_within_a_sweep_of_one_thread_is_refused():
    """As by a signal handler: it would overwrite the other's numbers."""
    x = Value(3.0)
    y = x * x
    with _sweep._lock:
        for call in (y.backward, y.zero_grad, lambda: grad(lambda x: x * x)(3.0)):
            with pytest.raises(RuntimeError, match="in the middle of another sweep"):
                call()
    y.backward()
    assert x.grad == 6.0


# ------------------------------------------------------------------ leaves at every place

PLACES = [(p.name, i) for p in primitives().values() for i in range(p.arity)]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_leaf_accumulates_at_every_operand_place(name, place):
    prim = primitives()[name]
    args = [low + 0.4 * (high - low) for low, high in prim.domain]
    alone, together = Value(args[place]), [Value(x) for x in args]
    results = [
        (prim(*[alone if i == place else x for i, x in enumerate(args)]), alone),
        (prim(*together), together[place]),
    ]
    for y, leaf in results:
        y.backward()
        once = leaf.grad
        partial = dict(zip(map(id, y.parents), y.partials, strict=True))[id(leaf)]
        assert repr(once) == repr(partial + 0.0)
        y.backward()
        assert repr(leaf.grad) == repr(2.0 * once)
        y.zero_grad()
        y.backward()
        assert repr(leaf.grad) == repr(once)


def test_a_leaf_as_third_operand_accumulates():
    a, b = Value(1.0), Value(1.0)
    y = ag.where(0.0, a, b)
    y.backward()
    y.backward()
    assert (a.grad, b.grad) == (0.0, 2.0)


def test_zero_grad_reaches_every_node():
    x = Value(2.0)
    inner = x * x
    y = ag.where(0.0, x, inner)
    y.backward()
    assert (x.grad, inner.grad, y.grad) == (4.0, 1.0, 1.0)
    y.zero_grad()
    assert (x.grad, inner.grad, y.grad) == (0.0, 0.0, 0.0)


def test_gradients_are_moved_into_sums():
    a, b = Value(2.0), Value(3.0)
    (a * b).backward()
    sums = [0.5, -1.0]
    _sweep.move_gradients([a, b], sums)
    assert (sums, a.grad, b.grad) == ([3.5, 1.0], 0.0, 0.0)
