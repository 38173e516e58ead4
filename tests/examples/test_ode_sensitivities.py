"""Sensitivities from 10,000 recorded steps against the sensitivity equations, solved by SciPy."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

integrate = pytest.importorskip("scipy.integrate")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import ode_sensitivities as example  # noqa: E402


def sensitivity_equations(t, z):
    """The system with the derivatives of both species by all six parameters, by hand."""
    (x, y), (a, b, c, d) = z[:2], example.PARAMETERS[:4]
    s = z[2:].reshape(2, 6)
    j = np.array([[a - b * y, -b * x], [d * y, d * x - c]])
    by_rates = np.array([[x, -x * y, 0, 0, 0, 0], [0, 0, -y, x * y, 0, 0]])
    return np.concatenate([[a * x - b * x * y, d * x * y - c * y], (j @ s + by_rates).ravel()])


def test_ten_thousand_steps(capsys):
    example.main([])
    lines = capsys.readouterr().out.splitlines()
    start = np.concatenate([example.PARAMETERS[4:], np.eye(2, 6, 4).ravel()])
    want = integrate.solve_ivp(
        sensitivity_equations, (0.0, example.YEARS), start, method="DOP853", rtol=1e-13, atol=1e-13
    ).y[:, -1]
    assert float(lines[0].split()[-1]) == pytest.approx(want[0], rel=1e-9)
    found = [float(line.split("=")[1]) for line in lines[1:7]]
    np.testing.assert_allclose(found, want[2:8], rtol=1e-8, atol=1e-8)
    forward, reverse = map(float, re.findall(r"ward = (\S+), reverse = (\S+)", lines[7])[0])
    assert forward == pytest.approx(reverse, rel=1e-11)
    assert forward == pytest.approx(want[2:8].sum(), rel=1e-7)


def test_the_method_is_of_fourth_order():
    exact = example.integrate(example.PARAMETERS, 16_000)[0]
    coarse, fine = (abs(example.integrate(example.PARAMETERS, n)[0] - exact) for n in (1000, 2000))
    assert coarse / fine == pytest.approx(16.0, rel=0.25)
