"""The objectives of the ADBench benchmark in plain Python, against its checked numbers.

The inputs are another project's data: they are read from the folder beside the repository, and the
tests skip where it is missing. The functions are written from the published definitions.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd import grad, jacobian, jvp, value_and_grad

FOLDER = Path(__file__).parents[3] / "shared" / "data"


def cases(name):
    path = FOLDER / name
    if not path.is_file():
        return {}
    everything = json.loads(path.read_text("utf-8"))
    return {key: case for key, case in everything.items() if isinstance(case, dict)}


def parametrize(name):
    found = cases(name)
    if not found:
        reason = pytest.mark.skip(reason=f"{name} is not in {FOLDER}")
        return pytest.mark.parametrize("case", [pytest.param(None, marks=reason)])
    return pytest.mark.parametrize("case", [pytest.param(c, id=k) for k, c in found.items()])


def chunks(xs, n):
    return [xs[i : i + n] for i in range(0, len(xs), n)]


def close(found, want, rel):
    scale = max(map(abs, want))
    np.testing.assert_allclose(found, want, rtol=rel, atol=rel * scale)


# --------------------------------------------------------------------------- Gaussian mixture


def gmm(alphas, means, icf, x, gamma, m):
    """Log-likelihood of the points under the mixture, with a Wishart prior on the covariances."""
    k, d, n = len(alphas), len(means) // len(alphas), len(x) * len(alphas) // len(means)
    centres, factors = chunks(means, d), chunks(icf, d * (d + 1) // 2)
    log_sums = [ag.sum(factor[:d]) for factor in factors]
    diagonals = [[ag.exp(q) for q in factor[:d]] for factor in factors]

    def exponent(point, c):
        centred = [p - mean for p, mean in zip(point, centres[c], strict=True)]
        rows = [q * z for q, z in zip(diagonals[c], centred, strict=True)]
        below = iter(factors[c][d:])
        for j in range(d):
            for i in range(j + 1, d):
                rows[i] = rows[i] + next(below) * centred[j]
        return alphas[c] + log_sums[c] - 0.5 * ag.dot(rows, rows)

    total = -0.5 * n * d * math.log(2.0 * math.pi) - n * ag.logsumexp(alphas)
    for point in chunks(x, d):
        total = total + ag.logsumexp([exponent(point, c) for c in range(k)])
    freedom = d + m + 1
    normal = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0)) - (
        0.25 * d * (d - 1) * math.log(math.pi)
        + sum(math.lgamma(0.5 * freedom - 0.5 * j) for j in range(d))
    )
    for c in range(k):
        square = ag.dot(diagonals[c], diagonals[c]) + ag.dot(factors[c][d:], factors[c][d:])
        total = total + 0.5 * gamma**2 * square - m * log_sums[c] - normal
    return total


@parametrize("adbench_gmm.json")
def test_gaussian_mixture(case):
    def f(alphas, means, icf):
        return gmm(alphas, means, icf, case["x"], case["wishart_gamma"], case["wishart_m"])

    args = (case["alphas"], case["means"], case["icf"])
    value, gradients = value_and_grad(f, argnums=(0, 1, 2))(*args)
    gradient = list(itertools.chain(*gradients))
    assert value == pytest.approx(case["objective_gold"], rel=1e-12)
    close(gradient, case["gradient_gold"], 1e-13)
    direction = [math.cos(i) for i in range(len(gradient))]
    parts = iter(direction)
    tangents = tuple([next(parts) for _ in arg] for arg in args)
    _, slope = jvp(f, args, tangents)
    assert slope == pytest.approx(math.fsum(map(float.__mul__, gradient, direction)), rel=1e-11)
    if "hessian_gold" in case:
        sizes = [len(arg) for arg in args]

        def flat(p):
            a, b = sizes[0], sizes[0] + sizes[1]
            return f(p[:a], p[a:b], p[b:])

        h = np.array(ag.hessian(flat)(list(itertools.chain(*args))))
        want = np.array(case["hessian_gold"])
        np.testing.assert_allclose(h, want, rtol=1e-11, atol=1e-12 * np.abs(want).max())


# -------------------------------------------------------------------------- bundle adjustment


def rotate(r, x):
    """Rodrigues' formula; the branch at zero is an ordinary `if`."""
    square = ag.dot(r, r)
    cross = [r[1] * x[2] - r[2] * x[1], r[2] * x[0] - r[0] * x[2], r[0] * x[1] - r[1] * x[0]]
    if square == 0.0:
        return [a + b for a, b in zip(x, cross, strict=True)]
    angle = ag.sqrt(square)
    c, s = ag.cos(angle), ag.sin(angle) / angle
    along = ag.dot(r, x) * (1.0 - c) / square
    return [a * c + b * s + w * along for a, b, w in zip(x, cross, r, strict=True)]


def reprojection(cam, point, weight, feature):
    x, y, z = rotate(cam[:3], [p - c for p, c in zip(point, cam[3:6], strict=True)])
    x, y = x / z, y / z
    square = x * x + y * y
    bend = 1.0 + cam[9] * square + cam[10] * square * square
    return [
        weight * (cam[6] * bend * x + cam[7] - feature[0]),
        weight * (cam[6] * bend * y + cam[8] - feature[1]),
    ]


@parametrize("adbench_ba.json")
def test_bundle_adjustment(case):
    # An integer would be left alone, as a part of the structure.
    args = (list(map(float, case["cam"])), case["X"], case["w"])

    def f(cam, point, weight):
        return reprojection(cam, point, weight, case["feat"])

    # The point's features are large beside the error: digits are lost in the subtraction.
    np.testing.assert_allclose(f(*args), case["reproj_err_gold"], rtol=1e-11)
    for mode in ("forward", "reverse", "auto"):
        rows = jacobian(f, argnums=(0, 1, 2), mode=mode)(*args)
        for (cam, point, weight), want in zip(rows, case["J_gold_2x15"], strict=True):
            close([*cam, *point, weight], want, 1e-12)
    assert 1.0 - case["w"] ** 2 == pytest.approx(case["w_err"], rel=1e-12)
    assert grad(lambda w: 1.0 - w * w)(case["w"]) == pytest.approx(case["dw_err_dw"], rel=1e-14)


# --------------------------------------------------------------------------------------- LSTM


def lstm_loss(main, extra, state, sequence):
    b = len(extra) // 3
    weights = [chunks(row, b) for row in chunks(main, 4 * b)]
    hidden, cell = chunks(state, b)[::2], chunks(state, b)[1::2]
    in_weight, out_weight, out_bias = chunks(extra, b)
    total = 0.0
    for now, after in itertools.pairwise(sequence):
        x = [w * float(bit) for w, bit in zip(in_weight, now, strict=True)]
        for layer in range(len(hidden)):
            (wf, wi, wo, wc), (bf, bi, bo, bc) = weights[2 * layer], weights[2 * layer + 1]
            h, c = hidden[layer], cell[layer]
            new_h, new_c = [], []
            for j in range(b):
                forget = ag.sigmoid(x[j] * wf[j] + bf[j])
                enter = ag.sigmoid(h[j] * wi[j] + bi[j])
                leave = ag.sigmoid(x[j] * wo[j] + bo[j])
                change = ag.tanh(h[j] * wc[j] + bc[j])
                new_c.append(c[j] * forget + enter * change)
                new_h.append(leave * ag.tanh(new_c[j]))
            hidden[layer], cell[layer] = new_h, new_c
            x = new_h
        y = [x[j] * out_weight[j] + out_bias[j] for j in range(b)]
        normal = ag.log(2.0 + ag.sum([ag.exp(v) for v in y]))
        for v, bit in zip(y, after, strict=True):
            if int(bit):
                total = total + (v - normal)
    return -total / float((len(sequence) - 1) * b)


@parametrize("adbench_lstm.json")
def test_lstm(case):
    def loss(main, extra):
        return lstm_loss(main, extra, case["state"], case["sequence"])

    args = (case["main_params"], case["extra_params"])
    value, (main, extra) = value_and_grad(loss, argnums=(0, 1))(*args)
    assert value == pytest.approx(case["objective_gold"], rel=1e-13)
    close([*main, *extra], case["gradient_gold_complex_step"], 1e-12)
