"""What tells one argument from another: numbers, arrays, and what is static.

A function must not be able to tell two calls with one key apart, and nothing in a key may change.
"""

from __future__ import annotations

import enum
import functools
import struct
import types
from typing import Any, Final

import numpy as np

from .._opaque import table
from .._primitive import Node, Primitive, as_float, is_number, is_whole
from .._structure import _children, brief, is_container
from ..arrays import ValueArray

STATIC: Final = object()  # the shape of a leaf that holds no floats
NUMBER: Final = None  # the shape of a plain number

# What is code: it is told by identity, and by what it reaches (see `fingerprint`).
CODE: Final = (
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
        return kind, tuple(keys)  # of a frozenset too: its order can be seen
    return Same(x) if isinstance(x, CODE) else None


def orders(argument: Any, name: str) -> Any:
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


class Refused(Exception):
    """A leaf that a kernel can't take; `{}` in the message is its place."""

    def __init__(self, message: str, kind: type[Exception] = TypeError) -> None:
        self.message = message
        self.kind = kind

    def error(self, place: str) -> Exception:
        return self.kind(f"{place} {self.message}")


def classify(leaf: Any, name: str, axis: int | None) -> tuple[Any, Any, Any]:
    """Return (shape, the leaf as numbers, key) of one leaf."""
    if axis is None:
        if isinstance(leaf, (float, Node)):
            return NUMBER, leaf if isinstance(leaf, Node) else float(leaf), "number"
        if not isinstance(leaf, np.ndarray) and is_number(leaf) and not is_whole(leaf):
            return NUMBER, as_float(leaf, name), "number"
    if isinstance(leaf, np.ndarray):
        return _classify_array(leaf, axis)
    if axis is not None and isinstance(leaf, (float, np.floating, Node)):
        raise Refused(f"is mapped over rows (in_axes={axis}) but is one number, {leaf!r}")
    array = table(leaf)
    if array is not None:
        return _classify_array(array, axis)
    key = static_key(leaf)
    if key is None:
        raise Refused(
            f"is {brief(leaf)}, neither a number nor of a type that is known never to change; "
            "pass or return its floats, keep it in the function's closure, or make it a bool, "
            "int, str, None, an enum member or a tuple of such"
        )
    return STATIC, None, ("static", key)


def _classify_array(array: Any, axis: int | None) -> tuple[Any, Any, Any]:
    if type(array) not in (np.ndarray, np.memmap, ValueArray):
        raise Refused(
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
            raise Refused(f"is an array of objects: {reason}") from None
        array = np.array(numbers, dtype=np.float64).reshape(array.shape)
    if array.dtype.kind == "f":
        if axis is None:
            return array.shape, array, ("array", array.shape)
        if not -array.ndim <= axis < array.ndim:
            raise Refused(
                f"has shape {array.shape}; in_axes={axis} asks for rows along an axis that it "
                "does not have",
                ValueError,
            )
        array = np.moveaxis(array, axis, 0)
        shape = array.shape[1:] or NUMBER
        return shape, array, ("rows", shape)
    if axis is not None:
        if array.dtype.kind in "iu":
            return _classify_array(array.astype(np.float64), axis)
        raise Refused(
            f"is mapped over rows but has dtype {array.dtype}; rows are made of numbers: convert "
            "it with .astype(float)"
        )
    if array.dtype.kind not in "biuSUmM":
        raise Refused(f"is an array of dtype {array.dtype}; a kernel takes floats and integers")
    return STATIC, None, ("static", array.dtype.str, array.shape, array.tobytes())
