"""Nested arguments: which numbers they hold, and how to put others in their places.

Tuples, lists, dicts, named tuples, dataclasses and registered classes are taken apart by optree;
NumPy arrays entry by entry. A plain number needs neither library. What is not taken apart is left
alone where it holds no number, else refused. Knows nothing of derivatives.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from ._locks import lock
from ._opaque import hidden, is_plain_array, table
from ._primitive import Node, as_float, is_number, is_whole

_NAMESPACE: Final = "scalar-autograd"  # of the dataclasses registered with optree
# Exactly these: optree leaves a subclass alone, unless it is a named tuple.
_CONTAINERS: Final = (tuple, list, dict, deque, OrderedDict, defaultdict)


class Structure:
    """The shape of one argument: a tree whose leaves are numbers, arrays of numbers, or neither.

    `integers`: whether whole numbers are numbers too (in what a function returns), or left alone.

    Attributes:
        numbers: what it holds, in order: floats and `Value`s.
        empty: whether it holds no number because there is none to hold: `[]`, or an array of none.
    """

    def __init__(self, argument: Any, integers: bool = False) -> None:
        self.numbers: list[Any] = []
        self._integers = integers
        leaves, self._tree = _flatten(argument)
        # One entry per leaf: the shape of an array, () for a number, None for what is left alone.
        self._leaves = leaves
        self._shapes = [self._take(leaf, i) for i, leaf in enumerate(leaves)]
        # The common case, kept fast: nothing but numbers, each of them a leaf.
        self._plain = len(self.numbers) == len(leaves) and not any(map(is_array, leaves))
        self.empty = not self.numbers and (not leaves or any(map(is_array, self._numeric())))

    def _take(self, leaf: Any, i: int) -> tuple[int, ...] | None:
        if isinstance(leaf, Node):
            self.numbers.append(leaf)
            return ()
        if isinstance(leaf, float):
            self.numbers.append(float(leaf))
            return ()
        if is_array(leaf):
            if leaf.dtype.kind not in ("fOiu" if self._integers else "fO") or _is_special(leaf):
                return None
            self.numbers.extend(
                x if isinstance(x, Node) else as_float(x, "an array entry")
                for x in leaf.ravel().tolist()
            )
            shape: tuple[int, ...] = leaf.shape
            return shape
        if not is_number(leaf):
            array = table(leaf)
            if array is None:
                return None
            self._leaves[i] = array
            return self._take(array, i)
        if not is_whole(leaf) or (self._integers and not is_flag(leaf)):
            self.numbers.append(as_float(leaf, "an output" if self._integers else "an argument"))
            return ()
        return None

    def _numeric(self) -> list[Any]:
        return [x for x, shape in zip(self._leaves, self._shapes, strict=True) if shape is not None]

    def refuse_hidden(self, name: str) -> None:
        """Raise if there are numbers in what is left alone; `name` is what this is the shape of.

        Raises:
            TypeError: where they are, and what to do about it.
        """
        if self._plain:
            return
        for i, (leaf, shape) in enumerate(zip(self._leaves, self._shapes, strict=True)):
            why = None if shape is not None else hidden(leaf)
            if why is not None:
                place = place_of(self._tree, i, name)
                raise TypeError(f"{place} is {brief(leaf)}, which {why}")

    def match(self, other: Any) -> list[Any] | None:
        """Return the numbers of `other`, one for each of this; None if its structure differs.

        What is left alone here may be anything there; integers do for numbers.
        """
        leaves, tree = _flatten(other)
        if tree != self._tree:
            return None
        numbers: list[Any] = []
        for leaf, shape in zip(leaves, self._shapes, strict=True):
            if shape is not None:
                part = Structure(leaf, integers=True)
                if part._shapes != [shape]:
                    return None
                numbers += part.numbers
        return numbers

    def fill(self, numbers: Sequence[Any]) -> Any:
        """Return the argument again with these numbers; arrays are of dtype object."""
        return self._build(iter(numbers), lambda xs, shape: _array(xs, shape, object))

    def result(self, numbers: Sequence[Any]) -> Any:
        """Return these numbers in the argument's structure; arrays of floats are float64."""
        return self._build(iter(numbers), _result_array)

    def _build(
        self, numbers: Iterator[Any], array: Callable[[list[Any], tuple[int, ...]], Any]
    ) -> Any:
        leaves: list[Any] = list(numbers) if self._plain else []
        for leaf, shape in zip(self._leaves, self._shapes, strict=True) if not leaves else ():
            if shape is None:
                leaves.append(leaf)
            elif is_array(leaf):
                leaves.append(array(list(islice(numbers, _size(shape))), shape))
            else:
                leaves.append(next(numbers))
        return _unflatten(self._tree, leaves)

    def block(self, rows: Sequence[Any], inner: Sequence[Structure], single: bool) -> Any:
        """Return a matrix in nested structure: this one outside, `inner` inside each leaf.

        `rows` has one row per number here, each with one entry per number of the `inner`
        structures one after the other. Where both leaves are arrays, the result is an array of
        both shapes joined. `single`: the one inner structure is not wrapped in a tuple.
        """
        leaves: list[Any] = []
        at = 0
        for leaf, shape in zip(self._leaves, self._shapes, strict=True):
            if shape is None:
                leaves.append(leaf)
                continue
            height = _size(shape)
            part = rows[at : at + height]
            at += height
            outer = shape if is_array(leaf) else None
            parts: list[Any] = []
            column = 0
            for structure in inner:
                width = len(structure.numbers)
                parts.append(structure._inside([r[column : column + width] for r in part], outer))
                column += width
            leaves.append(parts[0] if single else tuple(parts))
        return _unflatten(self._tree, leaves)

    def _inside(self, rows: list[Any], outer: tuple[int, ...] | None) -> Any:
        if outer is None:
            return self.result(rows[0])
        leaves: list[Any] = []
        column = 0
        for leaf, shape in zip(self._leaves, self._shapes, strict=True):
            if shape is None:
                leaves.append(leaf)
                continue
            width = _size(shape)
            entries = [x for row in rows for x in row[column : column + width]]
            leaves.append(_result_array(entries, (*outer, *shape)))
            column += width
        return _unflatten(self._tree, leaves)


def is_container(x: Any) -> bool:
    """Say whether `x` is taken apart rather than being a number, an array or left alone."""
    cls = type(x)
    return (
        cls in _CONTAINERS
        or cls in _take_apart
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
        or dataclasses.is_dataclass(cls)
    )


def is_array(x: Any) -> bool:
    """Say whether `x` is a NumPy array, without importing NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def holds_values(x: Any) -> bool:
    """Say whether there is a `Value` anywhere in `x`."""
    return next(values_in(x), None) is not None


def values_in(x: Any) -> Iterator[Any]:
    """Give the `Value`s in `x`, in no order."""
    waiting = [x]
    seen: set[int] = set()  # a list may contain itself
    while waiting:
        x = waiting.pop()
        if isinstance(x, Node):
            yield x
        elif isinstance(x, (float, int, str)) or x is None:
            continue
        elif is_array(x):
            if x.dtype.kind == "O":
                waiting.extend(x.ravel().tolist())
        elif id(x) not in seen and (is_container(x) or isinstance(x, (dict, list, tuple, deque))):
            seen.add(id(x))
            waiting.extend(_children(x))


def _children(x: Any) -> list[Any]:
    """Return what a container holds."""
    take_apart = _take_apart.get(type(x))
    if take_apart is not None:
        return list(take_apart(x)[0])
    if isinstance(x, dict):
        return list(x.values())
    if isinstance(x, (list, tuple, deque)):
        return list(x)
    return [getattr(x, f.name) for f in dataclasses.fields(x)]


def strip(x: Any) -> Any:
    """Return `x` with plain numbers in the place of its `Value`s."""
    if isinstance(x, Node):
        return x._data
    if is_array(x):
        entries = [strip(entry) for entry in x.ravel().tolist()] if holds_values(x) else []
        return Structure(x).result(entries) if entries else x
    if is_container(x):
        leaves, tree = _flatten(x)
        return _unflatten(tree, [strip(leaf) for leaf in leaves])
    return x


def _is_special(array: Any) -> bool:
    """Say whether the floats or objects of an array are not all there is to it (masks, units)."""
    return array.dtype.kind in "fO" and not is_plain_array(array)


def is_flag(x: Any) -> bool:
    """Say whether `x` is True or False, Python's or NumPy's: no number where floats are meant."""
    numpy = sys.modules.get("numpy")
    return isinstance(x, bool) or (numpy is not None and isinstance(x, numpy.bool_))


def brief(x: Any) -> str:
    """Return `x` and its type, for messages."""
    text = " ".join(repr(x).split("\n"))
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(x).__name__})"


def place_of(tree: Any, i: int, name: str) -> str:
    """Return where leaf `i` of a tree is, as Python would write it."""
    if tree is None:
        return name
    import optree

    place: str = optree.treespec_accessors(tree)[i].codify(name)
    return place


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _array(entries: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    import numpy

    if dtype is object:
        from .arrays import array_of

        return array_of(entries, shape)
    return numpy.fromiter(entries, dtype, len(entries)).reshape(shape)


def _result_array(entries: list[Any], shape: tuple[int, ...]) -> Any:
    values = any(isinstance(x, Node) for x in entries)
    return _array(entries, shape, object if values else float)


def _flatten(x: Any) -> tuple[list[Any], Any]:
    """Return the leaves of `x`, and the tree to put others on: None if `x` is a leaf itself."""
    if not is_container(x):
        return [x], None
    import optree

    try:
        leaves, tree = optree.tree_flatten(x, namespace=_NAMESPACE)
        while _register_dataclasses({type(leaf) for leaf in leaves}):
            leaves, tree = optree.tree_flatten(x, namespace=_NAMESPACE)
    except RecursionError:
        raise ValueError(
            f"a {type(x).__name__} among arguments or results contains itself, or is nested "
            "deeper than a thousand times; pass its numbers in one list or array"
        ) from None
    return leaves, tree


def _unflatten(tree: Any, leaves: list[Any]) -> Any:
    return leaves[0] if tree is None else tree.unflatten(leaves)


_registered: Final[set[type]] = set()
_take_apart: Final[dict[type, Callable[[Any], Any]]] = {}  # of classes that users registered
_register_lock: Final = lock()


def register_container(
    cls: type[Any],
    take_apart: Callable[[Any], tuple[Sequence[Any], Any]],
    put_together: Callable[[Any, Sequence[Any]], Any],
) -> None:
    """Let arguments and results of class `cls` be taken apart, as lists and dicts are.

    `take_apart(x)` returns `(children, rest)`: what may hold numbers, and all else, which must be
    hashable and equal for equal content. `put_together(rest, children)` returns an object with
    other children, in a gradient floats or arrays. Exactly this class is meant, no subclass.

    An object whose numbers are none to differentiate by is all rest:
    `register_container(Settings, lambda x: ((), x), lambda rest, _: rest)`.

    Raises:
        TypeError: `cls` is no class, or the others are no functions.
        ValueError: objects of this class are taken apart already.
    """
    if not isinstance(cls, type):
        raise TypeError(f"register_container: cls must be a class, not {brief(cls)}")
    if not callable(take_apart) or not callable(put_together):
        raise TypeError("register_container: take_apart and put_together must be functions")
    import optree

    known = (*_CONTAINERS, float, int, str, bool, type(None), Node)
    with _register_lock:
        if cls in _take_apart or cls in known or issubclass(cls, Node) or cls in _registered:
            raise ValueError(f"register_container: {cls.__name__} is known already")
        optree.register_pytree_node(
            cls,
            lambda x: tuple(take_apart(x))[:2],
            lambda rest, children: put_together(rest, list(children)),
            namespace=_NAMESPACE,
        )
        _take_apart[cls] = take_apart


def _register_dataclasses(classes: set[type]) -> bool:
    """Make optree take apart each dataclass among `classes`; say whether there were any."""
    import optree

    found: list[Any] = [c for c in classes if dataclasses.is_dataclass(c) and c not in _take_apart]
    with _register_lock:
        for cls in found:
            if cls not in _registered:
                # An interrupt may have come between the two lines, the last time.
                with contextlib.suppress(ValueError):
                    optree.register_pytree_node(
                        cls, _fields_of, functools.partial(_dataclass_of, cls), namespace=_NAMESPACE
                    )
                _registered.add(cls)
    return bool(found)


def _fields_of(x: Any) -> tuple[list[Any], tuple[str, ...], tuple[str, ...]]:
    names = tuple([f.name for f in dataclasses.fields(x)])
    for name in getattr(x, "__dict__", ()):
        # What a class computes on demand it will compute again (kernels of its methods, too);
        # anything else would be lost.
        if name not in (*names, "__kernels__") and not isinstance(
            getattr(type(x), name, None), functools.cached_property
        ):
            raise TypeError(
                f"the {type(x).__name__} has the attribute {name!r}, which is no field of the "
                "dataclass and would be lost; make it a field, or a property"
            )
    return [getattr(x, name) for name in names], names, names


def _dataclass_of(cls: type, names: tuple[str, ...], children: Any) -> Any:
    new: Any = object.__new__(cls)  # not __init__, which may validate or convert the fields
    for name, child in zip(names, children, strict=True):
        object.__setattr__(new, name, child)
    return new
