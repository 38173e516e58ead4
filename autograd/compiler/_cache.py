"""Machine code on disk, keyed by program and processor; off unless a folder is named.

Only an entry whose hash is right is run. The folder is a convenience: where there is none, or what
it holds is damaged, or there is no room, code is generated again, and one warning says so.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..files import write_file
from . import native
from .native import Source

_MAGIC: Final = b"scalar-autograd machine code 1\n"
_warned: Final[dict[str, object]] = {}  # folders


def fetch(folder: str | None, source: Source, make: Callable[[], bytes]) -> bytes:
    """Return the object code of `source` from the cache, or make it and keep it there."""
    if folder is None:
        return make()
    key = hashlib.sha256(f"{native.processor()}\n{source.text}".encode()).hexdigest()
    path = Path(folder) / f"{key}.kernel"
    trouble: object = None
    try:
        if path.is_file():
            return _code(path.read_bytes(), path)
    except (OSError, ValueError) as reason:
        trouble = reason
    code = make()
    body = key.encode() + code
    try:
        if path.exists() and not path.is_file():
            raise OSError(f"{path}: there is something else in its place")
        write_file(path, _MAGIC + hashlib.sha256(body).digest() + body, make_folders=True)
    except OSError as reason:
        trouble = reason
    if trouble is not None:
        _warn(folder, f"cache={folder!r} is of no use here, code is generated anew: {trouble}")
    return code


def _code(data: bytes, path: Path) -> bytes:
    """Return the object code of an entry.

    Raises:
        ValueError: it is damaged, or another one.
    """
    if not data.startswith(_MAGIC):
        raise ValueError(f"{path}: not a kernel cache file of this version")
    key = path.stem
    digest, body = data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != digest or not body.startswith(key.encode()):
        raise ValueError(f"{path}: the file is truncated or was altered")
    return body[len(key) :]


def _warn(folder: str, text: str) -> None:
    token = object()
    if _warned.setdefault(folder, token) is token:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
