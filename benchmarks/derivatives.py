"""Derivatives: the Hessian of Rosenbrock's function, its first call and every later call.

The function is scalar code, a Python loop over the entries of an array; the same text runs on
every side. The first call includes what a library does once for a function and a size (tracing,
compiling), but not importing the library.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Target, Unit
from benchmarks._worker import Measurement, clock, repeat

# --- The workload -------------------------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    """Return the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2."""
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def hessian_of(kind: str) -> Callable[[Any], Any]:
    """Return the function that computes the Hessian of Rosenbrock's function with `kind`."""
    if kind == "jax":
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        hessian = jax.jit(jax.hessian(rosenbrock))  # without jit it is slower on every call
        return lambda x: hessian(x).block_until_ready()
    # HIPS autograd or ours, whichever this environment has: the name is the same.
    compute: Callable[[Any], Any] = importlib.import_module("autograd").hessian(rosenbrock)
    return compute


def check(found: Any, x: Any) -> None:
    """Raise ArithmeticError unless `found` is the Hessian at `x`, by hand: a band of three."""
    numpy = importlib.import_module("numpy")
    expected = numpy.diag(-400.0 * x[:-1], 1) + numpy.diag(-400.0 * x[:-1], -1)
    diagonal = numpy.arange(len(x))
    expected[diagonal[:-1], diagonal[:-1]] += 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    expected[diagonal[1:], diagonal[1:]] += 200.0
    if not numpy.allclose(found, expected, rtol=1e-10, atol=1e-10):
        raise ArithmeticError("the Hessian is wrong, so its time means nothing")


def point(size: int) -> Any:
    """Return where the Hessian is taken: `size` numbers from -1 to 1 in a float64 array."""
    return importlib.import_module("numpy").linspace(-1.0, 1.0, size)


# --- Tasks --------------------------------------------------------------------------------------


def first_call(kind: str, size: int) -> Measurement:
    """Return the nanoseconds of the first call in this process."""
    hessian, x = hessian_of(kind), point(size)
    started = clock()
    found = hessian(x)
    spent = clock() - started
    check(found, x)
    return Measurement(1, {"first call": [spent]})


def later_call(kind: str, size: int, repetitions: int) -> Measurement:
    """Return the nanoseconds of one call after the first."""
    hessian, x = hessian_of(kind), point(size)
    check(hessian(x), x)

    def step(lap: Callable[[str], None]) -> None:
        hessian(x)
        lap("later call")

    return repeat(1, repetitions, 1, step, warm=False)


# --- Sides and sections -------------------------------------------------------------------------

OURS = Environment("ours-arrays", ("numpy",), build="compiled")
HIPS = Environment("hips-autograd", ("autograd==1.9.1",))
JAX = Environment("jax", ("jax==0.10.2",))
FASTER = Target(at_least=1)
SIZES = {10: 20, 100: 3, 1000: 1}  # number of variables: how often a process repeats a call


def section(title: str, task: str, size: int, **more: int) -> Section:
    """Return the section that runs `task` for `size` variables on every side."""

    def side(label: str, environment: Environment, kind: str, target: Target | None) -> Side:
        return Side(label, environment, {"kind": kind, "size": size, **more}, target)

    return Section(
        f"Hessian of Rosenbrock, {size:,} variables, {title}",
        f"benchmarks.derivatives:{task}",
        Unit("ms", 1e6),
        side("ours, compiled", OURS, "ours", None),
        (
            side("HIPS autograd", HIPS, "hips", FASTER),
            side("JAX, jit", JAX, "jax", FASTER),
        ),
        rounds=5 if size < 1000 else 1,
    )


SECTIONS = (
    *(section("first call", "first_call", size) for size in SIZES),
    *(section("later calls", "later_call", size, repetitions=n) for size, n in SIZES.items()),
)
