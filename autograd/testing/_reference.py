"""The reference: values and derivatives of a recorded graph in multi-precision arithmetic.

Each operation is differentiated by itself, from its mathematical definition (`exact`), by central
differences with a relative step of 1e-35 and as many digits as that takes; the results are composed
by the chain rule, forwards. Neither the partials nor the sweeps of the engine are used. Along with
each derivative goes what round-off may have done to it, so that the verdict is about the rest.

Knows graphs and primitives; knows nothing of whoever made the graph, nor of verdicts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any, Final

from .._graph import order_of
from .._primitive import Node, Primitive, operands_of
from .._rules import stop_gradient

Mpf = Any  # a number of mpmath, which has no type annotations
Entry = Any  # such a number, or None: zero by structure

STEP_DIGITS: Final = 35
_DIGITS: Final = 45  # what is to remain when the differences have cancelled
_MOST_DIGITS: Final = 2600
_RESOLVED: Final = 1e-20  # how small the noise of a difference is to be against it
_NEGLIGIBLE: Final = 1e-40  # derivatives below this need not be resolved
_DEEP: Final = 20000  # binary digits below 1
_TINY: Final = math.ulp(0.0)  # the absolute rounding error where numbers underflow


class _Contexts(threading.local):
    context: Any = None


_contexts: Final = _Contexts()


def context() -> Any:
    """Return this thread's mpmath context; `mpmath.mp`, which belongs to the user, is not touched.

    Raises:
        ImportError: mpmath is missing.
    """
    if _contexts.context is None:
        try:
            from mpmath import MPContext
        except ImportError:
            raise ImportError(
                "autograd.testing computes its reference with mpmath: "
                "pip install 'scalar-autograd[test]'"
            ) from None
        _contexts.context = MPContext()
        _contexts.context.dps = 60
    return _contexts.context


class Local:
    """One operation's value and derivatives at one point, by the active arguments.

    Attributes:
        value: the value, nan where the definition gives none.
        first, second, third: partial derivatives; nan where they do not exist.
        errors: what the reference itself may be wrong by, in the value and at each order.
        radius: half the distance between the one-sided first derivatives, on a kink.
        kink: the distance to the nearest kink, None where there is none.
    """

    __slots__ = ("errors", "first", "kink", "radius", "second", "third", "value")

    def __init__(self, n: int, nan: Mpf) -> None:
        self.value: Mpf = nan
        self.first: list[Mpf] = [nan] * n
        self.second: list[list[Mpf]] = [[nan] * n for _ in range(n)]
        self.third: list[list[list[Mpf]]] = [[[nan] * n for _ in range(n)] for _ in range(n)]
        self.errors: tuple[list[Mpf], ...] = ()
        self.radius: list[Mpf] = [0] * n
        self.kink: Mpf | None = None


def kink_distance(m: Any, prim: Primitive, args: Sequence[Mpf]) -> Mpf | None:
    """Return how far `args` are from the nearest kink of `prim`, None if it has none."""
    if prim.kink is None:
        return None
    try:
        distance = m.fabs(prim.kink(m, *args))
        return distance if m.isfinite(distance) else None
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def _evaluate(m: Any, prim: Primitive, args: Sequence[Mpf]) -> Mpf:
    """Return the definition at `args`, nan where it has no real value."""
    if prim.exact is None:
        return m.nan
    try:
        out = prim.exact(m, *args)
    except (ZeroDivisionError, ValueError, OverflowError, NotImplementedError):
        return m.nan
    if isinstance(out, m.mpc):
        return out.real if out.imag == 0 else m.nan
    return out if isinstance(out, m.mpf) else m.mpf(out)


def evaluate(m: Any, prim: Primitive, args: Sequence[Mpf]) -> Mpf:
    """Return the value of `prim` by its definition at `args`; nan where it has no real value."""
    saved = m.dps
    m.dps = 60 + _reach(m, args)
    try:
        return _evaluate(m, prim, args)
    finally:
        m.dps = saved


def _reach(m: Any, args: Sequence[Mpf]) -> int:
    """Return how many decades the arguments reach above 1, and how far they are apart."""
    decades = [int(m.mag(x) * 0.30103) for x in args if x != 0 and m.isfinite(x)]
    above = sum(max(0, x) for x in decades)
    return above + (max(decades) - min(decades) if len(decades) > 1 else 0)


def _scale(m: Any, args: Sequence[Mpf]) -> Mpf:
    """Return what a small step is measured by: the smallest argument but zero, and at most 1."""
    return min([m.mpf(1), *(m.fabs(x) for x in args if x != 0)])


def local(
    m: Any,
    prim: Primitive,
    args: Sequence[Mpf],
    active: Sequence[int],
    order: int,
    blur: Mpf = 0,
) -> Local:
    """Return the value of `prim` at `args` and its derivatives by `active` up to `order` (1 to 3).

    On a kink, or within `blur` of it, the first derivatives are the middle of those on all sides,
    with their `radius`, and higher ones do not exist.
    """
    n = len(active)
    found = Local(n, m.nan)
    saved = m.dps
    above = _reach(m, args)
    m.dps = _DIGITS + order * STEP_DIGITS + above
    try:
        distance = found.kink = kink_distance(m, prim, args)
        if distance is not None and distance <= blur:
            away = max(_scale(m, args) * m.mpf(10) ** -STEP_DIGITS, 2 * blur)
            around = [x for i in active for x in _nudged(args, [i], away)]
            if any(kink_distance(m, prim, x) != distance for x in around):
                _on_kink(m, prim, args, active, away, found)
                return found
            distance = None  # it stays on the kink, whichever way the active arguments go
        scales = [_scale(m, [args[i]]) for i in active]
        if distance is not None:
            scales = [min(scale, distance) or scale for scale in scales]
        tiny = sum(max(0, int(-m.mag(scale) * 0.30103)) for scale in scales)
        # First without the digits that only functions smooth at zero need near it.
        for step, more in ((1, 0), (1, tiny), (3, tiny), (12, tiny)):
            step *= STEP_DIGITS
            digits = _DIGITS + order * (step + more + above) + above
            m.dps = min(digits, _MOST_DIGITS)
            if _differentiate(m, prim, args, active, order, scales, m.mpf(10) ** -step, found):
                return found
            if more and step * order > _MOST_DIGITS / 2:
                break
        found.first = [m.nan] * n
        found.errors = ()
    finally:
        m.dps = saved
    return found


def _differentiate(
    m: Any,
    prim: Primitive,
    args: Sequence[Mpf],
    active: Sequence[int],
    order: int,
    scales: list[Mpf],
    h: Mpf,
    found: Local,
) -> bool:
    """Fill in `found` from differences of step `h`; say whether they have converged."""
    middle = found.value = _evaluate(m, prim, args)
    n = len(active)
    if middle != 0 and m.mag(middle) < -_DEEP:  # nothing a float could show
        found.first = [m.nan] * n
        found.errors = ()
        return True
    largest = m.fabs(middle)

    h2 = h * h
    twelve_h, twelve_h2, two_h3 = 12 * h, 12 * h2, 2 * h2 * h
    steps = [h * scale for scale in scales]

    def along(signs: Sequence[int]) -> tuple[Mpf, Mpf, Mpf]:
        """Return the first three derivatives in the direction `signs`, in units of `scales`."""
        nonlocal largest
        values = []
        for t in (-2, -1, 1, 2):
            moved = list(args)
            for i, step, sign in zip(active, steps, signs, strict=True):
                if sign:
                    moved[i] = args[i] + sign * t * step
            values.append(_evaluate(m, prim, moved))
        a, b, c, d = values
        largest = max(largest, m.fabs(a), m.fabs(d))
        return (
            (8 * (c - b) - (d - a)) / twelve_h,
            (16 * (b + c) - (a + d) - 30 * middle) / twelve_h2,
            ((d - a) - 2 * (c - b)) / two_h3,
        )

    units = [[int(i == j) for j in range(n)] for i in range(n)]
    own = [along(unit) for unit in units]
    s = scales
    for i in range(n):
        found.first[i] = own[i][0] / s[i]
        found.second[i][i] = own[i][1] / (s[i] * s[i])
        found.third[i][i][i] = own[i][2] / (s[i] * s[i] * s[i])
    if n > 1:
        for i in range(n):
            for j in range(i + 1, n):
                plus = along([a + b for a, b in zip(units[i], units[j], strict=True)])
                minus = along([a - b for a, b in zip(units[i], units[j], strict=True)])
                mixed = (plus[1] - minus[1]) / (4 * s[i] * s[j])
                found.second[i][j] = found.second[j][i] = mixed
                _spread(found.third, i, i, j, (plus[2] - minus[2] - 2 * own[j][2]) / 6, s)
                _spread(found.third, i, j, j, (plus[2] + minus[2] - 2 * own[i][2]) / 6, s)
        for i in range(n):
            for j in range(i + 1, n):
                for k in range(j + 1, n):
                    zero = [0] * n
                    total = m.mpf(0)
                    for pick in ((i, j, k), (i, j), (i, k), (j, k), (i,), (j,), (k,)):
                        signs = list(zero)
                        for at in pick:
                            signs[at] = 1
                        total += (-1) ** (3 - len(pick)) * along(signs)[2]
                    _spread(found.third, i, j, k, total / 6, s)
    # Truncation is beyond h**2; rounding is what the differences magnify.
    noise = largest * m.mpf(10) ** (2 - m.dps)
    found.errors = (
        [noise],
        [noise / x for x in steps],
        [noise / (x * x) for x in steps],
        [noise / (x * x * x) for x in steps],
    )
    # The differences must resolve the derivatives, and be short against the third.
    for i, (first, second, third) in enumerate(own):
        size = m.mpf(0)
        unit = s[i]
        for k, x in enumerate((first, second, third)[:order], start=1):
            size += m.fabs(x) / unit
            unit *= s[i]
            if x != 0 and found.errors[k][i] > max(size, _NEGLIGIBLE) * _RESOLVED:
                return False
        if (
            first != 0
            and m.fabs(third) * h * h * 10**20 > m.fabs(first)
            and m.fabs(third) * h * 10**20 > m.fabs(first) + m.fabs(second)
        ):
            return False
    return True


def _spread(third: list[list[list[Mpf]]], i: int, j: int, k: int, x: Mpf, s: list[Mpf]) -> None:
    x = x / (s[i] * s[j] * s[k])
    for a, b, c in ((i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)):
        third[a][b][c] = x


def _on_kink(
    m: Any,
    prim: Primitive,
    args: Sequence[Mpf],
    active: Sequence[int],
    away: Mpf,
    found: Local,
) -> None:
    """Fill in value and first derivatives, from all sides at the distance `away`."""
    zero = m.mpf(0)
    n = len(active)
    found.value = _evaluate(m, prim, args)
    found.errors = ([zero], [zero] * n, [zero] * n, [zero] * n)
    m.dps += 10 + STEP_DIGITS
    for at, i in enumerate(active):
        others = [j for j in active if j != i]
        sides, heights = [], []
        for d in (away, 10 * away):
            for nudged in _nudged(args, others, d):
                for side in (-1, 1):
                    nudged[i] = args[i] + side * d
                    sides.append(_slope(m, prim, nudged, i, d / 10**10))
                    heights.append(_evaluate(m, prim, nudged))
        half = len(sides) // 2
        steady = all(
            m.fabs(a - b) <= 1e-9 * (1 + m.fabs(a))
            for a, b in zip(sides[:half], sides[half:], strict=True)
        )
        # Where the value itself jumps between the sides, there is nothing to say.
        steady = steady and all(
            m.fabs(a - b) <= 100 * away * (1 + max(m.fabs(x) for x in sides))
            for a, b in zip(heights[::2], heights[1::2], strict=True)
        )
        low, high = (min(sides), max(sides)) if steady else (m.nan, m.nan)
        found.first[at] = (low + high) / 2
        found.radius[at] = (high - low) / 2


def _slope(m: Any, prim: Primitive, args: Sequence[Mpf], i: int, h: Mpf) -> Mpf:
    left, right = list(args), list(args)
    left[i] -= h
    right[i] += h
    return (_evaluate(m, prim, right) - _evaluate(m, prim, left)) / (2 * h)


def _nudged(args: Sequence[Mpf], which: Sequence[int], by: Mpf) -> list[list[Mpf]]:
    """Return `args` with each of `which` where it is, and a little to both sides of it."""
    found = [list(args)]
    for j in which:
        found = [[*x[:j], x[j] + s * by, *x[j + 1 :]] for x in found for s in (0, -1, 1)]
    return found


# -------------------------------------------------------------------------- whole graphs


class Jet:
    """A node's value, gradient and Hessian by the inputs, and how far round-off may shift each.

    `size_*` are the same sums with every term positive: what cancellation is measured against.
    """

    __slots__ = (
        "error",
        "first",
        "second",
        "size_first",
        "size_second",
        "slack_first",
        "slack_second",
        "value",
    )

    def __init__(self, value: Mpf, error: Mpf, n: int) -> None:
        self.value = value
        self.error = error
        self.first: list[Entry] = [None] * n
        self.size_first: list[Entry] = [None] * n
        self.slack_first: list[Entry] = [None] * n
        # Lower triangles, row after row.
        half = n * (n + 1) // 2
        self.second: list[Entry] = [None] * half
        self.size_second: list[Entry] = [None] * half
        self.slack_second: list[Entry] = [None] * half


class Step:
    """One operation of a graph as the reference saw it; `number` counts operations from 1."""

    __slots__ = ("active", "args", "local", "node", "number")

    def __init__(
        self, number: int, node: Node, args: list[Mpf], active: list[int], found: Local
    ) -> None:
        self.number = number
        self.node = node
        self.args = args
        self.active = active
        self.local = found


def _grow(m: Any, total: Entry, x: Mpf) -> Mpf:
    return x if total is None else total + x


class Replay:
    """A recorded graph replayed in multi-precision arithmetic.

    Recorded values (`exact=False`): every operation is differentiated at the operands it had when
    it was recorded, and `slack` covers the rounding of the derivatives alone. Exact values
    (`exact=True`): values are computed anew from the inputs, so the result is the true derivative;
    `slack` covers what the rounding of a computation in floats, any like this one, may do to it.

    Attributes:
        jet: of the root.
        steps: one per operation, in topological order.
    """

    def __init__(
        self, root: Node, inputs: Sequence[Node], order: int, rtol: float, exact: bool = False
    ) -> None:
        m = self.m = context()
        self.order = order
        self.rtol = m.mpf(rtol)
        self.tiny = m.mpf(_TINY)
        self.exact = exact
        self.steps: list[Step] = []
        n = len(inputs)
        one, zero = m.mpf(1), m.mpf(0)
        jets: dict[int, Jet] = {}
        for i, x in enumerate(inputs):
            jet = jets[id(x)] = Jet(m.mpf(x._data), zero, n)
            jet.first[i] = jet.size_first[i] = one
        for node in order_of([root]):
            if id(node) in jets:
                continue
            prim = node._prim
            if prim is None:
                jets[id(node)] = Jet(m.mpf(node._data), zero, n)
                continue
            parents: list[Jet | None] = []
            args: list[Mpf] = []
            for parent, number in operands_of(node):
                jet_of = None if parent is None else jets[id(parent)]
                parents.append(jet_of)
                args.append(m.mpf(number) if jet_of is None else jet_of.value)
            jets[id(node)] = self._step(node, prim, parents, args, n)
        self.jet = jets[id(root)]
        self.jets = jets

    def _step(
        self, node: Node, prim: Primitive, parents: list[Jet | None], args: list[Mpf], n: int
    ) -> Jet:
        m = self.m
        active = [
            i
            for i, jet in enumerate(parents)
            if jet is not None and any(g is not None for g in jet.first)
        ]
        if prim is stop_gradient:
            active = []
        known = prim.exact is not None and all(m.isfinite(x) or m.isinf(x) for x in args)
        if not math.isfinite(node._data) or not known:
            found = Local(len(active), m.nan)
        else:
            blur = sum([parents[i].error for i in active], m.mpf(0))  # type: ignore[union-attr]
            found = local(m, prim, args, active, self.order + 1, blur)
        self.steps.append(Step(len(self.steps) + 1, node, args, active, found))
        error = m.mpf(0)
        value = m.mpf(node._data)
        if self.exact and math.isfinite(node._data):
            value = found.value
            if value != value:
                error = m.inf
            elif value != 0 and m.mag(value) < -2000:  # or sums with it would need all that range
                value = m.mpf(0)
            error = error + m.fabs(value) * self.rtol / 4 + self.tiny
            for at, i in enumerate(active):
                error += m.fabs(found.first[at]) * parents[i].error  # type: ignore[union-attr]
        out = Jet(value, error, n)
        chosen = [(at, parents[i], args[i]) for at, i in enumerate(active)]
        for at, jet, _ in chosen:
            assert jet is not None
            self._first(out, found, at, jet, chosen, prim.selects)
        if self.order > 1:
            for at, jet, _ in chosen:
                assert jet is not None
                self._carry(out, found, at, jet)
                for other, twin, _ in chosen:
                    assert twin is not None
                    self._second(out, found, at, other, jet, twin, chosen)
        return out

    def _wobble(self, rates: list[Mpf], chosen: Sequence[tuple[int, Jet | None, Mpf]]) -> Mpf:
        """Return what the rounding of the arguments does to something with these derivatives."""
        m = self.m
        total = m.mpf(0)
        for at, jet, x in chosen:
            assert jet is not None
            rate = m.fabs(rates[at])
            if rate == rate:
                total += rate * (m.fabs(x) * self.rtol + jet.error)
            elif jet.error != 0:
                total = m.inf
        return total

    def _first(
        self,
        out: Jet,
        found: Local,
        at: int,
        jet: Jet,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
        selects: bool,
    ) -> None:
        m = self.m
        p = found.first[at]
        size = m.fabs(p)
        constant = p == 0 and found.radius[at] == 0 and not any(found.second[at])
        relative = self.rtol + self.tiny / m.fabs(found.value) if found.value else self.rtol
        slack = size * relative + self._wobble(found.second[at], chosen)
        slack += self.tiny * sum((m.fabs(x) for _, _, x in chosen), m.mpf(1))
        slack += found.radius[at] + (found.errors[1][at] if found.errors else 0)
        for i, g in enumerate(jet.first):
            reach = jet.size_first[i] or m.mpf(0)
            if constant and not m.isfinite(reach):
                continue
            if g is None or (constant and selects):  # the result does not follow this input
                more = slack * reach + size * (jet.slack_first[i] or 0)
                out.slack_first[i] = _grow(m, out.slack_first[i], more)
                continue
            out.first[i] = _grow(m, out.first[i], p * g)
            out.size_first[i] = _grow(m, out.size_first[i], size * reach)
            more = slack * reach + size * (jet.slack_first[i] or 0) + self.tiny * (1 + reach)
            out.slack_first[i] = _grow(m, out.slack_first[i], more)

    def _carry(self, out: Jet, found: Local, at: int, jet: Jet) -> None:
        """Add a parent's Hessian times the partial."""
        m = self.m
        p = found.first[at]
        constant = p == 0 and found.radius[at] == 0
        size = m.fabs(p)
        slack = size * self.rtol + found.radius[at] + (found.errors[1][at] if found.errors else 0)
        for at_h, h in enumerate(jet.second):
            if h is None or (constant and not m.isfinite(jet.size_second[at_h])):
                continue
            out.second[at_h] = _grow(m, out.second[at_h], p * h)
            reach = jet.size_second[at_h]
            out.size_second[at_h] = _grow(m, out.size_second[at_h], size * reach)
            more = slack * reach + size * jet.slack_second[at_h] + self.tiny * (1 + reach)
            out.slack_second[at_h] = _grow(m, out.slack_second[at_h], more)

    def _second(
        self,
        out: Jet,
        found: Local,
        at: int,
        other: int,
        jet: Jet,
        twin: Jet,
        chosen: Sequence[tuple[int, Jet | None, Mpf]],
    ) -> None:
        m = self.m
        p = found.second[at][other]
        size = m.fabs(p)
        noise = m.sqrt(found.errors[2][at] * found.errors[2][other]) if found.errors else m.mpf(0)
        wobble = self._wobble(found.third[at][other], chosen)
        # A correct rule for the first derivative, differentiated once more, may lose digits to
        # cancellation and underflow, down to those of the first derivative, on a scale of 1 or of
        # the distance to a kink.
        relative = self.rtol + self.tiny / m.fabs(found.value) if found.value else self.rtol
        slack = size * relative + wobble + noise
        for one, x in ((at, chosen[other][2]), (other, chosen[at][2])):
            scale = max(m.fabs(x), min(1, found.kink or 1))
            slack += m.fabs(found.first[one]) * self.rtol / scale
            slack += self.tiny * (1 + m.fabs(x) + 1 / scale)
        constant = size == 0 and not found.first[at] and not found.first[other]
        place = 0
        for i in range(len(jet.first)):
            for k in range(i + 1):
                a, b = jet.first[i], twin.first[k]
                ra, rb = jet.size_first[i], twin.size_first[k]
                if a is not None and b is not None and not (constant and not m.isfinite(ra * rb)):
                    out.second[place] = _grow(m, out.second[place], p * a * b)
                    reach = ra * rb
                    out.size_second[place] = _grow(m, out.size_second[place], size * reach)
                    more = slack * reach + self.tiny * (1 + ra + rb)
                    more += size * (
                        ra * (twin.slack_first[k] or 0) + rb * (jet.slack_first[i] or 0)
                    )
                    out.slack_second[place] = _grow(m, out.slack_second[place], more)
                place += 1
