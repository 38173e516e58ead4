"""Implicit differentiation: derivatives of a root, without differentiating the iteration.

Kepler's equation E - e sin E = M gives the position of a planet only through a root finder. How
the root moves with M and e follows from the equation itself: with F(E, M, e) = 0,
dE/dM = -F_M / F_E. `custom_partials` says so once; every order follows, because the partials are
themselves made of derivative functions.

    python examples/implicit_differentiation.py --mean 0.8 --eccentricity 0.3
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd import custom_partials, grad, hessian


def kepler(anomaly: Any, mean: Any, eccentricity: Any) -> Any:
    """Return what Kepler's equation lacks of being satisfied (angles in radians)."""
    return anomaly - eccentricity * ag.sin(anomaly) - mean


def implicit(argument: int) -> Callable[..., Any]:
    """Return the partial derivative of the root with respect to an argument of `kepler`."""

    def partial(root: Any, *args: Any) -> Any:
        slope, change = grad(kepler, argnums=(0, argument))(root, *args)
        return -change / slope

    return partial


@custom_partials(implicit(1), implicit(2))
def eccentric_anomaly(mean: float, eccentricity: float) -> float:
    """The root of Kepler's equation, by Newton's method on floats."""
    root = mean + eccentricity
    for _ in range(50):
        step = kepler(root, mean, eccentricity) / grad(kepler)(root, mean, eccentricity)
        root -= step
        if abs(step) <= 1e-15 * abs(root):
            break
    return root


def true_anomaly(mean: Any, eccentricity: Any) -> Any:
    """Return the angle of the planet seen from the sun, a formula with the root in its middle."""
    half = 0.5 * eccentric_anomaly(mean, eccentricity)
    stretch = ag.sqrt((1.0 + eccentricity) / (1.0 - eccentricity))
    return 2.0 * ag.atan2(stretch * ag.sin(half), ag.cos(half))


def main(argv: list[str] | None = None) -> None:
    """Print the root, the angle, and their derivatives up to the third."""
    parser = argparse.ArgumentParser(
        description="Derivatives of a root that Newton's method found."
    )
    parser.add_argument("--mean", type=float, default=0.8, help="mean anomaly M in radians")
    parser.add_argument("--eccentricity", type=float, default=0.3)
    o = parser.parse_args(argv)
    at = (o.mean, o.eccentricity)

    print(f"E = {eccentric_anomaly(*at):.15f}")
    for name, f in (("E", eccentric_anomaly), ("angle", true_anomaly)):
        by_mean, by_eccentricity = grad(f, argnums=(0, 1))(*at)
        (mm, me), (_, ee) = hessian(f, argnums=(0, 1))(*at)
        print(f"d {name} / dM = {by_mean:.12f}")
        print(f"d {name} / de = {by_eccentricity:.12f}")
        print(f"d2 {name} / dM2 = {mm:.12f}")
        print(f"d2 {name} / dM de = {me:.12f}")
        print(f"d2 {name} / de2 = {ee:.12f}")
        print(f"d3 {name} / dM3 = {grad(grad(grad(f)))(*at):.11f}")
    print(f"angle = {math.degrees(true_anomaly(*at)):.10f} degrees")


if __name__ == "__main__":
    main()
