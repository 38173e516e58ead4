"""What is inside of an object that nobody takes apart: the first number that would be overlooked.

Only asked about what is left alone among arguments and results, so that it can be refused by name.
Knows no structure of ours and no derivatives.
"""

from __future__ import annotations

import enum
import io
import sys
import types
from collections import UserString, deque
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from numbers import Number
from typing import Any, Final

from ._primitive import Node, Primitive, is_number, is_whole

_MOST: Final = 30_000  # objects looked at; beyond that it is somebody's whole world
_AT_A_TIME: Final = 16  # of one container, before the next one has its turn
# What holds no numbers to differentiate by, or only such as nobody means to.
_PLAIN: Final = (
    str,
    UserString,
    bytes,
    bytearray,
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
    waiting: deque[Iterator[tuple[str, Any]]] = deque([iter([("", leaf)])])
    seen: dict[int, Any] = {}  # keeps what it has seen, so that no id comes twice
    looked = 0
    while waiting and looked < _MOST:
        entries = waiting.popleft()
        some = list(islice(entries, _AT_A_TIME))
        looked += len(some)
        for path, x in some:
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
            waiting.append(chain(_entries(path, x), _attributes(path, x)))
        if len(some) == _AT_A_TIME:
            waiting.append(entries)
    return None


def _entries(path: str, x: Any) -> Iterator[tuple[str, Any]]:
    numpy = sys.modules.get("numpy")
    try:
        if numpy is not None and hasattr(type(x), "__array__"):
            entries = numpy.asarray(x)
            if entries.dtype.kind in "fcV" and entries.size:
                yield path, 0.0
            elif entries.dtype == object:
                yield from ((path, y) for y in entries.flat)
        elif isinstance(x, Mapping):
            for key in x:
                yield f"{path}[{key!r:.40}]", x[key]
        elif isinstance(x, Collection):
            indexed = hasattr(type(x), "__getitem__")
            for i, y in enumerate(x):
                yield f"{path}[{i}]" if indexed else path, y
    except Exception:  # an object that only looks like one
        return


def _attributes(path: str, x: Any) -> Iterator[tuple[str, Any]]:
    """Give what `x` stores, past its properties and its `__getattr__`."""
    try:
        own = object.__getattribute__(x, "__dict__")
    except AttributeError:
        own = {}
    for name in list(own):
        if name in own:
            yield f"{path}.{name}", own[name]
    for cls in type(x).__mro__:
        if "__slots__" in cls.__dict__:
            for name, slot in list(cls.__dict__.items()):
                if isinstance(slot, types.MemberDescriptorType):
                    try:
                        y = slot.__get__(x)
                    except AttributeError:
                        continue
                    yield f"{path}.{name}", y
