"""Methods, keywords, wrappers."""

import copy
import functools
import pickle

import numpy as np
import pytest

from autograd import grad
from autograd.compiler import compile


class WithMethod:
    def __init__(self, c):
        self.c = c

    @compile
    def f(self, x):
        """Return c times x."""
        return self.c * x

    @compile(wrt=(0, 1))
    def g(self, x, y):
        return self.c * x * y


def test_methods():
    one, two = WithMethod(2.0), WithMethod(3.0)
    for _ in range(3):
        assert [one.f(2.0), two.f(2.0), one.f.grad(1.0)] == [4.0, 6.0, 2.0]
        assert one.g.grad(2.0, 3.0) == (6.0, 4.0)
    one.c = 7.0
    assert one.f(2.0) == 14.0
    assert one.f.__doc__ == "Return c times x."
    assert copy.deepcopy(one).f(1.0) == 7.0
    assert pickle.loads(pickle.dumps(one)).f(1.0) == 7.0


def test_keyword_arguments():
    def f(x, y=2.0, *, z, scale=1):
        return x * y * z * scale

    kernel = compile(f, wrt=(0, 1))
    for _ in range(3):
        assert kernel(1.0, z=3.0) == 6.0
        assert kernel(1.0, z=3.0, y=4.0) == 12.0
        assert kernel(y=4.0, x=2.0, z=3.0, scale=2) == 48.0
        assert kernel.grad(1.0, 5.0, z=3.0) == (15.0, 3.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        kernel(1.0, z=3.0, q=3.0)
    rows = compile(lambda x, *, w: x * w, in_axes=0)
    assert rows(np.array([1.0, 2.0]), w=3.0).tolist() == [3.0, 6.0]


class Callable:
    _f = _wrt = _paths = 1
    grad = "mine"

    def __call__(self, x):
        return x**3


def test_wrappers_and_attributes_do_not_get_in_the_way():
    assert compile(Callable()).grad(2.0) == 12.0

    def f(x):
        return x**3

    f.grad = lambda *args: -1.0
    f._paths = None
    assert compile(f).grad(2.0) == 12.0
    assert compile(functools.partial(lambda a, x: a * x, 3.0)).grad(2.0) == 3.0
    assert compile(compile(f), in_axes=0).grad(np.array([1.0, 2.0])).tolist() == [3.0, 12.0]
    assert compile(functools.lru_cache(lambda n: 2.0)).eager_reason == ""
    assert compile(grad(f)).grad(2.0) == 12.0
    twin = copy.deepcopy(compile(lambda x: x * 2.0))
    assert [twin(3.0), copy.copy(twin)(4.0)] == [6.0, 8.0]
