"""Are the scores of statsmodels (gradients of log-likelihoods) right? Logit, Poisson, probit.

Each log-likelihood is written again in plain Python with `autograd`; that both are the same
function is checked first, and then the model's `score` and `hessian` against the exact derivatives
of that function.

    python examples/check_statsmodels_scores.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy
import statsmodels.api as sm

import autograd as ag
from autograd.testing import GradientMismatch, check_gradients

ROWS = 25


def logit(z: Any, y: float) -> Any:
    """Return the log-probability of class y with log-odds z."""
    return y * z - ag.softplus(z)


def poisson(z: Any, y: float) -> Any:
    """Return the log-probability of the count y with mean exp(z)."""
    return y * z - ag.exp(z) - math.lgamma(y + 1.0)


def probit(z: Any, y: float) -> Any:
    """Return the log-probability of class y with the normal distribution function of z."""
    return ag.log(0.5 * ag.erfc((1.0 - 2.0 * y) * z * math.sqrt(0.5)))


def main(argv: Sequence[str] | None = None) -> None:
    """Print one line per model, and what a score with one wrong entry looks like."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--seed", type=int, default=0)
    rng = numpy.random.default_rng(options.parse_args(argv).seed)
    x = sm.add_constant(rng.normal(size=(ROWS, 2)))
    classes = (rng.uniform(size=ROWS) < 0.5).astype(float)
    counts = rng.poisson(2.0, size=ROWS).astype(float)
    models: list[tuple[str, Any, Callable[[Any, float], Any], Any]] = [
        ("Logit", sm.Logit(classes, x), logit, classes),
        ("Poisson", sm.Poisson(counts, x), poisson, counts),
        ("Probit", sm.Probit(classes, x), probit, classes),
    ]
    beta = numpy.array([0.2, -0.4, 0.3])
    for name, model, term, y in models:

        def likelihood(b: Any, term: Any = term, y: Any = y) -> Any:
            return ag.sum(
                term(ag.dot(b, row), label)
                for row, label in zip(x.tolist(), y.tolist(), strict=True)
            )

        gap = abs(float(model.loglike(beta)) - float(likelihood(beta.tolist())))
        found = check_gradients(likelihood, beta, order=1, gradient=model.score)
        right = found.right
        for i in range(3):
            right += check_gradients(
                lambda b, i=i, f=likelihood: ag.grad(f)(b)[i],
                beta,
                order=1,
                gradient=lambda b, i=i, model=model: model.hessian(b)[i],
            ).right
        print(f"{name}: same function within {gap:.0e}; score and Hessian agree, {right} numbers")

    logit_model, likelihood_of = models[0][1], models[0][2]

    def rounded(b: numpy.ndarray) -> numpy.ndarray:
        score = logit_model.score(b).copy()
        score[2] = round(float(score[2]), 3)
        return score

    def likelihood_again(b: Any) -> Any:
        return ag.sum(
            likelihood_of(ag.dot(b, row), label)
            for row, label in zip(x.tolist(), classes.tolist(), strict=True)
        )

    try:
        check_gradients(likelihood_again, beta, order=1, gradient=rounded)
    except GradientMismatch as mismatch:
        report = mismatch.report
        print(
            f"a score rounded to three digits: {report.argument} is {report.analytic!r}, "
            f"not {report.reference!r}; {report.ulps:.1e} ulps off, rounding explains "
            f"{report.explained:.0f}"
        )


if __name__ == "__main__":
    main()
