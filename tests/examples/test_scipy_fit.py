"""The fit against one that uses difference quotients only, and against the truth."""

import sys
from pathlib import Path

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import scipy_fit as example  # noqa: E402


def test_the_fit(capsys):
    example.main()
    lines = capsys.readouterr().out.splitlines()[1:]
    table = np.array([line.split()[1:] for line in lines], dtype=float)
    t, y = example.data()
    found, covariance = optimize.curve_fit(
        lambda t, *p: example.model(p, t), t, y, p0=[1.0, 0.1, 1.5, 0.0], xtol=1e-13, ftol=1e-13
    )
    np.testing.assert_allclose(table[:, 1], found, atol=2e-7)
    np.testing.assert_allclose(table[:, 2], table[:, 1], atol=2e-8)
    # curve_fit neglects the curvature of the model in its errors, the Hessian does not.
    np.testing.assert_allclose(table[:, 3], np.sqrt(np.diag(covariance)), rtol=0.1)
    assert np.all(np.abs(table[:, 1] - example.TRUE) < 4.0 * table[:, 3])
