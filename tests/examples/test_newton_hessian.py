"""Newton's method arrives, and at the end doubles the digits with every step."""

import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import newton_hessian as example


@pytest.mark.parametrize("n", [2, 3, 8, 20])
def test_converges_quadratically(n, capsys):
    example.main(["-n", str(n)])
    *steps, last = capsys.readouterr().out.splitlines()
    lengths = [float(re.search(r"= (\S+)$", line)[1]) for line in steps]
    assert lengths[-1] < 1e-10
    fast = [(a, b) for a, b in itertools.pairwise(lengths) if 1e-12 < a < 1e-2]
    assert fast
    assert all(b < 1000.0 * a * a + 1e-11 for a, b in fast)
    x = np.array(last.split(" at ")[1].split(), dtype=float)
    # The global minimum, or for some n the local one near x[0] = -1.
    assert np.allclose(x, 1.0, atol=1e-11) or (n >= 4 and abs(x[0] + 1.0) < 0.05)
    # The stationary point is checked with the gradient by hand.
    g = np.zeros(n)
    g[:-1] += -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1.0 - x[:-1])
    g[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    assert np.linalg.norm(g) < 1e-8


def test_elimination_is_that_of_numpy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 6)), rng.normal(size=6)
    a[0, 0] = 0.0
    assert example.solve(a.tolist(), b.tolist()) == pytest.approx(list(np.linalg.solve(a, b)))
