"""Kernels as files, without their function: what was recorded, checked part by part when read."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, get_args

from .._value import Value
from ..documents import read_document, write_document
from ._execute import Options
from .arguments import Form
from .outputs import Mode
from .paths import Family, Paths, Recorded, Settings
from .program import Program, from_hex

FORMAT: Final = "scalar-autograd kernel"
VERSION: Final = 2


def save(paths: Paths, file: Any) -> None:
    """Write all that was recorded to a JSON file, for `load`.

    Raises:
        TypeError: `wrt` is an object, or an argument holds what JSON can't.
    """
    write_document(file, FORMAT, VERSION, _contents(paths), make_folders=True)


def _contents(paths: Paths) -> dict[str, Any]:
    """Return everything but the function, as plain data."""
    settings = paths.settings
    if not isinstance(settings.wrt, (int, tuple)):
        raise TypeError(f"{paths!r}: only a kernel whose wrt are arguments can be saved")
    return {
        "name": paths.name,
        "wrt": settings.wrt,
        "in_axes": settings.in_axes,
        "reduce": settings.reduce,
        "fast": settings.options.fast,
        "families": [
            {
                "mode": family.mode,
                "names": family.names,
                "forms": [form.to_json() for form in family.forms],
                "paths": [
                    {
                        "program": path.code.program.to_json(),
                        "captured": [v._data.hex() for v in paths.captured(path)],
                        "out": path.out.to_json(),
                    }
                    for path in family.paths
                ],
            }
            for family in paths.travelling()
        ],
    }


def load(path: Any) -> Paths:
    """Return what `save` wrote to `path`.

    The file may come from anybody: what is in it is compared before anything is made of it, and
    what it takes is bounded by its own size.

    Raises:
        OSError: the file can't be read.
        ValueError: the file is truncated, altered, of another version, or no kernel at all; the
            message begins with its name.
    """
    content = read_document(path, FORMAT, VERSION)
    try:
        return _paths(content)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as error:
        raise ValueError(f"{path}: not a kernel file: {error!r:.200}") from None
    except ValueError as error:
        raise ValueError(f"{path}: not a kernel file: {error!s:.200}") from None


def _paths(content: dict[str, Any]) -> Paths:
    name, wrt, axes, reduce, fast, families = _parts(
        content, "name", "wrt", "in_axes", "reduce", "fast", "families"
    )
    if type(name) is not str:
        raise ValueError(f"the name is {name!r:.100}")
    name.encode()  # or it could not be shown
    if type(fast) is not bool or reduce not in (None, "sum", "mean"):
        raise ValueError(f"fast is {fast!r:.100}, reduce is {reduce!r:.100}")
    if reduce is not None and axes is None:
        raise ValueError("it adds up rows, and in_axes says there are none")
    settings = Settings(
        _numbers(wrt, "wrt", int), _numbers(axes, "in_axes", int, NoneType), reduce, Options(fast)
    )
    paths = Paths(None, name, settings)
    for family in _list(families, "families"):
        mode, names, forms, recorded = _parts(family, "mode", "names", "forms", "paths")
        if mode not in get_args(Mode):
            raise ValueError(f"no mode {mode!r:.100}")
        found = [_path(path) for path in _list(recorded, "paths")]
        if not found:
            raise ValueError("nothing was recorded")
        words = tuple(_list(names, "names"))
        read = [Form.from_json(form) for form in _list(forms, "forms")]
        known = all(type(word) is str for word in words)
        if not known or len(set(words)) < len(words) or len(words) > len(read):
            raise ValueError(f"the names of arguments are {names!r:.100}")
        paths.restore(Family(mode, read, words, None), found)
    return paths


def _path(data: Any) -> Recorded:
    program, captured, out = _parts(data, "program", "captured", "out")
    values: list[Value | int] = [Value(from_hex(x)) for x in _list(captured, "captured")]
    read = Program.from_json(program)
    return read, read, values, Form.from_json(out)


def _parts(data: Any, *names: str) -> list[Any]:
    if type(data) is not dict or set(data) != set(names):
        raise ValueError(f"there must be {', '.join(names)} and nothing else")
    return [data[name] for name in names]


def _list(data: Any, name: str) -> list[Any]:
    if type(data) is not list:
        raise ValueError(f"{name} is no list")
    return data


def _numbers(data: Any, name: str, *kinds: type) -> Any:
    """Return a number of an argument, or a tuple with one of `kinds` for each."""
    found = tuple(data) if type(data) is list else data
    if any(type(x) not in kinds for x in (found if type(found) is tuple else (found,))):
        raise ValueError(f"{name} is {data!r:.100}")
    return found
