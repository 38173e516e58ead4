"""The safetensors format: named matrices of little-endian floats after a header in JSON.

Files may come from anybody: everything the header says is compared with the file's size before a
number is read. Knows nothing of what the matrices are.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from array import array
from dataclasses import dataclass
from math import isfinite, prod
from os import PathLike
from typing import Any, Final

from autograd.files import write_file

# The format allows 100 MB; this is a thousand times the header of a small network, and what JSON
# makes of it takes 200 MB at most.
LONGEST_HEADER: Final = 4_000_000
_KINDS: Final = {"F64": "d", "F32": "f"}


@dataclass
class Tensor:
    """Numbers in the order of rows, and how many there are along each axis."""

    shape: tuple[int, ...]
    numbers: array[float]


def write_tensors(
    path: str | PathLike[str], tensors: dict[str, Tensor], about: dict[str, str]
) -> None:
    """Write the tensors as float64, whole, with the texts `about` in the header.

    Raises:
        OSError: the file can't be written; an older one stays as it was.
        ValueError: the header would be longer than `read_tensors` takes.
    """
    header: dict[str, Any] = {"__metadata__": about} if about else {}
    data = []
    end = 0
    for name, tensor in tensors.items():
        data.append(to_bytes(tensor))
        begin, end = end, end + len(data[-1])
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    head = json.dumps(header, separators=(",", ":")).encode("ascii")
    head += b" " * (-len(head) % 8)  # numbers begin at a multiple of their size
    if len(head) > LONGEST_HEADER:
        raise ValueError(f"{path}: a header of {len(head)} bytes, {LONGEST_HEADER} at most")
    write_file(path, b"".join([len(head).to_bytes(8, "little"), head, *data]))


def read_tensors(path: str | PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file by name, in the order of their numbers, and the texts beside.

    float32 comes back exactly, as every float32 is a float64.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no such file, damaged, holds tensors of other types, or a number that is
            not finite; the message begins with the file's name.
    """
    with open(path, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError(f"{path}: not an ordinary file")
        try:
            length = int.from_bytes(file.read(8), "little")
            if about.st_size < 8 or not 2 <= length <= about.st_size - 8:
                raise ValueError("not a safetensors file, or truncated where it begins")
            if length > LONGEST_HEADER:
                raise ValueError(f"a header of {length} bytes; {LONGEST_HEADER} at most are read")
            places, texts = _header(file.read(length), about.st_size - 8 - length)
            tensors = {}
            for name, (kind, shape, size) in places.items():
                tensors[name] = _tensor(name, kind, shape, file.read(size))
        except ValueError as reason:
            raise ValueError(f"{path}: {reason}") from None
    return tensors, texts


def to_bytes(tensor: Tensor) -> bytes:
    """Return the numbers of a tensor as they are in a file."""
    numbers = array("d", tensor.numbers)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _tensor(name: str, kind: str, shape: tuple[int, ...], data: bytes) -> Tensor:
    numbers = array(_KINDS[kind])
    if len(data) != prod(shape) * numbers.itemsize:
        raise ValueError(f"tensor {name!r:.100}: the file became shorter while it was read")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    for number in numbers:
        if not isfinite(number):
            raise ValueError(f"tensor {name!r:.100} holds {number!r}")
    return Tensor(shape, array("d", numbers))


# Of each tensor: type, shape, bytes.
_Places = dict[str, tuple[str, tuple[int, ...], int]]


def _header(data: bytes, size: int) -> tuple[_Places, dict[str, str]]:
    """Return what the header says of `size` bytes of numbers, once everything in it fits."""
    if not data.startswith(b"{"):
        raise ValueError("not a safetensors file, or damaged where it begins")
    try:
        header = json.loads(data.decode("utf-8"), object_pairs_hook=_object)
    except (ValueError, RecursionError) as reason:
        raise ValueError(f"the header is no JSON that can be read: {reason!s:.200}") from None
    texts = header.pop("__metadata__", {})
    if type(texts) is not dict or any(type(text) is not str for text in texts.values()):
        raise ValueError("__metadata__ must be texts by name")
    found = []
    for name, entry in header.items():
        if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"tensor {name!r:.100} must have dtype, shape and data_offsets")
        kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if type(kind) is not str or kind not in _KINDS:
            raise ValueError(f"tensor {name!r:.100} is of type {kind!r:.100}, not F64 or F32")
        if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
            raise ValueError(
                f"tensor {name!r:.100}: shape {shape!r:.100}, data_offsets {offsets!r:.100}"
            )
        # Numbers of a thousand digits can be in JSON, and their product is not worth the wait.
        if not 0 <= offsets[0] <= offsets[1] <= size or any(n > size + 1 for n in shape):
            raise ValueError(f"tensor {name!r:.100} reaches beyond the end of the file")
        width = array(_KINDS[kind]).itemsize
        if len(shape) > 8 or prod(shape) * width != offsets[1] - offsets[0]:
            raise ValueError(
                f"tensor {name!r:.100}: shape {shape!r:.100} does not take "
                f"{offsets[1] - offsets[0]} bytes"
            )
        found.append((offsets[0], offsets[1], name, kind, tuple(shape)))
    found.sort()
    end = 0
    for begin, after, name, *_ in found:
        if begin != end:
            what = "overlaps the one before" if begin < end else "leaves a gap before it"
            raise ValueError(f"tensor {name!r:.100} {what}")
        end = after
    if end != size:
        raise ValueError(f"{size - end} bytes at the end belong to no tensor, or it is truncated")
    return {name: (kind, shape, after - begin) for begin, after, name, kind, shape in found}, texts


def _are_counts(numbers: Any) -> bool:
    return type(numbers) is list and all(type(n) is int and n >= 0 for n in numbers)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
