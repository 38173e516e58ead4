"""Every planted trap is named by its line, and clean programs give no finding."""

import functools
import inspect
from pathlib import Path

import clean_programs
import pytest
import trap_programs

import autograd
from autograd import Averaged, Value, lint, maximum
from autograd._findings import KINDS

LINES = Path(trap_programs.__file__).read_text("utf-8").splitlines()


def trap_line(f):
    """Return "file:line" of the line of `f` that ends in `# trap`."""
    f = f.f if isinstance(f, Averaged) else f
    lines, first = inspect.getsourcelines(f)
    return (
        f"{trap_programs.__file__}:{next(i for i, x in enumerate(lines, first) if '# trap' in x)}"
    )


@pytest.mark.parametrize(
    "trap", trap_programs.TRAPS, ids=lambda t: f"{t[0]}-{getattr(t[1], 'f', t[1]).__name__}"
)
def test_traps(trap):
    kind, f, *args = trap
    assert {(x.kind, x.where) for x in lint(f, *args)} == {(kind, trap_line(f))}


def test_there_is_a_trap_of_each_kind():
    assert {kind for kind, *_ in trap_programs.TRAPS} == set(KINDS)


@pytest.mark.parametrize("name", clean_programs.PROGRAMS)
def test_clean_programs(name):
    f, *args = clean_programs.PROGRAMS[name]
    assert str(lint(f, *args)) == "nothing found"


def test_a_finding_says_what_is_wrong_with_numbers_and_what_to_do():
    (finding,) = lint(trap_programs.digital, 104.0, 0.0)
    assert finding.what.startswith("a branch on argument 0 makes the value jump from 1 to 0")
    assert "sigmoid" in finding.way_out
    assert str(finding).startswith(f"{finding.where}: [jump] a branch")


def test_the_same_findings_every_time():
    args = 100.0, trap_programs.NORMALS
    f = Averaged(trap_programs.knock_in_by_where, (None, 0))
    assert str(lint(f, *args)) == str(lint(f, *args))


def test_it_leaves_nothing_behind():
    weights = [Value(0.5), 0.25]
    outside = Value(2.0)

    def f(x):
        return weights[0] * x + weights[1] + outside.data * x

    kinds = [x.kind for x in lint(f, 2.0)]
    assert kinds == ["unseen-weight", "unseen-weight"]
    assert weights[1] == 0.25
    assert (outside.data, outside.grad, weights[0].grad) == (2.0, 0.0, 0.0)


def test_it_is_bounded():
    calls = []

    def f(x):
        calls.append(x)
        total = 0.0
        for k in range(300):
            total = total + maximum(x - 0.01 * k, 0.0) ** 2
            if x > 0.02 * k:
                total = total + x
        return total

    lint(f, 1.234567)
    assert len(calls) < 100

    calls.clear()
    tail = [1.0] * 200_000

    def long(x):
        calls.append(x)
        total = x * x
        for y in tail:
            total = total + y
        for k in range(10):
            if x > 0.1 * k + 0.05:
                total = total + x
        return total

    lint(long, 0.4)
    assert len(calls) < 20


def test_a_step_far_away_is_not_of_this_point():
    def f(x):
        return x * x + (0.0 if x < 1e6 else 1e10)

    assert not lint(f, 2.0)
    assert lint(f, 0.8e6)


def test_a_step_that_an_iteration_leaves_is_none():
    def f(x, step):
        return 1.0 + 0.0 * x + (0.0 if x < 2.5 else step)

    assert not lint(functools.partial(f, step=1e-5), 2.3)
    assert lint(functools.partial(f, step=1e-2), 2.3)


def test_the_shortest_way_is_relative_to_the_inputs():
    def f(big, small):
        return small + (2.0 if big + small > 1e6 + 4.0 else 1.0)

    (finding,) = lint(f, 1e6, 1e-3)
    assert finding.kind == "jump"


def test_keyword_arguments_are_passed_through():
    def f(x, *, in_axes, reduce):
        return x * in_axes + reduce

    assert not lint(f, 2.0, in_axes=2.0, reduce=3.0)


def test_what_it_refuses():
    with pytest.raises(TypeError, match="must be a function"):
        lint(3.0)
    with pytest.raises(TypeError, match="holds no number"):
        lint(lambda x: None, 1.0)
    with pytest.raises(ZeroDivisionError):
        lint(lambda x: 1 // 0, 1.0)
    with pytest.raises(ValueError, match="in_axes has 1 entries, the call 2"):
        lint(Averaged(lambda x, y: x, (0,)), 1.0, [1.0])
    with pytest.raises(ValueError, match="at least one"):
        lint(Averaged(lambda x, y: x, None), 1.0, 2.0)
    with pytest.raises(ValueError, match=r"arguments with \[1, 2\] rows"):
        lint(Averaged(lambda s, x, y: s, (None, 0, 0)), 1.0, [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="no rows"):
        lint(Averaged(lambda s, x: s, (None, 0)), 1.0, [])


def test_rows_in_arrays_tuples_and_dicts():
    numpy = pytest.importorskip("numpy")

    def f(s, row):
        end = s * row["z"][0]
        return end * end if end > 1.0 else 0.0 * s

    rows = {"z": (numpy.linspace(0.5, 1.5, 40),)}
    (finding,) = lint(Averaged(f, (None, 0)), 1.0, rows)
    assert finding.kind == "jump-under-mean"


def test_the_report_is_a_sequence():
    found = lint(trap_programs.digital, 104.0, 0.0)
    assert len(found) == 1
    assert list(found[:1]) == [found[0]]
    assert repr(found) == "<1 findings: jump>"
    assert repr(lint(lambda x: x, 1.0)) == "<0 findings: none>"
    assert isinstance(found[0], autograd.Finding)
