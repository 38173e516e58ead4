"""Ties: what is said of comparisons of equal numbers, by the branches on their sides."""

import pytest

import autograd as ag
from autograd.testing import GradientMismatch, check_gradients


def product(p):
    """Return the product, with a short cut that loses a derivative."""
    out = 1.0
    for q in p:
        out = out * q
        if q == 0:
            break
    return out


def square_but_at_one(x):
    return 1.0 if x == 1 else x**2


SINGLE_POINTS = {
    "a constant": (square_but_at_one, (1.0,), "x", 2.0),
    "a power": (lambda x: x**0 if x == 1 else x**2, (1.0,), "x", 2.0),
    "a break": (product, ([2.0, 0.0, 3.0],), "p[1]", 6.0),
    "truth": (lambda x: 3.0 * x if x else 0.0, (0.0,), "x", 3.0),
    "membership": (lambda x: 1.0 if x in (1.0, 2.0) else x * x, (1.0,), "x", 2.0),
    "a method": (lambda x, y: y.exp() if x == 1 else x * y.exp(), (1.0, 0.0), "x", 1.0),
    "a power of zero": (lambda x: 0.0 if x**3 == 0 else 3.0 * x, (0.0,), "x", 3.0),
    "both": (lambda x: x if x <= 1 and x >= 1 else 3.0 * x - 2.0, (1.0,), "x", 3.0),
}


@pytest.mark.parametrize("name", SINGLE_POINTS)
def test_a_branch_taken_on_a_single_point_is_a_mismatch(name):
    f, args, argument, true = SINGLE_POINTS[name]
    with pytest.raises(GradientMismatch, match="a branch taken on a single point") as caught:
        check_gradients(f, *args)
    report = caught.value.report
    assert report.argument == argument
    assert report.reference == pytest.approx(true, rel=1e-12)
    assert report.ties
    assert all("test_ties.py:" in line for _, line in report.ties)
    assert "comparisons of equal numbers:" in str(report)


RIGHT = {
    "the same formula": lambda x: x * x if x == 1 else x**2,
    "a tangent": lambda x: 1.0 + 2.0 * (x - 1.0) if x == 1 else x**2,
    "a removed singularity": lambda x: (
        1.0 - (x - 1.0) ** 2 / 6 if x == 1 else ag.sin(x - 1.0) / (x - 1.0)
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_where_the_sides_agree_with_the_branch_it_is_right(name):
    found = check_gradients(RIGHT[name], 1.0)
    assert found.right > 2
    assert found.ties[0][0] == "1.0 == 1.0"


def test_the_second_derivative_of_a_single_point_is_not_called_right():
    found = check_gradients(RIGHT["a tangent"], 1.0)
    assert found.undecided_by == {"tie": 4}


KINKS = {
    "relu": (lambda x: x if x > 0 else 0.0 * x, (0.0,)),
    "abs": (lambda x: x if x >= 0 else -x, (0.0,)),
    "max": (lambda x, y, z: max(x, y, z) ** 2, (2.0, 2.0, 2.0)),
    "clamp": (lambda x: min(max(x, 0.0), 1.0), (1.0,)),
    "sorted": (lambda x, y: sorted([x, y])[0] * 3.0, (1.0, 1.0)),
}


@pytest.mark.parametrize("name", KINKS)
def test_where_the_sides_differ_it_is_a_kink_and_undecided(name):
    f, args = KINKS[name]
    found = check_gradients(f, *args)
    assert set(found.undecided_by) == {"tie"}
    assert found.ties
    assert found.kinks[0][1] == 0.0
    assert "test_ties.py" in found.kinks[0][0]


def test_a_wrong_rule_at_a_tie_is_still_found():
    from wrong import ROWS

    row = ROWS["off by 0.1 %"]
    with pytest.raises(GradientMismatch, match="wrong_scale"):
        check_gradients(lambda x: row(x) if x > 0 else 2.0 * row(x), 0.0)


def test_a_comparison_nearby_is_a_kink_and_no_tie():
    found = check_gradients(lambda x: x if x > 1.0 else 2.0 * x, 1.0 + 2.0**-20)
    assert found.undecided == 0
    assert found.ties == ()
    assert found.kinks[0][1] == 2.0**-20
    assert found.kinks[0][0].startswith("1.00000095367431")


def test_constants_may_be_equal():
    one = ag.Value(1.0)
    assert check_gradients(lambda x: x if one == 1.0 else 0.0, 1.0).ties == ()


def test_an_edge_of_the_domain_is_undecided():
    def f(x):
        if x == 0:
            return 0.0 * x
        return x * ag.Value(x).log() if x < 0 else 2.0 * x  # not to be differentiated below 0

    assert set(check_gradients(f, 0.0).undecided_by) == {"tie"}


def test_a_tie_that_one_side_shares_is_a_kink():
    found = check_gradients(lambda x: 0.0 * x if ag.relu(x) == 0 else 3.0 * x, 0.0)
    assert set(found.undecided_by) == {"tie"}


def test_ties_of_many_inputs_cost_little():
    def net(w):
        return sum(max(0.0, w[i] * 0.5 + w[i + 1]) for i in range(30))

    found = check_gradients(net, [0.0] * 31, order=1)
    assert set(found.undecided_by) == {"tie"}


def test_a_jump_is_undecided():
    found = check_gradients(lambda x: 5.0 if x == 1 else x**2, 1.0)
    assert set(found.undecided_by) == {"jump"}


# ------------------------------------------------------------------- gradients by hand


@pytest.mark.parametrize("median", [False, True])
@pytest.mark.parametrize(
    ("claimed", "right"),
    [
        ((0.0, 4.0, 0.0), True),
        ((4.0, 0.0, 0.0), True),
        ((0.0, 0.0, 4.0), True),
        ((1.0, 2.0, 1.0), True),
        ((0.0, 5.0, 0.0), False),
        ((-1.0, 4.0, 0.0), False),
    ],
)
def test_between_the_sides_of_a_tie_of_three(claimed, right, median):
    def f(x, y, z):
        return (sorted([x, y, z])[1] if median else max(x, y, z)) ** 2

    if right:
        found = check_gradients(f, 2.0, 2.0, 2.0, gradient=lambda *_: claimed)
        assert found.undecided_by["tie"] >= 1
    else:
        with pytest.raises(GradientMismatch, match="derivative from the gradient"):
            check_gradients(f, 2.0, 2.0, 2.0, gradient=lambda *_: claimed)


def test_what_is_looked_up_by_number_is_not_found_by_a_value():
    with pytest.raises(GradientMismatch, match="on plain floats the function is another one"):
        check_gradients(lambda x: {1.0: 5.0}.get(x, x * x), 1.0)
    with pytest.raises(GradientMismatch, match="asks for types"):
        check_gradients(lambda x: x * 2.0 if isinstance(x, float) else x * 3.0, 1.0)
    check_gradients(lambda x: x**2.5 + x**3, 1.1)  # the last bit may differ
