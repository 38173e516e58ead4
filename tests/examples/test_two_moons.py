"""Two moons: the printed numbers against the same training in NumPy, eager and compiled."""

import re

import numpy as np
import pytest
import two_moons as example

import nn


@pytest.fixture(scope="module")
def by_numpy():
    """The losses and the final scores of the same training with matrices."""
    net = example.network()
    x, y = map(np.array, example.data())
    layers = [
        (
            np.array([[w.data for w in n.w] for n in layer.neurons]).T,
            np.array([n.b.data for n in layer.neurons]),
        )
        for layer in net.layers
    ]
    losses = []
    for step in range(101):
        inputs, a = [], x
        for i, (w, b) in enumerate(layers):
            inputs.append(a)
            z = a @ w + b
            a = np.maximum(z, 0.0) if i < 2 else z
        margins = 1.0 - y * a[:, 0]
        squares = sum((w * w).sum() + (b * b).sum() for w, b in layers)
        losses.append(np.maximum(margins, 0.0).mean() + 1e-4 * squares)
        if step == 100:
            return losses[:100], a[:, 0]
        rate = 1.0 - 0.9 * step / 100
        delta = (-(y / len(y)) * (margins > 0.0))[:, None]
        for i in reversed(range(3)):
            w, b = layers[i]
            back = (delta @ w.T) * (inputs[i] > 0.0)
            layers[i] = (
                w - rate * (inputs[i].T @ delta + 2e-4 * w),
                b - rate * (delta.sum(axis=0) + 2e-4 * b),
            )
            delta = back
    raise AssertionError


@pytest.mark.parametrize("how", ["eager", "compiled"])
def test_printed_numbers_are_those_of_the_matrices(run, by_numpy, how, tmp_path):
    if how == "compiled":
        pytest.importorskip("llvmlite")
    losses, scores = by_numpy
    picture = tmp_path / "moons.png"
    text = run(example, *(["--eager"] if how == "eager" else ["-o", str(picture)]))
    printed = re.findall(r"step +(\d+)  loss (\S+)", text)
    assert [int(step) for step, _ in printed] == [0, 10, 20, 50, 99]
    for step, loss in printed:
        assert float(loss) == pytest.approx(losses[int(step)], abs=1e-10)
    labels = np.array(example.data()[1])
    assert np.all((scores > 0) == (labels > 0))
    assert "accuracy 100 %" in text
    table = [line.split() for line in text.splitlines()[-3:]]
    assert table[1:] == [["upper", "50", "0"], ["lower", "0", "50"]]
    if how == "compiled":
        assert picture.stat().st_size > 5000


def test_the_boundary_is_the_zero_line_of_the_score(tmp_path):
    line = nn.MLP(2, [1], init=[1.0, -1.0, 0.25])  # a linear score: x - y + 1/4
    figure = example.plot_boundary(line, *example.data(), str(tmp_path / "b.png"))
    _, boundary, points = figure.axes[0].collections
    assert list(boundary.levels) == [0.0]
    found = np.concatenate([path.vertices for path in boundary.get_paths()])
    assert len(found) > 10
    assert np.abs(found[:, 0] - found[:, 1] + 0.25).max() < 1e-9
    assert np.array(points.get_offsets()).tolist() == example.data()[0]
