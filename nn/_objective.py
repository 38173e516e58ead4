"""How a batch becomes a value and a gradient: graph after graph, or as machine code.

The training loop knows only `Objective`: numbers of the parameters in and gradients out as one
column, a list for graphs and a NumPy array for machine code. Both add up the samples in the same
order, so they give the same bits.
"""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from operator import add
from typing import Any, Final

import autograd
from autograd import StaleGraph, Value, explain_nan, topological_order
from autograd._graph import check_value
from autograd._primitive import operands_of
from autograd._sweep import move_gradients
from autograd._watch import watch

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
    return [_plain(model(fresh(sample))) for sample in x]


def fresh(row: Any) -> Any:
    """Return a row for one use: whoever changes it changes no data, as in machine code."""
    return row.copy() if isinstance(row, list) else row


def _plain(output: Any) -> Any:
    if isinstance(output, Value):
        return output.data
    if isinstance(output, (list, tuple)) or (_is_array(output) and output.ndim):
        return [_plain(one) for one in output]
    if isinstance(output, (int, float)) or _is_array(output):
        return float(output)
    raise TypeError(
        "a model's output must be a number or a list of numbers where outputs are asked for "
        f"(metrics, validation, predict, evaluate), not {output!r} ({type(output).__name__})"
    )


def _is_array(output: Any) -> bool:
    return hasattr(output, "__array__") and hasattr(output, "ndim")


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
        self._calls = 0
        self._looks = False
        self._first: dict[str, list[Value]] = {}

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return numbers

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`."""
        put(self.parameters, at)
        self._calls += 1
        self._looks = self._calls == 1 or _is_checked(self._calls)
        n = len(indices)
        value, gradient = 0.0, [0.0] * len(at)
        for first in range(0, n, BLOCK):
            sums = self._block(indices[first : first + BLOCK])
            value += sums[0]
            gradient = list(map(add, gradient, sums[1]))
        return self._penalised(value / n, [number / n for number in gradient])

    def _block(self, indices: list[int]) -> tuple[float, list[float]]:
        """Return the sums over a block. The samples are run in their order."""
        size = len(self.parameters)
        values = [0.0] * LANES
        lanes = [[0.0] * size for _ in range(LANES)]
        rest = len(indices) % LANES
        before = len(indices) - rest
        kept: list[tuple[int, float, Sequence[float]]] = []  # what is added after the rest
        small = before * size <= _KEPT // 4  # a list takes four times the memory of an array
        for k, i in enumerate(indices[:before]):
            lane = k % LANES
            if lane >= rest:
                values[lane] += self._add(i, lanes[lane])
            else:
                sums = [0.0] * size
                kept.append((lane, self._add(i, sums), sums if small else array("d", sums)))
        for lane, i in enumerate(indices[before:]):
            values[lane] += self._add(i, lanes[lane])
        for lane, number, term in kept:
            values[lane] += number
            lanes[lane] = list(map(add, lanes[lane], term))
        value, gradient = 0.0, [0.0] * size
        for number, column in zip(values, lanes, strict=True):
            value += number
            gradient = list(map(add, gradient, column))
        return value, gradient

    def _add(self, i: int, sums: list[float]) -> float:
        """Return the value of sample `i` at the model's parameters; add its gradient to `sums`."""
        value = self.sample(i)
        if self._looks:
            self._looks = False
            self._refuse_stale("model or loss", value)
        value.backward()
        move_gradients(self.parameters, sums)
        number: float = value.data
        return number

    def _refuse_stale(self, what: str, value: Value) -> None:
        """Raise StaleGraph if `value` needs a result that the first needed too, now out of date."""
        nodes = topological_order(value)
        if what not in self._first:
            self._first[what] = nodes
            return
        kept = set(map(id, self._first[what]))
        for node in nodes:
            if node.primitive is not None and id(node) in kept:
                try:
                    check_value(node, operands_of(node))
                except StaleGraph as reason:
                    raise StaleGraph(
                        f"fit: {what} keeps a result that was computed once, before parameters "
                        f"changed; compute it in forward() or in the function: {reason}"
                    ) from None

    def sample(self, i: int) -> Value:
        """Return the loss of sample `i` at the model's parameters, as graph."""
        return checked(self.loss(self.model(fresh(self.x[i])), fresh(self.y[i])))

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
        term = checked(self.penalty(self.all_parameters), "the penalty")
        if self._calls == 1 or _is_checked(self._calls):
            self._refuse_stale("the penalty", term)
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
        self._predictions = 0

    def column(self, numbers: list[float]) -> Column:
        """Return the numbers as the kind of column this objective takes."""
        return self._numpy.array(numbers)

    def __call__(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return value and gradient at the parameters `at` over the samples `indices`.

        Raises:
            StaleKernel: compiled code differs from graphs, or a sample can't be compiled.
        """
        with _told():
            value, gradient = self._sums(at, indices)
            self._calls += 1
            if _is_checked(self._calls):
                self.compare(at, indices[self._calls // 3 % len(indices)])
        if self.penalty is None:
            return value, gradient
        put(self.parameters, at)
        value, gradient = self._penalised(value, gradient.tolist())
        return value, self.column(gradient)

    def _sums(self, at: Column, indices: list[int]) -> tuple[float, Column]:
        """Return the mean of value and gradient over the samples `indices`."""
        x, y = self._rows
        whole = len(indices) == len(x) and indices == list(range(len(x)))
        part = (x, y) if whole else (x[indices], y[indices])
        if not self._branches:
            value, gradient = self._mean.value_and_grad(at, *part)
            # A kernel adds up the rows of each branch apart from the others.
            self._branches = bool(self._mean.program.guards)
        return self._row_by_row(at, *part) if self._branches else (value, gradient)

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
        slopes = [0.0] * len(self.parameters)
        self._looks = True
        wanted = 0.0 + self._add(i, slopes)
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
                with numpy.errstate(all="ignore"):  # `fit` says what is not finite
                    for i in range(0, b - a, LANES):
                        group = terms[i : i + LANES]
                        lanes[: len(group)] += group
            with numpy.errstate(all="ignore"):
                total += sum(lanes, numpy.zeros(len(total)))
        total /= len(x)
        return float(total[0]), total[1:]

    def predict(self, x: Sequence[Any]) -> list[Any]:
        """Return the model's outputs for the samples `x` at the model's parameters."""
        at = self.column([parameter.data for parameter in self.parameters])
        with _told():
            found = self._outputs(at, self._numpy.array(x, dtype=float))
        if isinstance(found, (list, tuple)):
            columns = [column.tolist() for column in found]
            plain = [list(row) for row in zip(*columns, strict=True)]
        elif not hasattr(found, "tolist"):
            return outputs_of(self.model, x)  # which says what it is
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


@contextmanager
def _told() -> Iterator[None]:
    """Say of an error within that it is compiled code's: the samples may be fine as graphs."""
    try:
        yield
    except autograd.StaleKernel:
        raise
    except Exception as reason:
        raise autograd.StaleKernel(f"{type(reason).__name__}: {reason}") from reason


def _is_checked(call: int) -> bool:
    """Say whether a call is compared with graphs: 2, 4, 8, 16, 64, 256, ...; a comparison takes as
    long as ten batches of a large network."""
    return call > 1 and call.bit_count() == 1 and (call < 16 or call.bit_length() % 2 == 1)


def checked(value: Any, what: str = "the loss of a sample") -> Value:
    """Return a loss, if it is one; `what` names it.

    Raises:
        TypeError: it is no `Value`.
    """
    if not isinstance(value, Value):
        raise TypeError(f"fit: {what} must be a Value, not {value!r}")
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
    if watch.wants_all():
        return _uncompiled(graphs, "detect_anomaly or profile is to see every operation")
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
            reason.add_note("fit: with compiled=True; compiled=None or False runs this as graphs")
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
