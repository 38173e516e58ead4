"""Compiled training and graphs: the same bits for whatever model and loss runs at all."""

import itertools
import os
import random
import re
import warnings

import pytest

import autograd
import nn
from autograd import Value, sin, stop_gradient

pytest.importorskip("llvmlite")
np = pytest.importorskip("numpy")


def bits(model, history):
    numbers = history.loss + history.validation
    return [x.hex() for x in numbers], [p.data.hex() for p in model.parameters()]


def train(make, compiled, count=40, batch_size=7, epochs=4, y=lambda labels: labels, **keywords):
    """Return the bits after training what `make` makes, and the warnings."""
    model, loss, more = make()
    x, labels = nn.two_moons(count, 0.1, random.Random(3))
    optimizer = more.pop("optimizer", nn.Adam)(model.parameters(), lr=0.05)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = nn.fit(
            model,
            x,
            y(labels),
            loss,
            optimizer,
            epochs,
            batch_size,
            compiled=compiled,
            **more,
            **keywords,
        )
    return bits(model, history), [str(w.message) for w in caught]


class Branching(nn.Module):
    def __init__(self):
        self.w = Value(0.5)
        self.layers = [nn.Neuron(2, "tanh", rng=random.Random(i)) for i in range(2)]

    def forward(self, x):
        a, b = (layer(x) for layer in self.layers)
        if x[0] > 0.5:
            return self.w * a + sin(b)
        return self.w * a + b * b if a > b else b - self.w * self.w


MODELS = {
    "relu": lambda: nn.MLP(2, [4, 1], rng=random.Random(1)),
    "tanh": lambda: nn.MLP(2, [3, 3, 1], activation="tanh", rng=random.Random(1)),
    "branches": Branching,
}
LOSSES = {
    "hinge": (nn.hinge, lambda labels: labels),
    "huber": (nn.huber, lambda labels: labels),
    "logits": (nn.binary_cross_entropy_with_logits, lambda y: [0.5 + 0.5 * t for t in y]),
}
SIZES = [(23, 1), (23, 7), (24, 8), (30, 9), (23, None), (100, 32)]


@pytest.mark.parametrize(
    ("model", "loss", "size"), list(itertools.product(MODELS, LOSSES, SIZES)), ids=str
)
def test_the_bits_are_the_same(model, loss, size):
    count, batch_size = size
    function, targets = LOSSES[loss]
    found = [
        train(
            lambda: (MODELS[model](), function, {}),
            compiled,
            count,
            batch_size,
            epochs=3,
            y=targets,
            penalty=lambda p: nn.l2(p, 0.01),
        )
        for compiled in (False, True)
    ]
    assert found[0] == found[1]
    assert found[0][1] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("count", [4097, 8193 + 8])
def test_the_bits_are_the_same_beyond_a_block(model, count):
    found = [
        train(lambda: (MODELS[model](), nn.hinge, {}), c, count, None, 2) for c in (False, True)
    ]
    assert found[0] == found[1]


def test_rows_that_take_branches_are_added_in_pieces(monkeypatch):
    want = train(lambda: (Branching(), nn.hinge, {}), False, 100, 50)
    monkeypatch.setattr(nn._objective, "_KEPT", 100)
    assert train(lambda: (Branching(), nn.hinge, {}), True, 100, 50) == want


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adagrad, nn.RMSProp, nn.AdamW])
def test_the_bits_are_the_same_with_every_optimiser(kind):
    def make():
        return MODELS["tanh"](), nn.squared_error, {"optimizer": kind}

    assert train(make, False) == train(make, True)


def test_classes_have_the_same_bits():
    def make():
        return nn.MLP(2, [4, 3], rng=random.Random(1)), nn.cross_entropy, {}

    def classes(labels):
        return nn.one_hot([int(label > 0) for label in labels], 3)

    assert train(make, False, y=classes) == train(make, True, y=classes)


def test_lbfgs_has_the_same_bits():
    pytest.importorskip("scipy")
    found = []
    for compiled in (False, True):
        x, y = nn.xor()
        model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
        loss = nn.binary_cross_entropy_with_logits
        optimizer = nn.LBFGS(model.parameters(), max_iter=5)
        found.append(bits(model, nn.fit(model, x, y, loss, optimizer, 2, compiled=compiled)))
    assert found[0] == found[1]


# ------------------------------------------------- what a copy of the model would not have seen


def neuron():
    return nn.Neuron(2, "tanh", rng=random.Random(1))


def weight_in_the_loss():
    net = neuron()
    return net, lambda o, t: (o - t) ** 2 + 0.5 * net.w[0] ** 2, {}


def weight_held_by_the_loss():
    net = neuron()
    w = net.w[0]
    return net, lambda o, t: (o - t) ** 2 + 0.5 * w * w, {}


def a_second_model():
    net, teacher = neuron(), nn.Neuron(2, "tanh", rng=random.Random(2))
    return net, lambda o, t: (o - teacher([t, 1.0])) ** 2, {}


def target_that_follows():
    net, slow = neuron(), Value(0.5)

    def follow(model, history):
        slow.data = 0.9 * slow.data + 0.1 * model.w[0].data

    return (
        net,
        lambda o, t: (o - t) ** 2 + (net.w[0] - stop_gradient(slow)) ** 2,
        {"callbacks": [follow]},
    )


def clamped():
    def clamp(model, history):
        for p in model.parameters():
            p.data = max(-0.2, min(0.2, p.data))

    return neuron(), nn.squared_error, {"callbacks": [clamp]}


def slower_and_slower():
    net = neuron()
    optimizer = nn.SGD(net.parameters(), lr=0.1)

    def slow(model, history):
        optimizer.lr *= 0.5

    return net, nn.squared_error, {"callbacks": [slow], "optimizer": lambda p, lr: optimizer}


def penalty_that_grows():
    strength = [0.01]

    def grow(model, history):
        strength[0] *= 2.0

    more = {"callbacks": [grow], "penalty": lambda p: nn.l2(p, strength[0])}
    return neuron(), nn.squared_error, more


@pytest.mark.parametrize(
    "make",
    [
        penalty_that_grows,
        weight_in_the_loss,
        weight_held_by_the_loss,
        a_second_model,
        target_that_follows,
        clamped,
        slower_and_slower,
    ],
)
def test_one_model_is_compiled(make):
    graphs = train(make, False)
    assert train(make, True) == graphs
    assert train(make, None, count=200) == train(make, False, count=200)
    assert graphs[1] == []


# ------------------------------------------------- what compiled code can't repeat


def dropout():
    class Dropout(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            self.rng = random.Random(5)

        def forward(self, x):
            return self.neuron([0.0 if self.rng.random() < 0.3 else one for one in x])

    return Dropout(), nn.squared_error, {}


def dropout_by_the_shared_generator():
    random.seed(4)

    class Dropout(nn.Module):
        def __init__(self):
            self.neuron = neuron()

        def forward(self, x):
            return self.neuron([0.0 if random.random() < 0.3 else one for one in x])

    return Dropout(), nn.squared_error, {}


def noise_by_numpy():
    rng = np.random.default_rng(4)
    return neuron(), lambda o, t: (o - t + rng.normal()) ** 2, {}


def noise_by_numpys_shared_generator():
    np.random.seed(4)
    return neuron(), lambda o, t: (o - t + np.random.normal()) ** 2, {}


def noise_by_an_old_generator():
    rng = np.random.RandomState(4)
    return neuron(), lambda o, t: (o - t + rng.normal()) ** 2, {}


def counting():
    class Counting(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            self.count = 0

        def forward(self, x):
            self.count += 1
            return self.neuron(x) * (1.0 + 1.0 / self.count)

    return Counting(), nn.squared_error, {}


def running_mean():
    class Centred(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            self.mean = [0.0, 0.0]

        def forward(self, x):
            self.mean = [0.9 * m + 0.1 * float_of(one) for m, one in zip(self.mean, x, strict=True)]
            return self.neuron([one - m for one, m in zip(x, self.mean, strict=True)])

    def float_of(x):
        return x if isinstance(x, float) else 0.0

    return Centred(), nn.squared_error, {}


def counting_in_a_closure():
    count = 0

    def loss(output, target):
        nonlocal count
        count += 1
        return (output - target) ** 2 / count

    return neuron(), loss, {}


def counting_in_a_class():
    class Loss:
        count = 0

        def __call__(self, output, target):
            type(self).count += 1
            return (output - target) ** 2 / self.count

    return neuron(), Loss(), {}


def counting_in_an_array():
    count = np.zeros(3)

    def loss(output, target):
        count[1] += 1.0
        return (output - target) ** 2 / count[1].item()

    return neuron(), loss, {}


def using_up_an_iterator():
    numbers = itertools.count()
    return neuron(), lambda o, t: (o - t) ** 2 * (2.0 if next(numbers) > 10 else 1.0), {}


def annealed():
    net, weight = neuron(), [1.0]

    def anneal(model, history):
        weight[0] *= 1.5

    return net, lambda o, t: weight[0] * (o - t) ** 2, {"callbacks": [anneal]}


def annealed_attribute():
    class Scaled(nn.Module):
        def __init__(self):
            self.net = nn.MLP(2, [2, 1], rng=random.Random(1))
            self.deep = {"down": [{"here": 1.0}]}

        def forward(self, x):
            return self.net(x) * self.deep["down"][0]["here"]

    def anneal(model, history):
        model.deep["down"][0]["here"] *= 1.1

    return Scaled(), nn.squared_error, {"callbacks": [anneal]}


def another_activation():
    def switch(model, history):
        model.activation = nn.Neuron(1, "sin").activation

    return neuron(), nn.squared_error, {"callbacks": [switch]}


def table_of_values():
    class Table(nn.Module):
        def __init__(self):
            self.neuron = neuron()
            x, _ = nn.two_moons(200, 0.1, random.Random(3))
            y, _ = nn.two_moons(40, 0.1, random.Random(3))
            self.bias = {row[0]: Value(0.1) for row in x + y}

        def forward(self, x):
            return self.neuron(x) + self.bias[x[0]]

    return Table(), nn.squared_error, {}


def by_type():
    return neuron(), lambda o, t: (o - t) ** 2 * (2.0 if isinstance(t, float) else 3.0), {}


def frozen_number():
    return neuron(), lambda o, t: (o - t) ** 2 * o.data, {}


IMPOSSIBLE = {
    dropout: "running the model changes model.rng",
    dropout_by_the_shared_generator: r"running the model changes model\..*random",
    noise_by_numpy: "changes loss.rng",
    noise_by_numpys_shared_generator: "changes loss.np",
    noise_by_an_old_generator: "changes loss.rng",
    counting: "running the model changes model.count",
    running_mean: "running the model changes model.mean",
    counting_in_a_closure: "running the model changes loss.count",
    counting_in_a_class: "running the model changes loss.Loss.count",
    counting_in_an_array: "running the model changes loss.count",
    using_up_an_iterator: "may use up loss.numbers, an iterator",
    annealed: "a callback changes loss.weight",
    annealed_attribute: "a callback changes model.deep",
    another_activation: "a callback changes model.activation",
    table_of_values: "KeyError",
    by_type: "asks for the type",
    frozen_number: "",
}


@pytest.mark.parametrize("make", IMPOSSIBLE)
def test_what_compiled_code_cannot_repeat_goes_on_as_graphs(make):
    want, silence = train(make, False, count=200)
    assert silence == []
    found, said = train(make, None, count=200)
    assert found == want
    if IMPOSSIBLE[make]:
        assert len(said) == 1
        assert re.search(IMPOSSIBLE[make], said[0])


def test_a_kernel_that_turns_out_stale_makes_the_run_start_again_as_graphs(monkeypatch):
    def make():
        net, seen, weight = neuron(), [], [1.0]

        def note(model, history):
            seen.append(history.loss[-1])
            weight[0] += 1.0

        notes.append(seen)
        return net, nn.squared_error, {"callbacks": [note]}

    notes = []
    want = train(make, False)
    calls = 0
    real = nn._objective.CompiledObjective.__call__

    def call(self, at, indices):
        nonlocal calls
        calls += 1
        if calls == 15:
            raise autograd.StaleKernel("out of reach")
        value, gradient = real(self, at, indices)
        return value + 0.125, gradient * 3.0 if calls > 3 else gradient

    monkeypatch.setattr(nn._objective.CompiledObjective, "__call__", call)
    found, said = train(make, True)
    assert found == want[0]
    assert len(said) == 1
    assert "starts again from where it began, as graphs: out of reach" in said[0]
    assert notes[0] == notes[1]  # what callbacks wrote down is taken back, too


def by_environment():
    """Return a model and a loss that read what nobody watches."""

    class Scaled(nn.Module):
        def __init__(self):
            self.neuron = neuron()

        def forward(self, x):
            return self.neuron(x) * float(os.environ["FACTOR"])

    return Scaled(), nn.squared_error


def test_what_changes_out_of_sight_is_found_by_comparing(monkeypatch):
    monkeypatch.setenv("FACTOR", "1.0")

    def change(model, history):
        if len(history) == 3:
            monkeypatch.setenv("FACTOR", "2.0")

    found, said = train(lambda: (*by_environment(), {"callbacks": [change]}), True, epochs=11)
    assert len(said) == 1
    assert "starts again from where it began, as graphs" in said[0]
    assert found == train(lambda: (*by_environment(), {}), False, epochs=11)[0]


def test_predictions_are_compared_as_well(monkeypatch):
    monkeypatch.setenv("FACTOR", "1.0")
    model, loss = by_environment()
    x, y = nn.two_moons(9, 0.1, random.Random(3))
    parameters = model.parameters()
    objective = nn._objective.CompiledObjective(model, loss, None, x, y, parameters)
    assert objective.predict(x) == nn.predict(model, x)
    monkeypatch.setenv("FACTOR", "2.0")
    with pytest.raises(autograd.StaleKernel, match="the model"):
        objective.predict(x)


def test_graphs_run_the_samples_in_their_order():
    seen = []

    def loss(output, target):
        seen.append(target)
        return (output - target) ** 2

    net = neuron()
    y = [float(i) for i in range(13)]
    x = [[0.1, 0.2]] * 13
    nn.fit(net, x, y, loss, nn.SGD(net.parameters()), 1, compiled=False)
    assert seen == y


def test_a_model_sees_lists():
    class Doubling(nn.Module):
        def __init__(self):
            self.neuron = neuron()

        def forward(self, x):
            return self.neuron(x) * len(x + x)  # arrays would be added, lists are joined

    def make():
        return Doubling(), nn.hinge, {}

    assert train(make, True) == train(make, False)
    for data in (list, np.array):
        model = Doubling()
        x, y = nn.two_moons(9, 0.1, random.Random(3))
        history = nn.fit(model, data(x), data(y), nn.hinge, nn.SGD(model.parameters()), 1)
        assert history.loss[0] == pytest.approx(nn.evaluate(Doubling(), x, y, nn.hinge)["loss"])


def test_labels_out_of_range_are_refused_in_compiled_code_too():
    for compiled in (False, True):
        net = neuron()
        before = net.state_dict()
        x, y = nn.two_moons(30, 0.1, random.Random(1))
        targets = [1.0] * 20 + y[:10]
        loss = nn.binary_cross_entropy_with_logits
        with pytest.raises(ValueError, match=r"targets .* must be in \[0, 1\], not -1\.0"):
            nn.fit(net, x, targets, loss, nn.SGD(net.parameters()), 1, compiled=compiled)
        assert net.state_dict() == before


# ----------------------------------------------------------------------------------- freezing


@pytest.mark.parametrize("compiled", [False, True])
def test_only_the_optimisers_parameters_are_trained(compiled):
    x, y = nn.two_moons(40, 0.1, random.Random(3))
    model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    before = model.state_dict()
    head = model.layers[1]
    optimizer = nn.Adam(head.parameters(), lr=0.05)
    strength = 0.01
    losses = nn.fit(model, x, y, nn.hinge, optimizer, 3, 7,
                    penalty=lambda p: nn.l2(p, strength), compiled=compiled).loss  # fmt: skip
    changed = [name for name, number in model.state_dict().items() if number != before[name]]
    assert changed == [f"layers.1.{name}" for name, _ in head.named_parameters()]
    assert not any(p.grad for p in model.parameters())
    features = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    inputs = [[out.data for out in features.layers[0](row)] for row in x]
    alone = nn.Neuron(4, "identity", init=[before[name] for name in changed])
    optimizer = nn.Adam(alone.parameters(), lr=0.05)
    rest = nn.fit(alone, inputs, y, nn.hinge, optimizer, 3, 7,
                  penalty=lambda p: nn.l2(p, strength), compiled=compiled).loss  # fmt: skip
    frozen = nn.l2([p.data for p in model.layers[0].parameters()], strength)
    assert losses == pytest.approx([loss + frozen for loss in rest], rel=1e-14)
    assert [p.data for p in alone.parameters()] == [p.data for p in head.parameters()]


def grouped(model, kind, **keywords):
    first, second = (layer.parameters() for layer in model.layers)
    return kind([{"params": second, "lr": 0.02} | keywords, {"params": first}], 0.1, clip_norm=0.5)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adagrad, nn.RMSProp, nn.Adam, nn.AdamW])
def test_groups_have_the_same_bits(kind):
    x, y = nn.two_moons(30, 0.1, random.Random(3))
    found = []
    for compiled in (False, True):
        model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
        optimizer = grouped(model, kind, weight_decay=0.1)
        # A group is thawed in the middle of the run.
        optimizer.groups[1]["lr"] = 0.0
        thaw = lambda m, h, groups=optimizer.groups: len(h) == 2 and groups[1].clear()  # noqa: E731
        losses = nn.fit(
            model, x, y, nn.hinge, optimizer, 5, 7, callbacks=[thaw], compiled=compiled
        ).loss
        found.append((model.state_dict(), losses, optimizer.state_dict()))
    assert found[0] == found[1]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_rate_of_zero_freezes_a_group(compiled):
    x, y = nn.two_moons(30, 0.1, random.Random(3))
    model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
    before = model.state_dict()
    nn.fit(model, x, y, nn.hinge, grouped(model, nn.AdamW, lr=0.0), 3, 7, compiled=compiled)
    changed = {name for name, number in model.state_dict().items() if number != before[name]}
    assert changed == {name for name in before if name.startswith("layers.0")}


def test_a_row_that_the_code_changes_is_whole_the_next_time():
    class Shrinking(nn.Module):
        def __init__(self):
            self.neuron = neuron()

        def forward(self, x):
            x[0] = 0.5 * x[0]
            return self.neuron(x)

    def loss(output, target):
        target[0] *= 2.0
        return (output - target[0]) ** 2

    def make():
        return Shrinking(), loss, {"metrics": {"sum": lambda outputs, targets: sum(outputs)}}

    each = train(make, True, y=lambda labels: [[t] for t in labels])
    assert each == train(make, False, y=lambda labels: [[t] for t in labels])
    x = [[1.0, 2.0]]
    model = Shrinking()
    assert nn.predict(model, x) == nn.predict(model, x)


def test_a_branch_that_can_not_be_compiled_runs_as_graphs():
    table = [0.5, 1.0, 2.0]

    def make():
        def loss(output, target):
            error = (output - target) ** 2
            return error * table[int(target + 1.0)] if output > 0.5 else error

        return nn.MLP(2, [3, 1], activation="tanh", rng=random.Random(6)), loss, {}

    found, said = train(make, True, epochs=20)
    want, nothing = train(make, False, epochs=20)
    assert found == want
    assert nothing == []
    assert len(said) == 1
    assert re.search(r"starts again from where it began, as graphs: TypeError: int\(v\)", said[0])


def test_outputs_of_several_lengths_are_predicted_by_graphs():
    class Ragged(nn.Module):
        def __init__(self):
            self.net = nn.MLP(2, [3, 2], rng=random.Random(1))

        def forward(self, x):
            outputs = self.net(x)
            return outputs if x[0] > 0.5 else outputs[:1]

    def make():
        metrics = {"lengths": lambda outputs, targets: sum(map(len, outputs))}
        loss = lambda output, target: sum((o - target) ** 2 for o in output)  # noqa: E731
        return Ragged(), loss, {"metrics": metrics}

    found, said = train(make, True)
    assert found == train(make, False)[0]
    assert "returns results of different structure" in said[0]


def test_a_function_that_asks_for_types_is_tried_with_the_leaves_it_has_in_the_batch():
    # The weights move a lot within an epoch; branches are recorded when they are met.
    def doubled_or_squared(v):
        return v * 2.0 if v > 0.0 else v * v

    class Model(nn.Module):
        def __init__(self):
            self.net = nn.MLP(2, [3, 1], activation=doubled_or_squared, rng=random.Random(3))

        def forward(self, x):
            output = self.net(x)
            return output[0] if isinstance(output, list) else output

    def make():
        return Model(), nn.squared_error, {"optimizer": nn.SGD}

    found, said = train(make, True, batch_size=1)
    assert (found, said) == train(make, False, batch_size=1)
    assert said == []


@pytest.mark.filterwarnings("error")
def test_infinities_in_branches_do_not_make_numpy_warn():
    net = nn.Neuron(1, "identity", init=[1.0, 0.0])

    def loss(output, target):
        return output * 1e300 if output > 0.0 else output * 1e300 * 1e300

    optimizer = nn.SGD(net.parameters())
    x = [[1.0], [-1.0]] * 8 + [[1e10]]
    with pytest.raises(nn.NonFiniteLoss, match=r"loss nan|loss -?inf"):
        nn.fit(net, x, [0.0] * 17, loss, optimizer, 1, compiled=True)


def test_who_is_to_see_every_operation_gets_graphs():
    def make():
        return neuron(), nn.squared_error, {}

    with autograd.detect_anomaly():
        found, said = train(make, True)
    assert found == train(make, False)[0]
    assert said == [
        "fit: not compiled, so slower: detect_anomaly or profile is to see every operation"
    ]
