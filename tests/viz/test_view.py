import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, scope
from viz import GraphTooLarge, draw
from viz._snapshot import Snapshot
from viz._view import COLLAPSE_ABOVE, make_view


def chain(length):
    x = Value(0.5, "x")
    y = x
    for _ in range(length):
        y = y + 0.001
    return x, y


def view_of(y, **options):
    return make_view(Snapshot(y), **options)


def kinds(view):
    return sorted(card.kind for card in view.cards)


def test_small_graphs_are_shown_whole(network):
    y = network(3, 3, 1)
    view = view_of(y)
    assert len(view.cards) == len(view.snapshot.nodes) <= COLLAPSE_ABOVE
    assert view.collapsed == ()


def test_inner_scopes_collapse_first(network):
    y = network(2, 6, 6, 1)
    y.backward()
    view = view_of(y)
    groups = [card for card in view.cards if card.kind == "group"]
    assert len(groups) == 13
    assert {card.scope for card in groups} == {("layer1",), ("layer2",), ("layer3",)}
    first = next(card for card in groups if card.name == "h11")
    assert first.operation == "neuron1 (8 nodes)"
    (result,) = first.results
    assert first.amount == view.snapshot.gradients[result]
    assert len(first.nodes) == 8


def test_repeated_blocks_become_one_stack(network):
    y = network(2, 200, 1)
    y.backward()
    view = view_of(y)
    stack = next(card for card in view.cards if "×" in card.operation)
    assert stack.operation == "neuron1 ×200 (1600 nodes)"
    assert " … " in stack.value
    assert len(view.cards) == 4


def test_blocks_that_differ_are_not_stacked():
    total = Value(0.0)
    for place in range(170):
        with scope("layer"), scope(f"unit{place}"):
            x = Value(0.1 * place)
            total = total + (x.tanh() if place < 169 else x.sin())
    view = view_of(total)
    stacked = [card for card in view.cards if card.kind == "group"]
    assert len(stacked) in (1, 2)
    # The last unit is another program, so it keeps a card of its own in the stack's layer.
    if len(stacked) == 2:
        assert "×169" in stacked[0].operation


def test_all_scopes_can_be_collapsed_or_none_or_some(network):
    y = network(2, 2, 1)
    assert kinds(view_of(y, collapse="all")) == ["group"] * 2 + ["leaf"] * 2
    assert "group" not in kinds(view_of(network(2, 6, 6, 1), collapse="none"))
    some = view_of(y, collapse=["layer1/neuron2"])
    assert kinds(some).count("group") == 1
    assert kinds(view_of(y, collapse="layer2")).count("group") == 1
    with pytest.raises(ValueError, match=r"no scope 'layer9'.*layer1/neuron1"):
        view_of(y, collapse=["layer9"])


def test_beyond_three_hundred_cards_edges_have_no_labels():
    _, y = chain(290)
    assert view_of(y).labelled
    _, y = chain(310)
    assert not view_of(y).labelled


def test_too_large_names_the_count_and_the_ways_on():
    _, y = chain(2500)
    with pytest.raises(GraphTooLarge, match=r"2,501 cards.*focus=.*wrt=.*scope") as caught:
        draw(y)
    assert caught.value.count == 2501


def test_cards_of_constants_count_too():
    _, y = chain(1500)
    with pytest.raises(GraphTooLarge, match="3,001"):
        draw(y, constants="show")


def test_a_million_deep_graph_neither_recurses_nor_hangs():
    x, y = chain(1_000_000)
    start = time.monotonic()
    with pytest.raises(GraphTooLarge, match="1,000,001"):
        draw(y)
    picture = draw(y, focus=y, hops=2)
    assert len(picture._figure.view.cards) == 4
    assert time.monotonic() - start < 300  # a hang, not a speed
    del x


def test_focus_shows_the_surroundings(small):
    c = small.parents[0]
    near = draw(small, focus=c, hops=1)._figure.view
    assert [card.name for card in near.cards if card.kind != "more"] == ["a", "b", "c", "e"]
    beyond = [card.name for card in near.cards if card.kind == "more"]
    assert beyond == ["⋯ 1", "⋯ 1"]  # b is also used by d; e also uses d
    alone = draw(small, focus=c, hops=0)._figure.view
    assert [card.name for card in alone.cards] == ["c", "⋯ 2", "⋯ 1"]


def test_wrt_shows_what_depends_on_it(small):
    a = autograd.topological_order(small)[0]
    view = draw(small, wrt=a)._figure.view
    shown = {card.name: (card.kind, card.gradient) for card in view.cards}
    assert shown == {
        "a": ("leaf", "2"), "b": ("constant", "–"), "c": ("sum", "2"),
        "d": ("constant", "–"), "e": ("product", "1"),
    }  # fmt: skip
    labels = {(edge.source, edge.target): edge.partial for edge in view.edges}
    assert labels == {("n0", "n2"): 1.0, ("n1", "n2"): None, ("n2", "n4"): 2.0, ("n3", "n4"): None}


def test_wrt_takes_several(small):
    a, b = autograd.topological_order(small)[:2]
    assert kinds(draw(small, wrt=[a, b])._figure.view).count("constant") == 0


def test_strangers_are_refused(small):
    with pytest.raises(ValueError, match="not part of the graph"):
        draw(small, focus=Value(1.0))
    with pytest.raises(ValueError, match="not part of the graph"):
        draw(small, wrt=[Value(1.0)])


@st.composite
def scoped_graphs(draw_from):
    numbers = random.Random(draw_from(st.integers(0, 10**9)))
    table = autograd.primitives()
    nodes = [Value(numbers.uniform(-1, 1), f"x{i}") for i in range(3)]
    for _ in range(draw_from(st.integers(3, 25))):
        primitive = table[numbers.choice(["add", "mul", "tanh", "sub", "sigmoid", "sin"])]
        arguments = [numbers.choice(nodes[-7:]) for _ in range(primitive.arity)]
        with scope(f"s{numbers.randrange(3)}"), scope(f"t{numbers.randrange(2)}"):
            nodes.append(primitive(*arguments))
    return autograd.sum(nodes[-4:])


@settings(max_examples=60, deadline=None)
@given(scoped_graphs(), st.sampled_from(["none", "all", ["s0"], ["s1/t0", "s2"]]))
def test_collapsed_sums_are_full_sums(y, collapse):
    y.backward()
    snapshot = Snapshot(y)
    known = {"/".join(node.scope[:d]) for node in snapshot.nodes for d in (1, 2)}
    if isinstance(collapse, list):
        collapse = [name for name in collapse if name in known]
    view = make_view(snapshot, collapse=collapse)
    arriving = {}
    for edge in view.edges:
        arriving.setdefault(edge.source, []).append(edge.contribution)
    for card in view.cards:
        if card.kind == "group" or card.is_output:
            continue
        (index,) = card.nodes
        assert math.fsum(arriving[card.key]) == pytest.approx(
            snapshot.gradients[index], rel=1e-12, abs=1e-12
        )
    assert sum(len(card.nodes) for card in view.cards) == len(snapshot.nodes)
    assert sum(edge.merged for edge in view.edges) <= sum(
        len(node.partials) for node in snapshot.nodes
    )


def test_scope_names_with_slashes_keep_apart():
    with scope("a/b"):
        x = Value(1.0, "x")
    with scope("a"), scope("b"):
        y = Value(2.0, "y")
    view = view_of(x * y, collapse="all")
    assert kinds(view) == ["group", "group", "product"]
