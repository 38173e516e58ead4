"""Kernels inside other graphs: one node with exact partials of any order, or written out."""

import copy
import math
import pickle
import random
import tracemalloc
import warnings

import numpy as np
import pytest

import autograd
from autograd import Value, grad, hessian, jacobian, primitives
from autograd.compiler import compile
from autograd.compiler.check import StaleKernel

SMOOTH = ["add", "mul", "sub", "sin", "exp", "tanh", "div", "sqrt", "log1p", "maximum", "relu"]


def random_function(seed):
    """Return a function of three numbers made of a dozen random operations, perhaps a branch."""
    chance = random.Random(seed)
    steps = []
    for n in range(12):
        primitive = primitives()[chance.choice(SMOOTH)]
        steps.append((primitive, [chance.randrange(3 + n) for _ in range(primitive.arity)]))
    threshold = chance.uniform(0.0, 1.0) if seed % 2 else None

    def f(p):
        values = list(p)
        for primitive, operands in steps:
            values.append(primitive(*[values[i] for i in operands]))
        out = values[-1] + values[-2] * values[-3]
        if threshold is not None and p[0] > threshold:
            out = out * p[1]
        return out

    return f, [chance.uniform(0.1, 1.0) for _ in range(3)]


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*does not depend:UserWarning")
@pytest.mark.parametrize("seed", range(50))
def test_gradient_and_hessian_through_a_kernel_have_the_bits_of_eager(seed):
    f, p = random_function(seed)
    kernel = compile(f)
    for x in (p, p[::-1], p):
        assert same(grad(kernel)(x), grad(f)(x))
        assert same(hessian(kernel)(x), hessian(f)(x))
    v = [1.0, -2.0, 0.5]
    # Along a direction the sums are formed in another order, so the last bits may differ.
    assert np.allclose(
        autograd.jvp(kernel, (p,), (v,)), autograd.jvp(f, (p,), (v,)), rtol=1e-12, equal_nan=True
    )
    assert np.allclose(
        autograd.hvp(kernel, (p,), (v,)), autograd.hvp(f, (p,), (v,)), rtol=1e-12, equal_nan=True
    )


def test_third_and_fourth_derivatives():
    kernel = compile(lambda x: autograd.sin(x) * x)
    for order in (3, 4):
        mine, eager = kernel, lambda x: autograd.sin(x) * x
        for _ in range(order):
            mine, eager = grad(mine), grad(eager)
        assert mine(0.7) == eager(0.7)


def test_a_kernel_called_with_values_is_one_node():
    kernel = compile(lambda x, y: autograd.sin(x) * autograd.exp(y) + x * y)
    x, y = Value(0.3), Value(0.5)
    z = kernel(x, y) * 2.0
    assert autograd.check_graph(z) == 4
    z.backward()
    expected = grad(lambda x, y: (autograd.sin(x) * autograd.exp(y) + x * y) * 2.0, (0, 1))
    assert np.allclose((x.grad, y.grad), expected(0.3, 0.5), rtol=1e-15)
    assert kernel(x, 0.5).parents == (x,)


def test_results_do_not_pickle_under_the_name_of_another_operation():
    def sin(x):
        return x * x

    y = compile(sin)(Value(3.0))
    assert y.op == "sin"
    with pytest.raises(TypeError, match="primitive sin is not registered"):
        pickle.dumps(y)
    assert copy.deepcopy(y).data == 9.0


def test_captured_values_are_parents_too():
    w = Value(3.0)
    kernel = compile(lambda x: w * x)
    for _ in range(3):
        w.grad = 0.0
        kernel(Value(2.0)).backward()
        assert w.grad == 2.0
    assert kernel(2.0) == 6.0  # numbers in, numbers out
    assert grad(lambda x: compile(lambda y: x * y)(3.0))(2.0) == 3.0
    assert grad(grad(lambda x: compile(lambda y: x * x * y)(3.0)))(2.0) == 6.0
    inner = compile(lambda y: grad(lambda x: x * x * y)(2.0))
    assert [inner(3.0), inner.grad(3.0), grad(inner)(3.0)] == [12.0, 4.0, 4.0]


def test_structures_and_several_results():
    def f(d):
        return {"sum": d["a"][0] + d["a"][1], "product": d["a"][0] * d["a"][1] * d["b"]}

    kernel = compile(f)
    d = {"b": 2.0, "a": [3.0, 5.0]}
    assert jacobian(kernel)(d) == jacobian(f)(d)
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    array = compile(lambda x: x * x[0, 1])
    assert same(jacobian(array)(x), jacobian(lambda x: x * x[0, 1])(x))
    kernel.grad = compile(lambda p: p[0] * p[0] * p[1]).grad
    assert jacobian(kernel.grad)([3.0, 5.0]) == [[10.0, 6.0], [6.0, 0.0]]


def test_inside_another_compiled_function_a_kernel_is_written_out():
    w = Value(3.0)
    inner = compile(lambda y: w * y)
    outer = compile(lambda x: x * inner(2.0) + inner(x))
    assert [outer(1.0), outer(1.0)] == [9.0, 9.0]
    w.data = 5.0
    assert [outer(1.0), outer.grad(1.0)] == [15.0, 15.0]
    slope = compile(lambda x: inner.grad(x) * x)
    assert [slope(2.0), slope(4.0), slope.grad(1.0)] == [10.0, 20.0, 5.0]
    twice = compile(compile(lambda x: x**3), wrt=0)
    assert [twice.grad(2.0), twice.hessian(2.0)] == [12.0, 12.0]


def test_branches_inside_are_found_again():
    kernel = compile(lambda x: x * x if x > 0.0 else -x)
    assert [grad(kernel)(x) for x in (3.0, -3.0, 5.0, -5.0)] == [6.0, -1.0, 10.0, -1.0]
    outer = compile(lambda x: kernel(x - 1.0))
    assert [outer(x) for x in (3.0, -3.0, 3.0)] == [4.0, 4.0, 4.0]


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_rows_with_values(reduce):
    kernel = compile(lambda w, x: w[0] * x + w[1] * x * x, in_axes=(None, 0), reduce=reduce)
    x = np.linspace(-1.0, 2.0, 11)
    w = [Value(0.5), Value(2.0)]
    found, want = kernel(w, x), kernel([0.5, 2.0], x)
    total = autograd.sum(list(found)) if reduce is None else found
    assert same([v.data for v in found] if reduce is None else found.data, want)
    total.backward()
    scale = 1 / 11 if reduce == "mean" else 1.0
    assert math.isclose(w[1].grad, float(np.sum(x * x)) * scale, rel_tol=1e-14)
    outer = compile(lambda a: kernel([a, 2.0], x) if reduce else autograd.sum(kernel([a, 2.0], x)))
    assert math.isclose(outer.grad(0.5), float(np.sum(x)) * scale, rel_tol=1e-14)
    with pytest.raises(TypeError, match="value_and_grad over rows inside another graph"):
        kernel.grad(w, x)


def test_a_primitive_of_a_user_makes_the_kernel_step_aside():
    @autograd.custom_partials(lambda out, x: 2.0 * x)
    def square(x):
        return x * x

    kernel = compile(lambda x: square(x) + x)
    assert grad(kernel)(3.0) == 7.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert [kernel(3.0), kernel(3.0), grad(kernel)(2.0)] == [12.0, 12.0, 5.0]


def test_a_loaded_kernel_composes_too(tmp_path):
    kernel = compile(lambda x: x**3 if x > 0.0 else -x)
    assert [kernel(2.0), kernel(-2.0)] == [8.0, 2.0]
    kernel.save(tmp_path / "k.json")
    loaded = autograd.load_kernel(tmp_path / "k.json")
    assert [grad(loaded)(2.0), grad(grad(loaded))(2.0), grad(loaded)(-1.0)] == [12.0, 12.0, -1.0]
    outer = compile(lambda x: loaded(x) * 2.0)
    assert [outer(2.0), outer(-2.0), outer.grad(2.0)] == [16.0, 4.0, 24.0]


def runge_kutta(x, v):
    """One step of a pendulum with friction."""
    h = 0.01

    def slope(x, v):
        return v, -autograd.sin(x) - 0.1 * v

    a, b = slope(x, v)
    c, d = slope(x + h / 2.0 * a, v + h / 2.0 * b)
    e, f = slope(x + h / 2.0 * c, v + h / 2.0 * d)
    g, i = slope(x + h * e, v + h * f)
    return x + h / 6.0 * (a + 2.0 * c + 2.0 * e + g), v + h / 6.0 * (b + 2.0 * d + 2.0 * f + i)


def test_ten_thousand_steps_take_less_than_a_tenth_of_the_memory():
    def end(step):
        x, v = Value(1.0), Value(0.0)
        a, b = x, v
        for _ in range(10_000):
            a, b = step(a, b)
        return a, x, v

    results, sizes = [], []
    kernel = compile(runge_kutta)
    end(kernel)
    for step in (runge_kutta, kernel):
        tracemalloc.start()
        out, x, v = end(step)
        nodes = autograd.check_graph(out)
        sizes.append((nodes, tracemalloc.get_traced_memory()[0]))
        tracemalloc.stop()
        out.backward()
        results.append([out.data, x.grad, v.grad])
    assert sizes[1][0] < sizes[0][0] / 10
    if autograd.build_info()["build"] == "pure":  # compiled nodes come from a pool of their own
        assert sizes[1][1] < sizes[0][1] / 10
    assert results[0][0] == results[1][0]
    assert np.allclose(results[0], results[1], rtol=1e-10)


def test_a_captured_value_of_a_derivative_call_counts_over_rows_and_on_new_branches():
    held = [None]
    rows = compile(lambda x: x * held[0] ** 3 if x > 0.0 else x, in_axes=0, reduce="sum")
    point = compile(lambda x: x * held[0] if x > 0.0 else x)

    def f(w):
        held[0] = w
        return rows(np.array([-1.0])) + rows(np.array([0.0, 1.0, 2.0]))

    def g(w):
        held[0] = w
        return point(-1.0) + point(2.0) + point(3.0)

    for _ in range(3):
        assert [grad(f)(2.0), hessian(f)(2.0)] == [36.0, 36.0]
        assert grad(g)(5.0) == 5.0
    fresh = grad(lambda w: compile(lambda x: x * w, in_axes=0, reduce="sum")(np.array([1.0, 2.0])))
    assert fresh(2.0) == 3.0


def test_values_out_of_sight_are_not_taken_for_others(monkeypatch):
    """Their numbers may be equal; what matters is who gets the derivative."""
    from autograd.compiler import fingerprint

    monkeypatch.setattr(fingerprint, "_DEPTH", 0)
    monkeypatch.setattr(fingerprint, "_FEW", 0)

    class Box:
        pass

    box, table = Box(), [0.0] * 9
    kernel = compile(lambda x: x * box.w + table[0])

    def f(w):
        box.w = w
        return kernel(2.0) + kernel(3.0)

    assert [grad(f)(5.0) for _ in range(3)] == [5.0, 5.0, 5.0]
    assert "derivative call" in kernel.eager_reason
    stale = compile(lambda x: x * box.w + table[0])
    box.w = Value(5.0)
    stale(Value(2.0))
    box.w = Value(5.0)
    with pytest.raises(StaleKernel, match="other Values"):
        stale(Value(2.0))


def test_rows_without_their_axis_are_named():
    kernel = compile(lambda x, w: x["a"] * w, in_axes=(0, None))
    for x in ({"a": [Value(1.0), Value(2.0)]}, {"a": 1.0}):
        with pytest.raises(TypeError, match="in_axes=0"):
            kernel(x, Value(2.0))


def test_a_graph_whose_numbers_were_changed_says_so():
    x = Value(2.0)
    y = compile(lambda x: autograd.exp(x) if x > 0.0 else x)(x)
    x.data = -1.0
    with pytest.raises(ValueError, match="another branch than those of the graph"):
        autograd.differentiate(y, [x])
