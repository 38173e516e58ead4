"""Where did this nan come from? Before the fact (`detect_anomaly`) and after it (`explain_nan`)."""

from __future__ import annotations

import contextlib
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ._graph import order_of
from ._primitive import Node, Observer, operands_of, watch
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
    """Return what is not finite about an inner node whose operands are, "" if nothing."""
    operands = operands_of(node)
    if any(not math.isfinite(n if p is None else p._data) for p, n in operands):
        return ""
    if not math.isfinite(node._data):
        return f"the value is {node._data!r}"
    for i, (parent, partial) in enumerate(operands):
        if parent is not None and not math.isfinite(partial):
            return f"the derivative with respect to operand {i + 1} is {partial!r}"
    return ""


class _Detector(Observer):
    def made(self, node: Node) -> None:
        if node._prim is None:
            return
        fault = _fault(node)
        if fault:
            file, number = user_line()
            line = f"{file}:{number}" if file else ""
            assert isinstance(node, Value)
            where = f"\n  at {line}" if line else ""
            raise AnomalyError(f"{_describe(node)}: {fault}{where}", node, line)


class detect_anomaly(contextlib.ContextDecorator):
    """A context (or decorator) in which the first nan or inf raises, where it is made.

    Looks at every value and local partial derivative that the calling thread records from finite
    operands. Costs several times the recording itself.

    Raises:
        AnomalyError: naming the operation, its operands and the line of the user's code.
    """

    def __enter__(self) -> detect_anomaly:
        self._detector = _Detector()
        watch.add(self._detector)
        return self

    def __exit__(self, *exc: object) -> None:
        watch.remove(self._detector)

    def _recreate_cm(self) -> detect_anomaly:
        return detect_anomaly()


@dataclass(frozen=True)
class NanReport:
    """Where the first number that is not finite was made; `str()` of it is for reading.

    Attributes:
        node: the operation at the root of it, None if everything is finite.
        reason: what happened there.
        path: the nodes from a leaf to `node`, following the operand that matters most.
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

    Looks for a value first, then for a local partial derivative, then (after `backward()`) for a
    gradient that became infinite or nan although every factor was finite or a leaf that was not
    finite to begin with. Root causes only: a node whose operands are already bad is a symptom.

    Raises:
        TypeError: `y` is no `Value`.
    """
    if not isinstance(y, Value):
        raise TypeError(f"explain_nan() takes a Value, not {y!r} ({type(y).__name__})")
    order = order_of([y])
    bad = sum(not math.isfinite(node._data) for node in order)
    for node in order:
        if node._prim is None and not math.isfinite(node._data):
            return _report(node, "the leaf itself is not finite", order, bad - 1)
    for values_only in (True, False):
        for node in order:
            fault = _fault(node) if node._prim is not None else ""
            if fault and (not values_only or not math.isfinite(node._data)):
                return _report(node, fault, order, max(bad - 1, 0))
    bad = sum(not math.isfinite(node._grad) for node in order)
    for node in reversed(order):
        if math.isfinite(node._grad):
            for i, (parent, partial) in enumerate(operands_of(node)):
                if parent is not None and not math.isfinite(parent._grad):
                    reason = (
                        f"its gradient {node._grad!r} times the derivative {partial!r} with "
                        f"respect to operand {i + 1} makes that gradient {parent._grad!r}"
                    )
                    return _report(node, reason, order, max(bad - 1, 0))
    return NanReport(None, "", (), 0)


def _report(node: Node, reason: str, order: list[Node], later: int) -> NanReport:
    """Return the report with the path from a leaf, following the largest operand."""
    path: list[Any] = [node]
    while True:
        parents = [p for p, _ in operands_of(path[-1]) if p is not None]
        if not parents:
            break
        path.append(max(parents, key=lambda p: (p._prim is not None, -p._slot)))
    return NanReport(path[0], reason, tuple(reversed(path[1:])), later)
