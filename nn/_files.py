"""Files of numbers, in the versions this package writes. Knows nothing of what is in them."""

from __future__ import annotations

from os import PathLike
from typing import Any

from autograd import documents

WEIGHTS = "scalar-autograd weights"
_VERSIONS = {WEIGHTS: 3}
_VERSION = 2  # of all others


def write_document(path: str | PathLike[str], format: str, content: dict[str, Any]) -> None:
    """Write `content` under that format name; whoever reads sees the old file or the new, whole.

    Raises:
        OSError: the file can't be written; an older one stays as it was.
    """
    documents.write_document(path, format, _VERSIONS.get(format, _VERSION), content)


def read_document(path: str | PathLike[str], format: str) -> dict[str, Any]:
    """Return the content of a file that `write_document` wrote under that format name.

    Raises:
        OSError: the file can't be read.
        ValueError: it is cut off or altered, of another format, or of another version; the message
            begins with the file's name.
    """
    return documents.read_document(path, format, _VERSIONS.get(format, _VERSION))
