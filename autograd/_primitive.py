"""What ONE operation is: its row (`Primitive`), and the trace it leaves behind (`Node`).

This module knows no particular operation (they are rows in `_rules`), no Python operator (`_value`)
and nothing of graphs as a whole (`_graph`, `_sweep`).
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from types import MethodType
from typing import Any, Final, final

from ._mypyc import i32, mypyc_attr
from ._watch import Observer as Observer
from ._watch import watch as watch

# ------------------------------------------------------------------------------------- Node


@mypyc_attr(acyclic=True)
class Extra:
    """What only some nodes have, so that the others need not pay for it."""

    __slots__ = ("label", "more", "scope")

    def __init__(self, label: str, scope: tuple[str, ...], more: tuple[Operand, ...]) -> None:
        self.label = plain(label) if label else ""
        self.scope = scope
        self.more = more


@final
class TrackedExtra(Extra):
    """The same for nodes that the cyclic collector looks at."""

    __slots__ = ()


def plain(text: str) -> str:
    """Return the text of a str, which may be of a class with attributes that lead anywhere."""
    return str.__str__(text)


@mypyc_attr(acyclic=True)
class Node:
    """One number of a recorded computation: data, not closures.

    The first two operands live in `_a`, `_pa` and `_b`, `_pb`, further ones in `_extra.more`. Where
    an operand is a `Node`, `_pa` is the partial derivative with respect to it; where it is a
    constant, `_a` is None and `_pa` holds the number itself, so that constants cost no object.
    A leaf has no primitive and no operands; during a sweep its `_pa` keeps the gradient
    accumulated before.

    `_slot` is scratch for `order_of`. `_level` says within how many nested derivative
    calls the node depends on an input (0: none, or made outside all); sweeps of an inner
    derivative need not look below its own level.

    Nodes refer only to nodes made before them and to registered primitives, so there are no
    reference cycles, and the compiled class does without the cyclic collector (`acyclic`). A
    primitive that is not registered may belong to an object that holds its results: such nodes,
    and all made from them, are of a class that the collector looks at.
    """

    __slots__ = ("_a", "_b", "_data", "_extra", "_grad", "_level", "_pa", "_pb", "_prim", "_slot")

    def __init__(
        self,
        data: object,
        label: str = "",
        _value: float = 0.0,
        _prim: Primitive | None = None,
        _a: Node | None = None,
        _b: Node | None = None,
        _pa: float = 0.0,
        _pb: float = 0.0,
        _extra: Extra | None = None,
    ) -> None:
        self._grad: float = 0.0
        self._prim = _prim
        self._a = _a
        self._b = _b
        self._pa = _pa
        self._pb = _pb
        self._extra = _extra
        self._slot: i32 = 0
        self._level: i32 = 0
        if _prim is None:
            self._data: float = as_float(data, "Value(): data")
            if label:
                self._extra = Extra(label, (), ())
        else:
            self._data = _value
        if watch.busy:
            made(self)

    def spawn(
        self,
        data: float,
        prim: Primitive,
        a: Node | None,
        b: Node | None,
        pa: float,
        pb: float,
        extra: Extra | None,
    ) -> Node:
        """Return a new node of this class, recorded as `prim` applied to these operands."""
        raise NotImplementedError


# An operand as a node keeps it: (node, partial) or (None, constant).
Operand = tuple[Node | None, float]


def operands_of(node: Node) -> list[Operand]:
    """Return all operands of `node` in order, each as (node, partial) or (None, constant)."""
    prim = node._prim
    if prim is None:
        return []
    first: list[Operand] = [(node._a, node._pa), (node._b, node._pb)]
    if prim.arity < 2:
        return first[: prim.arity]
    extra = node._extra
    return first if extra is None else [*first, *extra.more]


def made(node: Node) -> None:
    """Give a new node its level, and show it to the observers."""
    if watch.nested:
        a = node._a
        b = node._b
        level = 0 if a is None else a._level
        if b is not None and b._level > level:
            level = b._level
        if node._extra is not None:
            for x, _ in node._extra.more:
                if x is not None and x._level > level:
                    level = x._level
        node._level = level
    if watch.count:
        watch.made(node)
    elif not watch._nesting:
        watch.settle()  # an interrupt left `busy` on


# ------------------------------------------------------------------------------------ numbers


def is_number(x: object) -> bool:
    """Say whether `x` is a plain real number: what `as_float` takes, and what nobody refuses.

    These are float, int, bool, fractions.Fraction and whatever else is a `numbers.Real`, NumPy
    scalars of every real kind, and 0-d arrays of such. Not Decimal, which mixes with no float, and
    nothing complex; and no node, though `Value` is registered as a `Real`.
    """
    if isinstance(x, float):
        return True
    if isinstance(x, Node):
        return False
    return isinstance(x, (int, Real)) or isinstance(_item(x), (float, int, Real))


def is_whole(x: object) -> bool:
    """Say whether the number `x` is of a type of whole numbers, `bool` among them."""
    if isinstance(x, (float, Node)):
        return False
    return isinstance(x, (int, Integral)) or isinstance(_item(x), (int, Integral))


def _item(x: object) -> Any:
    """Return what a scalar or 0-d array holds, None if `x` is neither. Its class is asked first:
    there are objects that have every attribute."""
    kind: Any = type(x)
    if hasattr(kind, "shape") and hasattr(kind, "item"):
        it: Any = x
        return it.item() if it.shape == () else None
    return None


def as_float(x: object, what: str) -> float:
    """Return the plain number `x` (see `is_number`) as a float; `what` names it in the error.

    Raises:
        TypeError: `x` is anything else.
        OverflowError: an integer or fraction beyond the range of a float.
    """
    if isinstance(x, float):
        return float(x)  # NumPy's float64 is one; its arithmetic warns where ours has infinities
    if isinstance(x, Node):  # asked before `Real`, which it is too
        raise TypeError(
            f"{what} must be a plain number, not {x!r}: "
            "use its .data, or stop_gradient(v) to stay in the graph"
        )
    try:
        if isinstance(x, int):
            return float(x)
        if isinstance(x, Real):  # slow to ask: an abstract class
            return float(x)
        item = _item(x)
        if isinstance(item, (float, int, Real)):
            return float(item)
    except OverflowError:
        raise OverflowError(f"{what} is too large for a float") from None
    raise TypeError(f"{what} must be a real number, not {x!r} ({type(x).__name__})")


# ---------------------------------------------------------------------------------- Primitive

_PARTIAL: Final = "a partial"

Interval = tuple[float, float]
# Arguments, expected value, expected partials (None where the conventions leave it open).
Special = tuple[tuple[float, ...], float, tuple[float | None, ...]]


@final
class Primitive:
    """One operation, declared once: everything else about it is derived from this row.

    Calling it is the operation: floats in, float out; with a `Value` among the arguments, a `Value`
    out.

    Attributes:
        name: how it is called, unique in the registry.
        fn: its value, floats in and float out; IEEE results instead of exceptions.
        partials: one per argument, each a function of `(out, *args)` written with primitives and
            `+ - *`, so that it runs on floats and on `Value`s; `None` where it is zero everywhere.
        symbol: how a picture spells it.
        defaults: values of the last arguments when they are left out.
        domain: one interval per argument, from which tests sample; none if it is not registered.
        special: kinks, poles, saturation: arguments, expected value, expected partials.
        exact: the mathematical definition, as a function of `(m, *args)` with `m` a multi-precision
            context in the manner of mpmath; the independent reference in tests.
        kink: how far `(m, *args)` is from the nearest place where the derivative jumps or does not
            exist, in the units of the arguments and 0 exactly there; `None` where it is smooth.
        selects: a partial of zero means that the result does not depend on that argument there or
            nearby, so its contribution is zero even when the cotangent is infinite, and at every
            order (`where`, `relu`, ...; not a partial that merely passes through zero).
        aliases: further names of the method, for NumPy's spelling.
        doc: one line for the documentation.
        otherwise: what is called with any other number of arguments (`log(x, base)`), if anything.
        registered: whether it is found by its name.
        closed: whether nothing it holds leads to a node, so that its results need no collector.
    """

    def __init__(
        self,
        name: str,
        fn: Callable[..., float],
        partials: tuple[Callable[..., Any] | None, ...],
        *,
        domain: tuple[Interval, ...] = (),
        special: tuple[Special, ...] = (),
        exact: Callable[..., Any] | None = None,
        kink: Callable[..., Any] | None = None,
        symbol: str = "",
        defaults: tuple[float, ...] = (),
        selects: bool = False,
        aliases: tuple[str, ...] = (),
        doc: str = "",
    ) -> None:
        if not name.isidentifier():
            raise ValueError(f"primitive {name!r}: the name must be an identifier")
        if not callable(fn):
            raise TypeError(f"primitive {name}: fn must be callable, not {fn!r}")
        if not partials:
            raise ValueError(f"primitive {name}: one partial per argument, and at least one")
        for partial in partials:
            if partial is not None and not callable(partial):
                raise TypeError(f"primitive {name}: a partial must be callable, not {partial!r}")
        if domain and len(domain) != len(partials):
            raise ValueError(
                f"primitive {name}: {len(partials)} partials but {len(domain)} domain intervals; "
                "tests need one interval per argument"
            )
        for args, _, expected in special:
            if len(args) != len(partials) or len(expected) != len(partials):
                raise ValueError(f"primitive {name}: special point {args} has the wrong arity")
        if len(defaults) >= len(partials):
            raise ValueError(f"primitive {name}: at least one argument must have no default")
        self.name = name
        self.__name__ = name
        self.fn: Callable[..., Any] = fn
        self.partials = partials
        self.arity = len(partials)
        self.domain = domain
        self.special = special
        self.exact = exact
        self.kink = kink
        self.symbol = symbol or name
        self.defaults = defaults
        self.selects = selects
        self.aliases = aliases
        self.doc = doc
        self.otherwise: Callable[..., Any] | None = None
        self.registered = False
        self.closed = False

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> Any:
        if not self.registered:
            raise TypeError(
                f"primitive {self.name} is not registered, so a pickle of its results could not "
                "find it again; register it (autograd.register), or pickle plain numbers"
            )
        return find, (self.name,)

    def __get__(self, owner: object, cls: object = None) -> Any:
        """Be a method of `Value`, and of nothing else that holds a primitive as an attribute."""
        return MethodType(self, owner) if isinstance(owner, Node) else self

    def __call__(self, *args: Any) -> Any:
        """Return the operation's value; a `Value` if any argument is one, else a float.

        Raises:
            TypeError: wrong number of arguments, or one that is neither `Value` nor a number.
        """
        n = len(args)
        if n == 1 and self.arity == 1:  # the common cases, spelled out for speed
            x = args[0]
            if isinstance(x, Node):
                number: Any = x._data
                out = self.fn(number)
                if type(out) is not float:
                    out = self.real(out, "fn")
                value: float = out
                partial = self.partials[0]
                pa = 0.0 if partial is None else self._float(partial(out, number), _PARTIAL)
                return x.spawn(value, self, x, None, pa, 0.0, None)
            if isinstance(x, float):
                return self._float(self.fn(x), "fn")
        elif n == 2 and self.arity == 2:
            x = args[0]
            y = args[1]
            if isinstance(x, float) and isinstance(y, float):
                return self._float(self.fn(x, y), "fn")
            if isinstance(x, Node):
                if isinstance(y, Node):
                    return self._binary(x, y, x._data, y._data)
                if isinstance(y, float):
                    return self._binary(x, None, x._data, float(y))
            elif isinstance(x, float) and isinstance(y, Node):
                return self._binary(None, y, float(x), y._data)
        return self._general(args)

    def _binary(self, a: Node | None, b: Node | None, x: Any, y: Any) -> Any:
        """Return the node for `x` and `y`, of which `a` and `b` (if any) are the nodes."""
        out = self.fn(x, y)
        if type(out) is not float:
            out = self.real(out, "fn")
        value: float = out
        pa: float = x
        pb: float = y
        if a is not None:
            partial = self.partials[0]
            pa = 0.0 if partial is None else self._float(partial(out, x, y), _PARTIAL)
        if b is not None:
            partial = self.partials[1]
            pb = 0.0 if partial is None else self._float(partial(out, x, y), _PARTIAL)
            return b.spawn(value, self, a, b, pa, pb, None)
        assert a is not None
        return a.spawn(value, self, a, b, pa, pb, None)

    def _general(self, args: tuple[Any, ...]) -> Any:
        missing = self.arity - len(args)
        if missing < 0 or missing > len(self.defaults):
            if self.otherwise is not None:
                return self.otherwise(*args)
            few = self.arity - len(self.defaults)
            want = str(self.arity) if few == self.arity else f"{few} to {self.arity}"
            raise TypeError(f"{self.name}() takes {want} arguments, got {len(args)}")
        if missing:
            args = (*args, *self.defaults[len(self.defaults) - missing :])
        first: Node | None = None
        numbers: list[Any] = []
        for i, x in enumerate(args):
            if isinstance(x, Node):
                numbers.append(x._data)
                if first is None:
                    first = x
            elif isinstance(x, float):
                numbers.append(float(x))
            elif not isinstance(x, int) and hasattr(x, "__len__"):
                for array in args:
                    if hasattr(type(array), "_by_cell"):  # an array of Values
                        return array._by_cell(self, args)
                if not is_number(x):
                    raise TypeError(self._many(i, x))
                numbers.append(as_float(x, f"{self.name}(): argument {i + 1}"))
            else:
                numbers.append(as_float(x, f"{self.name}(): argument {i + 1}"))
        out = self.fn(*numbers)
        if type(out) is not float:
            out = self.real(out, "fn")
        value: float = out
        if first is None:
            return value
        operands: list[Operand] = []
        for i, x in enumerate(args):
            if isinstance(x, Node):
                partial = self.partials[i]
                p = 0.0 if partial is None else self._float(partial(out, *numbers), _PARTIAL)
                operands.append((x, p))
            else:
                operands.append((None, numbers[i]))
        a, pa = operands[0]
        b, pb = operands[1] if len(operands) > 1 else (None, 0.0)
        extra = Extra("", (), tuple(operands[2:])) if len(operands) > 2 else None
        return first.spawn(value, self, a, b, pa, pb, extra)

    def _many(self, i: int, x: Any) -> str:
        """Return what to do about a list or an array as argument `i`."""
        ways = ""
        if self.arity == 1 and not isinstance(x, (str, bytes)):
            ways = f"; apply it to each: [{self.name}(v) for v in x]"
            if hasattr(x, "shape"):
                ways += f", or numpy.frompyfunc({self.name}, 1, 1)(x)"
        return (
            f"{self.name}(): argument {i + 1} must be a real number, not {x!r:.60} "
            f"({type(x).__name__}){ways}"
        )

    def _float(self, result: object, what: str) -> float:
        if type(result) is float:
            return result
        return self.real(result, what)

    def real(self, result: object, what: str) -> float:
        """Return what the function ("fn") or a partial ("a partial") gave for floats, as a float.

        Raises:
            TypeError: it is no real number.
        """
        if not is_number(result):
            raise TypeError(
                f"primitive {self.name}: {what} of floats must return a real number, "
                f"not {result!r} ({type(result).__name__})"
            )
        return as_float(result, f"primitive {self.name}: {what} of floats")


# ----------------------------------------------------------------------------------- registry

_registry: Final[dict[str, Primitive]] = {}
_methods: Final[dict[str, Primitive]] = {}
_classes: Final[list[Any]] = []  # node classes that have all primitives as methods


def register(primitive: Primitive) -> Primitive:
    """Return `primitive`, now found by name: a method of `Value`, in pictures, in tests, in files.

    Raises:
        ValueError: the name or an alias is taken, or there is no domain for tests to sample.
    """
    if not primitive.domain:
        raise ValueError(f"primitive {primitive.name}: a registered row needs a domain for tests")
    names = (primitive.name, *primitive.aliases)
    for name in names:
        if name in _methods or any(hasattr(cls, name) for cls in _classes):
            raise ValueError(f"primitive {primitive.name}: the name {name!r} is taken")
    _registry[primitive.name] = primitive
    primitive.registered = True
    for name in names:
        _methods[name] = primitive
        for cls in _classes:
            setattr(cls, name, primitive)
    return primitive


def unregister(name: str) -> None:
    """Take a primitive out of the registry again (nodes already recorded keep working)."""
    primitive = find(name)
    del _registry[name]
    primitive.registered = False
    for alias in (name, *primitive.aliases):
        del _methods[alias]
        for cls in _classes:
            delattr(cls, alias)


def bind_methods(cls: Any) -> None:
    """Make every primitive, registered now or later, a method of the node class `cls`."""
    _classes.append(cls)
    for name, primitive in _methods.items():
        if not hasattr(cls, name):  # what the class inlines stays
            setattr(cls, name, primitive)


def find(name: str) -> Primitive:
    """Return the registered primitive called `name`.

    Raises:
        KeyError: there is none.
    """
    try:
        return _registry[name]
    except KeyError:
        raise KeyError(f"no primitive called {name!r} is registered") from None


def primitives() -> dict[str, Primitive]:
    """Return all registered primitives by name, in the order of registration."""
    return dict(_registry)
