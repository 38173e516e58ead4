"""The grid on which every row's derivatives are held: points, modes, and what is right there.

A point belongs to a row because of what the row says of itself (domain, special points, arity)
or because every float does (magnitudes, neighbours of 0, 1 and 1/2). What is right is the row's
`exact` definition, in as many digits as the point needs, and differences of it: no derivative is
typed here.
"""

import itertools
import math

import mpmath

from autograd import grad, jvp

ORDERS = 4
RIGHT = mpmath.mpf(10) ** -12  # relative error where the true value is a normal number
NEAR_ZERO = mpmath.mpf(10) ** -15  # next to a zero of the derivative, of its size nearby
NORMAL = mpmath.mpf(2) ** -1022
DENORMAL = mpmath.mpf(2) ** -1074
HUGE = mpmath.mpf(1.7976931348623157e308)

# Where the derivative is not that of the definition: an integer argument, a cut on purpose.
NOT_DIFFERENTIABLE = {"polygamma": {0}, "stop_gradient": {0}}

m = mpmath.mp.clone()

_MAGNITUDES = (
    *(
        float(f"1.37e{k}")
        for k in (-300, -200, -154, -100, -77, -50, -20, -17, -10, -8, -5, -3, -2)
    ),
    *(0.1, 0.25, 0.6, 0.75, 0.9, 1.3, 1.5, 1.75, 2.5, 3.3, 5.1, 7.5, 10.2, 15.0, 20.3, 26.0, 27.1),
    *(28.5, 36.6, 37.9, 39.5, 100.3, 300.7, 700.2, 745.3, 1234.5),
    *(float(f"1.37e{k}") for k in (5, 8, 10, 16, 17, 20, 45, 77, 100, 154, 155, 200, 300)),
)
_PAIRS = (1.37e-300, 2.3e-154, 1.9e-17, 1.3e-8, 0.011, 0.7, 13.7, 2.9e8, 1.7e100, 1.37e300)


def _beside(x):
    return (x, math.nextafter(x, -math.inf), math.nextafter(x, math.inf))


def _specials(row, i):
    found = [args[i] for args, _, _ in row.special]
    return [x for x in [*found, *row.domain[i]] if math.isfinite(x)]


def points(row):
    """Return the points of `row`, each once: those beside something special first."""
    found = {}
    if row.arity == 1:
        for x in (0.0, 0.5, 1.0, 2.0, 3.0, *_specials(row, 0)):
            found |= dict.fromkeys((y,) for s in (x, -x) for y in _beside(s))
        found |= dict.fromkeys((s * x,) for x in _MAGNITUDES for s in (1.0, -1.0))
        found |= dict.fromkeys([(-0.0,), (0.0,)])
    else:
        for args, _, _ in row.special:
            if all(map(math.isfinite, args)):
                found[args] = None
        steps = [1 if a == b else 5 for a, b in row.domain]
        inside = [
            [a + (b - a) * (k + 0.37) / n for k in range(n)]
            for (a, b), n in zip(row.domain, steps, strict=True)
        ]
        found |= dict.fromkeys(itertools.product(*inside))
        # Magnitudes against magnitudes; further arguments from the domain.
        tails = [values[:1] for values in inside[2:]]
        signs = itertools.cycle([(1, 1), (-1, 1), (1, -1), (-1, -1)])
        fixed = NOT_DIFFERENTIABLE.get(row.name, ())
        for x, y in itertools.product(inside[0] if 0 in fixed else _PAIRS, _PAIRS):
            s, t = next(signs)
            first = x if 0 in fixed else s * x
            found |= dict.fromkeys(itertools.product([first], [t * y], *tails))
    return list(found)


# --------------------------------------------------------------------------------- reference


def _gamma(shift):
    """Return the derivatives of lgamma, from order `shift` on; None beside mpmath's limits."""

    def closed(order, *args):
        n, x = order + shift + (int(args[0]) if len(args) == 2 else 0), m.mpf(args[-1])
        if n < 0 or x < -1000 or (x <= 0 and x == m.floor(x)):
            return None
        if x < 0:
            # Far from 1 in magnitude, the reflection costs digits.
            m.dps += int(abs(m.log10(abs(x)))) * (n + 2)
        return m.psi(n, x)

    return closed


# Where differences would take minutes: 1,000 digits of gamma. A test holds them to differences.
CLOSED = {"lgamma": _gamma(-1), "digamma": _gamma(0), "polygamma": _gamma(0)}


class Reference:
    """The true derivatives of a row at a point, computed when they are asked for."""

    def __init__(self, row, args):
        self.row = row
        self.args = args

    def defined(self):
        """Whether the definition gives a number here, away from kinks."""
        m.dps = 700
        exact_args = [m.mpf(x) for x in self.args]
        try:
            value = self.row.exact(m, *exact_args)
            kink = self.row.kink
            return bool(m.isfinite(m.mpf(value))) and (kink is None or kink(m, *exact_args) != 0)
        except (ZeroDivisionError, ValueError, TypeError):
            return False

    def _step(self):
        sizes = [min(abs(m.mpf(x)), 1 / abs(m.mpf(x))) for x in self.args if x]
        h = m.mpf(10) ** -45 * min([m.mpf(1), *sizes])
        if self.row.kink is not None:
            h = min(h, abs(self.row.kink(m, *map(m.mpf, self.args))) / 10**5)
        return m.mpf(2) ** m.floor(m.log(h, 2))  # so that arguments and steps add up exactly

    def derivative(self, which):
        """Return the derivative by the arguments `which` (a tuple of indices), or None.

        None where the definition has none: a kink, an end of its domain.
        """
        orders = [which.count(i) for i in range(self.row.arity)]
        closed = CLOSED.get(self.row.name)
        if closed is not None:
            m.dps = 60 + 30 * len(which)
            known = closed(len(which), *self.args)
            if known is not None:
                return m.mpf(known)
        total = len(which)
        m.dps = 700
        h = self._step()
        need = int(-m.log10(h)) * total
        # An argument and its step side by side, and the digits that the difference costs.
        large = max(0, *(int(m.log10(abs(m.mpf(x)))) for x in self.args if x), 0)
        dps = 60 + need + int(-m.log10(h)) + large
        while True:
            m.dps = dps
            got, size = self._difference(orders, m.mpf(h))
            if got is None:
                return None
            noise = m.mpf(10) ** (10 - dps) * size
            if noise <= m.mpf(10) ** -25 * abs(got) or noise < m.mpf(10) ** -350:
                return +got
            dps += max(60, min(400, dps // 2))

    def _difference(self, orders, h):
        total = m.mpf(0)
        size = m.mpf(0)
        for steps in itertools.product(*(_STENCIL[k] for k in orders)):
            args = [m.mpf(x) + s * h for x, (s, _) in zip(self.args, steps, strict=True)]
            weight = m.mpf(1)
            for _, w in steps:
                weight *= w
            try:
                value = m.mpf(self.row.exact(m, *args))
            except (ZeroDivisionError, ValueError, TypeError):
                return None, size
            if not m.isfinite(value):
                return None, size
            total += weight * value
            size += abs(weight * value)
        return total / h ** sum(orders), size / h ** sum(orders)

    def nearby(self, which):
        """Return the size of the derivative a quarter away, as far as it varies."""
        found = [m.mpf(0)]
        for i, x in enumerate(self.args):
            slope = self.derivative((*which, i))
            away = [self._moved(i, step).derivative(which) for step in (0.8, 1.25)]
            if slope is not None and None not in away:
                found.append(min(abs(slope * x), max(map(abs, away))))
        return max(found)

    def _moved(self, i, factor):
        args = [x * factor if i == j else x for j, x in enumerate(self.args)]
        return Reference(self.row, args)


_STENCIL = {
    0: ((0, m.mpf(1)),),
    1: ((-1, m.mpf(-0.5)), (1, m.mpf(0.5))),
    2: ((-1, m.mpf(1)), (0, m.mpf(-2)), (1, m.mpf(1))),
    3: ((-2, m.mpf(-0.5)), (-1, m.mpf(1)), (1, m.mpf(-1)), (2, m.mpf(0.5))),
    4: ((-2, m.mpf(1)), (-1, m.mpf(-4)), (0, m.mpf(6)), (1, m.mpf(-4)), (2, m.mpf(1))),
    5: (
        (-3, m.mpf(-0.5)),
        (-2, m.mpf(2)),
        (-1, m.mpf(-2.5)),
        (1, m.mpf(2.5)),
        (2, m.mpf(-2)),
        (3, m.mpf(0.5)),
    ),
}


# ------------------------------------------------------------------------------------- modes


def modes(order):
    """Return the sequences of forward and reverse, innermost first, that reach `order`."""
    if order < ORDERS:
        return ["".join(s) for s in itertools.product("RF", repeat=order)]
    return ["RRRR", "FFFF", "FRFR", "RFRF"]


def derivative(row, args, which, mode):
    """Return the derivative of `row` by the arguments `which`, each along its letter of `mode`."""
    f = row
    for i, how in zip(which, mode, strict=True):
        f = _along(f, i, how, len(args))
    return f(*args)


def _along(f, i, how, n):
    if how == "R":
        return grad(f, argnums=i)
    direction = tuple(float(i == j) for j in range(n))
    return lambda *args: jvp(f, args, direction)[1]


# ----------------------------------------------------------------------------------- verdicts


def wrong_numbers(row, chosen, orders=range(ORDERS + 1)):
    """Return (args, which, mode, got, want) for each number at the `chosen` points that is wrong.

    Where the definition has no derivative (a kink, the end of a domain), `want` is None, and wrong
    is what differs between modes: a number from another number, in the first order anything.
    """
    wrong = []
    arguments = [i for i in range(row.arity) if i not in NOT_DIFFERENTIABLE.get(row.name, ())]
    for args in chosen:
        reference = Reference(row, args)
        defined = reference.defined()
        for order in orders:
            for which in itertools.combinations_with_replacement(arguments, order):
                got = {mode: derivative(row, args, which, mode) for mode in modes(order)}
                want = reference.derivative(which) if defined else None
                if want is None:
                    numbers = {x for x in got.values() if order < 2 or not math.isnan(x)}
                    if len({repr(x + 0.0) for x in numbers}) > 1:
                        wrong.append((args, which, "all", got, None))
                    continue
                for mode, x in got.items():
                    if not right(x, want, reference, which) and not excused(row, args, which, x):
                        wrong.append((args, which, mode, x, m.nstr(want, 20)))
    return wrong


def excused(row, args, which, got):
    """Whether `got` is a known limit: docs/architecture.md lists them."""
    if row.name in ("hypot", "direction", "atan2"):
        # A derivative of order n is 1/h^n times something, which may be small where that overflows.
        size = max(map(abs, args))
        return not math.isfinite(got) and m.mpf(size) ** -len(which) * 1000 > HUGE
    if row.name == "pow":
        x, y = args
        if x == 0.0:  # forward over reverse, with an exponent that is an input
            return math.isnan(got) and len(which) > 2
        if x < 0 and abs(y) > 2.0**53 and len(which) > 1:  # y * y ... overflows beside a power of 0
            return math.isnan(got)
        # The power itself overflows, and what it is multiplied with is small.
        size, times = abs(m.mpf(x)), which.count(1)
        power = size ** (y - which.count(0)) * abs(m.log(size)) ** times
        return not math.isfinite(got) and power > HUGE
    return False


def right(got, want, reference, which):
    """Whether the float `got` is the number `want`, the derivative by `which` of `reference`."""
    size = abs(want)
    if math.isnan(got):  # beyond the largest float: infinite terms of both signs
        return size > HUGE
    if math.isinf(got):
        return size > HUGE * (1 - RIGHT) and (got > 0) == (want > 0)
    error = abs(m.mpf(got) - want)
    if size < NORMAL:
        return error <= 4 * DENORMAL or error <= NEAR_ZERO * reference.nearby(which)
    return error <= RIGHT * size or error <= NEAR_ZERO * reference.nearby(which)
