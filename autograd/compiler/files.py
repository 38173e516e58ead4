"""Kernels as files, without their function: what was recorded, checked part by part when read."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, Final, get_args

from .._value import Value
from ..documents import read_document, write_document
from ._execute import Options
from .arguments import Form
from .paths import Mode, Paths, Settings
from .program import Program

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
                "forms": [form.to_json() for form in family.forms],
                "paths": [
                    {
                        "program": path.code.program.to_json(),
                        "captured": [x.hex() for x in path.extra()],
                        "out": path.out.to_json(),
                    }
                    for path in family.paths
                ],
            }
            for family in paths.families.values()
            if family.paths
        ],
    }


def load(path: Any) -> Paths:
    """Return what `save` wrote to `path`.

    Raises:
        ValueError: the file is truncated, altered, of a newer version, or no kernel at all.
    """
    file = FilePath(path)
    data = read_document(file, FORMAT, VERSION)
    try:
        wrt, axes = (tuple(x) if isinstance(x, list) else x for x in (data["wrt"], data["in_axes"]))
        if data["reduce"] not in (None, "sum", "mean"):
            raise ValueError(f"reduce is {data['reduce']!r}")
        options = Options(bool(data["fast"]))
        paths = Paths(None, str(data["name"]), Settings(wrt, axes, data["reduce"], options))
        for family in data["families"]:
            if family["mode"] not in get_args(Mode):
                raise ValueError(f"no mode {family['mode']!r}")
            recorded = [
                (
                    Program.from_json(path["program"]),
                    [Value(float.fromhex(x)) for x in path["captured"]],
                    Form.from_json(path["out"]),
                )
                for path in family["paths"]
            ]
            forms = [Form.from_json(form) for form in family["forms"]]
            paths.restore(family["mode"], forms, None, recorded)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: not a kernel file: {error}") from None
    return paths
