"""The self-check: results are compared with the function's own, ever more rarely."""

import math
import os
import time

import numpy as np
import pytest

import autograd
from autograd import StaleKernel, Value
from autograd.compiler import compile
from autograd.compiler.check import _difference


class Deep:
    def __init__(self, depth=6):
        self.next = Deep(depth - 1) if depth else None
        self.rate = 2.0


BIG = [Deep(0) for _ in range(100)]  # so that depth counts


def deepest(deep):
    return deep if deep.next is None else deepest(deep.next)


def test_state_out_of_sight_is_found_by_the_fourth_call():
    deep = Deep()
    kernel = compile(lambda x: x * deepest(deep).rate + 0.0 * len(BIG))
    assert [kernel(1.0), kernel(1.0)] == [2.0, 2.0]
    deepest(deep).rate = 5.0
    assert kernel(1.0) == 2.0  # not its turn
    with pytest.raises(StaleKernel) as caught:
        kernel(1.0)
    said = str(caught.value)
    assert "at (1.0) its value is 2.0, but the function now gives 5.0" in said
    assert "closure variable 'deep'" in said
    assert "out of sight" in said
    with pytest.raises(StaleKernel):  # and it stays so
        kernel(1.0)
    with pytest.raises(StaleKernel):
        kernel.value_and_grad(np.ones(1))


SILENT = {
    "a clock": lambda x: x * time.perf_counter(),
    "the system's randomness": lambda x: x * float(os.urandom(8)[0] + 256 * os.urandom(8)[1]),
    "an environment variable": lambda x: x * float(os.environ.get("AUTOGRAD_TEST", "1")),
    "a file": lambda x: x * float(os.path.getsize(os.environ["AUTOGRAD_FILE"])),
}


@pytest.mark.parametrize("what", SILENT)
@pytest.mark.parametrize("how", ["point", "array", "rows", "sums"])
def test_silent_changes_are_found_by_the_fourth_call(what, how, monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    monkeypatch.setenv("AUTOGRAD_FILE", str(file))
    monkeypatch.setenv("AUTOGRAD_TEST", "1")
    f = SILENT[what]
    kernel = {
        "point": compile(f),
        "array": compile(lambda x: f(x[0])),
        "rows": compile(f, in_axes=0),
        "sums": compile(lambda w, x: f(x) * w, in_axes=(None, 0), reduce="sum"),
    }[how]
    call = {
        "point": lambda: kernel(1.5),
        "array": lambda: kernel.value_and_grad(np.array([1.5])),
        "rows": lambda: kernel(np.linspace(1.0, 2.0, 5)),
        "sums": lambda: kernel.value_and_grad(2.0, np.linspace(1.0, 2.0, 5)),
    }[how]

    def four_calls():
        for turn in range(4):
            call()
            if turn == 1:
                monkeypatch.setenv("AUTOGRAD_TEST", "3")
                file.write_text("xyz")

    with pytest.raises(StaleKernel):
        four_calls()


def test_always_and_never():
    rate = Deep()
    always = compile(lambda x: x * deepest(rate).rate + 0.0 * len(BIG), check="always")
    never = compile(lambda x: x * deepest(rate).rate + 0.0 * len(BIG), check="never")
    for _ in range(9):
        assert [always(1.0), never(1.0)] == [2.0, 2.0]
    deepest(rate).rate = 3.0
    assert never(1.0) == 2.0
    with pytest.raises(StaleKernel):
        always(1.0)
    with pytest.raises(ValueError, match="'sample', 'always' or 'never'"):
        compile(lambda x: x, check="sometimes")


def test_checks_come_at_calls_two_four_eight_of_each_path():
    calls = []

    def f(x):
        calls.append(x.data if isinstance(x, Value) else x)
        return x * x if x > 0.0 else -x

    kernel = compile(f)
    for _ in range(100):
        kernel(2.0)
    assert len(calls) - calls.count(2.0) <= 7 + 1
    assert len(calls) < 20


def test_a_function_that_raises_now_is_stale_too():
    deep = Deep()

    def f(x):
        if deepest(deep).rate > 2.0:
            raise RuntimeError("no longer")
        return x + 0.0 * len(BIG)

    kernel = compile(f)
    kernel(1.0)
    deepest(deep).rate = 3.0
    with pytest.raises(StaleKernel, match="now raises RuntimeError: no longer"):
        kernel(1.0)


def test_fast_kernels_are_compared_within_what_fast_allows():
    rng = np.random.default_rng(0)
    kernel = compile(
        lambda w, x: autograd.tanh(sum(w * x)) ** 2, in_axes=(None, 0), reduce="mean", fast=True
    )
    for _ in range(40):
        kernel.value_and_grad(rng.normal(size=4), rng.normal(size=(33, 4)))


def test_fast_arithmetic_may_lose_what_is_not_finite():
    """Contracted, the product does not overflow before it meets what it is added to."""

    def f(x, y):
        return x * y - x * y * 2.0 + y * 0.5

    kernel = compile(f, fast=True, check="always")
    for _ in range(3):
        kernel(1e308, 10.0)
        kernel(math.inf, 2.0)
    assert _difference([math.inf], [math.nan], 1e-6, (), False) is None
    assert _difference([1.0], [2.0], 1e-6, (), False) == 0


def test_polygamma_of_an_order_that_is_no_number():
    kernel = compile(lambda n, x: autograd.polygamma(n, x), check="always")
    for n in (math.inf, -math.inf, math.nan, 0.5):
        for _ in range(3):
            assert math.isnan(kernel(n, 1.0))


def test_the_first_of_many_derivatives_is_not_called_the_value(monkeypatch):
    monkeypatch.setenv("RATE", "1.0")
    kernel = compile(lambda x: x**2 * float(os.environ["RATE"]))
    assert kernel.jacobian(3.0) == 6.0
    monkeypatch.setenv("RATE", "2.0")
    with pytest.raises(
        StaleKernel, match=r"its jacobian is 6\.0, but the function now gives 12\.0"
    ):
        kernel.jacobian(3.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: len(set(x)) * x[0],
        lambda x: x[0] if "1.5" in str(x[0]) else x[0] * 2.0,
        lambda x: x[0] if hash(x[0]) == hash(x[1]) else x[0] * 2.0,
    ],
)
def test_what_tells_values_from_floats_is_refused(f):
    assert f([1.5, 1.5]) == 1.5
    with pytest.raises(TypeError, match=r"its text or its hash"):
        compile(f)([1.5, 1.5])
    named = compile(lambda x: (str(x), len(set("abc")) * x * 0.1)[1])
    assert [named(2.0) for _ in range(3)] == [3 * 2.0 * 0.1] * 3
