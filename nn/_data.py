"""Data: rows of numbers, and small sets of them. Knows nothing of models.

A row is a list of floats; `rows()` takes NumPy arrays and pandas tables as well. Randomness comes
only from the `rng` given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from random import Random
from typing import Any

Row = list[float]
Labels = list[float]


def rows(data: Any, name: str = "data") -> list[Any]:
    """Return `data` as a list of samples, each a float or a list of floats; class labels stay int.

    Raises:
        TypeError: it is no sequence of numbers or of sequences of numbers.
        ValueError: a row has another length than the first, or a number is not finite; the message
            names the row.
    """
    samples = in_order(data, name)
    return [_sample(sample, i, samples[0], name) for i, sample in enumerate(samples)]


def in_order(data: Any, name: str) -> list[Any]:
    """Return the samples by position, whatever labels a table gives its rows.

    Raises:
        TypeError: it is no sequence.
    """
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if hasattr(data, "tolist"):
        data = data.tolist()
    if isinstance(data, (str, bytes, Mapping, Set)):
        kind = type(data).__name__
        raise TypeError(f"{name} must be a sequence of samples, one after the other, not a {kind}")
    try:
        return list(data)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of samples, not {data!r}") from None


def _sample(sample: Any, i: int, first: Any, name: str) -> Any:
    if hasattr(sample, "tolist"):
        sample = sample.tolist()
    if isinstance(sample, (int, float)):
        if hasattr(first, "__len__"):
            raise ValueError(f"{name}: row {i} is {sample!r}, of another shape than row 0")
        try:
            finite = math.isfinite(sample)
        except OverflowError:
            raise ValueError(f"{name}: row {i} is too large for a float") from None
        if not finite:
            raise ValueError(f"{name}: row {i} is {sample!r}")
        return sample
    if isinstance(sample, (str, bytes)) or not hasattr(sample, "__len__"):
        raise TypeError(f"{name}: row {i} must be a number or a list of numbers, not {sample!r}")
    if not hasattr(first, "__len__") or len(sample) != len(first):
        raise ValueError(f"{name}: row {i} is {sample!r}, of another shape than row 0")
    try:
        kinds = set(map(type, sample))
        if isinstance(sample, (Mapping, Set)) or any(issubclass(k, (str, bytes)) for k in kinds):
            raise TypeError
        numbers = list(sample if kinds == {float} else map(float, sample))
    except OverflowError:
        raise ValueError(f"{name}: row {i} holds a number too large for a float") from None
    except (TypeError, ValueError):
        raise TypeError(f"{name}: row {i} holds something that is no number: {sample!r}") from None
    if not all(map(math.isfinite, numbers)):
        bad = next(x for x in numbers if not math.isfinite(x))
        raise ValueError(f"{name}: row {i} holds {bad!r}")
    return numbers


@dataclass
class Standardizer:
    """Takes each column to mean 0 and standard deviation 1: (x - mean) / deviation.

    Mean and deviation are given, or found by `fit` (the deviation of the population: divided by
    the number of rows). A constant column is only shifted. Samples that are numbers, not rows, are
    one column, and come back as numbers.
    """

    mean: Row = field(default_factory=list)
    deviation: Row = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.deviation):
            raise ValueError(
                f"Standardizer: {len(self.mean)} means but {len(self.deviation)} deviations"
            )
        if not all(d > 0.0 for d in self.deviation):
            raise ValueError(f"Standardizer: deviations must be positive: {self.deviation}")

    def fit(self, x: Any) -> Standardizer:
        """Take mean and deviation from the rows `x`; return this standardizer."""
        samples = rows(x, "Standardizer: x")
        if not samples:
            raise ValueError("Standardizer: no rows to fit")
        numbers = not isinstance(samples[0], list)
        columns = [samples] if numbers else list(zip(*samples, strict=True))
        self.mean = [math.fsum(column) / len(column) for column in columns]
        spread = [
            math.sqrt(math.fsum((v - mean) ** 2 for v in column) / len(column))
            for column, mean in zip(columns, self.mean, strict=True)
        ]
        self.deviation = [d if d > 0.0 else 1.0 for d in spread]
        return self

    def __call__(self, x: Any) -> list[Any]:
        """Return the rows `x`, standardised."""
        return self._each(x, lambda v, mean, deviation: (v - mean) / deviation)

    def inverse(self, x: Any) -> list[Any]:
        """Return the rows that give `x` when standardised."""
        return self._each(x, lambda v, mean, deviation: v * deviation + mean)

    def _each(self, x: Any, change: Callable[[float, float, float], float]) -> list[Any]:
        samples = rows(x, "Standardizer: x")
        if not self.mean:
            raise ValueError("Standardizer has no mean and deviation yet: give them, or fit first")
        width = len(samples[0]) if samples and isinstance(samples[0], list) else 1
        if samples and width != len(self.mean):
            raise ValueError(f"Standardizer knows {len(self.mean)} columns, x has {width}")
        if samples and not isinstance(samples[0], list):
            return [change(sample, self.mean[0], self.deviation[0]) for sample in samples]
        return [
            [change(*each) for each in zip(row, self.mean, self.deviation, strict=True)]
            for row in samples
        ]


def one_hot(labels: Any, classes: int | Sequence[Hashable]) -> list[Row]:
    """Return for each label a row with a zero for each class, and a one at the label's place.

    `classes` is how many there are, for labels that are numbers from 0; or all classes in order,
    such as their names.

    Raises:
        TypeError: labels are names, and `classes` is a number.
        ValueError: a label is none of the classes.
    """
    if isinstance(classes, (int, float)) or hasattr(classes, "__index__"):
        places, count = _whole(labels, classes), classes  # type: ignore[arg-type]
    else:
        places, count = places_of(labels, classes, "one_hot: label"), len(classes)
    return [[1.0 if i == place else 0.0 for i in range(count)] for place in places]


def _whole(labels: Any, classes: int) -> list[int]:
    """Return labels that are numbers as ints."""
    found = in_order(labels, "one_hot: labels")
    if any(isinstance(label, str) for label in found):
        raise TypeError("one_hot: for labels that are names, give all names, in order, as classes")
    for i, label in enumerate(rows(found, "one_hot: labels")):
        if isinstance(label, list) or label != int(label) or not 0 <= label < classes:
            raise ValueError(f"one_hot: label {i} is {label!r}; there are {classes} classes from 0")
    return list(map(int, found))


def places_of(labels: Any, classes: Sequence[Hashable], what: str) -> list[int]:
    """Return the place of each label among the classes.

    Raises:
        ValueError: a label is none of them, or one of them is there twice.
    """
    known = {name: i for i, name in enumerate(in_order(classes, f"{what}: classes"))}
    if len(known) != len(classes):
        raise ValueError(f"{what}: a class is named twice: {list(classes)}")
    found = in_order(labels, what)
    for i, label in enumerate(found):
        if label not in known:
            raise ValueError(f"{what} {i} is {label!r}; the classes are {list(known)}")
    return [known[label] for label in found]


def _noisy(x: float, y: float, noise: float, rng: Random) -> Row:
    return [x + rng.gauss(0.0, noise), y + rng.gauss(0.0, noise)]


def two_moons(count: int, noise: float, rng: Random) -> tuple[list[Row], Labels]:
    """Return `count` points on two interleaved half circles, and their labels -1 and +1.

    `noise` is the standard deviation of what is added to every coordinate.
    """
    points: list[Row] = []
    labels: Labels = []
    for i in range(count):
        outer = i < (count + 1) // 2
        size = (count + 1) // 2 if outer else count // 2
        angle = math.pi * (i if outer else i - (count + 1) // 2) / max(size - 1, 1)
        x, y = math.cos(angle), math.sin(angle)
        points.append(_noisy(x, y, noise, rng) if outer else _noisy(1.0 - x, 0.5 - y, noise, rng))
        labels.append(-1.0 if outer else 1.0)
    return points, labels


def spirals(
    count: int, arms: int, noise: float, rng: Random, turns: float = 1.0
) -> tuple[list[Row], list[int]]:
    """Return `count` points on `arms` spirals from the centre to radius 1, and their arms."""
    points: list[Row] = []
    labels: list[int] = []
    for i in range(count):
        arm = i % arms
        radius = (i // arms + 1) / math.ceil(count / arms)
        angle = 2.0 * math.pi * (turns * radius + arm / arms)
        points.append(_noisy(radius * math.cos(angle), radius * math.sin(angle), noise, rng))
        labels.append(arm)
    return points, labels


def xor() -> tuple[list[Row], Labels]:
    """Return the four corners of the unit square and whether exactly one coordinate is 1."""
    return [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0]
