"""The printed numbers against matrices in NumPy, and the picture."""

import re

import feed_forward as example
import numpy as np
import pytest


class Matrices:
    """The same network as matrices: rows of W are neurons."""

    def __init__(self) -> None:
        blocks = np.array(example.HIDDEN + example.OUTPUT).reshape(2, 2, 3)
        self.w, self.b = blocks[:, :, :2].copy(), blocks[:, :, 2].copy()
        self.x, self.t = np.array(example.INPUTS), np.array(example.TARGETS)

    def forward(self):
        h = 1 / (1 + np.exp(-(self.w[0] @ self.x + self.b[0])))
        o = 1 / (1 + np.exp(-(self.w[1] @ h + self.b[1])))
        return h, o, 0.5 * np.sum((o - self.t) ** 2)

    def gradients(self):
        h, o, _ = self.forward()
        output = (o - self.t) * o * (1 - o)
        hidden = (self.w[1].T @ output) * h * (1 - h)
        layers = [(hidden, self.x), (output, h)]
        return [np.column_stack([np.outer(d, a), d]) for d, a in layers]

    def update(self):
        for i, gradient in enumerate(self.gradients()):
            self.w[i] -= example.RATE * gradient[:, :2]
            self.b[i] -= example.RATE * gradient[:, 2]

    def parameters(self):
        return np.concatenate([np.column_stack([self.w[i], self.b[i]]).ravel() for i in range(2)])


@pytest.fixture(scope="module")
def printed(run):
    return run(example)


def last_numbers(text, pattern):
    return [float(line.split("=")[-1].split()[0]) for line in re.findall(pattern, text, re.M)]


def test_forward_is_that_of_the_matrices(printed):
    h, o, error = Matrices().forward()
    assert last_numbers(printed, r"^  out .*$") == pytest.approx([*h, *o], abs=1e-10)
    nets = np.log(np.array([*h, *o]) / (1 - np.array([*h, *o])))
    assert last_numbers(printed, r"^  net .*$") == pytest.approx(list(nets), abs=1e-10)
    first, _, after, *_ = re.findall(r"^  E = (.*)$", printed, re.M) + [None] * 2
    assert float(first) == pytest.approx(error, abs=1e-10)
    errors = last_numbers(printed, r"^  E[12] = .*$")
    assert sum(errors) == pytest.approx(error, abs=2e-10)
    assert after is None


def test_derivatives_and_factors_are_those_of_the_matrices(printed):
    hidden, output = Matrices().gradients()
    want = [*output.ravel(), *hidden.ravel()]
    lines = re.findall(r"^  dE/d\w+\(\w+\) = (.*) = (\S+)  graph (\S+)$", printed, re.M)
    assert [float(by_hand) for _, by_hand, _ in lines] == pytest.approx(want, abs=1e-10)
    assert [float(graph) for _, _, graph in lines] == pytest.approx(want, abs=1e-10)
    for factors, _, graph in lines:
        sum_, *rest = factors.split(" * ")
        product = sum(map(float, sum_.strip("()").split()))
        for factor in rest:
            product *= float(factor)
        assert product == pytest.approx(float(graph), rel=1e-5, abs=1e-8)


def test_updates_are_those_of_the_matrices(printed):
    net = Matrices()
    net.update()
    parameters = re.findall(r"^  layers.* = (.*)$", printed, re.M)
    assert list(map(float, parameters)) == pytest.approx(list(net.parameters()), abs=1e-10)
    assert float(re.findall(r"^  E = (.*)$", printed, re.M)[1]) == pytest.approx(
        net.forward()[2], abs=1e-10
    )
    for _ in range(example.UPDATES - 1):
        net.update()
    _, o, error = net.forward()
    last = re.search(r"after 10,000 updates: E = (\S+), outputs (\S+) (\S+)", printed)
    assert last is not None
    assert float(last[1]) == pytest.approx(error, rel=1e-5, abs=1e-25)
    assert [float(last[2]), float(last[3])] == pytest.approx(list(o), abs=1e-8)


def test_the_picture_frames_layers_and_neurons(tmp_path):
    example.draw(str(tmp_path / "net.svg"))
    svg = (tmp_path / "net.svg").read_text(encoding="utf-8")
    for name in ("layer 1", "layer 2", "neuron 1", "neuron 2"):
        assert name in svg
