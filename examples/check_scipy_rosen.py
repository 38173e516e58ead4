"""Are SciPy's derivatives of Rosenbrock's function right? `rosen_der` and `rosen_hess`, checked.

SciPy's `rosen` is ordinary array code, so it runs on `Value`s as it stands, and the reference is
the derivative of its very operations in multi-precision arithmetic. The Hessian is checked row by
row, each as the gradient of one entry of `rosen_der`.

    python examples/check_scipy_rosen.py
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

import numpy
from scipy.optimize import rosen, rosen_der, rosen_hess

from autograd.testing import GradientMismatch, certify, check_gradients


def main(argv: Sequence[str] | None = None) -> None:
    """Print what was checked, and what a wrong Hessian looks like."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seed", type=int, default=0)
    numbers = random.Random(options.parse_args(argv).seed)

    for n in (2, 5, 20):
        right = 0
        for _ in range(5):
            x = numpy.array([numbers.uniform(-2.0, 2.0) for _ in range(n)])
            right += check_gradients(rosen, x, order=1, gradient=rosen_der).right
            rows = range(0, n, 4)
            for i in rows:
                found = check_gradients(
                    lambda x, i=i: rosen_der(x)[i],
                    x,
                    order=1,
                    gradient=lambda x, i=i: rosen_hess(x)[i],
                )
                right += found.right
        print(f"{n:2d} variables: rosen_der and rosen_hess agree, {right} numbers checked")

    x = numpy.array([1.0 + 1e-9, 1.0])
    print(f"near the minimum, at {x.tolist()}:")
    print(certify(rosen, x))

    def careless(x: numpy.ndarray) -> numpy.ndarray:
        gradient = rosen_der(x)
        gradient[-1] = 200.0 * (x[-1] - x[-2])  # forgot to square x[-2]
        return gradient

    try:
        check_gradients(rosen, numpy.array([1.3, 0.7]), order=1, gradient=careless)
    except GradientMismatch as mismatch:
        print(mismatch)


if __name__ == "__main__":
    main()
