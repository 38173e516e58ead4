"""Functions of chance are refused, and modes that disagree are found, without any reference."""

import itertools
import math
import random

import pytest

import autograd as ag
from autograd import derivatives
from autograd.testing import GradientMismatch, check_gradients
from autograd.testing._agreement import disagreement


@pytest.mark.parametrize("x", [1.0, 0.0])  # at 0 the value is no chance, the derivative is
def test_a_function_of_chance_is_refused(x):
    rng = random.Random(1)
    with pytest.raises(ValueError, match=r"the function is not deterministic: its (value|deriv)"):
        check_gradients(lambda x: x * rng.random(), x)


def test_a_function_of_floats_by_chance_is_refused():
    rng = random.Random(1)

    def f(x):
        return math.sin(x) + 1e-15 * rng.random()

    with pytest.raises(ValueError, match="f is not deterministic"):
        check_gradients(f, 1.0, gradient=math.cos)


def test_a_gradient_of_chance_is_refused():
    rng = random.Random(1)

    def gradient(x, y):
        return y, x + 1e-14 * rng.random()

    with pytest.raises(ValueError, match="gradient is not deterministic: by y it gives"):
        check_gradients(lambda x, y: x * y, 1.0, 2.0, gradient=gradient)


def test_a_counter_is_chance_too():
    calls = itertools.count()
    with pytest.raises(ValueError, match="start from the same state"):
        check_gradients(lambda x: x * next(calls), 1.0)


def test_chance_with_a_seed_of_its_own_is_none():
    check_gradients(lambda x: x * random.Random(3).random(), 1.0)


def test_nan_is_the_same_again():
    check_gradients(lambda x: ag.log(x), -1.0)


def test_a_gradient_that_changes_its_arguments_in_place():
    def gradient(w):
        w[0] *= 2.0
        return w

    check_gradients(lambda w: w[0] * w[0], [3.0], gradient=gradient)


# ------------------------------------------------------------------- forward against reverse


def test_modes_are_held_against_each_other_on_a_kink(monkeypatch):
    def f(x):
        return ag.hypot(x, 0.0 * x) + ag.floor(x) + 3.0 * x

    sweep = derivatives.tangents
    check_gradients(f, 0.0, order=1)
    monkeypatch.setattr(derivatives, "tangents", lambda *args: [1.01 * x for x in sweep(*args)])
    with pytest.raises(GradientMismatch):
        check_gradients(f, 0.0, order=1)


def test_modes_without_a_reference(monkeypatch):
    row = ag.Primitive("mine", math.sin, (lambda out, x: ag.cos(x),), domain=((-3.0, 3.0),))
    sweep = derivatives.tangents
    monkeypatch.setattr(
        derivatives, "tangents", lambda *args: [(1.0 + 1e-12) * x for x in sweep(*args)]
    )
    with pytest.raises(GradientMismatch, match="the two disagree"):
        check_gradients(lambda x: row(x) * x, 0.7)


def test_disagreement_knows_cancellation_and_the_range():
    def recorded(f, x):
        run = derivatives._Recording("test", f, (0,), (x,), {})
        return run, run.out

    run, out = recorded(lambda x: 1e16 * x - 1e16 * x, 1.0)
    assert disagreement(run, out, [0.0], [1.0], 2.0**-44) is None
    assert disagreement(run, out, [0.0], [1e4], 2.0**-44) is not None
    run, out = recorded(lambda x: x * 1e200 * 1e200, 1.0)
    assert disagreement(run, out, [0.0], [1.0], 2.0**-44) is None  # nothing can be said
