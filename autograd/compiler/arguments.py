"""What a call brings: numbers, rows of numbers, and what is static; and how results are dressed.

Knows NumPy and nested structures; nothing of programs or derivatives.
"""

from __future__ import annotations

import copy
import enum
import functools
import struct
import types
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from .._primitive import Node, Primitive, as_float
from .._structure import _children, _flatten, _unflatten, is_container

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_STATIC: Final = object()  # the shape of a leaf that holds no floats
_NUMBER: Final = None  # the shape of a plain number


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
                shape, number, key = _classify(leaf, name, axis)
            except _Refused as refused:
                raise refused.error(_place(self._tree, i, name)) from None
            if shape is not _STATIC:
                self.numeric.append(number)
                self.size += _size(shape)
                leaf = None
            elif isinstance(leaf, _CODE):
                self.functions.append(leaf)
            elif isinstance(leaf, np.ndarray):
                leaf = leaf.copy()  # the caller may change it, and this form is kept
            self._leaves.append((shape, leaf))
            keys.append(key)
        self.axis = axis
        orders = _orders(argument, name)
        self.shapes = (self._tree, tuple([shape for shape, _ in self._leaves]), orders)
        self.key = (self._tree, axis, tuple(keys), self._listed, orders)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape, if this is one array and nothing else."""
        shape = self._leaves[0][0]
        plain = self._tree is None and isinstance(shape, tuple)
        return shape if plain else None

    @property
    def single(self) -> bool:
        """Whether this is one number or one array, not a container of them."""
        return self._tree is None

    def fill(self, numbers: Sequence[Any]) -> Any:
        """Return the argument with these `Value`s in it; arrays are of dtype object."""

        def part(shape: Any, at: int) -> Any:
            if shape is _NUMBER:
                return numbers[at]
            return _nest(self._listed, shape, list(numbers[at : at + _size(shape)]))

        return self._build(part)

    def result(self, numbers: Array) -> Any:
        """Return these numbers in this form: floats and float64 arrays.

        `numbers` has one entry per number; or one column per number and a last axis of rows, which
        becomes the first axis of everything.
        """

        def part(shape: Any, at: int) -> Any:
            if shape is _NUMBER:
                return numbers[at] if numbers.ndim > 1 else numbers.item(at)
            block = numbers[at : at + _size(shape)]
            if numbers.ndim == 1:
                return block.reshape(shape)
            return block.T.reshape(numbers.shape[1], *shape)

        return self._build(part)

    def block(self, numbers: Array, inner: Sequence[Form], single: bool) -> Any:
        """Return a matrix in nested form: this outside, `inner` inside each leaf.

        `numbers` is (this size, inner sizes one after the other), perhaps with an axis of rows.
        """

        def part(shape: Any, at: int) -> Any:
            many = shape is not _NUMBER
            block = numbers[at : at + (_size(shape) if many else 1)]
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
            block = entries[:, at : at + _size(shape)]
            full = (*(outer or ()), *(shape or ()))
            block = np.moveaxis(block.reshape(_size(full), *rows), -1, 0) if rows else block
            out = np.ascontiguousarray(block).reshape((*rows, *full))
            return out.item() if out.shape == () else out

        return self._build(part)

    @property
    def statics(self) -> list[Any]:
        """The static leaves."""
        return [leaf for shape, leaf in self._leaves if shape is _STATIC]

    def with_statics(self, statics: Sequence[Any]) -> Form:
        """Return the same form with other static leaves."""
        twin = copy.copy(self)
        others = iter(statics)
        twin._leaves = [
            (shape, next(others) if shape is _STATIC else leaf) for shape, leaf in self._leaves
        ]
        return twin

    def _build(self, part: Callable[[Any, int], Any]) -> Any:
        built: list[Any] = []
        at = 0
        for shape, leaf in self._leaves:
            if shape is _STATIC:
                built.append(leaf)
            else:
                built.append(part(shape, at))
                at += _size(shape)
        return _unflatten(self._tree, built)

    # ------------------------------------------------------------------------------ as data

    def __reduce__(self) -> Any:
        return Form, (self._example(), "a pickled argument", self.axis)

    def _example(self) -> Any:
        """Return an argument of this form."""
        if self._listed:
            shape = self._leaves[0][0]
            return [_nest(self._listed, shape, [0.0] * _size(shape))]

        def part(shape: Any, at: int) -> Any:
            if self.axis is None:
                return 0.0 if shape is _NUMBER else np.zeros(shape)
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
            if shape is _STATIC and not isinstance(leaf, (bool, int, str, type(None))):
                raise TypeError(f"a kernel with the static argument {leaf!r} can't be saved")
            if shape is _STATIC:
                leaves.append({"static": leaf})
            else:
                leaves.append(None if shape is _NUMBER else {"array": list(shape)})
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
        depth = 0 if shape is _NUMBER else len(shape)
        kinds = tuple([{"list": list, "tuple": tuple, "ndarray": np.ndarray}[n] for n in names])
        arrays = kinds.count(np.ndarray)
        if type(names) is not list or not self.single or self.axis is None or shape is _STATIC:
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


def _size(shape: Any) -> int:
    size = 1
    for n in shape or ():
        size *= n
    return size


def _nest(kinds: tuple[type, ...], shape: tuple[int, ...], numbers: list[Any]) -> Any:
    """Return numbers as what one row was made of: lists or tuples down to arrays of this shape."""
    if not kinds or kinds[0] is np.ndarray:
        return np.fromiter(numbers, object, len(numbers)).reshape(shape)
    if len(kinds) == len(shape) == 1:
        return kinds[0](numbers)
    step = _size(shape[1:])
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


# ---------------------------------------------------------------------------------- the key

# What is code: it is told by identity, and by what it reaches (see `fingerprint`).
_CODE: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.ModuleType,
    functools.partial,
    np.ufunc,
    Primitive,
    type,
)


class Same:
    """A key of one object and no other, however alike; it keeps the object alive."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.it is self.it

    def __hash__(self) -> int:
        return id(self.it)

    def __repr__(self) -> str:
        return f"Same({self.it!r})"


def static_key(x: Any) -> Any:
    """Return what tells an immutable `x` from all others that a function can tell from it (1, True
    and 1.0 are three); None if it is not of a type that is known to be immutable."""
    kind = type(x)
    if kind in (bool, int, str, bytes, type(None)):
        return kind, x
    if kind is float:
        return kind, struct.pack("=d", x)
    if isinstance(x, enum.Enum):
        return Same(x)
    if isinstance(x, (np.integer, np.bool_)):
        return kind, x.item()
    if kind in (tuple, frozenset):
        keys = [static_key(entry) for entry in x]
        if None in keys:
            return None
        return kind, tuple(keys) if kind is tuple else frozenset(keys)
    return Same(x) if isinstance(x, _CODE) else None


def _orders(argument: Any, name: str) -> Any:
    """Return the keys of all dicts in `argument`, in their order and with their types."""
    found: list[Any] = []
    waiting = [argument] if is_container(argument) else []
    while waiting:
        x = waiting.pop()
        if isinstance(x, dict):
            keys = [static_key(key) for key in x]
            if None in keys:
                key = next(key for key in x if static_key(key) is None)
                raise TypeError(
                    f"{name} has a dict with the key {key!r} ({type(key).__name__}), which may "
                    "change what a function does with it; use strings or whole numbers"
                )
            found.append(tuple(keys))
        waiting.extend(child for child in _children(x) if is_container(child))
    return tuple(found)


class _Refused(Exception):
    """A leaf that a kernel can't take; `{}` in the message is its place."""

    def __init__(self, message: str, kind: type[Exception] = TypeError) -> None:
        self.message = message
        self.kind = kind

    def error(self, place: str) -> Exception:
        return self.kind(f"{place} {self.message}")


def _place(tree: Any, i: int, name: str) -> str:
    """Return where leaf `i` of a tree is, as Python would write it."""
    if tree is None:
        return name
    import optree

    place: str = optree.treespec_accessors(tree)[i].codify(name)
    return place


def _classify(leaf: Any, name: str, axis: int | None) -> tuple[Any, Any, Any]:
    """Return (shape, the leaf as numbers, key) of one leaf."""
    if axis is None:
        if isinstance(leaf, (float, Node)):
            return _NUMBER, leaf if isinstance(leaf, Node) else float(leaf), "number"
        if isinstance(leaf, np.floating):
            return _NUMBER, float(leaf), "number"
    if isinstance(leaf, np.ndarray):
        return _classify_array(leaf, axis)
    if axis is not None and isinstance(leaf, (float, np.floating, Node)):
        raise _Refused(f"is mapped over rows (in_axes={axis}) but is one number, {leaf!r}")
    key = static_key(leaf)
    if key is None:
        raise _Refused(
            f"is {_brief(leaf)}, neither a number nor of a type that is known never to change; "
            "pass or return its floats, keep it in the function's closure, or make it a bool, "
            "int, str, None, an enum member or a tuple of such"
        )
    return _STATIC, None, ("static", key)


def _classify_array(array: Any, axis: int | None) -> tuple[Any, Any, Any]:
    if type(array) not in (np.ndarray, np.memmap):
        raise _Refused(
            f"is a {type(array).__module__}.{type(array).__name__}, of which a kernel would see "
            "the numbers only; pass numpy.array(x) (of a masked array, x.filled(...))"
        )
    if array.dtype.kind == "O":
        entries = array.ravel().tolist()
        if axis is None and any(isinstance(x, Node) for x in entries):
            return array.shape, array, ("array", array.shape)
        try:
            numbers = [as_float(x, "entry") for x in entries]
        except TypeError as reason:
            raise _Refused(f"is an array of objects: {reason}") from None
        array = np.array(numbers, dtype=np.float64).reshape(array.shape)
    if array.dtype.kind == "f":
        if axis is None:
            return array.shape, array, ("array", array.shape)
        if not -array.ndim <= axis < array.ndim:
            raise _Refused(
                f"has shape {array.shape}; in_axes={axis} asks for rows along an axis that it "
                "does not have",
                ValueError,
            )
        array = np.moveaxis(array, axis, 0)
        shape = array.shape[1:] or _NUMBER
        return shape, array, ("rows", shape)
    if axis is not None:
        raise _Refused(
            f"is mapped over rows but has dtype {array.dtype}: whole numbers are static, "
            "the same for all rows; convert it with .astype(float)"
        )
    if array.dtype.kind not in "biuSUmM":
        raise _Refused(f"is an array of dtype {array.dtype}; a kernel takes floats and integers")
    return _STATIC, None, ("static", array.dtype.str, array.shape, array.tobytes())


def _brief(x: Any) -> str:
    text = repr(x)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(x).__name__})"


_FLOAT64: Final = np.dtype(np.float64)


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
        for i, (x, axis) in enumerate(zip(args, axes, strict=True)):
            if (
                type(x) is np.ndarray
                and x.dtype is _FLOAT64
                and (axis is None or x.ndim > axis == 0)
            ):
                form, numeric = _form_of_array(x.shape if axis is None else x.shape[1:], axis), [x]
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
                width = array.size // n if n else _size(array.shape[1:])
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
