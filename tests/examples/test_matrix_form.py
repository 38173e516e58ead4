"""Scalars and matrices agree at every iteration, and both with numerical derivatives."""

import random
import re

import matrix_form as example
import mpmath
import numpy as np
import pytest

import nn


@pytest.fixture(scope="module")
def found():
    return example.train()


def test_gradients_agree_at_every_iteration(found):
    assert len(found) == 500
    assert max(row[2] for row in found) < 1e-12
    for scalars, matrices, _ in found:
        assert scalars == pytest.approx(matrices, rel=1e-6, abs=1e-25)


def test_the_loss_ends_below_1e_15(found):
    assert found[0][0] > 1e-3
    assert found[-1][0] < 1e-15


def test_matrices_have_the_gradients_of_numerical_differentiation():
    net = nn.MLP(
        2, [2, 2, 1], activation="sigmoid", output_activation="sigmoid", rng=random.Random(1)
    )
    matrices = example.Matrices(net)
    x, t = np.array([[0.5, 0.35], [-1.0, 0.2]]), np.array([[0.725], [0.1]])
    _, weights, biases = matrices.gradients(x, t)
    numbers = [p.data for p in net.parameters()]
    mp = mpmath.mp.clone()
    mp.dps = 30

    def cost(parameters):
        total = mp.mpf(0)
        for row, target in zip(x, t, strict=True):
            rest, a = iter(parameters), [mp.mpf(float(v)) for v in row]
            for width in (2, 2, 1):
                a = [
                    1 / (1 + mp.exp(-(mp.fdot([next(rest) for _ in a], a) + next(rest))))
                    for _ in range(width)
                ]
            total += (a[0] - mp.mpf(float(target[0]))) ** 2 / 2
        return total

    for i, gradient in enumerate(example.flat(weights, biases)):
        point = [mp.mpf(number) for number in numbers]

        def moved(w, i=i, point=point):
            return cost([*point[:i], w, *point[i + 1 :]])

        assert gradient == pytest.approx(float(mp.diff(moved, point[i])), rel=1e-12)


def test_printed_lines_are_the_numbers_found(run, found, tmp_path):
    text = run(example, "-o", str(tmp_path / "loss.png"))
    for i, scalars, matrices in re.findall(
        r"iteration +(\d+)  scalars (\S+)  matrices (\S+)", text
    ):
        assert float(scalars) == pytest.approx(found[int(i)][0], rel=1e-12)
        assert float(matrices) == pytest.approx(found[int(i)][1], rel=1e-12)
    assert "iteration 499" in text
    assert (tmp_path / "loss.png").stat().st_size > 1000
