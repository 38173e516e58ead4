"""The GPT on names: its loss against matrices in NumPy, its training, its files."""

import random
import re

import numpy as np
import pytest

pytest.importorskip("llvmlite")
import names_gpt as example


def loss_by_numpy(net, name):
    """Return the mean surprise at the letters of `name`, all letters at once as matrices."""
    w = {k: np.array([[p.data for p in row] for row in rows]) for k, rows in net.weights.items()}
    codes = np.array([".abcdefghijklmnopqrstuvwxyz".index(letter) for letter in f".{name}."])
    seen, coming = codes[:-1], codes[1:]

    def norm(x):
        return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)

    def softmax(z):
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        return p / p.sum(axis=-1, keepdims=True)

    x = w["letter"][seen] + w["place"][: len(seen)]
    n = norm(x)
    q, k, v = (
        (n @ w[part].T).reshape(len(seen), 4, 4).swapaxes(0, 1)
        for part in ("query", "key", "value")
    )
    scores = q @ k.swapaxes(1, 2) / 2.0
    scores = np.where(np.tril(np.ones(scores.shape[1:])) > 0, scores, -np.inf)
    found = (softmax(scores) @ v).swapaxes(0, 1).reshape(len(seen), 16)
    x = x + found @ w["mix"].T
    x = x + np.maximum(norm(x) @ w["widen"].T, 0.0) @ w["narrow"].T
    p = softmax(norm(x) @ w["guess"].T)
    return -np.log(p[np.arange(len(seen)), coming]).mean()


def test_the_loss_is_that_of_the_matrices():
    net = example.NamesGPT(random.Random(3))
    assert len(net.parameters()) == 4064
    for name in ("a", "emma", "lorwena"):
        assert net(name).data == pytest.approx(loss_by_numpy(net, name), rel=1e-12)


def test_training_prints_losses_that_fall_and_saves_the_weights(run, tmp_path):
    names, weights = tmp_path / "names.txt", tmp_path / "w.json"
    names.write_text("Anna\nhanna\nNot a name\nbartholomew\n\njohanna\n", encoding="utf-8")
    text = run(
        example,
        *["--file", str(names), "--steps", "10", "--save", str(weights)],
        *["-o", str(tmp_path / "loss.png")],
    )
    assert "4064 parameters, 3 names" in text
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", text)]
    assert len(losses) == 10
    rng = random.Random(1)
    fresh = example.NamesGPT(rng)
    first = rng.choice(["anna", "hanna", "johanna"])
    assert losses[0] == pytest.approx(loss_by_numpy(fresh, first), abs=1e-6)
    assert losses[-1] < losses[0] - 0.5
    trained = example.NamesGPT(random.Random(9))
    trained.load(weights)
    mean = np.mean([loss_by_numpy(trained, name) for name in ("anna", "hanna", "johanna")])
    assert mean < losses[0] - 0.5
    assert set(text.split("made up: ")[1]) <= set("abcdefghijklmnopqrstuvwxyz \n")
    again = run(example, "--file", str(names), "--steps", "0", "--load", str(weights))
    assert "made up:" in again
    assert (tmp_path / "loss.png").stat().st_size > 1000


def test_every_loss_is_that_of_the_graph_of_the_whole_name(monkeypatch):
    columns = []
    update = example.nn.Adam.update

    def noted(self, x, gradient):
        columns.append((x, gradient))
        return update(self, x, gradient)

    monkeypatch.setattr(example.nn.Adam, "update", noted)
    names = ["a", "annabel", "emma", "nina", "jo"]
    net, other = example.NamesGPT(random.Random(3)), example.NamesGPT(random.Random(3))
    losses = example.train(net, names, 12, random.Random(1))
    rng = random.Random(1)
    for loss, (numbers, gradient) in zip(losses, columns, strict=True):
        other.assign(numbers.tolist())
        other.zero_grad()
        graph = other(rng.choice(names))
        assert graph.data == loss  # to the last digit
        graph.backward()
        assert gradient == pytest.approx([p.grad for p in other.parameters()], rel=1e-9, abs=1e-15)


def test_machine_code_trains_to_the_bits_of_graphs():
    nets = [example.NamesGPT(random.Random(3)) for _ in range(2)]
    losses = [
        example.train(net, ["a", "annabel", "emma"], 4, random.Random(1), compiled)
        for net, compiled in zip(nets, (True, False), strict=True)
    ]
    assert losses[0] == losses[1]
    assert nets[0].state_dict() == nets[1].state_dict()


def test_each_step_is_adam_on_the_gradient_of_one_name():
    net = example.NamesGPT(random.Random(3))
    before = [p.data for p in net.parameters()]
    (loss,) = example.train(net, ["emma"], 1, random.Random(1))
    other = example.NamesGPT(random.Random(3))
    assert loss == pytest.approx(loss_by_numpy(other, "emma"), rel=1e-12)
    other("emma").backward()
    for p, start, reference in zip(net.parameters(), before, other.parameters(), strict=True):
        # Adam's first step is the rate times the sign, wherever the gradient is not tiny.
        if abs(reference.grad) > 1e-4:
            assert p.data == pytest.approx(start - 0.01 * np.sign(reference.grad), abs=1e-4)


def test_shipped_names_are_usable():
    names = example.shipped_names()
    assert len(names) >= 50
    assert example.usable(names) == names
