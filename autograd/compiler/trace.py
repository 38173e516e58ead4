"""Runs the user's function once and keeps what it did: every node, and every branch it took.

Knows graphs and derivatives; nothing of machine code, arrays of rows or files.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from .. import _rules
from .._primitive import Node, Observer, Primitive, as_float, operands_of
from .._sweep import pull_graph
from .._value import Value
from .._watch import nested, watching
from ..derivatives import fresh_input
from .program import Guard, Program

# A primitive by a user may have the name of one of these.
_BUILTIN: Final = {p.name: p for p in vars(_rules).values() if isinstance(p, Primitive)}


_EFFECTS: Final = ("assigning .data", "assigning .grad", "backward()", "zero_grad()")


class _Recorder(Observer):
    """Keeps all nodes in the order they are made, and all comparisons."""

    def __init__(self) -> None:
        self.tape: list[Node] = []
        self.compared_values: list[tuple[str, Node, object, bool]] = []
        self.lines: list[str] = []
        self.missing: set[int] = set()  # ids of what other threads made meanwhile

    def made(self, node: Node) -> None:
        self.tape.append(node)

    def missed(self, node: Node) -> None:
        self.missing.add(id(node))

    def compared(self, op: str, x: Node, y: object, outcome: bool) -> None:
        self.lines.append(_caller())
        self.compared_values.append((op, x, y, outcome))

    def read(self, node: Node, how: str) -> None:
        if how == ".data":  # gives `stop_gradient` of the node, see `freezes`
            return
        if how in _EFFECTS:
            raise TypeError(
                f"{how} inside a compiled function would happen once, when it is recorded, and not "
                "at later calls; do it outside of the function"
            )
        raise TypeError(
            f"{how} of a Value while it is being compiled would freeze today's number into the "
            "kernel; stay in the graph: autograd's functions (autograd.exp, floor, where, ...) "
            "compute with it, v.data (stop_gradient(v)) makes it a constant of the derivative, and "
            "a plain comparison chooses a branch"
        )

    def freezes(self) -> bool:
        return True


def _caller() -> str:
    """Return "file:line" of the user's code that is running."""
    frame = sys._getframe(2)
    while frame.f_back is not None and _ours(str(frame.f_globals.get("__name__", ""))):
        frame = frame.f_back
    return sys.intern(f"{frame.f_code.co_filename}:{frame.f_lineno}")


def _ours(module: str) -> bool:
    return module == "autograd" or module.startswith("autograd.")


@dataclass
class Trace:
    """What one run of a function did.

    Attributes:
        program: the graph of `outputs`; its inputs are the numbers given, then the captured.
        captured: `Value`s that `f` found elsewhere than in its arguments; they stay inputs.
        values: the outputs as the run computed them.
        recorded: how many nodes the run made.
    """

    program: Program
    captured: list[Value]
    values: list[float]
    recorded: int


def trace(
    numbers: Sequence[float],
    run: Callable[[list[Value], int], list[Any]],
    leaves: Sequence[Value] = (),
) -> Trace:
    """Return what `run` does with fresh `Value`s of `numbers`.

    `run(inputs, level)` returns the outputs, `Value`s or floats; derivatives within it see
    themselves nested at `level`. The first inputs are `leaves`, which hold their numbers meanwhile.
    """
    recorder = _Recorder()
    with nested() as level, inputs_of(numbers, leaves, level) as inputs:
        with watching(recorder):
            outputs = run(inputs, level)
        with collector_paused():
            return _collect(inputs, outputs, recorder, level)


@contextmanager
def inputs_of(
    numbers: Sequence[float], leaves: Sequence[Value], level: int
) -> Iterator[list[Value]]:
    """Give the inputs of one run: `leaves`, which hold the first numbers meanwhile, and fresh
    `Value`s of this level for the others."""
    inputs = [*leaves, *[fresh_input(x, level) for x in numbers[len(leaves) :]]]
    before = [leaf._data for leaf in leaves]
    try:
        for leaf, x in zip(leaves, numbers, strict=False):
            leaf._data = x
        yield inputs
    finally:
        for leaf, x in zip(leaves, before, strict=True):
            leaf._data = x


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic collector: graphs and programs have no cycles, and looking for some among
    millions of tuples makes long recordings slower than linear."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def numbers_of(values: Sequence[Any]) -> list[float]:
    """Return the numbers of `Value`s and floats."""
    return [x._data if isinstance(x, Node) else x for x in values]


def gradient(root: Any, wrt: list[Any], level: int) -> list[Any]:
    """Return the derivative of `root` by each of `wrt` as graph, 0.0 where there is none."""
    if not isinstance(root, Node):
        return [0.0] * len(wrt)
    return pull_graph([root], [1.0], wrt, level)


def _collect(inputs: list[Value], outputs: list[Any], recorder: _Recorder, level: int) -> Trace:
    """Return the trace; everything recorded goes into its program, needed or not."""
    # While collecting, operands are >= 0 for inputs, captured values and instructions in the order
    # of appearance; numbers are final only when all captured values and constants are known.
    place: dict[int, tuple[str, int]] = {id(x): ("in", i) for i, x in enumerate(inputs)}
    captured: list[Value] = []
    constants: list[float] = []
    code: list[tuple[str, list[tuple[str, int]]]] = []
    constant_at: dict[str, tuple[str, int]] = {}

    def constant(x: float) -> tuple[str, int]:
        at = constant_at.get(x.hex())
        if at is None:
            at = constant_at[x.hex()] = ("constant", len(constants))
            constants.append(x)
        return at

    def operand(x: Any) -> tuple[str, int]:
        if not isinstance(x, Node):
            return constant(as_float(x, "an output"))
        at = place.get(id(x))
        if at is None:
            assert isinstance(x, Value)
            if x._level >= level or id(x) in recorder.missing:
                raise TypeError(
                    f"compile: {x!r} was made in another thread or task while the function was "
                    "recorded, so its operation would be lost; make it in the function's own thread"
                )
            at = place[id(x)] = ("in", len(inputs) + len(captured))
            captured.append(x)
        return at

    for node in recorder.tape:
        prim = node._prim
        if prim is None:  # a leaf made by the function itself is a constant of its source
            place[id(node)] = constant(node._data)
            continue
        args = [
            constant(number) if parent is None else operand(parent)
            for parent, number in operands_of(node)
        ]
        place[id(node)] = ("code", len(code))
        builtin = _BUILTIN.get(prim.name) is prim
        code.append((prim.name if builtin else f"custom {prim.name}", args))
    guards = [
        ("!=" if op == "bool" else op, operand(x), operand(y), outcome)
        for op, x, y, outcome in recorder.compared_values
    ]
    results = [operand(x) for x in outputs]

    start = {
        "in": 0,
        "constant": len(inputs) + len(captured),
        "code": len(inputs) + len(captured) + len(constants),
    }

    def final(at: tuple[str, int]) -> int:
        return start[at[0]] + at[1]

    checks: list[Guard] = [(op, final(x), final(y), outcome) for op, x, y, outcome in guards]
    program = Program(
        len(inputs) + len(captured),
        tuple(constants),
        tuple([(op, tuple([final(i) for i in args])) for op, args in code]),
        tuple([final(i) for i in results]),
        tuple(checks),
        tuple(recorder.lines),
    )
    values = list(map(float, numbers_of(outputs)))
    return Trace(program, captured, values, len(recorder.tape))
