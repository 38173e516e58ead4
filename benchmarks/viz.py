"""Pictures: freezing a graph and writing its DOT text, a thousand cards to SVG, a million nodes.

No peer draws value, gradient and local derivative together, so there is only our own side; the
limits are what the project promises.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Unit
from benchmarks._worker import Measurement, repeat

# --- Workloads ----------------------------------------------------------------------------------


def perceptron(*sizes: int) -> Any:
    """Return the swept output of a tanh network of these layer sizes, every weight a leaf."""
    from autograd import Value, tanh

    numbers = random.Random(0)
    layer = [Value(numbers.uniform(-1, 1), f"x{i}") for i in range(sizes[0])]
    for size in sizes[1:]:
        outputs = []
        for _ in range(size):
            total = Value(numbers.uniform(-1, 1), "b")
            for i, x in enumerate(layer):
                total = total + Value(numbers.uniform(-1, 1), f"w{i}") * x
            outputs.append(tanh(total))
        layer = outputs
    layer[0].backward()
    return layer[0]


def chain(length: int) -> Any:
    """Return the end of a chain of `length` additions."""
    from autograd import Value

    y = Value(0.5, "x")
    for _ in range(length):
        y = y + 1.0
    return y


# --- Tasks --------------------------------------------------------------------------------------


def to_dot(sizes: list[int], repetitions: int) -> Measurement:
    """Return the nanoseconds of a snapshot, and of all that follows up to the DOT text."""
    import viz
    from viz._snapshot import Snapshot

    y = perceptron(*sizes)
    count = len(Snapshot(y).nodes)

    def step(lap: Callable[[str], None]) -> None:
        picture = viz.draw(y, collapse="none")
        _ = picture.dot
        lap("snapshot and DOT")

    return repeat(count, repetitions, 1, step)


def to_svg(sizes: list[int], repetitions: int) -> Measurement:
    """Return the nanoseconds of a picture with a label on every edge, from graph to SVG."""
    import viz
    from viz import _view

    y = perceptron(*sizes)
    _view.LABELS_UP_TO = _view.LARGEST

    def step(lap: Callable[[str], None]) -> None:
        _ = viz.draw(y, collapse="none").svg
        lap("graph to SVG")

    return repeat(1, repetitions, 1, step)


def million(how: str) -> Measurement:
    """Return the nanoseconds until a graph of a million nodes is refused, or shown in part."""
    import viz

    y = chain(1_000_000)

    def step(lap: Callable[[str], None]) -> None:
        if how == "focus":
            _ = viz.draw(y, focus=y, hops=3).svg
        else:
            try:
                viz.draw(y)
            except viz.GraphTooLarge:
                pass
            else:
                raise AssertionError("a million nodes were not refused")
        lap(how)

    return repeat(1, 1, 1, step)


# --- Sections -----------------------------------------------------------------------------------

OURS = Environment("ours-compiled", build="compiled")
A_THOUSAND = [10, 20, 6, 1]  # 1,042 nodes


def ours(**arguments: object) -> Side:
    """Return our side with these arguments of the task."""
    return Side("ours, compiled", OURS, arguments)


SECTIONS = (
    Section(
        "Snapshot and DOT text, 1,042 nodes",
        "benchmarks.viz:to_dot",
        Unit("us/node", 1e3),
        ours(sizes=A_THOUSAND, repetitions=9),
        limit=20,
    ),
    Section(
        "Graph to SVG, 1,042 cards, edge labels",
        "benchmarks.viz:to_svg",
        Unit("s", 1e9),
        ours(sizes=A_THOUSAND, repetitions=3),
        limit=2,
    ),
    *(
        Section(
            f"A graph of 1,000,000 nodes: {how}",
            "benchmarks.viz:million",
            Unit("s", 1e9),
            ours(how=how),
            rounds=2,
        )
        for how in ("refused", "focus")
    ),
)
