"""The shape of an argument or a result: numbers, arrays, and what is static; and how numbers are
put into that shape again. Knows NumPy and nested structures; nothing of programs or derivatives.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from .._primitive import as_float
from .._structure import _flatten, _unflatten, is_container, place_of
from ..arrays import array_of
from .keys import CODE, NUMBER, STATIC, Refused, classify, orders

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


class Form:
    """The shape of a nested argument or output: numbers, arrays, and what is static.

    Attributes:
        size: how many numbers it has.
        key: equal for forms that a function can't tell apart; static leaves are part of it.
        numeric: the leaves that hold numbers, in order, until `Call` has taken them.
        shapes: equal for forms that differ in static leaves only.
        functions: static leaves that are code, which may change what it does.
    """

    def __init__(self, argument: Any, name: str, axis: int | None = None) -> None:
        self._listed: tuple[type, ...] = ()  # what a row is made of, from the outside in
        if axis is not None and isinstance(argument, list):
            argument, self._listed = _listed_rows(argument, name)
        leaves, self._tree = _flatten(argument)
        self.numeric: list[Any] = []
        self._leaves: list[tuple[Any, Any]] = []  # (shape, static leaf)
        self.functions: list[Any] = []
        keys: list[Any] = []
        self.size = 0
        for i, leaf in enumerate(leaves):
            try:
                shape, number, key = classify(leaf, name, axis)
            except Refused as refused:
                raise refused.error(place_of(self._tree, i, name)) from None
            if shape is not STATIC:
                self.numeric.append(number)
                self.size += size_of(shape)
                leaf = None
            elif isinstance(leaf, CODE):
                self.functions.append(leaf)
            elif isinstance(leaf, np.ndarray):
                leaf = leaf.copy()  # the caller may change it, and this form is kept
            self._leaves.append((shape, leaf))
            keys.append(key)
        self.axis = axis
        # The common case, kept fast: nothing but numbers in one list or tuple.
        kind: Any = type(argument)
        flat = kind in (list, tuple) and not any(map(is_container, argument))
        numbers = flat and len(leaves) == len(argument)  # `None` is no leaf
        self._flat = kind if numbers and all(shape is NUMBER for shape, _ in self._leaves) else None
        dicts = orders(argument, name)
        self.shapes = (self._tree, tuple([shape for shape, _ in self._leaves]), dicts)
        self.key = (self._tree, axis, tuple(keys), self._listed, dicts)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape, if this is one array and nothing else."""
        shape = self._leaves[0][0] if self._tree is None else None
        return shape if isinstance(shape, tuple) else None

    @property
    def number(self) -> bool:
        """Whether this is one number and nothing else."""
        return self._tree is None and self._leaves[0][0] is NUMBER

    @property
    def single(self) -> bool:
        """Whether this is one number or one array, not a container of them."""
        return self._tree is None

    def fill(self, numbers: Sequence[Any]) -> Any:
        """Return the argument with these `Value`s in it; arrays are of dtype object."""
        if self._flat is not None:
            return self._flat(numbers)

        def part(shape: Any, at: int) -> Any:
            if shape is NUMBER:
                return numbers[at]
            return _nest(self._listed, shape, list(numbers[at : at + size_of(shape)]))

        return self._build(part)

    def result(self, numbers: Array) -> Any:
        """Return these numbers in this form: floats and float64 arrays.

        `numbers` has one entry per number; or one column per number and a last axis of rows, which
        becomes the first axis of everything.
        """
        if self._flat is not None and numbers.ndim == 1:
            found = numbers.tolist()
            return found if self._flat is list else tuple(found)

        def part(shape: Any, at: int) -> Any:
            if shape is NUMBER:
                return numbers[at] if numbers.ndim > 1 else numbers.item(at)
            block = numbers[at : at + size_of(shape)]
            if numbers.ndim == 1:
                return block.reshape(shape)
            return block.T.reshape(numbers.shape[1], *shape)

        return self._build(part)

    def block(self, numbers: Array, inner: Sequence[Form], single: bool) -> Any:
        """Return a matrix in nested form: this outside, `inner` inside each leaf.

        `numbers` is (this size, inner sizes one after the other), perhaps with an axis of rows.
        """

        def part(shape: Any, at: int) -> Any:
            many = shape is not NUMBER
            block = numbers[at : at + (size_of(shape) if many else 1)]
            parts: list[Any] = []
            column = 0
            for form in inner:
                entries = block[:, column : column + form.size]
                parts.append(form._inside(entries, shape if many else None))
                column += form.size
            return parts[0] if single else tuple(parts)

        return self._build(part)

    def _inside(self, entries: Array, outer: tuple[int, ...] | None) -> Any:
        rows = entries.shape[2:]

        def part(shape: Any, at: int) -> Any:
            block = entries[:, at : at + size_of(shape)]
            full = (*(outer or ()), *(shape or ()))
            block = np.moveaxis(block.reshape(size_of(full), *rows), -1, 0) if rows else block
            out = np.ascontiguousarray(block).reshape((*rows, *full))
            return out.item() if out.shape == () else out

        return self._build(part)

    @property
    def statics(self) -> list[Any]:
        """The static leaves."""
        return [leaf for shape, leaf in self._leaves if shape is STATIC]

    def with_statics(self, statics: Sequence[Any]) -> Form:
        """Return the same form with other static leaves."""
        twin = copy.copy(self)
        others = iter(statics)
        twin._leaves = [
            (shape, next(others) if shape is STATIC else leaf) for shape, leaf in self._leaves
        ]
        return twin

    def _build(self, part: Callable[[Any, int], Any]) -> Any:
        built: list[Any] = []
        at = 0
        for shape, leaf in self._leaves:
            if shape is STATIC:
                built.append(leaf)
            else:
                built.append(part(shape, at))
                at += size_of(shape)
        return _unflatten(self._tree, built)

    # ------------------------------------------------------------------------------ as data

    def __reduce__(self) -> Any:
        return Form, (self._example(), "a pickled argument", self.axis)

    def _example(self) -> Any:
        """Return an argument of this form."""
        if self._listed:
            shape = self._leaves[0][0]
            return [_nest(self._listed, shape, [0.0] * size_of(shape))]

        def part(shape: Any, at: int) -> Any:
            if self.axis is None:
                return 0.0 if shape is NUMBER else np.zeros(shape)
            shape = list(shape or ())
            shape.insert(self.axis % (len(shape) + 1), 1)
            return np.zeros(shape)

        return self._build(part)

    def to_json(self) -> Any:
        """Return the form as plain data.

        Raises:
            TypeError: it holds something a file can't, such as a dataclass.
        """
        skeleton = _unflatten(self._tree, [*range(len(self._leaves))])
        leaves: list[Any] = []
        for shape, leaf in self._leaves:
            if shape is STATIC and not isinstance(leaf, (bool, int, str, type(None))):
                raise TypeError(f"a kernel with the static argument {leaf!r} can't be saved")
            if shape is STATIC:
                leaves.append({"static": leaf})
            else:
                leaves.append(None if shape is NUMBER else {"array": list(shape)})
        return {
            "tree": _tree_to_json(skeleton),
            "leaves": leaves,
            "axis": self.axis,
            "listed": [kind.__name__ for kind in self._listed],
        }

    @classmethod
    def from_json(cls, data: Any) -> Form:
        """Return the form that `to_json` wrote, of which arrays of any size take no memory.

        It uses up `data`.

        Raises:
            ValueError: it is not one.
        """
        try:
            if type(data) is not dict or set(data) != {"tree", "leaves", "axis", "listed"}:
                raise ValueError("it must have tree, leaves, axis, listed")
            axis, tree = data["axis"], data["tree"]
            if type(axis) not in (int, type(None)) or type(data["leaves"]) is not list:
                raise ValueError(f"axis {axis!r:.100}")
            if axis is not None and type(tree) is dict and "list" in tree:
                raise ValueError("rows in a list")  # they have become an array
            leaves = _Leaves(data["leaves"], axis)
            form = cls(_tree_from_json(tree, leaves), "a saved argument", axis)
            form.numeric = []
            if leaves.left:
                raise ValueError("a leaf has no place in the tree")
            form._list_rows(data["listed"])
        except (ArithmeticError, AttributeError, LookupError, RecursionError) as error:
            raise ValueError(f"not the form of an argument: {error!r:.200}") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"not the form of an argument: {error!s:.200}") from None
        return form

    def _list_rows(self, names: Any) -> None:
        """Let a form read from JSON be one of rows in a list, each made of the kinds named."""
        if not names and type(names) is list:
            return
        shape = self._leaves[0][0]
        depth = 0 if shape is NUMBER else len(shape)
        kinds = tuple([{"list": list, "tuple": tuple, "ndarray": np.ndarray}[n] for n in names])
        arrays = kinds.count(np.ndarray)
        if type(names) is not list or not self.single or self.axis is None or shape is STATIC:
            raise ValueError("rows in a list")
        if (
            len(kinds) > depth
            or (len(kinds) < depth and not arrays)
            or arrays > (kinds[-1] is np.ndarray)
        ):
            raise ValueError(f"rows of {names!r:.100}")
        self._listed = kinds
        self.key = (*self.key[:3], kinds, *self.key[4:])


class _Leaves:
    """Examples of the leaves of a form written as JSON; arrays of any size take no memory."""

    def __init__(self, data: list[Any], axis: int | None) -> None:
        self._data = data
        self._axis = axis
        self._taken = bytearray(len(data))
        self._arrays: dict[Any, Any] = {}
        self.left = len(data)

    def take(self, i: int) -> Any:
        """Return leaf `i`, once."""
        if i < 0 or self._taken[i]:
            raise ValueError(f"leaf {i} twice")
        self._taken[i] = 1
        self.left -= 1
        leaf, self._data[i] = self._data[i], None  # so that both take no more memory than one
        if leaf is None:
            return self._array(()) if self._axis is not None else 0.0
        ((kind, content),) = leaf.items()
        if kind == "array":
            if type(content) is not list or any(type(n) is not int or n < 0 for n in content):
                raise ValueError(f"an array of shape {content!r:.100}")
            return self._array(tuple(content))
        if kind != "static" or type(content) not in (bool, int, str, type(None)):
            raise ValueError(f"the leaf {leaf!r:.100}")
        return content

    def _array(self, shape: tuple[int, ...]) -> Any:
        found = self._arrays.get(shape)
        if found is None:
            full = shape
            if self._axis is not None:
                where = self._axis % (len(shape) + 1)
                full = (*shape[:where], 1, *shape[where:])
            found = self._arrays[shape] = np.broadcast_to(0.0, full)
        return found


def _tree_to_json(tree: Any) -> Any:
    if tree is None or isinstance(tree, int):
        return tree
    if type(tree) in (list, tuple):
        return {type(tree).__name__: [_tree_to_json(x) for x in tree]}
    if type(tree) is dict and all(isinstance(k, str) for k in tree):
        return {"dict": {k: _tree_to_json(x) for k, x in tree.items()}}
    raise TypeError(f"a kernel with an argument of type {type(tree).__name__} can't be saved")


def _tree_from_json(data: Any, leaves: _Leaves) -> Any:
    if data is None or type(data) is int:
        return None if data is None else leaves.take(data)
    ((kind, children),) = data.items()
    if kind == "dict":
        return {k: _tree_from_json(x, leaves) for k, x in children.items()}
    if type(children) is not list:
        raise ValueError(f"{children!r:.100} in a {kind!r:.100}")
    items = [_tree_from_json(x, leaves) for x in children]
    return {"list": list, "tuple": tuple}[kind](items)


def size_of(shape: Any) -> int:
    size = 1
    for n in shape or ():
        size *= n
    return size


def _nest(kinds: tuple[type, ...], shape: tuple[int, ...], numbers: list[Any]) -> Any:
    """Return numbers as what one row was made of: lists or tuples down to arrays of this shape."""
    if not kinds or kinds[0] is np.ndarray:
        return array_of(numbers, shape)
    if len(kinds) == len(shape) == 1:
        return kinds[0](numbers)
    step = size_of(shape[1:])
    return kinds[0](
        _nest(kinds[1:], shape[1:], numbers[i * step : (i + 1) * step]) for i in range(shape[0])
    )


def _listed_rows(rows: list[Any], name: str) -> tuple[Array, tuple[type, ...]]:
    """Return rows given as a list as one array, and what one row is made of, outside in."""
    kinds: list[type] = []
    layer: list[Any] = rows
    while layer and isinstance(layer[0], (list, tuple, np.ndarray)):
        kind = type(layer[0])
        if kind not in (list, tuple, np.ndarray) or any(type(x) is not kind for x in layer):
            kinds = []
            break
        kinds.append(kind)
        layer = [] if kind is np.ndarray else [x for row in layer for x in row]
    try:
        if kinds or not layer or not isinstance(layer[0], (list, tuple, np.ndarray)):
            for x in layer:
                as_float(x, name)
            return np.asarray(rows, dtype=np.float64), tuple(kinds)
    except (TypeError, ValueError):
        pass
    raise TypeError(
        f"{name} is mapped over rows given as a list, so its rows must be numbers, or all lists "
        f"(or all tuples, or all arrays) of as many numbers each; the first is {rows[0]!r}"
    )
