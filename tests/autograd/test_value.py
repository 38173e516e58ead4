"""Value: what it holds, what mixes with it, what it refuses."""

import copy
import decimal
import math
import pickle
from fractions import Fraction

import numpy
import pytest

import autograd
import autograd as ag
from autograd import Value


def test_a_leaf():
    x = Value(2, label="x")
    assert (x.data, x.grad, x.label, x.op) == (2.0, 0.0, "x", "")
    assert (x.primitive, x.parents, x.operands, x.partials, x.scope) == (None, (), (), (), ())
    assert type(x.data) is float
    assert repr(x) == "Value(data=2.0, grad=0.0, label='x')"


def test_an_inner_node():
    x, y = Value(2.0), Value(3.0)
    z = x * y
    z.label = "z"
    assert z.op == "mul"
    assert z.primitive is autograd.mul
    assert z.parents == (x, y)
    assert z.parents[0] is x
    assert z.partials == (3.0, 2.0)
    z.backward()
    assert repr(z) == "Value(data=6.0, grad=1.0, op='mul', label='z')"
    square = x * x
    assert square.parents == (x, x)


def test_constants_are_operands_but_not_parents():
    x = Value(4.0)
    y = 2.0 / x
    assert y.parents == (x,)
    assert y.operands[0] == 2.0
    assert y.operands[1] is x
    assert y.partials == (-0.125,)


def test_three_operands():
    c, x, y = Value(1.0), Value(2.0), Value(3.0)
    z = autograd.where(c, x, y)
    assert [p is q for p, q in zip(z.parents, (c, x, y), strict=True)] == [True] * 3
    assert z.partials == (0.0, 1.0, 0.0)
    z.backward()
    assert (c.grad, x.grad, y.grad) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "other",
    [
        3,
        True,
        Fraction(1, 4),
        numpy.float64(2.0),
        numpy.float32(0.5),
        numpy.int64(3),
        numpy.bool_(True),
        numpy.array(2.5),
    ],
    ids=lambda x: type(x).__name__,
)
def test_numbers_that_mix_in(other):
    x = Value(1.5)
    number = float(other)
    pairs = [
        (x + other, 1.5 + number),
        (other + x, number + 1.5),
        (x - other, 1.5 - number),
        (other - x, number - 1.5),
        (x * other, 1.5 * number),
        (other * x, number * 1.5),
        (x / other, 1.5 / number),
        (other / x, number / 1.5),
        (x**other, 1.5**number),
        (other**x, number**1.5),
        (autograd.maximum(x, other), max(1.5, number)),
    ]
    for got, want in pairs:
        assert type(got) is Value
        assert got.data == want
    assert Value(other).data == number
    assert (x < other) == (number > 1.5)
    assert (x == other) == (number == 1.5)
    assert (other >= x) == (number >= 1.5)


@pytest.mark.parametrize("other", ["3", None, 1j, [1.0], {}, object(), decimal.Decimal(1)])
def test_what_does_not_mix_names_the_operand(other):
    x = Value(1.0)
    name = type(other).__name__
    for operation in (
        lambda: x + other,
        lambda: other * x,
        lambda: x - other,
        lambda: x / other,
        lambda: x**other,
        lambda: x < other,
    ):
        with pytest.raises(TypeError, match=name):
            operation()
    assert (x == other) is False
    assert (x != other) is True
    with pytest.raises(TypeError, match=name):
        Value(other)
    with pytest.raises(TypeError, match="sin.*argument 1.*" + name):
        autograd.sin(other)


def test_a_class_of_its_own_may_take_over():
    class Celsius:
        def __radd__(self, other):
            return ("sum", other)

    x = Value(1.0)
    assert (x + Celsius())[1] is x


def test_integers_too_large():
    with pytest.raises(OverflowError, match=r"right operand of \+"):
        Value(1.0) + 10**400


def test_comparison_goes_by_value_and_hash_by_identity():
    x, y, same = Value(1.0), Value(2.0), Value(1.0)
    assert x < y
    assert x <= same
    assert y > 1
    assert y >= 2.0
    assert x == same
    assert x != y
    nan = Value(math.nan)
    assert (nan == Value(math.nan)) is False
    assert (nan != Value(math.nan)) is True
    assert hash(x) != hash(same)
    assert len({x, same}) == 2
    assert bool(x) is True
    assert bool(Value(0.0)) is False
    assert bool(Value(math.nan)) is True
    assert max([x, y]) is y
    assert sorted([y, x])[0] is x


@pytest.mark.parametrize("leave", [float, int, complex, math.sin, math.exp])
def test_leaving_the_graph_is_refused(leave):
    with pytest.raises(TypeError) as caught:
        leave(Value(1.0))
    assert "stop_gradient" in str(caught.value)
    assert ".data" in str(caught.value)


def test_rounding_functions_of_python_stay_in_the_graph():
    x = Value(2.5)
    assert round(x).data == 2.0
    assert math.floor(x).data == 2.0
    assert math.ceil(x).data == 3.0
    assert abs(Value(-2.0)).data == 2.0
    assert (+x) is x
    assert (-x).data == -2.5


def test_a_method_for_every_primitive_and_numpys_names():
    x = Value(0.5)
    for name, primitive in autograd.primitives().items():
        if primitive.arity - len(primitive.defaults) == 1:
            assert getattr(x, name)().data.hex() == primitive(0.5).hex(), name
    assert x.arcsin().op == "asin"
    assert x.arctan2(1.0).op == "atan2"
    with pytest.raises(AttributeError, match="tanhh"):
        x.tanhh()


def test_a_primitive_is_a_method_of_values_only():
    class Model:
        activation = autograd.tanh

    assert Model().activation(0.5) == math.tanh(0.5)


def test_numpy_functions_on_values_and_object_arrays():
    x = Value(0.5)
    assert type(numpy.exp(x)) is Value
    array = numpy.array([Value(0.5), Value(0.25)], dtype=object)
    for function in (numpy.exp, numpy.log, numpy.sqrt, numpy.arcsin, numpy.tanh, numpy.log1p):
        got = function(array)
        want = function(numpy.array([0.5, 0.25]))
        assert [v.data for v in got] == pytest.approx(want, rel=1e-15)
    assert (array.sum() * 2).data == 1.5
    assert numpy.dot(array, array).data == 0.3125
    assert [v.data for v in array * x] == [0.25, 0.125]
    assert [v.data for v in x * array] == [0.25, 0.125]
    assert [v.data for v in x + numpy.array([1.0, 2.0])] == [1.5, 2.5]
    assert numpy.hypot(array, array)[0].op == "hypot"


def test_math_module_replacement():
    source = (
        "from autograd import *\nresult = sin(pi / 6) + sqrt(2) * exp(-1) + log(e) + atan2(1, 2)"
    )
    namespace = {}
    exec(source, namespace)  # our own text, the import as users change it
    want = math.sin(math.pi / 6) + math.sqrt(2) * math.exp(-1) + 1.0 + math.atan2(1, 2)
    assert namespace["result"] == pytest.approx(want, rel=1e-15)
    assert type(autograd.sin(0.5)) is float
    assert type(autograd.sin(1)) is float
    assert type(autograd.sin(numpy.float64(1))) is float


def test_assigning():
    x = Value(1.0)
    x.data = 3
    x.grad = Fraction(1, 2)
    x.label = "weight"
    assert (x.data, x.grad, x.label) == (3.0, 0.5, "weight")
    with pytest.raises(TypeError, match=r"Value\.data"):
        x.data = "3"
    with pytest.raises(TypeError, match=r"Value\.grad.*\.data"):
        x.grad = Value(1.0)
    with pytest.raises(TypeError, match="label"):
        x.label = 3
    with pytest.raises(AttributeError):
        x.dtaa = 3.0
    assert (x.data, x.grad, x.label) == (3.0, 0.5, "weight")


def test_wrong_number_of_arguments():
    with pytest.raises(TypeError, match=r"sin\(\) takes 1 arguments, got 2"):
        autograd.sin(Value(1.0), 2.0)
    with pytest.raises(TypeError, match=r"elu\(\) takes 1 to 2 arguments, got 3"):
        autograd.elu(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match=r"where\(\) takes 3 arguments, got 1"):
        autograd.where(Value(1.0))


def test_defaults():
    x = Value(-1.0)
    assert autograd.leaky_relu(x).data == -0.01
    assert autograd.leaky_relu(x, 0.5).data == -0.5
    slope = Value(0.5)
    autograd.leaky_relu(x, slope).backward()
    assert (x.grad, slope.grad) == (0.5, -1.0)


def test_scopes():
    x = Value(1.0, label="x")
    with autograd.scope("layer1"):
        y = x * 2.0
        with autograd.scope("neuron2"):
            w = Value(3.0, label="w")
            z = autograd.where(1.0, y * w, y)
    after = z + 1.0
    assert x.scope == ()
    assert y.scope == ("layer1",)
    assert w.scope == z.scope == ("layer1", "neuron2")
    assert w.label == "w"
    assert after.scope == ()
    with pytest.raises(TypeError, match="name"), autograd.scope(3):
        pass
    with pytest.raises(RuntimeError, match="inside"), autograd.scope("fails"):
        raise RuntimeError("inside")
    assert (x * 2.0).scope == ()


def test_code_written_for_micrograd():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_pickles_and_copies_keep_everything():
    x = Value(2.0, label="x")
    x.grad = 0.5
    with ag.scope("s"):
        inner = x * x
        leaf = Value(1.0)
    y = ag.where(leaf, inner + 1.0, x)
    y.label = "y"
    y.backward()
    twins = [pickle.loads(pickle.dumps(y)), copy.deepcopy(y)]
    for twin in twins:
        for mine, theirs in zip(ag.topological_order(y), ag.topological_order(twin), strict=True):
            assert mine is not theirs
            assert repr(mine) == repr(theirs)  # data, grad, op and label
            assert (mine.scope, mine.partials) == (theirs.scope, theirs.partials)
        twin.backward()
        assert ag.topological_order(twin)[-1].grad == 1.0
    assert inner.grad == 1.0


def test_a_copy_keeps_its_level():
    kept = []
    ag.grad(lambda x: kept.append(x * x) or kept[0])(3.0)
    assert kept[0]._level > 0
    assert copy.copy(kept[0])._level == kept[0]._level
    assert copy.deepcopy(kept[0])._level == 0  # a graph of its own
