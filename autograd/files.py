"""Whole files: whoever reads one sees what was there before or what was written, never a part.

Also after a crash of the program or the machine. Knows nothing of what is in a file.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import secrets
import socket
import stat
import time
from os import PathLike
from pathlib import Path
from typing import Final

# Of a file that is not finished yet: which machine's which process is writing it.
_UNFINISHED: Final = re.compile(
    r"\.scalar-autograd-([0-9a-f]{12})-([1-9]\d{0,6})-[0-9a-f]{16}\.part"
)
# Seconds to wait, one after the other, for others on Windows to close the file to be replaced.
_PAUSES: Final = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4) if os.name == "nt" else ()


def write_file(
    path: str | PathLike[str], content: str | bytes, *, make_folders: bool = False
) -> Path:
    """Return the path of the file written, once `content` (text as UTF-8) is safely on the disk.

    It is written beside under a name of its own and takes the place of the old file at last, so
    that any number of threads and processes may write the same file. A link stays a link, and what
    it leads to is replaced; permissions are the old file's, or follow the umask. What processes
    that died while writing left in the folder is removed; of a failure, nothing is left behind.

    What is no ordinary file, such as `/dev/stdout`, is written to as it stands.

    Raises:
        OSError: the file can't be written; an older one stays as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    mode: int | None = None
    try:
        there = os.stat(path)
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not stat.S_ISREG(there.st_mode):
            with open(path, "wb") as device:
                device.write(data)
            return Path(path)
        mode = stat.S_IMODE(there.st_mode)
    target = Path(os.path.realpath(path))
    if make_folders:
        target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    name = f".scalar-autograd-{_machine()}-{os.getpid()}-{secrets.token_hex(8)}.part"
    beside = target.with_name(name)
    try:
        with open(beside, "xb") as file:
            if mode is not None and os.name == "posix":  # elsewhere folders decide
                os.chmod(beside, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _replace(beside, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            # it names a file that nobody has asked for
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise
    _sync_folder(target.parent)
    return target


def _replace(source: Path, target: Path) -> None:
    for pause in _PAUSES:
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)


def _sync_folder(folder: Path) -> None:
    """Make the new name last, where a system lets folders be flushed."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what dead processes of this machine left in the folder."""
    if os.name != "posix":  # there is no harmless question whether a process lives
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _UNFINISHED.fullmatch(entry.name)
            if found and found[1] == _machine() and not _lives(int(found[2])):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@functools.cache
def _machine() -> str:
    """Return what tells apart machines, and containers, whose processes have numbers of their own
    but which may share the folder."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/etc/machine-id").read_text(encoding="utf-8"))
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:12]
