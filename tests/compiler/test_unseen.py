"""What the recorder can't see is refused, or stays in the graph."""

import copy
import dataclasses
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd
from autograd import Value, grad
from autograd.compiler import compile


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x, w: x * w.grad, r"\.grad"),
        (lambda x, w: x * (x * w).partials[0], r"\.partials"),
        (lambda x, w: pickle.loads(pickle.dumps(x)), "pickle"),
        (lambda x, w: (x * w).backward(), r"backward\(\) inside"),
        (lambda x, w: w.zero_grad(), r"zero_grad\(\) inside"),
        (lambda x, w: setattr(w, "data", 1.0), r"assigning \.data inside"),
        (lambda x, w: setattr(w, "grad", 1.0), r"assigning \.grad inside"),
        (lambda x, w: float(x), r"float\(v\)"),
        (lambda x, w: int(x), r"int\(v\)"),
        (lambda x, w: math.sin(x), "autograd.sin"),
    ],
)
def test_what_would_freeze_or_happen_once_is_refused(f, what):
    w = Value(3.0)
    with pytest.raises(TypeError, match=what):
        compile(f)(2.0, 1.0) if f.__code__.co_argcount == 1 else compile(lambda x: f(x, w))(2.0)
    assert (w.data, w.grad) == (3.0, 0.0)
    assert grad(lambda x: x * x)(3.0) == 6.0  # and leaves nothing behind


def test_no_number_leaves_as_text():
    texts = []

    def f(x):
        texts.append(f"{x} {x!r} {(x * x)!s}")
        return x

    compile(f, check="never")(2.5)
    assert "2.5" not in texts[0]
    assert "6.25" not in texts[0]


@dataclasses.dataclass
class Box:
    a: object


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda x: copy.deepcopy({"s": [x]})["s"][0],
        lambda x: copy.deepcopy([x * 1.0])[0],
        lambda x: dataclasses.asdict(Box(x))["a"],
        lambda x: dataclasses.astuple(Box(x))[0],
        lambda x: dataclasses.replace(Box(x)).a,
        lambda x: copy.copy(Box(x)).a,
    ],
)
def test_copies_stay_in_the_graph(copied):
    w = Value(3.0)
    kernel = compile(lambda x: copied(x) * x + copied(w))
    for x in (1.0, 2.0, 3.0):
        w.data = x + 1.0
        assert kernel(x) == x * x + w.data
        assert kernel.grad(x) == 2.0 * x
    assert grad(lambda x: copied(x) * x)(3.0) == 6.0
    assert copy.deepcopy(w) is not w  # outside, a copy is a copy


def test_data_is_a_constant_of_the_derivative():
    kernel = compile(lambda xs: sum(autograd.exp(v - max(u.data for u in xs)) for v in xs))
    w = Value(2.0)
    detached = compile(lambda x: x * w.data + w)
    for xs in ([1.0, 2.0], [5.0, 2.0], [1.5, 2.5]):
        top = max(xs)
        assert kernel(xs) == sum(math.exp(x - top) for x in xs)
        assert kernel.grad(xs) == [math.exp(x - top) for x in xs]
    assert [detached(3.0), detached(3.0)] == [8.0, 8.0]
    w.data = 4.0
    assert [detached(3.0), detached.grad(3.0)] == [16.0, 4.0]
    detached(Value(3.0)).backward()
    assert w.grad == 1.0


def test_nodes_made_in_other_threads_are_refused():
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(TypeError, match="another thread or task"):
            compile(lambda x: pool.submit(lambda: x * 2.0).result() * x)(3.0)
        w = Value(2.0)
        with pytest.raises(TypeError, match="another thread or task"):
            compile(lambda x: pool.submit(lambda: w * 2.0).result() * x)(3.0)


def test_a_function_that_asks_for_the_type_of_its_argument_is_refused():
    with pytest.raises(TypeError, match=r"gives \[2.0\] for floats but \[3.0\]"):
        compile(lambda x: x * 2.0 if isinstance(x, float) else x * 3.0)(1.0)
    harmless = compile(lambda x: x[0] if isinstance(x, list) else x)
    assert [harmless([2.0]), harmless(3.0)] == [2.0, 3.0]
