"""A recorded program as one operation of a graph: a node for each result, with exact partials.

The partials come from the program differentiated once more, and theirs from that one differentiated
again, so a kernel inside another graph has derivatives of any order. Knows programs and nodes;
nothing of arguments or of how a path is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from .._primitive import Extra, Node, Primitive
from ._execute import Code, Point
from .native import Layout
from .passes import simplify
from .program import Program
from .trace import collector_paused, gradient, numbers_of, trace

_INTERPRETED: Final = 100_000  # instructions that are run one by one before code is generated


class Block:
    """A program as an operation on numbers and `Value`s.

    `program` is as it was recorded: the derivatives of a simplified one have other last bits.
    """

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        name = re.sub(r"\W", "_", name.rpartition(".")[2].replace("<lambda>", "kernel"))
        self.name = name if name.isidentifier() else f"kernel_{name}"
        self._simple: Program | None = None
        self._points: list[Point] = []
        self._code: Code | None = None
        self._interpreted = 0
        self._derivatives: dict[tuple[bool, ...], Block] = {}
        self._parts: dict[int, Block] = {}
        self._inputs: dict[int, frozenset[int]] = {}
        self._primitives: dict[int, Primitive] = {}

    def numbers(self, inputs: Sequence[float]) -> list[float] | None:
        """Return the results; None if a guard does not hold."""
        if self._simple is None:
            with collector_paused():
                self._simple = simplify(self.program)
        program = self._simple
        if self._code is None:
            self._interpreted += len(program.code) + 1
            if self._interpreted <= _INTERPRETED:
                results, held = program.evaluate(inputs)
                return results if held else None
            layout = Layout((False,) * program.inputs, (False,) * len(program.outputs), True)
            self._code = Code(program, layout)
        try:
            point = self._points.pop()
        except IndexError:
            point = Point(self._code)
        point.inputs[: program.inputs] = inputs
        found = point.results.tolist() if point.run() else None
        self._points.append(point)
        return found

    def nodes(self, inputs: Sequence[Any]) -> list[Any] | None:
        """Return the results as nodes on those of `inputs` that are `Value`s, or as floats where
        they depend on none; None if a guard does not hold."""
        mask = tuple([isinstance(x, Node) for x in inputs])
        numbers = numbers_of(inputs)
        if not any(mask):
            return self.numbers(numbers)
        block = self._derivative(mask, numbers)
        found = None if block is None else block.numbers(numbers)
        if found is None or block is None:
            return None
        results: list[Any] = []
        count, width = len(self.program.outputs), sum(mask)
        for j in range(count):
            start = count + j * width
            partials = iter(found[start : start + width])
            reached = self._reached(j)
            operands: list[tuple[Node | None, float]] = []
            for i, (x, number) in enumerate(zip(inputs, numbers, strict=True)):
                partial = next(partials) if isinstance(x, Node) else 0.0
                needed = isinstance(x, Node) and i in reached
                operands.append((x, partial) if needed else (None, number))
            results.append(self._node(j, found[j], operands))
        return results

    def _node(self, j: int, value: float, operands: list[tuple[Node | None, float]]) -> Any:
        """Return result `j` as a node, a float if it depends on no node."""
        first = next((x for x, _ in operands if x is not None), None)
        if first is None:
            return value
        a, pa = operands[0]
        b, pb = operands[1] if len(operands) > 1 else (None, 0.0)
        more = tuple(operands[2:])
        return first.spawn(
            value, self._primitive(j), a, b, pa, pb, Extra("", (), more) if more else None
        )

    # ------------------------------------------------------------------------- derivatives

    def _derivative(self, mask: tuple[bool, ...], numbers: Sequence[float]) -> Block | None:
        """Return the block that gives all results, then for each of them its derivative by each of
        the inputs in `mask`; None if a guard does not hold at `numbers`."""
        found = self._derivatives.get(mask)
        if found is None:
            if self.numbers(numbers) is None:
                return None

            def run(values: list[Any], level: int) -> list[Any]:
                outputs = self.program.apply(values)
                wrt = [x for x, wanted in zip(values, mask, strict=True) if wanted]
                return [*outputs, *[g for y in outputs for g in gradient(y, wrt, level)]]

            program = trace(numbers, run).program
            found = self._derivatives[mask] = Block(program, f"d_{self.name}")
        return found

    def _reached(self, j: int) -> frozenset[int]:
        """Return which inputs result `j` is made of."""
        found = self._inputs.get(j)
        if found is None:
            part = self.program.part(j)
            used = {i for _, args in part.code for i in args} | {*part.outputs}
            found = self._inputs[j] = frozenset(used & {*range(part.inputs)})
        return found

    def _part(self, output: int) -> Block:
        found = self._parts.get(output)
        if found is None:
            found = self._parts[output] = Block(self.program.part(output), self.name)
        return found

    def _primitive(self, j: int) -> Primitive:
        """Return the row of result `j`."""
        found = self._primitives.get(j)
        if found is None:

            def value(*numbers: float) -> float:
                results = self.numbers(numbers)
                if results is None:
                    raise self._other_branch()
                return results[j]

            partials = tuple([self._partial(j, i) for i in range(self.program.inputs)])
            found = self._primitives[j] = Primitive(self.name, value, partials)
            found.closed = True
        return found

    def _other_branch(self) -> ValueError:
        return ValueError(
            f"{self.name}: these numbers take another branch than those of the graph; if .data was "
            "changed since, record the graph again"
        )

    def _partial(self, j: int, i: int) -> Callable[..., Any]:
        def partial(out: Any, *args: Any) -> Any:
            """Return the derivative of result `j` by input `i`."""
            mask = tuple([isinstance(x, Node) or k == i for k, x in enumerate(args)])
            block = self._derivative(mask, numbers_of(args))
            if block is None:
                raise self._other_branch()
            place = len(self.program.outputs) + j * sum(mask) + sum(mask[:i])
            found = block._part(place).nodes(args)
            if found is None:
                raise self._other_branch()
            return found[0]

        return partial
