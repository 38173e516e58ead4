"""No false alarm: correct gradients of random expressions, at hard points, are never rejected."""

import collections
import random
import sys

import pytest
from hypothesis import Phase, given, settings

import autograd as ag
from autograd.testing import GradientMismatch, check_gradients
from autograd.testing._expression import random_expression
from autograd.testing.strategies import graphs


def check_many(count, seed, order=2):
    """Return how many expressions and numbers were right or undecided, and the false alarms."""
    rng = random.Random(seed)
    seen, undecided = collections.Counter(), collections.Counter()
    alarms = []
    for _ in range(count):
        size = rng.choice([1, 2, 3, 6, 12, 24])
        e = random_expression(rng, rng.choice([1, 2, 2, 3]), size)
        seen["expressions"] += 1
        seen["operations"] += len(e)
        try:
            found = check_gradients(e, *e.point, order=order)
        except GradientMismatch as mismatch:
            # The one known limit met here (docs/architecture.md): `direction` of a denormal number.
            denormal = abs(mismatch.report.reference) < sys.float_info.min
            if denormal and "direction" in mismatch.report.culprit:
                seen["denormal directions"] += 1
            else:
                alarms.append(str(mismatch))
            continue
        seen["numbers right"] += found.right
        seen["numbers undecided"] += found.undecided
        undecided.update(found.undecided_by)
        seen["expressions with anything decided"] += found.right > 0
    print(dict(seen), "undecided by reason:", dict(undecided))
    return seen, alarms


def test_two_thousand_expressions():
    seen, alarms = check_many(2_000, seed=1)
    assert alarms == []
    assert seen["expressions with anything decided"] > 0.98 * seen["expressions"]
    assert seen["numbers undecided"] < 0.05 * seen["numbers right"]


def test_two_hundred_expressions_to_third_order():
    seen, alarms = check_many(200, seed=3, order=3)
    assert alarms == []
    assert seen["numbers undecided"] < 0.05 * seen["numbers right"]


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_thousand_expressions(seed):
    seen, alarms = check_many(10_000, seed)
    assert alarms == []
    assert seen["numbers undecided"] < 0.05 * seen["numbers right"]


@settings(max_examples=150)
@given(graphs(max_size=12))
def test_expressions_of_hypothesis(e):
    check_gradients(e, *e.point)


def test_a_wrong_rule_shrinks_to_the_smallest_expression_that_shows_it():
    from wrong import ROWS

    row = ROWS["off by 0.1 %"]

    @settings(max_examples=100, phases=[Phase.generate, Phase.shrink])
    @given(graphs(primitives=[ag.mul, ag.exp, ag.add, ag.tanh, row], max_size=6))
    def holds(e):
        check_gradients(e, *e.point)

    with pytest.raises(GradientMismatch) as caught:
        holds()
    assert len(caught.value.report.chain) <= 2
