"""Kernels as users call them: structures, rows, reductions, branches, parameters, errors."""

import dataclasses
import gc
import math
import pickle
import threading
import warnings
import weakref

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler import Kernel, compile


def rosenbrock(x):
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def newton(a):
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def forked(x, y, n):
    if x < y:
        return autograd.sin(x) * y**n
    return autograd.log(x) + y


# ------------------------------------------------------------------------------- structures


@pytest.mark.parametrize("mode", ["grad", "value_and_grad", "hessian", "jacobian"])
@pytest.mark.parametrize("wrt", [0, (0, 1), (1,)])
def test_every_mode_returns_what_eager_returns(mode, wrt):
    kernel = compile(forked, wrt=wrt)
    eager = getattr(autograd, mode)(forked, argnums=wrt)
    for args in [(1.0, 2.0, 3), (1.5, 2.0, 3), (3.0, 2.0, 3), (3.0, 2.5, 3), (1.0, 2.0, 2)]:
        assert getattr(kernel, mode)(*args) == eager(*args)
        assert kernel(*args) == forked(Value(args[0]), Value(args[1]), args[2]).data


def test_arrays_give_arrays_of_the_same_shape():
    x = np.linspace(-1.0, 1.5, 6).reshape(2, 3)

    def f(x):
        return sum(x.ravel() ** 3) * x[0, 1]

    kernel = compile(f)
    for _ in range(3):
        assert np.array_equal(kernel.grad(x), autograd.grad(f)(x))
        value, gradient = kernel.value_and_grad(x[:, ::-1])
        expected = autograd.value_and_grad(f)(x[:, ::-1])
        assert value == expected[0]
        assert np.array_equal(gradient, expected[1])
        assert np.array_equal(kernel.grad(x.astype(np.float32)), autograd.grad(f)(x))
        assert np.array_equal(kernel.hessian(x), autograd.hessian(f)(x))
    assert kernel.hessian(x).shape == (2, 3, 2, 3)


def test_vector_outputs_have_jacobians_in_both_directions():
    def tall(x):
        return [x[0] * x[1], autograd.sin(x[0]), x[1] ** 3, x[0] - x[1]]

    def wide(x):
        return np.array([x[0] * x[1] * x[2] * x[3], x[3] / x[0]])

    for f, x in [(tall, np.array([0.3, 0.7])), (wide, np.array([0.3, 0.7, 1.1, -0.4]))]:
        kernel = compile(f)
        for _ in range(2):
            found, expected = kernel.jacobian(x), autograd.jacobian(f)(x)
            assert np.array_equal(np.array(found), np.array(expected))


@dataclasses.dataclass
class Market:
    spot: float
    rates: tuple
    name: str = "x"


def test_nested_arguments_keep_their_structure():
    def f(market, table):
        return market.spot * market.rates[1] + table["a"][0] * market.rates[0]

    market, table = Market(2.0, (3.0, 5.0)), {"a": [7.0, 11], "b": "text"}
    kernel = compile(f, wrt=(0, 1))
    for _ in range(2):
        assert kernel.value_and_grad(market, table) == (
            31.0,
            (Market(5.0, (7.0, 2.0)), {"a": [3.0, 11], "b": "text"}),
        )


def test_statics_are_part_of_the_key_and_floats_are_not():
    seen = []

    def f(x, n, flag):
        seen.append((n, flag))
        return x**n if flag else -x

    kernel = compile(f, check="never")  # a check would run it again
    for x in (2.0, 3.0):
        assert kernel(x, 2, True) == x * x
        assert kernel(x, 1, True) == x
        assert kernel(x, True, True) == x
        assert kernel(x, 2, None) == -x
    assert seen == [(2, True), (1, True), (True, True), (2, None)]


def test_values_from_outside_are_read_at_every_call():
    c = Value(2.0)
    kernel = compile(lambda x: c * x)
    assert [kernel(3.0), kernel(3.0)] == [6.0, 6.0]
    c.data = 5.0
    assert kernel(3.0) == 15.0
    assert kernel.grad(3.0) == 5.0


def test_derivatives_inside_the_function_follow_its_argument():
    def f(x):
        return autograd.grad(lambda z: z**3 * x)(2.0)

    kernel = compile(f)
    assert [kernel(3.0), kernel(5.0), kernel.grad(7.0)] == [36.0, 60.0, 12.0]


def test_a_decorator_with_and_without_arguments():
    @compile
    def f(x):
        """Return the square."""
        return x * x

    @compile(wrt=(1,))
    def g(x, y):
        return x * y

    assert isinstance(f, Kernel)
    assert f.__doc__ == "Return the square."
    assert [f(3.0), f.grad(3.0), g.grad(2.0, 3.0)] == [9.0, 6.0, (2.0,)]
    assert "f>" in repr(f)


# -------------------------------------------------------------------------------------- rows


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 130, 4097])
def test_rows_one_by_one(count):
    x = np.random.default_rng(count).normal(size=(count, 3))
    y = np.arange(count, dtype=float)

    def f(w, x, y):
        return w * x[0] * autograd.exp(x[1]) - x[2] / y

    kernel = compile(f, wrt=(1, 0), in_axes=(None, 0, 0))
    value, (dx, dw) = kernel.value_and_grad(0.5, x, y)
    assert value.shape == (count,)
    assert dx.shape == (count, 3)
    assert dw.shape == (count,)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.array_equal(dx[:, 2], -1.0 / y)
    for i in range(min(count, 20)):
        v, (a, b) = autograd.value_and_grad(f, argnums=(1, 0))(0.5, x[i], float(y[i]))
        assert v == value[i]
        assert b == dw[i]
        assert np.array_equal(a, dx[i])


def test_any_axis_dtype_and_stride():
    x = np.arange(24.0).reshape(2, 3, 4)

    def f(x):
        return x[0, 1] * x[1, 2]

    expected = x[0, :, 1] * x[1, :, 2]
    kernel = compile(f, in_axes=1)
    assert np.array_equal(kernel(x), expected)
    assert np.array_equal(kernel(x.astype(np.float32)), expected)
    assert np.array_equal(kernel(x.astype(">f8")), expected)
    assert np.array_equal(kernel(np.asfortranarray(x)), expected)
    assert np.array_equal(kernel(x[:, ::-1]), expected[::-1])
    packed = np.zeros(24 * 8 + 1, dtype=np.uint8)[1:].view(np.float64).reshape(2, 3, 4)
    packed[...] = x
    assert np.array_equal(kernel(packed), expected)
    assert np.array_equal(compile(lambda x: x + 1.0, in_axes=0)([1.0, 2.0]), [2.0, 3.0])


def test_jacobian_and_hessian_by_rows():
    x = np.random.default_rng(1).normal(size=(13, 2))
    jacobian = compile(lambda x: [x[0] * x[1], x[0], x[1] ** 3], in_axes=0).jacobian(x)
    hessian = compile(lambda x: x[0] ** 3 * x[1], in_axes=0).hessian(x)
    assert np.array_equal(jacobian[0], x[:, ::-1])
    assert np.array_equal(jacobian[1], np.tile([1.0, 0.0], (13, 1)))
    assert hessian.shape == (13, 2, 2)
    assert np.allclose(hessian[:, 0, 1], 3.0 * x[:, 0] ** 2, rtol=1e-15)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_reductions_add_rows_up(reduce):
    rng = np.random.default_rng(2)
    w, x, y = rng.normal(size=3), rng.normal(size=(5003, 3)), rng.normal(size=5003)

    def f(w, x, y):
        return (sum(w * x) - y) ** 2

    kernel = compile(f, wrt=(0, 1), in_axes=(None, 0, 0), reduce=reduce)
    value, (dw, dx) = kernel.value_and_grad(w, x, y)
    r = x @ w - y
    scale = 1.0 / 5003 if reduce == "mean" else 1.0
    assert math.isclose(value, np.sum(r * r) * scale, rel_tol=1e-13)
    assert np.allclose(dw, 2.0 * (r @ x) * scale, rtol=1e-12)
    assert np.allclose(dx, 2.0 * r[:, None] * w * scale, rtol=1e-11)
    threaded = compile(f, in_axes=(None, 0, 0), reduce=reduce, threads=2)
    assert np.array_equal(threaded.grad(w, x, y), dw)


def test_sums_of_no_rows():
    kernel = compile(lambda w, x: w * x, in_axes=(None, 0), reduce="sum")
    assert kernel.value_and_grad(2.0, np.empty(0)) == (0.0, 0.0)
    assert math.isnan(compile(lambda x: x, in_axes=0, reduce="mean")(np.empty(0)))


# ---------------------------------------------------------------------------------- branches


def test_rows_follow_their_own_branch():
    a = np.exp(np.random.default_rng(3).uniform(-3.0, 8.0, 1000))
    kernel = compile(newton, in_axes=0)
    for _ in range(2):
        value, slope = kernel.value_and_grad(a)
        for i in range(0, 1000, 7):
            assert (value[i], slope[i]) == autograd.value_and_grad(newton)(float(a[i]))
    assert kernel.stats.paths == len({_rounds(float(x)) for x in a})
    assert kernel.stats.guards > kernel.stats.paths


def _rounds(a):
    x, n = a, 0
    while abs(x * x - a) > 1e-12 * a:
        x, n = 0.5 * (x + a / x), n + 1
    return n


def test_sums_over_branches_do_not_depend_on_their_discovery():
    a = np.exp(np.random.default_rng(4).uniform(-3.0, 8.0, 9000))
    fresh = compile(newton, in_axes=0, reduce="sum")
    want = fresh(a)
    used = compile(newton, in_axes=0, reduce="sum")
    for part in (a[::-1][:50], a[4000:5000]):
        used(part)
    assert used(a) == want
    assert compile(newton, in_axes=0, reduce="sum", threads=2)(a) == want
    assert math.isclose(want, float(np.sum(np.sqrt(a))), rel_tol=1e-12)


@pytest.mark.parametrize(
    "branch",
    [
        lambda x, y: x < y,
        lambda x, y: x <= y,
        lambda x, y: x > y,
        lambda x, y: x >= y,
        lambda x, y: x == y,
        lambda x, y: x != y,
        lambda x, y: bool(x - y),
        lambda x, y: x < 1.0,
        lambda x, y: x > 1.0,
    ],
)
def test_every_comparison_is_a_guard(branch):
    numbers = [-1.0, 0.0, -0.0, 1.0, 2.0, math.inf, math.nan]
    x, y = np.array([(a, b) for a in numbers for b in numbers]).T

    def f(x, y):
        return x + 10.0 if branch(x, y) else y

    expected = [f(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert np.array_equal(compile(f, in_axes=0)(x, y), expected, equal_nan=True)
    kernel = compile(f)
    found = [kernel(a, b) for _ in range(2) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert np.array_equal(found, expected * 2, equal_nan=True)
    assert kernel.stats.paths == 2


def test_sums_beyond_max_paths_do_not_depend_on_what_came_before():
    a = np.exp(np.random.default_rng(8).uniform(-3.0, 8.0, 5003))
    want = compile(newton, in_axes=0, reduce="sum")(a)
    for first in (a[:1], a[1000:1003], a[::-1][:40]):
        kernel = compile(newton, in_axes=0, max_paths=2, reduce="sum")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            kernel(first)
            assert kernel(a) == want


@pytest.mark.parametrize("reduce", [None, "sum"])
def test_too_many_paths_run_eagerly_and_warn_once_with_the_line(reduce):
    a = np.exp(np.random.default_rng(5).uniform(-3.0, 8.0, 60))
    kernel = compile(newton, in_axes=0, max_paths=2, reduce=reduce)
    with pytest.warns(RuntimeWarning, match=r"test_kernel\.py:\d+") as caught:
        found = kernel(a)
    assert len(caught) == 1
    expected = compile(newton, in_axes=0)(a)
    assert (
        np.array_equal(found, expected)
        if reduce is None
        else math.isclose(found, expected.sum(), rel_tol=1e-14)
    )
    kernel(a)
    one = compile(newton, max_paths=1)
    assert one(2.0) == autograd.value_and_grad(newton)(2.0)[0]
    with pytest.warns(RuntimeWarning, match="max_paths=1"):
        assert one(200.0) == autograd.value_and_grad(newton)(200.0)[0]


def test_functions_without_branches_need_no_guard():
    def f(x, y):
        return autograd.where(x, autograd.relu(y), abs(autograd.maximum(x, y)))

    kernel = compile(f)
    kernel(1.0, 2.0)
    assert kernel.stats.guards == 0
    assert kernel(0.0, -3.0) == 0.0


# -------------------------------------------------------------------------------- parameters


class Line:
    def __init__(self):
        self.slope, self.start, self.unused = Value(1.0), Value(0.0), Value(9.0)

    def parameters(self):
        return [self.slope, self.start, self.unused]


def test_an_ordinary_training_loop_changes_one_line():
    x = np.random.default_rng(6).normal(size=200)
    y = 3.0 * x - 2.0
    results = []
    for how in ("eager", "compiled"):
        model = Line()

        def loss(x, y, model=model):
            return (model.slope * x + model.start - y) ** 2

        kernel = compile(loss, wrt=model, in_axes=0, reduce="mean")
        for _ in range(60):
            if how == "eager":
                total = sum(loss(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True))
                (total / len(x)).backward()
            else:
                value, grads = kernel.value_and_grad(x, y)
                assert grads == [p.grad for p in model.parameters()]
            for p in model.parameters():
                p.data -= 0.1 * p.grad
                p.grad = 0.0
        results.append([p.data for p in model.parameters()])
    assert value < 1e-9
    assert np.allclose(results[0], results[1], rtol=1e-12)
    assert results[1][2] == 9.0


def test_gradients_of_parameters_accumulate_and_new_parameters_are_noticed():
    model = Line()
    kernel = compile(lambda x: model.slope * x, wrt=model)
    for _ in range(3):
        assert kernel.value_and_grad(2.0) == (2.0, [2.0, 0.0, 0.0])
    assert model.slope.grad == 6.0
    model.slope = Value(5.0)
    assert kernel.value_and_grad(2.0)[0] == 10.0
    assert model.slope.grad == 2.0


# ------------------------------------------------------------------------- refusals, fall-backs


def test_reading_a_number_out_of_the_recording_is_refused():
    with pytest.raises(TypeError, match=r"autograd\.sin"):
        compile(lambda x: math.sin(x))(1.0)
    with pytest.raises(TypeError, match=r"int\(v\)"):
        compile(lambda x: int(x))(1.0)
    assert autograd.grad(lambda x: x * x)(3.0) == 6.0  # and leaves nothing behind


@pytest.mark.parametrize(
    ("make", "args", "message"),
    [
        (lambda f: compile(f, in_axes=0), (np.ones(3), np.ones(4)), "3 and 4"),
        (lambda f: compile(f, in_axes=0), (np.ones(3), 1.0), "argument 1 is mapped"),
        (lambda f: compile(f, in_axes=0), (np.ones(3), np.ones(3, bool)), "made of numbers"),
        (lambda f: compile(f, in_axes=1), (np.ones(3), np.ones(3)), "does not have"),
        (lambda f: compile(f, in_axes=(0,)), (np.ones(3), 1.0), "1 entries"),
        (lambda f: compile(f, reduce="sum"), (), "in_axes"),
        (lambda f: compile(f, reduce="max", in_axes=0), (), "'max'"),
        (lambda f: compile(f, threads=0), (), "at least 1"),
        (lambda f: compile(3), (), "callable"),
        (lambda f: compile(lambda x, y: "text"), (1.0, 2.0), "must return numbers"),
        (lambda f: compile(f), ({1, 2}, 2.0), r"argument 0 is \{1, 2\} \(set\)"),
    ],
)
def test_errors_say_what_is_wrong(make, args, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make(lambda x, y: x * y)(*args)


def test_derivatives_refuse_what_has_none():
    with pytest.raises(TypeError, match="scalar output"):
        compile(lambda x: [x, x]).grad(1.0)
    with pytest.raises(TypeError, match="holds no float"):
        compile(lambda x: x).grad(3)
    with pytest.raises(ValueError, match="called with 1 arguments"):
        compile(lambda x: x, wrt=1).grad(3.0)


def test_a_constant_function_has_a_zero_gradient():
    kernel = compile(lambda x: 3.0)
    for _ in range(2):
        assert kernel.value_and_grad(2.0) == (3.0, 0.0)
        assert compile(lambda x: 3.0, in_axes=0).grad(np.ones(3)).tolist() == [0.0] * 3


def test_primitives_of_users_fall_back_with_a_message():
    @autograd.custom_partials(lambda out, x: 2.0 * x)
    def exp(x):  # bears the name of one of ours
        return x * x

    kernel = compile(lambda x: exp(x) + 1.0)
    by_rows = compile(lambda x: exp(x) + 1.0, in_axes=0)
    summed = compile(lambda x: exp(x) + 1.0, in_axes=0, reduce="sum")
    with pytest.warns(RuntimeWarning, match="custom exp"):
        assert [kernel(3.0), kernel(4.0), kernel.grad(5.0)] == [10.0, 17.0, 10.0]
    with pytest.warns(RuntimeWarning, match="custom exp"):
        assert by_rows(np.array([1.0, 2.0])).tolist() == [2.0, 5.0]
    with pytest.warns(RuntimeWarning, match="custom exp"):
        assert summed(np.array([1.0, 2.0])) == 7.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kernel(6.0) == 37.0  # said once


# ---------------------------------------------------------------------------------- insight


def test_stats_program_and_code_can_be_seen():
    kernel = compile(rosenbrock)
    with pytest.raises(ValueError, match="recorded nothing yet"):
        _ = kernel.program
    x = np.linspace(-1.0, 1.0, 5)
    for _ in range(2):
        kernel.grad(x)
    stats = kernel.stats
    assert stats.nodes > stats.instructions > 20
    assert stats.paths == 1
    assert stats.recording > 0.0
    assert stats.generation > 0.0
    assert stats.pays_after is not None
    names = {}
    exec(str(kernel.program), names)
    assert np.array_equal(names["program"](*x)[1:], kernel.grad(x))
    assert "define" in kernel.llvm_ir
    assert "run:" in kernel.assembly


def test_two_threads_compiling_at_once():
    results = [[] for _ in range(4)]

    def work(out):
        for i in range(5):
            kernel = compile(lambda x, i=i: autograd.sin(x) * float(i), in_axes=0)
            out.append(kernel.grad(np.arange(20.0)).tolist())

    threads = [threading.Thread(target=work, args=(out,)) for out in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(out == results[0] for out in results)
    assert len(results[0]) == 5


def test_one_kernel_in_many_threads():
    kernel = compile(rosenbrock)
    xs = [np.linspace(-1.0, 1.0 + i, 6) for i in range(8)]
    expected = [autograd.grad(rosenbrock)(x).tolist() for x in xs]
    wrong = []

    def work():
        for _ in range(200):
            for x, want in zip(xs, expected, strict=True):
                if kernel.grad(x).tolist() != want:
                    wrong.append(x)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_dropped_kernels_give_their_memory_back():
    resource = pytest.importorskip("resource")

    def peak():  # in kilobytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def make(count):
        for i in range(count):
            kernel = compile(lambda x, i=i: x * float(i))
            kernel(1.0)
            kernel(2.0)
        gc.collect()

    make(60)
    before = peak()
    make(300)
    assert peak() - before < 300 * 3  # a kernel's code alone takes two pages of 4


def test_kernels_do_not_keep_the_arrays_they_were_given():
    x = np.ones((3, 2))[:, ::-1].astype(np.float32)
    seen = weakref.ref(x)
    kernel = compile(lambda d: d["x"] * 2.0, in_axes=0)
    assert kernel({"x": x[:, 0]}).tolist() == [2.0, 2.0, 2.0]
    del x
    gc.collect()
    assert seen() is None


def test_small_batches_of_any_kind_follow_each_other():
    def f(w, x, y):
        return (w[0, 0] * x[0] + w[0, 1] * x[1] - y) ** 2 * w[1, 1]

    rng = np.random.default_rng(9)
    kernel = compile(f, in_axes=(None, 0, 0), reduce="mean")
    w, x, y = rng.normal(size=(2, 2)), rng.normal(size=(9, 2)), rng.normal(size=9)
    calls = [(w, x, y), (w + 1.0, x, y), (w.T, x[:5], y[:5]), (w, x[:, ::-1], y)]
    calls += [(w, np.asfortranarray(x), y), (w, x.astype(np.float32), y), (w, x.tolist(), y)]
    calls += [(w, x[:0], y[:0]), (w, np.tile(x, (600, 1)), np.tile(y, 600)), (w, x[::2], y[::2])]
    for args in [*calls, *calls]:
        value, gradient = kernel.value_and_grad(*args)
        fresh = compile(f, in_axes=(None, 0, 0), reduce="mean").value_and_grad(*args)
        assert np.array_equal([value, *gradient.ravel()], [fresh[0], *fresh[1].ravel()], True)
        assert np.array_equal(kernel.grad(*args), gradient, equal_nan=True)
    with pytest.raises(ValueError, match="9 and 8"):
        kernel.grad(w, x, y[:8])


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_is_left_as_it_was(running):
    (gc.enable if running else gc.disable)()
    try:
        compile(rosenbrock).grad(np.ones(4))
        assert gc.isenabled() == running
        with pytest.raises(TypeError, match="scalar output"):
            compile(lambda x: [x, x]).grad(1.0)
        assert gc.isenabled() == running
    finally:
        gc.enable()


# ------------------------------------------------------------------------------- leaves


def test_leaves_are_given_their_numbers_at_each_call():
    w, b = Value(2.0), Value(3.0)

    def f(x):
        return w * x + b * autograd.sin(w) if x > 0.0 else b

    kernel = autograd.compile(f, leaves=[w, b])
    for at in ([0.5, 1.5], [-0.25, 7.0]):
        for x in (2.0, -1.0, 4.0, -2.0):
            value, slopes = kernel.value_and_grad(np.array(at), x)
            p, q = map(Value, at)
            y = p * x + q * autograd.sin(p) if x > 0.0 else 1.0 * q
            y.backward()
            assert (value, slopes.tolist()) == (y.data, [p.grad, q.grad])
            assert kernel(np.array(at), x) == y.data
    assert (w.data, b.data, w.grad, b.grad) == (2.0, 3.0, 0.0, 0.0)
    second = kernel.hessian(np.array([0.5, 1.5]), 2.0)
    want = autograd.hessian(lambda at: at[0] * 2.0 + at[1] * autograd.sin(at[0]))([0.5, 1.5])
    assert second.tolist() == [list(row) for row in want]


def test_leaves_over_rows():
    w = Value(2.0)
    kernel = autograd.compile(
        lambda x: (w * x) ** 2, leaves=[w], wrt=0, in_axes=(None, 0), reduce="mean"
    )
    value, slope = kernel.value_and_grad(np.array([3.0]), np.array([1.0, 2.0]))
    assert (value, slope.tolist()) == (22.5, [15.0])


def test_what_cannot_be_a_leaf_is_refused():
    w = Value(2.0)
    with pytest.raises(TypeError, match="leaves must be leaf Values"):
        autograd.compile(lambda x: x, leaves=[w * 2.0])
    with pytest.raises(ValueError, match="twice among the leaves"):
        autograd.compile(lambda x: x, leaves=[w, w])
    kernel = autograd.compile(lambda x: w * x, leaves=[w])
    with pytest.raises(ValueError, match="argument 0 must be an array of 1 numbers"):
        kernel(np.array([1.0, 2.0]), 1.0)
    with pytest.raises(pickle.PicklingError, match="leaves would arrive as copies"):
        pickle.dumps(kernel)
    outer = autograd.compile(lambda x: kernel(np.array([2.0]), x))
    with pytest.raises(TypeError, match="has leaves"):
        outer(1.0)
