"""The printed steps against NumPy matrices and against high-precision derivatives."""

import backprop_by_hand as example
import mpmath
import numpy as np
import pytest


@pytest.fixture(scope="module")
def printed(run):
    lines = run(example).splitlines()
    found = {}
    for line in lines:
        step, name, *numbers = line.split()
        found[step, name] = [float(n) for n in numbers if n[0] in "+-"]
    return found


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_every_step_is_that_of_the_matrices(printed):
    x = (np.array(example.HOURS[0]) - [7.0, 6.0]) / [1.5, 2.5]
    w1, w2, y = np.array(example.W1), np.array([example.W2]), example.PASSED
    a1 = sigmoid(w1 @ x)
    a2 = sigmoid(w2 @ a1)
    d2 = a2 - y
    d1 = (w2.T @ d2) * a1 * (1 - a1)
    g2, g1 = np.outer(d2, a1), np.outer(d1, x)
    want = {
        ("preprocess", "x"): x,
        ("forward", "a1"): a1,
        ("forward", "a2"): a2,
        ("forward", "J"): -np.log(a2),
        ("update", "W1"): w1 - example.RATE * g1,
        ("update", "W2"): w2 - example.RATE * g2,
        ("again", "a2"): (
            a2_new := sigmoid((w2 - example.RATE * g2) @ sigmoid((w1 - example.RATE * g1) @ x))
        ),
        ("again", "J"): -np.log(a2_new),
    }
    for how in ("hand", "graph"):
        want |= {("delta2", how): d2, ("delta1", how): d1, ("dJ/dW2", how): g2, ("dJ/dW1", how): g1}
    assert set(printed) == set(want)
    for key, numbers in want.items():
        assert printed[key] == pytest.approx(np.ravel(numbers).tolist(), abs=1e-12), key


def test_the_prediction_moves_to_the_label_and_the_loss_falls(printed):
    before, after = printed["forward", "a2"][0], printed["again", "a2"][0]
    assert before < after < example.PASSED
    assert printed["again", "J"][0] < printed["forward", "J"][0]


def test_deltas_of_the_graph_agree_with_the_formulas_to_the_last_digits():
    net = example.network()
    (x,) = example.SCALE(example.HOURS)
    hidden, prediction, loss = example.forward(net, x)
    loss.backward()
    mp = mpmath.mp.clone()
    mp.dps = 40

    def exact(shifts):
        """The loss with `shifts` added to the weighted sums of both layers."""
        a1 = [
            1 / (1 + mp.exp(-(mp.fdot(map(mp.mpf, w), map(mp.mpf, x)) + s)))
            for w, s in zip(example.W1, shifts, strict=False)
        ]
        return -mp.log(1 / (1 + mp.exp(-(mp.fdot(map(mp.mpf, example.W2), a1) + shifts[2]))))

    deltas = [example.weighted_sum(a).grad for a in (*hidden, prediction)]
    for i, delta in enumerate(deltas):
        one = [int(i == j) for j in range(3)]
        want = mp.diff(lambda h, one=one: exact([h * o for o in one]), 0)
        assert delta == pytest.approx(float(want), rel=4e-16)
    a1, a2 = [h.data for h in hidden], prediction.data
    by_hand = [w * (a2 - 1.0) * a * (1.0 - a) for w, a in zip(example.W2, a1, strict=True)]
    assert deltas == pytest.approx([*by_hand, a2 - 1.0], rel=4e-16)


def test_the_picture_has_the_inputs_and_layers(tmp_path, run):
    run(example, "-o", str(tmp_path / "p.svg"))
    svg = (tmp_path / "p.svg").read_text(encoding="utf-8")
    for text in ("sleep", "study", "layer 1", "layer 2"):
        assert text in svg
