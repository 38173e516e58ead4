"""A function of the user's own script; its file is executed as any Python program is."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograd import Value

from ._expression import ExpressionError


def split(text: str) -> tuple[Path, str] | None:
    """File and function if `text` is of the form `path/to/script.py:function`."""
    path, colon, name = text.strip().rpartition(":")
    return (Path(path), name) if colon and path.endswith(".py") and name.isidentifier() else None


def call(path: Path, name: str, bindings: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """The function's result on labelled leaves, and the leaves by name.

    Raises:
        ExpressionError: there is no such file or function, the arguments do not fit, it fails, or
            it returns no `Value`.
    """
    function = _load(path, name)
    leaves = {key: Value(x, key) for key, x in bindings.items()}
    try:
        inspect.signature(function).bind(**leaves)
    except TypeError as error:
        raise ExpressionError(f"{name}{inspect.signature(function)}: {error}") from None
    try:
        result = function(**leaves)
    except Exception as error:
        raise ExpressionError(
            f"{path}: {name} failed{_where(error, path)}: {_say(error)}"
        ) from error
    if not isinstance(result, Value):
        raise ExpressionError(f"{name} returned {type(result).__name__}, a picture needs a Value")
    return result, leaves


def _load(path: Path, name: str) -> Callable[..., Any]:
    if not path.is_file():
        raise ExpressionError(f"there is no file {path}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # As `python script.py` has it: the script's folder comes first, and the module is known.
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise ExpressionError(f"{path} failed{_where(error, path)}: {_say(error)}") from error
    finally:
        sys.path.pop(0)
        sys.modules.pop(path.stem, None)
    function = getattr(module, name, None)
    if not callable(function):
        raise ExpressionError(f"{path} has no function {name}")
    return function  # type: ignore[no-any-return]


def _say(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _where(error: Exception, path: Path) -> str:
    """The line of the user's file that the error comes from."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    if not lines and isinstance(error, SyntaxError) and error.lineno:
        lines = [error.lineno]
    return f" at line {lines[-1]}" if lines else ""
