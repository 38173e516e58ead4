"""Machine code on disk, keyed by program and processor; off unless a folder is named.

A file is used only if its hash is right; what is damaged, foreign or of another version is an
error that names the file, and is never run.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import native
from .native import Source

_MAGIC: Final = b"scalar-autograd machine code 1\n"


def fetch(folder: str | None, source: Source, make: Callable[[], bytes]) -> bytes:
    """Return the object code of `source` from the cache, or make and keep it.

    Raises:
        ValueError: the file is damaged or was written by another version.
    """
    if folder is None:
        return make()
    key = hashlib.sha256(f"{native.processor()}\n{source.text}".encode()).hexdigest()
    path = Path(folder) / f"{key}.kernel"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        code = make()
        body = key.encode() + code
        write(path, _MAGIC + hashlib.sha256(body).digest() + body)
        return code
    if not data.startswith(_MAGIC):
        raise ValueError(f"{path}: not a kernel cache file of this version; delete it")
    digest, body = data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != digest or not body.startswith(key.encode()):
        raise ValueError(f"{path}: the file is truncated or altered; delete it")
    return body[len(key) :]


def write(path: Path, data: bytes) -> None:
    """Write a whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
