"""How a batch becomes a value and a gradient: graph after graph.

The training loop knows only `Objective`: parameters in and gradients out as one column of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Value, topological_order

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
        put(self.parameters, at)
        for i in indices:
            value = self.sample(i)
            culprit = _culprit(value)
            if culprit:
                return f"sample {i}: {culprit}"
        return "no single sample: the sum of their values or gradients overflows"


def _culprit(root: Value) -> str:
    for node in topological_order(root):
        if not math.isfinite(node.data):
            operands = ", ".join(
                f"{x.data!r}" if isinstance(x, Value) else f"{x!r}" for x in node.operands
            )
            return f"{node.op}({operands}) is {node.data!r}" if node.op else f"a leaf is {node!r}"
    root.backward()
    for node in reversed(topological_order(root)):
        if not math.isfinite(node.grad):
            return f"the gradient of {node!r} is {node.grad!r}"
    return ""
