"""The reference for one operation: its value and derivatives in multi-precision arithmetic.

From its mathematical definition (`exact`), by central differences with a relative step of 1e-35 and
as many digits as that takes; the engine's partials are not used. Knows primitives; knows nothing of
graphs, nor of verdicts.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from .._primitive import Primitive

Mpf = Any  # a number of mpmath, which has no type annotations

STEP_DIGITS: Final = 35
_DIGITS: Final = 45  # what is to remain when the differences have cancelled
_MOST_DIGITS: Final = 2600
_RESOLVED: Final = 1e-20  # how small the noise of a difference is to be against it
_NEGLIGIBLE: Final = 1e-40  # derivatives below this need not be resolved
_INFINITE: Final = 1e8  # what grows beyond, towards a point, is infinite there
_DEEP: Final = 20000  # binary digits below 1


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
                "pip install 'scalar-autograd[testing]'"
            ) from None
        _contexts.context = MPContext()
        _contexts.context.dps = 60
    return _contexts.context


class Local:
    """One operation's value and derivatives at one point, by the active arguments.

    Attributes:
        value: the value, nan where the definition gives none.
        first, second, third: partial derivatives; nan where they do not exist.
        errors: what the reference itself may be wrong by, in the value and at each order; empty
            where there is no reference.
        radius, radius_second, radius_third: half the distance between the one-sided derivatives,
            on a kink.
        kink: the distance to the nearest kink, None where there is none.
        outside: whether the definition has no value here, or beside, so that nan is right.
        jumps: whether the value jumps here, or is at the edge of the domain.
        why: why something here is nan: "kink", "jump", "pole" or "infinite"; "" if nothing is.
    """

    __slots__ = (
        "errors",
        "first",
        "jumps",
        "kink",
        "outside",
        "radius",
        "radius_second",
        "radius_third",
        "second",
        "third",
        "value",
        "why",
    )

    def __init__(self, n: int, nan: Mpf) -> None:
        self.value: Mpf = nan
        self.first: list[Mpf] = [nan] * n
        self.second: list[list[Mpf]] = [[nan] * n for _ in range(n)]
        self.third: list[list[list[Mpf]]] = [[[nan] * n for _ in range(n)] for _ in range(n)]
        self.errors: tuple[list[Mpf], ...] = ()
        self.radius: list[Mpf] = [0] * n
        self.radius_second: list[list[Mpf]] = [[0] * n for _ in range(n)]
        self.kink: Mpf | None = None
        self.radius_third: list[list[list[Mpf]]] = [[[0] * n for _ in range(n)] for _ in range(n)]
        self.outside = False
        self.jumps = False
        self.why = ""


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

    On a kink, or within `blur` of one, derivatives are the middle of those on all sides, with their
    `radius`.
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
                if order > 1:
                    _around_kink(m, prim, args, active, order, away, found)
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
                if any(x != x for x in found.first):  # at the edge of the domain
                    found.why = "pole"
                    if blur == 0 and order > 1:
                        away = _scale(m, args) * m.mpf(10) ** -STEP_DIGITS
                        _around_kink(m, prim, args, active, order, away, found)
                return found
            if more and step * order > _MOST_DIGITS / 2:
                break
        found.first = [m.nan] * n
        found.errors = ()
        found.why = "pole"
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
    if middle != 0 and m.mag(middle) < -_DEEP:  # nothing a float could show, nor its derivatives
        zero, error = m.mpf(0), m.ldexp(1, -_DEEP // 2)
        found.value = zero
        found.first = [zero] * n
        for at, (i, scale) in enumerate(zip(active, scales, strict=True)):
            for side in (-h * scale, h * scale):  # unless there is nothing beside it
                there = _evaluate(m, prim, [*args[:i], args[i] + side, *args[i + 1 :]])
                found.first[at] += there * 0
        found.second = [[zero] * n for _ in range(n)]
        found.third = [[[zero] * n for _ in range(n)] for _ in range(n)]
        found.errors = ([error], [error] * n, [error] * n, [error] * n)
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
        if not all(
            m.fabs(a - b) <= 100 * away * (1 + max(m.fabs(x) for x in sides))
            for a, b in zip(heights[::2], heights[1::2], strict=True)
        ):
            found.why = "jump"
        elif not steady:
            found.why = found.why or "pole"
        low, high = (m.nan, m.nan) if found.why else (min(sides), max(sides))
        found.first[at] = (low + high) / 2
        found.radius[at] = (high - low) / 2


def _around_kink(
    m: Any,
    prim: Primitive,
    args: Sequence[Mpf],
    active: Sequence[int],
    order: int,
    away: Mpf,
    found: Local,
) -> None:
    """Fill in second and third derivatives, where they have limits there on every side.

    On a jump, and at the edge of the domain, the first ones too: they may be infinite.
    """
    n = len(active)
    edge, found.why = found.why, found.why or "kink"
    saved = m.dps
    m.dps = min(
        _DIGITS + order * (20 + int(-m.mag(away) * 0.30103)) + _reach(m, args), _MOST_DIGITS
    )
    sides: list[tuple[Local, Local]] = []
    try:
        # By amounts that differ, or arguments that are tied would stay so.
        for signs in itertools.product((-1, 1), repeat=n):
            near, far = Local(n, m.nan), Local(n, m.nan)
            for d, side in ((away, near), (10 * away, far)):
                moved = list(args)
                for at, (i, sign) in enumerate(zip(active, signs, strict=True)):
                    moved[i] = args[i] + sign * (at + 1) * d
                h = m.mpf(10) ** -12
                converged = _differentiate(m, prim, moved, active, order, [d] * n, h, side)
                if side.value == side.value and not converged:
                    return
            if near.value == near.value:
                sides.append((near, far))
    finally:
        m.dps = saved
    if not sides:
        found.outside = True
        return

    def limits(pick: Callable[[Local], Mpf]) -> tuple[Mpf, Mpf]:
        """Return middle and radius of the limits, nan where there are none."""
        numbers = [(pick(near), pick(far)) for near, far in sides]
        if all(m.fabs(x - y) <= 1e-9 * (1 + m.fabs(x)) for x, y in numbers):
            low, high = min(x for x, _ in numbers), max(x for x, _ in numbers)
            return (low + high) / 2, (high - low) / 2
        if all(x > 2 * y > _INFINITE for x, y in numbers):
            return m.inf, m.nan
        if all(x < 2 * y < -_INFINITE for x, y in numbers):
            return -m.inf, m.nan
        return m.nan, m.nan

    if edge:
        first = [limits(lambda side, i=i: side.first[i]) for i in range(n)]  # type: ignore[misc]
        if any(x != x for x, _ in first):
            return
        found.first, found.radius = [x for x, _ in first], [r for _, r in first]
        found.jumps = True
    found.why = ""
    for i, j in itertools.product(range(n), repeat=2):
        second = limits(lambda side, i=i, j=j: side.second[i][j])  # type: ignore[misc]
        found.second[i][j], found.radius_second[i][j] = second
        found.why = found.why if m.isfinite(second[0]) else "kink"
    if any(m.isinf(x) for x in found.first):
        found.why = "infinite"
    for i, j, k in itertools.product(range(n), repeat=3):
        third, radius = limits(lambda side, i=i, j=j, k=k: side.third[i][j][k])  # type: ignore[misc]
        found.third[i][j][k] = third
        found.radius_third[i][j][k] = radius


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
