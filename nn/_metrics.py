"""Metrics of outputs and targets: accuracy, confusion. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._data import rows


def _classes(
    outputs: Sequence[Any], targets: Sequence[Any], threshold: float
) -> list[tuple[int, int]]:
    """Return for each sample the class it belongs to and the class the output says.

    Several outputs say the class of the largest (the first of equals), and a target is a class or
    one number per class. A single output says 1 above the threshold, else 0, and so does a target.
    """
    if len(outputs) != len(targets):
        raise ValueError(f"{len(outputs)} outputs but {len(targets)} targets")
    if not outputs:
        raise ValueError("no samples to judge")
    found: list[tuple[int, int]] = []
    for output, target in zip(rows(outputs, "outputs"), rows(targets, "targets"), strict=True):
        if isinstance(output, list):
            largest = target.index(max(target)) if isinstance(target, list) else int(target)
            if not 0 <= largest < len(output):
                raise ValueError(f"target {target!r}: there are {len(output)} classes from 0")
            found.append((largest, output.index(max(output))))
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


def confusion_matrix(
    outputs: Sequence[Any], targets: Sequence[Any], threshold: float = 0.0
) -> list[list[int]]:
    """Return how many samples of each class (row) were taken for each class (column).

    Classes are found as in `accuracy`; for a single output there are two, no and yes.
    """
    pairs = _classes(outputs, targets, threshold)
    classes = len(outputs[0]) if hasattr(outputs[0], "__len__") else 2
    counts = [[0] * classes for _ in range(classes)]
    for true, said in pairs:
        counts[true][said] += 1
    return counts
