"""Digits: the printed numbers, and the trained weights judged by NumPy."""

import re

import digits as example
import numpy as np
import pytest

import nn

pytest.importorskip("sklearn")


def outputs_by_numpy(net, x):
    """Return the scores of the trained network with matrices."""
    a = np.array(x)
    for i, layer in enumerate(net.layers):
        a = a @ np.array([[w.data for w in n.w] for n in layer.neurons]).T
        a = a + np.array([n.b.data for n in layer.neurons])
        a = np.maximum(a, 0.0) if i == 0 else a
    return a


def test_the_network_reads_held_out_digits(run, tmp_path, monkeypatch):
    pytest.importorskip("llvmlite", reason="without machine code this takes minutes")
    trained = []
    build = example.network
    monkeypatch.setattr(example, "network", lambda: trained.append(build()) or trained[-1])
    text = run(example, "-o", str(tmp_path / "digits.png"))
    (net,) = trained
    _, x, _, y = example.data()
    said = outputs_by_numpy(net, x).argmax(axis=1)
    right = int((said == y).sum())
    assert right / len(y) >= 0.97
    assert f"held out: {right} of {len(y)} right, {100 * right / len(y):.1f} %" in text
    matrix = [list(map(int, line.split())) for line in re.findall(r"^ +[\d ]+$", text, re.M)]
    for true in range(10):
        for other in range(10):
            assert matrix[true][other] == sum(
                t == true and s == other for t, s in zip(y, said, strict=True)
            )
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", text)]
    assert losses[0] > losses[1] > losses[2] > 0.0
    assert (tmp_path / "digits.png").stat().st_size > 5000


def test_the_first_updates_are_those_of_matrices():
    x, _, y, _ = example.data()
    x, y = x[:60], y[:60]
    net = example.network()
    layers = []
    for layer in net.layers:
        layers.append(np.array([[w.data for w in n.w] for n in layer.neurons]))
        layers.append(np.array([n.b.data for n in layer.neurons]))
    optimizer = nn.Adam(net.parameters(), lr=0.01)
    targets = nn.one_hot(y, 10)
    history = nn.fit(net, x, targets, nn.cross_entropy, optimizer, 1, 20, seed=None, compiled=False)

    means, squares, total = [0.0] * 4, [0.0] * 4, 0.0
    for t, start in enumerate((0, 20, 40), 1):
        a, labels = np.array(x[start : start + 20]), np.array(y[start : start + 20])
        w, b, v, c = layers
        z = a @ w.T + b
        h = np.maximum(z, 0.0)
        scores = h @ v.T + c
        shifted = scores - scores.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        total -= logs[np.arange(20), labels].sum()
        d = (np.exp(logs) - np.eye(10)[labels]) / 20
        dh = (d @ v) * (z > 0.0)
        for i, g in enumerate([dh.T @ a, dh.sum(axis=0), d.T @ h, d.sum(axis=0)]):
            means[i] = 0.9 * means[i] + 0.1 * g
            squares[i] = 0.999 * squares[i] + 0.001 * g * g
            size = np.sqrt(squares[i] / (1 - 0.999**t)) + 1e-8
            layers[i] = layers[i] - 0.01 * means[i] / (1 - 0.9**t) / size
    assert history.loss == [pytest.approx(total / 60, rel=1e-12)]
    w, b, v, c = layers
    want = [*np.column_stack([w, b]).ravel(), *np.column_stack([v, c]).ravel()]
    # Where a gradient is all rounding, Adam's first steps have its sign: those weights may differ.
    found = np.array([p.data for p in net.parameters()])
    assert np.mean(np.abs(found - want) < 1e-9) > 0.99
