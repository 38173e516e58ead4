"""The picture workloads are as large as their titles say."""

from benchmarks import viz as bench
from viz import _view
from viz._snapshot import Snapshot


def test_the_network_has_the_promised_size():
    count = len(Snapshot(bench.perceptron(*bench.A_THOUSAND)).nodes)
    assert all(f"{count:,}" in section.title for section in bench.SECTIONS[:2])


def test_tasks_measure_what_they_say(monkeypatch):
    monkeypatch.setattr(_view, "LABELS_UP_TO", _view.LABELS_UP_TO)  # a task raises it

    assert bench.to_dot([2, 2, 1], 2).count == len(Snapshot(bench.perceptron(2, 2, 1)).nodes)
    assert len(bench.to_svg([2, 2, 1], 2).phases["graph to SVG"]) == 2


def test_every_section_names_a_task():
    for section in bench.SECTIONS:
        assert callable(getattr(bench, section.task.split(":")[1]))
