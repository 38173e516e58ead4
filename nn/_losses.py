"""Losses of one sample, and penalties on parameters.

Every loss is `loss(output, target)`: what the model returned for one sample (a `Value`, or a list
of them) and what it should have been. Over several outputs it adds up, or takes the mean with
`reduction="mean"`; over samples `nn.fit` takes the mean. Nothing is halved unless its name says so.
Knows nothing of models and of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, Literal

import autograd
from autograd import (
    Value,
    abs,
    dot,
    log,
    log1p,
    log_sigmoid,
    logsumexp,
    maximum,
    minimum,
    relu,
    strong_mul,
)

Scalar = Any  # a Value or a float: what comes out is a Value as soon as one goes in
Outputs = Scalar | Sequence[Scalar]
Reduction = Literal["sum", "mean"]

# What log(0) counts as where a probability has been rounded to 0 or 1.
_LOG_FLOOR = -100.0


def _each(
    name: str,
    output: Outputs,
    target: Outputs,
    reduction: Reduction,
    term: Callable[[Scalar, Scalar], Scalar],
) -> Scalar:
    """Return `term(output, target)`, reduced over the outputs if there are several."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f'{name}: reduction must be "sum" or "mean", not {reduction!r}')
    outputs, targets = _listed(output), _listed(target)
    if len(outputs) != len(targets):
        raise ValueError(f"{name}: {len(outputs)} outputs but {len(targets)} targets")
    terms = [term(o, t) for o, t in zip(outputs, targets, strict=True)]
    return autograd.mean(terms) if reduction == "mean" else autograd.sum(terms)


def _listed(x: Outputs) -> list[Scalar]:
    return [x] if isinstance(x, (Value, float, int)) or not hasattr(x, "__len__") else list(x)


def squared_error(output: Outputs, target: Outputs, reduction: Reduction = "sum") -> Scalar:
    """Return (output - target)^2, reduced over the outputs."""
    return _each("squared_error", output, target, reduction, lambda o, t: (o - t) ** 2)


def half_squared_error(output: Outputs, target: Outputs, reduction: Reduction = "sum") -> Scalar:
    """Return (output - target)^2 / 2, reduced over the outputs; its derivative is the error."""
    return _each("half_squared_error", output, target, reduction, lambda o, t: 0.5 * (o - t) ** 2)


def absolute_error(output: Outputs, target: Outputs, reduction: Reduction = "sum") -> Scalar:
    """Return |output - target|, reduced over the outputs; its derivative at zero error is 0."""
    return _each("absolute_error", output, target, reduction, lambda o, t: abs(o - t))


def huber(
    output: Outputs, target: Outputs, delta: float = 1.0, reduction: Reduction = "sum"
) -> Scalar:
    """Return e^2 / 2 for errors |e| up to `delta` and delta (|e| - delta / 2) beyond.

    Raises:
        ValueError: `delta` is not positive.
    """
    if not delta > 0.0:
        raise ValueError(f"huber: delta must be positive, not {delta!r}")

    def term(o: Scalar, t: Scalar) -> Scalar:
        size = abs(o - t)
        inside = minimum(size, delta)
        return inside * (size - 0.5 * inside)

    return _each("huber", output, target, reduction, term)


def hinge(
    output: Outputs, target: Outputs, margin: float = 1.0, reduction: Reduction = "sum"
) -> Scalar:
    """Return max(0, margin - target output), the max-margin loss; targets are -1 and +1."""
    return _each("hinge", output, target, reduction, lambda o, t: relu(margin - t * o))


def binary_cross_entropy(
    probability: Outputs, target: Outputs, reduction: Reduction = "sum"
) -> Scalar:
    """Return -(t log p + (1 - t) log(1 - p)) for probabilities p and targets t in [0, 1].

    A logarithm counts as at least -100, so that a probability rounded to 0 or 1 gives a large loss
    and not an infinite one; its derivative there is 0. Where there is a choice, let the model end
    linear and use `binary_cross_entropy_with_logits`, which needs no such floor.
    """

    def term(p: Scalar, t: Scalar) -> Scalar:
        hit = strong_mul(t, maximum(log(p), _LOG_FLOOR))
        miss = strong_mul(1.0 - t, maximum(log1p(-p), _LOG_FLOOR))
        return -(hit + miss)

    return _each("binary_cross_entropy", probability, target, reduction, term)


def binary_cross_entropy_with_logits(
    logit: Outputs, target: Outputs, reduction: Reduction = "sum"
) -> Scalar:
    """Return the binary cross-entropy of p = sigmoid(logit), exact for logits of any size."""

    def term(z: Scalar, t: Scalar) -> Scalar:
        return -(strong_mul(t, log_sigmoid(z)) + strong_mul(1.0 - t, log_sigmoid(-z)))

    return _each("binary_cross_entropy_with_logits", logit, target, reduction, term)


def cross_entropy(logits: Sequence[Scalar], target: int | Sequence[Scalar]) -> Scalar:
    """Return -log softmax(logits)[class], for logits of any size.

    `target` is the class, counted from 0, or one probability per class, as `nn.one_hot` makes them;
    these must add up to 1.

    Raises:
        ValueError: there is no such class, or not one probability per class.
    """
    label = _label(target)
    if label is None:
        if not hasattr(target, "__len__"):
            raise TypeError(
                "cross_entropy: target must be a class (int) or one probability per class, not "
                f"{target!r}; one_hot(labels, classes) makes the latter"
            )
        probabilities: Any = target
        if len(probabilities) != len(logits):
            raise ValueError(
                f"cross_entropy: {len(probabilities)} probabilities, {len(logits)} logits"
            )
        return logsumexp(logits) - dot(probabilities, logits)
    if not 0 <= label < len(logits):
        raise ValueError(f"cross_entropy: class {label!r} of {len(logits)} classes")
    return logsumexp(logits) - logits[label]


def _label(target: Any) -> int | None:
    """Return `target` as an int if it is one (NumPy's too), else None."""
    try:
        return None if isinstance(target, Value) else index(target)
    except TypeError:
        return None


def l1(parameters: Iterable[Scalar], strength: float) -> Scalar:
    """Return strength * (|p| + ...), a penalty that pulls small parameters to exactly 0."""
    return strength * autograd.sum([abs(p) for p in parameters])


def l2(parameters: Iterable[Scalar], strength: float) -> Scalar:
    """Return strength * (p^2 + ...), a penalty on large parameters; it is not halved."""
    return strength * autograd.sum([p * p for p in parameters])
