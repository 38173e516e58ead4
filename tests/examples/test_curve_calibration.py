"""The calibrated curve against the one the prices were made from."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import curve_calibration as example

import autograd


def test_the_curve_is_found(capsys):
    example.main()
    lines = capsys.readouterr().out.splitlines()
    table = np.array([line.split()[1:] for line in lines[1:5]], dtype=float)
    assert np.all(np.abs(table[:, 1] - example.TRUE) < 4.0 * table[:, 2])
    assert np.all(table[:3, 2] < 0.003)
    years, _, _ = example.bonds()
    assert f"{2 * len(set(np.ceil(years)))} programs" in lines[-1]


def test_prices_and_slopes_are_those_of_eager_code():
    years, coupons, _ = example.bonds(12)
    kernel = autograd.compile(example.price, in_axes=(None, 0, 0))
    value, slopes = kernel.value_and_grad(example.TRUE, years, coupons)
    eager = autograd.value_and_grad(example.price)
    for i in range(12):
        want, gradient = eager(example.TRUE, float(years[i]), float(coupons[i]))
        assert value[i] == want
        assert np.array_equal(slopes[i], gradient)
