"""Expressions: small straight-line programs of primitives that print as Python and can be called.

They come from genes (lists of small numbers), so that a random generator and Hypothesis grow them
by the same code, and from recorded graphs. Knows primitives and graphs; no derivative.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import autograd

from .._graph import order_of
from .._primitive import Node, Primitive, operands_of, primitives

# An operand: the index of a variable or, counting on, of an operation; or a constant.
Operand = int | float
Operation = tuple[Primitive, tuple[Operand, ...]]
# Python text, and how tightly it binds: from 1 for sums to 4 for names and calls.
Spelled = tuple[str, int]
# One gene per operation: which primitive, where its operands come from, and a constant.
Gene = tuple[int, tuple[int, int, int], float]

_INFIX: Final = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2)}

# Where functions and numbers change their ways: signs, ranges, precision, kinks, saturation.
HARD_FLOATS: Final = (
    *(0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 0.1, -0.1, 10.0, -10.0, -0.0),
    *(1.5, 2.5, math.pi, math.pi / 2, -math.pi / 2, math.e, math.sqrt(2.0)),
    *(math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0), math.nextafter(-1.0, 0.0)),
    *(math.nextafter(0.5, 0.0), math.nextafter(2.0, 3.0), 1e-8, -1e-8, 1e-16, -1e-16),
    *(20.0, -20.0, 37.0, 101.0, -101.0, 150.0, -150.0, 709.0, -745.0, 1e3, -1e3),
    *(1e8, -1e8, 2.0**53, 1e16, 1e100, -1e100, 1e154, 1e-154, 1e300, -1e300, 1e-300, -1e-300),
    *(5e-324, -5e-324, 1e-310, -1e-310, 2.2250738585072014e-308, 1.7976931348623157e308),
)


@dataclass(frozen=True)
class Expression:
    """A function of a few variables, made of primitives.

    Calling it with floats gives a float, with `Value`s a `Value`, with mpmath numbers an mpmath
    number (by the primitives' mathematical definitions). `repr` is Python, with `ag` for
    `autograd`.

    Attributes:
        variables: their names.
        operations: primitive and operands of each, in order; the last one is the result.
        point: where every operation has a finite value, if known.
    """

    variables: tuple[str, ...]
    operations: tuple[Operation, ...]
    point: tuple[float, ...] = field(default=(), compare=False)

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self.variables):
            raise TypeError(f"{self!r} takes {len(self.variables)} arguments, got {len(args)}")
        m = next((x.context for x in args if hasattr(x, "_mpf_")), None)
        values = list(args)
        for prim, operands in self.operations:
            taken = [values[x] if isinstance(x, int) else x for x in operands]
            if m is None:
                values.append(prim(*taken))
            else:
                assert prim.exact is not None
                values.append(prim.exact(m, *[m.mpf(x) for x in taken]))
        return values[-1]

    def __len__(self) -> int:
        return len(self.operations)

    def __repr__(self) -> str:
        return f"lambda {', '.join(self.variables)}: {self.text()}"

    def text(self) -> str:
        """Return the expression as Python; what is used twice is named where it first appears."""
        uses = [0] * (len(self.variables) + len(self.operations))
        for _, operands in self.operations:
            for x in operands:
                if isinstance(x, int):
                    uses[x] += 1
        # Depth first from the result, as Python will evaluate it: (value, its operands so far).
        n = len(self.variables)
        names: dict[int, str] = dict(enumerate(self.variables))
        stack: list[tuple[int, list[Spelled]]] = [(n + len(self.operations) - 1, [])]
        while True:
            at, taken = stack[-1]
            prim, operands = self.operations[at - n]
            if len(taken) < len(operands):
                x = operands[len(taken)]
                if isinstance(x, float):
                    taken.append(_constant(x))
                elif x in names:
                    taken.append((names[x], 4))
                else:
                    stack.append((x, []))
                continue
            spelled = _spell(prim, taken, not any(isinstance(x, int) for x in operands))
            if uses[at] > 1:
                names[at] = f"t{len(names) - n + 1}"
                spelled = f"({names[at]} := {spelled[0]})", 4
            stack.pop()
            if not stack:
                return spelled[0]
            stack[-1][1].append(spelled)

    @classmethod
    def of(cls, root: Node, inputs: Sequence[Node], names: Sequence[str] = ()) -> Expression:
        """Return the recorded graph of `root` as an expression in `inputs`."""
        at: dict[int, Operand] = {id(x): i for i, x in enumerate(inputs)}
        operations: list[Operation] = []
        for node in order_of([root]):
            prim = node._prim
            if id(node) in at:
                continue
            if prim is None:
                at[id(node)] = node._data
                continue
            operands = tuple(
                number if parent is None else at[id(parent)] for parent, number in operands_of(node)
            )
            at[id(node)] = len(inputs) + len(operations)
            operations.append((prim, operands))
        if not operations or at[id(root)] != len(inputs) + len(operations) - 1:
            operations.append((autograd.identity, (at[id(root)],)))
        names = tuple(names) or variable_names(len(inputs))
        return cls(names, tuple(operations), tuple(x._data for x in inputs))


def variable_names(n: int) -> tuple[str, ...]:
    """Return the names of `n` variables: x, y, z, or x1, x2, ..."""
    return ("x", "y", "z")[:n] if n <= 3 else tuple(f"x{i + 1}" for i in range(n))


def _constant(x: float) -> Spelled:
    text = repr(x) if math.isfinite(x) else "ag.nan" if x != x else "ag.inf" if x > 0 else "-ag.inf"
    return text, 2 if text.startswith("-") else 4


def _spell(prim: Primitive, taken: list[Spelled], plain: bool) -> Spelled:
    """Return one operation as Python and how tightly it binds; `plain`: of constants only."""
    if prim.name in _INFIX and not plain:
        sign, level = _INFIX[prim.name]
        left, right = (
            text if binds > level or (first and binds == level) else f"({text})"
            for (text, binds), first in zip(taken, (True, False), strict=True)
        )
        return f"{left} {sign} {right}", level
    if prim.name == "neg" and not plain:
        text, binds = taken[0]
        return (f"-{text}" if binds > 2 else f"-({text})"), 2
    if prim.name == "pow" and not plain:
        return " ** ".join(text if binds == 4 else f"({text})" for text, binds in taken), 3
    name = f"ag.{prim.name}"
    if getattr(autograd, prim.name, None) is not prim:
        name = f"ag.primitives()[{prim.name!r}]"
    return f"{name}({', '.join(text for text, _ in taken)})", 4


# ---------------------------------------------------------------------------- growing


def usable() -> tuple[Primitive, ...]:
    """Return the registered primitives that have a mathematical definition."""
    return tuple(p for p in primitives().values() if p.exact is not None)


def express(
    genes: Sequence[Gene],
    point: Sequence[float],
    prims: Sequence[Primitive],
    shared: bool = False,
) -> Expression:
    """Return the expression that `genes` describe, with a finite value at `point`.

    An operand code of 0 takes the latest result not used yet (the first variable, if there is
    none), 1 the gene's constant, higher ones the variables in turn and, with `shared`, earlier
    results. Operations that would make no finite value are left out; results nobody used are added
    up.
    """
    names = variable_names(len(point))
    n = len(names)
    values = list(point)
    operations: list[Operation] = []
    waiting: list[int] = []

    def append(prim: Primitive, operands: tuple[Operand, ...]) -> bool:
        value = prim(*[values[x] if isinstance(x, int) else x for x in operands])
        if not math.isfinite(value):
            return False
        values.append(value)
        operations.append((prim, operands))
        waiting.append(len(values) - 1)
        return True

    for which, codes, constant in genes:
        prim = prims[which % len(prims)]
        before = list(waiting)
        operands: list[Operand] = []
        for i in range(prim.arity):
            low, high = prim.domain[i]
            code = codes[i % 3]
            if low == high:  # an argument that is a parameter, like the order of polygamma
                operands.append(low)
            elif code == 1:
                operands.append(constant)
            elif code == 0:
                operands.append(waiting.pop() if waiting else 0)
            elif shared and code - 2 >= n and len(values) > n:
                # Counted back from the latest, so that a gene means the same without earlier ones.
                operands.append(len(values) - 1 - (code - 2 - n) % (len(values) - n))
            else:
                operands.append((code - 2) % n)
        if not any(isinstance(x, int) for x in operands):
            operands[-1] = 0
        if shared:
            waiting[:] = [x for x in waiting if x not in operands]
        if not append(prim, tuple(operands)):
            waiting[:] = before
    while len(waiting) > 1:
        last = waiting.pop()
        append(autograd.add, (waiting.pop(), last))
    if not operations:
        append(autograd.identity, (0,))
    return _without_dead(Expression(names, tuple(operations), tuple(point)))


def _without_dead(e: Expression) -> Expression:
    """Return `e` without the operations its result does not use."""
    n = len(e.variables)
    needed = {n + len(e.operations) - 1}
    for i in range(len(e.operations) - 1, -1, -1):
        if n + i in needed:
            needed.update(x for x in e.operations[i][1] if isinstance(x, int))
    place = {i: i for i in range(n)}
    operations: list[Operation] = []
    for i, (prim, operands) in enumerate(e.operations):
        if n + i in needed:
            place[n + i] = n + len(operations)
            moved = tuple(place[x] if isinstance(x, int) else x for x in operands)
            operations.append((prim, moved))
    return Expression(e.variables, tuple(operations), e.point)


def random_float(rng: random.Random) -> float:
    """Return an ordinary number mostly, else a hard one."""
    kind = rng.random()
    if kind < 0.6:
        return rng.uniform(-3.0, 3.0)
    if kind < 0.8:
        return rng.choice(HARD_FLOATS)
    return math.copysign(10.0 ** rng.uniform(-8.0, 3.0), rng.uniform(-1.0, 1.0))


def random_expression(
    rng: random.Random, variables: int = 2, size: int = 20, prims: Sequence[Primitive] = ()
) -> Expression:
    """Return an expression of about `size` operations with shared parts, finite at its point."""
    prims = prims or usable()
    genes: list[Gene] = []
    for _ in range(size):
        codes = tuple(0 if rng.random() < 0.5 else rng.randrange(1, 12) for _ in range(3))
        genes.append((rng.randrange(len(prims)), codes, random_float(rng)))  # type: ignore[arg-type]
    point = [random_float(rng) for _ in range(variables)]
    return express(genes, point, prims, shared=True)
