"""Files that hold numbers: JSON with exact floats, a format and a version, written atomically.

Knows nothing of what is in them.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from os import PathLike
from pathlib import Path
from typing import Any

VERSION = 1


def write_document(path: str | PathLike[str], format: str, content: dict[str, Any]) -> None:
    """Write `content` under that format name; whoever reads sees the old file or the new, whole.

    Python prints floats so that reading them back gives the same bits.
    """
    text = json.dumps({"format": format, "version": VERSION, **content}, allow_nan=False)
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def read_document(path: str | PathLike[str], format: str) -> dict[str, Any]:
    """Return the content of a file that `write_document` wrote under that format name.

    Raises:
        OSError: the file can't be read.
        ValueError: it is cut off or no JSON, of another format, or of a newer version.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as reason:
        raise ValueError(f"{path} is no whole JSON document: {reason}") from None
    if not isinstance(document, dict) or document.get("format") != format:
        raise ValueError(f"{path} is no file of {format}")
    if document.get("version") != VERSION:
        raise ValueError(
            f"{path} has version {document.get('version')!r}; this program reads {VERSION}"
        )
    return document


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number")
