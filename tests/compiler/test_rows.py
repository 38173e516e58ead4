"""Rows: each goes to its own path, whatever is left of the others."""

import math
import warnings

import numpy as np
import pytest

import autograd
from autograd.compiler import compile


def f(x):
    if x > 1.9:
        return x * 3.0
    return x + 1.0


@pytest.mark.parametrize("first", [-1.0, 2.0])
def test_few_rows_of_many_take_another_path(first):
    """Those left are fewer blocks than there are."""
    x = np.linspace(-2.0, 2.0, 20_001)
    x[0] = first
    assert np.array_equal(compile(f, in_axes=0)(x), np.where(x > 1.9, x * 3.0, x + 1.0))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 103, 1007, 4095, 4097])
def test_rows_without_code_are_added_up_as_code_does(count):
    def f(w, x):
        return autograd.exp(-x) * w if x > 0.0 else autograd.sin(x) - w * x

    x = np.random.default_rng(count).normal(size=count)
    want = compile(f, in_axes=(None, 0), reduce="sum").value_and_grad(0.3, x)
    for first in (1.0, -1.0):
        kernel = compile(f, in_axes=(None, 0), reduce="sum", max_paths=1)
        kernel.value_and_grad(0.3, np.array([first]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            assert kernel.value_and_grad(0.3, x) == want


@pytest.mark.parametrize("max_paths", [1, 8])
def test_sums_that_overflow_or_cancel_infinities_do_not_make_numpy_warn(max_paths):
    def f(x):
        return x * 1e300 if x > 0.0 else x * 1e300 * 1e300

    kernel = compile(f, in_axes=0, reduce="sum", max_paths=max_paths)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*max_paths")
        assert np.isnan(kernel(np.array([1e10, -1.0] * 20)))
        assert kernel(np.array([1.5e8, 1.5e8, 1.0] * 20)) == math.inf
