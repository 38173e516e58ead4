"""gradients_hold, check_module and the pytest fixture."""

import importlib.metadata
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
