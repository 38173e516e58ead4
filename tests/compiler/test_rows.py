"""Rows: each goes to its own path, whatever is left of the others."""

import numpy as np
import pytest

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
