"""gradients_hold: a function with annotated float arguments as a property test of its derivatives.

Hypothesis is imported when a test is made, not before.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from ._check import check_gradients
from ._report import Checked, GradientMismatch

_EXAMPLES: Final = 100


def _strategies(f: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a strategy for each parameter of `f`.

    Raises:
        TypeError: a parameter is neither annotated as float nor in `given`.
    """
    from .strategies import hard_floats

    parameters = inspect.signature(f).parameters
    for name in given:
        if name not in parameters:
            raise TypeError(f"gradients_hold: {f.__name__}() has no argument {name!r}")
    hints = typing.get_type_hints(f)
    found = {}
    for name in parameters:
        if name in given:
            found[name] = given[name]
        elif hints.get(name) is float:
            found[name] = hard_floats()
        else:
            raise TypeError(
                f"gradients_hold: argument {name!r} of {f.__name__}() must be annotated as float, "
                f"or given a strategy: gradients_hold({name}=...)"
            )
    if not found:
        raise TypeError(f"gradients_hold: {f.__name__}() has no arguments")
    return found


def gradients_hold(
    order: int = 2,
    *,
    examples: int = _EXAMPLES,
    gradient: Callable[..., Any] | None = None,
    **strategies: Any,
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Return a decorator that turns a function into a property test of its derivatives.

    The test takes no arguments: it draws points for the function's arguments (hard floats for
    those annotated as float, or from the strategy given by name), checks gradients there up to
    `order`, and fails with the `GradientMismatch` of the simplest point it can find. A failing
    point is not reported where the function itself raises ValueError, ZeroDivisionError or
    OverflowError: that is no point of its domain. With `gradient`, a function that returns one
    entry per argument, that one is checked too.

    Raises:
        TypeError: an argument is neither annotated as float nor given a strategy.
        ImportError: (by the decorator) Hypothesis is missing.
    """
    if callable(order):
        raise TypeError("gradients_hold takes its options first: write @gradients_hold()")

    def decorate(f: Callable[..., Any]) -> Callable[[], None]:
        try:
            from hypothesis import Phase, given, settings
            from hypothesis import strategies as st
        except ImportError:
            raise ImportError(
                "gradients_hold draws its points with Hypothesis: "
                "pip install 'scalar-autograd[testing]'"
            ) from None

        arguments = st.tuples(*_strategies(f, strategies).values())

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
        )
        @given(arguments)
        def holds(point: tuple[Any, ...]) -> None:
            _check_inside(f, point, order, gradient)

        @functools.wraps(f)
        def test() -> None:
            __tracebackhide__ = True
            try:
                holds()
            except GradientMismatch as found:
                mismatch = found
            else:
                return
            raise mismatch.with_traceback(None)  # without the frames of the search

        del test.__wrapped__  # or pytest would look for fixtures called like its arguments
        return test

    return decorate


def _check_inside(
    f: Callable[..., Any],
    point: tuple[Any, ...],
    order: int,
    gradient: Callable[..., Any] | None,
) -> Checked:
    """Check `f` at a point, unless it is outside its domain."""
    try:
        f(*point)
    except (ValueError, ZeroDivisionError, OverflowError):
        return Checked()
    return check_gradients(f, *point, order=order, gradient=gradient)


def check_module(module: ModuleType, order: int = 2, examples: int = _EXAMPLES) -> list[str]:
    """Return the names of the public functions of `module` whose gradients were found right.

    Those are the functions defined there, without a leading underscore, all of whose arguments
    are annotated as float.

    Raises:
        GradientMismatch: one has a wrong gradient.
        ValueError: the module has no such function.
    """
    checked = []
    for name, f in vars(module).items():
        if name.startswith("_") or not inspect.isfunction(f) or f.__module__ != module.__name__:
            continue
        try:
            _strategies(f, {})
        except (TypeError, NameError):
            continue
        gradients_hold(order, examples=examples)(f)()
        checked.append(name)
    if not checked:
        raise ValueError(
            f"check_module: {module.__name__} has no public function whose arguments are all "
            "annotated as float"
        )
    return checked
