"""What a call brings: numbers, rows of numbers, and what is static."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .._primitive import Node
from .forms import Array, Form, size_of

_FLOAT64: Final = np.dtype(np.float64)
_FLOATS: Final = {float}


_NUMBER: Final = Form(0.0, "a number")


@functools.lru_cache(maxsize=1024)
def _form_of_floats(kind: Any, count: int) -> Form:
    """Return the form of a flat list or tuple of so many floats."""
    return Form(kind([0.0] * count), "floats")


@functools.lru_cache(maxsize=1024)
def _form_of_array(shape: tuple[int, ...], axis: int | None) -> Form:
    """Return the form of a plain array of this shape, not counting the axis of rows."""
    return Form(np.zeros(shape if axis is None else (1, *shape)), "an array", axis)


class Rows:
    """Columns of numbers, one per input that differs from row to row.

    Attributes:
        blocks: arrays of shape (rows, columns).
        count: the number of rows.
        table: where each column begins in memory; by how many bytes its rows are apart.
    """

    def __init__(self, blocks: list[Array], count: int) -> None:
        self.blocks = blocks
        self.count = count
        table: list[Any] = [[], []]
        for block in blocks:
            base = block.__array_interface__["data"][0]
            down, across = block.strides
            table[0] += [base + across * i for i in range(block.shape[1])]
            table[1] += [down] * block.shape[1]
        self.table = np.array(table, dtype=np.int64)

    def take(self, which: Any) -> Rows:
        """Return the rows of these indices, or of a slice."""
        blocks = [block[which] for block in self.blocks]
        count = len(range(self.count)[which]) if isinstance(which, slice) else len(which)
        return Rows(blocks, count)

    def numbers(self, row: int) -> list[float]:
        """Return the numbers of one row."""
        return [x for block in self.blocks for x in block[row].tolist()]


class Call:
    """The arguments of one call, taken apart.

    Attributes:
        forms: the form of each argument.
        axes: the axis of rows of each argument, None where it is shared.
        key: equal for calls that can share code.
        names: of the last arguments, those that were given by name.
        functions: static arguments that are code.
        graph: whether there are `Value`s among the numbers.
        rows: the numbers that differ from row to row; None where nothing is mapped.
    """

    def __init__(
        self, args: tuple[Any, ...], axes: tuple[int | None, ...], names: tuple[str, ...] = ()
    ) -> None:
        self.forms: list[Form] = []
        self.axes = axes
        self.names = names
        positional = len(args) - len(names)
        self._shared: list[Any] = []
        blocks: list[Array] = []
        counts: list[tuple[int, int]] = []
        form: Form
        numeric: list[Any]
        for i, (x, axis) in enumerate(zip(args, axes, strict=True)):
            if (
                type(x) is np.ndarray
                and x.dtype is _FLOAT64
                and (axis is None or x.ndim > axis == 0)
            ):
                form, numeric = _form_of_array(x.shape if axis is None else x.shape[1:], axis), [x]
            elif type(x) is float and axis is None:
                form, numeric = _NUMBER, [x]
            elif type(x) in (list, tuple) and axis is None and {*map(type, x)} == _FLOATS:
                kind: Any = type(x)
                form, numeric = _form_of_floats(kind, len(x)), [np.array(x)]
            else:
                name = f"argument {i}" if i < positional else f"argument {names[i - positional]}"
                form = Form(x, name, axis)
                numeric, form.numeric = form.numeric, []  # forms are kept, the numbers are not
            self.forms.append(form)
            if axis is None:
                self._shared += numeric
                continue
            for number in numeric:
                array = np.asarray(number, dtype=np.float64)
                if not array.flags.aligned:
                    array = array.copy()
                n = array.shape[0]
                width = array.size // n if n else size_of(array.shape[1:])
                blocks.append(array if array.ndim == 2 else array.reshape(n, width))
                counts.append((i, n))
        self.functions = [f for form in self.forms for f in form.functions]
        self.key = (names, tuple([form.key for form in self.forms]))
        self.graph = any(
            isinstance(x, Node) or (isinstance(x, np.ndarray) and x.dtype.kind == "O")
            for x in self._shared
        )
        for i, n in counts:
            if n != counts[0][1]:
                raise ValueError(
                    f"arguments {counts[0][0]} and {i} are mapped over rows but have "
                    f"{counts[0][1]} and {n} of them"
                )
        if not counts and any(axis is not None for axis in axes):
            raise TypeError("in_axes maps arguments that hold no floats; there are no rows")
        self.rows = Rows(blocks, counts[0][1]) if counts else None

    @property
    def mapped(self) -> list[bool]:
        """For each number, whether it differs from row to row."""
        return [form.axis is not None for form in self.forms for _ in range(form.size)]

    @property
    def values(self) -> list[Any]:
        """All numbers of a call without rows, floats and `Value`s."""
        return [
            x
            for part in self._shared
            for x in (part.ravel().tolist() if isinstance(part, np.ndarray) else [part])
        ]

    @property
    def shared(self) -> Array:
        """The numbers that are the same for all rows."""
        parts = [np.asarray(x, dtype=np.float64).ravel() for x in self._shared]
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0)

    def numbers(self, row: int) -> list[float]:
        """Return all numbers of one row, in the order of the arguments."""
        shared = iter(self.shared.tolist())
        own = iter(self.rows.numbers(row) if self.rows is not None else ())
        return [next(own) if mapped else next(shared) for mapped in self.mapped]

    def fill(self, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments with `values` in place of their numbers, and those given by name."""
        filled: list[Any] = []
        at = 0
        for form in self.forms:
            filled.append(form.fill(values[at : at + form.size]))
            at += form.size
        positional = len(filled) - len(self.names)
        return filled[:positional], dict(zip(self.names, filled[positional:], strict=True))
