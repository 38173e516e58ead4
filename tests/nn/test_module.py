"""Modules: parameters, names, construction, scopes, errors, files."""

import collections
import copy
import dataclasses
import hashlib
import json
import math
import pickle
import random
import types

import pytest

import nn
from autograd import Value, sigmoid, tanh, topological_order
from autograd.documents import to_bytes


def net(**keywords):
    return nn.MLP(2, [3, 1], rng=random.Random(1), **keywords)


# ------------------------------------------------------------------------------------- parameters


def test_parameters_are_ordered_named_and_once():
    shared = Value(1.0)

    class Net(nn.Module):
        def __init__(self):
            self.second = [shared, {"a": Value(2.0)}, (Value(3.0), shared)]
            self.first = nn.Layer(1, 1)
            self.rate = 0.1
            self.made = shared * 2.0  # not a leaf, so not a parameter

    names = [name for name, _ in Net().named_parameters()]
    assert names == [
        "second.0",
        "second.1.a",
        "second.2.0",
        "first.neurons.0.w.0",
        "first.neurons.0.b",
    ]
    assert Net().parameters()[0] is shared


def test_a_module_inside_itself_ends():
    class Ring(nn.Module):
        def __init__(self):
            self.me = self
            self.x = Value(1.0)

    assert len(Ring().parameters()) == 1


def test_zero_grad():
    model = net()
    (model([1.0, 2.0]) ** 2).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_a_typo_in_an_attribute_raises_reading_and_writing():
    model = net()
    with pytest.raises(AttributeError, match="did you mean 'layers'"):
        model.layesr = []
    with pytest.raises(AttributeError):
        _ = model.layesr
    with pytest.raises(AttributeError, match="assign it in __init__"):
        model.something_else = 1
    model.layers = model.layers[:1]
    assert len(model.parameters()) == 9


def test_copies_are_deep_and_independent():
    model = net()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict()
        assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}
        assert twin([0.3, -0.2]).data == model([0.3, -0.2]).data
        with pytest.raises(AttributeError):
            twin.layesr = []


def test_forward_must_be_written():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(1.0)


# ------------------------------------------------------------------------------- like micrograd


def test_mlp_is_that_of_micrograd():
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    random.seed(1337)
    for layer in model.layers:
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [random.uniform(-1.0, 1.0) for _ in neuron.w]
            assert neuron.b.data == 0.0
    assert len(model.parameters()) == 337
    assert repr(model).startswith("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)")
    assert repr(model).endswith("Layer of [LinearNeuron(16)]]")
    assert isinstance(model([1.0, -2.0]), Value)
    several = nn.MLP(2, [4, 3])([1.0, 2.0])
    assert [type(y) for y in several] == [Value] * 3


def test_the_arithmetic_is_that_of_matrices():
    numpy = pytest.importorskip("numpy")
    rng = random.Random(5)
    model = nn.MLP(3, [4, 2], activation="tanh", rng=rng)
    for p in model.parameters():
        p.data = rng.uniform(-1.0, 1.0)
    x = numpy.array([0.2, -0.7, 1.1])
    for layer, f in zip(model.layers, (numpy.tanh, lambda z: z), strict=True):
        w = numpy.array([[w.data for w in n.w] for n in layer.neurons])
        x = f(w @ x + numpy.array([n.b.data for n in layer.neurons]))
    assert [y.data for y in model([0.2, -0.7, 1.1])] == pytest.approx(x.tolist(), rel=1e-14)


# --------------------------------------------------------------------------------- construction


def test_activations_by_name_function_layer_and_neuron():
    def twice(x):
        return 2.0 * x

    one = nn.MLP(1, [1, 1, 1], activation=["tanh", twice], init=[1.0, 0.0] * 3)
    assert one([0.5]).data == pytest.approx(2.0 * math.tanh(0.5))
    per_layer = nn.MLP(1, [1, 1], activation=[sigmoid, tanh], init=[1.0, 0.0] * 2)
    assert per_layer([0.5]).data == pytest.approx(math.tanh(1.0 / (1.0 + math.exp(-0.5))))
    per_neuron = nn.MLP(1, [2], output_activation=["identity", "exp"], init=[1.0, 0.0] * 2)
    assert [y.data for y in per_neuron([0.5])] == [0.5, math.exp(0.5)]
    assert repr(per_layer) == "MLP of [Layer of [SigmoidNeuron(1)], Layer of [TanhNeuron(1)]]"


def test_identity_adds_no_node():
    assert nn.Neuron(1, "identity")([1.0]).op == "add"


def test_without_bias():
    model = net(bias=False)
    assert len(model.parameters()) == 9
    assert model([0.0, 0.0]).data == 0.0
    assert nn.Neuron(2, "identity", bias=False, init=[2.0, 3.0])([5.0, 7.0]).data == 31.0


@pytest.mark.parametrize(
    ("init", "variance", "bound"),
    [
        ("uniform", 1.0 / 3.0, 1.0),
        ("normal", 1.0, math.inf),
        ("he", 2.0 / 50, math.inf),
        ("xavier", 2.0 / (50 + 40), math.sqrt(6.0 / 90)),
    ],
)
def test_initial_weights_have_the_stated_spread(init, variance, bound):
    layer = nn.Layer(50, 40, init=init, rng=random.Random(3))
    weights = [w.data for neuron in layer.neurons for w in neuron.w]
    assert sum(w * w for w in weights) / len(weights) == pytest.approx(variance, rel=0.1)
    assert abs(sum(weights) / len(weights)) < 4.0 * math.sqrt(variance / len(weights))
    assert max(map(abs, weights)) <= bound
    assert all(neuron.b.data == 0.0 for neuron in layer.neurons)


def test_randomness_comes_only_from_rng():
    state = random.getstate()
    first = nn.MLP(2, [3, 1], init="he", rng=random.Random(7)).state_dict()
    assert nn.MLP(2, [3, 1], init="he", rng=random.Random(7)).state_dict() == first
    assert nn.MLP(2, [3, 1], init="he", rng=random.Random(8)).state_dict() != first
    assert random.getstate() == state


def test_given_numbers_fill_in_order_of_parameters():
    numbers = [float(i) for i in range(13)]
    for model in (
        nn.MLP(2, [3, 1], init=numbers),
        nn.Layer(12, 1, init=numbers),
        nn.Neuron(12, init=numbers),
    ):
        assert [p.data for p in model.parameters()] == numbers


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.MLP(2, [3, 1], init=[1.0]), "MLP has 13 parameters, got 1 numbers"),
        (lambda: nn.Neuron(1, init=[math.nan, 0.0]), "parameter 0 of Neuron must not be nan"),
        (lambda: nn.MLP(2, [3, 1], init="hee"), "init must be"),
        (lambda: nn.MLP(2, []), "sizes"),
        (lambda: nn.MLP(2, [3, 0]), "outputs must be a whole number of at least 1, not 0"),
        (lambda: nn.MLP(2, [3, 2.0]), "not 2.0"),
        (lambda: nn.MLP(0, [3]), "inputs must be"),
        (lambda: nn.MLP(2, [3, 1], activation="rellu"), "did you mean 'relu'"),
        (lambda: nn.MLP(2, [3, 1], activation="atan2"), "no primitive of one argument"),
        (lambda: nn.MLP(2, [3, 1], activation=["relu"] * 3), "3 activations for 1 hidden"),
        (lambda: nn.MLP(2, [1, 1], activation=["relu"] * 2, output_activation="exp"), "output_act"),
        (lambda: nn.Layer(2, 3, ["relu"] * 2), "2 activations for 3 neurons"),
    ],
)
def test_bad_arguments_name_what_and_which(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_an_activation_must_be_a_name_or_a_function():
    with pytest.raises(TypeError, match="activation must be"):
        nn.Neuron(2, 3.0)


def test_the_wrong_number_of_inputs_names_the_neuron():
    with pytest.raises(ValueError, match=r"ReLUNeuron\(2\) takes 2 inputs, got 3"):
        net()([1.0, 2.0, 3.0])


def test_sequential_passes_on():
    model = nn.Sequential(nn.Layer(2, 3, rng=random.Random(1)), sum, tanh)
    assert isinstance(model([0.1, 0.2]), Value)
    assert len(model.parameters()) == 9


# -------------------------------------------------------------------------------------- scopes


def test_scopes_only_when_asked_for():
    model = net(name="net")
    assert {p.scope for p in model.parameters()} == {
        ("net", "layer 1", "neuron 1"),
        ("net", "layer 1", "neuron 2"),
        ("net", "layer 1", "neuron 3"),
        ("net", "layer 2", "neuron 1"),
    }
    plain = model([0.1, 0.2])
    with nn.scopes():
        framed = model([0.1, 0.2])
    after = model([0.1, 0.2])

    def inner(y):
        return [node.scope for node in topological_order(y) if node.op]

    assert set(inner(plain)) == set(inner(after)) == {()}
    assert set(inner(framed)) == {p.scope for p in model.parameters()}
    assert framed.data == plain.data


# --------------------------------------------------------------------------------------- files


def test_weights_come_back_exactly(tmp_path):
    model, other = net(), nn.MLP(2, [3, 1], rng=random.Random(9))
    numbers = [math.pi, 5e-324, -0.0, 1.7976931348623157e308, 0.1 + 0.2, 1e22, -1 / 3]
    for p, number in zip(model.parameters(), numbers, strict=False):
        p.data = number
    model.save(tmp_path / "w.json")
    other.load(tmp_path / "w.json")
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert p.data.hex() == q.data.hex()
    document = json.loads((tmp_path / "w.json").read_text())
    assert document["version"] == 3
    assert list(document["parameters"]) == [name for name, _ in model.named_parameters()]


def test_saving_replaces_whole_files_or_nothing(tmp_path):
    model = net()
    model.save(tmp_path / "w.json")
    before = (tmp_path / "w.json").read_bytes()
    model.parameters()[2].data = math.inf
    with pytest.raises(ValueError, match=r"'layers.0.neurons.0.b' is inf"):
        model.save(tmp_path / "w.json")
    assert (tmp_path / "w.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["w.json"]


WEIGHTS = "scalar-autograd weights"


def damaged(change):
    """Return a file whose content is wrong and whose hash is right."""
    model = net()
    architecture = model.architecture().to_json()
    content = {"model": "MLP", "architecture": architecture, "parameters": model.state_dict()}
    change(content)
    return to_bytes(WEIGHTS, 3, content).decode()


def with_a_number(text):
    """Return a file with a right hash and this in the place of a number."""
    good = damaged(lambda d: None)
    head, body = good[: good.index('"sha256"')], good[good.index('"model"') : -1]
    body = body.replace("0.0", text, 1)
    digest = hashlib.sha256(f"{{{body}".encode()).hexdigest()
    return f'{head}"sha256": "{digest}", {body}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (damaged(lambda d: d.update(x=d.pop("parameters"))), "neurons.0.w.0' is missing"),
        (damaged(lambda d: d["parameters"].pop("layers.1.neurons.0.b")), "'layers.1.neurons.0.b'"),
        (damaged(lambda d: d["parameters"].update({"w9": 1.0})), "no parameter 'w9'"),
        (damaged(lambda d: d["parameters"].update({"layers.0.neurons.0.b": "x"})), "not 'x'"),
        (damaged(lambda d: d["parameters"].update({"layers.0.neurons.0.b": None})), "not None"),
        (damaged(lambda d: d["parameters"].update({"layers.0.neurons.0.b": True})), "not True"),
        (
            damaged(lambda d: d["parameters"].update({"layers.0.neurons.0.b": 10**400})),
            "must not be inf",
        ),
        (damaged(lambda d: d.update(parameters=[1.0])), "takes a dict by name"),
        (with_a_number("NaN"), "NaN is no number"),
        (with_a_number("1e999"), "must not be inf"),
        (with_a_number("0.0, 0.0"), "no JSON"),
        (with_a_number("[" * 40_000), "little but brackets"),
        (to_bytes(WEIGHTS, 2, {"parameters": {}}).decode(), "version 2; this release reads"),
        (to_bytes("other", 2, {"parameters": {}}).decode(), f"not a file of {WEIGHTS}"),
        (json.dumps({"format": WEIGHTS, "version": 1, "parameters": {}}), "version 1;"),
        (damaged(lambda d: None)[:-40], "truncated"),
        ("", "not a file"),
        ("[1, 2]", "not a file"),
        ("[" * 100_000, "not a file"),
        ("\\udcff", "not a file"),
    ],
)
def test_a_damaged_file_is_refused_and_the_model_unchanged(tmp_path, text, words):
    path = tmp_path / "w.json"
    path.write_bytes(b"\xff\xfe" if text.startswith("\\ud") else text.encode())
    model = nn.MLP(2, [3, 1], rng=random.Random(2))
    before = model.state_dict()
    with pytest.raises(ValueError, match=words):
        model.load(path)
    assert model.state_dict() == before


def test_every_truncation_is_refused(tmp_path):
    model = nn.Neuron(1, init=[0.5, 0.25])
    path = tmp_path / "w.json"
    model.save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"w\.json"):
            model.load(path)
    assert model.state_dict() == {"w.0": 0.5, "b": 0.25}


def test_every_flipped_bit_is_found(tmp_path):
    model = nn.Neuron(1, init=[1e-5, 0.1 + 0.2])
    path = tmp_path / "w.json"
    model.save(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            path.write_bytes(
                whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
            )
            with pytest.raises(ValueError, match=r"^.*w\.json: "):
                model.load(path)


def test_another_shape_is_refused(tmp_path):
    nn.MLP(2, [4, 1]).save(tmp_path / "w.json")
    model = net()
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"no parameter|missing"):
        model.load(tmp_path / "w.json")
    assert model.state_dict() == before


def test_no_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        net().load(tmp_path / "none.json")


# ---------------------------------------------------- where parameters are, and where they can't be


class Holder(nn.Module):
    def __init__(self, thing):
        self.thing = thing

    def forward(self, x):
        return x


@dataclasses.dataclass
class Pair:
    first: object
    second: object


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    first: object


class Plain:
    def __init__(self, value):
        self.value = value


def test_parameters_are_found_in_every_container():
    np = pytest.importorskip("numpy")
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    array = np.array([[a, b], [c, 0.5]], dtype=object)
    for thing, names in [
        ([a, b, c], ["0", "1", "2"]),
        ((a, [b, (c,)]), ["0", "1.0", "1.1.0"]),
        (collections.deque([a, b, c]), ["0", "1", "2"]),
        ({"x": a, "y": {3: b}, "z": [c]}, ["x", "y.3", "z.0"]),
        (array, ["0", "1", "2"]),
        (Pair(a, Pair(b, [c])), ["first", "second.first", "second.second.0"]),
        ([Slotted(a), Slotted(b), Slotted(c)], ["0.first", "1.first", "2.first"]),
        ({"n": Holder(a), "m": [Holder([b, c])]}, ["n.thing", "m.0.thing.0", "m.0.thing.1"]),
    ]:
        found = list(Holder(thing).named_parameters())
        assert [name for name, _ in found] == [f"thing.{name}" for name in names]
        assert [id(p) for _, p in found] == [id(a), id(b), id(c)]


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ({Value(1.0)}, "thing: a set has no order"),
        (frozenset([Value(1.0)]), "thing: a set has no order"),
        ([1.0, {"deep": {Value(1.0)}}], r"thing\.1\.deep: a set"),
        ({nn.Neuron(1)}, "thing: a set has no order"),
        ({Value(1.0): 2.0}, "thing: a Value can't be a key"),
        (Plain(Value(1.0)), "thing: a Plain holds the Value 'value'.* nn.Module or a dataclass"),
        ([Plain(Value(1.0))], r"thing\.0: a Plain holds"),
        (Pair(1.0, Plain(Value(1.0))), r"thing\.second: a Plain holds"),
    ],
)
def test_a_value_that_would_not_be_found_is_refused_when_assigned(thing, words):
    with pytest.raises(TypeError, match=words):
        Holder(thing)
    holder = Holder([])
    with pytest.raises(TypeError, match=words):
        holder.thing = thing
    assert holder.thing == []
    holder.thing.append(thing)
    with pytest.raises(TypeError, match=r"a set|be a key|holds the Value"):
        holder.parameters()


class WithSlots:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Slope(Plain):
    def __call__(self, x):
        return self.value * x


class Named(list):
    def __init__(self, value):
        super().__init__()
        self.value = value


@pytest.mark.parametrize(
    "hide",
    [
        WithSlots,
        Slope,
        Named,
        lambda v: Plain([v]),
        lambda v: Plain({"a": (1.0, v)}),
        lambda v: Plain(Plain(v)),
        lambda v: Plain(nn.Sequential(Holder(v))),
        lambda v: [Slope(v)],
        lambda v: {(v, 1)},
        lambda v: {(1, v): 2.0},
    ],
)
def test_hidden_values_are_refused_unless_they_are_found_elsewhere(hide):
    with pytest.raises(TypeError, match=r"holds (the Value|a Value in a tuple)"):
        Holder(hide(Value(1.0)))
    value = Value(1.0)
    holder = Holder([value, []])
    holder.thing = [value, hide(value)]
    holder.thing = [hide(value), value]
    assert holder.parameters() == [value]
    holder.thing.append(hide(Value(2.0)))
    with pytest.raises(TypeError, match=r"thing\.2.* holds (the Value|a Value in a tuple)"):
        holder.parameters()


def test_what_an_object_shares_with_the_model_is_found():
    class Model(nn.Module):
        def __init__(self):
            self.net = nn.MLP(2, [2, 1])
            self.report = Plain(self.net)
            self.back = Plain(self)
            self.optimizer = nn.SGD(self.net.parameters())

    assert len(Model().parameters()) == 9


def test_a_value_of_the_class_is_no_parameter():
    class Model(nn.Module):
        w = Value(1.0)

    with pytest.raises(TypeError, match=r"the class Model holds the Value 'w'.*not be found"):
        Model().parameters()


def test_namespaces_and_user_lists_are_looked_into():
    a, b = Value(1.0), Value(2.0)
    holder = Holder([types.SimpleNamespace(w=a), collections.UserList([b])])
    assert [name for name, _ in holder.named_parameters()] == ["thing.0.w", "thing.1.0"]


def test_what_a_function_captures_is_no_parameter():
    slope = Value(0.1)
    assert Holder([lambda x: slope * x]).parameters() == []


def test_what_holds_no_values_may_be_anything():
    for thing in ({1.0, "a"}, {2.5: 1.0}, Plain(3.0), random.Random(1), print, object(), Plain):
        assert Holder(thing).parameters() == []
    net = nn.Neuron(1)
    assert len(Holder(nn.SGD(net.parameters())).parameters()) == 2
    assert Holder([Value(1.0) * 2.0]).parameters() == []  # no leaf


@pytest.mark.parametrize(
    "thing",
    [
        {"a.b": Value(1.0), "a": {"b": Value(2.0)}},
        {0: Value(1.0), "0": Value(2.0)},
        {True: Value(1.0), "True": Value(2.0)},
        {"a": {"b.c": Value(1.0)}, "a.b": {"c": Value(2.0)}},
    ],
)
def test_two_parameters_of_one_name_are_an_error(thing, tmp_path):
    holder = Holder(thing)
    for use in (holder.parameters, holder.state_dict, lambda: holder.save(tmp_path / "w.json")):
        with pytest.raises(ValueError, match="Holder has two parameters called 'thing"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_tied_weights_count_once(tmp_path):
    shared = Value(2.0)
    holder = Holder([shared, {"again": shared}, (shared,)])
    assert [name for name, _ in holder.named_parameters()] == ["thing.0"]
    assert holder.state_dict() == {"thing.0": 2.0}
    holder.save(tmp_path / "w.json")
    shared.data = 5.0
    holder.load(tmp_path / "w.json")
    assert shared.data == 2.0
    first, second = nn.Neuron(1), nn.Neuron(1)
    second.w = first.w
    assert len(Holder([first, second]).parameters()) == 3


def test_containers_that_hold_themselves_are_no_trap():
    a = Value(1.0)
    thing = [a]
    thing.append(thing)
    assert Holder(thing).parameters() == [a]
