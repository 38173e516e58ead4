"""Documents: what was written is read, and nothing else is."""

import contextlib
import hashlib
import json
import math
import os
import random
import tracemalloc

import pytest

from autograd.documents import from_bytes, read_document, to_bytes, write_document

CONTENT = {
    "floats": [0.1 + 0.2, 5e-324, -0.0, 1e22, 1e-05],
    "text": 'é "quoted" \\ \ud800 \n',
    "deep": {"b": [], "a": {"x": None, "y": True, "z": -(10**40)}},
}
GOOD = to_bytes("a format", 3, CONTENT)


def read(data):
    return from_bytes(data, "the name", "a format", 3)


def rehashed(body, head=GOOD):
    """Return a document of this content as text, with a right hash, as somebody hostile would."""
    digest = hashlib.sha256(body).hexdigest()
    return head[: head.index(b"sha256")] + f'sha256": "{digest}", '.encode() + body[1:] + b"\n"


def test_a_document_is_json_and_comes_back_exactly(tmp_path):
    found = read(GOOD)
    assert repr(found) == repr(CONTENT)
    assert list(found["deep"]) == ["b", "a"]
    plain = json.loads(GOOD)
    assert (plain["format"], plain["version"], plain["text"]) == ("a format", 3, CONTENT["text"])
    path = write_document(tmp_path / "new" / "x.json", "a format", 3, CONTENT, make_folders=True)
    assert path.read_bytes() == GOOD
    assert read_document(path, "a format", 3) == CONTENT
    assert rehashed(json.dumps(CONTENT).encode()) == GOOD


def test_every_flipped_bit_and_every_truncation_is_found():
    for place in range(len(GOOD)):
        with pytest.raises(ValueError, match=r"^the name: "):
            read(GOOD[:place])
        for bit in range(8):
            with pytest.raises(ValueError, match=r"^the name: "):
                read(GOOD[:place] + bytes([GOOD[place] ^ (1 << bit)]) + GOOD[place + 1 :])


@pytest.mark.parametrize("more", [b"\n", b" ", b"x", GOOD])
def test_nothing_may_be_added(more):
    for data in (GOOD + more, more + GOOD, GOOD[:-1] + more + b"\n"):
        with pytest.raises(ValueError, match=r"^the name: "):
            read(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a file of a format"),
        (b"\xff\xfe\x00", "not a file of a format"),
        (b"null", "not a file of a format"),
        (GOOD.replace(b"a format", b"b format"), "not a file of a format"),
        (GOOD.replace(b"version", b"virsion"), "not a file of a format"),
        (GOOD.replace(b'"version": 3', b'"version": 30'), "version 30; this release reads"),
        (json.dumps({"format": "a format", "version": 1, "x": 2}).encode(), "version 1;"),
        (GOOD.replace(b"5e-324", b"0e-324"), "altered"),
        (GOOD.replace(b'"a": {"x"', b'"a":  {"x"'), "altered"),
        (GOOD.replace(b"\n", b"\r\n"), "altered"),
    ],
)
def test_what_is_wrong_is_said(data, words):
    with pytest.raises(ValueError, match=rf"^the name: .*{words}"):
        read(data)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{]",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "c": 2, "a": 3}}',
        b'{"a": "\xff"}',
        b'{"a": "\xc3\xa9"}',
        b'{"a": "\x01"}',
        b'{"a": "\\x"}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"b": "' + b"b" * 30_000 + b'", "a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b'{"a": ' * 100_000 + b"1" + b"}" * 100_001,
        b'{"a": [' + b"[],{}," * 100_000 + b"1]}",
        b"[1]",
    ],
)
def test_a_hash_alone_is_not_enough(body):
    data = rehashed(body)
    with pytest.raises(ValueError, match=r"^the name: ") as caught:
        read(data)
    assert len(str(caught.value)) < 500


def test_what_is_no_json_is_not_written(tmp_path):
    for content, error in (
        ({"a": math.nan}, ValueError),
        ({"a": math.inf}, ValueError),
        ({"a": {1, 2}}, TypeError),
        ({"version": 1}, ValueError),
        ({}, ValueError),
    ):
        with pytest.raises(error):
            write_document(tmp_path / "x.json", "a format", 3, content)
    assert list(tmp_path.iterdir()) == []


def test_damage_anywhere_is_found():
    rng = random.Random(2)
    for _ in range(2000):
        data = bytearray(GOOD)
        for _ in range(rng.randrange(1, 4)):
            what, place = rng.randrange(4), rng.randrange(len(data))
            if what == 0:
                data[place] = rng.randrange(256)
            elif what == 1:
                del data[place : place + rng.randrange(1, 20)]
            elif what == 2:
                data[place:place] = rng.randbytes(rng.randrange(1, 20))
            else:
                data[place:place] = data[: rng.randrange(len(data))]
        if bytes(data) != GOOD:
            with pytest.raises(ValueError, match=r"^the name: "):
                read(bytes(data))


@pytest.mark.parametrize(
    "part", [b"-6", b'"ab"', b"0.5", b'["sin", 0]', b'{"a": 1, "b": []}', b"[]", b"[[]]", b"10000"]
)
def test_memory_is_bounded_by_the_size_of_the_file(part):
    data = rehashed(b'{"a": [' + b", ".join([part] * 20_000) + b"]}")
    tracemalloc.start()
    with contextlib.suppress(ValueError):  # little but brackets
        read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * len(data)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no device that has no end")
def test_a_device_without_an_end_is_not_read_to_its_end():
    with pytest.raises(ValueError, match=r"^/dev/zero: not a file of a format"):
        read_document("/dev/zero", "a format", 3)
