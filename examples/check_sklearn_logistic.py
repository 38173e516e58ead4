"""Is scikit-learn's gradient of the logistic loss right? Two ways of asking.

Its `LinearModelLoss` is compiled code that takes only arrays of floats. Asked about that function
itself, the reference are extrapolated differences; asked against the same loss written in plain
Python with `autograd`, it is the exact derivative.

    python examples/check_sklearn_logistic.py
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy
from sklearn._loss.loss import HalfBinomialLoss
from sklearn.linear_model._linear_loss import LinearModelLoss

import autograd as ag
from autograd.testing import GradientMismatch, check_gradients

ROWS, FEATURES, L2 = 30, 4, 0.3


def data(seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return features and classes (0.0 or 1.0) of two overlapping clouds."""
    rng = numpy.random.default_rng(seed)
    y = (numpy.arange(ROWS) % 2).astype(float)
    return rng.normal(size=(ROWS, FEATURES)) + 0.7 * y[:, None], y


def main(argv: Sequence[str] | None = None) -> None:
    """Print the two verdicts, and that on a gradient without the penalty."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seed", type=int, default=0)
    features, y = data(options.parse_args(argv).seed)
    model = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)

    def theirs(w: numpy.ndarray) -> float:
        return float(model.loss(w, features, y, l2_reg_strength=L2))

    def their_gradient(w: numpy.ndarray) -> numpy.ndarray:
        return model.gradient(w, features, y, l2_reg_strength=L2)

    def ours(w: Any) -> Any:
        """Return the mean logistic loss and the penalty; the intercept comes last, unpenalised."""
        loss = 0.0
        for row, label in zip(features.tolist(), y.tolist(), strict=True):
            z = ag.dot(w[:-1], row) + w[-1]
            loss = loss + ag.softplus(z) - label * z
        return loss / ROWS + 0.5 * L2 * ag.dot(w[:-1], w[:-1])

    for scale in (0.0, 1.0, 30.0):
        w = scale * numpy.linspace(-1.0, 1.2, FEATURES + 1)
        print(f"weights up to {1.2 * scale:g}, loss {theirs(w):.6f}, {ours(w.tolist()):.6f}")
        found = check_gradients(theirs, w, gradient=their_gradient)
        print(f"  {found.right} entries right by {found.method}")
        found = check_gradients(ours, w, order=1, gradient=their_gradient)
        print(f"  {found.right} numbers right by {found.method}")

    def without_penalty(w: numpy.ndarray) -> numpy.ndarray:
        return model.gradient(w, features, y, l2_reg_strength=0.0)

    try:
        check_gradients(theirs, w, gradient=without_penalty)
    except GradientMismatch as mismatch:
        print(mismatch)


if __name__ == "__main__":
    main()
