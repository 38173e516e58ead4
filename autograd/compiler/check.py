"""The self-check: does the function still do what was recorded of it?

Equal bits are promised, so comparing one call in ever more with the function itself finds what the
fingerprint can't see. Also what a function does to its own state while it is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from .arguments import Call
from .families import Family, Path
from .forms import Form
from .outputs import as_floats, taken_apart
from .paths import Paths
from .trace import Trace, inputs_of

# What tells a `Value` from a float: their types, their texts, and that no two `Value`s hash alike.
_TELLING: Final = {"isinstance", "type", "issubclass", "set", "frozenset", "hash", "str", "repr"}
_CLOSE: Final = 1e-6  # how far `fast` may be off, relative to the largest number on the way


class StaleKernel(RuntimeError):
    """A kernel's number is not what its function gives now, so it can't stand for the function.

    The message names the first differing result, both numbers, and what was watched. The kernel
    refuses every later call; compile again once the cause is gone.
    """

    __module__ = "autograd"  # where people find it


def record(paths: Paths, family: Family, numbers: list[float], fill: Any) -> tuple[Trace, Form]:
    """Return what the function does at one point, after a look at what it did to its own state.

    A function that changes what it reads is another one at every call, so it runs eagerly from then
    on. What it adds to a list is taken for a log: the self-check tells if it is not.
    """
    done, out = paths.record(family, numbers, fill)
    fingerprint = paths.fingerprint
    if paths.f is None or paths.unsteady:
        return done, out
    if fingerprint.pending:
        paths.ignore([], family)  # looks again
    if not fingerprint.holds():
        before = fingerprint.places
        changed = fingerprint.update()
        touched = [place for place in changed if place in before and not _grows(place, changed)]
        if touched:
            paths.unsteady = f"it changes {touched[0]}, which it also reads"
            return done, out
        paths.ignore(changed, family)
    if fingerprint.names & _TELLING:
        _compare_with_floats(paths, family, numbers, fill, done)
    return done, out


def _grows(place: str, changed: list[str]) -> bool:
    """Say whether a place is the size of a list that has become longer, or of a set; not of a dict,
    which is a table more often than a log."""
    size = place.removeprefix("the size of ")
    return size != place and f"the keys of {size}" not in changed


def _compare_with_floats(
    paths: Paths, family: Family, numbers: list[float], fill: Any, done: Trace
) -> None:
    """Check that a function which asks for types gives the same for floats as for `Value`s."""
    if family.mode not in ("value", "value_and_grad"):
        return
    try:
        with inputs_of(numbers, paths.settings.leaves, 0):
            found, _ = taken_apart(paths.call(*fill(numbers)), "value", paths.name)
        values = as_floats("value", found, [], 0)
    except Exception:  # floats raise where Values give inf and nan: not the same, but no surprise
        return
    mine = done.values[: len(values)]
    close = 1e-9 * max(map(abs, filter(math.isfinite, values)), default=0.0)  # of NumPy's own sums
    if len(mine) == len(values) and _difference(values, mine, close) is None:
        return
    raise TypeError(
        f"{paths.name} gives {values} for floats but {mine} for the Values that record it: it asks "
        "for the type of its argument (isinstance(x, float), say), its text or its hash (set); "
        "test for numbers.Real, which both are, compare numbers, or use autograd's functions, "
        "which take both"
    )


def compare(
    paths: Paths,
    family: Family,
    path: Path,
    call: Call,
    numbers: list[float],
    results: Sequence[float],
) -> None:
    """Compare the results of a path at one point with the function's own.

    Raises:
        StaleKernel: they differ.
    """
    always = paths.settings.check == "always"
    path.check_at = path.calls + 1 if always else 2 * path.calls
    try:
        wanted, out = paths.plainly(family, numbers, call.fill)
    except Exception as error:
        if results and results[0] != results[0]:  # nan, where the function says what is wrong
            return
        paths.stale = (
            f"{paths!r} is stale: at {_shown(numbers)} it gives {_shown(results)}, but the "
            f"function now raises {type(error).__name__}: {error}"
        )
        raise StaleKernel(paths.stale) from error
    close, finite = 0.0, True
    if paths.settings.options.fast:
        inputs = [*numbers, *[v._data for v in paths.captured(path)]]
        on_the_way = list(map(abs, path.raw.values(inputs)))
        finite = all(map(math.isfinite, on_the_way))
        close = _CLOSE * max(filter(math.isfinite, on_the_way), default=0.0)
    at = _difference(wanted, results, close, path.code.sums.tolist(), finite)
    if at is None and _reads_others(paths, family, path, call, numbers):
        paths.stale = (
            f"{paths!r} is stale: at {_shown(numbers)} the function reads other Values than it "
            "did when it was recorded, out of sight: derivatives would go to the old ones; pass "
            "them as arguments, or compile again"
        )
        raise StaleKernel(paths.stale)
    if at is None and out.shapes == path.out.shapes and out.key == path.out.key:
        fingerprint = paths.fingerprint
        if not fingerprint.holds():  # what the function wrote, and was seen to write before
            paths.ignore(fingerprint.update(), family)
        return
    paths.stale = _sentence(paths, family, call, numbers, results, wanted, at)
    raise StaleKernel(paths.stale)


def _reads_others(
    paths: Paths, family: Family, path: Path, call: Call, numbers: list[float]
) -> bool:
    """Say whether `Value`s that the fingerprint does not see are others than those recorded, which
    their numbers need not show."""
    if all(isinstance(v, int) for v in path.captured):
        return False
    now = paths.record(family, numbers, call.fill)[0].captured
    known = paths.captured(path)
    return len(now) != len(known) or any(x is not y for x, y in zip(now, known, strict=True))


def _difference(
    wanted: Sequence[float],
    found: Sequence[float],
    close: float = 0.0,
    sums: Sequence[bool] = (),
    finite: bool = True,
) -> int | None:
    """Return the index of the first numbers that differ; NaNs are equal, -0.0 and 0.0 are not
    (but in sums, which start at 0.0); `close` is how far apart they may be. Where something on the
    way is not `finite`, contraction may make infinities of NaNs and numbers."""
    if len(wanted) != len(found):
        return min(len(wanted), len(found))
    for i, (x, y) in enumerate(zip(wanted, found, strict=True)):
        if x == y:
            signs = math.copysign(1.0, x) == math.copysign(1.0, y)
            if signs or close or (sums and sums[i]):
                continue
        elif (x != x and y != y) or abs(x - y) <= close:
            continue
        both = math.isfinite(x) and math.isfinite(y)
        if both or finite:
            return i
    return None


def _sentence(
    paths: Paths,
    family: Family,
    call: Call,
    numbers: list[float],
    results: Sequence[float],
    wanted: Sequence[float],
    at: int | None,
) -> str:
    """Return what is stale, and why as far as one can tell."""
    if at is None or at >= min(len(wanted), len(results)):
        what = "its result has another structure than the function's now"
    else:
        of_value = family.mode == "value" or (family.mode == "value_and_grad" and at == 0)
        name = "value" if of_value else family.mode.split("_and_")[-1]
        which = f" (number {at} of {len(wanted)})" if len(wanted) > 1 else ""
        what = f"its {name}{which} is {results[at]!r}, but the function now gives {wanted[at]!r}"
    try:
        random = _difference(paths.plainly(family, numbers, call.fill)[0], wanted) is not None
    except Exception:
        random = True
    if random:
        cause = (
            "two runs of the function at the same numbers differ, so it draws random numbers, "
            "reads a clock or changes its own state: pass what changes as an argument"
        )
    else:
        cause = (
            "the function depends on something that changed out of sight (deep inside an object, "
            "in a file, in another module): pass it as an argument, or compile again after a change"
        )
    watched = list(paths.fingerprint.places)
    seen = ", ".join(watched[:8]) + (", ..." if len(watched) > 8 else "")
    return (
        f"{paths!r} is stale: at {_shown(numbers)} {what}. Of what it watches ({seen}) nothing has "
        f"changed; {cause}"
    )


def _shown(numbers: Sequence[float]) -> str:
    text = ", ".join(map(repr, numbers[:4]))
    return f"({text}{', ...' if len(numbers) > 4 else ''})"
