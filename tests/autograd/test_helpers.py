"""Composed functions where an item is infinite or nan: the same answer in every mode."""

from math import inf, nan

import pytest

import autograd as ag
from autograd import Value, grad, hessian, hvp, jacobian, jvp, logsumexp, norm, value_and_grad


def first(f, x):
    """The gradient, in every mode."""
    unit = [[float(i == j) for j in range(len(x))] for i in range(len(x))]
    kernel = ag.compile(f)
    leaves = [Value(v) for v in x]
    y = f(leaves)
    y.backward()
    return [
        grad(f)(x),
        jacobian(f, mode="forward")(x),
        [jvp(f, (x,), (d,))[1] for d in unit],
        [leaf.grad for leaf in leaves],
        [g.data for g in ag.differentiate(y, leaves)],
        kernel.grad(x),
        kernel.grad(x),
    ]


def second(f, x):
    unit = [[float(i == j) for j in range(len(x))] for i in range(len(x))]
    kernel = ag.compile(f)
    return [hessian(f)(x), [hvp(f, (x,), (d,)) for d in unit], kernel.hessian(x), kernel.hessian(x)]


@pytest.mark.parametrize(
    ("x", "value", "gradient"),
    [
        ([1.0, inf], inf, [0.0, 1.0]),
        ([-inf, inf], inf, [0.0, 1.0]),
        ([inf, 3.0, inf], inf, [0.5, 0.0, 0.5]),
        ([-inf, 1.0], 1.0, [0.0, 1.0]),
        ([-inf, -inf], -inf, [nan, nan]),
        ([inf, nan], nan, [nan, nan]),
        ([1.0, nan], nan, [nan, nan]),
    ],
)
def test_logsumexp_at_infinity(x, value, gradient):
    assert repr(logsumexp(x)) == repr(value)
    assert repr(ag.compile(logsumexp)(x)) == repr(value)
    for found in first(logsumexp, x):
        assert repr(found) == repr(gradient)
    if inf in x and nan not in x:
        for found in second(logsumexp, x):
            assert found == [[0.0] * len(x)] * len(x)


def test_one_kernel_follows_logsumexp_to_infinity_and_back():
    kernel = ag.compile(logsumexp)
    for x in ([1.0, 2.0], [1.0, inf], [3.0, 2.0], [nan, 1.0], [-inf, 0.0]):
        assert repr(kernel.value_and_grad(x)) == repr(value_and_grad(logsumexp)(x))
        assert repr(kernel.hessian(x)) == repr(hessian(logsumexp)(x))


@pytest.mark.parametrize("x", [[nan, inf], [inf, nan], [0.5, nan], [-inf, 1.0, nan], [nan]])
def test_the_norm_of_what_has_a_nan_is_nan(x):
    assert repr(norm(x)) == "nan"
    assert repr(norm([Value(v) for v in x]).data) == "nan"
    assert repr(ag.compile(norm)(x)) == "nan"
    for found in first(norm, x):
        assert repr(found) == repr([nan] * len(x))


@pytest.mark.parametrize("x", [[3.0, 4.0], [0.0, 0.0], [1e200, 1e200], [inf, 1.0], [5e-324]])
def test_one_kernel_follows_the_norm(x):
    kernel = ag.compile(norm)
    for p in (x, [nan] * len(x), x):
        assert repr(kernel.value_and_grad(p)) == repr(value_and_grad(norm)(p))
    for found in first(norm, x):
        assert repr(found) == repr(grad(norm)(x))
