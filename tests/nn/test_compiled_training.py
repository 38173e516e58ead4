"""Training by machine code: the numbers of training graph after graph."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import autograd
import nn
from autograd import Value, log

pytest.importorskip("llvmlite")
MOONS = Path(__file__).parents[3] / "shared" / "data" / "micrograd_moons_demo.json"
CLOSE = {"rel": 1e-12, "abs": 1e-13}


def train(compiled, make, loss, kind=nn.SGD, epochs=4, batch_size=5, y=None, **keywords):
    x, labels = nn.two_moons(23, 0.1, random.Random(3))
    model = make()
    optimizer = kind(model.parameters())
    targets = labels if y is None else y(labels)
    history = nn.fit(
        model, x, targets, loss, optimizer, epochs, batch_size, compiled=compiled, **keywords
    )
    return model, history


CASES = {
    "hinge, penalty": (
        lambda: nn.MLP(2, [4, 1], rng=random.Random(1)),
        nn.hinge,
        {"penalty": lambda p: nn.l2(p, 0.01) + nn.l1(p, 0.001)},
    ),
    "logits, RMSProp": (
        lambda: nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1)),
        nn.binary_cross_entropy_with_logits,
        {"kind": nn.RMSProp, "y": lambda labels: [(1.0 + label) / 2.0 for label in labels]},
    ),
    "classes, Adam, all at once": (
        lambda: nn.MLP(2, [4, 3], activation="gelu", rng=random.Random(1)),
        nn.cross_entropy,
        {
            "kind": nn.Adam,
            "batch_size": None,
            "y": lambda labels: nn.one_hot([int(label > 0) for label in labels], 3),
        },
    ),
    "a neuron": (lambda: nn.Neuron(2, "sigmoid", rng=random.Random(1)), nn.squared_error, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_are_those_of_graphs(case):
    make, loss, keywords = CASES[case]
    keywords = {"metrics": {"accuracy": nn.accuracy}, **keywords}
    x, labels = nn.two_moons(9, 0.1, random.Random(5))
    y = keywords.get("y", lambda labels: labels)(labels)
    eager, slow = train(False, make, loss, validation=(x, y), **keywords)
    native, fast = train(True, make, loss, validation=(x, y), **keywords)
    assert fast.loss == pytest.approx(slow.loss, **CLOSE)
    assert fast.validation == pytest.approx(slow.validation, **CLOSE)
    assert fast.metrics == slow.metrics
    assert [p.data for p in native.parameters()] == pytest.approx(
        [p.data for p in eager.parameters()], **CLOSE
    )
    assert all(type(p.data) is float for p in native.parameters())
    assert not any(p.grad for p in native.parameters())


@pytest.mark.skipif(not MOONS.exists(), reason=f"the published training is not at {MOONS}")
def test_the_published_two_moons_training_replays():
    published = json.loads(MOONS.read_text(encoding="utf-8"))
    x, y = published["X"], published["y"]
    model = nn.MLP(2, [16, 16, 1], init=published["params0"])
    accuracies = [nn.accuracy(nn.predict(model, x), y)]
    history = nn.fit(
        model,
        x,
        y,
        nn.hinge,
        nn.SGD(model.parameters(), lr=nn.Linear(1.0, 0.1, 100)),
        100,
        penalty=lambda parameters: nn.l2(parameters, 1e-4),
        metrics={"accuracy": nn.accuracy},
        compiled=True,
    )
    accuracies += history.metrics["accuracy"][:-1]
    trace = published["published_loss_accuracy_trace"]
    assert history.loss == pytest.approx([row[1] for row in trace], abs=1e-10)
    assert [100.0 * a for a in accuracies] == [row[2] for row in trace]
    assert [p.data for p in model.parameters()] == pytest.approx(
        published["params_after_100_steps"], abs=1e-10
    )


def test_a_resumed_run_has_the_bits_of_a_whole_one(tmp_path):
    make, loss, _ = CASES["hinge, penalty"]
    whole, _ = train(True, make, loss, nn.Adam, epochs=6)
    for epochs in (2, 3, 6):
        part, history = train(
            True, make, loss, nn.Adam, epochs=epochs, checkpoint=tmp_path / "run.json"
        )
    assert part.state_dict() == whole.state_dict()
    assert len(history) == 6


def test_a_run_may_go_on_the_other_way(tmp_path):
    make, loss, _ = CASES["hinge, penalty"]
    whole, _ = train(False, make, loss, epochs=6)
    for first in (False, True):
        path = tmp_path / f"{first}.json"
        train(first, make, loss, epochs=2, checkpoint=path)
        part, _ = train(not first, make, loss, epochs=6, checkpoint=path)
        assert part.state_dict() == whole.state_dict()


def test_an_executor_gives_the_same_bits():
    make, loss, _ = CASES["hinge, penalty"]
    alone, _ = train(True, make, loss)
    with ThreadPoolExecutor(2) as executor:
        shared, _ = train(True, make, loss, executor=executor)
    assert shared.state_dict() == alone.state_dict()


def test_lbfgs_by_machine_code():
    pytest.importorskip("scipy")
    x, y = nn.xor()
    found = []
    for compiled in (False, True):
        model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(1))
        optimizer = nn.LBFGS(model.parameters(), max_iter=5)
        loss = nn.binary_cross_entropy_with_logits
        found.append(nn.fit(model, x, y, loss, optimizer, 2, compiled=compiled).loss)
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_a_nan_names_epoch_batch_sample_and_operation():
    def loss(output, target):
        return log(output - 0.3)

    model = nn.Neuron(1, "identity", bias=False, init=[1.0])
    optimizer = nn.SGD(model.parameters(), lr=0.01)
    x, y = [[3.0], [2.0], [0.5], [0.25]], [0.0] * 4
    with pytest.raises(nn.NonFiniteLoss, match=r"loss nan in epoch 1, batch 2: sample 3: log\("):
        nn.fit(model, x, y, loss, optimizer, 5, 2, seed=None, compiled=True)
    w = 1.0 - 0.01 * (3.0 / (3.0 - 0.3) + 2.0 / (2.0 - 0.3)) / 2
    assert model.w[0].data == pytest.approx(w, rel=1e-14)


def test_what_cannot_be_compiled_runs_as_graphs_and_says_so():
    def make():
        return nn.MLP(2, [4, 2], rng=random.Random(1))

    def classes(labels):
        return [int(label > 0) for label in labels]

    eager, slow = train(False, make, nn.cross_entropy, y=classes, epochs=30)
    with pytest.warns(RuntimeWarning, match="fit: not compiled, so slower: .*one_hot"):
        other, same = train(None, make, nn.cross_entropy, y=classes, epochs=30)
    assert same.loss == slow.loss
    assert other.state_dict() == eager.state_dict()
    with pytest.raises(TypeError, match="one_hot"):
        train(True, make, nn.cross_entropy, y=classes)


def test_without_what_compiling_needs_it_runs_as_graphs(monkeypatch):
    def missing(*args, **keywords):
        raise ImportError("compile needs llvmlite")

    make, loss, _ = CASES["hinge, penalty"]
    eager, _ = train(False, make, loss, epochs=30)
    monkeypatch.setattr(autograd, "compile", missing)
    default, _ = train(None, make, loss, epochs=30)
    assert default.state_dict() == eager.state_dict()
    with pytest.raises(ImportError, match="needs llvmlite"):
        train(True, make, loss)


def test_a_loss_must_be_a_value():
    make, _, _ = CASES["a neuron"]
    with pytest.raises(TypeError, match=r"the loss of a sample must be a Value, not 1\.0"):
        train(True, make, lambda o, t: 1.0)


def test_models_of_ones_own_are_compiled():
    class Shared(nn.Module):
        def __init__(self):
            self.w = Value(0.5)
            self.layers = [nn.Neuron(2, "tanh", rng=random.Random(i)) for i in range(2)]

        def forward(self, x):
            a, b = (layer(x) for layer in self.layers)
            return self.w * a + b * b if a > b else b - self.w

    eager, slow = train(False, Shared, nn.squared_error)
    native, fast = train(True, Shared, nn.squared_error)
    assert fast.loss == pytest.approx(slow.loss, **CLOSE)
    assert native.state_dict() == pytest.approx(eager.state_dict(), **CLOSE)
