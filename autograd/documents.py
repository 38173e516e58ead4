"""Documents: JSON in files, with a format, a version and a hash, so that damage is found.

The hash is of the very bytes, and is compared before anything is made of them. It protects from
accidents, not from people: whoever reads a document checks what is in it. Knows nothing of that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from os import PathLike
from pathlib import Path
from typing import Any, Final

from .files import write_file

_HEAD: Final = re.compile(rb'\{"format": "([^"\\]{0,100})", "version": ([1-9]\d{0,8}), ')
_HASH: Final = re.compile(rb'"sha256": "([0-9a-f]{64})", ')
_HEAD_NAMES: Final = frozenset({"format", "version", "sha256"})
_BRACKET: Final = 7  # bytes of a document per list or object in it, at least


def to_bytes(format: str, version: int, content: dict[str, Any]) -> bytes:
    """Return a document of that format and version.

    Python prints floats so that reading them back gives the same bits.

    Raises:
        TypeError: something in `content` can't be written as JSON.
        ValueError: something in it is infinite or nan.
    """
    if not content or not _HEAD_NAMES.isdisjoint(content):
        raise ValueError(f"a document needs a content, without {', '.join(sorted(_HEAD_NAMES))}")
    body = json.dumps(content, allow_nan=False).encode("ascii")
    digest = hashlib.sha256(body).hexdigest()
    head = f'{{"format": "{format}", "version": {version}, "sha256": "{digest}", '
    return head.encode("ascii") + body[1:] + b"\n"


def from_bytes(data: bytes, name: str, format: str, version: int) -> dict[str, Any]:
    """Return the content of a document; `name` is what errors begin with.

    Raises:
        ValueError: it is of another format or version, truncated, altered, or no JSON.
    """
    return _content(bytearray(data), name, format, version)


def _content(data: bytearray, name: str, format: str, version: int) -> dict[str, Any]:
    """The same; `data` is emptied, so that its memory is free for what is in it."""
    head = _HEAD.match(data)
    if head is None or head[1] != format.encode("ascii"):
        raise ValueError(f"{name}: not a file of {format}, or damaged where it begins")
    if int(head[2]) != version:
        raise ValueError(f"{name}: version {int(head[2])}; this release reads version {version}")
    found = _HASH.match(data, head.end())
    if found is None or not data.endswith(b"\n"):
        raise ValueError(f"{name}: the file is truncated or was altered")
    digest, end = found[1].decode("ascii"), found.end()
    del head, found  # or `data` could not be cut
    del data[: end - 1], data[-1:]
    data[:1] = b"{"
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{name}: the file is truncated or was altered")
    # An empty list takes thirty times the memory of its two brackets.
    if (data.count(b"[") + data.count(b"{")) * _BRACKET > len(data) + 512:
        raise ValueError(f"{name}: the file holds little but brackets")
    try:
        text = data.decode("ascii")
        data.clear()
        content = json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError) as reason:
        raise ValueError(f"{name}: no JSON that can be read: {reason}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name}: its content is no JSON object")
    return content


def write_document(
    path: str | PathLike[str],
    format: str,
    version: int,
    content: dict[str, Any],
    *,
    make_folders: bool = False,
) -> Path:
    """Write a document as `to_bytes` makes it, as a whole; return where.

    Raises:
        OSError: the file can't be written; an older one stays as it was.
        TypeError, ValueError: see `to_bytes`; nothing is written.
    """
    return write_file(path, to_bytes(format, version, content), make_folders=make_folders)


def read_document(path: str | PathLike[str], format: str, version: int) -> dict[str, Any]:
    """Return the content of a document.

    Raises:
        OSError: the file can't be read.
        ValueError: see `from_bytes`; the message begins with the file's name.
    """
    with open(path, "rb") as file:
        if not file.peek(1).startswith(b"{"):  # it may be a device that has no end
            raise ValueError(f"{path}: not a file of {format}, or damaged where it begins")
        data = bytearray(os.fstat(file.fileno()).st_size)
        del data[file.readinto(data) :]
        data += file.read()
    return _content(data, str(path), format, version)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
