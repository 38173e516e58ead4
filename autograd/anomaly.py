"""Where did this nan come from? Before the fact (`detect_anomaly`) and after it (`explain_nan`)."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ._block import Block
from ._graph import order_of
from ._primitive import Node, Observer, operands_of
from ._value import Value

_PACKAGE: Final = str(Path(__file__).parent)


class AnomalyError(ArithmeticError):
    """A value or local partial derivative that is not finite, with the operation that made it.

    Attributes:
        node: the `Value` that was being recorded.
        line: "file:line" of the user's code, "" if unknown.
    """

    def __init__(self, message: str, node: Value, line: str) -> None:
        super().__init__(message)
        self.node = node
        self.line = line


def user_line() -> tuple[str, int]:
    """Return the file and line of the innermost caller outside this package, ("", 0) if none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        if frame.f_back is None:
            return "", 0
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _describe(node: Node) -> str:
    """Return what a node computed: its name or formula, with numbers."""
    prim = node._prim
    label = node._extra.label if node._extra is not None else ""
    if prim is None:
        return f"{label or 'leaf'} = {node._data!r}"
    args = ", ".join(_operand(p, number) for p, number in operands_of(node))
    return f"{label + ' = ' if label else ''}{prim.name}({args}) = {node._data!r}"


def _operand(node: Node | None, number: float) -> str:
    if node is None:
        return repr(number)
    label = node._extra.label if node._extra is not None else ""
    return f"{label}={node._data!r}" if label else repr(node._data)


def _fault(node: Node) -> str:
    """Return what is not finite about a node, "" if nothing.

    Where an operand is to blame the reason says so: the node is a symptom then.
    """
    if node._prim is None:
        return "" if math.isfinite(node._data) else "the leaf itself is not finite"
    operands = operands_of(node)
    fault = "" if math.isfinite(node._data) else f"the value is {node._data!r}"
    for i, (parent, partial) in enumerate(operands, 1):
        if not fault and parent is not None and not math.isfinite(partial):
            fault = f"the derivative with respect to operand {i} is {partial!r}"
    if fault:
        for i, (parent, number) in enumerate(operands, 1):
            x = number if parent is None else parent._data
            if not math.isfinite(x):
                return f"operand {i} is already {x!r}"
    return fault


class _Detector(Observer):
    def wants_all(self) -> bool:
        return True

    def made(self, node: Node) -> None:
        fault = _fault(node)
        if fault:
            file, number = user_line()
            line = f"{file}:{number}" if file else ""
            assert isinstance(node, Value)
            where = f"\n  at {line}" if line else ""
            raise AnomalyError(f"{_describe(node)}: {fault}{where}", node, line)


class detect_anomaly(Block):
    """A context (or decorator) in which the first nan or inf raises, where it is made.

    Looks at every value and local partial derivative that the calling thread or task records,
    leaves and the graphs of derivatives included. Decorating a generator or coroutine function
    watches its body, whenever it runs. Costs several times the recording itself.

    Raises:
        AnomalyError: naming the operation, its operands and the line of the user's code.
    """

    def observer(self) -> Observer:
        return _Detector()

    def again(self) -> detect_anomaly:
        return detect_anomaly()


@dataclass(frozen=True)
class NanReport:
    """Where the first number that is not finite was made; `str()` of it is for reading.

    Attributes:
        node: the operation at the root of it, None if everything is finite.
        reason: what happened there.
        path: nodes from a leaf to an operand of `node`.
        later: how many nodes after it are not finite either.
    """

    node: Value | None
    reason: str
    path: tuple[Value, ...]
    later: int

    def __str__(self) -> str:
        if self.node is None:
            return "every value, partial and gradient is finite"
        lines = [f"{_describe(self.node)}: {self.reason}"]
        shown = self.path[-12:]
        if len(shown) < len(self.path):
            lines.append(f"  ... {len(self.path) - len(shown)} nodes before")
        lines += [f"  from {_describe(node)}" for node in shown]
        if self.later:
            lines.append(f"  {self.later} later nodes are not finite because of it")
        return "\n".join(lines)


def explain_nan(y: Value) -> NanReport:
    """Return which operation below `y` made the first nan or inf, and how its operands came about.

    If `y` itself is not finite, that is the root of it: the earliest node from which nan and inf
    lead to `y`. Else, after `backward()`, where a finite gradient was multiplied into one that is
    not. Else the first value or local partial derivative that may yet do harm, though nothing came
    of it so far.

    Raises:
        TypeError: `y` is no `Value`.
    """
    if not isinstance(y, Value):
        raise TypeError(f"explain_nan() takes a Value, not {y!r} ({type(y).__name__})")
    order = order_of([y])
    bad = sum(not math.isfinite(node._data) for node in order)
    guilty = {id(y)} if not math.isfinite(y._data) else set()
    for node in reversed(order):
        if id(node) in guilty:
            guilty.update(
                id(p) for p, _ in operands_of(node) if p is not None and not math.isfinite(p._data)
            )
    for node in order:
        if id(node) in guilty:
            return _report(node, _fault(node), bad - 1)
    found = _gradient_fault(order)
    if found is not None:
        worse = sum(not math.isfinite(node._grad) for node in order)
        return _report(*found, worse - 1)
    for node in order:
        fault = _fault(node)
        if fault:
            return _report(node, fault, max(bad - 1, 0))
    return NanReport(None, "", (), 0)


def _gradient_fault(order: list[Node]) -> tuple[Node, str] | None:
    """Return the node that passed on a gradient that is not finite although its own is, and how."""
    for node in reversed(order):
        rate = node._grad
        if rate == 0.0 or not math.isfinite(rate):
            continue
        for i, (parent, partial) in enumerate(operands_of(node), 1):
            if parent is None or math.isfinite(parent._grad):
                continue
            if not math.isfinite(rate * partial):
                return node, (
                    f"its gradient {rate!r} times the derivative {partial!r} with respect to "
                    f"operand {i} makes that gradient {parent._grad!r}"
                )
    for node in reversed(order):
        if not math.isfinite(node._grad):
            return node, f"finite contributions add up to the gradient {node._grad!r}"
    return None


def _report(node: Node, reason: str, later: int) -> NanReport:
    """Return the report with a path from a leaf: through inner nodes, the earliest of them."""
    path: list[Any] = [node]
    while True:
        parents = [p for p, _ in operands_of(path[-1]) if p is not None]
        if not parents:
            break
        path.append(max(parents, key=lambda p: (p._prim is not None, -p._slot)))
    return NanReport(path[0], reason, tuple(reversed(path[1:])), later)
