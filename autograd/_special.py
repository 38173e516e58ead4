"""The functions libm lacks or CPython computes in its own way, in plain arithmetic on floats.

Compiled code must give the same bits, so each is a fixed sequence of IEEE operations and libm
calls. This module knows floats only.
"""

from __future__ import annotations

import math
from typing import Final

_EULER: Final = 0.5772156649015329

# zeta(k) - 1 for k = 2, 3, ...: coefficients of the series of lgamma about 2 (Abramowitz and
# Stegun 6.1.33). Beyond k = 27 the term is below half an ulp for |z| <= 1/2.
ZETA_MINUS_1: Final[tuple[float, ...]] = (
    0.6449340668482264,
    0.2020569031595943,
    0.08232323371113819,
    0.03692775514336993,
    0.01734306198444914,
    0.008349277381922827,
    0.00407735619794434,
    0.0020083928260822143,
    0.0009945751278180853,
    0.0004941886041194645,
    0.0002460865533080483,
    0.00012271334757848915,
    6.124813505870483e-05,
    3.058823630702049e-05,
    1.528225940865187e-05,
    7.637197637899763e-06,
    3.81729326499984e-06,
    1.908212716553939e-06,
    9.539620338727962e-07,
    4.769329867878064e-07,
    2.38450502727733e-07,
    1.1921992596531106e-07,
    5.960818905125948e-08,
    2.980350351465228e-08,
    1.4901554828365043e-08,
    7.45071178983543e-09,
)

# Bernoulli numbers B2 to B20, for the asymptotic series (Abramowitz and Stegun 6.1.40, 6.4.11).
BERNOULLI: Final[tuple[float, ...]] = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)

# The positive root of digamma, in two parts, and the coefficients of its Taylor series there.
DIGAMMA_ROOT: Final[float] = 1.4616321449683622
DIGAMMA_ROOT_REST: Final[float] = 9.549995429965697e-17
DIGAMMA_SERIES: Final[tuple[float, ...]] = (
    0.9676722454476212,
    -0.4427631689835921,
    0.258499760955651,
    -0.16394270544240652,
    0.10782405069126237,
    -0.07219956125645471,
    0.04880428816414311,
    -0.03316112647484736,
    0.022597648232218104,
    -0.01542476590494896,
    0.010538791616612175,
    -0.007204534386356869,
    0.004926781395729853,
    -0.003369801655439328,
    0.002305126326734928,
    -0.0015769367714301972,
    0.0010788252019162967,
    -0.0007380709389960052,
    0.000504953265834602,
    -0.0003454680251063077,
)


# 2k / (2k + 1)! for k = 1, 2, ...: x cosh x - sinh x is the sum of these times x^(2k + 1).
TANHSHRINK: Final[tuple[float, ...]] = tuple(
    [2 * k / math.factorial(2 * k + 1) for k in range(1, 12)]
)


def hypot(x: float, y: float) -> float:
    """Return sqrt(x*x + y*y) without needless overflow or underflow; within 2 ulp."""
    x = abs(x)
    y = abs(y)
    big = x if x > y else y
    small = y if x > y else x
    if big == math.inf or small == math.inf:
        return math.inf
    if x != x or y != y:
        return math.nan
    if big == 0.0:
        return 0.0
    r = small / big
    return big * math.sqrt(1.0 + r * r)


def direction(x: float, y: float) -> float:
    """Return x / hypot(x, y), 0 at the origin; no intermediate is out of range unless it is."""
    if x != x or y != y:
        return math.nan
    if x == 0.0:
        return x
    if abs(x) >= abs(y):
        r = y / x  # nan for two infinities
        return math.copysign(1.0, x) / math.sqrt(1.0 + r * r)
    r = x / abs(y)
    return r / math.sqrt(1.0 + r * r)


def _lgamma_near_2(z: float) -> float:
    """Return log(gamma(2 + z)) for |z| <= 1/2, with full relative accuracy at the zero z = 0."""
    total = 0.0
    k = len(ZETA_MINUS_1) + 1
    while k >= 2:
        total = ZETA_MINUS_1[k - 2] / k - z * total
        k -= 1
    return z * ((1.0 - _EULER) + z * total)


def lgamma(x: float) -> float:
    """Return log(abs(gamma(x))); inf at the poles 0, -1, -2, ... and at both infinities."""
    if x != x:
        return x
    if abs(x) == math.inf:
        return math.inf
    if x <= 0.0:
        if x == math.floor(x):
            return math.inf
        if x > -0.5:  # gamma(x) = gamma(x + 2) / (x (x + 1)), without the reflection's cancellation
            return _lgamma_positive(x + 1.0) - math.log(-x)
        s = abs(math.sin(math.pi * (x - math.floor(x + 0.5))))  # exact beside the poles
        return math.log(math.pi / s) - _lgamma_positive(1.0 - x)
    return _lgamma_positive(x)


def _lgamma_positive(x: float) -> float:
    if x >= 10.0:
        r = 1.0 / x
        r2 = r * r
        total = 0.0
        k = len(BERNOULLI)
        while k >= 1:
            total = total * r2 + BERNOULLI[k - 1] / (2 * k * (2 * k - 1))
            k -= 1
        if x > 1e305:  # (x - 1/2) log x alone would overflow before the result does
            return x * (math.log(x) - 1.0)
        return (x - 0.5) * math.log(x) - x + 0.9189385332046728 + total * r
    if x < 0.5:
        return _lgamma_near_2(x) - math.log1p(x) - math.log(x)
    if x < 1.5:
        z = x - 1.0
        return _lgamma_near_2(z) - math.log1p(z)
    product = 1.0
    while x > 2.5:
        x -= 1.0
        product *= x
    return _lgamma_near_2(x - 2.0) + math.log(product)


def gamma(x: float) -> float:
    """Return the gamma function, exact at integers; nan at its poles -1, -2, ..., inf at 0."""
    if x != x or x == math.inf:
        return x
    if x == 0.0:
        return math.copysign(math.inf, x)
    if x == -math.inf:
        return math.nan
    if x > 172.0:
        return math.inf
    if -0.5 < x < 0.5:  # gamma(x) = gamma(x + 2) / (x (x + 1))
        return math.exp(_lgamma_near_2(x)) / (1.0 + x) / x
    if x > 0.0:
        product = 0.5  # not 1, so that what overflows is the result alone
        while x > 2.5:
            x -= 1.0
            product *= x
        if x < 1.5:
            return math.exp(_lgamma_near_2(x - 1.0)) / x
        return product * math.exp(_lgamma_near_2(x - 2.0)) * 2.0
    if x == math.floor(x):
        return math.nan
    # Reflection, dividing by one factor after the other: their product may overflow.
    turns = float(math.floor(x + 0.5))
    out = math.pi / math.sin(math.pi * (x - turns))
    if math.fmod(turns, 2.0) != 0.0:
        out = -out
    y = 1.0 - x if x > -249.0 else 250.0  # beyond that the result is 0 for long
    while y > 2.5:
        y -= 1.0
        out /= y
    return out / math.exp(_lgamma_near_2(y - 2.0))


def tanhshrink(x: float) -> float:
    """Return x - tanh(x), by the series of (x cosh x - sinh x) / cosh x where that cancels."""
    if not abs(x) < 1.0:
        return x - math.tanh(x)
    x2 = x * x
    total = 0.0
    k = len(TANHSHRINK)
    while k >= 1:
        total = total * x2 + TANHSHRINK[k - 1]
        k -= 1
    return total * x2 * x / math.cosh(x)


def polygamma(n: float, x: float) -> float:
    """Return the n-th derivative of digamma at x, n = 0, 1, 2, ...

    At the poles -1, -2, ...: nan for even n (the sides differ in sign), inf for odd n. At 0 the
    sign of the zero tells the side.
    """
    if not 0.0 <= n <= 60.0 or n != math.floor(n) or x != x or x == -math.inf:
        return math.nan
    order = int(n)
    if x == math.inf:
        return math.inf if order == 0 else 0.0
    if x > 0.0:
        return _polygamma_positive(order, x)
    if x == 0.0:
        return math.inf if order % 2 else math.copysign(math.inf, -x)
    if x == math.floor(x):
        return math.inf if order % 2 else math.nan
    # Reflection: psi_n(x) = (-1)^n psi_n(1 - x) - pi d^n/dx^n cot(pi x).
    t = x - math.floor(x + 0.5)  # cot has period 1; exact, also just below zero
    c = math.cos(math.pi * t) / math.sin(math.pi * t)
    # d/dx p(cot(pi x)) = -pi (1 + c^2) p'(c): differentiate the polynomial n times.
    p = [0.0, 1.0]
    for _ in range(order):
        q = [0.0] * (len(p) + 1)
        for i in range(1, len(p)):
            q[i - 1] -= i * p[i]
            q[i + 1] -= i * p[i]
        p = q
    total = p[-1]
    for i in range(len(p) - 2, -1, -1):
        total = total * c + p[i]
    mirrored = _polygamma_positive(order, 1.0 - x)
    return (-mirrored if order % 2 else mirrored) - math.pi ** (order + 1) * total


def _digamma_near_root(x: float) -> float:
    """Return digamma(x) for |x - root| <= 0.2, with full relative accuracy at the root."""
    d = (x - DIGAMMA_ROOT) - DIGAMMA_ROOT_REST
    total = 0.0
    for k in range(len(DIGAMMA_SERIES) - 1, -1, -1):
        total = total * d + DIGAMMA_SERIES[k]
    return total * d


def _polygamma_positive(n: int, x: float) -> float:
    if n == 0 and abs(x - DIGAMMA_ROOT) <= 0.2:
        return _digamma_near_root(x)
    # psi_n(x) = psi_n(x + 1) - (-1)^n n! / x^(n+1), up to where the asymptotic series holds.
    sign = -1.0 if n % 2 else 1.0
    factorial = float(math.factorial(n))
    shift = 0.0
    limit = 10.0 + n
    while x < limit:
        power = x
        for _ in range(n):
            power *= x
        shift += factorial / power if power != 0.0 else math.inf
        x += 1.0
    r = 1.0 / x
    r2 = r * r
    # Terms B_2k (2k + n - 1)! / ((2k)! x^(2k + n)), summed from the smallest.
    total = 0.0
    k = len(BERNOULLI)
    while k >= 1:
        factor = 1.0 / (2 * k) if n == 0 else 1.0
        for j in range(1, n):
            factor *= 2 * k + j
        total = total * r2 + BERNOULLI[k - 1] * factor
        k -= 1
    if n == 0:
        return math.log(x) - 0.5 * r - total * r2 - shift
    rn = 1.0
    for _ in range(n):
        rn *= r
    head = factorial / n + 0.5 * factorial * r + total * r2
    return -sign * head * rn - sign * shift
