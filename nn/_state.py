"""What the code of a run can reach besides parameters: settings, counters, random generators.

`State` looks at it, to see what changed and to keep it in a file, and puts it back. It follows
attributes, containers, closures and the globals that functions name, through the user's own classes
and functions; libraries are taken as they are. Knows nothing of losses, optimisers and loops.
"""

from __future__ import annotations

import hashlib
import math
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from autograd import Value

_ATOMS = (type(None), bool, int, float, str)
_SEQUENCES = (list, tuple, deque, set, frozenset)
_OURS = ("autograd", "nn", "viz")
_MISSING = object()


class NotPlain(Exception):
    """Something that a file can't hold."""


class State:
    """What can be reached from some objects, by name.

    Args:
        roots: where to begin, by name.
        skip: what is looked after elsewhere, such as parameters and optimisers.
    """

    def __init__(self, roots: Mapping[str, object], skip: Iterable[object] = ()) -> None:
        self._roots = dict(roots)
        self._skip = list(skip)
        self._began = [(thing, _content(thing)) for _, thing in self._walk(set())]

    def restore(self) -> None:
        """Put everything back to how it was when this object was made."""
        for thing, content in self._began:
            if not _is_same(_content(thing), content):
                _put(thing, content)

    def described(self) -> dict[str, Any]:
        """Return what is there now by name, as plain data; what a file can't hold, as a text."""
        found: dict[str, Any] = {}
        whole: set[int] = set()
        for name, thing in self._walk(whole):
            try:
                if _is_named(thing):
                    raise NotPlain
                found[name] = encoded(_content(thing))
                whole.add(id(thing))
            except (NotPlain, RecursionError):
                found[name] = {"is": _text(thing)}
                found |= {f"{name}.{key}": encoded(x) for key, x in _atoms(thing).items()}
        return found

    def iterators(self) -> list[str]:
        """Return the names of iterators: where they are can neither be kept nor put back."""
        return [name for name, thing in self._walk(set()) if hasattr(type(thing), "__next__")]

    def put(self, kept: Mapping[str, Any]) -> list[str]:
        """Set what `described` wrote of these names; return those where that is not possible."""
        left = dict(kept)
        for name, thing in list(self._walk(set())):
            if name in left and "is" not in _mapping(left[name]) and not _passes_on(thing):
                _fill(thing, decoded(left.pop(name)))
            for key in _atoms(thing):
                if f"{name}.{key}" in left:
                    _set_atom(thing, key, decoded(left.pop(f"{name}.{key}")))
            if _has_attributes(thing):
                for full in [full for full in left if full.rpartition(".")[0] == name]:
                    key = full.rpartition(".")[2]
                    new = key not in vars(thing) and "is" not in _mapping(left[full])
                    if new or isinstance(left[full], _ATOMS):
                        setattr(thing, key, decoded(left.pop(full)))
        return list(left)

    def copy(self) -> State:
        """Return the same, as it is now."""
        return State(self._roots, self._skip)

    def _walk(self, whole: set[int]) -> Iterator[tuple[str, Any]]:
        """Yield everything that holds something, each once; not the parts of what is `whole`."""
        seen: set[Any] = {id(thing) for thing in self._skip}
        stack = list(reversed(self._roots.items()))
        while stack:
            name, thing = stack.pop()
            key = thing.key if isinstance(thing, _Global) else id(thing)
            if isinstance(thing, _ATOMS) or key in seen:
                continue
            seen.add(key)
            yield name, thing
            if id(thing) not in whole:
                parts = [
                    (f"{name}.{part}" if part else name, inner) for part, inner in _parts(thing)
                ]
                stack.extend(reversed(parts))


class _Global:
    """A global variable that a function names."""

    def __init__(self, where: dict[str, Any], name: str) -> None:
        self.where = where
        self.name = name
        self.key = (id(where), name)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names under which two descriptions differ."""
    names = [*before, *(name for name in now if name not in before)]
    return [name for name in names if before.get(name, _MISSING) != now.get(name, _MISSING)]


def is_random(description: Any) -> bool:
    """Say whether this describes a random generator."""
    return "random state" in _mapping(description)


def is_value(description: Any) -> bool:
    """Say whether this describes the number in a `Value`."""
    return "value" in _mapping(description)


def _mapping(description: Any) -> Mapping[str, Any]:
    return description if isinstance(description, dict) else {}


# ------------------------------------------------------------------------ what things hold


def _parts(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, part) for what `thing` holds; "" for a part that goes by the same name."""
    if isinstance(thing, FunctionType):
        if is_library(thing.__module__, thing.__code__.co_filename):
            return
        yield from zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True)
        yield "defaults", thing.__defaults__
        yield "keyword defaults", thing.__kwdefaults__
        for name in _names(thing.__code__):
            if name in thing.__globals__:
                yield name, _Global(thing.__globals__, name)
    elif isinstance(thing, (CellType, _Global)):
        yield "", _content(thing)
    elif isinstance(thing, MethodType):
        yield "", thing.__self__
        yield thing.__name__, thing.__func__
    elif isinstance(thing, partial):
        yield "", thing.func
        yield "arguments", thing.args
        yield "keywords", thing.keywords
    elif isinstance(thing, dict):
        yield from ((str(key), part) for key, part in list(thing.items()))
    elif isinstance(thing, _SEQUENCES):
        yield from ((str(i), part) for i, part in enumerate(thing) if not isinstance(part, _ATOMS))
    elif _is_array(thing) and thing.dtype == object:
        yield from ((str(i), part) for i, part in enumerate(thing.ravel().tolist()))
    elif isinstance(thing, type):
        if not is_library(thing.__module__):
            for key, part in list(vars(thing).items()):
                if isinstance(part, (FunctionType, *_SEQUENCES, dict, Value)):
                    yield key, part
    elif _has_attributes(thing):
        yield from list(vars(thing).items())
        for kind in type(thing).__mro__:
            if not is_library(kind.__module__):
                yield kind.__name__, kind


def _content(thing: Any) -> Any:
    """Return what `thing` itself holds, as a copy that does not change with it."""
    if isinstance(thing, Value):
        return {"value": thing.data} if thing.primitive is None else None
    if isinstance(thing, CellType):
        try:
            return thing.cell_contents
        except ValueError:  # nothing was assigned to it
            return None
    if isinstance(thing, _Global):
        return thing.where.get(thing.name)
    if isinstance(thing, random.Random):
        return {"random state": thing.getstate()}
    if thing is random:
        return {"random state": random.getstate()}
    if _draws(thing):
        return {"random state": _of_numpy(thing).get_state()}
    if _is_generator(thing):
        return {"random state": thing.bit_generator.state}
    if _is_array(thing):
        return thing.copy()
    if isinstance(thing, (*_SEQUENCES, dict)):
        return thing if isinstance(thing, (tuple, frozenset)) else thing.copy()
    if isinstance(thing, type):
        return _atoms(thing)
    return dict(vars(thing)) if _has_attributes(thing) else thing


def _is_same(content: Any, before: Any) -> bool:
    """Say whether a thing holds the very things it held."""
    if isinstance(content, dict) and isinstance(before, dict):
        return content.keys() == before.keys() and all(
            x is y for x, y in zip(content.values(), before.values(), strict=True)
        )
    if isinstance(content, (list, tuple, deque)) and isinstance(before, (list, tuple, deque)):
        pairs = zip(content, before, strict=True)
        return len(content) == len(before) and all(x is y for x, y in pairs)
    return content is before


def _put(thing: Any, content: Any) -> None:
    """Let `thing` hold `content` again."""
    if isinstance(thing, Value):
        if content is not None and thing.primitive is None:
            thing.data = content["value"]
    elif isinstance(thing, CellType):
        if _content(thing) is not content:
            thing.cell_contents = content
    elif isinstance(thing, _Global):
        if _content(thing) is not content:
            thing.where[thing.name] = content
    elif isinstance(thing, random.Random) or thing is random:
        thing.setstate(content["random state"])
    elif _draws(thing):
        _of_numpy(thing).set_state(content["random state"])
    elif _is_generator(thing):
        thing.bit_generator.state = content["random state"]
    elif _is_array(thing):
        if thing.flags.writeable:
            thing[...] = content
    elif isinstance(thing, list):
        thing[:] = content
    elif isinstance(thing, deque):
        thing.clear()
        thing.extend(content)
    elif isinstance(thing, (set, dict)):
        thing.clear()
        thing.update(content)
    elif isinstance(thing, type):
        for name, x in content.items():
            if vars(thing).get(name) is not x:
                setattr(thing, name, x)
    elif _has_attributes(thing):
        vars(thing).clear()
        vars(thing).update(content)


def _fill(thing: Any, content: Any) -> None:
    """Let `thing` hold what came from a file; a variable keeps the container it has."""
    held = _content(thing) if isinstance(thing, (CellType, _Global)) else None
    if isinstance(held, (list, dict, set, deque)) and isinstance(content, type(held)):
        thing = held
    _put(thing, content)


def _passes_on(thing: Any) -> bool:
    """Say whether it only leads to something else, which goes by the same name."""
    if isinstance(thing, (CellType, _Global)):
        return not isinstance(_content(thing), (*_ATOMS, list, dict, set, deque))
    return isinstance(thing, (MethodType, partial))


def _atoms(thing: Any) -> dict[str, Any]:
    """Return the plain numbers and texts that `thing` holds, by name."""
    if isinstance(thing, type):
        items = [] if is_library(thing.__module__) else [*vars(thing).items()]
        return {k: x for k, x in items if isinstance(x, _ATOMS) and not k.startswith("__")}
    if _has_attributes(thing):
        return {k: x for k, x in vars(thing).items() if isinstance(x, _ATOMS)}
    if isinstance(thing, dict):
        return {str(k): x for k, x in thing.items() if isinstance(x, _ATOMS)}
    if isinstance(thing, (list, tuple, deque)):
        return {str(i): x for i, x in enumerate(thing) if isinstance(x, _ATOMS)}
    return {}


def _set_atom(thing: Any, name: str, content: Any) -> None:
    if isinstance(thing, type) or _has_attributes(thing):
        setattr(thing, name, content)
    elif isinstance(thing, (list, deque)):
        thing[int(name)] = content
    elif isinstance(thing, dict):
        thing[next(key for key in thing if str(key) == name)] = content


def _is_named(thing: Any) -> bool:
    """Say whether what it holds is told by name, one by one."""
    return isinstance(thing, type) or _has_attributes(thing)


def _is_generator(thing: Any) -> bool:
    """Say whether it is one of NumPy's random generators."""
    return type(thing).__module__.startswith("numpy.random") and hasattr(thing, "bit_generator")


def _draws(thing: Any) -> bool:
    """Say whether it is one of NumPy's older generators, or a module with the shared one."""
    if isinstance(thing, ModuleType):
        return thing.__name__ in ("numpy", "numpy.random") and "numpy.random" in sys.modules
    return type(thing).__module__ == "numpy.random.mtrand" and hasattr(thing, "get_state")


def _of_numpy(thing: Any) -> Any:
    return sys.modules["numpy.random"] if isinstance(thing, ModuleType) else thing


def _has_attributes(thing: Any) -> bool:
    """Say whether it is an object of a class of the user's (or a module of ours)."""
    if isinstance(
        thing, (Value, type, ModuleType, FunctionType, MethodType, partial, random.Random)
    ):
        return False
    kind = type(thing)
    ours = kind.__module__ in ("nn._module", "nn._callbacks")
    return hasattr(thing, "__dict__") and (ours or not is_library(kind.__module__))


def _is_array(thing: Any) -> bool:
    return type(thing).__module__ == "numpy" and type(thing).__name__ == "ndarray"


def is_library(module: str | None, file: str = "") -> bool:
    """Say whether a module (or a file) is Python's, ours or an installed library's."""
    root = (module or "").partition(".")[0]
    if root in _OURS or (root in sys.stdlib_module_names and root != "__main__"):
        return True
    found = file or getattr(sys.modules.get(module or ""), "__file__", None) or ""
    return "site-packages" in found or "dist-packages" in found


def _names(code: CodeType) -> list[str]:
    """Return the names of globals (and attributes) in the code, that of inner functions too."""
    found: dict[str, None] = {}
    codes = [code]
    while codes:
        one = codes.pop()
        found |= dict.fromkeys(one.co_names)
        codes += [x for x in one.co_consts if isinstance(x, CodeType)]
    return list(found)


def _text(thing: Any) -> str:
    """Return what kind of thing it is; for the user's functions, with a digest of the code."""
    if isinstance(thing, FunctionType):
        name = f"{thing.__module__}.{thing.__qualname__}"
        if is_library(thing.__module__, thing.__code__.co_filename):
            return name
        return f"{name} with code {_digest(thing.__code__)}"
    if isinstance(thing, _SEQUENCES):
        return f"{type(thing).__name__} of {len(thing)}"
    named = callable(thing)
    try:
        own = getattr(thing, "__qualname__", None) or getattr(thing, "name", None) if named else ""
    except Exception:  # it is the user's object, and does as it likes
        own = ""
    kind = type(thing).__qualname__
    return f"{kind} {own}" if isinstance(own, str) else kind


def _digest(code: CodeType) -> str:
    found = hashlib.sha256()
    codes = [code]
    while codes:
        one = codes.pop()
        found.update(one.co_code)
        plain = [repr(x) for x in one.co_consts if not isinstance(x, (CodeType, frozenset))]
        found.update(repr((plain, one.co_names, one.co_varnames)).encode())
        codes += [x for x in one.co_consts if isinstance(x, CodeType)]
    return found.hexdigest()[:12]


# ---------------------------------------------------------------------------- as plain data


def encoded(thing: Any) -> Any:
    """Return numbers, texts, arrays and containers of them as JSON can hold them, exactly.

    Raises:
        NotPlain: there is something else in it.
    """
    if isinstance(thing, float):
        return float(thing) if math.isfinite(thing) else {"float": repr(float(thing))}
    if thing is None or isinstance(thing, (bool, int, str)):
        return thing
    if type(thing) in (list, deque):
        return [encoded(x) for x in thing]
    if type(thing) in (tuple, set, frozenset):
        return {type(thing).__name__: [encoded(x) for x in thing]}
    if type(thing) is dict:
        for kind in ("random state", "value"):
            if kind in thing:
                return {kind: encoded(list(thing.items()))}
        return {"dict": [[encoded(key), encoded(x)] for key, x in thing.items()]}
    if _is_array(thing) and thing.dtype.kind in "fiub":
        return {"array": encoded(thing.tolist()), "dtype": thing.dtype.str}
    if (
        type(thing).__module__ == "numpy"
        and hasattr(thing, "item")
        and not hasattr(thing, "__len__")
    ):
        return encoded(thing.item())
    raise NotPlain


def decoded(data: Any) -> Any:
    """Return what `encoded` was given."""
    if isinstance(data, list):
        return [decoded(x) for x in data]
    if not isinstance(data, dict):
        return data
    if "float" in data:
        return float(data["float"])
    if "array" in data:
        import numpy

        return numpy.array(decoded(data["array"]), dtype=data["dtype"])
    for kind in (tuple, set, frozenset):
        if kind.__name__ in data:
            return kind(decoded(data[kind.__name__]))
    ((_, items),) = data.items()
    return dict(decoded(items))
