"""What a function can see besides its arguments: closure, globals, defaults, attributes.

A kernel answers for a function as it was when it was recorded; this is how it notices that the
function has become another one. Everything that the code names is followed through the user's own
functions; objects two attributes deep, and deeper as long as there is little of it. What it can't
see is left to the self-check (`check`). Knows nothing of programs or kernels.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import inspect
import io
import operator
import random
import sys
import sysconfig
import types
import weakref
from collections import deque
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextvars import ContextVar
from typing import Any, Final

import numpy as np

from .._locks import lock
from .._primitive import Node, Primitive
from ._still import EMPTY, Still
from .keys import Same, static_key

_DEPTH: Final = 2  # attributes of attributes are always looked at, ...
_FEW: Final = 64  # ... deeper ones as long as there are no more places than this
_MANY: Final = 100_000  # entries that are looked at in all; what is beyond is not watched
_FOREIGN: Final = 200  # functions of installed packages that are followed; more is too much
_COPIED: Final = 65_536  # bytes of an array that are kept rather than hashed

# Code in these, and in the standard library, is not the user's: it is taken to be what it is.
_TRUSTED: Final = frozenset({"autograd", "numpy", "scipy", "optree", "llvmlite"})
_FIXED: Final = frozenset({"nn"})  # what its code reads counts, its globals don't
_STDLIB: Final = sysconfig.get_paths()["stdlib"]
_SITE: Final = (sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])
_PLAIN: Final = frozenset({"argparse", "collections", "types"})  # whose objects are just data
_OPAQUE: Final = (str, bytes, int, float, complex, type(None), Node, Primitive, np.generic)
# A function that names one of these may read attributes that it does not name.
_BY_TEXT: Final = frozenset(
    [
        "__dict__",
        "__getattribute__",
        "asdict",
        "astuple",
        "attrgetter",
        "getattr",
        "replace",
        "vars",
    ]
)
_READS: Final = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "IMPORT_FROM")


@functools.lru_cache(maxsize=4096)
def _named(code: types.CodeType) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the globals, attributes and modules that code names, inner functions included."""
    names: set[str] = set()
    modules: set[str] = set()
    attributes: set[str] = set()
    waiting = [code]
    while waiting:
        code = waiting.pop()
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                names.add(instruction.argval)
            elif instruction.opname in _READS:
                attributes.add(instruction.argval)
            elif instruction.opname == "IMPORT_NAME":
                modules.add(instruction.argval)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                waiting.append(constant)
            elif isinstance(constant, str) and constant.isidentifier():
                attributes.add(constant)  # perhaps for getattr
    return frozenset(names), frozenset(attributes), frozenset(modules)


@functools.lru_cache(maxsize=1024)
def _trusted(module: str | None) -> bool:
    """Say whether code of this module is taken to be what it is."""
    root = _root(module)
    if root in _TRUSTED or root not in sys.stdlib_module_names:
        return root in _TRUSTED
    origin = getattr(getattr(sys.modules.get(root), "__spec__", None), "origin", None)
    return origin in (None, "built-in", "frozen") or str(origin).startswith(_STDLIB)


@functools.lru_cache(maxsize=1024)
def _installed(root: str) -> bool:
    """Say whether a package was installed rather than written here."""
    origin = getattr(getattr(sys.modules.get(root), "__spec__", None), "origin", None)
    return root not in _FIXED and str(origin).startswith(_SITE)


def _root(module: str | None) -> str:
    return (module or "").partition(".")[0]


class _Walk:
    """One look at everything a function can see."""

    def __init__(self, root: Any, attributes: frozenset[str] = frozenset()) -> None:
        self.still = Still()
        self.places: dict[str, Any] = {}  # what each place held, as a key
        self.value_at: dict[str, Node] = {}  # the Values among it
        self.values: list[Node] = []  # the same, each once
        self.unsteady: list[str] = []  # what can't be watched, and why
        self.pending = False  # whether the function will make something that it then sees
        self.globals: set[str] = set()
        self.attributes = set(attributes)  # that code names
        self._named: dict[str, int] = {}  # how often a place of that name was found
        self._indices: dict[int, int] = {}  # of the Values, by id
        self._seen: dict[int, Any] = {}
        self._entries = 0  # attributes, and entries of containers
        self._objects: list[tuple[Any, str, int]] = []
        self._done: set[tuple[int, str]] = set()
        self._waiting: deque[tuple[Any, str, int]] = deque()
        self._globals = getattr(inspect.unwrap(root), "__globals__", None)
        self._own = _root(getattr(inspect.unwrap(root), "__module__", None))
        self._foreign = 0
        self._see(root, "", 0)
        # Attributes that a function names count for all objects, also for those found before it.
        known = -1
        while known < len(self.attributes) or self._waiting:
            known = len(self.attributes)
            while self._waiting:
                self._carefully(self._look, *self._waiting.popleft())
            for found, where, depth in list(self._objects):
                if self._objects:
                    self._carefully(self._look_inside, found, where, depth)
        self.still.settle()

    def _carefully(
        self, look: Callable[[Any, str, int], None], x: Any, where: str, depth: int
    ) -> None:
        """Look at an object; one that does not let itself be looked at is left to the checks."""
        with contextlib.suppress(Exception):
            look(x, where, depth)

    def _see(self, x: Any, where: str, depth: int) -> None:
        if self._foreign <= _FOREIGN and not isinstance(x, _OPAQUE) and id(x) not in self._seen:
            self._seen[id(x)] = x
            self._waiting.append((x, where, depth))

    def _put(self, where: str, x: Any) -> None:
        """Note that a place holds `x`."""
        if isinstance(x, Node):
            where = self._note(where, ("Value", self._index(x)))
            self.value_at[where] = x
            return
        key = EMPTY if x is EMPTY else static_key(x)
        self._note(where, Same(x) if key is None else key)

    def _note(self, where: str, key: Any) -> str:
        """Keep the key of a place under a name of its own; return that."""
        n = self._named[where] = self._named.get(where, 0) + 1
        name = where if n == 1 else f"{where} ({n})"
        self.places[name] = key
        return name

    def _index(self, value: Node) -> int:
        at = self._indices.setdefault(id(value), len(self.values))
        if at == len(self.values):
            self.values.append(value)
        return at

    # ------------------------------------------------------------------------- one object

    def _look(self, x: Any, where: str, depth: int) -> None:
        if isinstance(x, types.FunctionType):
            self._look_function(x, where)
            self._objects.append((x, where, depth))
        elif isinstance(x, types.MethodType):
            self._see(x.__func__, where, 0)
            self._see(x.__self__, f"{where}'s self" if where else "self", 0)
        elif isinstance(x, (functools.partial, functools.partialmethod)):
            self._see(x.func, where, 0)
            self._see(x.args, f"{where}'s bound arguments", 0)
            self._see(x.keywords, f"{where}'s bound arguments", 0)
        elif isinstance(x, (staticmethod, classmethod)):
            self._see(x.__func__, where, depth)
        elif isinstance(x, property):
            self._see(x.fget, where, depth)
        elif isinstance(x, (list, tuple, dict, set, frozenset, deque)):
            self._look_container(x, where, depth)
            if not _trusted(type(x).__module__):
                self._objects.append((x, where, depth))  # `__missing__`, say
        elif isinstance(x, (KeysView, ValuesView, ItemsView)) and hasattr(x, "mapping"):
            self._see(x.mapping, where, depth)
        elif isinstance(x, Mapping) and _trusted(type(x).__module__):
            self._see(dict(x), where, depth)
            self.still.others.append((lambda: _entries(x), _entries(x)))
        elif isinstance(x, weakref.ref):
            self._content(where, lambda: id(x()))
            self._see(x(), where, depth)
        elif isinstance(x, (operator.attrgetter, operator.methodcaller)):
            self.attributes.update(_words(x.__reduce__()))
        elif isinstance(x, np.ndarray):
            self._look_array(x, where, depth)
        elif _is_buffer(x):
            self._content(where, lambda: memoryview(x).tobytes())
        elif isinstance(x, types.BuiltinMethodType):
            self._see(x.__self__, where, depth)  # random.random belongs to a generator
        elif isinstance(x, random.Random):
            self._content(where, x.getstate)
        elif isinstance(x, (np.random.Generator, np.random.BitGenerator)):
            bits: Any = getattr(x, "bit_generator", x)
            self._content(where, lambda: repr(bits.state))
        elif isinstance(x, np.random.RandomState):
            self._content(where, lambda: repr(x.get_state(legacy=False)))
        elif isinstance(x, ContextVar):
            self._content(where, lambda: Same(x.get(EMPTY)))
        elif hasattr(type(x), "__next__") and not isinstance(x, io.IOBase):  # files are logs
            self.unsteady.append(f"{where or 'the function'}, which reading changes")
        else:
            if "__wrapped__" in getattr(x, "__dict__", ()) and not isinstance(x, type):
                self._see(x.__wrapped__, where, 0)  # a kernel, or a cached function
            self._objects.append((x, where, depth))

    def _content(self, where: str, content: Callable[[], Any]) -> None:
        held = content()
        self.still.others.append((content, held))
        self._note(f"the content of {where}", held)

    def _look_function(self, f: types.FunctionType, where: str) -> None:
        name = f.__name__ if where else ""
        of = f" of {name}" if name else ""
        for variable, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                held = cell.cell_contents
            except ValueError:
                held = EMPTY
            place = f"closure variable {variable!r}{of}"
            self.still.cells.append((cell, held))
            self._put(place, held)
            self._see(held, place, 0)
        if _trusted(f.__module__):
            return
        for field in ("__code__", "__defaults__", "__kwdefaults__"):
            self.still.attributes.append((f, field, getattr(f, field)))
            if field == "__code__":
                self._note(f"the code of {name or 'the function'}", Same(f.__code__))
        self._see(f.__defaults__, f"a default of {f.__name__}", 0)
        self._see(f.__kwdefaults__, f"a default of {f.__name__}", 0)
        root = _root(f.__module__)
        if root != self._own and _installed(root):
            self._foreign += 1
            if self._foreign > _FOREIGN:
                self._waiting.clear()
                self._objects.clear()
                self.unsteady = [f"more of the package {root!r} than can be watched"]
                return
        names, attributes, modules = _named(f.__code__)
        for imported in sorted(modules):
            module = sys.modules.get(imported)
            self.pending = self.pending or module is None
            self._see(module, f"module {imported!r}", 0)
        if _root(f.__module__) in _FIXED:
            names, attributes = frozenset(), attributes - _BY_TEXT
        self.globals |= names
        self.attributes |= attributes
        for variable in sorted(names):
            if (id(f.__globals__), variable) not in self._done:
                self._done.add((id(f.__globals__), variable))
                held = f.__globals__.get(variable, EMPTY)
                self.still.names.append((f.__globals__, variable, held))
                if held is not EMPTY:
                    place = f"global {variable!r}"
                    if f.__globals__ is not self._globals:
                        place += f" of {f.__module__}"
                    self._put(place, held)
                    self._see(held, place, 0)

    def _look_container(self, x: Any, where: str, depth: int) -> None:
        self._entries += len(x)
        if self._entries > _MANY:
            return
        entries = list(x.values()) if isinstance(x, dict) else list(x)
        if isinstance(x, dict):
            keys = list(x)
            self.still.dicts.append((x, keys, entries))
            self._note(
                f"the keys of {where}",
                tuple(Same(k) if static_key(k) is None else static_key(k) for k in keys),
            )
        elif type(x) is list:
            self.still.lists.append((x, entries))
        elif not isinstance(x, (tuple, frozenset)):
            self.still.others.append((lambda: list(map(Same, x)), list(map(Same, entries))))
        self._note(f"the size of {where}", len(entries))
        names = list(map(repr, x)) if isinstance(x, dict) else range(len(entries))
        for name, entry in zip(names, entries, strict=True):
            place = f"{where}[{name}]"
            self._put(place, entry)
            self._see(entry, place, depth)

    def _look_array(self, x: Any, where: str, depth: int) -> None:
        if x.dtype.kind == "O":
            entries = x.ravel().tolist()
            self.still.others.append(
                (lambda: list(map(Same, x.ravel().tolist())), list(map(Same, entries)))
            )
            for i, entry in enumerate(entries):
                self._put(f"{where}.flat[{i}]", entry)
                self._see(entry, f"{where}.flat[{i}]", depth)
            return

        def content() -> Any:
            data = x.tobytes()
            if len(data) > _COPIED:
                data = hashlib.blake2b(data, digest_size=16).digest()
            return x.dtype.str, x.shape, data

        self._content(where, content)

    # ------------------------------------------------------------------------- attributes

    def _look_inside(self, x: Any, where: str, depth: int) -> None:
        """Look at those attributes of an object, class or module that the code names."""
        if isinstance(x, types.ModuleType):
            if not _trusted(x.__name__) or x is random:
                self._look_at_names(x, where)
            elif x is np.random or (x is np and "random" in self.attributes):
                self._see(np.random.mtrand._rand, "numpy.random", 0)  # its hidden generator
            return
        if depth >= _DEPTH and self._entries > _FEW:
            return
        cls = x if isinstance(x, type) else type(x)
        own = not _trusted(cls.__module__)
        if not own and _root(cls.__module__) in _TRUSTED:
            return
        for name in self._named_attributes(x, cls, own):
            if (id(x), name) in self._done:
                continue
            self._done.add((id(x), name))
            static = _static_attribute(cls, name)
            place = f"{where}.{name}" if where else name
            cached = isinstance(static, functools.cached_property)
            if x is not cls and (cached or isinstance(static, property)):
                if own:
                    self._watch(cls, name, static, place)
                    self._see(static.func if cached else static.fget, place, 0)
                if not cached or name not in vars(x):
                    self.pending = self.pending or cached
                    continue
            elif x is not cls and static is not EMPTY and _computed(static):
                self._note(place, Same(static))  # reading it would run code of the class
                self._see(static, place, depth + 1)
                continue
            held = getattr(x, name, EMPTY)
            stored = x is not cls and name in getattr(x, "__dict__", ())
            if isinstance(held, types.MethodType) and not stored:
                if own:
                    self.still.methods.append((x, name, held.__func__))
                    self._note(place, Same(held.__func__))
                    self._see(held.__func__, place, 0)
                continue
            self._watch(x, name, held, place)
            self._see(held, place, depth + 1)
        if own:
            for function in [*_special_methods(cls), *_special_methods(type(cls))]:
                self._see(function, f"{cls.__name__}.{function.__name__}", 0)

    def _named_attributes(self, x: Any, cls: type, own: bool) -> Iterator[str]:
        mine = getattr(x, "__dict__", {}) if x is not cls else {}
        slots = [name for c in cls.__mro__ for name in _slots(c) if x is not cls]
        everything = (
            bool(_BY_TEXT & (self.attributes | self.globals)) or _root(cls.__module__) in _PLAIN
        )
        for name in sorted({*mine, *slots}):
            if everything or name in self.attributes:
                yield name
        for name in sorted(self.attributes if own else ()):
            found = [c for c in cls.__mro__ if name in vars(c) and c is not object]
            if name not in mine and (found or (x is cls and hasattr(type(x), name))):
                yield name
            for c in found[1:]:  # `super()` finds these
                function = vars(c)[name]
                if isinstance(function, types.FunctionType) and (id(c), name) not in self._done:
                    self._done.add((id(c), name))
                    self._watch(c, name, function, f"{c.__name__}.{name}")
                    self._see(function, f"{c.__name__}.{name}", 0)

    def _look_at_names(self, module: types.ModuleType, where: str) -> None:
        for name in sorted(self.attributes & set(vars(module))):
            if (id(module), name) not in self._done:
                self._done.add((id(module), name))
                held = vars(module)[name]
                self.still.names.append((vars(module), name, held))
                self._put(f"{where}.{name}", held)
                self._see(held, f"{where}.{name}", 0)

    def _watch(self, x: Any, name: str, held: Any, place: str) -> None:
        self._entries += 1
        self.still.attributes.append((x, name, held))
        self._put(place, held)


def _slots(cls: type) -> tuple[str, ...]:
    found = vars(cls).get("__slots__", ())  # not getattr, which asks the metaclass
    return (found,) if isinstance(found, str) else tuple(found)


def _is_buffer(x: Any) -> bool:
    """Say whether `x` is memory: a bytearray, an `array.array`, something of `ctypes`."""
    try:
        memoryview(x).release()
    except (TypeError, ValueError, BufferError):
        return False
    return True


def _entries(x: Any) -> list[tuple[Same, Same]]:
    return [(Same(key), Same(entry)) for key, entry in x.items()]


def _words(x: Any) -> Iterator[str]:
    """Yield the parts of all dotted names in nested tuples."""
    if isinstance(x, str):
        yield from x.split(".")
    elif isinstance(x, tuple):
        for part in x:
            yield from _words(part)


def _static_attribute(cls: type, name: str) -> Any:
    """Return what the class or one of its bases has under a name, without asking it."""
    for c in cls.__mro__:
        if name in vars(c) and c is not object:
            return vars(c)[name]
    return EMPTY


def _computed(static: Any) -> bool:
    """Say whether an attribute is a descriptor that is not one of Python's own kinds."""
    kinds = (
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MemberDescriptorType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        staticmethod,
        classmethod,
    )
    return hasattr(type(static), "__get__") and not isinstance(static, kinds)


def _special_methods(cls: type) -> list[Any]:
    """Return the functions that operators and calls on objects of a user's class may run."""
    found = [
        x.__func__ if isinstance(x, classmethod) else x
        for c in cls.__mro__
        if not _trusted(c.__module__)
        for name, x in vars(c).items()
        if name.startswith("__")
    ]
    return [x for x in found if isinstance(x, types.FunctionType)]


_STATES: Final = 256  # that are told apart from new ones


class Fingerprint:
    """The state of everything a function can see.

    Attributes:
        key: a number that is the same for states that the function can't tell apart.
        states: how many different ones there have been.
        holds: says whether the state is still that one.
        places: what each place holds, as a key.
        values: the `Value`s it can see. Where they are is part of the key; which, is not.
        names: the global names its code uses.
        attributes: the names of attributes its code uses.
        unsteady: what can't be watched: places that change when they are read, such as iterators,
            or too much of somebody else's.
        pending: whether there will be more to see once the function has run.
    """

    def __init__(self, f: Any, attributes: frozenset[str] = frozenset()) -> None:
        """`attributes` are named by other code that is given `f`."""
        self._f = f
        self._given = attributes
        self._lock = lock()
        self._keys: dict[Any, int] = {}
        self._ignored: set[str] = set()  # places, ...
        self._growing: tuple[str, ...] = ()  # ... and beginnings of places, ...
        self._kept: set[str] = set()  # ... except these
        self.states = 0
        self._take()

    def _take(self) -> None:
        walk = _Walk(self._f, self._given)
        self.places = {p: key for p, key in walk.places.items() if not self._is_ignored(p)}
        self.values = walk.values
        self.unsteady = walk.unsteady
        self.pending = walk.pending
        self.names = walk.globals
        self.attributes = frozenset(walk.attributes)
        self._value_at = walk.value_at
        state = frozenset(self.places.items())
        key = self._keys.get(state)
        if key is None:
            while len(self._keys) >= _STATES:
                del self._keys[next(iter(self._keys))]
            key = self._keys[state] = self.states
            self.states += 1
        self.key = key
        self.holds = walk.still.holds

    def _is_ignored(self, place: str) -> bool:
        if place in self._ignored:
            return True
        return place.startswith(self._growing) and place not in self._kept

    def update(self) -> list[str]:
        """Look again; return the places that hold something else than before."""
        with self._lock:
            if self.holds():
                return []
            before, values = self.places, self._value_at
            self._take()
            now = self.places
            return [
                place
                for place in {**before, **now}
                if before.get(place, EMPTY) != now.get(place, EMPTY)
                or values.get(place) is not self._value_at.get(place)
            ]

    def ignore(self, places: list[str]) -> None:
        """Count places out of the state, and what is yet to come into containers that have grown:
        the function writes there and does not read."""
        with self._lock:
            grown = [
                f"{place.removeprefix(words)}["
                for words in ("the size of ", "the keys of ")
                for place in places
                if place.startswith(words)
            ]
            self._ignored.update(places)
            self._growing = tuple({*self._growing, *grown})
            self._kept.update(p for p in self.places if p not in self._ignored)
            self._take()
