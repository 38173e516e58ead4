"""Newton's method with an exact Hessian: quadratic convergence, to be seen in the printed digits.

The minimum of a chained Rosenbrock function in n variables. Each step solves H p = -g with the
gradient and the Hessian that `value_and_grad` and `hessian` give, by elimination on plain lists;
where such a step leads uphill, a multiple of the identity is added to H until one does not.

    python examples/newton_hessian.py -n 8
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

from autograd import hessian, value_and_grad


def rosenbrock(x: list[Any]) -> Any:
    """Return the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2; its minimum is 0 at all ones."""
    total = 0.0
    for a, b in itertools.pairwise(x):
        total = total + 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
    return total


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of a linear system, by elimination with row pivoting."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for i in range(n):
        pivot = max(range(i, n), key=lambda j: abs(rows[j][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(i + 1, n):
            factor = rows[j][i] / rows[i][i]
            if factor:
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][j] * x[j] for j in range(i + 1, n))) / rows[i][i]
    return x


def minimize(x: list[float], steps: int = 100) -> tuple[list[float], list[float]]:
    """Return the minimum found from `x`, and the length of the gradient before each step."""
    f = value_and_grad(rosenbrock)
    second = hessian(rosenbrock)
    lengths = []
    for _ in range(steps):
        value, gradient = f(x)
        lengths.append(sum(g * g for g in gradient) ** 0.5)
        if lengths[-1] < 1e-12:
            break
        matrix = second(x)
        damping = 0.0
        while True:
            step = solve(matrix, [-g for g in gradient])
            trial = [a + s for a, s in zip(x, step, strict=True)]
            if rosenbrock(trial) < value:
                x = trial
                break
            if damping > 1e9:  # nothing but rounding is left to gain
                return x, lengths
            more = max(1.0, damping)
            damping += more
            for i in range(len(x)):
                matrix[i][i] += more
    return x, lengths


def main(argv: list[str] | None = None) -> None:
    """Print the gradient's length step by step, and the minimum."""
    parser = argparse.ArgumentParser(description="Newton's method on the Rosenbrock function.")
    parser.add_argument("-n", type=int, default=8, help="number of variables")
    n = parser.parse_args(argv).n

    x, lengths = minimize([-1.2 if i % 2 == 0 else 1.0 for i in range(n)])
    for i, length in enumerate(lengths):
        print(f"step {i}: |gradient| = {length:.3e}")
    print(f"f = {rosenbrock(x):.3e} at", " ".join(f"{a:.12f}" for a in x))


if __name__ == "__main__":
    main()
