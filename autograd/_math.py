"""The names of Python's `math` that are no primitives, so that `import autograd as math` does.

Either composed of primitives, or a comparison, or for plain numbers only: integers and bits have no
derivative. Knows nothing of graphs as a whole.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, Final

from ._primitive import Node, as_float
from ._rules import abs, div, fmod, greater, hypot, mul, sub, trunc, where
from .helpers import dot

Scalar = Any  # a Value or a float: what comes out is a Value as soon as one goes in


def degrees(x: Scalar) -> Scalar:
    """Return the angle `x`, in radians, in degrees."""
    return mul(x, 180.0 / math.pi)


def radians(x: Scalar) -> Scalar:
    """Return the angle `x`, in degrees, in radians."""
    return mul(x, math.pi / 180.0)


def dist(p: Iterable[Scalar], q: Iterable[Scalar]) -> Scalar:
    """Return the Euclidean distance of two points; its derivative where they agree is 0.

    Raises:
        ValueError: they have different numbers of coordinates.
    """
    left, right = list(p), list(q)
    if len(left) != len(right):
        raise ValueError(f"dist() of points with {len(left)} and {len(right)} coordinates")
    return hypot(*[sub(x, y) for x, y in zip(left, right, strict=True)])


def sumprod(p: Iterable[Scalar], q: Iterable[Scalar]) -> Scalar:
    """Return the sum of products, added from left to right (`math.sumprod` rounds but once)."""
    return dot(p, q)


def ldexp(x: Scalar, i: int) -> Scalar:
    """Return x * 2**i, rounded once; `i` is an int, without a derivative."""
    i = max(-4400, min(4400, operator.index(i)))
    while i > 1000 or i < -1000:
        step = 1000 if i > 0 else -1000
        x, i = mul(x, 2.0**step), i - step
    return mul(x, 2.0**i)


def modf(x: Scalar) -> tuple[Scalar, Scalar]:
    """Return the fractional and the integer part of `x`, both with its sign."""
    # Of an infinity the fraction is 0, which 1 / x is, too; nan stays nan.
    return where(greater(math.inf, abs(x)), fmod(x, 1.0), div(1.0, x)), trunc(x)


def isnan(x: Scalar) -> bool:
    """Say whether `x` is nan; noticed like a comparison."""
    return bool(x != x) if isinstance(x, Node) else math.isnan(as_float(x, "isnan(): argument 1"))


def isinf(x: Scalar) -> bool:
    """Say whether `x` is inf or -inf; noticed like a comparison."""
    if isinstance(x, Node):
        return bool(abs(x) == math.inf)
    return math.isinf(as_float(x, "isinf(): argument 1"))


def isfinite(x: Scalar) -> bool:
    """Say whether `x` is neither infinite nor nan; noticed like a comparison."""
    if isinstance(x, Node):
        return bool(abs(x) < math.inf)
    return math.isfinite(as_float(x, "isfinite(): argument 1"))


def isclose(a: Scalar, b: Scalar, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    """Say whether `a` and `b` are close, by the rule of `math.isclose`; noticed as comparisons."""
    if not isinstance(a, Node) and not isinstance(b, Node):
        return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    if rel_tol < 0.0 or abs_tol < 0.0:
        raise ValueError("isclose(): tolerances must be non-negative")
    if a == b:
        return True
    if isinf(a) or isinf(b):
        return False
    apart = abs(a - b)
    return bool(apart <= rel_tol * abs(a) or apart <= rel_tol * abs(b) or apart <= abs_tol)


def fsum(values: Iterable[float]) -> float:
    """Return the sum of plain numbers, rounded once.

    Raises:
        TypeError: there is a `Value` among them.
    """
    items = list(values)
    if any(isinstance(x, Node) for x in items):
        raise TypeError("fsum() adds plain numbers exactly; Values are added by autograd.sum()")
    return math.fsum(items)


def _plain_only(name: str, reason: str) -> Callable[..., Any]:
    """Return `math`'s function of that name, which refuses `Value`s for this reason."""

    def function(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Node) for x in (*args, *kwargs.values())):
            raise TypeError(f"{name}() takes plain numbers, no Value: {reason}")
        found = getattr(math, name, None)
        if found is None:
            raise AttributeError(f"the math module of this Python has no {name}()")
        return found(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `math.{name}`; for plain numbers only: {reason}."
    return function


_INTEGERS: Final = "it counts with integers, which have no derivative; "
comb: Final = _plain_only(
    "comb", _INTEGERS + "gamma(n + 1) / (gamma(k + 1) * gamma(n - k + 1)) is smooth"
)
factorial: Final = _plain_only("factorial", _INTEGERS + "gamma(x + 1) is smooth")
gcd: Final = _plain_only("gcd", _INTEGERS + "int(v.data) is a number without gradient")
isqrt: Final = _plain_only("isqrt", _INTEGERS + "floor(sqrt(v)) stays in the graph")
lcm: Final = _plain_only("lcm", _INTEGERS + "int(v.data) is a number without gradient")
perm: Final = _plain_only("perm", _INTEGERS + "gamma(n + 1) / gamma(n - k + 1) is smooth")
_BITS: Final = "it is about the bits of a float, not about the number; "
frexp: Final = _plain_only("frexp", _BITS + "frexp(v.data) gives plain numbers")
nextafter: Final = _plain_only("nextafter", _BITS + "nextafter(v.data, y) gives a plain number")
ulp: Final = _plain_only("ulp", _BITS + "ulp(v.data) gives a plain number")
fma: Final = _plain_only("fma", "x * y + z is its value in the graph, but rounded twice")
