"""Methods, keywords, wrappers."""

import copy
import dataclasses
import functools
import pickle
import warnings

import numpy as np
import pytest

from autograd import Value, grad
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


class Everywhere:
    scale = 3.0

    @classmethod
    @compile
    def of_class(cls, x):
        return cls.scale * x

    @compile
    @staticmethod
    def of_nobody(x):
        return 5.0 * x


class Below(Everywhere):
    scale = 4.0


def test_class_methods_and_static_methods():
    for _ in range(3):
        assert [Everywhere.of_class(2.0), Everywhere().of_class(2.0)] == [6.0, 6.0]
        assert [Below.of_class(2.0), Below.of_class.grad(2.0)] == [8.0, 4.0]
        assert [Below.of_nobody(2.0), Below().of_nobody.grad(2.0)] == [10.0, 5.0]


def test_another_kernel_under_the_same_name_is_another_method():
    class Changing:
        pass

    thing = Changing()
    for n in range(20):
        Changing.f = compile(lambda self, x, n=n: x + n)
        assert thing.f(1.0) == 1.0 + n
        del Changing.f


def test_objects_with_slots_are_told_that_every_call_records():
    class Slotted:
        __slots__ = ("w",)

        @compile
        def f(self, x):
            return self.w * x

    slotted = Slotted()
    slotted.w = 2.0
    with pytest.warns(RuntimeWarning, match="__slots__"):
        assert slotted.f(1.0) == 2.0
    slotted.w = 3.0
    assert slotted.f(1.0) == 3.0


@dataclasses.dataclass
class Point:
    w: float

    @compile
    def f(self, x):
        return self.w * x


def test_a_dataclass_that_has_used_its_kernel_is_still_an_argument():
    point = Point(2.0)
    assert point.f(1.0) == 2.0
    assert grad(lambda p: p.w * 3.0)(point) == Point(3.0)


def test_wrt_names_arguments_by_position_only():
    """As `argnums` of the eager functions: what is given by name is not what `wrt` counts."""

    def f(x, y=2.0, z=4.0):
        return x * y**2 * z**3

    assert compile(f, wrt=-1).grad(1.0, z=3.0) == 108.0  # by x, the last position of the call
    for wrt in (1, 2, (0, 1)):
        with pytest.raises(ValueError, match="'z' by name"):
            compile(f, wrt=wrt).grad(1.0, z=3.0)
    assert compile(f, wrt=1).grad(1.0, y=2.0, z=3.0) == 108.0
    with pytest.raises(ValueError, match="twice"):
        compile(f, wrt=(0, -3)).grad(1.0, 2.0, 3.0)
    assert compile(lambda self, x: self * x**2)(self=2.0, x=3.0) == 18.0
    with pytest.raises(TypeError, match=r"<kernel of .*unexpected keyword argument 'q'"):
        compile(f)(1.0, q=2.0)


@pytest.mark.parametrize(
    "p", [(1.0, None), [1.0, None], {"a": 1.0, "b": None}, (None, (None, 1.0))]
)
def test_none_keeps_its_place(p):
    kernel = compile(lambda p: (p, None, len(p)))
    for _ in range(3):
        assert kernel(p) == (p, None, len(p))
    rows = compile(lambda p: p[0] * len(p), in_axes=0)
    assert rows((np.array([1.0, 2.0]), None)).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("empty", [[], (), {}, None])
def test_the_first_argument_may_be_empty(empty):
    kernel = compile(lambda n, x: x * 2.0, wrt=1)
    for _ in range(3):
        assert [kernel(empty, 1.0), kernel.grad(empty, 1.0)] == [2.0, 2.0]


def test_what_contains_itself_is_refused():
    endless = [1.0]
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        compile(lambda p: p[0])(endless)
    with pytest.raises(TypeError, match="rows given as a list"):
        compile(lambda p: p[0], in_axes=0)(endless)
    assert grad(lambda x, q: x)(1.0, q=endless) == 1.0


def test_arguments_by_name_beside_leaves():
    leaf = Value(2.0)
    kernel = compile(lambda x=1.0, y=1.0: leaf * x + 10.0 * y, leaves=[leaf])
    for _ in range(3):
        assert kernel(np.array([3.0]), x=2.0) == 16.0
        assert kernel(np.array([3.0]), 2.0, y=0.5) == 11.0
        assert kernel(np.array([3.0]), x=2.0, y=2.0) == 26.0
    with pytest.raises(ValueError, match="'y' by name"):
        compile(lambda x=1.0, y=1.0: leaf * x + y, leaves=[leaf], wrt=1).grad(np.ones(1), y=2.0)


def test_parameters_are_values():
    class Odd:
        def parameters(self):
            return [1.0]

    with pytest.raises(TypeError, match=r"parameters\(\) of the Odd .* not 1\.0"):
        compile(lambda x: x, wrt=Odd()).value_and_grad(1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "2"}, "threads must be a whole number"),
        ({"max_paths": 0}, "max_paths must be a whole number"),
        ({"executor": 3}, "executor must be"),
        ({"leaves": Value(1.0)}, "leaves must be a list"),
    ],
)
def test_options_are_looked_at(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        compile(lambda x: x, **options)


def test_a_copy_has_kernels_of_its_own():
    one = WithMethod(2.0)
    assert one.f(1.0) == 2.0
    two, three = copy.copy(one), WithMethod(4.0)
    three.__dict__.update(one.__dict__)
    two.c, three.c = 7.0, 9.0
    for _ in range(3):
        assert [one.f(1.0), two.f(1.0), three.f(1.0)] == [2.0, 7.0, 9.0]


def test_classes_that_cannot_be_written_to_have_class_methods_too():
    class Frozen(type):
        def __setattr__(cls, name, value):
            raise AttributeError(name)

    class A(metaclass=Frozen):
        @classmethod
        @compile
        def f(cls, x):
            return 2.0 * x

    assert [A.f(2.0) for _ in range(3)] == [4.0, 4.0, 4.0]


class Model:
    """Keeps a kernel of its own method, and is what it is differentiated by."""

    def __init__(self, w):
        self.w = Value(w)
        self.fit = compile(self.loss, wrt=self)

    def parameters(self):
        return [self.w]

    def loss(self, x):
        return x * self.w**2


def test_a_deep_copy_of_an_object_has_kernels_of_the_copy():
    one = Model(2.0)
    assert one.fit.value_and_grad(1.0) == (4.0, [4.0])
    two = copy.deepcopy(one)
    two.w.data = 5.0
    for _ in range(3):
        one.w.grad = two.w.grad = 0.0
        assert [one.fit.value_and_grad(1.0), one.w.grad] == [(4.0, [4.0]), 4.0]
        assert [two.w.grad, two.fit.value_and_grad(1.0)] == [0.0, (25.0, [10.0])]
        assert two.w.grad == 10.0


def test_an_object_that_holds_a_kernel_of_its_method_pickles():
    one = Model(2.0)
    assert one.fit(1.0) == 4.0
    two = pickle.loads(pickle.dumps(one))
    two.w.data = 5.0
    assert two.fit.value_and_grad(1.0) == (25.0, [10.0])
    assert [two.w.grad, one.fit(1.0)] == [10.0, 4.0]


def test_a_branch_that_captures_later_and_arguments_by_name():
    class Holder:
        def __init__(self, depth):
            self.next = Holder(depth - 1) if depth else None
            self.w = None

    box, many = Holder(7), [Holder(0) for _ in range(100)]

    def deepest(holder):  # beyond what is watched
        while holder.next is not None:
            holder = holder.next
        return holder

    def f(x, y=1.0):
        return x * y * deepest(box).w + 0.0 * len(many) if x > 0.0 else x * y

    kernel = compile(f)
    assert kernel(-1.0, y=2.0) == -2.0

    def through(g):
        def outer(w):
            deepest(box).w = w
            return w * g(-1.0, y=2.0) + g(3.0, y=2.0)

        return outer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert grad(through(kernel))(5.0) == grad(through(f))(5.0) == 4.0
