"""Losses of one sample, and penalties on parameters.

Every loss is `loss(output, target)`: what the model returned for one sample (a `Value`, or a list
of them) and what it should have been. Over several outputs it adds up, or takes the mean with
`reduction="mean"`; over samples `nn.fit` takes the mean. Nothing is halved unless its name says so.
Knows nothing of models and of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import fabs, inf, nan
from operator import index
from typing import Any, Literal

import autograd
from autograd import (
    Value,
    abs,
    exp,
    greater,
    log,
    log1p,
    log_sigmoid,
    maximum,
    minimum,
    relu,
    stop_gradient,
    strong_mul,
    where,
)

Scalar = Any  # a Value or a float: what comes out is a Value as soon as one goes in
Outputs = Scalar | Sequence[Scalar]
Reduction = Literal["sum", "mean"]

# What log(0) counts as where a probability has been rounded to 0 or 1.
_LOG_FLOOR = -100.0
# How far probabilities may be from adding up to 1: single precision leaves that much.
_SUM_TOLERANCE = 1e-6
_TARGETS = "targets (labels -1 and +1 are for hinge)"


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


# What a loss is given may be nonsense, such as a probability of 1.5. Where there is a number, that
# is an error. In code that is being compiled there is none yet, and a comparison would be a branch:
# there the loss becomes nan, which `fit` looks into.


def _number(x: Scalar) -> float | None:
    """Return the number `x` stands for, None while it is being compiled."""
    if isinstance(x, Value):
        try:
            x = x.data
        except TypeError:
            return None
    return None if isinstance(x, Value) else x


def _between_0_and_1(name: str, what: str, x: Scalar) -> None:
    number = _number(x)
    if number is not None and (number < 0.0 or number > 1.0):
        raise ValueError(f"{name}: {what} must be in [0, 1], not {number!r}")


def _nan_outside(x: Scalar) -> Scalar:
    """Return 0, or nan if `x` is outside [0, 1]."""
    return where(greater(0.0, x * (1.0 - x)), nan, 0.0)


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
    """Return max(0, margin - target output), the max-margin loss; targets are -1 and +1.

    Raises:
        ValueError: a target is something else.
    """

    def term(o: Scalar, t: Scalar) -> Scalar:
        number = _number(t)
        if number is None:
            return relu(margin - t * o) + where(greater(abs(t * t - 1.0), 0.0), nan, 0.0)
        if number not in (-1.0, 1.0):
            raise ValueError(f"hinge: targets must be -1 or +1, not {number!r}")
        return relu(margin - t * o)

    return _each("hinge", output, target, reduction, term)


def binary_cross_entropy(
    probability: Outputs, target: Outputs, reduction: Reduction = "sum"
) -> Scalar:
    """Return -(t log p + (1 - t) log(1 - p)) for probabilities p and targets t in [0, 1].

    A logarithm counts as at least -100, so that a probability rounded to 0 or 1 gives a large loss
    and not an infinite one; its derivative there is 0. Where there is a choice, let the model end
    linear and use `binary_cross_entropy_with_logits`, which needs no such floor.

    Raises:
        ValueError: a probability or a target is outside [0, 1].
    """
    name = "binary_cross_entropy"

    def term(p: Scalar, t: Scalar) -> Scalar:
        _between_0_and_1(name, "the output is taken for a probability, so it", p)
        _between_0_and_1(name, _TARGETS, t)
        hit = strong_mul(t, maximum(log(p), _LOG_FLOOR))
        miss = strong_mul(1.0 - t, maximum(log1p(-p), _LOG_FLOOR))
        loss = 0.0 - (hit + miss)  # and not -0.0
        if _number(p) is None:
            loss = loss + _nan_outside(p)
        return loss + _nan_outside(t) if _number(t) is None else loss

    return _each(name, probability, target, reduction, term)


def binary_cross_entropy_with_logits(
    logit: Outputs, target: Outputs, reduction: Reduction = "sum"
) -> Scalar:
    """Return the binary cross-entropy of p = sigmoid(logit), exact for logits of any size.

    Raises:
        ValueError: a target is outside [0, 1].
    """
    name = "binary_cross_entropy_with_logits"

    def term(z: Scalar, t: Scalar) -> Scalar:
        _between_0_and_1(name, _TARGETS, t)
        loss = 0.0 - (strong_mul(t, log_sigmoid(z)) + strong_mul(1.0 - t, log_sigmoid(-z)))
        return loss + _nan_outside(t) if _number(t) is None else loss

    return _each(name, logit, target, reduction, term)


def cross_entropy(logits: Sequence[Scalar], target: int | Sequence[Scalar]) -> Scalar:
    """Return -log softmax(logits)[class], for logits of any size.

    `target` is the class, counted from 0, or one probability per class, as `nn.one_hot` makes them;
    these must add up to 1.

    Raises:
        ValueError: there is no such class, or the target is not one probability per class.
    """
    label = _label(target)
    if label is None:
        if not hasattr(target, "__len__"):
            raise TypeError(
                "cross_entropy: target must be a class (int) or one probability per class, not "
                f"{target!r}; one_hot(labels, classes) makes the latter"
            )
        return _soft_cross_entropy(logits, list(target))  # type: ignore[arg-type]
    if not 0 <= label < len(logits):
        raise ValueError(f"cross_entropy: class {label!r} of {len(logits)} classes")
    shifted = _shifted(logits)
    return log(autograd.sum([exp(z) for z in shifted])) - shifted[label]


def _soft_cross_entropy(logits: Sequence[Scalar], target: list[Scalar]) -> Scalar:
    if len(target) != len(logits) or not target:
        raise ValueError(f"cross_entropy: {len(target)} probabilities, {len(logits)} logits")
    for p in target:
        _between_0_and_1("cross_entropy", "a target's probabilities", p)
    numbers = [_number(p) for p in target]
    total = autograd.sum(target)
    known = _number(total)
    if known is not None and not fabs(known - 1.0) <= _SUM_TOLERANCE:
        raise ValueError(f"cross_entropy: a target's probabilities must add up to 1, not {known!r}")
    shifted = _shifted(logits)
    size = log(autograd.sum([exp(z) for z in shifted]))
    loss = autograd.sum([strong_mul(p, size - z) for p, z in zip(target, shifted, strict=True)])
    if None not in numbers:
        return loss
    least = target[0]
    for p in target[1:]:
        least = minimum(least, p)
    loss = loss + where(greater(0.0, least), nan, 0.0)
    return loss + where(greater(abs(total - 1.0), _SUM_TOLERANCE), nan, 0.0)


def _shifted(logits: Sequence[Scalar]) -> list[Scalar]:
    """Return the logits minus the largest, before anything can cancel.

    The largest is computed in the graph, not picked by comparing, so that compiled code needs no
    branch for it; its derivative cancels.
    """
    largest = logits[0]
    for x in logits[1:]:
        largest = maximum(largest, x)
    shift = stop_gradient(where(greater(inf, abs(largest)), largest, 0.0))
    return [x - shift for x in logits]


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
