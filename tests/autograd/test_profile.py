"""Which line recorded how many nodes."""

import inspect

import pytest

from autograd import Value, decisions, grad, profile, topological_order
from autograd._primitive import watch


def model(x, n):
    total = x * 0.0
    for i in range(n):
        term = x * float(i)
        total = total + term * term
    return total


def line(offset):
    return inspect.getsourcelines(model)[1] + offset


def test_counts_every_line():
    x = Value(2.0)
    found = profile(model, x, n=10)
    assert found.lines == (
        (__file__, line(4), 20),
        (__file__, line(3), 10),
        (__file__, line(1), 1),
    )
    assert found.nodes == 31
    assert found.result.data == 4.0 * sum(i * i for i in range(10))
    assert found.nodes == len(topological_order(found.result)) - 1  # x was there before
    assert found.bytes == 31 * 96


def test_prints_a_table_with_the_source():
    text = str(profile(model, Value(2.0), 10))
    first, second, *_, last = text.splitlines()
    assert first.split() == ["nodes", "bytes", "share", "line"]
    assert second.split()[:3] == ["20", "1,920", "64.5%"]
    assert second.endswith(f"test_profile.py:{line(4)}  total = total + term * term")
    assert last.split()[:2] == ["31", "2,976"]


def test_profiles_derivative_functions():
    found = profile(grad(model), 2.0, 10)
    counts = {(file, number): n for file, number, n in found.lines}
    assert found.result == grad(model)(2.0, 10)
    assert counts[__file__, line(4)] == 20
    assert found.nodes == 32  # and the input


def test_nothing_recorded():
    found = profile(lambda: 3.0)
    assert (found.result, found.nodes, found.bytes, found.lines) == (3.0, 0, 0, ())
    assert "0" in str(found).splitlines()[-1]


def test_an_exception_passes_and_leaves_no_state():
    with pytest.raises(ZeroDivisionError):
        profile(lambda x: x * (1 / 0), Value(1.0))
    assert watch.count == 0


def test_profiles_nest():
    inner = []

    def f(x):
        inner.append(profile(model, x, 3))
        return inner[0].result * 2.0

    outer = profile(f, Value(1.0))
    assert inner[0].nodes == 10
    assert outer.nodes == 11


def _generator(x):
    yield x * x


async def _coroutine(x):
    return x * x


async def _generator_of_tasks(x):
    yield x * x


@pytest.mark.parametrize("f", [_generator, _coroutine, _generator_of_tasks])
@pytest.mark.parametrize("look", [profile, decisions])
def test_a_body_that_has_not_run_is_refused(look, f):
    with pytest.raises(TypeError, match=rf"{look.__name__}: .* has not run yet"):
        look(f, Value(3.0))
    assert profile(lambda x: list(_generator(x)), Value(3.0)).nodes == 1
