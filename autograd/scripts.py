"""A function of the user's own file, `path/to/file.py:function`; the file runs as programs do.

Knows how Python loads a file; knows nothing of derivatives, nor of any command.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


class ScriptError(ValueError):
    """There is no such file or function, or it fails; one sentence, with the line."""


def split(text: str) -> tuple[Path, str] | None:
    """Return file and function if `text` is of the form `path/to/script.py:function`, else None."""
    path, colon, name = text.strip().rpartition(":")
    return (Path(path), name) if colon and path.endswith(".py") and name.isidentifier() else None


def load(path: Path) -> ModuleType:
    """Return the module that running the file at `path` makes.

    Raises:
        ScriptError: there is no such file, or it fails.
    """
    if not path.is_file():
        raise ScriptError(f"there is no file {path}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # As `python script.py` has it: the script's folder comes first, and the module is known.
    known = sys.modules.get(path.stem)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # an exit would pass for the command's own
        raise ScriptError(f"{path} failed{where(error, path)}: {say(error)}") from error
    finally:
        sys.path.pop(0)
        sys.modules.pop(path.stem, None)
        if known is not None:
            sys.modules[path.stem] = known
    return module


def function(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    """Return the function `name` of a loaded file.

    Raises:
        ScriptError: there is none.
    """
    found = getattr(module, name, None)
    if not callable(found):
        raise ScriptError(f"{path} has no function {name}")
    return found  # type: ignore[no-any-return]


def say(error: BaseException) -> str:
    """Return an error on one line, with its type."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def where(error: BaseException, path: Path) -> str:
    """Return " at line N": the line of the user's file that the error comes from, "" if none."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    if not lines and isinstance(error, SyntaxError) and error.lineno:
        lines = [error.lineno]
    return f" at line {lines[-1]}" if lines else ""
