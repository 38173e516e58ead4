"""Learning rates that change: pure functions of how many updates have been made.

Having no state, they are right after a resumed run without being saved. Any function from the
number of updates to a rate will do in their place; these also print what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[int], float]


def _positive(name: str, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"{name} must be at least 1, not {steps!r}")


@dataclass(frozen=True)
class Linear:
    """From `start` to `stop` in equal steps, then `stop`."""

    start: float
    stop: float
    steps: int

    def __post_init__(self) -> None:
        _positive("Linear: steps", self.steps)

    def __call__(self, k: int) -> float:
        """Return the rate after `k` updates."""
        if k >= self.steps:
            return self.stop
        return self.start + (self.stop - self.start) * k / self.steps


@dataclass(frozen=True)
class Cosine:
    """From `start` to `stop` along half a cosine wave, then `stop`."""

    start: float
    stop: float
    steps: int

    def __post_init__(self) -> None:
        _positive("Cosine: steps", self.steps)

    def __call__(self, k: int) -> float:
        """Return the rate after `k` updates."""
        if k >= self.steps:
            return self.stop
        wave = 0.5 * (1.0 + math.cos(math.pi * k / self.steps))
        return self.stop + (self.start - self.stop) * wave


@dataclass(frozen=True)
class Exponential:
    """`start`, multiplied by `factor` after every so many updates."""

    start: float
    factor: float
    every: int = 1

    def __post_init__(self) -> None:
        _positive("Exponential: every", self.every)

    def __call__(self, k: int) -> float:
        """Return the rate after `k` updates."""
        return self.start * self.factor ** (k // self.every)


@dataclass(frozen=True)
class Warmup:
    """Another schedule (or rate) whose first `steps` rates grow linearly: 1/steps, 2/steps, ..."""

    steps: int
    then: Schedule | float

    def __post_init__(self) -> None:
        _positive("Warmup: steps", self.steps)

    def __call__(self, k: int) -> float:
        """Return the rate after `k` updates."""
        rate = self.then(k) if callable(self.then) else self.then
        return rate * min(1.0, (k + 1) / self.steps)
