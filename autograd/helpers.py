"""Functions composed of primitives: they have no row, because their derivative is that of what they
are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, Final

from ._primitive import Node, watch
from ._rules import abs, div, exp, greater, hypot, log, maximum, stop_gradient, where

_MOST: Final = 1.7976931348623157e308  # the largest float
Scalar = Any  # a Value or a float: what comes out is a Value as soon as one goes in


def _items(values: Iterable[Scalar], name: str) -> list[Scalar]:
    try:
        items = list(values)
    except TypeError:
        raise TypeError(
            f"{name}() takes an iterable of Values and numbers, not {values!r}"
        ) from None
    return items


def sum(values: Iterable[Scalar], start: Scalar = 0.0) -> Scalar:
    """Return the sum, added from left to right; `start` (0) for no values."""
    total = start
    for i, x in enumerate(_items(values, "sum")):
        total = x if i == 0 and isinstance(start, float) and start == 0.0 else total + x
    return total


def prod(values: Iterable[Scalar], start: Scalar = 1.0) -> Scalar:
    """Return the product, multiplied from left to right; `start` (1) for no values."""
    total = start
    for i, x in enumerate(_items(values, "prod")):
        total = x if i == 0 and isinstance(start, float) and start == 1.0 else total * x
    return total


def mean(values: Iterable[Scalar]) -> Scalar:
    """Return the arithmetic mean.

    Raises:
        ValueError: there are no values.
    """
    items = _items(values, "mean")
    if not items:
        raise ValueError("mean() of no values")
    return div(sum(items), float(len(items)))


def dot(xs: Iterable[Scalar], ys: Iterable[Scalar]) -> Scalar:
    """Return the sum of the products of corresponding items; 0 for none.

    Raises:
        ValueError: the lengths differ.
    """
    left, right = _items(xs, "dot"), _items(ys, "dot")
    if len(left) != len(right):
        raise ValueError(f"dot() of {len(left)} and {len(right)} values: the lengths must agree")
    return sum([x * y for x, y in zip(left, right, strict=True)])


def norm(values: Iterable[Scalar]) -> Scalar:
    """Return the Euclidean length, without overflow; its derivative at the origin is 0."""
    items = _items(values, "norm")
    if not items:
        return 0.0
    total = abs(items[0])
    for x in items[1:]:
        total = hypot(total, x)
    # hypot(inf, nan) is inf, as C has it, but a vector with a nan has no length.
    if not _recorded_for_all() and not (_number(total) == inf and any(map(_is_nan, items))):
        return total
    size = abs(items[0])
    for x in items[1:]:
        size = maximum(size, abs(x))
    size = stop_gradient(size)
    return where(greater(size, -1.0), total, total * size)


def _recorded_for_all() -> bool:
    """Say whether the graph is recorded for other numbers too, so that none may decide."""
    return watch.count != 0 and watch.freezes()


def _number(x: Scalar) -> float:
    return x._data if isinstance(x, Node) else x


def _is_nan(x: Scalar) -> bool:
    number = _number(x)
    return number != number


def _largest(items: Sequence[Scalar]) -> Scalar:
    """Return the largest item. It is computed in the graph (not picked by comparing), so that
    compiled code follows the data."""
    largest = items[0]
    for x in items[1:]:
        largest = maximum(largest, x)
    return largest


def _shift(largest: Scalar) -> Scalar:
    """Return the largest item as a constant of the derivative, 0 if it is infinite."""
    return stop_gradient(where(greater(inf, abs(largest)), largest, 0.0))


def logsumexp(values: Iterable[Scalar]) -> Scalar:
    """Return log(sum(exp(x))) without overflow; -inf for no values.

    Beside an infinite item the others do not count: it is that item, and so is its derivative.
    """
    items = _items(values, "logsumexp")
    if not items:
        return -inf
    largest = _largest(items)
    if not _recorded_for_all():
        return largest if _number(largest) == inf else _logsumexp(items, largest)
    infinite = greater(largest, _MOST)
    # Replaced where they are not selected, lest their infinities reach second derivatives.
    found = _logsumexp([where(infinite, 0.0, x) for x in items], where(infinite, 0.0, largest))
    return where(infinite, largest, found)


def _logsumexp(items: Sequence[Scalar], largest: Scalar) -> Scalar:
    shift = _shift(largest)
    return log(sum([exp(x - shift) for x in items])) + shift


def softmax(values: Iterable[Scalar]) -> list[Scalar]:
    """Return exp(x) / sum(exp(x)) for each value, without overflow; they add up to 1."""
    items = _items(values, "softmax")
    if not items:
        return []
    shift = _shift(_largest(items))
    powers = [exp(x - shift) for x in items]
    total = sum(powers)
    return [div(p, total) for p in powers]
