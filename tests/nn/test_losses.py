"""Losses against their mathematical definitions in high precision, values and derivatives."""

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, grad

mp = mpmath.mp.clone()
mp.dps = 60


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


# loss, its definition with mpmath, outputs, targets
POINTS = [
    (nn.squared_error, lambda o, t: (o - t) ** 2, (-3.0, 0.1, 2.5), (-1.0, 0.0, 2.0)),
    (nn.half_squared_error, lambda o, t: (o - t) ** 2 / 2, (-3.0, 0.1, 2.5), (-1.0, 0.0, 2.0)),
    (nn.absolute_error, lambda o, t: abs(o - t), (-3.0, 0.1, 2.5), (-1.0, 0.0, 2.0)),
    (
        nn.huber,
        lambda o, t: (o - t) ** 2 / 2 if abs(o - t) <= 1 else abs(o - t) - mp.mpf(1) / 2,
        (-3.0, 0.1, 2.75, 900.0),
        (-1.0, 0.0, 2.0),
    ),
    (nn.hinge, lambda o, t: max(mp.mpf(0), 1 - t * o), (-3.0, 0.1, 2.5), (-1.0, 1.0)),
    (
        nn.binary_cross_entropy,
        lambda p, t: -(t * mp.log(p) + (1 - t) * mp.log(1 - p)),
        (1e-9, 0.2, 0.5, 1.0 - 2.0**-40),
        (0.0, 0.3, 1.0),
    ),
    (
        nn.binary_cross_entropy_with_logits,
        lambda z, t: -(t * mp.log(sigmoid(z)) + (1 - t) * mp.log(sigmoid(-z))),
        (-1000.0, -30.0, -1e-9, 0.0, 0.7, 40.0, 1000.0),
        (0.0, 0.3, 1.0),
    ),
]
CASES = [(loss, f, o, t) for loss, f, outputs, targets in POINTS for o in outputs for t in targets]


@pytest.mark.parametrize(("loss", "definition", "o", "t"), CASES)
def test_value_and_derivative_are_those_of_the_definition(loss, definition, o, t):
    mp.dps = 500  # sigmoid(1000) differs from 1 in the 435th digit
    value, slope = definition(mp.mpf(o), mp.mpf(t)), mp.diff(lambda x: definition(x, mp.mpf(t)), o)
    x = Value(o)
    y = loss(x, t)
    y.backward()
    assert y.data == pytest.approx(float(value), rel=1e-14, abs=1e-320)
    assert x.grad == pytest.approx(float(slope), rel=1e-12, abs=1e-300)
    assert loss(o, t) == y.data


@pytest.mark.parametrize("loss", [row[0] for row in POINTS])
def test_several_outputs_add_up_or_average(loss):
    outputs, targets = [0.25, 0.5, 0.75], [1.0, 0.0, 1.0]
    each = [loss(o, t) for o, t in zip(outputs, targets, strict=True)]
    assert loss(outputs, targets) == pytest.approx(sum(each), rel=1e-15)
    assert loss(outputs, targets, reduction="mean") == pytest.approx(sum(each) / 3, rel=1e-15)
    with pytest.raises(ValueError, match="3 outputs but 2 targets"):
        loss(outputs, targets[:2])
    with pytest.raises(ValueError, match="reduction must be"):
        loss(outputs, targets, reduction="max")


def test_kinks_have_the_conventional_derivatives():
    assert grad(lambda o: nn.absolute_error(o, 2.0))(2.0) == 0.0
    assert grad(lambda o: nn.hinge(o, 1.0))(1.0) == 0.0
    assert grad(lambda o: nn.huber(o, 0.0, delta=2.0))(2.0) == pytest.approx(2.0)
    assert grad(lambda o: nn.huber(o, 0.0))(0.0) == 0.0


def test_keywords_change_what_they_say():
    assert nn.huber(5.0, 0.0, delta=2.0) == 2.0 * (5.0 - 1.0)
    assert nn.hinge(0.5, -1.0, margin=3.0) == 3.5
    with pytest.raises(ValueError, match=r"delta must be positive, not 0\.0"):
        nn.huber(1.0, 0.0, delta=0.0)


def test_a_rounded_probability_costs_a_hundred_and_pulls_nowhere():
    for p, t in [(0.0, 1.0), (1.0, 0.0)]:
        x = Value(p)
        y = nn.binary_cross_entropy(x, t)
        y.backward()
        assert (y.data, x.grad) == (100.0, 0.0)
    for p, t in [(0.0, 0.0), (1.0, 1.0)]:
        assert nn.binary_cross_entropy(p, t) == 0.0


@given(
    st.lists(st.floats(-1000.0, 1000.0), min_size=1, max_size=6), st.integers(0, 5), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_cross_entropy_is_minus_log_softmax(numbers, label, encoded):
    mp.dps = 60
    label %= len(numbers)
    logits = [Value(x) for x in numbers]
    target = nn.one_hot([label], len(numbers))[0] if encoded else label
    loss = nn.cross_entropy(logits, target)
    loss.backward()
    powers = [mp.exp(mp.mpf(x)) for x in numbers]
    want = mp.log(sum(powers)) - mp.mpf(numbers[label])
    assert loss.data == pytest.approx(float(want), rel=1e-12, abs=1e-12)
    for i, logit in enumerate(logits):
        slope = powers[i] / sum(powers) - (i == label)
        assert logit.grad == pytest.approx(float(slope), rel=1e-9, abs=1e-13)


def test_cross_entropy_takes_soft_targets_and_numpy_labels():
    numpy = pytest.importorskip("numpy")
    logits = [0.1, 0.2, -0.3]
    parts = [nn.cross_entropy(logits, k) for k in range(3)]
    soft = nn.cross_entropy(logits, [0.5, 0.25, 0.25])
    assert soft == pytest.approx(0.5 * parts[0] + 0.25 * parts[1] + 0.25 * parts[2], rel=1e-14)
    assert nn.cross_entropy(logits, numpy.int64(2)) == parts[2]


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        (3, ValueError, "class 3 of 3"),
        (-1, ValueError, "class -1 of 3"),
        ([1.0, 0.0], ValueError, "2 probabilities, 3 logits"),
        (1.0, TypeError, "one_hot"),
        (Value(1.0), TypeError, "one_hot"),
    ],
)
def test_cross_entropy_refuses_what_is_no_class(target, kind, words):
    with pytest.raises(kind, match=words):
        nn.cross_entropy([0.1, 0.2, 0.3], target)


def test_penalties():
    parameters = [Value(-2.0), Value(0.0), Value(3.0)]
    for penalty, value, slopes in [
        (nn.l1, 2.5, [-0.5, 0.0, 0.5]),
        (nn.l2, 6.5, [-2.0, 0.0, 3.0]),
    ]:
        y = penalty(parameters, 0.5)
        y.zero_grad()
        y.backward()
        assert y.data == value
        assert [p.grad for p in parameters] == slopes


def test_infinite_logits_give_no_nan():
    assert nn.binary_cross_entropy_with_logits(math.inf, 1.0) == 0.0
    assert nn.binary_cross_entropy_with_logits(-math.inf, 1.0) == math.inf
