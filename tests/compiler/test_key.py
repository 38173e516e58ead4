"""The key of a call is what the function can see of its arguments."""

import dataclasses
import enum
import functools
import itertools
import math
import types
import warnings

import numpy as np
import pytest

import autograd
from autograd import Value, grad
from autograd.compiler import compile


def test_the_order_and_the_types_of_keys_count():
    total = compile(lambda d: sum(d.values()))
    for order in itertools.permutations([("a", 1e16), ("b", 1.0), ("c", -1e16)]):
        d = dict(order)
        for _ in range(3):
            # Of Values: from Python 3.12 on, `sum` of floats keeps what it rounds off.
            assert total(d) == sum(map(Value, d.values())).data
    first = compile(lambda d: 10 * list(d.values())[0] + list(d.values())[1])  # noqa: RUF015
    assert first.grad({"b": 1.0, "a": 2.0}) == {"b": 10.0, "a": 1.0}
    assert first.grad({"a": 2.0, "b": 1.0}) == {"a": 10.0, "b": 1.0}
    nested = compile(lambda x: 10 * next(iter(x[0]["d"].values())))
    assert nested([{"d": {"p": 1.0, "q": 2.0}}]) == 10.0
    assert nested([{"d": {"q": 2.0, "p": 1.0}}]) == 20.0
    rows = compile(lambda d: 10 * list(d.values())[0] + list(d.values())[1], in_axes=0)  # noqa: RUF015
    one, two = np.array([1.0]), np.array([2.0])
    assert [rows({"a": one, "b": two}).item(), rows({"b": two, "a": one}).item()] == [12.0, 21.0]

    def by_type(d):
        return sum(
            v * (2.0 if isinstance(k, bool) else 3.0 if isinstance(k, int) else 5.0)
            for k, v in d.items()
        )

    kernel = compile(by_type)
    assert [kernel({k: 1.0}) for k in (1, True, 1.0)] == [3.0, 2.0, 5.0]
    with pytest.raises(TypeError, match="argument 0 has a dict with the key <object"):
        kernel({object(): 1.0})


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Shape(enum.IntEnum):
    ROUND = 1


@pytest.mark.parametrize(
    "statics",
    [
        [1, True, np.int64(1), np.int32(1), np.bool_(True), Shape.ROUND, "1", b"1", None],
        [frozenset({1}), frozenset({True}), frozenset({"1"}), frozenset({(1,)}), frozenset()],
        [Colour.RED, Colour.BLUE, 1, 2],
        [(1, 2), (True, 2), ("1", 2), [1, 2], {"a": 1}, {"a": True}],
        [np.array([1, 2]), np.array([1, 2], dtype=np.int32), np.array([2, 1]), np.array([[1, 2]])],
        [int, float, math, math.sin, len, types.SimpleNamespace],
    ],
)
def test_statics_are_told_apart_by_value_and_type(statics):
    kernel = compile(lambda x, s: x * float(len(repr(s)) + len(str(type(s)))), check="never")
    want = [float(len(repr(s)) + len(str(type(s)))) for s in statics]
    for _ in range(3):
        assert [kernel(1.0, s) for s in statics] == want


class Mutable:
    def __init__(self):
        self.s = 2.0

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return True


@pytest.mark.parametrize(
    ("argument", "place"),
    [
        (range(3), "argument 1 is range"),
        (Mutable(), "argument 1 is <"),
        ({"a": [0.0, Mutable()]}, r"argument 1\['a'\]\[1\] is"),
        (({1, 2},), r"argument 1\[0\] is"),
        (3 + 4j, "argument 1 is"),
        (slice(1, 2), "argument 1 is slice"),
        (frozenset({1.5, Mutable()}), "argument 1 is"),
        (np.ma.masked_array([1.0, 2.0], [0, 1]), "argument 1 is a numpy.ma.MaskedArray"),
        (np.array([None, 1.0]), "argument 1 is an array of objects"),
        (np.array(["1.5", 1.0], dtype=object), "argument 1 is an array of objects"),
        (np.array([1j]), "argument 1 is an array of dtype complex128"),
        (bytearray(b"x"), "argument 1 is"),
        (itertools.count(), "argument 1 is"),
    ],
)
def test_arguments_that_may_change_unseen_are_refused_by_their_path(argument, place):
    with pytest.raises(TypeError, match=place):
        compile(lambda x, c: x * 2.0)(1.0, argument)


def test_a_function_as_argument_is_looked_into():
    factor = [2.0]
    kernel = compile(lambda x, f: f(x))

    def f(x):
        return x * factor[0]

    assert [kernel(1.0, f), kernel(1.0, f)] == [2.0, 2.0]
    factor[0] = 5.0
    assert kernel(1.0, f) == 5.0
    assert kernel(1.0, lambda x: x * 7.0) == 7.0
    assert kernel(1.0, functools.partial(lambda a, x: a * x, 3.0)) == 3.0
    assert kernel(math.pi / 2, autograd.sin) == 1.0


def test_classes_modules_and_functions_as_arguments_are_looked_into():
    class Config:
        rate = 2.0

    module = types.ModuleType("somebodys")
    module.rate = 3.0

    def carrier():
        pass

    carrier.rate = 4.0
    kernel = compile(lambda x, c: x * c.rate, check="never")
    for thing in (Config, module, carrier):
        assert [kernel(1.0, thing), kernel(1.0, thing)] == [thing.rate] * 2
        thing.rate = 9.0
        assert kernel(1.0, thing) == 9.0
    closed = compile(lambda x: x * carrier.rate, check="never")
    assert closed(1.0) == 9.0
    carrier.rate = 5.0
    assert closed(1.0) == 5.0


@dataclasses.dataclass
class Plain:
    a: float

    @functools.cached_property
    def twice(self):
        return self.a * 2.0


def test_a_dataclass_keeps_its_fields_and_nothing_hidden():
    thing = Plain(2.0)
    assert thing.twice == 4.0  # cached in the instance; computed again inside
    kernel = compile(lambda d: d.a * d.twice)
    assert [kernel(thing), kernel(Plain(3.0))] == [8.0, 18.0]
    thing.scale = 7.0
    for f in (compile(lambda d: d.a * d.scale), grad(lambda d: d.a * d.scale)):
        with pytest.raises(TypeError, match="the attribute 'scale', which is no field"):
            f(thing)


def test_rows_given_as_lists_reach_the_function_as_lists():
    double = compile(lambda x: float(len(x + x)) * x[0], in_axes=0)
    assert double([[1.0, 2.0], [3.0, 4.0]]).tolist() == [4.0, 12.0]
    assert double(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [2.0, 6.0]
    assert double([(1.0, 2.0, 3.0)]).tolist() == [6.0]
    assert double.grad([[1.0, 2.0], [3.0, 4.0]]).tolist() == [[4.0, 0.0], [4.0, 0.0]]
    deep = compile(lambda x: float(len(x[0] + x[1])) * x[1][0], in_axes=0)
    assert deep([[[1.0, 2.0], [3.0, 4.0]]]).tolist() == [12.0]
    arrays = compile(lambda x: (x[0] + x[1])[1], in_axes=0)
    assert arrays([[np.array([1.0, 2.0]), np.array([3.0, 4.0])]]).tolist() == [6.0]
    with pytest.raises(TypeError, match="given as a list"):
        double([[1.0, 2.0], (3.0, 4.0)])
    with pytest.raises(TypeError, match="given as a list"):
        double([[1.0, 2.0], [3.0]])


def test_a_program_per_whole_number_warns_at_32():
    kernel = compile(lambda x, n: x * n)
    with pytest.warns(RuntimeWarning, match=r"argument 1 has had 32 different whole numbers"):
        assert [kernel(1.0, n) for n in range(32)] == [*range(32)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(40):
            assert kernel(1.0, n) == n


def test_flat_and_nested_lists_of_floats():
    kernel = compile(lambda xs: sum(v[0] if isinstance(v, list) else v for v in xs), check="always")
    for xs in ([1.0, 2.0], (1.0, 2.0), [[1.0], [2.0]], [1.0, 2], [np.float64(1.0), 2.0], [1, 2.0]):
        for _ in range(3):
            assert kernel(xs) == 3.0
        gradient = kernel.grad(xs)
        assert gradient == grad(lambda xs: sum(v[0] if isinstance(v, list) else v for v in xs))(xs)
        assert type(gradient) is type(xs)
