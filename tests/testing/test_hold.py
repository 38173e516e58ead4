"""gradients_hold, check_module and the pytest fixture."""

import importlib.metadata
import math
import subprocess
import sys
import types

import pytest
from hypothesis import strategies as st
from wrong import ROWS

import autograd as ag
from autograd.testing import GradientMismatch, check_module, gradients_hold

pytest_plugins = ["pytester"]


@gradients_hold(order=2, examples=60)
def test_softplus_times_hypot(x: float, y: float):
    return ag.softplus(x) * ag.hypot(x, y)


@gradients_hold(
    order=1, examples=40, n=st.integers(0, 4), w=st.lists(st.floats(-2.0, 2.0), min_size=2)
)
def test_other_arguments_get_their_own_strategies(x: float, n, w):
    return ag.tanh(x) ** n * w[0] + w[1]


def test_the_point_keeps_its_order():
    seen = []

    def f(first: float, second: float):
        seen.append((first, second))
        return first * second

    gradients_hold(examples=20, first=st.just(1.0), second=st.just(2.0))(f)()
    assert all(getattr(a, "data", a) == 1.0 for a, _ in seen)
    assert len(seen) >= 1


def test_arguments_without_a_strategy_are_refused():
    with pytest.raises(TypeError, match="'n' of f"):

        @gradients_hold()
        def f(x: float, n: int):
            return x * n

    with pytest.raises(TypeError, match="no argument 'y'"):
        gradients_hold(y=st.floats())(lambda x: x)
    with pytest.raises(TypeError, match="write @gradients_hold"):
        gradients_hold(lambda x: x)


def _area(x, y):
    return x * x * y


BOUNDED = {"x": st.floats(-3.0, 3.0), "y": st.floats(-3.0, 3.0)}


def test_a_gradient_by_hand():
    gradients_hold(gradient=lambda x, y: (2.0 * x * y, x * x), **BOUNDED)(_area)()
    wrong = gradients_hold(gradient=lambda x, y: (2.0 * x * y, 1.01 * x * x), **BOUNDED)(_area)
    with pytest.raises(GradientMismatch) as caught:
        wrong()
    assert (caught.value.report.argument, caught.value.report.analytic) == ("y", 1.01)


def test_a_gradient_by_hand_of_plain_floats():
    def wave(x, y):
        return math.exp(x) * math.sin(y)

    def right(x, y):
        return math.exp(x) * math.sin(y), math.exp(x) * math.cos(y)

    def wrong(x, y):
        return math.exp(x) * math.sin(y), math.exp(x) * math.cos(y) * (1.01 if y > 2 else 1.0)

    gradients_hold(examples=50, gradient=right, **BOUNDED)(wave)()
    with pytest.raises(GradientMismatch, match="derivative from wrong by y"):
        gradients_hold(examples=50, gradient=wrong, **BOUNDED)(wave)()


def test_a_failure_in_pytest_shows_none_of_our_lines(pytester):
    pytester.makepyfile(
        test_wrong="""
        import math
        import autograd as ag
        from autograd.testing import check_gradients, check_primitive, gradients_hold

        def test_plain():
            check_gradients(lambda x: ag.sin(x), 0.3, gradient=lambda x: 0.9)

        @gradients_hold(examples=20, gradient=lambda x: 0.9)
        def test_property(x: float):
            return ag.sin(x)

        def test_chance():
            import random
            check_gradients(lambda x: x * random.random(), 0.3)

        def test_arity():
            check_gradients(lambda x: x * 2.0, 0.3, gradient=lambda x: (1.0, 2.0))

        def test_row():
            check_primitive(
                ag.Primitive("mine", math.sin, (lambda out, x: x,), domain=((-3.0, 3.0),))
            )
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=5)
    text = result.stdout.str()
    assert "test_wrong.py:6: GradientMismatch" in text
    assert "derivative from the gradient by x is wrong" in text
    assert "Failing test case" in text
    for ours in (
        "_check.py",
        "_hold.py",
        "_failure.py",
        "_primitive.py",
        "_claims.py",
        "_agreement.py",
        "mismatch.with_traceback",
    ):
        assert ours not in text


def test_missing_libraries_are_named_with_the_extra():
    code = (
        "import sys; sys.modules['hypothesis'] = sys.modules['mpmath'] = None\n"
        "from autograd.testing import check_gradients, gradients_hold\n"
        "for call in (lambda: check_gradients(lambda x: x * x, 1.0),\n"
        "             lambda: gradients_hold()(lambda x: x),\n"
        "             lambda: __import__('autograd.testing.strategies')):\n"
        "    try:\n"
        "        call()\n"
        "    except ImportError as reason:\n"
        "        assert 'scalar-autograd[testing]' in str(reason), reason\n"
        "    else:\n"
        "        raise SystemExit('nothing was missing')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def _module(**functions):
    module = types.ModuleType("formulas")
    for name, f in functions.items():
        f.__module__ = "formulas"
        setattr(module, name, f)
    return module


def _right(x: float, y: float):
    return ag.sin(x) * y


def _wrong(x: float):
    return ROWS["off by 0.1 %"](x)


def _other(x, n: int):
    return x * n


def test_a_module():
    assert check_module(_module(right=_right, other=_other), examples=20) == ["right"]
    with pytest.raises(GradientMismatch, match="wrong_scale"):
        check_module(_module(right=_right, wrong=_wrong), examples=20)
    with pytest.raises(ValueError, match="no public function"):
        check_module(_module(other=_other))


def test_the_fixture(pytester):
    pytester.makepyfile(
        formulas="""
        import autograd as ag

        def area(r: float, h: float):
            return 2.0 * ag.pi * r * (r + h)
        """,
        test_formulas="""
        import formulas

        def test_gradients(right_gradients):
            assert right_gradients(formulas, examples=10) == ["area"]
        """,
    )
    installed = {p.name for p in importlib.metadata.entry_points(group="pytest11")}
    plugin = [] if "scalar-autograd" in installed else ["-p", "autograd.testing.plugin"]
    result = pytester.runpytest_subprocess(*plugin, "-W", "error")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("module", ["autograd.testing", "autograd.testing.plugin"])
def test_importing_pulls_in_neither_hypothesis_nor_mpmath(module):
    """A pytest run somewhere else must not pay for, or fail by, a plugin it does not use."""
    code = (
        f"import sys; sys.modules['hypothesis'] = sys.modules['mpmath'] = None; import {module}; "
        "import autograd.testing"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
