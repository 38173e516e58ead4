"""Metrics of outputs and targets: accuracy, confusion. Knows nothing of models."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from os import PathLike
from typing import Any

from ._data import in_order, places_of, rows


def _classes(
    outputs: Sequence[Any], targets: Sequence[Any], threshold: float
) -> list[tuple[int, int]]:
    """Return for each sample the class it belongs to and the class the output says.

    Several outputs say the class of the largest (the first of equals), and a target is a class or
    one number per class. A single output says 1 above the threshold, else 0, and so does a target.
    """
    said, true = rows(outputs, "outputs"), rows(targets, "targets")
    if len(said) != len(true):
        raise ValueError(f"{len(said)} outputs but {len(true)} targets")
    if not said:
        raise ValueError("no samples to judge")
    found: list[tuple[int, int]] = []
    for output, target in zip(said, true, strict=True):
        several = isinstance(output, list)
        if isinstance(target, list):
            if not several or len(target) != len(output):
                count = len(output) if several else 1
                raise ValueError(f"target {target!r}: the number of outputs is {count}")
            target = target.index(max(target))
        if several:
            if target != int(target) or not 0 <= target < len(output):
                raise ValueError(f"target {target!r}: there are {len(output)} classes from 0")
            found.append((int(target), output.index(max(output))))
        else:
            found.append((int(target > threshold), int(output > threshold)))
    return found


def accuracy(outputs: Sequence[Any], targets: Sequence[Any], threshold: float = 0.0) -> float:
    """Return the fraction of samples whose output says the class of their target.

    Several outputs say the class of the largest; a target is then a class or one number per class.
    A single output says yes above `threshold`, and so does a target: 0 suits logits with targets
    -1 and 1 (or 0 and 1), 0.5 suits probabilities with targets 0 and 1.
    """
    pairs = _classes(outputs, targets, threshold)
    return sum(true == said for true, said in pairs) / len(pairs)


class ConfusionMatrix(list[list[int]]):
    """Counts by true class (row) and said class (column); `print` shows them as a table.

    Attributes:
        names: the class of each row and column.
    """

    def __init__(self, counts: Iterable[list[int]], names: Sequence[Any]) -> None:
        super().__init__(counts)
        self.names = [str(name) for name in names]

    def __str__(self) -> str:
        corner = "true \\ said"
        rows = [[corner, *self.names]]
        rows += [[name, *map(str, row)] for name, row in zip(self.names, self, strict=True)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        ]
        return "\n".join(lines)

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Return a matplotlib figure: each row's counts, the darker the larger their share of it;
        write it to `path` if given.

        Raises:
            ImportError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as reason:
            raise ImportError(
                "ConfusionMatrix.plot needs matplotlib: pip install matplotlib"
            ) from reason
        size = 2.0 + 0.6 * len(self)
        figure = Figure(figsize=(size, size), layout="constrained")
        axes = figure.add_subplot(xlabel="said", ylabel="true")
        shares = [[count / max(sum(row), 1) for count in row] for row in self]
        axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        for i, row in enumerate(self):
            for k, count in enumerate(row):
                colour = "white" if shares[i][k] > 0.5 else "black"
                axes.text(k, i, str(count), ha="center", va="center", color=colour)
        axes.set_xticks(range(len(self)), self.names, rotation=45, ha="right")
        axes.set_yticks(range(len(self)), self.names)
        if path is not None:
            figure.savefig(path)
        return figure


def confusion_matrix(
    outputs: Sequence[Any],
    targets: Sequence[Any],
    threshold: float = 0.0,
    *,
    names: Sequence[Hashable] | None = None,
) -> ConfusionMatrix:
    """Return how many samples of each class (row) were taken for each class (column).

    Classes are found as in `accuracy`; for a single output there are two, no and yes.

    Args:
        names: what the classes are called, in order; then targets may be names. Without them
            classes go by their numbers, those of a single output by "no" and "yes".

    Raises:
        ValueError: there are not as many names as classes, or a target is none of them.
    """
    outputs = in_order(outputs, "confusion_matrix: outputs")
    several = len(outputs) > 0 and hasattr(outputs[0], "__len__")
    classes = len(outputs[0]) if several else 2
    if names is not None:
        if len(names) != classes:
            raise ValueError(
                f"confusion_matrix: {len(names)} names for {classes} classes: {list(names)}"
            )
        listed = in_order(targets, "confusion_matrix: targets")
        if any(isinstance(target, str) for target in listed):
            targets = places_of(listed, names, "confusion_matrix: target")
            if not several:
                above = math.nextafter(threshold, math.inf)
                targets = [above if place else threshold for place in targets]
    pairs = _classes(outputs, targets, threshold)
    counts = [[0] * classes for _ in range(classes)]
    for true, said in pairs:
        counts[true][said] += 1
    return ConfusionMatrix(counts, names or (range(classes) if several else ("no", "yes")))
