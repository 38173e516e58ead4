"""The reference class of the GPT benchmark: a scalar in the style of micrograd, done well.

Slots, and a tuple of partials where micrograd has a closure, so that its graphs are free of
reference cycles; otherwise the plain Python class that a good tutorial ends with.
"""

from __future__ import annotations

import math


class Value:
    """A number that remembers what it was computed from."""

    __slots__ = ("data", "grad", "parents", "partials")

    def __init__(
        self,
        data: float,
        parents: tuple[Value, ...] = (),
        partials: tuple[float, ...] = (),
    ) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.partials = partials

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Value:
        partial = exponent * self.data ** (exponent - 1)
        return Value(self.data**exponent, (self,), (partial,))

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Value | float) -> Value:
        return self + (-other)

    def __truediv__(self, other: Value | float) -> Value:
        return self * other**-1

    __radd__ = __add__
    __rmul__ = __mul__

    def __lt__(self, other: Value) -> bool:
        return self.data < other.data

    def __gt__(self, other: Value) -> bool:
        return self.data > other.data

    def exp(self) -> Value:
        """Return e to the power of this."""
        out = math.exp(self.data)
        return Value(out, (self,), (out,))

    def log(self) -> Value:
        """Return the natural logarithm."""
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self) -> Value:
        """Return this where it is positive, else zero."""
        return Value(max(0.0, self.data), (self,), (float(self.data > 0),))

    def backward(self) -> None:
        """Add to every `.grad` below the derivative of this with respect to it."""
        order: list[Value] = []
        visited: set[Value] = set()

        def visit(node: Value) -> None:
            if node not in visited:
                visited.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, partial in zip(node.parents, node.partials, strict=True):
                parent.grad += partial * node.grad
