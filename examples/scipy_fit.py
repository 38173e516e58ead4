"""A curve fitted with SciPy, with exact derivatives: parameters, their errors, and the curvature.

Data: a decaying oscillation with noise from a fixed seed. `least_squares` gets the Jacobian,
`minimize` the gradient and Hessian of the same function; both must arrive at the same place.
Needs SciPy.

    python examples/scipy_fit.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

from autograd import hessian, jacobian, value_and_grad

TRUE = np.array([2.0, 0.3, 1.7, 0.5])  # amplitude, decay, frequency, phase
NOISE = 0.05


def model(p: Any, t: Any) -> Any:
    """Return amplitude * exp(-decay t) * cos(frequency t + phase)."""
    return p[0] * np.exp(-p[1] * t) * np.cos(p[2] * t + p[3])


def data(seed: int = 7) -> tuple[Any, Any]:
    """Return 60 times and the noisy values there."""
    t = np.linspace(0.0, 8.0, 60)
    return t, model(TRUE, t) + NOISE * np.random.default_rng(seed).normal(size=t.size)


def fit() -> tuple[Any, Any, Any]:
    """Return the parameters by `least_squares`, by `minimize`, and the standard errors."""
    t, y = data()

    def residuals(p: Any) -> Any:
        return model(p, t) - y

    def half_squares(p: Any) -> Any:
        return 0.5 * (residuals(p) ** 2).sum()

    start = np.array([1.0, 0.1, 1.5, 0.0])
    first = least_squares(residuals, start, jac=jacobian(residuals), xtol=1e-14, ftol=1e-14)
    second = minimize(
        value_and_grad(half_squares),
        start,
        jac=True,
        hess=hessian(half_squares),
        method="trust-exact",
        options={"gtol": 1e-10},
    )
    variance = 2.0 * half_squares(second.x) / (t.size - start.size)
    covariance = variance * np.linalg.inv(hessian(half_squares)(second.x))
    return first.x, second.x, np.sqrt(np.diag(covariance))


def main() -> None:
    """Print both fits with standard errors."""
    first, second, errors = fit()
    print(f"{'':>10} {'true':>8} {'least_squares':>14} {'minimize':>14} {'error':>8}")
    names = ["amplitude", "decay", "frequency", "phase"]
    for name, *numbers in zip(names, TRUE, first, second, errors, strict=True):
        print("{:>10} {:8.4f} {:14.9f} {:14.9f} {:8.4f}".format(name, *numbers))


if __name__ == "__main__":
    main()
