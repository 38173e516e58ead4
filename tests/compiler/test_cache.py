"""Machine code on disk: kept, checked, and never the reason why a computation fails."""

import errno
import os
import threading

import pytest

from autograd.compiler import _cache, compile

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


def f(x):
    return x * x + 3.0


def found(folder):
    """Return what the machine code of a new kernel computes."""
    kernel = compile(f, cache=folder)
    kernel(2.0)
    return kernel(5.0)


@pytest.fixture(autouse=True)
def nothing_warned_about(monkeypatch):
    monkeypatch.setattr(_cache, "_warned", {})


@pytest.fixture
def made(monkeypatch):
    """The number of times that code was generated, as a list of one."""
    count = [0]
    generate = _cache.native.machine_code

    def machine_code(*args, **more):
        count[0] += 1
        return generate(*args, **more)

    monkeypatch.setattr(_cache.native, "machine_code", machine_code)
    return count


def entry(folder):
    (path,) = folder.iterdir()
    return path


def test_code_is_kept(tmp_path, made):
    folder = tmp_path / "new" / "folder"
    assert found(folder) == 28.0
    data = entry(folder).read_bytes()
    assert found(str(folder)) == 28.0
    assert made == [1]
    assert entry(folder).read_bytes() == data


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b"",
        lambda b: b[:-5],
        lambda b: b[:40],
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),
        lambda b: b"old" + b,
        lambda b: b.replace(b"code 1", b"code 2"),
        lambda b: b"#!/bin/sh\n",
        lambda b: b + b,
    ],
)
def test_a_damaged_entry_is_replaced_and_not_run(tmp_path, made, spoil):
    found(tmp_path)
    good = entry(tmp_path).read_bytes()
    entry(tmp_path).write_bytes(spoil(good))
    with pytest.warns(RuntimeWarning, match=r"generated anew: .*\.kernel: .*(altered|version)"):
        assert found(tmp_path) == 28.0
    assert made == [2]
    assert entry(tmp_path).read_bytes() == good
    assert found(tmp_path) == 28.0
    assert made == [2]


def test_no_flipped_bit_is_run(tmp_path):
    found(tmp_path)
    path = entry(tmp_path)
    good = path.read_bytes()
    assert len(_cache._code(good, path)) > 100
    for place in range(len(good)):
        with pytest.raises(ValueError, match=r"cache file|altered"):
            _cache._code(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :], path)


def test_the_entry_of_another_program_is_not_run(tmp_path, made):
    found(tmp_path / "a")
    other = compile(lambda x: x + 1.0, cache=tmp_path / "b")
    other(1.0), other(2.0)
    path = entry(tmp_path / "a")
    path.write_bytes(entry(tmp_path / "b").read_bytes())
    with pytest.warns(RuntimeWarning, match="altered"):
        assert found(tmp_path / "a") == 28.0


def test_a_folder_in_its_place(tmp_path, made):
    found(tmp_path)
    path = entry(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.warns(RuntimeWarning, match="something else in its place"):
        assert found(tmp_path) == 28.0
    assert found(tmp_path) == 28.0  # and no second warning
    assert made == [3]


@posix
def test_a_pipe_in_its_place(tmp_path):
    found(tmp_path)
    path = entry(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.warns(RuntimeWarning, match="something else in its place"):
        assert found(tmp_path) == 28.0


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.warns(RuntimeWarning, match="file"):
            assert found(folder) == 28.0
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_a_full_disk_and_a_folder_that_can_not_be_written_to(
    tmp_path, monkeypatch, made, number, call
):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(call, fail)
    with pytest.warns(RuntimeWarning, match=os.strerror(number)) as warned:
        assert found(tmp_path) == 28.0
    assert len(warned) == 1
    assert found(tmp_path) == 28.0
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert found(tmp_path) == 28.0
    assert len(list(tmp_path.iterdir())) == 1


def test_an_entry_that_can_not_be_read(tmp_path, monkeypatch):
    found(tmp_path)
    monkeypatch.setattr(
        "pathlib.Path.read_bytes", lambda _: (_ for _ in ()).throw(PermissionError("no"))
    )
    with pytest.warns(RuntimeWarning, match="no"):
        assert found(tmp_path) == 28.0


def test_threads_share_a_folder(tmp_path):
    results = []
    threads = [threading.Thread(target=lambda: results.append(found(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [28.0] * 8
    assert len(list(tmp_path.iterdir())) == 1
