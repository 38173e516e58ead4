"""Kernels as text: JSON with a version and a hash, checked before anything is made of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

FORMAT: Final = "scalar-autograd kernel"
VERSION: Final = 1


def to_text(kernel: dict[str, Any]) -> str:
    """Return the text of a kernel's contents."""
    body = _canonical(kernel)
    envelope = {"format": FORMAT, "version": VERSION, "sha256": _hash(body), "kernel": kernel}
    return json.dumps(envelope) + "\n"


def from_text(text: str, name: str) -> dict[str, Any]:
    """Return the contents that `to_text` wrote; `name` is the file's, for errors.

    Raises:
        ValueError: it is no kernel, of a newer version, truncated or altered.
    """
    try:
        envelope = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}: truncated, or not a kernel file: {error}") from None
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        raise ValueError(f"{name}: not a kernel file")
    version = envelope.get("version")
    if version != VERSION:
        raise ValueError(
            f"{name}: a kernel file of version {version!r}; this release reads version {VERSION}"
        )
    kernel = envelope.get("kernel")
    if not isinstance(kernel, dict) or envelope.get("sha256") != _hash(_canonical(kernel)):
        raise ValueError(f"{name}: the kernel file was altered")
    return kernel


def _canonical(kernel: dict[str, Any]) -> str:
    return json.dumps(kernel, sort_keys=True, separators=(",", ":"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
