"""Which plain numbers can a function's code reach that look like weights somebody forgot to wrap?

A float in a closure is no fault: most are constants. What is looked for is a float among `Value`s:
in the same list, or beside them under a weight's name; or a weight's name in a function that is
called a model, or a whole layer (`w` and `b`) of floats. Looks at functions and objects only;
whether the number enters the result is another's question.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, MutableMapping, MutableSequence
from dataclasses import dataclass
from types import MethodType
from typing import Any, Final

from ._primitive import Node

_AS_A_WEIGHT: Final = re.compile(r"(w|b|weight|bias)(_?\d+)?")
_A_MODEL: Final = re.compile(r"loss|model|predict|forward|layer|neuron|net|perceptron", re.I)
_ALONE: Final = re.compile(r"(weight|bias)(_?\d+)?")
_LAYER: Final = ({"w", "b"}, {"W", "b"})


@dataclass(frozen=True)
class Unwrapped:
    """A float in reach of a function.

    Attributes:
        name: as the function's code would write it.
        number: its value.
        put: puts another number in its place.
    """

    name: str
    number: float
    put: Callable[[float], None]


def line_of(f: Callable[..., Any]) -> str:
    """Return "file:line" of where a function begins, "" if it has no code."""
    code = getattr(_plain(f)[0], "__code__", None)
    return "" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def unwrapped(f: Callable[..., Any]) -> list[Unwrapped]:
    """Return the floats in reach of `f` that look like weights."""
    function, owner = _plain(f)
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    found: list[Unwrapped] = []
    names: dict[str, Any] = {}
    puts: dict[str, Callable[[float], None]] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        puts[name] = functools.partial(setattr, cell, "cell_contents")
    for name in code.co_names:
        if name in function.__globals__:
            names[name] = function.__globals__[name]
            puts[name] = functools.partial(function.__globals__.__setitem__, name)
    model = _A_MODEL.search(code.co_name) is not None
    found += _forgotten(names, puts, "", model)
    attributes = getattr(owner, "__dict__", None)
    if isinstance(attributes, dict):
        seen = {name: attributes[name] for name in code.co_names if name in attributes}
        puts = {name: functools.partial(setattr, owner, name) for name in seen}
        found += _forgotten(seen, puts, "self.", model)
    return found


def _plain(f: Callable[..., Any]) -> tuple[Any, object]:
    """Return the function behind a callable, and the object it is bound to."""
    while isinstance(f, functools.partial):
        f = f.func
    if isinstance(f, MethodType):
        return f.__func__, f.__self__
    if not hasattr(f, "__code__") and hasattr(type(f).__call__, "__code__"):
        return type(f).__call__, f
    return f, None


def _forgotten(
    names: dict[str, Any], puts: dict[str, Callable[[float], None]], prefix: str, model: bool
) -> list[Unwrapped]:
    """Return the floats among `names` that look like weights; `model`: its function's name speaks
    of a model or a loss."""
    beside = model or any(map(_holds_value, names.values()))
    floats = {name for name, x in names.items() if type(x) is float}
    layers = set().union(*(layer for layer in _LAYER if layer <= floats))
    found = [
        Unwrapped(prefix + name, names[name], puts[name])
        for name in names
        if name in floats
        and (name in layers or _ALONE.fullmatch(name) or (beside and _AS_A_WEIGHT.fullmatch(name)))
    ]
    for name, x in names.items():
        if isinstance(x, (MutableSequence, MutableMapping)) and _holds_value(x):
            items = x.items() if isinstance(x, MutableMapping) else enumerate(x)
            found += [
                Unwrapped(f"{prefix}{name}[{key!r}]", y, functools.partial(x.__setitem__, key))
                for key, y in items
                if type(y) is float
            ]
    return found


def _holds_value(x: Any) -> bool:
    if isinstance(x, Node):
        return True
    if isinstance(x, MutableMapping):
        return any(isinstance(y, Node) for y in x.values())
    return isinstance(x, (list, tuple)) and any(isinstance(y, Node) for y in x)
