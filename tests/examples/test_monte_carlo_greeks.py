"""The Monte Carlo Greeks against Black and Scholes (one step) and against themselves."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import monte_carlo_greeks as example

import autograd


def european(spot, rate, volatility):
    width = volatility * example.YEARS**0.5
    d = (autograd.log(spot / example.STRIKE) + rate * example.YEARS) / width
    normal = [0.5 * autograd.erfc(-(d + sign * 0.5 * width) / 2.0**0.5) for sign in (1.0, -1.0)]
    return spot * normal[0] - example.STRIKE * autograd.exp(-rate * example.YEARS) * normal[1]


def test_one_step_is_a_european_option():
    means, errors = example.simulate(200_000, steps=1)
    value, greeks = autograd.value_and_grad(european, argnums=(0, 1, 2))(*example.MARKET)
    assert np.all(np.abs(means - [value, *greeks]) < 4.0 * errors)
    assert np.all(errors < [0.05, 0.005, 0.3, 0.3])


def test_the_number_of_threads_changes_nothing():
    one, two = (example.simulate(20_000, threads=n)[0] for n in (1, 2))
    assert np.array_equal(one, two)


def test_printed_numbers(run):
    lines = run(example, "--paths", "30000").splitlines()
    means, _ = example.simulate(30_000)
    printed = [float(line.split("+-")[0].split()[-1]) for line in lines[:4]]
    np.testing.assert_allclose(printed, means, atol=1e-5)
    assert 0.0 < means[0] < means[1] * 100.0
