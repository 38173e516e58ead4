"""Schedules at their ends and in between."""

import math

import pytest

import nn


def test_linear_reaches_both_ends():
    rate = nn.Linear(1.0, 0.1, 100)
    assert [rate(k) for k in (0, 50, 100, 10**6)] == [1.0, pytest.approx(0.55), 0.1, 0.1]
    assert [rate(k) for k in range(100)] == pytest.approx([1.0 - 0.9 * k / 100 for k in range(100)])


def test_cosine_is_half_a_wave():
    rate = nn.Cosine(2.0, 1.0, 12)
    assert [rate(k) for k in (0, 4, 6, 8, 12, 13)] == pytest.approx(
        [2.0, 1.75, 1.5, 1.25, 1.0, 1.0]
    )


def test_exponential_multiplies_after_every_so_many():
    assert [nn.Exponential(8.0, 0.5)(k) for k in range(4)] == [8.0, 4.0, 2.0, 1.0]
    assert [nn.Exponential(8.0, 0.5, every=2)(k) for k in range(5)] == [8.0, 8.0, 4.0, 4.0, 2.0]


def test_warmup_grows_and_then_follows():
    rate = nn.Warmup(4, nn.Exponential(8.0, 0.5, every=4))
    assert [rate(k) for k in range(6)] == [2.0, 4.0, 6.0, 8.0, 4.0, 4.0]
    assert [nn.Warmup(2, 0.3)(k) for k in range(3)] == [0.15, 0.3, 0.3]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(1.0, 0.0, 0),
        lambda: nn.Cosine(1.0, 0.0, -1),
        lambda: nn.Exponential(1.0, 0.5, every=0),
        lambda: nn.Warmup(0, 0.1),
    ],
)
def test_a_schedule_of_no_steps_is_refused(make):
    with pytest.raises(ValueError, match="must be at least 1"):
        make()


def test_rates_stay_finite():
    for rate in (nn.Linear(1.0, 0.0, 3), nn.Cosine(1.0, 0.0, 3), nn.Exponential(1.0, 0.5)):
        assert math.isfinite(rate(10**9))
