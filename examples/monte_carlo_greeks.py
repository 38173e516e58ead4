"""An Asian option by Monte Carlo, with exact Greeks of every path, on all cores.

The price of a share is followed month by month; the option pays what the average price over the
year is above the strike. The payoff of one path is written once, on plain scalars, and compiled:
machine code runs it, and its derivatives, over a million paths. The mean of the derivatives is the
derivative of the mean, because the payoff is continuous.

    python examples/monte_carlo_greeks.py --paths 1000000
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import numpy as np

import autograd

NAMES = ["spot", "rate", "volatility"]
MARKET = (100.0, 0.03, 0.25)
STRIKE, YEARS = 100.0, 1.0
CHUNK = 250_000  # paths whose random numbers are in memory at a time


def payoff(spot: Any, rate: Any, volatility: Any, shocks: Any) -> Any:
    """Return the discounted payoff of one path; one shock (a normal number) per step."""
    step = YEARS / len(shocks)
    drift = (rate - 0.5 * volatility**2) * step
    price, total = spot, 0.0
    for shock in shocks:
        price = price * autograd.exp(drift + volatility * step**0.5 * shock)
        total = total + price
    average = total / len(shocks)
    return autograd.exp(-rate * YEARS) * autograd.maximum(average - STRIKE, 0.0)


def simulate(paths: int, steps: int = 12, seed: int = 1, threads: int | None = None) -> Any:
    """Return price and Greeks (one array of four numbers), and their standard errors."""
    kernel = autograd.compile(
        payoff,
        wrt=(0, 1, 2),
        in_axes=(None, None, None, 0),
        fast=True,
        threads=threads or os.cpu_count() or 1,
    )
    rng = np.random.default_rng(seed)
    total, squares = np.zeros(4), np.zeros(4)
    for start in range(0, paths, CHUNK):
        shocks = rng.normal(size=(min(CHUNK, paths - start), steps))
        value, greeks = kernel.value_and_grad(*MARKET, shocks)
        columns = np.array([value, *greeks])
        total += columns.sum(axis=1)
        squares += (columns * columns).sum(axis=1)
    mean = total / paths
    return mean, np.sqrt((squares / paths - mean * mean) / paths)


def main(argv: list[str] | None = None) -> None:
    """Print price and Greeks with their standard errors, and how long it took."""
    options = argparse.ArgumentParser(description="An Asian option with exact Greeks.")
    options.add_argument("--paths", type=int, default=1_000_000)
    arguments = options.parse_args(argv)
    started = time.perf_counter()
    means, errors = simulate(arguments.paths)
    seconds = time.perf_counter() - started
    labels = ["price", *(f"d price / d {name}" for name in NAMES)]
    for label, mean, error in zip(labels, means, errors, strict=True):
        print(f"{label:22} {mean:10.5f} +- {error:.5f}")
    print(f"{arguments.paths:,} paths in {seconds:.2f} s, random numbers and compiling included")


if __name__ == "__main__":
    main()
