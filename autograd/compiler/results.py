"""Numbers as results, in the structures of the eager functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._primitive import Node
from .._value import Value
from ..arrays import array_of
from .families import Family
from .forms import Form
from .paths import Paths


def dress(paths: Paths, family: Family, forms: list[Form], numbers: Any, out: Form) -> Any:
    """Return the results of a call of this family with arguments of these forms, whose function
    returned the form `out`.

    `numbers` has one entry per output: a number, a `Value`, or an array over the rows.
    """
    if family.mode == "value":
        return out.result(_stack(numbers))
    if family.mode == "value_and_grad":
        value = numbers[0]
        gradient = _gradient(paths, family, forms, numbers[1:])
        return (float(value) if isinstance(value, np.float64) else value), gradient
    inner = _inner(paths, family, forms)
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


def _inner(paths: Paths, family: Family, forms: list[Form]) -> list[Form]:
    """Return the forms of what is differentiated by."""
    if family.parameters is not None:
        return [Form([0.0] * len(family.parameters), "the parameters")]
    return [forms[i] for i in family.wanted()]


def _gradient(paths: Paths, family: Family, forms: list[Form], numbers: Any) -> Any:
    if family.parameters is not None:
        return _accumulated(family.parameters, numbers)
    parts: list[Any] = []
    at = 0
    for form in _inner(paths, family, forms):
        parts.append(form.result(_stack(numbers[at : at + form.size])))
        at += form.size
    return tuple(parts) if isinstance(paths.settings.wrt, tuple) else parts[0]


def _accumulated(parameters: list[Value], numbers: Any) -> list[Any]:
    """Return one gradient per parameter, and add it to the parameter's `.grad`, row by row if it is
    one per row. A parameter that is listed twice gets it once; inside a graph none does."""
    found = _stack(numbers)
    if found.dtype != np.float64:
        return list(numbers)
    distinct = {id(p): (p, g) for p, g in zip(parameters, found, strict=True)}
    for parameter, g in distinct.values():
        parameter._grad = float(np.cumsum([parameter._grad, *np.ravel(g)])[-1])
    return list(found) if found.ndim > 1 else found.tolist()


def _stack(numbers: Any) -> Any:
    if isinstance(numbers, np.ndarray):
        return numbers
    if any(isinstance(x, Node) for x in numbers):
        return array_of(numbers, (len(numbers),))
    return np.array(numbers, dtype=np.float64) if len(numbers) else np.empty(0)
