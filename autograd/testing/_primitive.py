"""check_primitive: is a primitive's row right, at its domain, its special points and hard ones?

Knows rows and check_gradients.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from .._primitive import Primitive
from .._value import Value
from ._check import check_gradients
from ._expression import HARD_FLOATS, Expression, random_float, variable_names
from ._report import Checked, GradientMismatch, Mismatch

_SAMPLES: Final = 12


def points(
    row: Primitive, rng: random.Random, samples: int = _SAMPLES
) -> Iterator[tuple[float, ...]]:
    """Yield points for `row`: in its domain, its special ones, hard ones, and close to those."""
    for _ in range(samples):
        yield tuple(rng.uniform(low, high) for low, high in row.domain)
    for args, _, _ in row.special:
        if all(math.isfinite(x) for x in args):
            yield args
            yield tuple(_beside(x, rng, p) for x, p in zip(args, _parameters(row), strict=True))
    hard = HARD_FLOATS if row.arity == 1 else rng.sample(HARD_FLOATS, samples)
    for x in hard:
        at = tuple(
            low if low == high else (x if i == 0 else rng.choice([x, random_float(rng)]))
            for i, (low, high) in enumerate(row.domain)
        )
        if math.isfinite(row(*at)):
            yield at


def _parameters(row: Primitive) -> list[bool]:
    """Say of each argument whether it is a parameter: of one possible value in the domain."""
    return [low == high for low, high in row.domain]


def _beside(x: float, rng: random.Random, parameter: bool) -> float:
    if parameter:
        return x
    return x + rng.choice([-1.0, 1.0]) * max(math.ulp(x), abs(x) * 1e-9, 1e-12)


def applied(row: Primitive, args: Sequence[float], active: Sequence[int]) -> Expression:
    """Return `row` as an expression in the arguments `active`, the others being constants."""
    operands: list[int | float] = list(args)
    for at, i in enumerate(active):
        operands[i] = at
    operation = (row, tuple(operands))
    names = variable_names(len(active))
    return Expression(names, (operation,), tuple(args[i] for i in active))


def check_primitive(row: Primitive, *, seed: int = 0, samples: int = _SAMPLES) -> Checked:
    """Return what was checked, if the row of a primitive, ours or yours, is right.

    The special points must come out as the row says. Everywhere else (in the domain, beside the
    special points, at hard numbers) value and partials are held against the definition `exact`, or
    against differences of `fn` where there is none: by reverse and forward mode, for every choice
    of arguments that vary, first and second order in every combination of the two modes, and third
    order for all arguments at once (with `exact`).

    Raises:
        GradientMismatch: something is wrong.
    """
    __tracebackhide__ = True
    rng = random.Random(seed)
    total = Checked()
    for args, value, partials in row.special:
        _check_special(row, args, value, partials)
        total.right += 1
    variable = [i for i, fixed in enumerate(_parameters(row)) if not fixed]
    choices = [c for n in range(1, len(variable) + 1) for c in itertools.combinations(variable, n)]
    for args in points(row, rng, samples):
        if row.exact is None and not _inside(row, args):
            continue  # differences of floats are no reference at infinity's edge
        for active in choices:
            f = applied(row, args, active)
            try:
                found = check_gradients(f, *f.point, order=3 if active == choices[-1] else 2)
            except (TypeError, ValueError, ArithmeticError) as reason:
                raise GradientMismatch(
                    _plain(row, args, f"{type(reason).__name__}: {reason}")
                ) from reason
            total.add(found)
    return total


def _inside(row: Primitive, args: tuple[float, ...]) -> bool:
    return all(low <= x <= high for x, (low, high) in zip(args, row.domain, strict=True))


def _plain(
    row: Primitive,
    args: Sequence[float],
    text: str,
    analytic: float = math.nan,
    reference: float = math.nan,
    method: str = "the row's special points",
) -> Mismatch:
    listed = ", ".join(map(repr, args))
    program = (
        "import autograd as ag; from autograd.testing import check_primitive; "
        f"check_primitive(ag.primitives()[{row.name!r}])"
    )
    return Mismatch(
        function=f"primitive {row.name}",
        what="row",
        argument=f"its arguments ({listed})",
        analytic=analytic,
        reference=reference,
        reference_error=0.0,
        ulps=abs(analytic - reference) / math.ulp(reference),
        explained=0.0,
        method=method,
        step=0.0,
        culprit=f"{row.name}({listed}): {text}",
        program=program,
    )


def _same(x: float, y: float) -> bool:
    if math.isnan(y) or math.isinf(y) or y == 0.0:
        return x == y or (x != x and y != y)
    return abs(x - y) <= 8.0 * math.ulp(y)


def _check_special(
    row: Primitive, args: tuple[float, ...], value: float, partials: Sequence[float | None]
) -> None:
    __tracebackhide__ = True
    got = row(*args)
    if not _same(got, value) or (value == 0.0 and math.copysign(1, got) != math.copysign(1, value)):
        text = f"the value is {got!r}, the row says {value!r}"
        raise GradientMismatch(_plain(row, args, text, got, value))
    for i, expected in enumerate(partials):
        if expected is None:
            continue
        operands: list[Any] = list(args)
        operands[i] = Value(args[i])
        try:
            (found,) = row(*operands).partials
        except (TypeError, ValueError, ArithmeticError) as reason:
            text = f"partial {i + 1} raised {type(reason).__name__}: {reason}"
            raise GradientMismatch(_plain(row, args, text)) from reason
        if not _same(found, expected):
            text = f"partial {i + 1} is {found!r}, the row says {expected!r}"
            raise GradientMismatch(_plain(row, args, text, found, expected))
