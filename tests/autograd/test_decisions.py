"""Each comparison that chose a branch is reported, with line, operands, outcome and margin."""

import inspect
import math

import pytest

from autograd import Decision, Value, decisions, grad, inf, maximum, nan, where


def payoff(spot, strike):
    if spot > 120.0:  # barrier
        return 0.0
    if spot > strike:  # strike
        return spot - strike
    return 0.0


def line(f, mark):
    lines, first = inspect.getsourcelines(f)
    return f"{__file__}:{next(i for i, x in enumerate(lines, first) if mark in x)}"


def test_every_comparison_smallest_margin_first():
    found = decisions(payoff, 108.0, 105.0)
    assert list(found) == [
        Decision(line(payoff, "# strike"), ">", 108.0, 105.0, True, 1, 1),
        Decision(line(payoff, "# barrier"), ">", 108.0, 120.0, False, 1, 0),
    ]
    assert [d.margin for d in found] == [3.0, 12.0]
    assert [d.share for d in found] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("f", "op", "left", "right", "outcome"),
    [
        (lambda x: x < 3.0, "<", 2.0, 3.0, True),
        (lambda x: x <= 2, "<=", 2.0, 2.0, True),
        (lambda x: x > 3.0, ">", 2.0, 3.0, False),
        (lambda x: x >= 3.0, ">=", 2.0, 3.0, False),
        (lambda x: x == 2.0, "==", 2.0, 2.0, True),
        (lambda x: x != 3.0, "!=", 2.0, 3.0, True),
        (lambda x: 3.0 < x, ">", 2.0, 3.0, False),  # noqa: SIM300 - reflected
        (lambda x: not x, "bool", 2.0, 0.0, True),
        (lambda x: Value(1.0) < 5.0, "<", 1.0, 5.0, True),
    ],
)
def test_each_operator(f, op, left, right, outcome):
    (found,) = decisions(f, 2.0)
    assert (found.op, found.left, found.right, found.outcome) == (op, left, right, outcome)
    assert found.margin == abs(left - right)


@pytest.mark.parametrize(
    ("x", "y", "margin"),
    [(inf, inf, 0.0), (inf, 1.0, inf), (-inf, inf, inf), (1e308, -1e308, inf), (0.0, -0.0, 0.0)],
)
def test_margins_at_the_edge(x, y, margin):
    (found,) = decisions(lambda x, y: x < y, x, y)
    assert found.margin == margin


def test_nan_has_no_margin_and_comes_last():
    found = decisions(lambda x, y: (x < y, y < 10.0), nan, 1.0)
    assert [d.op for d in found] == ["<", "<"]
    assert math.isnan(found[1].margin)
    assert "nan" in str(found)


def test_nested_arguments_and_inner_derivatives():
    def f(p, scale, *, key):
        inner = grad(lambda x: x * x if x > 1.0 else x)(p["x"][0])
        return inner if p["y"] < scale else key

    found = decisions(f, {"x": [3.0], "y": Value(1.0)}, 4, key="k")
    assert [(d.left, d.right) for d in found] == [(3.0, 1.0), (1.0, 4.0)]


def test_a_loop_is_grouped_by_line_when_it_is_long():
    def halve(x):
        while x > 1.0:
            x = 0.5 * x
        return x

    short = str(decisions(halve, 100.0)).splitlines()
    assert len(short) == 1 + 8
    found = decisions(halve, 1e9)
    assert len(found) == 31
    table = str(found).splitlines()
    assert len(table) == 2
    assert table[0].split() == ["margin", "comparison", "outcome", "line"]
    assert table[1].endswith("(nearest of 31: 30 True, 1 False)")
    assert found[0].left == pytest.approx(1e9 / 2**30)


def test_no_decisions():
    found = decisions(lambda x: where(x, maximum(x, 1.0), 2.0), 2.0)
    assert len(found) == 0
    assert str(found) == "no comparison chose a branch"
    assert repr(found) == "<no decisions>"


def test_the_report_is_a_sequence():
    found = decisions(payoff, 108.0, 105.0)
    assert list(found[1:]) == [found[1]]
    assert repr(found) == "<2 decisions, the smallest margin 3>"
    assert str(found[0]) == f"3  108 > 105  True  {found[0].where}"


def test_nothing_is_left_behind_when_the_function_raises():
    with pytest.raises(ZeroDivisionError):
        decisions(lambda x: 1 // 0 if x > 0.0 else x, 1.0)
    assert len(decisions(lambda x: x > 0.0, 1.0)) == 1
    with pytest.raises(TypeError, match="must be a function"):
        decisions(3.0)
