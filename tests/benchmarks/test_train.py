"""The training benchmark: our side trains what the sections name, and the sections are complete."""

import pytest

from benchmarks import train


def test_ours_separates_the_moons():
    pytest.importorskip("llvmlite")
    assert train.MOONS["ours"]() == 1.0


def test_moons_are_two_half_circles():
    points, labels = train.moons()
    assert len(points) == len(labels) == 100
    assert sum(labels) == 0.0
    upper = [y for (_, y), label in zip(points, labels, strict=True) if label < 0]
    lower = [y for (_, y), label in zip(points, labels, strict=True) if label > 0]
    assert min(upper) > -0.5
    assert max(lower) < 1.0


def test_an_epoch_is_timed_after_the_first_update(monkeypatch):
    pytest.importorskip("llvmlite")
    points, labels = train.moons()
    classes = [int(label > 0) for label in labels]
    monkeypatch.setitem(train.DATA, "few", lambda: (points, classes, [2, 4, 10]))
    first, *epochs = train.CLASSES["ours"]("few", 6)
    assert first > 0.0
    assert len(epochs) == 6
    assert len(train.epoch("ours", "few", 4).phases["epoch"]) == 2
    phases = train.first_step("ours", "few").phases
    assert set(phases) == {"first step", "epoch"}


def test_names_are_the_same_network_and_data():
    pytest.importorskip("llvmlite")
    ours, theirs = train.NAMES["ours"](3), train.NAMES["reference"](3)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-13)
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert train.names_process("reference", 1).count == 1


def test_a_whole_process_is_timed():
    phases = train.whole_process("import time; time.sleep(0.05)", repetitions=2).phases
    assert len(phases["process"]) == 2
    assert min(phases["process"]) > 50_000_000


def test_every_side_of_a_section_runs_the_same_workload():
    for section in train.SECTIONS:
        for side in (section.ours, *section.peers):
            given = side.arguments
            if "steps" in given:
                assert given["kind"] in train.NAMES
            elif "kind" in given:
                assert given["kind"] in train.CLASSES
                assert given["data"] in train.DATA
                same = {k: v for k, v in given.items() if k != "kind"}
                assert same == {k: v for k, v in section.ours.arguments.items() if k != "kind"}
            else:
                compile(given["program"], "program", "exec")
