"""Calls that share code: a family of one mode and form of arguments, and the paths recorded for it.

Says which numbers go into a program and what becomes of its outputs; not how one is recorded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .. import _locks
from .._opaque import hidden
from .._structure import brief
from .._value import Value
from ._execute import Code, Options, Point
from .compose import Block
from .forms import Form
from .native import Layout
from .outputs import Mode
from .program import Program

Reduce = Literal["sum", "mean"] | None
Check = Literal["sample", "always", "never"]


@dataclass(frozen=True)
class Settings:
    """What `compile` was asked for; see there."""

    wrt: Any = 0
    in_axes: Any = None
    reduce: Reduce = None
    options: Options = field(default_factory=Options)
    max_paths: int = 64
    check: Check = "sample"
    leaves: tuple[Value, ...] = ()


@dataclass
class Path:
    """One way through the function: a program that holds where its guards do.

    Attributes:
        code: it, compiled or not.
        raw: the program as it was recorded, for its derivatives.
        name: of the function.
        captured: `Value`s from outside the arguments: the fingerprint's index where it sees them,
            because another may be in their place, else they themselves.
        out: the form of what the function returned.
        calls: how often it was used, its recording included.
        check_at: at which call it is compared with the function itself.
        points: memory for calls at one point that nobody uses.
    """

    code: Code
    raw: Program
    name: str
    captured: list[Value | int]
    out: Form
    calls: int = 1
    check_at: float = math.inf
    points: list[Point] = field(default_factory=list)

    @cached_property
    def block(self) -> Block:
        """The path as an operation on `Value`s."""
        return Block(self.raw, self.name)


@dataclass(repr=False)
class Family:
    """Calls of one mode that differ in their numbers only.

    Attributes:
        forms: the form of each argument.
        names: of the last arguments, those that were given by name.
        parameters: what to differentiate by, where it is not arguments.
        settings, name: of the kernel and its function.
        paths: the ways through the function recorded so far.
        eager: no code can be generated.
    """

    mode: Mode
    forms: list[Form]
    names: tuple[str, ...]
    parameters: list[Value] | None
    settings: Settings
    name: str
    paths: list[Path] = field(default_factory=list)
    lock: Any = field(default_factory=_locks.lock)
    eager: bool = False

    @property
    def by_rows(self) -> bool:
        """Whether there is an argument with rows."""
        return any(form.axis is not None for form in self.forms)

    @property
    def mapped(self) -> list[bool]:
        """For each number of the arguments, whether it differs from row to row."""
        return [form.axis is not None for form in self.forms for _ in range(form.size)]

    def __repr__(self) -> str:
        return f"<kernel of {self.name}>"

    def wanted(self) -> list[int]:
        """Return the numbers of the arguments to differentiate by."""
        wrt = self.settings.wrt
        many = wrt if isinstance(wrt, tuple) else (wrt,)
        count = len(self.forms) - len(self.names)
        for i in many:
            if not isinstance(i, int) or not -count <= i < count:
                by_name = f" and {', '.join(map(repr, self.names)):.200} by name"
                raise ValueError(
                    f"{self!r}: wrt={wrt!r}, but it was called with {count} arguments"
                    + (by_name if self.names else "")
                )
        wanted = [i % count for i in many]
        if len(set(wanted)) < len(wanted):
            raise ValueError(f"{self!r}: wrt={wrt!r} names an argument of {count} twice")
        return wanted

    def inputs(self) -> list[int]:
        """Return the places of the numbers to differentiate by, among all numbers."""
        starts = np.cumsum([0, *(form.size for form in self.forms)])
        found: list[int] = []
        for i in self.wanted():
            for leaf in self.forms[i].statics:
                why = hidden(leaf)
                if why is not None:
                    raise TypeError(f"{self!r}: argument {i} holds {brief(leaf)}, which {why}")
            if not self.forms[i].size:
                raise TypeError(
                    f"{self!r}: argument {i} holds no float to differentiate with respect to; "
                    "pass floats (3.0, not 3)"
                )
            found += range(starts[i], starts[i + 1])
        return found

    def outputs(self, out: Form) -> int:
        """Return how many outputs a program of this family has, from sizes alone.

        Raises:
            ValueError: it can't have been recorded.
        """
        mode = self.mode
        if mode == "value":
            return out.size
        if self.parameters is not None:
            wanted = len(self.parameters)
        else:
            by = [self.forms[i] for i in self.wanted()]
            if not all(form.size for form in by):
                raise ValueError("not a kernel: wrt is an argument without floats")
            added = self.settings.reduce is not None and mode != "value_and_grad"
            if added and any(form.axis is not None for form in by):
                raise ValueError(f"not a kernel: {mode} by rows that are added up")
            wanted = sum(form.size for form in by)
        if mode == "jacobian":
            return out.size * wanted
        if out.size != 1 or not out.single:
            raise ValueError(f"not a kernel: {mode} of more than one number")
        return 1 + wanted if mode == "value_and_grad" else wanted * wanted

    def layout(self, program: Program, captured: int, out: Form) -> Layout:
        """Return what code must know of a program's inputs and outputs."""
        sums = self._sums(out)
        if self.by_rows:
            return Layout((*self.mapped, *[False] * captured), sums)
        return Layout((False,) * program.inputs, (False,) * len(sums), point=True)

    def _sums(self, out: Form) -> tuple[bool, ...]:
        """Return which outputs are added up over the rows."""
        reduced = self.settings.reduce is not None
        if self.mode == "value":
            return (reduced,) * out.size
        if self.parameters is not None:
            per_input = [reduced] * len(self.parameters)
        else:
            mapped = self.mapped
            per_input = [reduced and not mapped[i] for i in self.inputs()]
        if self.mode == "value_and_grad":
            return (reduced, *per_input)
        if reduced and not all(per_input):
            raise ValueError(f"{self!r}: {self.mode} with reduce needs wrt to be shared by rows")
        count = out.size if self.mode == "jacobian" else len(per_input)
        return tuple(per_input) * count


# A path as it travels: the program simplified and as recorded, what it captured, what it returned.
Recorded = tuple[Program, Program, list[Value | int], Form]
