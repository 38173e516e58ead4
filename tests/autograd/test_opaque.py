"""What is not taken apart: refused by its place where it holds numbers, else left alone."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import logging
import random
import re
import threading
import types
import unittest.mock
import uuid

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jacobian, jvp, register_container, vjp
from autograd._opaque import hidden


class Dict(dict):
    pass


class Tuple(tuple):
    __slots__ = ()


class List(list):
    pass


class Deque(collections.deque):
    pass


class Mine(np.ndarray):
    pass


class Thing:
    def __init__(self, w=3.0):
        self.name = "thing"
        self.parts = {"deep": [1, {"w": w}]}


class Slotted:
    __slots__ = ("empty", "w")

    def __init__(self):
        self.w = 3.0


class Model:
    def __init__(self):
        self.w = Value(1.0)

    def __call__(self, x):
        return self.w * x


class Loop:
    def __init__(self, w):
        self.me = self
        self.w = w


class Colour(enum.Enum):
    RED = 1.5


class Broken:
    def __iter__(self):
        raise RuntimeError("no")

    def __len__(self):
        return 1

    def __contains__(self, x):
        return False


class Everything:
    def __getattr__(self, name):
        return 1.0


class Foreign:
    """An array of another library."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0])


HOLDING = {
    "dict subclass": (Dict(a=3.0), r"at \['a'\]"),
    "tuple subclass": (Tuple((3.0,)), r"at \[0\]"),
    "list subclass": (List([1, 3.0]), r"at \[1\]"),
    "deque subclass": (Deque([3.0]), r"at \[0\]"),
    "namespace": (types.SimpleNamespace(a=3.0), r"at \.a"),
    "object": (Thing(), r"at \.parts\['deep'\]\[1\]\['w'\]"),
    "slots": (Slotted(), r"at \.w"),
    "Values": (Model(), r"at \.w"),
    "loop": (Loop(2.0), r"at \.w"),
    "Counter": (collections.Counter(a=3.0), r"at \['a'\]"),
    "MappingProxy": (types.MappingProxyType({"a": 3.0}), r"at \['a'\]"),
    "UserDict": (collections.UserDict(a=3.0), r"at \['a'\]"),
    "UserList": (collections.UserList([3.0]), r"at \[0\]"),
    "ChainMap": (collections.ChainMap({"a": 3.0}), r"at \['a'\]"),
    "set": ({3.0}, "holds a number but"),
    "frozenset": (frozenset([3.0]), "holds a number but"),
    "values": ({"a": 3.0}.values(), "holds a number but"),
    "array.array": (array.array("d", [3.0]), r"at \[0\]"),
    "generator": ((x for x in [3.0]), r"iterator.*pass list\(x\)"),
    "zip": (zip([3.0], [1.0], strict=True), r"iterator.*pass list\(x\)"),
    "records": (np.array([(3.0,)], dtype=[("a", float)]), r"records; pass its fields"),
    "masked": (np.ma.array([3.0, 1.0], mask=[0, 1]), r"MaskedArray.*x\.filled"),
    "matrix": (np.array([[3.0]]).view(np.matrix), r"numpy\.matrix.*pass numpy\.array\(x\)"),
    "array subclass": (np.array([3.0]).view(Mine), r"Mine.*pass numpy\.array\(x\)"),
    "complex": (1j, "real and imaginary parts"),
    "complex128": (np.complex128(1j), "real and imaginary parts"),
    "complex array": (np.array([1j]), r"pass x\.real and x\.imag"),
    "Decimal": (decimal.Decimal(3), r"pass float\(x\)"),
    "foreign array": (Foreign(), r"pass numpy\.asarray\(x\)"),
}


@pytest.mark.parametrize(("it", "why"), HOLDING.values(), ids=HOLDING)
def test_what_holds_numbers_is_refused_by_its_place(it, why):
    with pytest.raises(TypeError, match=rf"grad: argument 0 is .*{why}"):
        grad(lambda p: 1.0)(it)
    with pytest.raises(TypeError, match=rf"grad: argument 1\['a'\]\[1\] is .*{why}"):
        grad(lambda x, p: x, argnums=(0, 1))(1.0, {"a": [2.0, it]})

    def f(x):
        return [x, it]

    with pytest.raises(TypeError, match=rf"jacobian: the result of .*f\[1\] is .*{why}"):
        jacobian(f)(2.0)
    for derivative in (lambda: jvp(f, (1.0,), (1.0,)), lambda: vjp(f, 1.0)):
        with pytest.raises(TypeError, match=why):
            derivative()
    # Beside what is differentiated it may be anything.
    assert grad(lambda x, it: x * x)(3.0, it) == 6.0


@pytest.mark.parametrize(("it", "why"), HOLDING.values(), ids=HOLDING)
def test_kernels_refuse_it_too(it, why):
    kernel = ag.compile(lambda p: p[0] * p[0])
    with pytest.raises(TypeError, match="argument 0"):
        kernel.grad([2.0, it])
    with pytest.raises(TypeError, match="the result of"):
        ag.compile(lambda x: [x, it]).jacobian(2.0)


@pytest.mark.parametrize(
    "it",
    [
        "text",
        b"abc",
        3,
        True,
        None,
        np.int8(3),
        np.bool_(True),
        np.array([1, 2]),
        np.array(["a"]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        range(3),
        slice(1.0, 2.0),
        Colour.RED,
        len,
        ag.sin,
        ag.compile(lambda x: x),
        Thing,
        types,
        Thing(w=5),
        Loop("a"),
        collections.Counter("abc"),
        frozenset(["a"]),
        {1, 2},
        datetime.date(2020, 1, 1),
        uuid.UUID(int=3),
        re.compile("a"),
        random.Random(1),
        logging.getLogger("autograd-test"),
        threading.Lock(),
        Broken(),
        object(),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_holds_no_number_is_left_alone(it):
    p = {"x": 2.0, "it": it}
    found = grad(lambda p: p["x"] ** 2)(p)
    assert found["x"] == 4.0
    assert found["it"] is it
    assert hidden(it) is None


@pytest.mark.parametrize("it", [unittest.mock.Mock(), Everything()], ids=lambda x: type(x).__name__)
def test_objects_that_have_every_attribute_are_left_alone(it):
    found = grad(lambda p: p[0] ** 2)([2.0, it])
    assert found[0] == 4.0
    assert found[1] is it


def test_one_call_registers_a_class():
    class Pair:
        def __init__(self, a, b, name):
            self.a, self.b, self.name = a, b, name

    class Special(Pair):
        pass

    with pytest.raises(TypeError, match=r"register_container\(Pair, take_apart, put_together\)"):
        grad(lambda p: p.a)(Pair(2.0, 3.0, "n"))
    register_container(
        Pair, lambda p: ([p.a, p.b], p.name), lambda name, numbers: Pair(*numbers, name)
    )

    def f(p):
        return p.a * p.b[0]

    found = grad(f)(Pair(2.0, [3.0], "n"))
    assert (found.a, found.b, found.name) == (3.0, [2.0], "n")
    found = grad(lambda ps: f(ps[1]) + ps[0])([1.0, Pair(2.0, [3.0], "n")])
    assert (found[0], found[1].a) == (1.0, 3.0)
    found = ag.compile(f).grad(Pair(2.0, [3.0], "n"))
    assert (found.a, found.b, found.name) == (3.0, [2.0], "n")
    out, along = jvp(lambda x: Pair(x, [x * x], "out"), (3.0,), (1.0,))
    assert (out.a, out.b, along.a, along.b) == (3.0, [9.0], 1.0, [6.0])
    w = Value(2.0)  # Values in it are seen
    assert isinstance(grad(lambda x, p: x * p.a)(1.0, Pair(w, [0.0], "")), Value)
    with pytest.raises(TypeError, match="Special"):  # that class and no other
        grad(lambda p: p.a)(Special(2.0, 3.0, "n"))
    with pytest.raises(ValueError, match="Pair is known already"):
        register_container(Pair, lambda p: ((), p), lambda rest, _: rest)


def test_numbers_that_are_none_to_differentiate_by():
    class Settings:
        rate = 0.5

        def __init__(self):
            self.tolerance = 1e-9

    register_container(Settings, lambda x: ((), x), lambda rest, _: rest)
    settings = Settings()
    found = grad(lambda p: p[0] ** 2 * p[1].rate)([3.0, settings])
    assert found[0] == 3.0
    assert found[1] is settings


def test_a_dataclass_may_be_registered_its_own_way():
    @dataclasses.dataclass
    class Layer:
        w: float
        tolerance: float

    register_container(
        Layer, lambda x: ([x.w], x.tolerance), lambda tol, numbers: Layer(numbers[0], tol)
    )
    assert grad(lambda p: p[0].w ** 2)([Layer(3.0, 0.1)]) == [Layer(6.0, 0.1)]
    assert grad(lambda p: p.w**2)(Layer(3.0, 0.1)) == Layer(6.0, 0.1)


@pytest.mark.parametrize("cls", [list, dict, float, Value, int])
def test_what_is_known_is_not_registered_again(cls):
    with pytest.raises(ValueError, match="is known already"):
        register_container(cls, lambda x: ((), x), lambda rest, _: rest)


def test_registering_checks_its_arguments():
    with pytest.raises(TypeError, match="cls must be a class, not 3"):
        register_container(3, len, len)
    with pytest.raises(TypeError, match="must be functions"):
        register_container(Thing, None, len)
