"""Value: a node of the graph that speaks Python's operators.

Knows the table for the few operations it inlines (a test holds them equal to their rows), and of
sweeps only how to call them.
"""

from __future__ import annotations

import math
from functools import partial
from numbers import Real
from typing import Any, Final, cast, final

from . import _dropped, _rules, _sweep
from ._graph import Columns, flatten, order_of
from ._mypyc import mypyc_attr
from ._primitive import (
    Extra,
    Node,
    Operand,
    Primitive,
    TrackedExtra,
    as_float,
    bind_methods,
    operands_of,
    plain,
    watch,
)

_ADD: Final = _rules.add
_SUB: Final = _rules.sub
_MUL: Final = _rules.mul
_DIV: Final = _rules.div
_NEG: Final = _rules.neg
_POW: Final = _rules.pow
_RELU: Final = _rules.relu
_STOP: Final = _rules.stop_gradient
_MOD: Final = _rules.mod
_FLOORDIV: Final = _rules.floordiv


@mypyc_attr(acyclic=True)
class Value(Node):
    """A number that remembers how it was computed.

    `Value(2.0, label="x")` is a leaf: a number to differentiate with respect to. Arithmetic and
    the primitives of this package make further `Value`s, which know their parents and the local
    partial derivatives; `y.backward()` then fills in `.grad`, the derivative of `y` with respect
    to each of them. Comparisons and `bool` go by the number, so ordinary `if` and `while` work;
    the hash goes by identity.

    Attributes:
        data: the number. May be assigned on a leaf; what was computed from it stays as it was.
        grad: the derivative found by `backward()`; leaves accumulate, inner nodes are set.
        label: a name for pictures and messages, "" if none.
        op: the name of the primitive that made it, "" for a leaf.
        primitive: that primitive itself, or None.
        parents: the `Value`s it was made of, in order; `a * a` has two.
        operands: all arguments in order, plain numbers as floats.
        partials: the derivative with respect to each of `parents`.
        scope: names of the scopes it was made in, outermost first.
    """

    __slots__ = ()

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
        tracked = not (prim.registered or prim.closed)
        tracked = tracked or isinstance(a, TrackedValue) or isinstance(b, TrackedValue)
        if not tracked and extra is not None:
            tracked = any(isinstance(node, TrackedValue) for node, _ in extra.more)
        if tracked:
            return _tracked(data, prim, a, b, pa, pb, extra)
        return Value(None, "", data, prim, a, b, pa, pb, extra)

    # -------------------------------------------------------------------------- what it holds

    @property
    def data(self) -> Any:
        """The number itself, a float; inside a compiled function `stop_gradient` of it."""
        if watch.count != 0:
            watch.read(self, ".data")
            if watch.freezes():
                return _STOP(self)
        return self._data

    @data.setter
    def data(self, data: object) -> None:
        if watch.count != 0:
            watch.read(self, "assigning .data")
        if self._prim is not None or (self._level > 0 and self._level in watch.levels()):
            raise TypeError(self._fixed())
        self._data = as_float(data, "Value.data")

    def _fixed(self) -> str:
        """Return why `.data` can't be assigned, and what to do instead."""
        name = self.label or "this Value"
        if self._prim is None:
            return (
                f".data of {name} can't be assigned inside of the derivative whose input it is; "
                "compute with another name: x = x - step"
            )
        return (
            f".data of {name} can't be assigned: it is the result of {self._prim.name}, and would "
            "no longer be what it was computed from; assign .data of the leaves and compute it "
            "again, or begin a new leaf with Value(number)"
        )

    @property
    def grad(self) -> float:
        """The derivative of the last `backward()` root with respect to this; leaves accumulate."""
        if watch.count != 0:
            watch.read(self, ".grad")
        return self._grad

    @grad.setter
    def grad(self, grad: object) -> None:
        if watch.count != 0:
            watch.read(self, "assigning .grad")
        self._grad = as_float(grad, "Value.grad")

    @property
    def label(self) -> str:
        """The name given, or ""."""
        return "" if self._extra is None else self._extra.label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value.label must be a str, not {label!r} ({type(label).__name__})")
        if self._extra is None:
            self._extra = Extra(label, (), ())
        else:
            self._extra.label = plain(label)

    @property
    def scope(self) -> tuple[str, ...]:
        """Names of the scopes this was made in, outermost first."""
        return () if self._extra is None else self._extra.scope

    @property
    def op(self) -> str:
        """The name of the primitive that made this, "" for a leaf."""
        return "" if self._prim is None else self._prim.name

    @property
    def primitive(self) -> Primitive | None:
        """The primitive that made this, None for a leaf."""
        return self._prim

    @property
    def parents(self) -> tuple[Value, ...]:
        """The `Value`s this was made of, in order; `a * a` has two."""
        return tuple([node for node, _ in operands_of(self) if isinstance(node, Value)])

    @property
    def operands(self) -> tuple[Value | float, ...]:
        """All arguments in order; plain numbers as floats."""
        found: list[Value | float] = []
        for node, number in operands_of(self):
            found.append(node if isinstance(node, Value) else number)
        return tuple(found)

    @property
    def partials(self) -> tuple[float, ...]:
        """The derivative with respect to each of `parents`."""
        if watch.count != 0:
            watch.read(self, ".partials")
        return tuple([partial for node, partial in operands_of(self) if node is not None])

    def __repr__(self) -> str:
        text = f"Value(data={self._data!r}, grad={self._grad!r}"
        if watch.count != 0 and watch.freezes():
            text = "Value(being compiled"  # without numbers, which text would carry out
        if self._prim is not None:
            text += f", op={self._prim.name!r}"
        if self.label:
            text += f", label={self.label!r}"
        return text + ")"

    def __getattr__(self, name: str) -> Any:
        # The primitives are set on the class; this says so to type checkers, and what is wrong to
        # people. (Plain Python drops it, see below: it would slow every attribute down.)
        text = f"'Value' has no attribute or primitive {name!r}"
        raise AttributeError(_NO_BACKWARD if name == "_backward" else text, name=name, obj=self)

    # -------------------------------------------------------------------------- arithmetic
    # Binary operators are annotated Any, because mypyc checks what they return and the result may
    # be NotImplemented (an array then works elementwise). With numbers the result is a Value.

    def __add__(self, other: object) -> Any:
        if isinstance(other, Value):
            return Value(None, "", self._data + other._data, _ADD, self, other, 1.0, 1.0, None)
        if isinstance(other, float) or _number(other, "+"):
            y = as_float(other, "the right operand of +")
            return Value(None, "", self._data + y, _ADD, self, None, 1.0, y, None)
        return NotImplemented

    def __radd__(self, other: object) -> Any:
        if isinstance(other, float) or _number(other, "+"):
            x = as_float(other, "the left operand of +")
            return Value(None, "", x + self._data, _ADD, None, self, x, 1.0, None)
        return NotImplemented

    def __sub__(self, other: object) -> Any:
        if isinstance(other, Value):
            return Value(None, "", self._data - other._data, _SUB, self, other, 1.0, -1.0, None)
        if isinstance(other, float) or _number(other, "-"):
            y = as_float(other, "the right operand of -")
            return Value(None, "", self._data - y, _SUB, self, None, 1.0, y, None)
        return NotImplemented

    def __rsub__(self, other: object) -> Any:
        if isinstance(other, float) or _number(other, "-"):
            x = as_float(other, "the left operand of -")
            return Value(None, "", x - self._data, _SUB, None, self, x, -1.0, None)
        return NotImplemented

    def __mul__(self, other: object) -> Any:
        if isinstance(other, Value):
            x = self._data
            y = other._data
            return Value(None, "", x * y, _MUL, self, other, y, x, None)
        if isinstance(other, float) or _number(other, "*"):
            y = as_float(other, "the right operand of *")
            return Value(None, "", self._data * y, _MUL, self, None, y, y, None)
        return NotImplemented

    def __rmul__(self, other: object) -> Any:
        if isinstance(other, float) or _number(other, "*"):
            x = as_float(other, "the left operand of *")
            return Value(None, "", x * self._data, _MUL, None, self, x, x, None)
        return NotImplemented

    def __truediv__(self, other: object) -> Any:
        if isinstance(other, Value):
            y = other._data
            if y == 0.0:
                return _DIV(self, other)
            out = self._data / y
            return Value(None, "", out, _DIV, self, other, 1.0 / y, -out / y, None)
        if isinstance(other, float) or _number(other, "/"):
            y = as_float(other, "the right operand of /")
            if y == 0.0:
                return _DIV(self, y)
            return Value(None, "", self._data / y, _DIV, self, None, 1.0 / y, y, None)
        return NotImplemented

    def __rtruediv__(self, other: object) -> Any:
        if isinstance(other, float) or _number(other, "/"):
            x = as_float(other, "the left operand of /")
            y = self._data
            if y == 0.0:
                return _DIV(x, self)
            out = x / y
            return Value(None, "", out, _DIV, None, self, x, -out / y, None)
        return NotImplemented

    def __pow__(self, other: object) -> Any:
        if isinstance(other, Value):
            return _POW(self, other)
        if isinstance(other, float) or _number(other, "**"):
            y = as_float(other, "the exponent of **")
            x = self._data
            out = _rules.power(x, y)
            if -_rules.ALL_WHOLE < y < _rules.ALL_WHOLE:
                slope = 0.0 if y == 0.0 else y * _rules.power(x, y - 1.0)
            else:
                slope = _rules.power_slope(out, x, y)
            return Value(None, "", out, _POW, self, None, slope, y, None)
        return NotImplemented

    def __rpow__(self, other: object) -> Any:
        if isinstance(other, float) or _number(other, "**"):
            return _POW(as_float(other, "the base of **"), self)
        return NotImplemented

    def relu(self) -> Value:
        """Return max(self, 0); inlined, because networks are full of it."""
        x = self._data
        if x > 0.0 or x != x:
            return Value(None, "", x, _RELU, self, None, 1.0 if x > 0.0 else 0.0, 0.0, None)
        return Value(None, "", 0.0, _RELU, self, None, 0.0, 0.0, None)

    def __neg__(self) -> Value:
        return Value(None, "", -self._data, _NEG, self, None, -1.0, 0.0, None)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return cast(Value, _rules.abs(self))

    # -------------------------------------------------------------------------- comparison

    def __lt__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, "<"):
            return NotImplemented
        return _watched("<", self, other, self._data < _float_of(other))

    def __le__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, "<="):
            return NotImplemented
        return _watched("<=", self, other, self._data <= _float_of(other))

    def __gt__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, ">"):
            return NotImplemented
        return _watched(">", self, other, self._data > _float_of(other))

    def __ge__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, ">="):
            return NotImplemented
        return _watched(">=", self, other, self._data >= _float_of(other))

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, ""):
            return NotImplemented
        return _watched("==", self, other, self._data == _float_of(other))

    def __ne__(self, other: object) -> Any:
        if not isinstance(other, (Value, float)) and not _number(other, ""):
            return NotImplemented
        return _watched("!=", self, other, self._data != _float_of(other))

    def __hash__(self) -> int:
        return id(self) >> 4

    def __bool__(self) -> bool:
        return _watched("bool", self, 0.0, self._data != 0.0)

    # -------------------------------------------------------------------------- a Python number
    # What `float` and `numbers.Real` have besides: either it stays in the graph, or it is text, or
    # a comparison, or it is refused.

    def __mod__(self, other: object) -> Any:
        return _by_row(_MOD, self, other, "the right operand of %", "%")

    def __rmod__(self, other: object) -> Any:
        return _by_row_reversed(_MOD, other, self, "the left operand of %", "%")

    def __floordiv__(self, other: object) -> Any:
        return _by_row(_FLOORDIV, self, other, "the right operand of //", "//")

    def __rfloordiv__(self, other: object) -> Any:
        return _by_row_reversed(_FLOORDIV, other, self, "the left operand of //", "//")

    def __divmod__(self, other: object) -> Any:
        quotient = _by_row(_FLOORDIV, self, other, "the right operand of divmod", "divmod")
        return quotient if quotient is NotImplemented else (quotient, self % other)

    def __rdivmod__(self, other: object) -> Any:
        quotient = _by_row_reversed(_FLOORDIV, other, self, "the left operand of divmod", "divmod")
        return quotient if quotient is NotImplemented else (quotient, other % self)

    def __round__(self, ndigits: object = None) -> Value:
        """Return the nearest integer, or multiple of 10**-ndigits, as a `Value`."""
        return cast(Value, _rules.round(self, ndigits))

    def __trunc__(self) -> Value:
        return cast(Value, _rules.trunc(self))

    def __floor__(self) -> Value:
        return cast(Value, _rules.floor(self))

    def __ceil__(self) -> Value:
        return cast(Value, _rules.ceil(self))

    def __format__(self, spec: str) -> str:
        """Return the number as `spec` says (".3f"), without a specification the `repr`."""
        if spec == "":
            return str(self)
        if watch.count != 0:
            watch.read(self, f"the text f'{{v:{spec}}}'")
        return format(self._data, spec)

    def hex(self) -> str:
        """Return the number as exact text, as `float.hex` does."""
        if watch.count != 0:
            watch.read(self, "hex()")
        return self._data.hex()

    def is_integer(self) -> bool:
        """Say whether the number is an integer; noticed like a comparison."""
        return bool(self == _rules.floor(self)) and bool(_rules.abs(self) != math.inf)

    def item(self) -> Any:
        """Return `.data`, as arrays and tensors of one number do."""
        return self.data

    def detach(self) -> Value:
        """Return `stop_gradient` of this: the number as a constant of the derivative."""
        return cast(Value, _STOP(self))

    def conjugate(self) -> Value:
        """Return this: it is real."""
        return self

    @property
    def real(self) -> Value:
        """This itself."""
        return self

    @property
    def imag(self) -> float:
        """0.0."""
        return 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """(), as of a NumPy scalar."""
        return ()

    @property
    def ndim(self) -> int:
        """0, as of a NumPy scalar."""
        return 0

    @property
    def size(self) -> int:
        """1, as of a NumPy scalar."""
        return 1

    @property
    def T(self) -> Value:
        """This itself, as of a NumPy scalar."""
        return self

    @property
    def _prev(self) -> tuple[Value, ...]:
        """`parents`, under the name micrograd has."""
        return self.parents

    @property
    def _op(self) -> str:
        """The sign of the operation in pictures ("+", "tanh"), "" for a leaf; micrograd's name."""
        return "" if self._prim is None else self._prim.symbol

    @property
    def _backward(self) -> Any:
        raise AttributeError(_NO_BACKWARD)

    # -------------------------------------------------------------------------- ways out refused

    def __float__(self) -> float:
        # NumPy asks too, where a Value is written into an array of floats.
        raise TypeError(
            _LEAVING.format("float(v) (or a function of math)")
            + "; an array that is to hold Values is made with dtype=object"
        )

    def __int__(self) -> int:
        raise TypeError(_LEAVING.format("int(v)"))

    def __complex__(self) -> complex:
        raise TypeError(_LEAVING.format("complex(v)"))

    def as_integer_ratio(self) -> tuple[int, int]:
        """Refused: a ratio has no gradient (statistics.mean and Fraction ask for it)."""
        raise TypeError(
            _LEAVING.format("as_integer_ratio() (or a function of statistics or fractions)")
        )

    # -------------------------------------------------------------------------- whole graphs

    def backward(self) -> None:
        """Fill in `.grad`, the derivative of this with respect to every `Value` it was made of.

        Leaves add it to what they hold, so that losses can be summed over calls; inner nodes are
        set to this call's derivative, and this itself to 1.
        """
        if watch.count != 0:
            watch.read(self, "backward()")
        if _dropped.noted:
            _dropped.warn_before(self)
        _sweep.backward(self)

    def zero_grad(self) -> None:
        """Set `.grad` to 0 on this and every `Value` below it."""
        if watch.count != 0:
            watch.read(self, "zero_grad()")
        _sweep.zero_grad(self)

    def __reduce__(self) -> Any:
        """Pickle the whole graph below. Leaves keep their identity across one pickle, inner nodes
        only within one root's graph."""
        if self._bound():
            raise TypeError(
                "pickle of a Value that depends on an input of the derivative or compiled call "
                "under way would lose that dependence; pickle before or after the call, or "
                "return the Value from the function"
            )
        if self._prim is None:
            return restore_leaf, (self._data, self._grad, self.label, self.scope)
        leaves, columns = flatten(order_of([self]))
        return rebuild, (tuple(leaves), columns)

    def _bound(self) -> bool:
        """Say whether this belongs to a derivative or compiled call under way: a copy would leave
        its graph without a word."""
        if watch.nested != 0 and self._level > 0:
            return True
        return watch.count != 0 and watch.freezes()

    def __copy__(self) -> Value:
        """Return a node of the same value, gradient, primitive and parents; inside a derivative or
        compiled call, this itself, which is as immutable there as a float."""
        if self._bound():
            # What depends on no input may be assigned, so a copy of it is apart, but not frozen.
            return self if self._level > 0 or self._prim is not None else cast(Value, _STOP(self))
        extra = self._extra
        if extra is not None:
            extra = Extra(extra.label, extra.scope, extra.more)
        twin = Value(
            self._data, "", self._data, self._prim, self._a, self._b, self._pa, self._pb, extra
        )
        if isinstance(self, TrackedValue) and self._prim is not None:
            twin = _tracked(
                self._data, self._prim, self._a, self._b, self._pa, self._pb, twin._extra
            )
        twin._grad = self._grad
        twin._level = self._level
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a copy of the whole graph below; what is shared stays shared. Inside a derivative
        or compiled call, this itself (see `__copy__`)."""
        if self._bound():
            return self if self._level > 0 else _STOP(self)
        for node in order_of([self]):
            if isinstance(node, Value) and id(node) not in memo:
                twin = node.__copy__()
                twin._level = 0
                if node._a is not None:
                    twin._a = memo[id(node._a)]
                if node._b is not None:
                    twin._b = memo[id(node._b)]
                if twin._extra is not None:
                    twin._extra.more = tuple(
                        [(None if x is None else memo[id(x)], p) for x, p in twin._extra.more]
                    )
                memo[id(node)] = twin
        return memo[id(self)]


@final
class TrackedValue(Value):
    """A `Value` made by a primitive that is not registered, or from such a `Value`.

    The primitive may lead back to it (a layer that holds both its operation and its last output),
    so the cyclic collector has to look at it; ordinary `Value`s are spared that. Operators go by
    the rows, and Python asks the class that is more special first.
    """

    __slots__ = ()

    def __add__(self, other: object) -> Any:
        return _by_row(_ADD, self, other, "the right operand of +", "+")

    def __radd__(self, other: object) -> Any:
        return _by_row_reversed(_ADD, other, self, "the left operand of +", "+")

    def __sub__(self, other: object) -> Any:
        return _by_row(_SUB, self, other, "the right operand of -", "-")

    def __rsub__(self, other: object) -> Any:
        return _by_row_reversed(_SUB, other, self, "the left operand of -", "-")

    def __mul__(self, other: object) -> Any:
        return _by_row(_MUL, self, other, "the right operand of *", "*")

    def __rmul__(self, other: object) -> Any:
        return _by_row_reversed(_MUL, other, self, "the left operand of *", "*")

    def __truediv__(self, other: object) -> Any:
        return _by_row(_DIV, self, other, "the right operand of /", "/")

    def __rtruediv__(self, other: object) -> Any:
        return _by_row_reversed(_DIV, other, self, "the left operand of /", "/")

    def __pow__(self, other: object) -> Any:
        return _by_row(_POW, self, other, "the exponent of **", "**")

    def __rpow__(self, other: object) -> Any:
        return _by_row_reversed(_POW, other, self, "the base of **", "**")

    def relu(self) -> Value:
        return cast(Value, _RELU(self))

    def __neg__(self) -> Value:
        return cast(Value, _NEG(self))


def _by_row(prim: Primitive, x: Value, y: object, what: str, op: str) -> Any:
    """Return `x op y` as the row of `op` has it, or NotImplemented."""
    if isinstance(y, Value):
        return prim(x, y)
    return prim(x, as_float(y, what)) if _number(y, op) else NotImplemented


def _by_row_reversed(prim: Primitive, x: object, y: Value, what: str, op: str) -> Any:
    if isinstance(x, Value):
        return prim(x, y)
    return prim(as_float(x, what), y) if _number(x, op) else NotImplemented


def _tracked(
    data: float,
    prim: Primitive,
    a: Node | None,
    b: Node | None,
    pa: float,
    pb: float,
    extra: Extra | None,
) -> Value:
    if extra is not None:
        extra = TrackedExtra(extra.label, extra.scope, extra.more)
    return TrackedValue(None, "", data, prim, a, b, pa, pb, extra)


def _index(v: Value) -> int:
    raise TypeError(
        "a Value is no integer, for an index, a range or a count of digits: int(v.data) is one, "
        "without gradient"
    )


bind_methods(Value)
if __file__.endswith(".py"):
    del Value.__getattr__
# mypyc leaves the slot of an __index__ in the class empty; and a compiled function is no method.
setattr(Value, "__index__", property(lambda v: partial(_index, v)))  # noqa: B010
Real.register(Value)

_NO_BACKWARD: Final = (
    "a Value keeps no function _backward: v.partials are the derivatives by v.parents, and an "
    "operation with a derivative of your own is autograd.primitive or custom_partials"
)
_LEAVING: Final = (
    "{} would silently drop the gradient; use autograd's functions (autograd.sin), "
    'v.data for the plain number, f"{{v:.2f}}" for its text, or stop_gradient(v) to stay in the '
    "graph"
)


def _watched(op: str, x: Value, y: object, outcome: bool) -> bool:
    """Return `outcome`, the answer to `x op y`, after telling the observers."""
    if watch.count != 0:
        watch.compared(op, x, y, outcome)
    return outcome


def _float_of(x: object) -> float:
    return x._data if isinstance(x, Value) else as_float(x, "the right side of a comparison")


def _number(x: object, op: str) -> bool:
    """Say whether `x` can be an operand as a plain number.

    Raises:
        TypeError: `x` is of a type that certainly can't (and `op` is not "").
    """
    if isinstance(x, (int, float)):
        return True
    kind = type(x)
    if kind.__module__ in ("builtins", "decimal"):
        if op == "":
            return False
        raise TypeError(
            f"unsupported operand of {op}: {x!r} ({kind.__name__}); a Value combines with Value, "
            "float, int, bool, fractions.Fraction and NumPy scalars"
        )
    if getattr(x, "shape", ()) != ():  # an array: let it work elementwise
        return False
    try:
        as_float(x, "operand")
    except TypeError:
        return False
    return True


# ------------------------------------------------------------------------------------ pickling


def restore_leaf(data: float, grad: float, label: str, scope: tuple[str, ...]) -> Value:
    """Return a leaf as it was pickled."""
    leaf = Value(data)
    leaf._grad = grad
    if label or scope:
        leaf._extra = Extra(label, scope, ())
    return leaf


def rebuild(leaves: tuple[Value, ...], columns: Columns) -> Value:
    """Return the last node of a graph that `flatten` took apart, built again on `leaves`."""
    nodes: list[Value] = list(leaves)
    prims, data, grads, names, operands = columns
    for i, prim in enumerate(prims):
        found: list[Operand] = [
            (None if at < 0 else nodes[at], number) for at, number in operands[i]
        ]
        a, pa = found[0]
        b, pb = found[1] if len(found) > 1 else (None, 0.0)
        label, scope = names.get(i, ("", ()))
        more = tuple(found[2:])
        extra = Extra(label, scope, more) if label or scope or more else None
        node = Value(None, "", data[i], prim, a, b, pa, pb, extra)
        node._grad = grads[i]
        nodes.append(node)
    return nodes[-1]
