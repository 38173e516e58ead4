"""One lowering per primitive: the LLVM instructions that compute it, lane by lane.

A lowering does what the primitive's `fn` does, the same operations in the same order, with both
sides of a Python `if` computed and one selected. It sees a `Builder` and names of LLVM values;
what a program is, and how functions are called, is `native`'s affair.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable
from typing import Final

from .._special import (
    BERNOULLI,
    DIGAMMA_ROOT,
    DIGAMMA_ROOT_REST,
    DIGAMMA_SERIES,
    TANHSHRINK,
    ZETA_MINUS_1,
)

# Functions that come from the C library, as CPython's `math` calls them, by number of arguments.
_OF_ONE = "exp expm1 exp2 log log1p log2 log10 cbrt sin cos tan asin acos atan sinh cosh tanh"
_OF_ONE += " asinh acosh atanh erf erfc"
LIBM: Final = dict.fromkeys(_OF_ONE.split(), 1) | {"pow": 2, "atan2": 2, "fmod": 2, "remainder": 2}
# What glibc's libmvec offers of these.
LIBMVEC: Final = frozenset(LIBM) - {"fmod", "remainder"}


def hexadecimal(x: float) -> str:
    """Return `x` as LLVM writes a double."""
    return f"0x{struct.unpack('>Q', struct.pack('>d', x))[0]:016X}"


class Builder:
    """Writes the body of one LLVM function on vectors of `lanes` doubles (scalars for 1).

    Arguments and results are names of LLVM values.

    Attributes:
        lines: the instructions.
        constants: the numbers behind names, where they are known.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lanes = module.lanes
        self.kind = module.kind
        self.mask = module.mask
        self.flags = "contract " if module.fast else ""
        self.lines: list[str] = []
        self.constants: dict[str, float] = {}
        self._count = 0
        self._masks: dict[tuple[str, str, str], str] = {}  # comparisons already made
        self._flag: dict[str, str] = {}  # numbers 1.0 or 0.0, and the mask they were made from
        self._product: dict[str, tuple[str, str, str]] = {}  # for contraction across a mask
        self.block = "entry"

    def name(self) -> str:
        self._count += 1
        return f"%t{self._count}"

    def emit(self, text: str) -> str:
        out = self.name()
        self.lines.append(f"  {out} = {text}")
        return out

    # ------------------------------------------------------------------------- arithmetic

    def number(self, x: float) -> str:
        """Return `x` in every lane."""
        text = hexadecimal(x)
        if self.lanes == 1:
            return text
        return "<" + ", ".join([f"double {text}"] * self.lanes) + ">"

    def add(self, x: str, y: str) -> str:
        return self.emit(f"fadd {self.flags}{self.kind} {x}, {y}")

    def sub(self, x: str, y: str) -> str:
        return self.emit(f"fsub {self.flags}{self.kind} {x}, {y}")

    def mul(self, x: str, y: str) -> str:
        return self.emit(f"fmul {self.flags}{self.kind} {x}, {y}")

    def div(self, x: str, y: str) -> str:
        return self.emit(f"fdiv {self.kind} {x}, {y}")

    def neg(self, x: str) -> str:
        return self.emit(f"fneg {self.kind} {x}")

    def times(self, x: str, y: float) -> str:
        return self.mul(x, self.number(y))

    def plus(self, x: str, y: float) -> str:
        return self.add(x, self.number(y))

    def over(self, x: float, y: str) -> str:
        return self.div(self.number(x), y)

    def intrinsic(self, name: str, *args: str) -> str:
        full = f"llvm.{name}.{self.module.suffix}"
        self.module.declare(full, self.kind, [self.kind] * len(args))
        return self.emit(f"call {self.kind} @{full}({', '.join(f'{self.kind} {x}' for x in args)})")

    def abs(self, x: str) -> str:
        return self.intrinsic("fabs", x)

    def sqrt(self, x: str) -> str:
        return self.intrinsic("sqrt", x)

    def floor(self, x: str) -> str:
        return self.intrinsic("floor", x)

    # --------------------------------------------------------------------------- choices

    def compare(self, how: str, x: str, y: str | float) -> str:
        """Return the mask of `x how y`; `how` as in LLVM's fcmp (o.. false, u.. true for NaN)."""
        other = (
            y
            if isinstance(y, str)
            else "zeroinitializer"
            if self.lanes > 1 and y == 0.0
            else (self.number(y))
        )
        key = (how, x, other)
        known = self._masks.get(key)
        if known is None:
            known = self._masks[key] = self.emit(f"fcmp {how} {self.kind} {x}, {other}")
        return known

    def nonzero(self, x: str) -> str:
        """Return the mask of x != 0 (true for NaN)."""
        flag = self._flag.get(x)
        return self.compare("une", x, 0.0) if flag is None else flag

    def flag(self, mask: str) -> str:
        """Return 1.0 where `mask` holds, else 0.0."""
        out = self.select(mask, self.number(1.0), self.number(0.0))
        self._flag[out] = mask
        return out

    def both(self, x: str, y: str) -> str:
        return self.emit(f"and {self.mask} {x}, {y}")

    def either(self, x: str, y: str) -> str:
        return self.emit(f"or {self.mask} {x}, {y}")

    def differ(self, x: str, y: str) -> str:
        return self.emit(f"xor {self.mask} {x}, {y}")

    def select(self, mask: str, x: str, y: str) -> str:
        return self.emit(f"select {self.mask} {mask}, {self.kind} {x}, {self.kind} {y}")

    def strong_mul(self, x: str, y: str) -> str:
        mask = self.nonzero(x)
        out = self.select(mask, self.mul(x, y), self.number(0.0))
        self._product[out] = (mask, x, y)
        return out

    def add_product(self, x: str, y: str) -> str:
        """Return x + y; in fast code a guarded product is contracted into the sum."""
        if self.module.fast:
            for total, term in ((x, y), (y, x)):
                product = self._product.get(term)
                if product is not None:
                    mask, a, b = product
                    return self.select(mask, self.intrinsic("fma", a, b, total), total)
        return self.add(x, y)

    # ------------------------------------------------------------------- calls and loops

    def call(self, name: str, *args: str) -> str:
        """Return the result of a function of this module: libm's, or one of `ROUTINES`."""
        self.module.need(name)
        passed = ", ".join(f"{self.kind} {x}" for x in args)
        return self.emit(f"call {self.kind} {self.module.target(name)}({passed})")

    def loop(
        self,
        start: tuple[str, ...],
        active: Callable[[tuple[str, ...]], str],
        step: Callable[[tuple[str, ...]], tuple[str, ...]],
    ) -> tuple[str, ...]:
        """Return the values after stepping each lane for as long as it is `active`."""
        before, label = self.block, self.name()[1:]
        head, body, after = f"head.{label}", f"body.{label}", f"after.{label}"
        values = tuple(self.name() for _ in start)
        self.lines += [f"  br label %{head}", f"{head}:"]
        at = len(self.lines)
        self.lines += [""] * len(start)
        mask = active(values)
        self.lines.append(f"  br i1 {self._any(mask)}, label %{body}, label %{after}")
        self.lines.append(f"{body}:")
        stepped = tuple(
            self.select(mask, new, old) for new, old in zip(step(values), values, strict=True)
        )
        self.lines += [f"  br label %{head}", f"{after}:"]
        for i, (value, first, new) in enumerate(zip(values, start, stepped, strict=True)):
            self.lines[at + i] = (
                f"  {value} = phi {self.kind} [ {first}, %{before} ], [ {new}, %{body} ]"
            )
        self.block = after
        return values

    def _any(self, mask: str) -> str:
        if self.lanes == 1:
            return mask
        bits = self.emit(f"bitcast {self.mask} {mask} to i{self.lanes}")
        return self.emit(f"icmp ne i{self.lanes} {bits}, 0")


class Module:
    """Collects the functions of one LLVM module, each of them written once.

    Attributes:
        lanes: how many doubles are worked on at once.
        fast: whether contraction and vector mathematics are allowed.
        vector: names of libmvec's functions for whole vectors, by ours; empty where there are none.
    """

    def __init__(self, lanes: int, fast: bool, vector: tuple[str, int] | None) -> None:
        self.lanes = lanes
        self.fast = fast
        self.vector = vector if lanes > 1 else None
        self.kind = "double" if lanes == 1 else f"<{lanes} x double>"
        self.mask = "i1" if lanes == 1 else f"<{lanes} x i1>"
        self.suffix = "f64" if lanes == 1 else f"v{lanes}f64"
        self.functions: list[str] = []
        self._declared: dict[str, str] = {}
        self._needed: set[str] = set()

    def declare(self, name: str, result: str, arguments: Iterable[str]) -> None:
        self._declared.setdefault(name, f"declare {result} @{name}({', '.join(arguments)})")

    def declarations(self) -> list[str]:
        return list(self._declared.values())

    def symbols(self) -> list[str]:
        """Return the names of outside functions that must be found."""
        return [name for name in self._declared if not name.startswith("llvm.")]

    def target(self, name: str) -> str:
        """Return the LLVM name of a function, once it has been needed."""
        if name in LIBM and self.lanes == 1:
            return f"@{name}"
        if name in LIBMVEC and self.vector is not None and self.vector[1] == self.lanes:
            return f"@{self._vector_symbol(name)}"
        return f"@ag.{name}"

    def _vector_symbol(self, name: str) -> str:
        assert self.vector is not None
        isa, width = self.vector
        return f"_ZGV{isa}N{width}{'v' * LIBM[name]}_{name}"

    def need(self, name: str) -> None:
        """Make sure that `name` can be called."""
        if name in self._needed:
            return
        self._needed.add(name)
        if name in LIBM:
            if self.lanes == 1:
                self.declare(name, "double", ["double"] * LIBM[name])
            elif self.vector is not None and name in LIBMVEC:
                self._by_parts(name, self.vector[1])
            else:
                self._by_lanes(name)
            return
        build = ROUTINES[name.partition(".")[0]]
        b = Builder(self)
        arity = build.__code__.co_argcount - 1
        args = [f"%a{i}" for i in range(arity)]
        order = name.partition(".")[2]
        if order:
            b.constants[args[0]] = float(order)
        out = build(b, *args)
        self._define(name, args, b.lines, out)

    def _define(self, name: str, args: list[str], lines: list[str], out: str) -> None:
        passed = ", ".join(f"{self.kind} {a}" for a in args)
        head = f"define internal {self.kind} @ag.{name}({passed}) noinline nounwind {{\nentry:"
        self.functions.append("\n".join([head, *lines, f"  ret {self.kind} {out}", "}"]))

    def _by_lanes(self, name: str) -> None:
        """Define the vector function that calls libm's once per lane."""
        arity = LIBM[name]
        self.declare(name, "double", ["double"] * arity)
        lines: list[str] = []
        out = "poison"
        for lane in range(self.lanes):
            for a in range(arity):
                lines.append(f"  %x{a}.{lane} = extractelement {self.kind} %a{a}, i32 {lane}")
            passed = ", ".join(f"double %x{a}.{lane}" for a in range(arity))
            lines.append(f"  %y{lane} = call double @{name}({passed})")
            lines.append(
                f"  %r{lane} = insertelement {self.kind} {out}, double %y{lane}, i32 {lane}"
            )
            out = f"%r{lane}"
        self._define(name, [f"%a{a}" for a in range(arity)], lines, out)

    def _by_parts(self, name: str, width: int) -> None:
        """Define the vector function that calls libmvec's for `width` lanes at a time."""
        arity = LIBM[name]
        symbol = self._vector_symbol(name)
        part = f"<{width} x double>"
        self.declare(symbol, part, [part] * arity)
        if width == self.lanes:  # called without a detour
            return
        lines: list[str] = []
        parts: list[str] = []
        for at in range(0, self.lanes, width):
            lanes = ", ".join(f"i32 {at + i}" for i in range(width))
            for a in range(arity):
                lines.append(
                    f"  %x{a}.{at} = shufflevector {self.kind} %a{a}, {self.kind} poison, "
                    f"<{width} x i32> <{lanes}>"
                )
            passed = ", ".join(f"{part} %x{a}.{at}" for a in range(arity))
            lines.append(f"  %y{at} = call {part} @{symbol}({passed})")
            parts.append(f"%y{at}")
        while len(parts) > 1:  # join neighbours until one vector is left
            joined: list[str] = []
            for i in range(0, len(parts), 2):
                lanes = ", ".join(f"i32 {k}" for k in range(2 * width))
                name_of = f"%j{width}.{i}"
                lines.append(
                    f"  {name_of} = shufflevector <{width} x double> {parts[i]}, "
                    f"<{width} x double> {parts[i + 1]}, <{2 * width} x i32> <{lanes}>"
                )
                joined.append(name_of)
            parts, width = joined, 2 * width
        self._define(name, [f"%a{a}" for a in range(arity)], lines, parts[0])


# ----------------------------------------------------------------- functions of several steps
# Each becomes a function of its own in the module, called rather than copied.


def _sigmoid(b: Builder, x: str) -> str:
    positive = b.compare("oge", x, 0.0)
    z = b.call("exp", b.select(positive, b.neg(x), x))
    return b.div(b.select(positive, b.number(1.0), z), b.add(b.number(1.0), z))


def _sech(b: Builder, x: str) -> str:
    z = b.call("exp", b.neg(b.abs(x)))
    return b.div(b.add(z, z), b.plus(b.mul(z, z), 1.0))


def _sech_squared(b: Builder, x: str) -> str:
    z = b.call("exp", b.times(b.abs(x), -2.0))
    s = b.plus(z, 1.0)
    return b.div(b.times(z, 4.0), b.mul(s, s))


def _sigmoid_slope(b: Builder, x: str) -> str:
    z = b.call("exp", b.neg(b.abs(x)))
    s = b.plus(z, 1.0)
    return b.div(z, b.mul(s, s))


def _softplus(b: Builder, x: str) -> str:
    tail = b.call("log1p", b.call("exp", b.neg(b.abs(x))))
    return b.add(_relu(b, x), tail)


def _log_sigmoid(b: Builder, x: str) -> str:
    return b.neg(b.call("softplus", b.neg(x)))


def _gelu(b: Builder, x: str) -> str:
    tail = b.call("erfc", b.times(b.neg(x), math.sqrt(0.5)))
    out = b.strong_mul(b.times(tail, 0.5), x)
    r = b.over(1.0, b.mul(x, x))
    h = b.call("exp", b.mul(b.times(x, -0.25), x))
    one = b.number(1.0)
    series = b.sub(one, b.times(r, 7.0))
    for odd in (5.0, 3.0):
        series = b.sub(one, b.mul(b.times(r, odd), series))
    series = b.sub(one, b.mul(r, series))
    far = b.sub(b.number(0.0), b.mul(b.mul(b.times(series, 0.3989422804014327), h), h))
    return b.select(b.compare("olt", x, -37.0), far, out)


def _silu(b: Builder, x: str) -> str:
    h = b.call("exp", b.times(x, 0.5))
    far = b.plus(b.mul(b.strong_mul(h, x), h), 0.0)
    return b.select(b.compare("olt", x, -700.0), far, b.strong_mul(b.call("sigmoid", x), x))


def _power(b: Builder, x: str, y: str) -> str:
    out = b.call("pow", x, y)
    out = b.select(b.compare("oeq", y, 2.0), b.mul(x, x), out)
    return b.select(b.compare("oeq", y, -1.0), b.over(1.0, x), out)


def _hypot(b: Builder, x: str, y: str) -> str:
    x, y = b.abs(x), b.abs(y)
    larger = b.compare("ogt", x, y)
    big, small = b.select(larger, x, y), b.select(larger, y, x)
    r = b.div(small, big)
    out = b.mul(big, b.sqrt(b.add(b.number(1.0), b.mul(r, r))))
    out = b.select(b.compare("oeq", big, 0.0), b.number(0.0), out)
    out = b.select(b.compare("uno", x, y), b.number(math.nan), out)
    infinite = b.either(b.compare("oeq", big, math.inf), b.compare("oeq", small, math.inf))
    return b.select(infinite, b.number(math.inf), out)


def _direction(b: Builder, x: str, y: str) -> str:
    size = b.abs(y)
    wide = b.compare("oge", b.abs(x), size)
    r = b.select(wide, b.div(y, x), b.div(x, size))
    top = b.select(wide, b.intrinsic("copysign", b.number(1.0), x), r)
    out = b.div(top, b.sqrt(b.plus(b.mul(r, r), 1.0)))
    out = b.select(b.compare("oeq", x, 0.0), x, out)
    return b.select(b.compare("uno", x, y), b.number(math.nan), out)


def _lgamma_near_2(b: Builder, z: str) -> str:
    total = b.number(0.0)
    for k in range(len(ZETA_MINUS_1) + 1, 1, -1):
        total = b.sub(b.number(ZETA_MINUS_1[k - 2] / k), b.mul(z, total))
    return b.mul(z, b.add(b.number(1.0 - 0.5772156649015329), b.mul(z, total)))


def _lgamma_positive(b: Builder, x: str) -> str:
    large = b.compare("oge", x, 10.0)
    r = b.over(1.0, x)
    r2 = b.mul(r, r)
    series = b.number(0.0)
    for k in range(len(BERNOULLI), 0, -1):
        series = b.plus(b.mul(series, r2), BERNOULLI[k - 1] / (2 * k * (2 * k - 1)))
    product, shifted = b.loop(
        (b.number(1.0), b.select(large, b.number(1.0), x)),
        lambda v: b.compare("ogt", v[1], 2.5),
        lambda v: (b.mul(v[0], down := b.plus(v[1], -1.0)), down),
    )
    tiny, low = b.compare("olt", x, 0.5), b.compare("olt", x, 1.5)
    z = b.select(tiny, x, b.select(low, b.plus(x, -1.0), b.plus(shifted, -2.0)))
    near = b.call("lgamma_near_2", z)
    log1p = b.call("log1p", z)
    log = b.call("log", b.select(b.either(large, tiny), x, product))
    out = b.add(near, log)
    out = b.select(low, b.sub(near, log1p), out)
    out = b.select(tiny, b.sub(b.sub(near, log1p), log), out)
    stirling = b.sub(b.mul(b.plus(x, -0.5), log), x)
    stirling = b.add(b.plus(stirling, 0.9189385332046728), b.mul(series, r))
    stirling = b.select(b.compare("ogt", x, 1e305), b.mul(x, b.plus(log, -1.0)), stirling)
    return b.select(large, stirling, out)


def _lgamma(b: Builder, x: str) -> str:
    positive, near = b.compare("ogt", x, 0.0), b.compare("ogt", x, -0.5)
    one_less = b.sub(b.number(1.0), x)
    argument = b.select(positive, x, b.select(near, b.plus(x, 1.0), one_less))
    main = b.call("lgamma_positive", argument)
    turns = b.floor(b.plus(x, 0.5))
    s = b.abs(b.call("sin", b.times(b.sub(x, turns), math.pi)))
    log = b.call("log", b.select(near, b.neg(x), b.over(math.pi, s)))
    reflected = b.select(near, b.sub(main, log), b.sub(log, main))
    pole = b.compare("oeq", x, b.floor(x))
    out = b.select(pole, b.number(math.inf), reflected)
    out = b.select(positive, main, out)
    return b.select(b.compare("oeq", b.abs(x), math.inf), b.number(math.inf), out)


def _polygamma_positive(b: Builder, n: str, x: str) -> str:
    order = int(b.constants[n])
    start = x
    sign = -1.0 if order % 2 else 1.0
    factorial = float(math.factorial(order))

    def step(v: tuple[str, ...]) -> tuple[str, ...]:
        power = v[1]
        for _ in range(order):
            power = b.mul(power, v[1])
        term = b.select(b.compare("une", power, 0.0), b.over(factorial, power), b.number(math.inf))
        return b.add(v[0], term), b.plus(v[1], 1.0)

    shift, x = b.loop((b.number(0.0), x), lambda v: b.compare("olt", v[1], 10.0 + order), step)
    r = b.over(1.0, x)
    r2 = b.mul(r, r)
    total = b.number(0.0)
    for k in range(len(BERNOULLI), 0, -1):
        factor = 1.0 / (2 * k) if order == 0 else 1.0
        for j in range(1, order):
            factor *= 2 * k + j
        total = b.plus(b.mul(total, r2), BERNOULLI[k - 1] * factor)
    tail = b.mul(total, r2)
    if order == 0:
        out = b.sub(b.sub(b.sub(b.call("log", x), b.times(r, 0.5)), tail), shift)
        off = b.plus(start, -DIGAMMA_ROOT)
        d = b.plus(off, -DIGAMMA_ROOT_REST)
        near = b.number(0.0)
        for coefficient in reversed(DIGAMMA_SERIES):
            near = b.plus(b.mul(near, d), coefficient)
        return b.select(b.compare("ole", b.abs(off), 0.2), b.mul(near, d), out)
    rn = b.number(1.0)
    for _ in range(order):
        rn = b.mul(rn, r)
    head = b.add(b.add(b.number(factorial / order), b.times(r, 0.5 * factorial)), tail)
    return b.sub(b.mul(b.times(head, -sign), rn), b.times(shift, sign))


def _polygamma_of(b: Builder, n: str, x: str) -> str:
    order = int(b.constants[n])
    positive = b.compare("ogt", x, 0.0)
    main = b.call(f"polygamma_positive.{order}", n, b.select(positive, x, b.sub(b.number(1.0), x)))
    t = b.times(b.sub(x, b.floor(b.plus(x, 0.5))), math.pi)
    c = b.div(b.call("cos", t), b.call("sin", t))
    p = [0.0, 1.0]
    for _ in range(order):
        q = [0.0] * (len(p) + 1)
        for i in range(1, len(p)):
            q[i - 1] -= i * p[i]
            q[i + 1] -= i * p[i]
        p = q
    total = b.number(p[-1])
    for coefficient in reversed(p[:-1]):
        total = b.plus(b.mul(total, c), coefficient)
    mirrored = b.neg(main) if order % 2 else main
    reflected = b.sub(mirrored, b.times(total, math.pi ** (order + 1)))
    pole = b.compare("oeq", x, b.floor(x))
    out = b.select(pole, b.number(math.inf if order % 2 else math.nan), reflected)
    if order % 2 == 0:
        side = b.intrinsic("copysign", b.number(math.inf), b.neg(x))
        out = b.select(b.compare("oeq", x, 0.0), side, out)
    out = b.select(positive, main, out)
    end = b.number(math.inf if order == 0 else 0.0)
    out = b.select(b.compare("oeq", x, math.inf), end, out)
    return b.select(b.compare("oeq", x, -math.inf), b.number(math.nan), out)


def _polygamma_any(b: Builder, n: str, x: str) -> str:
    """An order that is only known at run time: all of them, and a choice. Nobody does this."""
    out = b.number(math.nan)
    for order in range(61):
        value = b.call(f"polygamma_of.{order}", b.number(float(order)), x)
        out = b.select(b.compare("oeq", n, float(order)), value, out)
    return out


def _polygamma(b: Builder, n: str, x: str) -> str:
    order = b.constants.get(n)
    if order is None:
        return b.call("polygamma_any", n, x)
    if not 0.0 <= order <= 60.0 or order != math.floor(order):
        return b.number(math.nan)
    return b.call(f"polygamma_of.{int(order)}", n, x)


def _gamma(b: Builder, x: str) -> str:
    positive, many = b.compare("ogt", x, 0.0), b.compare("ogt", x, 172.0)
    near = b.both(b.compare("ogt", x, -0.5), b.compare("olt", x, 0.5))
    turns = b.floor(b.plus(x, 0.5))
    reflected = b.over(math.pi, b.call("sin", b.times(b.sub(x, turns), math.pi)))
    odd = b.compare("une", b.call("fmod", turns, b.number(2.0)), 0.0)
    reflected = b.select(odd, b.neg(reflected), reflected)
    far = b.select(b.compare("ogt", x, -249.0), b.sub(b.number(1.0), x), b.number(250.0))
    argument = b.select(b.either(near, many), b.number(2.0), b.select(positive, x, far))

    def step(v: tuple[str, ...]) -> tuple[str, ...]:
        down = b.plus(v[1], -1.0)
        return b.select(positive, b.mul(v[0], down), b.div(v[0], down)), down

    start = b.select(positive, b.number(0.5), reflected)
    product, y = b.loop((start, argument), lambda v: b.compare("ogt", v[1], 2.5), step)
    below = b.compare("olt", y, 1.5)
    z = b.select(near, x, b.add(y, b.select(below, b.number(-1.0), b.number(-2.0))))
    factor = b.call("exp", b.call("lgamma_near_2", z))
    out = b.select(positive, b.times(b.mul(product, factor), 2.0), b.div(product, factor))
    out = b.select(below, b.div(factor, y), out)
    out = b.select(near, b.div(b.div(factor, b.plus(x, 1.0)), x), out)
    out = b.select(many, b.number(math.inf), out)
    pole = b.both(b.compare("olt", x, 0.0), b.compare("oeq", x, b.floor(x)))
    return b.select(b.either(pole, b.compare("uno", x, x)), b.number(math.nan), out)


def _tanhshrink(b: Builder, x: str) -> str:
    x2 = b.mul(x, x)
    total = b.number(0.0)
    for coefficient in reversed(TANHSHRINK):
        total = b.plus(b.mul(total, x2), coefficient)
    series = b.div(b.mul(b.mul(total, x2), x), b.call("cosh", x))
    return b.select(b.compare("olt", b.abs(x), 1.0), series, b.sub(x, b.call("tanh", x)))


def _logaddexp(b: Builder, x: str, y: str) -> str:
    larger = b.compare("ogt", x, y)
    big, small = b.select(larger, x, y), b.select(larger, y, x)
    out = b.add(big, b.call("log1p", b.call("exp", b.sub(small, big))))
    out = b.select(b.compare("oeq", x, y), b.plus(x, math.log(2.0)), out)
    return b.select(b.compare("uno", x, y), b.number(math.nan), out)


def _floordiv(b: Builder, x: str, y: str) -> str:
    r = b.call("fmod", x, y)
    q = b.div(b.sub(x, r), y)
    apart = b.differ(b.compare("olt", y, 0.0), b.compare("olt", r, 0.0))
    q = b.select(b.both(b.compare("une", r, 0.0), apart), b.plus(q, -1.0), q)
    below = b.floor(q)
    below = b.select(b.compare("ogt", b.sub(q, below), 0.5), b.plus(below, 1.0), below)
    quotient = b.div(x, y)
    out = b.select(
        b.compare("oeq", q, 0.0), b.intrinsic("copysign", b.number(0.0), quotient), below
    )
    return b.select(b.compare("oeq", y, 0.0), quotient, out)


def _round_digits(b: Builder, x: str, n: str) -> str:
    """The nearest multiple of a power of ten, decided exactly: what rounding cuts off a product is
    got by a fused one. (Python goes through decimal digits, with the same result.)"""
    size, digits = b.abs(x), b.abs(n)
    scale, half = b.number(1.0), b.number(0.5)
    for k in range(1, 23):
        scale = b.select(b.compare("oeq", digits, float(k)), b.number(10.0**k), scale)
    # Digits after the point: size * scale is p + e exactly.
    p = b.mul(size, scale)
    e = b.intrinsic("fma", size, scale, b.neg(p))
    r = b.intrinsic("roundeven", p)
    rest = b.sub(p, r)
    up = b.both(b.compare("oge", rest, 0.5), b.compare("ogt", e, 0.0))
    down = b.both(b.compare("ole", rest, -0.5), b.compare("olt", e, 0.0))
    r = b.select(up, b.plus(r, 1.0), b.select(down, b.plus(r, -1.0), r))
    after = b.div(r, scale)
    # Before the point: size - r * scale is exact.
    q = b.div(size, scale)
    r = b.intrinsic("roundeven", q)
    rest = b.intrinsic("fma", b.neg(r), scale, size)
    middle = b.mul(scale, half)
    odd = b.compare("une", b.call("fmod", r, b.number(2.0)), 0.0)
    up = b.either(b.compare("ogt", rest, middle), b.both(b.compare("oeq", rest, middle), odd))
    down = b.either(
        b.compare("olt", rest, b.neg(middle)), b.both(b.compare("oeq", rest, b.neg(middle)), odd)
    )
    r = b.select(up, b.plus(r, 1.0), b.select(down, b.plus(r, -1.0), r))
    before = b.mul(r, scale)
    negative = b.compare("olt", n, 0.0)
    out = b.select(negative, before, after)
    exact = b.compare("uge", b.select(negative, q, p), 9007199254740992.0)  # 2**53
    out = b.intrinsic("copysign", b.select(exact, size, out), x)
    wrong = b.either(b.compare("ugt", digits, 22.0), b.compare("une", n, b.floor(n)))
    return b.select(b.either(wrong, b.compare("uno", x, x)), b.number(math.nan), out)


ROUTINES: Final[dict[str, Callable[..., str]]] = {
    "gamma": _gamma,
    "tanhshrink": _tanhshrink,
    "logaddexp": _logaddexp,
    "floordiv": _floordiv,
    "round_digits": _round_digits,
    "sigmoid": _sigmoid,
    "sech": _sech,
    "sech_squared": _sech_squared,
    "sigmoid_slope": _sigmoid_slope,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "gelu": _gelu,
    "silu": _silu,
    "power": _power,
    "hypot": _hypot,
    "direction": _direction,
    "lgamma": _lgamma,
    "lgamma_near_2": _lgamma_near_2,
    "lgamma_positive": _lgamma_positive,
    "polygamma_positive": _polygamma_positive,
    "polygamma_of": _polygamma_of,
    "polygamma_any": _polygamma_any,
}

# ------------------------------------------------------------------------- functions in place


def _one_minus_square(b: Builder, x: str) -> str:
    one, size = b.number(1.0), b.abs(x)
    edge = b.mul(b.sub(one, x), b.add(one, x))
    out = b.select(b.compare("ole", size, 0.5), b.sub(one, b.mul(x, x)), edge)
    return b.select(b.compare("ole", size, 1.0), out, b.number(math.nan))


def _relu(b: Builder, x: str) -> str:
    return b.select(b.compare("ugt", x, 0.0), x, b.number(0.0))


def _sign(b: Builder, x: str) -> str:
    out = b.select(b.compare("olt", x, 0.0), b.number(-1.0), b.plus(x, 0.0))
    return b.select(b.compare("ogt", x, 0.0), b.number(1.0), out)


def _mod(b: Builder, x: str, y: str) -> str:
    r = b.call("fmod", x, y)
    apart = b.differ(b.compare("olt", y, 0.0), b.compare("olt", r, 0.0))
    zero = b.intrinsic("copysign", b.number(0.0), y)
    return b.select(b.compare("oeq", r, 0.0), zero, b.select(apart, b.add(r, y), r))


def _xlogy(b: Builder, x: str, y: str) -> str:
    none = b.select(b.compare("uno", y, y), b.number(math.nan), b.number(0.0))
    return b.select(b.compare("oeq", x, 0.0), none, b.mul(x, b.call("log", y)))


def _larger(how: str) -> Callable[[Builder, str, str], str]:
    def lower(b: Builder, x: str, y: str) -> str:
        out = b.select(b.compare(how, x, y), x, y)
        return b.select(b.compare("uno", x, y), b.number(math.nan), out)

    return lower


def _elu(b: Builder, x: str, alpha: str) -> str:
    return b.select(b.compare("ogt", x, 0.0), x, b.mul(alpha, b.call("expm1", x)))


def _function(name: str) -> Callable[..., str]:
    """Return the lowering that calls the function `name`."""

    def lower(b: Builder, *args: str) -> str:
        return b.call(name, *args)

    return lower


def _rounding(name: str) -> Callable[[Builder, str], str]:
    """Return the lowering that is LLVM's own intrinsic; all keep the sign of zero, as `fn` does."""

    def lower(b: Builder, x: str) -> str:
        return b.intrinsic(name, x)

    return lower


LOWERINGS: Final[dict[str, Callable[..., str]]] = {
    **{name: _function(name) for name in LIBM if name not in ("pow", "remainder")},
    **{
        name: _function(name)
        for name in [
            *("sigmoid", "sech", "sech_squared", "sigmoid_slope"),
            *("softplus", "log_sigmoid", "gelu", "silu"),
        ]
    },
    "add": Builder.add_product,
    "sub": Builder.sub,
    "mul": Builder.mul,
    "div": Builder.div,
    "neg": Builder.neg,
    "strong_mul": Builder.strong_mul,
    "identity": lambda b, x: x,
    "stop_gradient": lambda b, x: x,
    "where": lambda b, c, x, y: b.select(b.nonzero(c), x, y),
    "greater": lambda b, x, y: b.flag(b.compare("ogt", x, y)),
    "abs": Builder.abs,
    "sign": _sign,
    "maximum": _larger("ogt"),
    "minimum": _larger("olt"),
    "copysign": lambda b, x, y: b.select(
        b.compare("uno", y, y), b.number(math.nan), b.intrinsic("copysign", x, y)
    ),
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "round": _rounding("roundeven"),
    "sqrt": Builder.sqrt,
    "pow": _function("power"),
    "hypot": _function("hypot"),
    "direction": _function("direction"),
    "log_slope": lambda b, x: b.select(
        b.compare("olt", x, 0.0), b.number(math.nan), b.over(1.0, x)
    ),
    "one_minus_square": _one_minus_square,
    "gauss": lambda b, x: b.call("exp", b.mul(b.neg(x), x)),
    "lgamma": _function("lgamma"),
    "polygamma": _polygamma,
    "digamma": lambda b, x: b.call("polygamma_of.0", b.number(0.0), x),
    "relu": _relu,
    "leaky_relu": lambda b, x, slope: b.select(b.compare("ogt", x, 0.0), x, b.mul(slope, x)),
    "elu": _elu,
    "trunc": _rounding("trunc"),
    "mod": _mod,
    "ieee_remainder": _function("remainder"),
    "xlogy": _xlogy,
    **{
        name: _function(name)
        for name in ["floordiv", "round_digits", "logaddexp", "gamma", "tanhshrink"]
    },
}
