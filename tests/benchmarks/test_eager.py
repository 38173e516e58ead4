"""The eager workloads mean the same on every kind of scalar that is at hand here."""

import json

import pytest

import autograd
from benchmarks import _worker, eager
from benchmarks._scalars import KINDS, Floats, Maths

WORKLOADS = [("mlp", 0), ("chain", 20), ("sum", 20), ("gpt", 0)]


def value_and_gradient(name, size, kind):
    scalars = KINDS[kind]()
    build, values, _ = eager.workload(name, scalars, size)
    scalars.program(build, values)
    result = scalars.forward()
    scalars.backward(result)
    return result.data, scalars.gradient()


@pytest.mark.parametrize(("name", "size"), WORKLOADS)
def test_ours_and_the_reference_class_agree(name, size):
    value, gradient = value_and_gradient(name, size, "ours")
    expected_value, expected_gradient = value_and_gradient(name, size, "reference")
    assert value == pytest.approx(expected_value, rel=1e-13)
    assert gradient == pytest.approx(expected_gradient, rel=1e-9, abs=1e-15)
    assert any(gradient)


@pytest.mark.parametrize(("name", "size"), WORKLOADS)
def test_floats_compute_the_same_value(name, size):
    scalars = KINDS["floats"]()
    build, values, _ = eager.workload(name, scalars, size)
    scalars.program(build, values)
    expected, _ = value_and_gradient(name, size, "ours")
    assert scalars.forward() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("name", "size"), [("mlp", 0), ("chain", 20)])
def test_the_number_of_operations_is_the_number_of_nodes(name, size):
    scalars = KINDS["ours"]()
    build, values, operations = eager.workload(name, scalars, size)
    scalars.program(build, values)
    nodes = autograd.topological_order(scalars.forward())
    assert operations == sum(1 for node in nodes if node.parents)


def test_the_network_has_as_many_leaves_as_values():
    scalars = KINDS["ours"]()
    build, values, _ = eager.workload("mlp", scalars, 0)
    scalars.program(build, values)
    order = autograd.topological_order(scalars.forward())
    assert len(values) == sum(1 for node in order if not node.parents)


def test_times_has_every_phase_in_every_repetition():
    measured = eager.times("mlp", "ours", steps=2, repetitions=3)
    assert measured.count == 2 * eager.MLP_OPERATIONS
    assert {name: len(times) for name, times in measured.phases.items()} == {
        "forward": 3,
        "backward": 3,
        "free": 3,
    }
    assert min(measured.phases["forward"]) > 0


def test_a_kind_without_gradient_has_no_backward_phase():
    measured = eager.times("chain", "floats", size=10, repetitions=1)
    assert set(measured.phases) == {"forward", "free"}


def test_an_unknown_workload_is_named():
    with pytest.raises(ValueError, match="'mpl'"):
        eager.workload("mpl", KINDS["floats"](), 0)


def test_a_missing_function_is_a_reason_in_the_answer(monkeypatch):
    class Bare(Floats):
        maths = Maths("bare")

    monkeypatch.setitem(KINDS, "bare", Bare)
    request = {"task": "benchmarks.eager:times", "arguments": {"name": "gpt", "kind": "bare"}}
    answer = json.loads(_worker.run(json.dumps(request)))
    assert answer == {"error": "NotImplementedError: bare has no log"}


def test_every_side_names_a_known_kind_and_task():
    for section in eager.SECTIONS:
        assert callable(getattr(eager, section.task.split(":")[1]))
        for side in (section.ours, *section.peers):
            assert side.arguments["kind"] in KINDS
