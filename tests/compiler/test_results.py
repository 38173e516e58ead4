"""What comes back: empty batches, static parts, parameters, anomalies; tasks and threads."""

import asyncio
import math
import threading

import numpy as np
import pytest

import autograd
from autograd import Value, grad
from autograd.compiler import compile


def test_empty_batches():
    none = np.empty((0, 2))
    kernel = compile(lambda x: [x[0] * x[1], x[0]], in_axes=0)
    assert [part.shape for part in kernel.jacobian(none)] == [(0, 2), (0, 2)]
    kernel = compile(lambda x: x[0] * x[1], in_axes=0)
    assert kernel.hessian(none).shape == (0, 2, 2)
    assert kernel.grad(none).shape == (0, 2)
    assert kernel(none).shape == (0,)

    def fussy(x):
        if x == 1.0:
            raise RuntimeError("not at one")
        return x

    with pytest.raises(RuntimeError, match="not at one") as caught:
        compile(fussy, in_axes=0)(np.empty(0))
    assert "no rows, so it was run at ones" in caught.value.__notes__[0]


def test_static_parts_of_a_result_follow_the_branch():
    kernel = compile(lambda x: (x * 2, x > 0, "up" if x > 0 else "down", 3))
    for _ in range(3):
        assert kernel(1.0) == (2.0, True, "up", 3)
        assert kernel(-1.0) == (-2.0, False, "down", 3)
    rows = compile(lambda x: (x * 2, x > 0, "up" if x > 0 else "down", "same", 3), in_axes=0)
    value, flag, word, text, number = rows(np.array([1.0, -1.0, 2.0]))
    assert value.tolist() == [2.0, -2.0, 4.0]
    assert flag.dtype == bool
    assert flag.tolist() == [True, False, True]
    assert word.tolist() == ["up", "down", "up"]
    assert text == "same"
    assert number.tolist() == [3, 3, 3]
    assert rows(np.array([1.0]))[1].tolist() == [True]
    added = compile(lambda x: (x, x > 0), in_axes=0, reduce="sum")
    assert added(np.array([1.0, 2.0])) == (3.0, True)
    with pytest.raises(ValueError, match="can't add up"):
        added(np.array([1.0, -2.0]))


def test_outputs_that_are_no_numbers():
    for out in (np.arange(3), None, "text", {1, 2}, object()):
        with pytest.raises(TypeError, match="must return numbers"):
            compile(lambda x, out=out: out)(1.0)
    mixed = compile(lambda x: (x, 3, np.float32(1.5), np.arange(2)))
    for _ in range(2):
        found = mixed(2.0)
        assert found[:3] == (2.0, 3, 1.5)
        assert found[3].tolist() == [0, 1]
        eager = autograd.jacobian(lambda x: (x * x, 3))(2.0)
        assert compile(lambda x: (x * x, 3)).jacobian(2.0) == eager


def test_wrong_settings_are_told_in_one_sentence():
    for axes in (1.0, "a", {"x": 0}, True, (0, "b")):
        with pytest.raises(ValueError, match="in_axes must be None, a whole number or a tuple"):
            compile(lambda x: x, in_axes=axes)
    for wrt in ([0], None, "a", 1.5, True, (), (0, 0.5)):
        with pytest.raises(ValueError, match="wrt must be the number of an argument"):
            compile(lambda x: x, wrt=wrt)
    with pytest.raises(ValueError, match="names an argument twice"):
        compile(lambda x: x, wrt=(0, 0))


class Tied:
    def __init__(self):
        self.w = Value(2.0)

    def parameters(self):
        return [self.w, self.w]


def test_a_parameter_listed_twice_gets_its_gradient_once():
    model = Tied()
    kernel = compile(lambda x: model.w * x, wrt=model)
    for n in (1, 2, 3):
        assert kernel.value_and_grad(3.0) == (6.0, [3.0, 3.0])
        assert model.w.grad == 3.0 * n


def test_gradients_per_row_are_added_to_the_parameters_too():
    model = Tied()
    x = np.linspace(-1.0, 2.0, 7)
    kernel = compile(lambda x: model.w * model.w * x, wrt=model, in_axes=0)
    _, (g, _) = kernel.value_and_grad(x)
    assert np.array_equal(g, 4.0 * x)
    eager = Value(2.0)
    for number in x.tolist():
        (eager * eager * number).backward()
    assert model.w.grad == eager.grad


def test_anomalies_are_seen_in_kernels_too():
    kernel = compile(lambda x: autograd.log(x) * 2.0)
    assert [kernel(1.0), kernel(2.0)] == [0.0, 2.0 * math.log(2.0)]
    with autograd.detect_anomaly(), pytest.raises(autograd.AnomalyError, match=r"log\(-1.0\)"):
        kernel(-1.0)
    rows = compile(lambda x: autograd.log(x), in_axes=0)
    with autograd.detect_anomaly(), pytest.raises(autograd.AnomalyError, match=r"log\(-1.0\)"):
        rows(np.array([1.0, -1.0]))
    assert math.isnan(kernel(-1.0))
    assert autograd.profile(kernel, 3.0).nodes >= 2


def test_kernels_in_tasks_and_threads():
    kernel = compile(lambda x: autograd.sin(x) * x if x > 0.0 else x)

    async def work(x):
        with autograd.scope("task"):
            await asyncio.sleep(0)
            return kernel(x), grad(kernel)(x)

    async def everything():
        return await asyncio.gather(*[work(float(n - 4)) for n in range(8)])

    want = [(kernel(float(n - 4)), grad(kernel)(float(n - 4))) for n in range(8)]
    assert asyncio.run(everything()) == want
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(asyncio.run(everything()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [want] * 4
