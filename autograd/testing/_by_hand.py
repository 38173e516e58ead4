"""A gradient by hand, and nothing else, under our check: nobody is blamed for the other's faults.

Knows `check_gradients` from outside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._primitive import Node
from ._check import check_gradients
from ._report import Checked, GradientMismatch, Mismatch


def is_theirs(report: Mismatch) -> bool:
    """Say whether a mismatch is of the gradient that was given, not of this library's own."""
    return report.what.startswith("derivative from")


def floats_only(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` for floats: not to be recorded, so that differences of it are the reference."""

    @functools.wraps(f)
    def on_floats(*args: Any) -> Any:
        import optree

        leaves: list[Any] = optree.tree_leaves(args)  # type: ignore[arg-type]
        for leaf in leaves:
            kind = getattr(getattr(leaf, "dtype", None), "kind", "")
            if isinstance(leaf, Node) or kind == "O":
                raise TypeError("it is to be called with floats")
        return f(*args)

    return on_floats


def note_on(report: Mismatch) -> str:
    """Return what there is to know where this library's own derivative was wrong."""
    return (
        f"this library's own derivative is wrong at this point, so differences were used: "
        f"{report.what} by {report.argument} is {report.analytic!r} for {report.reference!r}"
    )


def check_by_hand(f: Callable[..., Any], df: Callable[..., Any], *args: Any) -> Checked:
    """Return what was checked, if `df` is the gradient of `f`; ours is not under test.

    Raises:
        GradientMismatch: an entry of `df` is wrong.
    """
    __tracebackhide__ = True
    try:
        return check_gradients(f, *args, gradient=df, order=1)
    except GradientMismatch as mismatch:
        if is_theirs(mismatch.report):
            raise
        ours = mismatch.report
    found = check_gradients(floats_only(f), *args, gradient=df, order=1)
    found.notes = (note_on(ours), *found.notes)
    return found


def add(done: Checked, found: Checked) -> None:
    """Add what one check found to what others have."""
    done.add(found)
    done.ties = tuple(dict.fromkeys((*done.ties, *found.ties)))
    done.kinks = tuple(dict.fromkeys((*done.kinks, *found.kinks)))
    done.notes = tuple(dict.fromkeys((*done.notes, *found.notes)))
