"""A yield curve calibrated to bond prices, by SciPy's least squares with exact derivatives.

The curve is Nelson and Siegel's: level, slope, hump, and how fast they fade. A bond's price is a
sum over its coupons, as a `while` loop; bonds of different maturity take different numbers of
rounds, and the compiled kernel keeps code for each. Prices are made up from known parameters and a
little noise. Needs SciPy.

    python examples/curve_calibration.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import least_squares

import autograd

NAMES = ["level", "slope", "hump", "decay"]
TRUE = np.array([0.035, -0.02, 0.015, 1.8])
NOISE = 0.02  # per 100 of face value


def rate(curve: Any, years: Any) -> Any:
    """Return the yearly rate, continuously compounded, for money due in `years`."""
    x = years / curve[3]
    fading = -autograd.expm1(-x) / x
    return curve[0] + curve[1] * fading + curve[2] * (fading - autograd.exp(-x))


def price(curve: Any, years: Any, coupon: Any) -> Any:
    """Return the price of a bond with a yearly coupon in percent, per 100 of face value."""
    due = years
    total = 100.0 * autograd.exp(-rate(curve, due) * due)
    while due > 0.0:
        total = total + coupon * autograd.exp(-rate(curve, due) * due)
        due = due - 1.0
    return total


def bonds(count: int = 60, seed: int = 3) -> tuple[Any, Any, Any]:
    """Return maturities in years, coupons in percent, and prices in the market."""
    rng = np.random.default_rng(seed)
    years, coupons = rng.uniform(0.2, 12.0, count), rng.uniform(0.0, 6.0, count)
    exact = autograd.compile(price, in_axes=(None, 0, 0))(TRUE, years, coupons)
    return years, coupons, exact + rng.normal(0.0, NOISE, count)


def calibrate() -> tuple[Any, Any, Any]:
    """Return what `least_squares` found, the standard errors, and the kernel."""
    years, coupons, market = bonds()
    kernel = autograd.compile(price, in_axes=(None, 0, 0))
    found = least_squares(
        lambda curve: kernel(curve, years, coupons) - market,
        np.array([0.03, 0.0, 0.0, 1.0]),
        jac=lambda curve: kernel.grad(curve, years, coupons),
        x_scale=[0.01, 0.01, 0.01, 1.0],
        xtol=1e-14,
        ftol=1e-14,
    )
    covariance = NOISE**2 * np.linalg.inv(found.jac.T @ found.jac)
    return found, np.sqrt(np.diag(covariance)), kernel


def main() -> None:
    """Print the calibrated curve beside the true one."""
    found, errors, kernel = calibrate()
    print(f"{'':>6} {'true':>10} {'found':>12} {'error':>10}")
    for name, *numbers in zip(NAMES, TRUE, found.x, errors, strict=True):
        print("{:>6} {:10.5f} {:12.7f} {:10.5f}".format(name, *numbers))
    paths = kernel.stats.paths
    print(f"{found.nfev} evaluations by {paths} programs: value and slope per number of coupons")


if __name__ == "__main__":
    main()
