"""Warns where a derivative came back as floats and is then added to a loss of the same `Value`s: a
penalty that trains nothing.

To take floats is right when a slope is looked at, so that alone is no reason to warn. What shows
the mistake is that the next `backward()` reaches a `Value` the derivative closed over, unchanged
since, and that a constant was added to the root: one that cannot matter to its gradient.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, Final

from ._graph import order_of
from ._primitive import Node, operands_of

_MOST: Final = 8  # places in the code that are remembered
_SUMS: Final = ("add", "sub", "neg")

# By place in the code: the function, a leaf that it closed over, the leaf's number then.
noted: Final[dict[str, tuple[str, Node, float]]] = {}


class DroppedDependence(UserWarning):
    """A derivative that came back as floats was added to a loss that trains what it depends on."""


def note(what: str, leaf: Node, place: str) -> None:
    """Remember that `what` gave floats at this place, though its graph closed over `leaf`."""
    if place in noted or len(noted) < _MOST:
        noted[place] = what, leaf, leaf._data


def warn_before(root: Node) -> None:
    """Warn if what was noted is likely to have been meant as part of `root`; forget it."""
    found = list(noted.items())
    noted.clear()
    if not _adds_a_constant(root):
        return
    below = {id(node) for node in order_of([root]) if node._prim is None}
    for place, (what, leaf, number) in found:
        if id(leaf) in below and leaf._data == number:
            warnings.warn(
                f"{what} at {place} gave floats, which do not depend on the Values that its "
                f"function closed over (as {leaf!r}); added to a loss they train nothing. "
                "Use differentiate(y, [x]), or pass the Values as arguments, and Values come back; "
                "if a constant is meant, filter autograd.DroppedDependence",
                DroppedDependence,
                stacklevel=_user_level(),
            )


def _user_level() -> int:
    """Return the `stacklevel` of the code that called `backward()`; compiled code has no frames."""
    level = 2
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__", "").startswith("autograd.") and frame.f_back is not None:
        frame = frame.f_back
        level += 1
    return level


def _adds_a_constant(root: Node) -> bool:
    """Say whether `root` is a sum (times constants) with a constant that is no whole number."""
    waiting: list[Any] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        prim = node._prim
        if prim is None or id(node) in seen:
            continue
        seen.add(id(node))
        operands = operands_of(node)
        nodes = [x for x, _ in operands if x is not None]
        if prim.name in _SUMS:
            if any(x is None and number != number // 1 for x, number in operands):
                return True
            waiting += nodes
        elif prim.name in ("mul", "div") and len(nodes) == 1:
            waiting += nodes
    return False
