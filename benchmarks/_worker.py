"""The process that measures: runs one task and prints what it measured as a line of JSON.

    python -m benchmarks._worker '{"task": "module:function", "arguments": {...}}'

It runs inside the environment of a peer, so it may use the standard library only; tasks import
the peer they measure themselves. The clock is read here, never across processes.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

clock = time.perf_counter_ns


@dataclass(frozen=True)
class Measurement:
    """What a task returns: how many items one repetition works through, and its phases.

    Each phase (forward, backward, ...) has one figure per repetition, for all items together:
    nanoseconds, or bytes. All phases of a repetition together are what the item costs.
    """

    count: int
    phases: dict[str, list[int]]


def repeat(
    count: int,
    repetitions: int,
    steps: int,
    step: Callable[[Callable[[str], None]], object],
    warm: bool = True,
) -> Measurement:
    """Return the times of `repetitions` times `steps` calls of `step`, by phase.

    `step` is given a function to call at the end of each phase with the phase's name; what it
    does until its first call is the first phase. With `warm`, an unmeasured repetition goes before.
    """
    spent: dict[str, int] = {}
    started = 0

    def lap(phase: str) -> None:
        nonlocal started
        now = clock()
        spent[phase] = spent.get(phase, 0) + now - started
        started = clock()

    phases: dict[str, list[int]] = {}
    for repetition in range(-warm, repetitions):
        spent = {}
        for _ in range(steps):
            started = clock()
            step(lap)
        if repetition >= 0:
            for phase, nanoseconds in spent.items():
                phases.setdefault(phase, []).append(nanoseconds)
    return Measurement(count * steps, phases)


def run(request: str) -> str:
    """Return the answer to a request, both as JSON; an exception of the task becomes its text."""
    asked = json.loads(request)
    module, function = asked["task"].split(":")
    try:
        measurement = getattr(importlib.import_module(module), function)(**asked["arguments"])
    except Exception as error:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    return json.dumps(asdict(measurement))


if __name__ == "__main__":
    print(run(sys.argv[1]), flush=True)
    # Some peers free a deep graph recursively and would crash now; what was measured is out.
    os._exit(0)
