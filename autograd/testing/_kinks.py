"""Kinks nearby: operations and comparisons beyond which a derivative is another one.

For reports. Knows the reference and the function under test; passes no verdict.
"""

from __future__ import annotations

from typing import Final

from ._operations import name_of
from ._replay import Replay
from ._subject import Subject

_NEAR: Final = 1e-3  # relative to the operands, beyond 1
_MOST: Final = 5


def kinks_of(subject: Subject, replay: Replay | None) -> tuple[tuple[str, float], ...]:
    """Return the kinks of operations, and the comparisons, that are close; nearest first."""
    found = [(f"{text} ({line})" if line else text, far) for text, line, far in subject.near]
    for step in replay.steps if replay is not None else ():
        far = step.local.kink
        if far is not None and step.active:
            size = max([1.0, *(abs(float(x)) for x in step.args)])
            if far <= _NEAR * size:
                found.append((name_of(step), float(far)))
    return tuple(sorted(found, key=lambda kink: kink[1])[:_MOST])
