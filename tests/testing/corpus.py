"""Gradient bugs of public projects, re-created: what was wrong, in our own words and numbers.

A case is a function on `Value`s, a gradient that a checker must refuse at the `caught` points, one
that it must pass everywhere, and points where the wrong one happens to be right (`unseen`). False
alarms are cases without a wrong gradient: right ones, some of which other checkers have refused.
docs/bugs.md is written from this list.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, exp, inf, log, log1p, nan, pi, sin, sinh, sqrt
from typing import Any

import autograd as ag

Point = tuple[float, ...]
Gradient = Callable[..., Any]


@dataclass(frozen=True)
class Bug:
    """A gradient that was wrong. `f` may be a derivative itself, where second ones were wrong."""

    source: str  # project#number, of an issue or a pull request
    what: str
    f: Callable[..., Any]
    wrong: Gradient
    right: Gradient
    caught: tuple[Point, ...]
    unseen: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """A gradient that is right, though a checker or a person said no."""

    source: str
    what: str
    f: Callable[..., Any]
    right: tuple[Gradient, ...]
    points: tuple[Point, ...]


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-x)) if x >= 0 else exp(x) / (1.0 + exp(x))


def series(x: Any, terms: list[float]) -> Any:
    """Return a polynomial at `x`: a Value or a float."""
    total: Any = 0.0
    for c in reversed(terms):
        total = total * x + c
    return total


def even(n: int, coefficient: Callable[[int], float]) -> list[float]:
    return [coefficient(k) for k in range(n)]


# sinc(x) = sin(pi x) / (pi x) and its derivative, by their power series in x**2; to be used near 0.
SINC = even(12, lambda k: (-1) ** k * pi ** (2 * k) / math.factorial(2 * k + 1))
SLOPE = [2 * k * c for k, c in enumerate(SINC)][1:]
BEND = [(2 * k + 1) * c for k, c in enumerate(SLOPE)]
# I0 and Si by theirs.
BESSEL = even(25, lambda k: 0.25**k / math.factorial(k) ** 2)
SINE_INTEGRAL = even(15, lambda k: (-1) ** k / ((2 * k + 1) * math.factorial(2 * k + 1)))


def bessel_slope(x: float) -> float:
    return x * series(x * x, [2 * k * c for k, c in enumerate(BESSEL)][1:])


def product(*xs: Any) -> Any:
    total: Any = 1.0
    for x in xs:
        total = total * x
    return total


def others(xs: Point) -> Point:
    return tuple(product(*xs[:i], *xs[i + 1 :]) for i in range(len(xs)))


def quotients(*xs: float) -> Point:
    whole = product(*xs)
    return tuple(whole / x if x else nan for x in xs)


def stopped_at_zero(*xs: float) -> Point:
    """Return the gradient of a product that is left as soon as it is zero."""
    seen = next((i + 1 for i, x in enumerate(xs) if x == 0), len(xs))
    return (*others(xs[:seen]), *[0.0] * (len(xs) - seen))


def cumulated(x: Any, y: Any, z: Any) -> Any:
    return x + x * y + x * y * z


def cumulated_quotients(x: float, y: float, z: float) -> Point:
    parts = (x, x * y, x * y * z)
    sums = (sum(parts), parts[1] + parts[2], parts[2])
    return tuple(s / v if v else nan for s, v in zip(sums, (x, y, z), strict=True))


def beta_logpdf(a: Any, b: Any) -> Any:
    p = 0.5
    normal = ag.lgamma(a) + ag.lgamma(b) - ag.lgamma(a + b)
    return (a - 1.0) * log(p) + (b - 1.0) * log1p(-p) - normal


def beta_slopes(a: float, b: float) -> Point:
    psi = [float(ag.digamma(x)) for x in (a, b, a + b)]
    return log(0.5) - psi[0] + psi[2], log(0.5) - psi[1] + psi[2]


def normal_logpdf(x: Any, mean: Any, variance: Any) -> Any:
    return -0.5 * ag.log(2.0 * pi * variance) - (x - mean) ** 2 / (2.0 * variance)


def normal_slopes(x: float, mean: float, variance: float) -> Point:
    d = (x - mean) / variance
    return -d, d, -0.5 / variance + 0.5 * d * d


def reflected(x: float) -> float:
    """Return trigamma at a negative number."""
    return (pi / sin(pi * x)) ** 2 - float(ag.polygamma(1, 1.0 - x))


def batch_norm(*x: Any) -> Any:
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return sum(w * (v - mean) for w, v in zip(BATCH, x, strict=True)) / ag.sqrt(variance + 1e-5)


BATCH = (0.7, -1.1, 0.4, 2.0)


def batch_norm_slopes(*x: float, divided: bool = True) -> Point:
    n = len(x)
    mean = sum(x) / n
    scale = 1.0 / sqrt(sum((v - mean) ** 2 for v in x) / n + 1e-5)
    hats = [(v - mean) * scale for v in x]
    share = sum(BATCH) / n if divided else sum(BATCH)
    lean = sum(w * h for w, h in zip(BATCH, hats, strict=True)) / n
    return tuple(scale * (w - share - h * lean) for w, h in zip(BATCH, hats, strict=True))


def logit_normal(x: Any) -> Any:
    odds = ag.log(x) - ag.log(1.0 - x)
    return -0.5 * odds * odds - ag.log(x) - ag.log(1.0 - x)


def rotation(w: Any, x: Any) -> Any:
    """Return the angle of the rotation about x by the quaternion (w, x, 0, 0)."""
    return 2.0 * ag.atan2(x, w) if w > 0 else 2.0 * ag.atan2(-x, -w)


def rotation_slopes(w: float, x: float) -> Point:
    return -2.0 * x / (w * w + x * x), 2.0 * w / (w * w + x * x)


def schools(mu: Any, tau: Any, *thetas: Any) -> Any:
    inner = sum(-ag.log(tau) - (t - mu) ** 2 / (2.0 * tau * tau) for t in thetas)
    return inner - mu * mu / 50.0


def schools_slopes(mu: float, tau: float, *thetas: float) -> Point:
    return (
        sum((t - mu) / tau**2 for t in thetas) - mu / 25.0,
        sum(-1 / tau + (t - mu) ** 2 / tau**3 for t in thetas),
        *[-(t - mu) / tau**2 for t in thetas],
    )


def cumulative_rows(t: Any) -> Any:
    total: Any = 0.0
    for weights, row in (((1, 2, 3), (t, t + 1, 2 - t)), ((4, 5, 6), (t - 1, 2 * t + 1, t + 3))):
        running: Any = 1.0
        for w, x in zip(weights, row, strict=True):
            running = running * x
            total = total + w * running
    return total


BUGS = [
    Bug(
        "casadi/casadi#2585",
        "The derivative of cosh was -sinh, for nine years.",
        ag.cosh,
        lambda x: -sinh(x),
        sinh,
        ((0.5,), (-2.0,), (1e-8,)),
        ((0.0,),),
    ),
    Bug(
        "jax-ml/jax#2107",
        "softplus had slope 0 at exactly 0: max and abs in its formula, each with slope 0 there.",
        ag.softplus,
        lambda x: sigmoid(x) if x else 0.0,
        sigmoid,
        ((0.0,),),
        ((1.0,), (-30.0,)),
    ),
    Bug(
        "jax-ml/jax#2140",
        "log_sigmoid had slope 0 at exactly 0, by way of the same formula.",
        ag.log_sigmoid,
        lambda x: sigmoid(-x) if x else 0.0,
        lambda x: sigmoid(-x),
        ((0.0,),),
        ((1.0,), (-30.0,)),
    ),
    Bug(
        "jax-ml/jax#5054",
        "Even derivatives of sinc at 0: its value there was a constant, and so had none.",
        lambda x: x * series(x * x, SLOPE),
        lambda x: series(x * x, BEND) if x else 0.0,
        lambda x: series(x * x, BEND),
        ((0.0,),),
        ((0.1,),),
    ),
    Bug(
        "pytorch/pytorch#196703",
        "The second derivative of sinc at its removable singularity was nan.",
        lambda x: x * series(x * x, SLOPE),
        lambda x: series(x * x, BEND) if x else nan,
        lambda x: series(x * x, BEND),
        ((0.0,),),
        ((0.1,),),
    ),
    Bug(
        "jax-ml/jax#40629",
        "The slope of sinc near 0 as a difference of two numbers close to 1: no digit was left.",
        lambda x: series(x * x, SINC),
        lambda x: (cos(pi * x) - sin(pi * x) / (pi * x)) / x,
        lambda x: x * series(x * x, SLOPE),
        ((1e-9,), (-1.1102230246251565e-16,), (1e-4,)),
    ),
    Bug(
        "jax-ml/jax#11479",
        "The Bessel function i0 had slope 1 at 0, from the abs in its scaled form.",
        lambda x: series(x * x, BESSEL),
        lambda x: bessel_slope(x) if x else 1.0,
        bessel_slope,
        ((0.0,),),
        ((1.0,), (-2.5,)),
    ),
    Bug(
        "jax-ml/jax#37635",
        "trigamma at negative half-integers without the term of the reflection.",
        ag.digamma,
        lambda x: 1 / x + 1 / (2 * x * x) + 1 / (6 * x**3),
        reflected,
        ((-16.5,), (-19.5,), (-22.5,)),
    ),
    Bug(
        "jax-ml/jax#3213",
        "The example of a custom rule in the documentation had a sign too many.",
        lambda x, y: ag.sin(x) * y,
        lambda x, y: (cos(x) * y, -sin(x)),
        lambda x, y: (cos(x) * y, sin(x)),
        ((1.2, 3.0), (-0.4, 0.0)),
        ((0.0, 3.0),),
    ),
    Bug(
        "jax-ml/jax#22398",
        "logsumexp by its weights: a weight of exactly 0 had slope 0.",
        lambda a, b: ag.log(a + b),
        lambda a, b: (1 / (a + b) if a else 0.0, 1 / (a + b) if b else 0.0),
        lambda a, b: (1 / (a + b), 1 / (a + b)),
        ((1.0, 0.0), (0.0, 2.0)),
        ((1.0, 1e-30),),
    ),
    Bug(
        "jax-ml/jax#15598",
        "log density of the beta distribution at parameters of exactly 1, whose terms 0 * log p "
        "lost their slope log p.",
        beta_logpdf,
        lambda a, b: tuple(
            g - log(0.5) * (v == 1) for g, v in zip(beta_slopes(a, b), (a, b), strict=True)
        ),
        beta_slopes,
        ((1.0, 1.0), (1.0, 2.5)),
        ((2.0, 2.0),),
    ),
    Bug(
        "jax-ml/jax#383",
        "The branch of a where that was not taken, at its pole: 0 times inf made the sum nan.",
        lambda x, y: ag.sqrt(x * x + y * y) if x * x + y * y > 0.25 else 1.0 + 0.0 * x,
        lambda x, y: (
            (x / sqrt(x * x + y * y), y / sqrt(x * x + y * y))
            if x * x + y * y > 0.25
            else (0.0, 0.0)
            if x or y
            else (nan, nan)
        ),
        lambda x, y: (
            (x / sqrt(x * x + y * y), y / sqrt(x * x + y * y))
            if x * x + y * y > 0.25
            else (0.0, 0.0)
        ),
        ((0.0, 0.0),),
        ((3.0, 4.0), (0.1, 0.1)),
    ),
    Bug(
        "Theano/Theano#1996",
        "One entry of a square root was asked for; another entry, at 0, made the slope nan.",
        lambda a: ag.sqrt(4.0 + 9.0 * a),
        lambda a: 4.5 / sqrt(4.0 + 9.0 * a) + 0.0 * inf,
        lambda a: 4.5 / sqrt(4.0 + 9.0 * a),
        ((1.0,), (0.2,)),
    ),
    Bug(
        "pytorch/pytorch#773",
        "The gradient of a product as product / factor: nan at a zero.",
        product,
        quotients,
        lambda *xs: others(xs),
        ((2.0, 0.0, 3.0), (0.0, 0.0, 3.0)),
        ((2.0, -1.0, 3.0),),
    ),
    Bug(
        "tensorflow/tensorflow#3862",
        "The gradient of a cumulative product divides by the factors too.",
        cumulated,
        cumulated_quotients,
        lambda x, y, z: (1 + y + y * z, x + x * z, x * y),
        ((2.0, 0.0, 3.0), (0.0, 1.0, 1.0)),
        ((2.0, -1.0, 3.0),),
    ),
    Bug(
        "pytorch/pytorch#106789",
        "Second derivatives of a product with two zeros were taken for 0. (Here: of its slope by "
        "the third factor.)",
        lambda a, b, d: a * b * d,
        lambda a, b, d: (b * d, a * d, a * b if d else 0.0),
        lambda a, b, d: (b * d, a * d, a * b),
        ((2.0, 3.0, 0.0),),
        ((2.0, 3.0, 1.0),),
    ),
    Bug(
        "pytorch/pytorch#196701",
        "The second derivative of a weighted cumulative product at a zero factor: 68 for 144.",
        ag.grad(cumulative_rows),
        lambda t: 68.0,
        lambda t: 144.0,
        ((1.0,),),
    ),
    Bug(
        "JuliaDiff/ForwardDiff.jl#480",
        "A product that is left as soon as it is zero: later factors had slope 0.",
        product,
        stopped_at_zero,
        lambda *xs: others(xs),
        ((0.0, 2.0, 3.0), (5.0, 0.0, 2.0)),
        ((1.0, 2.0, 3.0), (1.0, 2.0, 0.0)),
    ),
    Bug(
        "JuliaDiff/ForwardDiff.jl#414",
        "The slope of 0**y by the exponent, 0 * log 0, was nan.",
        lambda y: ag.pow(0.0, y),
        lambda y: nan,
        lambda y: 0.0,
        ((0.5,), (2.0,)),
    ),
    Bug(
        "JuliaDiff/ForwardDiff.jl#331",
        "One derivative more than the power has, at 0: 0 * x**-1 was nan. (Here: of x**0.)",
        lambda x: x**0 + 0.0 * x,
        lambda x: 0.0 * x**-1 if x else nan,
        lambda x: 0.0,
        ((0.0,),),
        ((2.0,),),
    ),
    Bug(
        "JuliaDiff/ForwardDiff.jl#377",
        "The second derivative of abs(-x**2) at 0 was -2. (Here: of its first one, 2x.)",
        lambda x: 2.0 * x,
        lambda x: 2.0 if x else -2.0,
        lambda x: 2.0,
        ((0.0,),),
        ((1.0,),),
    ),
    Bug(
        "autodiff/autodiff#75",
        "The slope of x**2 by way of pow was nan at 0, where x * x had 0.",
        lambda x: x**2,
        lambda x: 2 * x if x else nan,
        lambda x: 2 * x,
        ((0.0,),),
        ((1.0,),),
    ),
    Bug(
        "pytorch/pytorch#80770",
        "x * log y had slope 0 by x at x = 0, for log y.",
        lambda x, y: x * ag.log(y),
        lambda x, y: (log(y) if x else 0.0, x / y),
        lambda x, y: (log(y), x / y),
        ((0.0, 2.0),),
        ((0.1, 2.0), (0.0, 1.0)),
    ),
    Bug(
        "autodiff/autodiff#130",
        "abs at 0: x / abs(x) in forward mode, nan. Any number from -1 to 1 would do.",
        ag.abs,
        lambda x: x / abs(x) if x else nan,
        lambda x: x / abs(x) if x else 0.0,
        ((0.0,),),
        ((-3.0,),),
    ),
    Bug(
        "pytorch/pytorch#195530",
        "The second derivative of log_sigmoid on the right: s * (1 - s) is 0 from 37 on. (Here: of "
        "its first one.)",
        lambda x: ag.sigmoid(-x),
        lambda x: -sigmoid(x) * (1.0 - sigmoid(x)),
        lambda x: -sigmoid(x) * sigmoid(-x),
        ((40.0,), (36.0,), (30.0,)),
        ((1.0,), (-40.0,)),
    ),
    Bug(
        "pytorch/pytorch#61568",
        "softplus with a threshold: the backward pass compared the output with it, not the input.",
        lambda x: ag.softplus(3.0 * x) / 3.0,
        lambda x: 1.0 if log1p(exp(3.0 * x)) > 1.0 else sigmoid(3.0 * x),
        lambda x: sigmoid(3.0 * x),
        ((0.2736,),),
        ((-1.0,), (0.1,)),
    ),
    Bug(
        "HIPS/autograd#412",
        "The log density of a normal distribution by its covariance had the wrong sign.",
        normal_logpdf,
        lambda *a: (*normal_slopes(*a)[:2], -normal_slopes(*a)[2]),
        normal_slopes,
        ((1.0, 0.5, 2.0), (0.0, 3.0, 0.1)),
        ((3.0, 1.0, 4.0),),
    ),
    Bug(
        "stan-dev/math#1578",
        "A negative binomial distribution was computed as a Poisson one for large alpha: good "
        "enough for the value, not for slopes. (Here: of zero events.)",
        lambda alpha, beta: alpha * ag.log(beta / (1.0 + beta)),
        lambda alpha, beta: (
            (-1 / beta, alpha / beta**2)
            if alpha > 1e10
            else (log(beta / (1 + beta)), alpha / (beta * (1 + beta)))
        ),
        lambda alpha, beta: (log(beta / (1 + beta)), alpha / (beta * (1 + beta))),
        ((1e10 + 1, 0.8),),
        ((10.0, 0.8),),
    ),
    Bug(
        "stan-dev/math#3397",
        "The log probability of a success had slope -exp(-x) for +exp(-x) beyond 20: an error of "
        "4e-9 at most, below every absolute tolerance.",
        ag.log_sigmoid,
        lambda x: -exp(-x) if x > 20 else sigmoid(-x),
        lambda x: sigmoid(-x),
        ((20.5,), (30.0,), (300.0,)),
        ((1.0,), (-25.0,)),
    ),
    Bug(
        "stan-dev/math#1569",
        "One of two terms was not multiplied with what came from above; tests had 1 there. (Here: "
        "the square of x sin x.)",
        lambda x: (x * ag.sin(x)) ** 2,
        lambda x: 2 * x * sin(x) * sin(x) + x * cos(x),
        lambda x: 2 * x * sin(x) * (sin(x) + x * cos(x)),
        ((1.0,), (-2.0,)),
        ((0.0,),),
    ),
    Bug(
        "statsmodels/statsmodels#9860",
        "The variance mu * (1 - mu/n) of a binomial had slope 1 - 2 mu, right for n = 1 only.",
        lambda mu: mu * (1.0 - mu / 10.0),
        lambda mu: 1 - 2 * mu,
        lambda mu: 1 - 2 * mu / 10,
        ((5.0,), (0.3,)),
        ((0.0,),),
    ),
    Bug(
        "statsmodels/statsmodels#299",
        "The slope of a link, 1 / density, took the density at the mean, not at its quantile.",
        lambda p: ag.log(p / (1.0 - p)),
        lambda p: 1.0 / (sigmoid(p) * sigmoid(-p)),
        lambda p: 1.0 / (p * (1.0 - p)),
        ((0.2,), (0.9,)),
    ),
    Bug(
        "mlpack/mlpack#1923",
        "Batch normalisation: the term of the mean was a sum over the batch. The test had no layer "
        "below, so nobody looked at it.",
        batch_norm,
        lambda *x: batch_norm_slopes(*x, divided=False),
        batch_norm_slopes,
        ((0.3, -0.8, 1.7, 0.2), (5.0, 5.5, 4.0, 4.5)),
    ),
    Bug(
        "axkr/symja_android_library#92",
        "The derivative of the sine integral was -sin(x)/x.",
        lambda x: x * series(x * x, SINE_INTEGRAL),
        lambda x: -sin(x) / x,
        lambda x: sin(x) / x,
        ((1.0,), (-2.0,)),
    ),
    Bug(
        "JuliaStats/Distributions.jl#1221",
        "The slope of the logit-normal log density had log x for logit x.",
        logit_normal,
        lambda x: (-log(x) - 1 + 2 * x) / (x * (1 - x)),
        lambda x: (log(1 - x) - log(x) - 1 + 2 * x) / (x * (1 - x)),
        ((0.3,), (0.9,)),
    ),
    Bug(
        "stdlib-js/stdlib#13111",
        "The modified Huber loss lacked the factor 2 of its square.",
        lambda d: -4.0 * d if d < -1 else (1.0 - d) ** 2,
        lambda d: -4.0 if d < -1 else -(1 - d),
        lambda d: -4.0 if d < -1 else -2 * (1 - d),
        ((0.0,), (-0.5,)),
        ((-2.0,),),
    ),
    Bug(
        "kornia/kornia#4237",
        "A quaternion as axis and angle, at the identity: slope 2 for 2/w, seen at w = 1 only.",
        rotation,
        lambda w, x: (0.0, 2.0) if x == 0 else rotation_slopes(w, x),
        rotation_slopes,
        ((-1.0, 0.0), (2.0, 0.0)),
        ((1.0, 0.0), (-1.0, 0.3)),
    ),
    Bug(
        "pints-team/pints#1136",
        "Eight schools: the slope by mu lacked what comes from the schools, which is 0 where all "
        "parameters are 1, as they were in the test.",
        schools,
        lambda mu, tau, *t: (-mu / 25.0, *schools_slopes(mu, tau, *t)[1:]),
        schools_slopes,
        ((0.5, 2.0, 1.0, 1.5), (-1.0, 0.7, 1.0, 1.5)),
        ((1.0, 1.0, 1.0, 1.0),),
    ),
    Bug(
        "alan-turing-institute/stat-fem#35",
        "A parameter on the logarithmic scale: the factor exp(r) of the chain rule was missing.",
        lambda r: -0.5 * (2.0 - 1.5 * ag.exp(r)) ** 2,
        lambda r: (2.0 - 1.5 * exp(r)) * 1.5,
        lambda r: (2.0 - 1.5 * exp(r)) * 1.5 * exp(r),
        ((0.5,), (-1.0,)),
        ((0.0,),),
    ),
    Bug(
        "normal-computing/posteriors#15",
        "Slopes by the standard deviation where the parameter was its logarithm.",
        lambda s: -s - 0.5 * 1.69 * ag.exp(-2.0 * s),
        lambda s: (-1.0 + 1.69 * exp(-2.0 * s)) / exp(s),
        lambda s: -1.0 + 1.69 * exp(-2.0 * s),
        ((0.5,), (-1.0,)),
        ((0.0,),),
    ),
]

ALARMS = [
    Alarm(
        "pytorch/pytorch#114234",
        "gradcheck refuses relu at 0, where a difference of both sides says 0.5. Anything from 0 "
        "to 1 is right.",
        ag.relu,
        (lambda x: float(x > 0), lambda x: float(x >= 0), lambda x: 0.5 * ((x > 0) + (x >= 0))),
        ((0.0,), (1.0,), (-1.0,)),
    ),
    Alarm(
        "tensorflow/tensorflow#62429",
        "The same, near the kink: a difference whose step reaches over it.",
        lambda x: ag.relu(x) * 2.0,
        (lambda x: 2.0 * (x > 0),),
        ((1e-9,), (-1e-12,), (5e-324,)),
    ),
    Alarm(
        "BVLC/caffe#1334",
        "A wish: at a kink, accept what lies between the slopes of both sides.",
        ag.abs,
        (lambda x: -1.0 if x <= 0 else 1.0, lambda x: 0.25 if x == 0 else x / abs(x)),
        ((0.0,), (2.0,)),
    ),
    Alarm(
        "jax-ml/jax#37821",
        "maximum(x, 0) at the tie: half for each argument is as right as all for one.",
        ag.maximum,
        (
            lambda x, y: (0.5, 0.5) if x == y else (float(x > y), float(y > x)),
            lambda x, y: (float(x > y), float(x <= y)),
            lambda x, y: (float(x >= y), float(y > x)),
        ),
        ((0.0, 0.0), (2.0, 2.0), (1.0, 2.0)),
    ),
    Alarm(
        "pytorch/pytorch#7002",
        "clamp at its border: slope 0 or 1, a convention.",
        lambda x: ag.minimum(ag.maximum(x, 0.0), 1.0),
        (lambda x: float(0 < x < 1), lambda x: float(0 <= x <= 1)),
        ((0.0,), (1.0,), (0.5,), (-3.0,)),
    ),
    Alarm(
        "pytorch/pytorch#13886",
        "The slope of 1/x in two orders of operations differs in the last digit: rounding.",
        lambda x: 1.0 / x,
        (lambda x: -1.0 / x**2, lambda x: -(1.0 / x) * (1.0 / x), lambda x: -(x**-2)),
        ((0.3,), (-7.1,), (1e-100,), (1e100,)),
    ),
    Alarm(
        "scikit-learn/scikit-learn#11113",
        "The slope of a kernel by its length scale was called wrong: it is the one by the "
        "logarithm, which is the parameter.",
        lambda s: ag.exp(-2.0 * ag.exp(-2.0 * s)),
        (lambda s: exp(-2.0 * exp(-2.0 * s)) * 4.0 * exp(-2.0 * s),),
        ((log(2.0),), (-0.5,)),
    ),
    Alarm(
        "BVLC/caffe#3878",
        "Batch normalisation was said to lack a term: it is a multiple of the mean of what has "
        "mean 0.",
        batch_norm,
        (batch_norm_slopes,),
        ((0.3, -0.8, 1.7, 0.2),),
    ),
    Alarm(
        "pytorch/pytorch#107007",
        "The sum of deviations from the mean has gradient 0, whatever one entry says alone.",
        lambda *x: sum(v - sum(x) / len(x) for v in x),
        (lambda *x: (0.0,) * len(x),),
        ((1.0, 2.0, 3.0, 4.0),),
    ),
    Alarm(
        "HomericIntelligence/Odyssey#2077",
        "A test of relu at 0 compared with the difference 0.5, and was moved to 0.01 to pass.",
        lambda x, y: ag.relu(x) + ag.relu(y),
        (lambda x, y: (0.0, 0.0), lambda x, y: (0.5, 1.0)),
        ((0.0, 0.0),),
    ),
]
