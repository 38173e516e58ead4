"""What a plain MLP is: described, split into matrices, checked where it comes from a file."""

import random

import pytest

import nn
from autograd import Value, tanh
from nn._architecture import Architecture


def net(**keywords):
    return nn.MLP(2, [3, 1], rng=random.Random(1), **keywords)


def test_a_network_says_what_it_is():
    assert str(net().architecture()) == "2-3-1 (relu, identity)"
    made = net(activation=tanh, output_activation="exp", bias=False, name="n").architecture()
    assert made == Architecture(2, (3, 1), ("tanh", "exp"), False, "n")
    assert str(made) == "2-3-1 (tanh, exp, no biases)"
    mixed = net(activation=[["tanh", "relu", "tanh"], "identity"]).architecture()
    assert mixed.activations == (("tanh", "relu", "tanh"), "identity")
    assert str(mixed) == "2-3-1 (mixed, identity)"


@pytest.mark.parametrize("bias", [True, False])
def test_numbers_are_split_in_the_order_of_parameters(bias):
    model = net(bias=bias)
    architecture = model.architecture()
    numbers = [float(i) for i in range(architecture.count)]
    assert architecture.count == len(model.parameters()) == (13 if bias else 9)
    model.assign(numbers)
    for layer, (rows, biases) in zip(model.layers, architecture.split(numbers), strict=True):
        assert rows == [[w.data for w in n.w] for n in layer.neurons]
        assert biases == [n.b.data for n in layer.neurons if bias]


class Own(nn.MLP):
    def forward(self, x):
        return super().forward(x)


def changed(change):
    model = net()
    change(model)
    return model


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Own(2, [1]), "Own is no plain MLP: it has code of its own"),
        (lambda: changed(lambda m: setattr(m, "forward", sum)), "code of its own"),
        (lambda: changed(lambda m: setattr(m, "layers", [])), "code of its own"),
        (lambda: changed(lambda m: m.layers.append(sum)), "layer 3 is <built-in function sum>"),
        (lambda: changed(lambda m: m.layers.reverse()), "layer 2 does not take 1 inputs"),
        (lambda: changed(lambda m: setattr(m.layers[0], "forward", sum)), "layer 1 is Layer of"),
        (lambda: changed(lambda m: m.layers[0].neurons.clear()), "layer 1 is Layer of"),
        (
            lambda: changed(lambda m: m.layers[0].neurons.append(nn.Neuron(3))),
            "layer 1 does not take 2",
        ),
        (
            lambda: net(activation=lambda x: x),
            "layer 1 has the activation <function.*no name|layer",
        ),
        (
            lambda: changed(lambda m: setattr(m.layers[0].neurons[0], "b", None)),
            "12 parameters, one of this shape 13",
        ),
        (
            lambda: changed(
                lambda m: setattr(m.layers[0].neurons[0], "w", m.layers[0].neurons[1].w)
            ),
            "11 parameters",
        ),
        (
            lambda: changed(lambda m: setattr(m.layers[0].neurons[0], "b", Value(1.0) * 2.0)),
            "12 parameters",
        ),
    ],
)
def test_what_is_no_plain_mlp_is_refused_with_the_reason(make, words):
    with pytest.raises(ValueError, match=words):
        make().architecture()


GOOD = {
    "inputs": 2,
    "sizes": [3, 1],
    "activations": [["tanh", "relu", "tanh"], "identity"],
    "bias": True,
    "name": "",
}


def test_plain_data_and_back():
    architecture = Architecture.from_json(GOOD)
    assert architecture.to_json() == GOOD
    assert Architecture.from_json(net().architecture().to_json()) == net().architecture()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": 0}, "a layer of size 0"),
        ({"inputs": True}, "a layer of size True"),
        ({"inputs": 2.0}, r"a layer of size 2\.0"),
        ({"inputs": [2]}, r"a layer of size \[2\]"),
        ({"sizes": []}, r"sizes are \[\]"),
        ({"sizes": "31"}, "sizes are '31'"),
        ({"sizes": [3, -1]}, "a layer of size -1"),
        ({"sizes": [3]}, "1 layers, and activations are"),
        ({"activations": "relu"}, "2 layers, and activations are 'relu'"),
        ({"activations": ["relu", None]}, "1 neurons has the activation None"),
        ({"activations": [["relu"], "relu"]}, "3 neurons has the activation"),
        ({"activations": ["relu", "rellu"]}, "did you mean 'relu'"),
        ({"activations": ["relu", "atan2"]}, "'atan2' is no primitive of one argument"),
        ({"activations": ["relu", "__import__"]}, "no primitive"),
        ({"activations": ["relu", [[]]]}, "no primitive"),
        ({"bias": 1}, "bias is 1"),
        ({"name": None}, "name is None"),
        ({"name": "\ud800"}, "surrogates not allowed"),
        ({"more": 1}, "an architecture has inputs, sizes"),
    ],
)
def test_other_data_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Architecture.from_json({**GOOD, **change})


def test_no_data_is_refused():
    for data in (None, [], {}, "x", 1.0):
        with pytest.raises(ValueError, match="an architecture has"):
            Architecture.from_json(data)
