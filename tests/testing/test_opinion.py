"""Differences contradict a gradient only where short steps confirm them."""

import math

import pytest

from autograd.testing._differences import derivative
from autograd.testing._opinion import believable

RIGHT_BUT_CONTRADICTED = [
    ("a cosine, by steps longer than its period", math.cos, 1e8, -math.sin(1e8)),
    ("a stair, from afar", math.floor, 700.0, 0.0),
    ("a stair, between its edges", math.floor, 1e8 + 0.5, 0.0),
    ("a fraction at its jump", lambda x: x % 1.0, 1e8, 1.0),
    ("where floats are far apart", math.sin, 1e150, math.cos(1e150)),
    ("a value that has underflowed", lambda x: x * x, 1e-300, 2e-300),
    ("a summand that was swallowed", lambda x: math.log(1.0 + x), 1e-30, 1.0),
    ("a square that was swallowed", lambda x: 1.0 - (1.0 - x * x), 1e-9, 2e-9),
    ("a steep pole", math.lgamma, 1e-300, -1e300),
    ("a slope beyond the range", lambda x: 1.0 / x, 1e-300, -math.inf),
]

CONTRADICTED = [
    ("a slope", math.exp, 1.0, 2.7),
    ("a small error", math.exp, 1.0, math.e * (1 + 1e-8)),
    ("a sign of a small number", lambda x: -math.log1p(math.exp(-x)), 30.0, -math.exp(-30.0)),
    ("a slope where there is none", lambda x: 3.0, 1.0, 1e-3),
    ("a slope at 0", math.sin, 0.0, 0.0),
    ("a summand near 1", lambda x: math.log(1.0 + x), 0.0, 0.0),
    ("a value that cancels", lambda x: math.lgamma(x) - math.lgamma(1.0 + x), 1.0, 0.0),
    ("a kink, far from both slopes", abs, 0.0, 2.0),
    ("nan at a kink", abs, 0.0, math.nan),
    ("nan where it is flat", lambda x: 1.0, 0.0, math.nan),
    ("inf where it is not steep", math.exp, 1.0, math.inf),
]


@pytest.mark.parametrize(
    ("f", "x", "right"), [case[1:] for case in RIGHT_BUT_CONTRADICTED], ids=lambda x: ""
)
def test_what_long_steps_say_is_not_believed(f, x, right):
    found = derivative(f, x)
    assert not believable(f, x, right, found.value, found.error)


@pytest.mark.parametrize(("f", "x", "wrong"), [case[1:] for case in CONTRADICTED], ids=lambda x: "")
def test_what_short_steps_confirm_is_believed(f, x, wrong):
    found = derivative(f, x)
    assert believable(f, x, wrong, found.value, found.error)
