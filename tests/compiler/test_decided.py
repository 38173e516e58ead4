"""Kernels say which branches their last call took, with the lines of the source."""

import copy
import inspect
import pickle
import random

import numpy as np
import pytest

import autograd as ag
from autograd import Decision
from autograd.compiler.passes import simplify
from autograd.compiler.program import COMPARISONS


def payoff(spot, strike):
    if spot > 120.0:  # barrier
        return 0.0 * spot
    if spot > strike:  # strike
        return spot - strike
    return 0.0 * spot


def line(f, mark):
    lines, first = inspect.getsourcelines(f)
    return f"{__file__}:{next(i for i, x in enumerate(lines, first) if mark in x)}"


BARRIER, STRIKE = line(payoff, "# barrier"), line(payoff, "# strike")


def test_at_one_point_as_without_compiling():
    kernel = ag.compile(payoff)
    for spot in (110.0, 130.0, 95.0, 111.0, 119.0, 121.0):
        kernel(spot, 100.0)
        assert list(kernel.decisions) == list(ag.decisions(payoff, spot, 100.0))


def test_each_mode_and_the_quick_way():
    kernel = ag.compile(lambda v: v[0] * v[0] if v[0] > v[1] else v[1])
    for i in range(8):
        v = np.array([1.0 + i, 3.5])
        kernel.value_and_grad(v)
        (found,) = kernel.decisions
        assert (found.left, found.right, found.outcome) == (1.0 + i, 3.5, i >= 3)
    kernel.hessian(np.array([0.0, 1.0]))
    assert kernel.decisions[0].margin == 1.0


def test_rows_of_all_paths():
    kernel = ag.compile(payoff, in_axes=(0, None))
    spots = np.array([80.0, 99.0, 103.0, 115.0, 118.0, 125.0])
    for _ in range(3):
        kernel(spots, 100.0)
        assert list(kernel.decisions) == [
            Decision(STRIKE, ">", 99.0, 100.0, False, 5, 3),
            Decision(BARRIER, ">", 118.0, 120.0, False, 6, 1),
        ]
    assert [d.share for d in kernel.decisions] == [0.6, 1 / 6]
    assert "False (60 % of 5 rows are True)" in str(kernel.decisions)
    kernel(np.array([130.0]), 100.0)
    assert list(kernel.decisions) == [Decision(BARRIER, ">", 130.0, 120.0, True, 1, 1)]


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_rows_that_are_added_up(reduce):
    kernel = ag.compile(payoff, wrt=1, in_axes=(0, None), reduce=reduce)
    spots = np.linspace(80.0, 140.0, 70_001)  # more than are looked at together
    kernel.value_and_grad(spots, 100.0005)
    strike, barrier = kernel.decisions
    assert (barrier.where, barrier.rows, barrier.yes) == (BARRIER, 70_001, int((spots > 120).sum()))
    assert strike.where == STRIKE
    assert strike.yes == int(((spots > 100.0005) & (spots <= 120)).sum())
    assert strike.margin == min(abs(spots[spots <= 120.0] - 100.0005))


def test_a_loop_has_an_entry_for_each_turn():
    def halve(x):
        while x > 1.0:  # loop
            x = 0.5 * x
        return x

    kernel = ag.compile(halve, in_axes=0)
    kernel(np.array([3.0, 9.0, 0.5]))
    where = line(halve, "# loop")
    assert {(d.where, d.left, d.rows, d.yes) for d in kernel.decisions} == {
        (where, 0.5, 3, 2),
        (where, 1.5, 2, 2),
        (where, 0.75, 2, 1),
        (where, 1.125, 1, 1),
        (where, 0.5625, 1, 0),
    }


def test_captured_values_infinities_and_nan():
    limit = ag.Value(2.0)
    kernel = ag.compile(lambda x: x * x if x < limit else x)
    kernel(1.5)
    assert kernel.decisions[0].right == 2.0
    limit.data = 5.0
    kernel(4.0)
    assert (kernel.decisions[0].left, kernel.decisions[0].right) == (4.0, 5.0)
    rows = ag.compile(lambda x: x * x if x < 1.0 else x, in_axes=0)
    rows(np.array([np.inf, np.nan, 4.0]))
    (found,) = rows.decisions
    assert (found.left, found.margin, found.rows, found.yes) == (4.0, 3.0, 3, 0)


def test_a_batch_without_branches():
    kernel = ag.compile(lambda w, x: (w * x) ** 2, in_axes=(None, 0), reduce="sum")
    x = np.ones((8,))
    for _ in range(4):
        kernel.value_and_grad(np.array(1.0), x)
        assert len(kernel.decisions) == 0


def test_where_no_code_can_be_generated():
    own = ag.custom_partials(lambda out, x: 2.0, name="twice")(lambda x: 2.0 * x)

    def f(x):
        return own(x) if x > 1.0 else x

    kernel, rows = ag.compile(f), ag.compile(f, in_axes=0)
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        [kernel(3.0) for _ in range(2)]
    assert kernel.decisions[0].margin == 2.0
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        rows(np.array([0.5, 3.0, 4.0]))
    (found,) = rows.decisions
    assert (found.left, found.margin, found.rows, found.yes) == (0.5, 0.5, 3, 2)


def test_a_loaded_kernel_knows_no_lines(tmp_path):
    kernel = ag.compile(payoff)
    kernel(110.0, 100.0)
    kernel.save(tmp_path / "k.json")
    loaded = ag.load_kernel(tmp_path / "k.json")
    loaded(111.0, 100.0)
    assert [(d.where, d.margin) for d in loaded.decisions] == [("", 9.0), ("", 11.0)]
    assert "?" in str(loaded.decisions)
    again = pickle.loads(pickle.dumps(kernel))
    again(111.0, 100.0)
    assert again.decisions[0].where == BARRIER


def test_before_the_first_call():
    kernel = ag.compile(payoff)
    with pytest.raises(ValueError, match="call it first"):
        kernel.decisions  # noqa: B018
    kernel(110.0, 100.0)
    assert len(kernel.decisions) == 2
    copy.copy(kernel)(110.0, 100.0)


def test_lines_do_not_tell_programs_apart():
    kernel = ag.compile(payoff)
    kernel(110.0, 100.0)
    program = kernel.program
    assert program.lines == (BARRIER, STRIKE)
    bare = type(program).from_json(program.to_json())
    assert bare == program
    assert bare.digest == program.digest
    assert bare.lines == ()
    assert simplify(bare).lines == ()
    assert simplify(program).lines == program.lines
    assert program.part(0).lines == program.lines


def test_equal_guards_keep_the_line_of_the_first():
    def f(x):
        a = 1.0 if x > 0.0 else 2.0  # first
        b = 1.0 if x > 0.0 else 2.0
        return a * x + b * x

    kernel = ag.compile(f)
    kernel(1.0)
    assert kernel.program.lines == (line(f, "# first"),)


def test_too_many_paths_are_told_by_the_line_where_they_part():
    def f(x, n):
        if n > -1.0:
            x = x * 2.0
        if x > 10.0:
            return x
        return x * x if n > 1.0 else x  # parts

    kernel = ag.compile(f, max_paths=1)
    kernel(1.0, 2.0)
    with pytest.warns(RuntimeWarning, match=f"first parting at {line(f, '# parts')}, and the"):
        kernel(1.0, 0.0)
    kernel(1.0, 0.0)
    assert [d.left for d in kernel.decisions] == [0.0, 0.0, 2.0]


def test_a_kernel_tells_lint_what_it_is():
    def knock_out(spot, z):
        end = spot * ag.exp(0.2 * z)
        return end * end if end < 120.0 else 0.0 * end  # barrier

    z = np.linspace(-2.0, 2.0, 50)
    (found,) = ag.lint(ag.compile(knock_out, in_axes=(None, 0), reduce="mean"), 100.0, z)
    assert (found.kind, found.where) == ("jump-under-mean", line(knock_out, "# barrier"))
    assert not ag.lint(ag.compile(knock_out), 100.0, 0.3)
    with pytest.raises(TypeError, match="does not add up its rows"):
        ag.lint(ag.compile(knock_out, in_axes=(None, 0)), 100.0, z)


def branching(draw):
    """Return a random function of two numbers with five branches."""
    steps = [
        (draw.choice(sorted(COMPARISONS)), *[draw.randrange(2 + k) for _ in range(4)])
        for k in range(5)
    ]

    def f(x, y):
        values = [x, y]
        for op, a, b, c, d in steps:
            taken = COMPARISONS[op](values[a], values[b])
            values.append(values[c] * values[d] if taken else values[c] - 0.5 * values[d])
        return values[-1] + 0.0 * x

    return f


HARD = (0.0, 1.0, -1.0, 0.5, 2.0, float("inf"), float("nan"), 1e-300)


@pytest.mark.parametrize("seed", range(8))
def test_random_functions_decide_as_without_compiling(seed):
    draw = random.Random(seed)
    f = branching(draw)
    points = [(draw.choice(HARD), draw.choice(HARD)) for _ in range(12)]
    kernel, rows = ag.compile(f), ag.compile(f, in_axes=0)
    single = []
    for point in points:
        kernel(*point)
        single += list(kernel.decisions)
        # Equal questions are one guard.
        assert set(map(repr, kernel.decisions)) == set(map(repr, ag.decisions(f, *point)))
    rows(*map(np.array, zip(*points, strict=True)))
    assert sum(d.rows for d in rows.decisions) == len(single)
    assert sum(d.yes for d in rows.decisions) == sum(d.yes for d in single)
    margins = [d.margin for d in single if d.margin >= 0.0]
    assert not margins or rows.decisions[0].margin == min(margins)
