"""Writing whole files: many writers, links, permissions, full disks, killed processes."""

import contextlib
import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograd import files
from autograd.files import write_file

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["text: é\n", b"\x00\xff", ""])
def test_what_is_written_is_there(tmp_path, content):
    path = write_file(tmp_path / "file", content)
    assert path == tmp_path / "file"
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    write_file(str(path), b"again")
    assert path.read_bytes() == b"again"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "name", ["a b", "ü 漢字 \N{PILE OF POO}", "x" * 255, "-", ".hidden", "new\nline", "100%"]
)
def test_any_name_will_do(tmp_path, name):
    assert write_file(tmp_path / name, "1").read_text() == "1"
    assert names(tmp_path) == [name]


@posix
def test_permissions_are_kept_or_follow_the_umask(tmp_path):
    for mask in (0o022, 0o077, 0o027):
        before = os.umask(mask)
        try:
            path = write_file(tmp_path / f"new{mask}", "1")
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    for mode in (0o600, 0o644, 0o755, 0o400):
        path.chmod(mode)
        write_file(path, "2")
        assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    for target in (tmp_path / "far" / "file", Path("far", "new"), Path("second")):
        link = tmp_path / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        (tmp_path / "second").unlink(missing_ok=True)
        (tmp_path / "second").symlink_to("far/by two links")
        found = write_file(link, "1")
        assert link.is_symlink()
        assert link.read_text() == "1"
        assert found.parent == tmp_path / "far"
        assert not found.is_symlink()
    assert names(tmp_path / "far") == ["by two links", "file", "new"]


@posix
def test_a_link_to_itself_or_into_nowhere_is_an_os_error(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("none/file")
    for name in ("loop", "nowhere"):
        with pytest.raises(OSError, match=name):
            write_file(tmp_path / name, "1")
        assert (tmp_path / name).is_symlink()
    assert names(tmp_path) == ["loop", "nowhere"]


@posix
def test_what_is_no_file_is_not_replaced(tmp_path):
    write_file("/dev/null", "1")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    if os.path.exists("/dev/full"):
        with pytest.raises(OSError, match="No space"):
            write_file("/dev/full", "1")
    os.mkfifo(tmp_path / "pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_file(tmp_path / "pipe", "1")
    reader.join()
    assert found == ["1"]
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        write_file(tmp_path, "1")
    assert names(tmp_path) == ["pipe"]


def test_folders_are_made_where_asked_for(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    with pytest.raises(OSError, match="file"):
        write_file(path, "1")
    assert names(tmp_path) == []
    assert write_file(path, "1", make_folders=True).read_text() == "1"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["os.fsync", "os.replace", "os.chmod"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, where, error):
    path = write_file(tmp_path / "file", "old")

    def fail(*_):
        raise error

    monkeypatch.setattr(where, fail)
    with pytest.raises(type(error)) as caught:
        write_file(path, "new")
    monkeypatch.undo()
    if isinstance(error, OSError):  # it names what the user knows
        assert str(caught.value) == f"[Errno 28] No space left: '{path}'"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@posix
def test_what_can_not_be_written_says_so(tmp_path):
    if os.getuid() == 0:
        pytest.skip("nothing is forbidden to root")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="file"):
            write_file(tmp_path / "file", "1")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_others_hold_open_is_tried_again(tmp_path, monkeypatch):
    replace, tries = os.replace, []

    def windows(*paths):
        tries.append(paths)
        if len(tries) < 3:
            raise PermissionError(errno.EACCES, "open")
        replace(*paths)

    monkeypatch.setattr("os.replace", windows)
    monkeypatch.setattr(files, "_PAUSES", (0.0, 0.0))
    assert write_file(tmp_path / "file", "1").read_text() == "1"
    monkeypatch.setattr(files, "_PAUSES", ())
    tries.clear()
    with pytest.raises(PermissionError, match="file"):
        write_file(tmp_path / "file", "2")
    assert names(tmp_path) == ["file"]


# ----------------------------------------------------------------------------- many writers

WRITER = """
import sys
from autograd.files import write_file
print("ready", flush=True)
for i in range(int(sys.argv[3])):
    write_file(sys.argv[1], sys.argv[2] * 300_000)
"""


def start(path, letter, times):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), letter, str(times)], stdout=subprocess.PIPE
    )


def whole(path):
    text = path.read_text()
    assert text == text[0] * 300_000


def test_threads_and_processes_write_the_same_file(tmp_path):
    path = tmp_path / "file"
    processes = [start(path, letter, 20) for letter in "abcd"]
    errors = []

    def write(letter):
        try:
            for _ in range(20):
                write_file(path, letter * 300_000)
                whole(path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "efgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        assert process.wait() == 0
        process.stdout.close()
    assert errors == []
    whole(path)
    assert names(tmp_path) == ["file"]


def killed(path, times, rng):
    """Kill a writer `times` times, at random moments, and look at the file each time."""
    left = 0
    for _ in range(times):
        with start(path, "ab"[rng.randrange(2)], 1_000_000) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.02))
            process.kill()
        if path.exists():
            whole(path)
        found = len(names(path.parent)) - path.exists()
        assert found <= 1  # each writer removes what the one before it left
        left += found
    return left


@posix
def test_a_killed_writer_leaves_a_whole_file_and_the_next_one_tidies_up(tmp_path):
    path = tmp_path / "file"
    assert killed(path, 12, random.Random(1)) > 0
    write_file(path, "c" * 300_000)
    assert names(tmp_path) == ["file"]


@posix
def test_nothing_is_swept_but_what_dead_processes_of_this_machine_left(tmp_path):
    machine, token = files._machine(), "0123456789abcdef"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    mine = f".scalar-autograd-{machine}-{dead.pid}-{token}.part"
    kept = [
        f".scalar-autograd-{machine}-{os.getpid()}-{token}.part",  # alive
        f".scalar-autograd-{machine}-1-{token}.part",  # somebody else's
        f".scalar-autograd-{'0' * 12}-{dead.pid}-{token}.part",  # another machine's
        f".scalar-autograd-{machine}-{dead.pid}-{token}.part~",
        f".scalar-autograd-{machine}-{'9' * 30}-{token}.part",
        f".file.{dead.pid}.part",
        f"{dead.pid}.part",
    ]
    for name in (mine, *kept):
        (tmp_path / name).write_text("1")
    (tmp_path / f".scalar-autograd-{machine}-{dead.pid}-{token[::-1]}.part").mkdir()
    write_file(tmp_path / "file", "1")
    assert set(names(tmp_path)) == {
        *kept,
        "file",
        f".scalar-autograd-{machine}-{dead.pid}-{token[::-1]}.part",
    }


@posix
@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")  # a file closed when it is dropped, not before
def test_interrupts_leave_nothing(tmp_path):
    """A signal at any moment: the old file or the new one, and nothing beside it."""
    path = write_file(tmp_path / "file", "a" * 300_000)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    rng = random.Random(3)
    try:
        for _ in range(2000):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 3e-3))
                while True:
                    write_file(path, "b" * 300_000)
            assert names(tmp_path) == ["file"]
            whole(path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_a_name_with_a_null_is_a_value_error(tmp_path):
    with pytest.raises(ValueError, match="null"):
        write_file(str(tmp_path / "a\0b"), "1")
    assert names(tmp_path) == []
