"""How a batch becomes a value and a gradient: graph after graph, or as machine code.

The training loop knows only `Objective`: parameters in and gradients out as one column of numbers,
a list for graphs and a NumPy array for machine code.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Value, explain_nan

from ._module import Module
from ._optimizers import Column

Loss = Callable[[Any, Any], Any]
Penalty = Callable[[list[Value]], Value]


def put(parameters: Sequence[Value], numbers: Column) -> None:
    """Give the parameters these numbers, and gradients of 0."""
    plain = numbers if isinstance(numbers, list) else numbers.tolist()
    for parameter, number in zip(parameters, plain, strict=True):
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
        return self._loss_of(self.model, self.x[i], self.y[i])

    def _loss_of(self, model: Module, x: Any, y: Any) -> Value:
        value = self.loss(model(x), y)
        if not isinstance(value, Value):
            raise TypeError(f"fit: the loss of a sample must be a Value, not {value!r}")
        return value

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        return outputs_of(self.model, x)

    def _penalised(self, value: float, gradient: list[float]) -> tuple[float, list[float]]:
        """Return value and gradient with those of the penalty, at the model's parameters."""
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


class CompiledObjective(Objective):
    """The same by machine code: the loss of a sample is recorded once and run over all rows."""

    def __init__(
        self,
        model: Module,
        loss: Loss,
        penalty: Penalty | None,
        x: Sequence[Any],
        y: Sequence[Any],
        executor: Any = None,
    ) -> None:
        super().__init__(model, loss, penalty, x, y)
        import numpy

        self._rows = numpy.array(x, dtype=float), numpy.array(y, dtype=float)
        self._array = numpy.array
        self._kernel = autograd.compile(
            lambda at, x, y: self._loss_of(self._with(at), _listed(x), _listed(y)),
            wrt=0,
            in_axes=(None, 0, 0),
            reduce="mean",
            executor=executor,
        )
        self._outputs = autograd.compile(
            lambda at, x: self._with(at)(_listed(x)), in_axes=(None, 0), executor=executor
        )

    def _with(self, numbers: Any) -> Module:
        """Return the model with other `Value`s for its parameters."""
        return copy.deepcopy(
            self.model, {id(p): x for p, x in zip(self.parameters, numbers, strict=True)}
        )

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return self._array(numbers)

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`."""
        x, y = self._rows
        whole = len(indices) == len(x)
        part = (x, y) if whole else (x[indices], y[indices])
        value, gradient = self._kernel.value_and_grad(at, *part)
        if self.penalty is None:
            return value, gradient
        put(self.parameters, at)
        value, gradient = self._penalised(value, gradient.tolist())
        return value, self._array(gradient)

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        at = self._array([parameter.data for parameter in self.parameters])
        found = self._outputs(at, self._array(x, dtype=float))
        if isinstance(found, (list, tuple)):
            return [list(row) for row in zip(*[column.tolist() for column in found], strict=True)]
        plain: list[Any] = found.tolist()
        return plain


def _listed(row: Any) -> Any:
    """Return one row as the lists and numbers that graph after graph would see."""
    return row.tolist() if hasattr(row, "tolist") else row


# Recording and compiling a sample's loss takes about as long as this many samples take as graphs,
# whatever the size of the network: both grow with its operations.
_PAYS_AFTER = 500


def choose(
    compiled: bool | None,
    executor: Any,
    samples: int,
    model: Module,
    loss: Loss,
    penalty: Penalty | None,
    x: Sequence[Any],
    y: Sequence[Any],
) -> Objective:
    """Return the objective by machine code if `compiled` or, for None, if it can and will pay.

    `samples` is how many there are to go through, over all epochs.

    Raises:
        ImportError: `compiled` is True, but what `autograd.compile` needs is not installed.
    """
    if compiled or (compiled is None and samples > _PAYS_AFTER):
        try:
            objective = CompiledObjective(model, loss, penalty, x, y, executor)
            objective(objective.column([p.data for p in objective.parameters]), [0])
            return objective
        except ImportError:
            if compiled:
                raise
        except TypeError as reason:
            if compiled:
                raise
            warnings.warn(f"fit: not compiled, so slower: {reason}", RuntimeWarning, stacklevel=3)
    return Objective(model, loss, penalty, x, y)
