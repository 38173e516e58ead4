"""Python state that a function reads is part of the program's key, or makes it run eagerly."""

import collections
import copy
import importlib
import random
import types

import numpy as np
import pytest

from autograd import Value, grad
from autograd.compiler import compile

SCALE = 2.0


class Model:
    factor = 3.0

    def __init__(self):
        self.rate = 2.0
        self.parts = [types.SimpleNamespace(gain=1.0)]
        self.table = {"k": 1.0}
        self.flag = True

    def inner(self, x):
        return x * self.factor

    @property
    def doubled(self):
        return self.rate * 2.0

    def __call__(self, x):
        y = self.inner(x) * self.rate * self.parts[0].gain * self.table["k"]
        return y + self.doubled if self.flag else -y


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 2.0

    def __call__(self, x):
        return x * self.rate


def helper(x):
    return x * SCALE


def through_a_helper(x):
    return helper(x) + 1.0


CHANGES = {
    "attribute": lambda m: setattr(m, "rate", 5.0),
    "flag": lambda m: setattr(m, "flag", False),
    "object in a list": lambda m: setattr(m.parts[0], "gain", 4.0),
    "list entry": lambda m: m.parts.__setitem__(0, types.SimpleNamespace(gain=7.0)),
    "dict entry": lambda m: m.table.__setitem__("k", 9.0),
    "class attribute": lambda m: setattr(Model, "factor", 4.0),
    "attribute over the class's": lambda m: setattr(m, "factor", 5.0),
    "method of the object": lambda m: setattr(m, "inner", lambda x: x),
    "method of the class": lambda m: setattr(Model, "inner", lambda self, x: x * x),
    "property": lambda m: setattr(Model, "doubled", property(lambda self: 11.0)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("check", ["sample", "never"])
def test_changes_of_an_object_are_another_program(change, check, monkeypatch):
    for name in ("factor", "inner", "doubled"):  # put back afterwards
        monkeypatch.setattr(Model, name, Model.__dict__[name])
    model = Model()
    kernels = [
        compile(model, check=check),
        compile(lambda x: model(x), check=check),
        compile(model.__call__, check=check),
    ]
    for _ in range(3):
        assert {k(1.5) for k in kernels} == {float(model(Value(1.5)).data)}
    CHANGES[change](model)
    for _ in range(3):
        assert {k(1.5) for k in kernels} == {float(model(Value(1.5)).data)}
        assert {k.grad(1.5) for k in kernels} == {grad(model)(1.5)}


@pytest.mark.parametrize("check", ["sample", "never"])
def test_changes_of_globals_functions_defaults_and_cells(check, monkeypatch):
    kernel = compile(through_a_helper, check=check)
    assert [kernel(1.0), kernel(1.0)] == [3.0, 3.0]
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert kernel(1.0) == 6.0
    monkeypatch.setitem(globals(), "helper", lambda x: x * 7.0)
    assert kernel(1.0) == 8.0
    monkeypatch.setitem(globals(), "float", lambda x: x)
    assert kernel(1.0) == 8.0

    def f(x, scale=2.0, *, shift=1.0):
        return x * scale + shift

    kernel = compile(f, check=check)
    assert [kernel(1.0), kernel(1.0)] == [3.0, 3.0]
    f.__defaults__ = (5.0,)
    assert kernel(1.0) == 6.0
    f.__kwdefaults__ = {"shift": 2.0}
    assert kernel(1.0) == 7.0
    f.__code__ = (lambda x, scale=2.0, *, shift=1.0: x - scale - shift).__code__
    assert kernel(1.0) == -6.0
    slotted = Slotted()
    kernel = compile(slotted, check=check)
    assert [kernel(1.0), kernel(1.0)] == [2.0, 2.0]
    slotted.rate = 3.0
    assert kernel(1.0) == 3.0


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: [1.0, 2.0], lambda c: c.append(3.0)),
        (lambda: [1.0, 2.0], lambda c: c.reverse()),
        (lambda: collections.deque([1.0, 2.0]), lambda c: c.rotate()),
        (lambda: {"a": 1.0, "b": 2.0}.values, None),
        (lambda: {1.0, 2.0}, lambda c: c.add(5.0)),
        (lambda: bytearray(b"ab"), lambda c: c.append(3)),
        (lambda: collections.OrderedDict(a=1.0, b=2.0), lambda c: c.move_to_end("a")),
        (lambda: np.array([1.0, 2.0]), lambda c: c.__setitem__(0, 5.0)),
        (lambda: np.arange(1e5), lambda c: c.__setitem__(99_999, 5.0)),
        (lambda: np.array([1, 2]), lambda c: c.__setitem__(0, 5)),
    ],
)
@pytest.mark.parametrize("check", ["sample", "never"])
def test_containers_are_seen_by_their_contents(make, change, check):
    container = make()
    if change is None:
        table = {"a": 1.0, "b": 2.0}
        container, change = table, lambda c: c.update(a=9.0)

    def f(x):
        entries = container.values() if isinstance(container, dict) else container
        last = 0.0
        for entry in list(entries)[-3:]:
            last = 2.0 * last + float(entry) * x
        return last + float(len(container))

    kernel = compile(f, check=check)
    assert [kernel(1.5), kernel(1.5)] == [f(Value(1.5)).data] * 2
    change(container)
    assert [kernel(1.5), kernel(1.5)] == [f(Value(1.5)).data] * 2


def test_a_replaced_value_is_another_capture_and_no_other_program():
    table = {"w": Value(2.0)}
    kernel = compile(lambda x: x * table["w"], check="never")
    assert [kernel(1.0), kernel(1.0)] == [2.0, 2.0]
    for number in (5.0, 7.0, 9.0):
        table["w"] = Value(number)
        assert kernel(1.0) == number
    assert kernel.stats.paths == 1
    pair = [Value(2.0), Value(3.0)]
    kernel = compile(lambda x: x * pair[0] + pair[1], check="never")
    assert kernel(1.0) == 5.0
    pair[1] = pair[0]  # one instead of two
    assert [kernel(1.0), kernel(1.0)] == [4.0, 4.0]


def test_states_met_before_are_known_again_and_many_warn():
    scale = 1.0
    kernel = compile(lambda x: x * scale)
    for _ in range(3):
        for scale in (1.0, 2.0):
            assert kernel(3.0) == 3.0 * scale
    assert kernel.stats.paths == 2

    def steps():
        nonlocal scale
        for step in range(100):
            scale = float(step)
            assert kernel(3.0) == 3.0 * scale

    with pytest.warns(RuntimeWarning, match=r"closure variable 'scale' changed last"):
        steps()
    assert kernel.stats.paths < 80  # the oldest are forgotten


def test_randomness_in_reach_runs_eagerly_with_one_warning():
    generators = {
        "python": random.Random(1),
        "numpy": np.random.default_rng(1),
        "old": np.random.RandomState(1),
    }
    draws = [
        lambda x: x * generators["python"].random(),
        lambda x: x * generators["numpy"].normal(),
        lambda x: x * generators["old"].rand(),
        lambda x: x * random.random(),
        lambda x: x * float(np.random.rand()),
    ]
    random.seed(1)
    np.random.seed(1)
    for f in draws:
        before = copy.deepcopy(generators), random.getstate(), np.random.get_state()
        want = [float(f(1.0)) for _ in range(5)]
        generators.update(before[0])
        random.setstate(before[1])
        np.random.set_state(before[2])
        kernel = compile(f)
        with pytest.warns(RuntimeWarning, match="runs eagerly, not compiled: it changes") as said:
            assert [kernel(1.0) for _ in range(5)] == want
        assert len(said) == 1
        assert "changes" in kernel.eager_reason
    rows = compile(lambda x: x * generators["python"].random(), in_axes=0)
    state = generators["python"].getstate()
    want = [generators["python"].random() for _ in range(6)]
    generators["python"].setstate(state)
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        assert [*rows(np.ones(3)), *rows(np.ones(3))] == want


def test_a_function_that_counts_runs_eagerly_and_a_log_does_not_matter():
    counts = {"n": 0}

    def counting(x):
        counts["n"] += 1
        return x * counts["n"]

    kernel = compile(counting)
    with pytest.warns(RuntimeWarning, match=r"changes closure variable 'counts'\['n'\]"):
        assert [kernel(1.0) for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]
    log = []

    def logging(x):
        log.append("called")
        return x * x

    kernel = compile(logging)
    assert [kernel(float(x)) for x in range(9)] == [float(x * x) for x in range(9)]
    assert kernel.eager_reason == ""
    assert len(log) == 4  # recorded once, checked at calls 2, 4 and 8
    stream = iter([1.0, 2.0, 3.0])
    kernel = compile(lambda x: x * next(stream))
    with pytest.warns(RuntimeWarning, match="which reading changes"):
        assert [kernel(1.0), kernel(1.0)] == [1.0, 2.0]


class Awkward:
    """An object that does not let itself be looked at, or never shows the same twice."""

    def __init__(self):
        self.rate = 2.0

    def __getattribute__(self, name):
        if name == "odd":
            raise KeyError(name)
        if name == "fresh":
            return [1.0]
        return super().__getattribute__(name)

    def __hash__(self):
        raise RuntimeError("no hash")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    odd = fresh = None


def test_awkward_objects_do_not_get_in_the_way():
    thing = Awkward()

    def f(x):
        try:
            thing.odd  # noqa: B018
        except KeyError:
            return x * thing.rate * thing.fresh[0]

    kernel = compile(f)
    assert [kernel(1.0), kernel(1.0), kernel(1.0)] == [2.0] * 3
    assert kernel.eager_reason == ""
    thing.rate = 3.0
    assert [kernel(1.0), kernel(1.0)] == [3.0, 3.0]
    del thing.rate
    Awkward.rate = 4.0
    try:
        assert kernel(1.0) == 4.0
    finally:
        del Awkward.rate


def test_a_table_that_is_filled_at_its_first_use_is_not_taken_for_a_log():
    table = {}

    def f(x):
        if "a" not in table:
            table["a"] = 2.0
        return x * table["a"]

    kernel = compile(f, check="never")
    with pytest.warns(
        RuntimeWarning, match="it changes the (keys|size) of closure variable 'table'"
    ):
        assert [kernel(1.0) for _ in range(3)] == [2.0, 2.0, 2.0]
    table["a"] = 3.0
    assert kernel(1.0) == 3.0


def test_iterators_that_come_later_are_seen():
    held = [None]
    kernel = compile(lambda x: x * (1.0 if held[0] is None else next(held[0])), check="never")
    assert [kernel(1.0), kernel(1.0)] == [1.0, 1.0]
    held[0] = iter([2.0, 3.0, 4.0])
    with pytest.warns(RuntimeWarning, match="reading changes"):
        assert [kernel(1.0) for _ in range(3)] == [2.0, 3.0, 4.0]


def test_iterators_behind_a_function_among_the_arguments_are_seen():
    numbers = iter([2.0, 3.0, 4.0])
    kernel = compile(lambda x, f: x * f(), check="never")

    def draw():
        return next(numbers)

    with pytest.warns(RuntimeWarning, match="reading changes"):
        assert [kernel(1.0, draw) for _ in range(3)] == [2.0, 3.0, 4.0]


def test_functions_made_anew_for_each_call_are_told():
    kernel = compile(lambda x, f: f(x))
    for n in range(31):
        assert kernel(1.0, lambda x, n=n: x * n) == n
    with pytest.warns(RuntimeWarning, match="the same function"):
        assert kernel(1.0, lambda x: x) == 1.0


def test_foreign_packages_are_not_walked_for_ever(tmp_path, monkeypatch):
    """A function that holds a table of pandas took 80 s to compile."""
    from autograd.compiler import fingerprint

    code = ["class Table:", "    def m300(self): return 2.0"]
    code += [f"    def m{n}(self): return self.m{n + 1}()" for n in range(300)]
    (tmp_path / "foreign_tables.py").write_text("\n".join(code))
    monkeypatch.syspath_prepend(tmp_path)
    table = importlib.import_module("foreign_tables").Table()
    assert compile(lambda x: x * table.m0(), check="never").eager_reason == ""  # one's own is
    monkeypatch.setattr(fingerprint, "_SITE", (str(tmp_path),))
    fingerprint._installed.cache_clear()
    kernel = compile(lambda x: x * table.m0())
    assert kernel(3.0) == 6.0
    assert "more of the package 'foreign_tables'" in kernel.eager_reason
