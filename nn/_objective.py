"""How a batch becomes a value and a gradient: graph after graph, or as machine code.

The training loop knows only `Objective`: numbers of the parameters in and gradients out as one
column, a list for graphs and a NumPy array for machine code. Both add up the samples in the same
order, so they give the same bits.
"""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from operator import add
from typing import Any, Final

import autograd
from autograd import Value, explain_nan

from ._module import Module
from ._optimizers import Column
from ._state import State, differences, is_value

Loss = Callable[[Any, Any], Any]
Penalty = Callable[[list[Value]], Value]

# The order in which compiled code adds up rows: a batch is cut into blocks, row i of a block goes
# to lane i modulo LANES, the rows of an incomplete last group before all others; then lane after
# lane, block after block.
BLOCK: Final = 4096
LANES: Final = 8
# How many numbers are kept at once where the gradient of each row is asked for.
_KEPT: Final = 1 << 22


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
    """The mean loss over a batch, plus a penalty, as a function of the numbers of `parameters`."""

    compiled = False

    def __init__(
        self,
        model: Module,
        loss: Loss,
        penalty: Penalty | None,
        x: Sequence[Any],
        y: Sequence[Any],
        parameters: list[Value],
    ) -> None:
        self.model = model
        self.loss = loss
        self.penalty = penalty
        self.x = x
        self.y = y
        self.parameters = parameters
        self.all_parameters = model.parameters()

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return numbers

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`."""
        put(self.parameters, at)
        n = len(indices)
        total = [0.0] * (1 + len(at))
        for first in range(0, n, BLOCK):
            block = indices[first : first + BLOCK]
            total = list(map(add, total, self._block(block)))
        value, *gradient = [number / n for number in total]
        return self._penalised(value, gradient)

    def _block(self, indices: list[int]) -> list[float]:
        """Return the sums over a block. The samples are run in their order."""
        lanes = [[0.0] * (1 + len(self.parameters)) for _ in range(LANES)]
        rest = len(indices) % LANES
        terms: Iterable[Sequence[float]] = map(self._term, indices)
        if rest:
            kept = list(terms)
            for lane, term in enumerate(kept[-rest:]):
                lanes[lane] = list(map(add, lanes[lane], term))
            terms = kept[:-rest]
        for i, term in enumerate(terms):
            lanes[i % LANES] = list(map(add, lanes[i % LANES], term))
        total = [0.0] * (1 + len(self.parameters))
        for sums in lanes:
            total = list(map(add, total, sums))
        return total

    def _term(self, i: int) -> Sequence[float]:
        """Return value and gradient of sample `i` at the model's parameters."""
        for parameter in self.parameters:
            parameter.grad = 0.0
        value = self.sample(i)
        value.backward()
        return array("d", [value.data, *[parameter.grad for parameter in self.parameters]])

    def sample(self, i: int) -> Value:
        """Return the loss of sample `i` at the model's parameters, as graph."""
        return checked(self.loss(self.model(self.x[i]), self.y[i]))

    @property
    def runs_eagerly(self) -> bool:
        """Whether there is no machine code for the loss."""
        return True

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        return outputs_of(self.model, x)

    def _penalised(self, value: float, gradient: list[float]) -> tuple[float, list[float]]:
        """Return value and gradient with those of the penalty, at the model's parameters."""
        if self.penalty is None:
            return value, gradient
        for parameter in self.parameters:
            parameter.grad = 0.0
        term = self.penalty(self.all_parameters)
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
        cause = "" if self.penalty is None else self._cause(self.penalty(self.all_parameters))
        return f"penalty: {cause}" if cause else "the sum over the samples overflows"

    def _cause(self, value: Value) -> str:
        """Return what `explain_nan` says if value or gradient are not finite, else ""."""
        value.backward()
        numbers = [value.data, *[parameter.grad for parameter in self.parameters]]
        return "" if all(map(math.isfinite, numbers)) else str(explain_nan(value))


class CompiledObjective(Objective):
    """The same by machine code: the loss of a sample is recorded once and run over all rows.

    There is one model: its parameters are the kernel's leaves, whose numbers come with each call.
    """

    compiled = True

    def __init__(
        self,
        model: Module,
        loss: Loss,
        penalty: Penalty | None,
        x: Sequence[Any],
        y: Sequence[Any],
        parameters: list[Value],
        executor: Any = None,
    ) -> None:
        super().__init__(model, loss, penalty, x, y, parameters)
        import numpy

        self._rows = numpy.array(x, dtype=float), numpy.array(y, dtype=float)
        self._numpy = numpy

        # These see model and loss only: what a kernel's function can see is watched at every call.
        def loss_of_row(x: Any, y: Any) -> Value:
            return checked(loss(model(_listed(x)), _listed(y)))

        def output_of_row(x: Any) -> Any:
            return model(_listed(x))

        # Compared with graphs here, which takes a tenth of recording a sample anew.
        common = {"leaves": parameters, "executor": executor, "check": "never"}
        self._mean = autograd.compile(
            loss_of_row, wrt=0, in_axes=(None, 0, 0), reduce="mean", **common
        )
        self._make_each = partial(
            autograd.compile, loss_of_row, wrt=0, in_axes=(None, 0, 0), **common
        )
        self._make_outputs = partial(autograd.compile, output_of_row, in_axes=(None, 0), **common)
        self._branches = False
        self._calls = 0
        self._predictions = 0

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return self._numpy.array(numbers)

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`."""
        x, y = self._rows
        whole = len(indices) == len(x) and indices == list(range(len(x)))
        part = (x, y) if whole else (x[indices], y[indices])
        if not self._branches:
            value, gradient = self._mean.value_and_grad(at, *part)
            # A kernel adds up the rows of each branch apart from the others.
            self._branches = bool(self._mean.program.guards)
        if self._branches:
            value, gradient = self._row_by_row(at, *part)
        self._calls += 1
        if _is_checked(self._calls):
            self.compare(at, indices[self._calls // 3 % len(indices)])
        if self.penalty is None:
            return value, gradient
        put(self.parameters, at)
        value, gradient = self._penalised(value, gradient.tolist())
        return value, self.column(gradient)

    @cached_property
    def _each(self) -> Any:
        return self._make_each()

    @cached_property
    def _outputs(self) -> Any:
        return self._make_outputs()

    @property
    def runs_eagerly(self) -> bool:
        """Whether there is no machine code for the loss after all."""
        return bool(self._mean.eager_reason)

    def compare(self, at: Column, i: int) -> None:
        """Compare what compiled code gives for sample `i` with what the function gives.

        Raises:
            StaleKernel: they differ.
        """
        put(self.parameters, at)
        wanted, *slopes = [number + 0.0 for number in self._term(i)]
        x, y = self._rows
        found, column = self._mean.value_and_grad(at, x[[i]], y[[i]])
        if not _same([wanted, *slopes], [found, *column.tolist()]):
            raise autograd.StaleKernel(
                f"for sample {i} compiled code gives {found!r}"
                f"{' (and another gradient)' if found == wanted else ''}, the function {wanted!r}: "
                "it asks for types, draws random numbers, or reads something that changed"
            )

    def _row_by_row(self, at: Column, x: Any, y: Any) -> tuple[float, Column]:
        """Return value and gradient of rows that may take different branches."""
        numpy = self._numpy
        total = numpy.zeros(1 + len(at))
        step = max(LANES, _KEPT // len(total) // LANES * LANES)
        for first in range(0, len(x), BLOCK):
            end = min(first + BLOCK, len(x))
            whole = end - (end - first) % LANES
            parts = [(a, min(a + step, whole)) for a in range(first, whole, step)]
            lanes = numpy.zeros((LANES, len(total)))
            for a, b in [(whole, end), *parts]:
                if a == b:
                    continue
                values, gradients = self._each.value_and_grad(at, x[a:b], y[a:b])
                terms = numpy.column_stack([values, gradients])
                for i in range(0, b - a, LANES):
                    group = terms[i : i + LANES]
                    lanes[: len(group)] += group
            block = numpy.zeros(len(total))
            for lane in lanes:
                block += lane
            total += block
        total /= len(x)
        return float(total[0]), total[1:]

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        at = self.column([parameter.data for parameter in self.parameters])
        found = self._outputs(at, self._numpy.array(x, dtype=float))
        if isinstance(found, (list, tuple)):
            columns = [column.tolist() for column in found]
            plain = [list(row) for row in zip(*columns, strict=True)]
        else:
            plain = found.tolist()
        self._predictions += 1
        if self._predictions.bit_count() == 1:  # 1, 2, 4, 8, ...
            i = self._predictions // 3 % len(x)
            (wanted,) = outputs_of(self.model, x[i : i + 1])
            if repr(wanted) != repr(plain[i]):
                raise autograd.StaleKernel(
                    f"for sample {i} compiled code gives {plain[i]!r}, the model {wanted!r}"
                )
        return plain


def _is_checked(call: int) -> bool:
    """Say whether a call is compared with graphs: 2, 4, 8, 16, 64, 256, ...; a comparison takes as
    long as ten batches of a large network."""
    return call > 1 and call.bit_count() == 1 and (call < 16 or call.bit_length() % 2 == 1)


def checked(value: Any) -> Value:
    """Return the loss of a sample, if it is one.

    Raises:
        TypeError: it is no `Value`.
    """
    if not isinstance(value, Value):
        raise TypeError(f"fit: the loss of a sample must be a Value, not {value!r}")
    return value


def _listed(row: Any) -> Any:
    """Return one row as the lists and numbers that graph after graph would see."""
    return row.tolist() if hasattr(row, "tolist") else row


# Recording and compiling a sample's loss takes about as long as this many samples take as graphs,
# whatever the size of the network: both grow with its operations.
_PAYS_AFTER = 500


def choose(
    compiled: bool | None, executor: Any, samples: int, graphs: Objective, state: State
) -> Objective:
    """Return the objective by machine code if `compiled` or, for None, if it can and will pay.

    `samples` is how many there are to go through, over all epochs. What running the model does to
    `state` is undone.

    Raises:
        ImportError: `compiled` is True, but what `autograd.compile` needs is not installed.
    """
    if compiled is False or (compiled is None and samples <= _PAYS_AFTER):
        return graphs
    parameters = graphs.parameters
    numbers = [parameter.data for parameter in parameters]
    places = sorted({0, len(graphs.x) // 2, len(graphs.x) - 1})
    for name in state.iterators():
        if is_code(name):
            return _uncompiled(graphs, f"running the model may use up {name}, an iterator")
    before = of_code(state.described())
    try:
        for i in places:
            graphs.sample(i)
        changed = differences(before, of_code(state.described()))
        if changed:
            return _uncompiled(graphs, f"running the model changes {changed[0]}")
        native = CompiledObjective(
            graphs.model, graphs.loss, graphs.penalty, graphs.x, graphs.y, parameters, executor
        )
        for i in places:
            native.compare(native.column(numbers), i)
        return graphs if native.runs_eagerly else native  # the kernel has said why
    except ImportError:
        if compiled:
            raise
        return graphs
    except Exception as reason:
        if compiled and not is_stale(reason):
            raise
        return _uncompiled(graphs, f"{type(reason).__name__}: {reason}")
    finally:
        put(parameters, numbers)
        state.restore()


def is_stale(reason: Exception) -> bool:
    """Say whether compiled code was found to differ from its function."""
    return isinstance(reason, RuntimeError) and isinstance(reason, autograd.StaleKernel)


def _same(one: list[float], other: list[float]) -> bool:
    """Say whether these are the same bits, nan for nan."""
    return array("d", one) == array("d", other) or repr(one) == repr(other)


def of_code(description: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a description that compiled code depends on; a kernel reads `Value`s."""
    return {name: x for name, x in description.items() if is_code(name) and not is_value(x)}


def is_code(name: str) -> bool:
    """Say whether this is reached from what is compiled: penalties are graphs always."""
    return name.partition(".")[0] in ("model", "loss")


def _uncompiled(graphs: Objective, reason: str) -> Objective:
    warnings.warn(f"fit: not compiled, so slower: {reason}", RuntimeWarning, stacklevel=4)
    return graphs
