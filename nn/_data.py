"""Data: rows of numbers, where they come from and how they are cut. Knows nothing of models.

A row is a list of floats; `rows()` takes NumPy arrays and pandas tables as well. Randomness comes
only from the `rng` given.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from os import PathLike
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
    samples = _in_order(data, name)
    return [_sample(sample, i, samples[0], name) for i, sample in enumerate(samples)]


def _in_order(data: Any, name: str) -> list[Any]:
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


def one_hot(labels: Sequence[int], classes: int) -> list[Row]:
    """Return for each label a row of `classes` zeros with a one at that place.

    Raises:
        ValueError: a label is no whole number from 0 to classes - 1.
    """
    found: list[Row] = []
    for i, label in enumerate(rows(labels, "one_hot: labels")):
        if label != int(label) or not 0 <= label < classes:
            raise ValueError(f"one_hot: label {i} is {label!r}; there are {classes} classes from 0")
        row = [0.0] * classes
        row[int(label)] = 1.0
        found.append(row)
    return found


def batches(count: int, size: int | None = None, rng: Random | None = None) -> Iterator[list[int]]:
    """Yield the numbers 0 ... count - 1 in lists of `size` (the last may be shorter).

    In order, or shuffled if there is an `rng`; all in one without a size.
    """
    if size is not None and size < 1:
        raise ValueError(f"batches: size must be at least 1, not {size!r}")
    order = list(range(count))
    if rng is not None:
        rng.shuffle(order)
    step = size or max(count, 1)
    for start in range(0, count, step):
        yield order[start : start + step]


def train_test_split(
    x: Any, y: Any, test: float, rng: Random
) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return (x_train, x_test, y_train, y_test), with the fraction `test` of all rows in the tests.

    Row i of x belongs to row i of y by position, also in tables that label their rows.

    Raises:
        TypeError: x or y is no sequence.
        ValueError: x and y differ in length, or one part would be empty.
    """
    x, y = _in_order(x, "train_test_split: x"), _in_order(y, "train_test_split: y")
    if len(x) != len(y):
        raise ValueError(f"train_test_split: x has {len(x)} rows, y has {len(y)}")
    held_out = round(len(x) * test)
    if not 0 < held_out < len(x):
        raise ValueError(f"train_test_split: {held_out} of {len(x)} rows for the tests")
    (order,) = batches(len(x), None, rng)
    tests, trains = sorted(order[:held_out]), sorted(order[held_out:])
    return (
        [x[i] for i in trains],
        [x[i] for i in tests],
        [y[i] for i in trains],
        [y[i] for i in tests],
    )


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


def load_csv(
    path: str | PathLike[str],
    *,
    target: int | str = -1,
    header: bool | None = None,
    delimiter: str = ",",
) -> tuple[list[Row], Labels]:
    """Return (x, y) from a file of numbers with one sample a line; `target` is the column of y.

    `target` is a place counted from 0 (from the end if negative) or, with a header, a name. Whether
    the first line is a header is seen from it, unless `header` says so. Blank lines are skipped.

    Raises:
        OSError: the file can't be read.
        ValueError: a line has too few or too many fields, or one that is no finite number: the
            message has the line number and the reason; or there is no such column, or no sample.
    """
    x: list[Row] = []
    y: Labels = []
    names: list[str] = []
    width = 0
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for fields in reader:
                if len(fields) < 2 and not "".join(fields).strip():
                    continue
                where = f"{path}, line {reader.line_num}"
                if not width:
                    width = len(fields)
                    if width < 2:
                        raise ValueError(
                            f"{where}: one column only; is {delimiter!r} between them?"
                        )
                    named = _is_header(fields, where) if header is None else header
                    names = [field.strip() for field in fields] if named else []
                    column = _column(target, names, width, str(path))
                    if named:
                        continue
                if len(fields) != width:
                    raise ValueError(f"{where}: {len(fields)} fields instead of {width}")
                numbers = [_number(text, where, i, names) for i, text in enumerate(fields)]
                y.append(numbers.pop(column))
                x.append(numbers)
        except csv.Error as reason:
            raise ValueError(f"{path}, line {reader.line_num}: {reason}") from None
        except UnicodeDecodeError as reason:
            raise ValueError(f"{path} is no text file in UTF-8: {reason}") from None
    if not x:
        raise ValueError(f"{path} holds no samples")
    return x, y


def _is_header(fields: list[str], where: str) -> bool:
    """Say whether the first line holds names rather than numbers.

    Raises:
        ValueError: it holds both.
    """
    numbers = [_is_number(field) for field in fields]
    if any(numbers) and not all(numbers):
        odd = fields[numbers.index(False)]
        raise ValueError(
            f"{where}: {odd!r} is no number, other fields are; is this a header (header=True) or a "
            "sample (header=False)?"
        )
    return not any(numbers)


def _is_number(text: str) -> bool:
    """Say whether it is a number as files hold them: 1_000 is Python's own way to write one."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _column(target: int | str, names: list[str], width: int, path: str) -> int:
    if isinstance(target, str):
        if target not in names:
            known = f"there are {names}" if names else "the file has no header"
            raise ValueError(f"{path}: no column is named {target!r}; {known}")
        if names.count(target) > 1:
            raise ValueError(f"{path}: {names.count(target)} columns are named {target!r}")
        return names.index(target)
    if not -width <= target < width:
        raise ValueError(f"{path}: target is column {target}, but there are {width} columns")
    return target % width


def _number(text: str, where: str, i: int, names: list[str]) -> float:
    name = f"column {i + 1}" + (f" ({names[i]})" if names else "")
    if not _is_number(text):
        raise ValueError(f"{where}, {name}: {text!r} is no number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{where}, {name}: {text!r} is not finite")
    return number
