"""What is asked of a model, in training and after it: outputs, mean loss, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd import Value

from ._data import rows
from ._module import Module
from ._objective import Loss, checked, fresh, outputs_of

Metric = Callable[[Any, Any], float]


def predict(model: Module, x: Any) -> list[Any]:
    """Return the model's output for each sample of `x`, as floats or lists of floats."""
    return outputs_of(model, rows(x, "x"))


def evaluate(
    model: Module, x: Any, y: Any, loss: Loss, metrics: Mapping[str, Metric] | None = None
) -> dict[str, float]:
    """Return the mean loss over the samples, as "loss", and each metric by name."""
    samples, targets = pairs(x, y, "")
    outputs = outputs_of(model, samples)
    found = {"loss": mean_loss(loss, outputs, targets)}
    for name, metric in (metrics or {}).items():
        found[name] = number(f"the metric {name!r}", metric(outputs, targets))
    return found


def pairs(x: Any, y: Any, what: str) -> tuple[list[Any], list[Any]]:
    """Return samples and targets as rows of numbers, one target for each sample."""
    samples, targets = rows(x, f"{what}x"), rows(y, f"{what}y")
    if len(samples) != len(targets):
        raise ValueError(
            f"{what}x has {len(samples)} rows but {what}y has {len(targets)}: one target a sample"
        )
    if not samples:
        raise ValueError(f"{what}x and {what}y are empty")
    return samples, targets


def mean_loss(loss: Loss, outputs: list[Any], targets: Sequence[Any]) -> float:
    """Return the mean loss of plain outputs."""
    total = 0.0
    for output, target in zip(outputs, targets, strict=True):
        total += checked(loss(_as_values(output), fresh(target))).data
    return total / len(outputs)


def _as_values(output: Any) -> Any:
    return list(map(_as_values, output)) if isinstance(output, list) else Value(output)


def number(what: str, value: object) -> float:
    """Return what a metric or a loss returned as a float."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{what} must return a number, not {value!r}") from None
