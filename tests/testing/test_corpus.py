"""Every bug of the corpus is caught, no false alarm is repeated, and docs/bugs.md says so.

`UPDATE_BUGS=1 pytest tests/testing/test_corpus.py` writes the page anew.
"""

import os
from pathlib import Path

import pytest
from corpus import ALARMS, BUGS

from autograd.testing import GradientMismatch, check_gradients, check_numpy

SINC_POINTS = next(bug.caught for bug in BUGS if bug.source == "jax-ml/jax#40629")
PAGE = Path(__file__).parents[2] / "docs" / "bugs.md"


def short(case):
    return case.source


def test_there_are_enough():
    assert len(BUGS) >= 30
    sources = [case.source for case in (*BUGS, *ALARMS)]
    assert len(set(sources)) == len(sources)


@pytest.mark.parametrize("bug", BUGS, ids=short)
def test_a_bug_is_caught(bug):
    for point in bug.caught:
        with pytest.raises(GradientMismatch) as caught:
            check_gradients(bug.f, *point, gradient=bug.wrong, order=1)
        report = caught.value.report
        assert report.what.startswith("derivative from"), str(report)
        assert "definitions" in report.method, "an exact verdict"


@pytest.mark.parametrize("bug", BUGS, ids=short)
def test_the_mended_gradient_passes(bug):
    for point in (*bug.caught, *bug.unseen):
        found = check_gradients(bug.f, *point, gradient=bug.right, order=1)
        assert found.right > 0


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.unseen], ids=short)
def test_elsewhere_the_wrong_gradient_is_right(bug):
    for point in bug.unseen:
        check_gradients(bug.f, *point, gradient=bug.wrong, order=1)


@pytest.mark.parametrize("alarm", ALARMS, ids=short)
def test_no_false_alarm(alarm):
    for point in alarm.points:
        for right in alarm.right:
            found = check_gradients(alarm.f, *point, gradient=right, order=1)
            assert found.right > 0


# ------------------------------------------------------- by differences, as for other libraries

# Below what differences see: slopes of 1e-8 beside values of 1, digits that a formula has lost.
TOO_SMALL = {("casadi/casadi#2585", (1e-8,)), *(("jax-ml/jax#40629", p) for p in SINC_POINTS)}


def floats_only(f):
    """Return `f` as a library has it that knows nothing of Values."""

    def function(*xs):
        if not all(type(x) is float for x in xs):
            raise TypeError("floats only")
        return float(f(*xs))

    return function


def gradient_of(df, point):
    return (lambda x: df(x)) if len(point) == 1 else (lambda *xs: tuple(df(*xs)))


@pytest.mark.parametrize("bug", BUGS, ids=short)
def test_differences_catch_it_too(bug):
    for point in bug.caught:
        if (bug.source, point) not in TOO_SMALL:
            with pytest.raises(GradientMismatch, match="differences"):
                check_numpy(floats_only(bug.f), gradient_of(bug.wrong, point), *point)
    for point in (*bug.caught, *bug.unseen):
        check_numpy(floats_only(bug.f), gradient_of(bug.right, point), *point)


@pytest.mark.parametrize("alarm", ALARMS, ids=short)
def test_differences_raise_no_false_alarm_either(alarm):
    for point in alarm.points:
        for right in alarm.right:
            check_numpy(floats_only(alarm.f), gradient_of(right, point), *point)


def page():
    """Return docs/bugs.md as the corpus has it."""

    def link(source):
        project, number = source.split("#")
        return f"[{source}](https://github.com/{project}/issues/{number})"

    lines = [
        "# Gradients that were wrong",
        "",
        "Bugs of public projects, each re-created in a few lines of our own in",
        "`tests/testing/corpus.py`; many are mended by now, some for years. `check_gradients`",
        f"catches all {len(BUGS)} at the points where they show, by an exact reference, and raises",
        f"none of the {len(ALARMS)} false alarms below: `tests/testing/test_corpus.py` says so,",
        "and holds this page against the list. For gradients of yours: [checking.md](checking.md).",
        "Functions that cannot be recorded, as PyTorch's, are held against differences: those too",
        f"catch {len(BUGS) - 1} of them, where they do not hide below what differences see.",
        "",
        "| reported as | what was wrong | shows at |",
        "|---|---|---|",
    ]
    for bug in BUGS:
        points = ", ".join(
            repr(p[0]) if len(p) == 1 else "(" + ", ".join(map(repr, p)) + ")" for p in bug.caught
        )
        lines.append(f"| {link(bug.source)} | {bug.what} | {points} |")
    lines += [
        "",
        "## Gradients that were right",
        "",
        "| reported as | what was said |",
        "|---|---|",
        *(f"| {link(alarm.source)} | {alarm.what} |" for alarm in ALARMS),
        "",
        "## What they have in common",
        "",
        "Most show at one point only: at 0, at 1, at a tie, where a factor or a parameter is 0 or",
        "1. Random points never meet it, and tests that start from ones or zeros stand exactly",
        "where the wrong number is right. So check at both: a few points that you choose, and many",
        "that you do not (`--random`, or `gradients_hold`, which draws hard numbers too).",
        "",
    ]
    return "\n".join(lines)


def test_the_page_is_up_to_date():
    if os.environ.get("UPDATE_BUGS"):
        PAGE.write_text(page(), "utf-8")
    assert PAGE.read_text("utf-8") == page()
