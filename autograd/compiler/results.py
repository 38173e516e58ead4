"""Numbers as results, in the structures of the eager functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import Array, Form
from .paths import Family, Paths


def dress(paths: Paths, family: Family, numbers: Any, out: Form) -> Any:
    """Return the results of a call of this family, whose function returned the form `out`.

    `numbers` has one entry per output: a number, or an array over the rows.
    """
    if family.mode == "value":
        return out.result(_stack(numbers))
    if family.mode == "value_and_grad":
        value = numbers[0]
        gradient = _gradient(paths, family, numbers[1:])
        return (float(value) if np.ndim(value) == 0 else value), gradient
    inner = _inner(paths, family)
    width = sum(form.size for form in inner)
    matrix = _stack(numbers)
    matrix = matrix.reshape(len(matrix) // max(width, 1), width, *matrix.shape[1:])
    single = not isinstance(paths.settings.wrt, tuple)
    if family.mode == "jacobian":
        return out.block(matrix, inner, single)
    blocks: list[Any] = []
    at = 0
    for form in inner:
        blocks.append(form.block(matrix[at : at + form.size], inner, single))
        at += form.size
    return blocks[0] if single else tuple(blocks)


def _inner(paths: Paths, family: Family) -> list[Form]:
    """Return the forms of what is differentiated by."""
    if family.parameters is not None:
        return [Form([0.0] * len(family.parameters), "the parameters")]
    return [family.forms[i] for i in paths.wanted(family)]


def _gradient(paths: Paths, family: Family, numbers: Any) -> Any:
    if family.parameters is not None:
        if _stack(numbers).ndim > 1:  # one gradient per row: there is no one number to add
            return list(numbers)
        grads: list[float] = _stack(numbers).tolist()
        for parameter, g in zip(family.parameters, grads, strict=True):
            parameter._grad += g
        return grads
    parts: list[Any] = []
    at = 0
    for form in _inner(paths, family):
        parts.append(form.result(_stack(numbers[at : at + form.size])))
        at += form.size
    return tuple(parts) if isinstance(paths.settings.wrt, tuple) else parts[0]


def _stack(numbers: Any) -> Array:
    if isinstance(numbers, np.ndarray):
        return numbers
    return np.array(numbers, dtype=np.float64) if len(numbers) else np.empty(0)
