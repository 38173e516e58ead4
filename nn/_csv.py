"""Samples from files of numbers, as they are written to be read by programs. Knows nothing else."""

from __future__ import annotations

import csv
import math
from os import PathLike
from typing import Any

from ._data import Row


def load_csv(
    path: str | PathLike[str],
    *,
    target: int | str = -1,
    header: bool | None = None,
    delimiter: str = ",",
    labels: bool = False,
) -> tuple[list[Row], list[Any]]:
    """Return (x, y) from a file of numbers with one sample a line; `target` is the column of y.

    `target` is a place counted from 0 (from the end if negative) or, with a header, a name. Whether
    the first line is a header is seen from it, unless `header` says so. Blank lines are skipped.
    With `labels=True` targets are texts, such as names of classes, without the blanks around them.

    Raises:
        OSError: the file can't be read.
        ValueError: a line has too few or too many fields, or one that is no finite number: the
            message has the line number and the reason; or there is no such column, or no sample.
    """
    x: list[Row] = []
    y: list[Any] = []
    names: list[str] = []
    width = 0
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for fields in reader:
                if len(fields) < 2 and not "".join(fields).strip():
                    continue
                where = f"{path}, line {reader.line_num}"
                if not width:
                    width = len(fields)
                    if width < 2:
                        raise ValueError(
                            f"{where}: one column only; is {delimiter!r} between them?"
                        )
                    inputs = _inputs(fields, target) if labels else fields
                    named = _is_header(inputs, where) if header is None else header
                    names = [field.strip() for field in fields] if named else []
                    column = _column(target, names, width, str(path))
                    if named:
                        continue
                if len(fields) != width:
                    raise ValueError(f"{where}: {len(fields)} fields instead of {width}")
                label = _label(fields[column], where, column, names) if labels else None
                numbers = [
                    0.0 if labels and i == column else _number(text, where, i, names)
                    for i, text in enumerate(fields)
                ]
                number = numbers.pop(column)
                y.append(number if label is None else label)
                x.append(numbers)
        except csv.Error as reason:
            raise ValueError(f"{path}, line {reader.line_num}: {reason}") from None
        except UnicodeDecodeError as reason:
            raise ValueError(f"{path} is no text file in UTF-8: {reason}") from None
    if not x:
        raise ValueError(f"{path} holds no samples")
    return x, y


def _inputs(fields: list[str], target: int | str) -> list[str]:
    """Return the fields but that of the target, which may be a text in any line."""
    i = target
    if isinstance(i, str):
        stripped = [field.strip() for field in fields]
        i = stripped.index(i) if i in stripped else len(fields)
    return [field for k, field in enumerate(fields) if k not in (i, i + len(fields))]


def _is_header(fields: list[str], where: str) -> bool:
    """Say whether the first line holds names rather than numbers.

    Raises:
        ValueError: it holds both.
    """
    numbers = [_is_number(field) for field in fields]
    if any(numbers) and not all(numbers):
        odd = fields[numbers.index(False)]
        raise ValueError(
            f"{where}: {odd!r} is no number, other fields are; is this a header (header=True) or a "
            "sample (header=False)?"
        )
    return not any(numbers)


def _is_number(text: str) -> bool:
    """Say whether it is a number as files hold them: 1_000 is Python's own way to write one."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _column(target: int | str, names: list[str], width: int, path: str) -> int:
    if isinstance(target, str):
        if target not in names:
            known = f"there are {names}" if names else "the file has no header"
            raise ValueError(f"{path}: no column is named {target!r}; {known}")
        if names.count(target) > 1:
            raise ValueError(f"{path}: {names.count(target)} columns are named {target!r}")
        return names.index(target)
    if not -width <= target < width:
        raise ValueError(f"{path}: target is column {target}, but there are {width} columns")
    return target % width


def _label(text: str, where: str, i: int, names: list[str]) -> str:
    if not text.strip():
        raise ValueError(f"{where}, {_place(i, names)}: there is no label")
    return text.strip()


def _place(i: int, names: list[str]) -> str:
    return f"column {i + 1}" + (f" ({names[i]})" if names else "")


def _number(text: str, where: str, i: int, names: list[str]) -> float:
    name = _place(i, names)
    if not _is_number(text):
        raise ValueError(f"{where}, {name}: {text!r} is no number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{where}, {name}: {text!r} is not finite")
    return number
