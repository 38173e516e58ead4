"""A penalty that trains nothing is said so; slopes that are only looked at are not."""

import warnings

import pytest

import autograd as ag
from autograd import DroppedDependence, Value, grad, hessian, jacobian, value_and_grad, vjp
from autograd._dropped import noted


@pytest.fixture(autouse=True)
def nothing_noted():
    noted.clear()
    yield
    noted.clear()


def model(w, x):
    return ag.tanh(w[0] * x) * w[1]


def weights():
    return [Value(0.5), Value(1.5)]


PENALTIES = {
    "grad": lambda w: grad(lambda x: model(w, x))(0.3) ** 2,
    "value_and_grad": lambda w: value_and_grad(lambda x: model(w, x))(0.3)[1] ** 2,
    "array": lambda w: abs(grad(lambda x: model(w, x[0]))([0.3])[0]),
    "jacobian": lambda w: jacobian(lambda x: model(w, x), mode="reverse")(0.3) * 0.7,
    "hessian": lambda w: hessian(lambda x: model(w, x))(0.3) ** 2,
    "vjp": lambda w: vjp(lambda x: model(w, x), 0.3)[1](1.0)[0] - 0.1,
}
LOSSES = {
    "sum": lambda fit, penalty: fit + penalty,
    "reversed": lambda fit, penalty: penalty + fit,
    "weighed": lambda fit, penalty: fit + 0.1 * penalty,
    "helper": lambda fit, penalty: ag.sum([fit, penalty]),
    "mean": lambda fit, penalty: ag.mean([fit, penalty, fit + penalty]),
    "less": lambda fit, penalty: 0.5 * (fit - penalty),
}


@pytest.mark.parametrize("add", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_a_penalty_that_trains_nothing_is_named(penalty, add):
    w = weights()
    loss = add((model(w, 0.2) - 1.0) ** 2, penalty(w))
    with pytest.warns(DroppedDependence, match=r"test_dropped.py:\d+ gave floats.*differentiate"):
        loss.backward()
    assert w[0].grad != 0.0  # and nothing is held back


def test_it_is_said_once_for_each_penalty():
    w = weights()
    penalty = PENALTIES["grad"](w)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            (model(w, 0.2) ** 2 + penalty).backward()
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_the_ways_named_do_not_warn():
    w = weights()
    x = Value(0.3)
    (slope,) = ag.differentiate(model(w, x), [x])
    (model(w, 0.2) ** 2 + slope**2).backward()
    slope = grad(lambda x, w: model(w, x))(0.3, w)
    (model(w, 0.2) ** 2 + slope**2).backward()
    slope = grad(lambda x: model(w, x))(Value(0.3))
    (model(w, 0.2) ** 2 + slope**2).backward()

    def penalized(w):
        return model(w, 0.2) ** 2 + grad(lambda x: model(w, x))(0.3) ** 2

    grad(penalized)([0.5, 1.5])


def test_a_constant_that_is_meant_can_be_filtered():
    w = weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedDependence)
        (model(w, 0.2) ** 2 + PENALTIES["grad"](w)).backward()


def test_slopes_that_are_looked_at_do_not_warn():
    w = weights()
    for _ in range(3):
        loss = (model(w, 0.2) - 1.0) ** 2 + 1.0
        slope = grad(lambda x: model(w, x))(0.3)  # watched while training
        loss.backward()
        for p in w:
            p.data -= 0.1 * p.grad
            p.grad = 0.0
        assert isinstance(slope, float)
    hessian(lambda x: model(w, x))(0.3)
    # An adversarial point is data.
    moved = 0.3 + 0.1 * ag.sign(grad(lambda x: model(w, x) ** 2)(0.3))
    ((model(w, moved) - 1.25) ** 2 + 0.5 * w[0] * w[0]).backward()
    # Another model's loss may have any constant.
    other = weights()
    grad(lambda x: model(w, x))(0.3)
    (model(other, 0.2) + 0.25).backward()
    # Weights that have moved since are not what the slope was of.
    grad(lambda x: model(w, x))(0.3)
    for p in w:
        p.data += 0.5
    (model(w, 0.2) + 0.25).backward()


def test_little_is_remembered():
    w = weights()
    for i in range(20):
        ag._dropped.note("grad", w[0], f"file:{i}")
    assert len(noted) == 8
