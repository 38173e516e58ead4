"""Black-Scholes: the price of an option, its sensitivities of first and second order, all from it.

The price is the textbook formula in plain Python. Nothing else is typed: delta, vega, theta, rho
are entries of the gradient, gamma, vanna, volga, charm entries of the 5 x 5 Hessian.

    python examples/black_scholes.py --spot 49 --strike 50 --volatility 0.2 --years 0.3846
"""

from __future__ import annotations

import argparse
from typing import Any

import autograd as ag
from autograd import hessian, value_and_grad

NAMES = ["S", "K", "r", "sigma", "T"]


def normal(x: Any) -> Any:
    """Return the standard normal distribution function, exact in both tails."""
    return 0.5 * ag.erfc(-x * 2.0**-0.5)


def price(option: list[Any], put: bool = False) -> Any:
    """Return the price of a European option on an asset that pays no dividend.

    `option` is [spot S, strike K, interest rate r, volatility sigma, years T], rates per year.
    """
    s, k, r, sigma, t = option
    spread = sigma * ag.sqrt(t)
    d1 = (ag.log(s / k) + (r + 0.5 * sigma**2) * t) / spread
    d2 = d1 - spread
    discounted = k * ag.exp(-r * t)
    if put:
        return discounted * normal(-d2) - s * normal(-d1)
    return s * normal(d1) - discounted * normal(d2)


def greeks(option: list[float], put: bool = False) -> tuple[dict[str, float], list[list[float]]]:
    """Return price and Greeks by name, and the Hessian of the price in the order of `NAMES`.

    Theta and charm are with respect to time passing, which is time to expiry with a minus sign.
    """
    value, (ds, dk, dr, dsigma, dt) = value_and_grad(price)(option, put=put)
    second = hessian(price)(option, put=put)
    named = {
        "price": value,
        "delta": ds,
        "dual delta": dk,
        "rho": dr,
        "vega": dsigma,
        "theta": -dt,
        "gamma": second[0][0],
        "vanna": second[0][3],
        "volga": second[3][3],
        "charm": -second[0][4],
    }
    return named, second


def main(argv: list[str] | None = None) -> None:
    """Print the Greeks and the Hessian of one option."""
    parser = argparse.ArgumentParser(description="Price and Greeks of a European option.")
    parser.add_argument("--spot", type=float, default=49.0)
    parser.add_argument("--strike", type=float, default=50.0)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--volatility", type=float, default=0.2)
    parser.add_argument("--years", type=float, default=0.3846)
    parser.add_argument("--put", action="store_true", help="a put instead of a call")
    o = parser.parse_args(argv)

    named, second = greeks([o.spot, o.strike, o.rate, o.volatility, o.years], o.put)
    for name, value in named.items():
        print(f"{name:>10} {value:18.12f}")
    print("Hessian" + "".join(f"{name:>16}" for name in NAMES))
    for name, row in zip(NAMES, second, strict=True):
        print(f"{name:>7}" + "".join(f"{value:16.9f}" for value in row))


if __name__ == "__main__":
    main()
