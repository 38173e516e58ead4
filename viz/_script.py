"""A function of the user's own script, called on labelled leaves."""

import inspect
from collections.abc import Mapping
from pathlib import Path

from autograd import Value
from autograd.scripts import ScriptError, function, load, say, where
from autograd.scripts import split as split

from ._expression import ExpressionError


def call(path: Path, name: str, bindings: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """The function's result on labelled leaves, and the leaves by name.

    Raises:
        ExpressionError: there is no such file or function, the arguments do not fit, it fails, or
            it returns no `Value`.
    """
    try:
        f = function(load(path), path, name)
    except ScriptError as error:
        raise ExpressionError(str(error)) from error
    leaves = {key: Value(x, key) for key, x in bindings.items()}
    try:
        inspect.signature(f).bind(**leaves)
    except TypeError as error:
        raise ExpressionError(f"{name}{inspect.signature(f)}: {error}") from None
    try:
        result = f(**leaves)
    except Exception as error:
        raise ExpressionError(f"{path}: {name} failed{where(error, path)}: {say(error)}") from error
    if not isinstance(result, Value):
        raise ExpressionError(f"{name} returned {type(result).__name__}, a picture needs a Value")
    return result, leaves
