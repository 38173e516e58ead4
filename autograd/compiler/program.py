"""Program: a recorded graph without objects, in static single assignment form.

It knows names of primitives and plain numbers; not how a graph was recorded (`trace`) and not how
it becomes machine code (`native`). It prints as Python and can be evaluated as such.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from .._primitive import find

# A comparison the recording made, on two operands, and what came out: (operator, x, y, outcome).
Guard = tuple[str, int, int, bool]

COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
_INFIX: Final = {"add": "+", "sub": "-", "mul": "*"}


@dataclass(frozen=True)
class Program:
    """Straight-line code over float64 numbers.

    Operands are indices: first the inputs, then the constants, then the results of `code` in order.

    Attributes:
        inputs: how many numbers go in.
        constants: numbers that were written in the source.
        code: (name of the primitive, operands), each after what it uses.
        outputs: the operands that are results.
        guards: comparisons that must come out as recorded, or the results mean nothing.
        lines: "file:line" of the code that made each of them; empty if that is not known. No part
            of what the program computes, so it does not count when two are compared.
    """

    inputs: int
    constants: tuple[float, ...]
    code: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[int, ...]
    guards: tuple[Guard, ...] = ()
    lines: tuple[str, ...] = field(default=(), compare=False)

    @property
    def first(self) -> int:
        """The index of the result of the first instruction."""
        return self.inputs + len(self.constants)

    def apply(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the outputs for these inputs, floats and `Value`s, by the primitives themselves.

        With `Value`s it makes the graph that was recorded, and asks every guard's question again.
        """
        values = [*inputs, *self.constants]
        for op, args in self.code:
            values.append(find(op)(*[values[i] for i in args]))
        for op, x, y, _ in self.guards:
            COMPARISONS[op](values[x], values[y])
        return [values[i] for i in self.outputs]

    @cached_property
    def standard(self) -> bool:
        """Whether all its primitives are autograd's own."""
        return not any(op.startswith("custom ") for op, _ in self.code)

    def part(self, output: int) -> Program:
        """Return the program of one output alone: what it needs, and what the guards need."""
        wanted = self.outputs[output]
        needed = bytearray(self.first + len(self.code))
        for i in (wanted, *(i for _, x, y, _ in self.guards for i in (x, y))):
            needed[i] = 1
        for n in range(len(self.code) - 1, -1, -1):
            if needed[self.first + n]:
                for i in self.code[n][1]:
                    needed[i] = 1
        place = list(range(self.first))
        code: list[tuple[str, tuple[int, ...]]] = []
        for n, (op, args) in enumerate(self.code):
            place.append(self.first + len(code))
            if needed[self.first + n]:
                code.append((op, tuple([place[i] for i in args])))
        guards = tuple([(op, place[x], place[y], out) for op, x, y, out in self.guards])
        outputs = (place[wanted],)
        return Program(self.inputs, self.constants, tuple(code), outputs, guards, self.lines)

    def comparisons(self) -> list[tuple[Guard, str]]:
        """Return each guard with the line that made it, "" if that is not known."""
        return list(zip(self.guards, self.lines or [""] * len(self.guards), strict=True))

    def evaluate(self, numbers: Sequence[float]) -> tuple[list[float], bool]:
        """Return the outputs for these inputs, and whether all guards held; plain Python.

        Raises:
            ValueError: the wrong number of inputs.
        """
        if len(numbers) != self.inputs:
            raise ValueError(f"the program takes {self.inputs} numbers, got {len(numbers)}")
        values = self.values(numbers)
        held = all(COMPARISONS[op](values[x], values[y]) is out for op, x, y, out in self.guards)
        return [values[i] for i in self.outputs], held

    def values(self, numbers: Sequence[float]) -> list[float]:
        """Return the number of every operand for these inputs; plain Python."""
        values = [*map(float, numbers), *self.constants]
        for op, args in self.code:
            values.append(find(op).fn(*[values[i] for i in args]))
        return values

    def __str__(self) -> str:
        """Return the program as Python source: a function of the inputs, `program`."""
        names = [f"x{i}" for i in range(self.inputs)]
        names += [_literal(c) for c in self.constants]
        lines = ["import autograd", "", f"def program({', '.join(names[: self.inputs])}):"]
        asked: dict[int, list[Guard]] = {}
        for guard in self.guards:
            asked.setdefault(max(guard[1], guard[2]), []).append(guard)

        def check(index: int) -> None:
            for op, x, y, outcome in asked.get(index, ()):
                test = f"{names[x]} {op} {names[y]}"
                lines.append(f"    assert {test if outcome else f'not ({test})'}")

        for i in range(self.first):
            check(i)
        for op, args in self.code:
            at = len(names)
            words = [names[i] for i in args]
            if op in _INFIX:
                text = f" {_INFIX[op]} ".join(words)
            elif op == "neg":
                text = f"-{words[0]}"
            else:
                text = f"autograd.{op}({', '.join(words)})"
            names.append(f"v{at - self.first}")
            lines.append(f"    {names[at]} = {text}")
            check(at)
        lines.append(f"    return [{', '.join(names[i] for i in self.outputs)}]")
        return "\n".join(lines) + "\n"

    # ------------------------------------------------------------------------------ as data

    def to_json(self) -> dict[str, Any]:
        """Return the program as plain data for JSON; floats as hexadecimal text, exactly."""
        return {
            "inputs": self.inputs,
            "constants": [c.hex() for c in self.constants],
            "code": [[op, *args] for op, args in self.code],
            "outputs": list(self.outputs),
            "guards": [list(guard) for guard in self.guards],
        }

    @classmethod
    def from_json(cls, data: Any) -> Program:
        """Return the program that `to_json` wrote, after checking every part of it.

        It uses up `data`, so that both need no more memory than one.

        Raises:
            ValueError: anything in it is not as `to_json` writes it.
        """
        names = ("inputs", "constants", "code", "outputs", "guards")
        if type(data) is not dict or set(data) != set(names):
            raise ValueError(f"not a program: it must have {', '.join(names)}")
        inputs = data["inputs"]
        if type(inputs) is not int or inputs < 0:
            raise ValueError(f"not a program: {inputs!r:.100} inputs")
        for name in names[1:]:
            if type(data[name]) is not list:
                raise ValueError(f"not a program: {name} is no list")
        try:
            constants = tuple(map(from_hex, data["constants"]))
            rows = data.pop("code")
            for n, (op, *args) in enumerate(rows):
                rows[n] = sys.intern(op), tuple(args)
            code = tuple(rows)
            guards = tuple((op, x, y, outcome) for op, x, y, outcome in data["guards"])
        except (OverflowError, TypeError, ValueError) as error:
            raise ValueError(f"not a program: {error!s:.200}") from None
        program = cls(inputs, constants, code, tuple(data["outputs"]), guards)
        program.check()
        return program

    def check(self) -> None:
        """Check every invariant.

        Raises:
            ValueError: an unknown primitive, a wrong number of operands, or an operand that does
                not exist yet.
        """

        def known(i: object, end: int, where: str) -> None:
            if type(i) is not int or not 0 <= i < end:
                raise ValueError(f"not a program: {where} refers to {i!r:.100}, of {end}")

        end = self.first
        for n, (op, args) in enumerate(self.code):
            try:
                arity = find(op).arity
            except (KeyError, TypeError):
                raise ValueError(f"not a program: no primitive is called {op!r:.100}") from None
            if len(args) != arity:
                raise ValueError(f"not a program: {op} with {len(args)} operands, takes {arity}")
            for i in args:
                known(i, end + n, f"instruction {n} ({op})")
        for i in self.outputs:
            known(i, end + len(self.code), "an output")
        for op, x, y, outcome in self.guards:
            if type(op) is not str or op not in COMPARISONS or type(outcome) is not bool:
                raise ValueError(f"not a program: guard {op!r:.100}, {outcome!r:.100}")
            known(x, end + len(self.code), "a guard")
            known(y, end + len(self.code), "a guard")

    @cached_property
    def digest(self) -> str:
        """What tells this program from any other: a hash of all its parts."""
        text = json.dumps(self.to_json(), separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def from_hex(text: str) -> float:
    """Return the number that `float.hex` wrote as `text`.

    Raises:
        OverflowError, TypeError, ValueError: it did not.
    """
    number = float.fromhex(text)
    if number.hex() != text:
        raise ValueError(f"{text!r} is not how {number!r} is written")
    return number


def _literal(x: float) -> str:
    if math.isfinite(x):
        return repr(x) if math.copysign(1.0, x) > 0.0 else f"({x!r})"
    if x != x:
        return "autograd.nan"
    return "autograd.inf" if x > 0.0 else "(-autograd.inf)"
