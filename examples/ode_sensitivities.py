"""Sensitivities of an ODE: 10,000 Runge-Kutta steps in plain Python, differentiated as they stand.

Prey and predators after Lotka and Volterra. One reverse sweep over the recorded integration tells
how the final number of prey depends on all four rates and both initial values; a forward sweep,
for comparison, gives the derivative along one direction.

    python examples/ode_sensitivities.py
"""

from __future__ import annotations

import argparse
from typing import Any

from autograd import jvp, value_and_grad

NAMES = ["birth", "hunting", "death", "growth", "prey(0)", "predators(0)"]
PARAMETERS = [1.1, 0.4, 0.4, 0.1, 10.0, 5.0]
YEARS = 20.0


def rates(x: Any, y: Any, p: list[Any]) -> tuple[Any, Any]:
    """Return the rates of change of prey x and predators y."""
    meetings = x * y
    return p[0] * x - p[1] * meetings, p[3] * meetings - p[2] * y


def integrate(p: list[Any], steps: int, years: float = YEARS) -> tuple[Any, Any]:
    """Return prey and predators after `years`, by the classical fourth-order Runge-Kutta method."""
    x, y = p[4], p[5]
    h = years / steps
    for _ in range(steps):
        kx1, ky1 = rates(x, y, p)
        kx2, ky2 = rates(x + 0.5 * h * kx1, y + 0.5 * h * ky1, p)
        kx3, ky3 = rates(x + 0.5 * h * kx2, y + 0.5 * h * ky2, p)
        kx4, ky4 = rates(x + h * kx3, y + h * ky3, p)
        x = x + h / 6.0 * (kx1 + 2.0 * (kx2 + kx3) + kx4)
        y = y + h / 6.0 * (ky1 + 2.0 * (ky2 + ky3) + ky4)
    return x, y


def prey(p: list[Any], steps: int) -> Any:
    """Return the number of prey at the end."""
    return integrate(p, steps)[0]


def main(argv: list[str] | None = None) -> None:
    """Print the number of prey at the end and how it depends on everything."""
    parser = argparse.ArgumentParser(description="Sensitivities of the Lotka-Volterra equations.")
    parser.add_argument("--steps", type=int, default=10_000)
    steps = parser.parse_args(argv).steps

    value, gradient = value_and_grad(prey)(PARAMETERS, steps)
    print(f"prey after {YEARS:g} years: {value:.12f}")
    for name, slope in zip(NAMES, gradient, strict=True):
        print(f"d prey / d {name:<12} = {slope:18.12f}")
    direction = [1.0] * len(NAMES)
    _, tangent = jvp(lambda p: prey(p, steps), (PARAMETERS,), (direction,))
    print(f"all of them together, forward = {tangent:.12f}, reverse = {sum(gradient):.12f}")


if __name__ == "__main__":
    main()
