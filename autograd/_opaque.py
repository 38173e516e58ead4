"""What is inside of an object that nobody takes apart: the first number that would be overlooked.

Only asked about what is left alone among arguments and results, so that it can be refused by name.
Knows no structure of ours and no derivatives.
"""

from __future__ import annotations

import enum
import io
import sys
import types
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from numbers import Number
from typing import Any, Final

from ._primitive import Node, Primitive, is_number, is_whole

_MOST: Final = 10_000  # objects looked at; beyond that it is somebody's whole world
# What holds no numbers to differentiate by, or only such as nobody means to.
_PLAIN: Final = (
    str,
    bytes,
    bytearray,
    memoryview,
    range,
    slice,
    type,
    type(None),
    enum.Enum,
    io.IOBase,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.FrameType,
    partial,
    Primitive,
)


def hidden(leaf: Any) -> str | None:
    """Return what of `leaf` is a number that would be overlooked, and what to do about it; None if
    there is nothing."""
    if isinstance(leaf, _PLAIN) or type(leaf).__module__.startswith("autograd."):  # as kernels
        return None
    if isinstance(leaf, Number) and not is_number(leaf):
        if type(leaf).__module__ == "decimal":
            return "mixes with no float; pass float(x)"
        return "is no real number; pass its real and imaginary parts as floats"
    if is_number(leaf):
        return None  # a whole number, which is part of the structure
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(leaf, numpy.ndarray):
        return _array(numpy, leaf)
    if isinstance(leaf, Iterator):
        return "is an iterator, whose numbers can't be seen without using them up; pass list(x)"
    if hasattr(type(leaf), "__array__"):
        where = _path(leaf)
        return None if where is None else "is no array of NumPy; pass numpy.asarray(x)"
    where = _path(leaf)
    if where is None:
        return None
    name = type(leaf).__name__
    return (
        f"holds a number{' at ' if where else ''}{where} but is not taken apart, so it would be "
        "overlooked; pass its numbers in a list, dict or dataclass, keep it in the function's "
        f"closure, or say how it is taken apart: autograd.register_container({name}, take_apart, "
        "put_together)"
    )


def is_plain_array(array: Any) -> bool:
    """Say whether its numbers are all there is to an array of NumPy's (no mask, no units)."""
    numpy = sys.modules["numpy"]
    kind = type(array)
    return kind in (numpy.ndarray, numpy.memmap) or kind.__module__ == "autograd.arrays._array"


def table(x: Any) -> Any:
    """Return a column or table of pandas, polars or xarray as an array; None for anything else."""
    library = type(x).__module__.partition(".")[0]
    if library not in ("pandas", "polars", "xarray") or not hasattr(type(x), "__array__"):
        return None
    return sys.modules["numpy"].asarray(x)


def _array(numpy: Any, leaf: Any) -> str | None:
    if leaf.dtype.kind == "c":
        return "is an array of complex numbers; pass x.real and x.imag"
    if leaf.dtype.kind == "V" and leaf.dtype.names is not None:
        return "is an array of records; pass its fields, each an array: x['name']"
    if leaf.dtype.kind in "fO" and not is_plain_array(leaf):
        kind = type(leaf)
        return (
            f"is a {kind.__module__}.{kind.__name__}, of which only the numbers would be seen; "
            "pass numpy.array(x) (of a masked array, x.filled(...))"
        )
    return None


def _path(leaf: Any) -> str | None:
    """Return where the first float or `Value` inside `leaf` is, as Python would write it."""
    waiting: list[tuple[str, Any]] = [("", leaf)]
    seen: dict[int, Any] = {}  # keeps what it has seen, so that no id comes twice
    at = 0
    while at < len(waiting) and len(seen) < _MOST:
        path, x = waiting[at]
        at += 1
        if isinstance(x, Node):
            return path
        if isinstance(x, _PLAIN) or id(x) in seen:
            continue
        if is_number(x):
            if not is_whole(x):
                return path
            continue
        if isinstance(x, Number):  # complex, Decimal
            return path
        seen[id(x)] = x
        waiting.extend(_inside(path, x))
    return None


def _inside(path: str, x: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    numpy = sys.modules.get("numpy")
    try:
        if numpy is not None and hasattr(type(x), "__array__"):
            entries = numpy.asarray(x)
            if entries.dtype.kind in "fcV" and entries.size:
                return [(path, 0.0)]
            return [(path, y) for y in entries.ravel().tolist()] if entries.dtype == object else []
        if isinstance(x, Mapping):
            found += [(f"{path}[{key!r:.40}]", x[key]) for key in x]
        elif isinstance(x, Collection):
            indexed = hasattr(type(x), "__getitem__")
            found += [(f"{path}[{i}]" if indexed else path, y) for i, y in enumerate(x)]
    except Exception:  # an object that only looks like one
        found = []
    names = list(getattr(x, "__dict__", ()))
    for cls in type(x).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    for name in names:
        try:
            y = object.__getattribute__(x, name)
        except AttributeError:
            continue
        found.append((f"{path}.{name}", y))
    return found
