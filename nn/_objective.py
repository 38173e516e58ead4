"""How a batch becomes a value and a gradient: graph after graph.

The training loop knows only `Objective`: parameters in and gradients out as one column of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Value, explain_nan

from ._module import Module
from ._optimizers import Column

Loss = Callable[[Any, Any], Any]
Penalty = Callable[[list[Value]], Value]


def put(parameters: Sequence[Value], numbers: Column) -> None:
    """Give the parameters these numbers, and gradients of 0."""
    for parameter, number in zip(parameters, numbers, strict=True):
        parameter.data = number
        parameter.grad = 0.0


def outputs_of(model: Module, x: Sequence[Any]) -> list[Any]:
    """Return what `model` gives for each sample, as floats or lists of floats."""
    return [_plain(model(sample)) for sample in x]


def _plain(output: Any) -> Any:
    if isinstance(output, Value):
        return output.data
    return output if isinstance(output, float) else [_plain(one) for one in output]


class Objective:
    """The mean loss over a batch, plus a penalty, as a function of the parameters' numbers."""

    def __init__(
        self,
        model: Module,
        loss: Loss,
        penalty: Penalty | None,
        x: Sequence[Any],
        y: Sequence[Any],
    ) -> None:
        self.model = model
        self.loss = loss
        self.penalty = penalty
        self.x = x
        self.y = y
        self.parameters = model.parameters()

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return numbers

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`."""
        put(self.parameters, at)
        total = 0.0
        for i in indices:
            value = self.sample(i)
            value.backward()
            total += value.data
        n = len(indices)
        gradient = [parameter.grad / n for parameter in self.parameters]
        return self._penalised(total / n, gradient)

    def sample(self, i: int) -> Value:
        """Return the loss of sample `i` at the model's parameters, as graph."""
        value = self.loss(self.model(self.x[i]), self.y[i])
        if not isinstance(value, Value):
            raise TypeError(f"fit: loss(model(x[{i}]), y[{i}]) must be a Value, not {value!r}")
        return value

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        return outputs_of(self.model, x)

    def _penalised(self, value: float, gradient: list[float]) -> tuple[float, list[float]]:
        if self.penalty is None:
            return value, gradient
        for parameter in self.parameters:
            parameter.grad = 0.0
        term = self.penalty(self.parameters)
        term.backward()
        return value + term.data, [
            g + parameter.grad for g, parameter in zip(gradient, self.parameters, strict=True)
        ]

    def diagnose(self, at: Column, indices: list[int]) -> str:
        """Return which sample and which operation made value or gradient not finite."""
        for i in indices:
            put(self.parameters, at)
            cause = self._cause(self.sample(i))
            if cause:
                return f"sample {i}: {cause}"
        put(self.parameters, at)
        cause = "" if self.penalty is None else self._cause(self.penalty(self.parameters))
        return f"penalty: {cause}" if cause else "the sum over the samples overflows"

    def _cause(self, value: Value) -> str:
        """Return what `explain_nan` says if value or gradient are not finite, else ""."""
        value.backward()
        numbers = [value.data, *[parameter.grad for parameter in self.parameters]]
        return "" if all(map(math.isfinite, numbers)) else str(explain_nan(value))
