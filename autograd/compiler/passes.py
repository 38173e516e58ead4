"""Rewrites of a program that keep every bit of its results: folding, common subexpressions, dead
code, and products and powers that are simpler than they look.

What is not exact for signed zeros, infinities and NaN is not done (NaNs count as equal).
"""

from __future__ import annotations

import math
import struct

from .._primitive import find
from .program import Guard, Program

_COMMUTES = frozenset({"add", "mul", "hypot"})  # not maximum: it tells 0.0 from -0.0


class _Writer:
    """Writes instructions one after the other, each only if it is really needed."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.constants: list[float] = []
        # Operands while writing: >= 0 are inputs and instructions, -1 - k is constant k.
        self.code: list[tuple[str, tuple[int, ...]]] = []
        self._constant_at: dict[bytes, int] = {}
        self._known: dict[tuple[str, tuple[int, ...]], int] = {}

    def constant(self, x: float) -> int:
        key = struct.pack("=d", math.nan if x != x else x)
        at = self._constant_at.get(key)
        if at is None:
            self.constants.append(x)
            at = self._constant_at[key] = -len(self.constants)
        return at

    def number(self, i: int) -> float | None:
        return self.constants[-1 - i] if i < 0 else None

    def _made(self, i: int, op: str) -> tuple[int, ...] | None:
        """Return the operands of instruction `i` if it is an `op`."""
        if i >= self.inputs:
            name, args = self.code[i - self.inputs]
            if name == op:
                return args
        return None

    def write(self, op: str, args: tuple[int, ...]) -> int:
        """Return an operand that is `op` of `args`, by an existing instruction if there is one."""
        simpler = self._simplify(op, args)
        if simpler is not None:
            return simpler
        key = (op, tuple(sorted(args)) if op in _COMMUTES else args)
        at = self._known.get(key)
        if at is None:
            at = self._known[key] = self.inputs + len(self.code)
            self.code.append((op, args))
        return at

    def _simplify(self, op: str, args: tuple[int, ...]) -> int | None:
        if op in ("identity", "stop_gradient"):
            return args[0]
        if min(args) >= 0 and op not in ("where", "neg"):
            return None
        numbers = [self.number(i) for i in args]
        if None not in numbers and not op.startswith("custom "):
            return self.constant(find(op).fn(*numbers))
        a, b = args[0], args[-1]
        x, y = numbers[0], numbers[-1]
        if op == "mul":
            if x == 1.0:
                return b
            if y == 1.0:
                return a
            if x == -1.0:
                return self.write("neg", (b,))
            if y == -1.0:
                return self.write("neg", (a,))
        elif op == "strong_mul" and x is not None:
            return self.constant(0.0) if x == 0.0 else self.write("mul", args)
        elif op == "div" and y == 1.0:
            return a
        elif op == "neg":
            inner = self._made(a, "neg")
            return None if inner is None else inner[0]
        elif op == "sub" and y == 0.0 and math.copysign(1.0, y) > 0.0:
            return a
        elif op == "add":
            if x == 0.0 and math.copysign(1.0, x) < 0.0:
                return b
            if y == 0.0 and math.copysign(1.0, y) < 0.0:
                return a
        elif op == "pow" and y is not None:
            if y == 2.0:
                return self.write("mul", (a, a))
            if y == 1.0:
                return a
            if y == 0.0:
                return self.constant(1.0)
            if y == -1.0:
                return self.write("div", (self.constant(1.0), a))
        elif op == "where":
            return self._where(args, x)
        return None

    def _where(self, args: tuple[int, ...], condition: float | None) -> int | None:
        c, a, b = args
        if condition is not None:
            return a if condition != 0.0 else b
        if a == b:
            return a
        product = self._made(a, "strong_mul")
        if product is not None and product[1] == c and self._made(c, "greater") is not None:
            # Where c holds it is 1, and strong_mul(x, 1) is x + 0.
            return self.write("where", (c, self.write("add", (product[0], self.constant(0.0))), b))
        return None


def simplify(program: Program) -> Program:
    """Return a program of the same results, bit for bit, usually of fewer instructions."""
    writer = _Writer(program.inputs)
    at = list(range(program.inputs))
    at += [writer.constant(c) for c in program.constants]
    for op, args in program.code:
        at.append(writer.write(op, tuple([at[i] for i in args])))
    guards: dict[Guard, str] = {}  # the line of the first of those that are equal
    for (op, x, y, outcome), line in program.comparisons():
        guards.setdefault((op, at[x], at[y], outcome), line)
    lines = tuple(guards.values()) if program.lines else ()
    return _alive(writer, [at[i] for i in program.outputs], list(guards), lines)


def _alive(
    writer: _Writer, outputs: list[int], guards: list[Guard], lines: tuple[str, ...]
) -> Program:
    """Return the program of those instructions and constants that outputs or guards need."""
    inputs = writer.inputs
    needed = bytearray(len(writer.code))
    used = bytearray(len(writer.constants))

    def need(i: int) -> None:
        if i < 0:
            used[-1 - i] = 1
        elif i >= inputs:
            needed[i - inputs] = 1

    for i in outputs:
        need(i)
    for _, x, y, _ in guards:
        need(x)
        need(y)
    for n in range(len(writer.code) - 1, -1, -1):
        if needed[n]:
            for i in writer.code[n][1]:
                need(i)
    place: dict[int, int] = {i: i for i in range(inputs)}
    constants: list[float] = []
    for k, c in enumerate(writer.constants):
        if used[k]:
            place[-1 - k] = inputs + len(constants)
            constants.append(c)
    code: list[tuple[str, tuple[int, ...]]] = []
    first = inputs + len(constants)
    for n, (op, args) in enumerate(writer.code):
        if needed[n]:
            place[inputs + n] = first + len(code)
            code.append((op, tuple([place[i] for i in args])))
    return Program(
        inputs,
        tuple(constants),
        tuple(code),
        tuple([place[i] for i in outputs]),
        tuple([(op, place[x], place[y], outcome) for op, x, y, outcome in guards]),
        lines,
    )
