"""Chains: printed derivatives against high-precision differences of the formula, and the limits."""

import random
import re

import chains as example
import mpmath
import pytest

mp = mpmath.mp.clone()
mp.dps = 40
EXACT = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "softplus": lambda z: mp.log(1 + mp.exp(z)),
    "cos": mp.cos,
}


def cost(x, y, weights, functions):
    q = [EXACT[functions[0].name](mp.mpf(xi)) for xi in x]
    for matrix, f in zip(weights, functions[1:], strict=True):
        q = [EXACT[f.name](mp.fdot(row, q)) for row in matrix]
    return sum((qi - yi) ** 2 for qi, yi in zip(q, y, strict=True)) / 2


def derivatives(x, y, weights, functions):
    """Return the cost, and dC/dw of every weight by numerical differentiation at 40 digits."""
    exact = [[[mp.mpf(w) for w in row] for row in matrix] for matrix in weights]
    found = []
    for i, matrix in enumerate(exact):
        for r, row in enumerate(matrix):
            for c in range(len(row)):

                def moved(w, i=i, r=r, c=c):
                    changed = [[list(row) for row in m] for m in exact]
                    changed[i][r][c] = w
                    return cost(x, y, changed, functions)

                found.append(float(mp.diff(moved, row[c])))
    return float(cost(x, y, exact, functions)), found


ONE = [[[w]] for w in example.WEIGHTS]
REACHED = example.X * example.WEIGHTS[0] * example.WEIGHTS[1] * example.WEIGHTS[2]
MANY = example.several(random.Random(4))
CASES = {
    "linear": ([example.X], [example.Y], ONE, example.LINEAR),
    "an activation at every node": ([example.X], [example.Y], ONE, example.MIXED),
    "linear, no error": ([example.X], [REACHED], ONE, example.LINEAR),
    "several nodes per layer": ([example.X, -0.3], [example.Y], MANY, example.MIXED),
}


@pytest.fixture(scope="module")
def printed(run):
    found = {}
    for line in run(example).splitlines():
        if "C = " in line:
            title, value = line.split(": C = ")
            found[title] = {"cost": float(value), "graph": [], "pattern": []}
        else:
            _, kind, *numbers = re.sub(r"^\s+dC/dw\S+", "w", line).split()
            found[title][kind] += map(float, numbers)
    return found


@pytest.mark.parametrize("title", CASES)
def test_printed_derivatives_are_right(printed, title):
    value, want = derivatives(*CASES[title])
    assert printed[title]["cost"] == pytest.approx(value, abs=1e-12)
    assert printed[title]["graph"] == pytest.approx(want, abs=1e-12)
    assert printed[title]["pattern"] == pytest.approx(want, abs=1e-12)
    assert set(printed) == set(CASES)


@pytest.mark.parametrize("title", CASES)
def test_graph_and_pattern_agree_to_the_last_digits(title):
    graph, _ = example.gradients_by_graph(*CASES[title])
    pattern = example.gradients_by_pattern(*CASES[title])
    for ours, theirs in zip(graph, pattern, strict=True):
        for row, other in zip(ours, theirs, strict=True):
            assert row == pytest.approx(other, rel=1e-14, abs=1e-300)


def test_a_linear_chain_has_the_products_of_its_weights():
    a, b, c = example.WEIGHTS
    x, error = example.X, example.X * a * b * c - example.Y
    graph, _ = example.gradients_by_graph(*CASES["linear"])
    want = [error * c * b * x, error * c * (a * x), error * (a * b * x)]
    assert [m[0][0] for m in graph] == pytest.approx(want, rel=1e-14)


def test_identity_activations_give_the_linear_case_back():
    own = [lambda z: z] * 4
    for gradients in (lambda *a: example.gradients_by_graph(*a)[0], example.gradients_by_pattern):
        assert gradients([example.X], [example.Y], ONE, own) == gradients(*CASES["linear"])


def test_no_error_gives_no_gradient():
    graph, cost = example.gradients_by_graph(*CASES["linear, no error"])
    assert cost.data == 0.0
    assert graph == [[[0.0]]] * 3


def test_the_picture_frames_the_steps(tmp_path, run):
    run(example, "-o", str(tmp_path / "p.svg"))
    svg = (tmp_path / "p.svg").read_text(encoding="utf-8")
    for text in ("0 to 1", "1 to 2", "2 to 3", "softplus"):
        assert text in svg
