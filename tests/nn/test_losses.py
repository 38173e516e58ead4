"""Losses against their mathematical definitions in high precision, values and derivatives."""

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, grad, hessian

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
    outputs, targets = [0.25, 0.5, 0.75], [1.0, -1.0 if loss is nn.hinge else 0.0, 1.0]
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


# ------------------------------------------------------------------- logits of any size

SIZES = [0.0, 1e-300, 1e-9, 0.5, 30.0, 710.0, 1e6, 1e10, 1e15, 1e300]
LOGITS = [
    *([a, a + d, a - d] for a in SIZES for d in (0.0, 1.0, 2.0, 700.0)),
    *([-a, a, 0.0] for a in SIZES),
    [5.0] * 4,
    [1e15, 1e15 + 1, 1e15 - 2],
    [1e10, 1e10 + 1, 1e10],
    [1e6, 1e6 + 1, 1e6 - 1],
    [-1e15, -1e15 - 1],
    [3.0],
]


def softmax_of(numbers):
    """Return loss by class and softmax, in high precision."""
    mp.dps = 80
    top = max(numbers)
    powers = [mp.exp(mp.mpf(x) - mp.mpf(top)) for x in numbers]
    total = sum(powers)
    losses = [mp.log(total) - (mp.mpf(x) - mp.mpf(top)) for x in numbers]
    return losses, [power / total for power in powers]


@pytest.mark.parametrize("numbers", LOGITS)
def test_cross_entropy_of_logits_of_any_size(numbers):
    losses, shares = softmax_of(numbers)
    n = len(numbers)
    for label, loss in enumerate(losses):
        for target in (label, nn.one_hot([label], n)[0]):
            logits = [Value(x) for x in numbers]
            found = nn.cross_entropy(logits, target)
            found.backward()
            assert found.data == pytest.approx(float(loss), rel=4e-16, abs=2e-16)
            assert nn.cross_entropy(numbers, target) == found.data
            slopes = [float(share) - (i == label) for i, share in enumerate(shares)]
            assert [x.grad for x in logits] == pytest.approx(slopes, rel=1e-14, abs=3e-16)
    second = hessian(lambda z: nn.cross_entropy(z, 0))(numbers)
    for i in range(n):
        for j in range(n):
            want = shares[i] * ((i == j) - shares[j])
            assert second[i][j] == pytest.approx(float(want), rel=1e-13, abs=1e-16)


EXTREMES = [0.0, 1e-300, 1e-8, 0.5, 3.0, 36.0, 40.0, 100.0, 709.0, 745.0, 1e3, 1e8, 1e15, 1e300]


@pytest.mark.parametrize("logit", [*EXTREMES, *[-z for z in EXTREMES]])
@pytest.mark.parametrize("target", [0.0, 1.0, 0.3, 1e-10, 1.0 - 1e-10])
def test_binary_cross_entropy_of_logits_of_any_size(logit, target):
    mp.dps = 500
    z, t = mp.mpf(logit), mp.mpf(target)
    share = 1 / (1 + mp.exp(-z))
    value = (1 - t) * z + mp.log(1 + mp.exp(-z)) if z > -1 else mp.log(1 + mp.exp(z)) - t * z
    x = Value(logit)
    loss = nn.binary_cross_entropy_with_logits(x, target)
    loss.backward()
    assert loss.data == pytest.approx(float(value), rel=1e-15, abs=1e-320)
    assert x.grad == pytest.approx(float(share - t), rel=1e-12, abs=1e-16)


def test_softmax_and_logsumexp_of_logits_of_any_size():
    for numbers in LOGITS:
        losses, shares = softmax_of(numbers)
        assert autograd.softmax(numbers) == pytest.approx([float(x) for x in shares], rel=1e-15)
        want = float(losses[0] + mp.mpf(numbers[0]))
        assert autograd.logsumexp(numbers) == pytest.approx(want, rel=1e-15, abs=1e-15)


def test_compiled_cross_entropy_is_the_same_and_takes_no_branch():
    pytest.importorskip("llvmlite")
    numpy = pytest.importorskip("numpy")
    kernel = autograd.compile(nn.cross_entropy, wrt=0)
    rows = [row for row in LOGITS if len(row) == 3]
    for row in [*rows, [math.inf, 0.0, 1.0], [-math.inf, 0.0, 1.0], [math.nan, 0.0, 1.0]]:
        target = nn.one_hot([1], 3)[0]
        value, slopes = kernel.value_and_grad(numpy.array(row), numpy.array(target))
        logits = [Value(x) for x in row]
        loss = nn.cross_entropy(logits, target)
        loss.backward()
        assert repr([value, *slopes.tolist()]) == repr([loss.data, *[x.grad for x in logits]])
    assert (kernel.stats.paths, kernel.stats.guards) == (1, 0)


def test_infinite_logits_are_as_elsewhere():
    inf = math.inf
    assert nn.cross_entropy([-inf, 0.0], 1) == 0.0
    assert nn.cross_entropy([-inf, 0.0], 0) == inf
    assert nn.cross_entropy([-inf, 0.0, 0.0], [0.0, 0.5, 0.5]) == pytest.approx(math.log(2.0))
    for logits in ([inf, 0.0], [-inf, -inf], [math.nan, 0.0]):
        assert math.isnan(nn.cross_entropy(logits, 0))


def test_cross_entropy_agrees_with_another_library():
    # torch 2.13, float64: cross_entropy of these logits and targets
    assert nn.cross_entropy([1e15, 1e15 + 1, 1e15 - 2], 1) == 0.34901221676818633
    assert nn.cross_entropy([1e10, 1e10 + 1, 1e10], 1) == pytest.approx(0.5514447139320511)
    assert nn.cross_entropy([3.0, 1.0, 1.0], [0.2, 0.3, 0.5]) == pytest.approx(
        1.6 + math.log(1.0 + 2.0 * math.exp(-2.0)), rel=1e-15
    )


# ------------------------------------------------------------------- what is no probability


@pytest.mark.parametrize(
    ("loss", "output", "target", "words"),
    [
        (nn.binary_cross_entropy, 1.5, 1.0, r"must be in \[0, 1\], not 1\.5"),
        (nn.binary_cross_entropy, -0.1, 1.0, r"must be in \[0, 1\], not -0\.1"),
        (nn.binary_cross_entropy, 0.5, -1.0, r"targets .*hinge.* must be in \[0, 1\], not -1\.0"),
        (nn.binary_cross_entropy, 0.5, math.inf, "targets"),
        (nn.binary_cross_entropy_with_logits, 0.5, -1.0, "targets .*hinge"),
        (nn.binary_cross_entropy_with_logits, [0.5, 1.0], [1, 2], r"\[0, 1\], not 2"),
        (nn.hinge, 0.5, 0.0, r"targets must be -1 or \+1, not 0\.0"),
        (nn.hinge, 0.5, 2, r"targets must be -1 or \+1, not 2"),
        (nn.cross_entropy, [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], r"add up to 1, not 0\.0"),
        (nn.cross_entropy, [1.0, 2.0, 3.0], [1, 1, 0], "add up to 1, not 2"),
        (nn.cross_entropy, [1.0, 2.0, 3.0], [1.5, -0.5, 0.0], r"in \[0, 1\], not 1\.5"),
        (nn.cross_entropy, [1.0, 2.0], [math.nan, 1.0], "add up to 1, not nan"),
    ],
)
def test_what_is_no_probability_is_refused(loss, output, target, words):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: .*{words}"):
        loss(output, target)
    many = isinstance(output, list)
    with pytest.raises(ValueError, match=words):
        loss([Value(x) for x in output] if many else Value(output), target)


def test_rounded_probabilities_are_taken():
    assert nn.cross_entropy([0.0, 0.0], [0.1, 0.9 + 1e-7]) == pytest.approx(math.log(2.0))
    assert math.isnan(nn.binary_cross_entropy(math.nan, 1.0))  # it is for `fit` to say whence


@pytest.mark.parametrize(
    ("loss", "output", "target"),
    [
        (nn.binary_cross_entropy, 1.5, 1.0),
        (nn.binary_cross_entropy, 0.5, -1.0),
        (nn.binary_cross_entropy_with_logits, 0.5, 2.0),
        (nn.hinge, 0.5, 0.0),
        (nn.cross_entropy, [1.0, 2.0], [1.0, 1.0]),
        (nn.cross_entropy, [1.0, 2.0], [1.5, -0.5]),
    ],
)
def test_in_compiled_code_what_is_no_probability_gives_nan(loss, output, target):
    pytest.importorskip("llvmlite")
    numpy = pytest.importorskip("numpy")
    kernel = autograd.compile(lambda o, t: loss(o, t))
    right = [1.0, 0.0] if isinstance(target, list) else 1.0
    for asked, is_nan in ((right, False), (target, True)):
        given = [numpy.array(x) if isinstance(x, list) else x for x in (output, asked)]
        if loss is nn.binary_cross_entropy and not is_nan:
            given[0] = 0.5
        assert math.isnan(kernel(*given)) == is_nan
    assert kernel.stats.guards == 0


def test_no_loss_is_minus_zero():
    for loss in (
        nn.binary_cross_entropy(0.0, 0.0),
        nn.binary_cross_entropy(1.0, 1.0),
        nn.binary_cross_entropy_with_logits(1000.0, 1.0),
        nn.binary_cross_entropy_with_logits(-1000.0, 0.0),
        nn.cross_entropy([5.0], 0),
        nn.cross_entropy([5.0], [1.0]),
        nn.hinge(1.0, 1.0),
    ):
        assert math.copysign(1.0, loss) == 1.0
        assert loss == 0.0


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
