import pytest

import autograd
from autograd import Value
from viz._snapshot import Snapshot


def test_every_operand_is_kept_in_order(small):
    snapshot = Snapshot(small)
    assert [node.label for node in snapshot.nodes] == ["a", "b", "c", "d", "e"]
    assert snapshot.nodes[3].operands == (1, 1.0)
    assert snapshot.nodes[4].operands == (2, 3)
    assert snapshot.nodes[4].partials == (2.0, 3.0)


def test_the_same_operand_twice_is_two_edges():
    a = Value(3.0, "a")
    snapshot = Snapshot(a * a)
    assert list(snapshot.nodes[1].parents) == [0, 0]
    assert snapshot.gradients == (6.0, 1.0)


def test_a_snapshot_does_not_follow_the_graph(small):
    snapshot = Snapshot(small)
    small.zero_grad()
    for leaf in small.parents[0].parents:
        leaf.data = 100.0
    small.label = "other"
    assert [node.value for node in snapshot.nodes[:3]] == [2.0, 1.0, 3.0]
    assert snapshot.nodes[4].label == "e"
    assert snapshot.swept
    assert not Snapshot(small).swept


@pytest.mark.parametrize("seed", range(30))
def test_its_sweep_has_the_bits_of_the_engines(random_graph, seed):
    y = random_graph(seed, size=30)
    y.backward()
    order = autograd.topological_order(y)
    assert list(Snapshot(y).gradients) == [node.grad for node in order]


def test_a_zero_cotangent_contributes_zero():
    x = Value(0.0, "x")
    y = autograd.log(x) * 0.0
    assert Snapshot(y).gradients[0] == 0.0


def test_only_values_have_pictures():
    with pytest.raises(TypeError, match=r"needs a Value.*not float"):
        Snapshot(3.0)


def test_a_stranger_cannot_be_watched(small):
    assert Snapshot(small, [small, small.parents[1]]).watched == (4, 3)
    with pytest.raises(ValueError, match=r"stranger.*not part of the graph"):
        Snapshot(small, [Value(1.0, "stranger")])


def test_a_snapshot_keeps_no_value_alive(small):
    kept = vars(Snapshot(small, [small]))
    assert all(not isinstance(thing, dict) for thing in kept.values())


def test_uses_come_in_the_order_of_the_sweep(small):
    assert Snapshot(small).users == (((2, 0),), ((3, 0), (2, 1)), ((4, 0),), ((4, 1),), ())


def test_what_was_not_selected_contributes_zero_to_an_infinite_gradient():
    x = Value(0.0, "x")
    y = autograd.sqrt(autograd.relu(x))
    y.backward()
    assert Snapshot(y).gradients[0] == x.grad == 0.0
