"""The step-through page in a real browser."""

import json
import math
import re
from datetime import UTC, datetime

import pytest

import autograd
from autograd import Value
from viz import draw

NODES = [("a", 2, 2), ("b", 1, 5), ("c", 3, 2), ("d", 2, 3), ("e", 6, 1)]


def texts(tab, key):
    return tab.locator(f"#p-{key} text").all_text_contents()


def words(tab):
    return "\n".join(tab.locator("#words > *").all_text_contents())


def press(tab, key, times=1):
    for _ in range(times):
        tab.keyboard.press(key)


def test_the_page_is_self_contained_and_locked(small):
    html = draw(small).html()
    assert re.search(r"default-src 'none'; script-src 'sha256-[^']+'; style-src", html)
    assert "unsafe" not in html
    assert not re.search(r"""(src|href)\s*=\s*["']?(http|//)""", html)
    assert html == draw(small).html()


def test_a_hundred_nodes_are_below_150_kilobytes(network):
    y = network(2, 4, 4, 1)
    y.backward()
    picture = draw(y, collapse="none")
    count = len(picture._figure.view.snapshot.nodes)
    assert 95 <= count <= 105, count
    assert len(picture.html().encode()) < 150_000


def test_it_begins_with_everything_shown(small, visit):
    tab = visit(draw(small).html())
    assert texts(tab, "n1") == ["b", "1", "5"]
    assert "e = 6" in words(tab)
    assert tab.locator("#where").inner_text() == "backward 5 / 5"


def test_stepping_forward_shows_values_in_order_with_their_formula(small, visit):
    tab = visit(draw(small).html())
    press(tab, "Home")
    for key in range(5):
        assert texts(tab, f"n{key}")[1:] == ["", "–"]
    press(tab, "ArrowRight", 2)
    assert texts(tab, "n1")[1:] == ["1", "–"]
    assert texts(tab, "n2")[1:] == ["", "–"]
    press(tab, "ArrowRight")
    assert texts(tab, "n2")[1:] == ["3", "–"]
    assert words(tab).split("\n") == ["c = a + b", "= 2 + 1", "= 3"]
    press(tab, "ArrowLeft")
    assert texts(tab, "n2")[1:] == ["", "–"]


def test_stepping_backward_accumulates_partial_sums(small, visit):
    tab = visit(draw(small).html())
    tab.click("#values")
    assert tab.locator("#where").inner_text() == "forward 5 / 5"
    press(tab, "ArrowRight")
    assert texts(tab, "n2")[2] == "2"
    assert texts(tab, "n1")[2] == ""
    press(tab, "ArrowRight")
    assert texts(tab, "n1")[2] == "3"
    assert "∂e/∂b: 0 + ∂e/∂d · ∂d/∂b = 0 + 3 · 1 → 3" in words(tab)
    press(tab, "ArrowRight")
    assert texts(tab, "n1")[2] == "5"
    assert "∂e/∂b: 3 + ∂e/∂c · ∂c/∂b = 3 + 2 · 1 → 5" in words(tab)


@pytest.mark.parametrize("style", ["card", "circuit"])
def test_twice_as_many_steps_as_nodes_end_in_the_final_state(network, visit, style):
    y = network(2, 2, 1)
    y.backward()
    picture = draw(y, style=style)
    tab = visit(picture.html())
    final = tab.locator("#stage text").all_text_contents()
    press(tab, "Home")
    assert tab.locator("#stage text").all_text_contents() != final
    press(tab, "ArrowRight", 2 * len(picture._figure.view.snapshot.nodes))
    assert tab.locator("#where").inner_text().startswith("backward")
    assert tab.locator("#stage text").all_text_contents() == final
    assert re.findall(r"<text class=\"(?:value|gradient)[^>]*>([^<]+)<", picture.svg)


def test_scrubbing_and_buttons(small, visit):
    tab = visit(draw(small).html())
    tab.locator("#step").fill("3")
    assert tab.locator("#where").inner_text() == "forward 3 / 5"
    tab.click("#next")
    assert tab.locator("#where").inner_text() == "forward 4 / 5"
    tab.click("#back")
    tab.click("#back")
    assert tab.locator("#where").inner_text() == "forward 2 / 5"
    tab.click("#reset")
    assert tab.locator("#where").inner_text() == "forward 0 / 5"
    tab.click("#all")
    assert tab.locator("#where").inner_text() == "backward 5 / 5"


def test_play_runs_to_the_end_and_can_be_paused(small, visit):
    tab = visit(draw(small).html())
    tab.clock.install(time=datetime(2024, 1, 1, tzinfo=UTC))
    tab.clock.pause_at(datetime(2024, 1, 2, tzinfo=UTC))
    tab.click("#play")
    assert "pause" in tab.locator("#play").inner_text()
    tab.clock.run_for(2200)
    assert tab.locator("#where").inner_text() == "forward 3 / 5"
    tab.click("#play")
    tab.clock.run_for(5000)
    assert tab.locator("#where").inner_text() == "forward 3 / 5"
    tab.click("#play")
    tab.clock.run_for(9000)
    assert tab.locator("#where").inner_text() == "backward 5 / 5"
    assert "play" in tab.locator("#play").inner_text()


def test_pointing_at_a_node_shows_its_chain_rule_as_a_sum_over_paths(small, visit):
    tab = visit(draw(small).html())
    tab.hover("#p-n1")
    assert words(tab).split("\n") == [
        "∂e/∂b = 5",
        "∂e/∂d · ∂d/∂b = 3 · 1 = 3",
        "+ ∂e/∂c · ∂c/∂b = 2 · 1 = 2",
        "= 5",
    ]
    lit = tab.locator("#stage .card.lit")
    assert lit.count() == 4
    tab.mouse.move(5, 790)
    assert "e = 6" in words(tab)


def test_many_paths_are_grouped(visit):
    x = Value(1.1, "x")
    y = x
    for _ in range(6):
        y = y * y
    y.backward()
    tab = visit(draw(y).html())
    tab.hover("#p-n0")
    lines = words(tab).split("\n")
    assert lines[1] == "64 paths, grouped by the first edge:"
    assert len(lines) == 5


def test_a_click_pins_and_escape_unpins(small, visit):
    tab = visit(draw(small).html())
    tab.click("#p-n1")
    tab.mouse.move(5, 790)
    assert "∂e/∂b = 5" in words(tab)
    assert tab.locator("#p-n1").get_attribute("aria-pressed") == "true"
    press(tab, "Escape")
    assert "∂e/∂b" not in words(tab)
    assert tab.locator("#p-n1").get_attribute("aria-pressed") == "false"


def test_everything_by_keyboard(small, visit):
    tab = visit(draw(small).html())
    tab.locator("#p-n1").focus()
    press(tab, "Enter")
    assert "∂e/∂b = 5" in words(tab)
    assert "value 1, gradient 5" in tab.locator("#p-n1").get_attribute("aria-label")
    press(tab, "Enter")
    press(tab, "/")
    tab.keyboard.type("d")
    assert tab.locator("#found").inner_text() != ""
    press(tab, "Enter")
    assert tab.evaluate("document.activeElement.id").startswith("p-n")


def test_search(small, visit):
    tab = visit(draw(small).html())
    tab.locator("#search").fill("mul")
    assert tab.locator("#found").inner_text() == "1 found"
    assert tab.locator("#stage .found").get_attribute("id") == "p-n4"


def test_zoom_and_pan(small, visit):
    tab = visit(draw(small).html())

    def box():
        return [float(x) for x in tab.locator("#stage svg").get_attribute("viewBox").split()]

    start = box()
    press(tab, "+")
    assert box()[2] == pytest.approx(start[2] / 1.25)
    press(tab, "0")
    assert box() == pytest.approx(start)
    tab.mouse.move(60, 420)
    tab.mouse.down()
    tab.mouse.move(160, 400)
    tab.mouse.up()
    assert box()[0] < start[0]
    assert box()[1] > start[1]
    tab.mouse.wheel(0, -300)
    assert box()[2] < start[2]


def test_groups_close_and_open(network, visit):
    y = network(2, 2, 1)
    y.backward()
    tab = visit(draw(y).html())
    before = tab.locator("#stage .scene").inner_html()
    label = tab.get_by_role("button", name="neuron1, 8 nodes", exact=True).first
    visible = tab.locator("#stage .card:visible").count()
    label.focus()
    press(tab, "Enter")
    closed = tab.locator("#stage .closed")
    assert closed.count() == 1
    assert tab.locator("#stage .card:visible").count() < visible
    head, value, gradient = closed.locator("text").all_text_contents()
    assert "neuron1 (8 nodes)" in head
    assert float(value) > 0
    assert gradient.replace("−", "-") != ""
    closed.click()
    assert tab.locator("#stage .closed").count() == 0
    assert tab.locator("#stage .card:visible").count() == visible
    assert before.count("<path") == tab.locator("#stage .scene path").count()


def test_a_collapsed_picture_opens_as_drawn_and_can_be_opened(network, visit):
    y = network(3, 6, 5, 1)
    y.backward()
    picture = draw(y)
    groups = [card for card in picture._figure.view.cards if card.kind == "group"]
    assert len(groups) == 12
    tab = visit(picture.html())
    assert tab.locator("#stage .closed").count() == 12
    titles = tab.locator("#stage .closed text.value").all_text_contents()
    assert sorted(titles) == sorted(card.value for card in groups)
    cards = tab.locator("#stage .card:visible").count()
    tab.locator("#stage .closed").first.click()
    assert tab.locator("#stage .closed").count() == 11
    assert tab.locator("#stage .card:visible").count() > cards + 5
    boxes = tab.evaluate(
        """() => [...document.querySelectorAll("#stage .card")]
          .map((card) => card.getBoundingClientRect())
          .filter((b) => b.width).map((b) => [b.x, b.y, b.right, b.bottom])"""
    )
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            apart = (
                one[2] <= other[0] + 1
                or other[2] <= one[0] + 1
                or one[3] <= other[1] + 1
                or other[3] <= one[1] + 1
            )
            assert apart, (one, other)


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_input_gives_the_numbers_of_python(random_graph, visit, seed):
    names = ("add", "mul", "tanh", "sin", "sub", "div", "exp", "sigmoid", "maximum", "gelu", "erf",
             "lgamma", "atan2", "hypot", "softplus", "where", "relu")  # fmt: skip
    y = random_graph(seed, 14, names)
    y.backward()
    picture = draw(y, digits=1 + seed % 6)
    tab = visit(picture.html())
    for card in picture._figure.view.cards:
        assert texts(tab, card.key)[1:] == [card.value, card.gradient]
    leaves = [x for x in autograd.topological_order(y) if not x.op]
    changed = leaves[seed % len(leaves)]
    place = autograd.topological_order(y).index(changed)
    new = changed.data + 0.375
    tab.locator(f"#field{place}").fill(repr(new))
    got = tab.evaluate("[picture.values, picture.gradients].map((list) => list.map(String))")
    values, gradients = ([float(text.replace("Infinity", "inf")) for text in row] for row in got)
    again = replayed(y, {changed: new})
    again.backward()
    for node, value, gradient in zip(
        autograd.topological_order(again), values, gradients, strict=True
    ):
        assert same(value, node.data), node
        assert same(gradient, node.grad), node


def same(got, wanted):
    if math.isnan(wanted):
        return math.isnan(got)
    return got == wanted or math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)


def replayed(y, changes):
    """The same operations on changed leaves."""
    table = autograd.primitives()
    new = {}
    for node in autograd.topological_order(y):
        if node.op:
            operands = [new[x] if isinstance(x, Value) else x for x in node.operands]
            new[node] = table[node.op](*operands)
        else:
            new[node] = Value(changes.get(node, node.data), node.label)
    return new[y]


def test_a_slider_moves_everything(small, visit):
    tab = visit(draw(small).html())
    slider = tab.get_by_label("slider for a", exact=True)
    slider.focus()
    slider.press("End")
    assert float(tab.locator("#field0").input_value()) == 6
    assert texts(tab, "n4") == ["e = ×", "14", "1"]
    assert texts(tab, "n1") == ["b", "1", "9"]
    tab.click("#restore")
    assert texts(tab, "n1") == ["b", "1", "5"]


def test_labels_cannot_run(visit):
    nasty = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&quot;'\"\\u2028"
    x = Value(1.0, nasty)
    with autograd.scope(nasty):
        y = autograd.tanh(x)
    y.backward()
    tab = visit(draw(y).html())
    assert tab.locator("script").count() == 2
    assert tab.locator("img").count() == 0
    tab.hover("#p-n0")
    assert nasty in words(tab)


def test_a_graph_with_an_unknown_primitive_can_be_walked_but_not_changed(small, visit):
    picture = draw(small)
    snapshot = picture._figure.view.snapshot
    snapshot.nodes = (*snapshot.nodes[:-1], snapshot.nodes[-1]._replace(op="mystery"))
    tab = visit(picture.html())
    assert tab.locator("#live").is_hidden()
    press(tab, "Home")
    press(tab, "ArrowRight", 10)
    assert texts(tab, "n1") == ["b", "1", "5"]


def test_every_node_has_a_name_in_the_page(visit):
    y = autograd.tanh(Value(0.5) * Value(2.0, "w"))
    y.backward()
    tab = visit(draw(y).html())
    assert [texts(tab, f"n{place}")[0] for place in range(4)] == ["v0", "w", "v2 = ×", "v3 = tanh"]


def test_pointing_at_an_edge_tells_its_factors(small, visit):
    tab = visit(draw(small).html())
    tab.locator("#p-e4 text").hover()
    assert words(tab).split("\n") == [
        "∂e/∂d = 3",
        "contributes ∂e/∂e · ∂e/∂d = 1 · 3 = 3 to ∂e/∂d",
    ]


def test_infinities_and_nan_reach_the_page(visit):
    x = Value(0.0, "x")
    y = autograd.log(x) * Value(-0.0, "zero")
    y.backward()
    tab = visit(draw(y).html())
    shown = [texts(tab, f"n{place}")[1] for place in range(4)]
    assert shown == ["0", "−∞", "−0", "nan"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_violation(network, visit, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    y = network(2, 2, 1)
    y.backward()
    tab = visit(draw(y).html(), color_scheme=scheme)
    tab.wait_for_timeout(200)
    found = axe.Axe().run(tab).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)[:3000]


def test_the_dark_page_is_dark(small, visit):
    def background(tab):
        return tab.evaluate("getComputedStyle(document.body).backgroundColor")

    assert background(visit(draw(small).html(), color_scheme="dark")) == "rgb(17, 22, 29)"
    assert background(visit(draw(small, theme="light").html(), color_scheme="dark")) == (
        "rgb(255, 255, 255)"
    )


def test_the_numbers_fit_their_cells(network, visit):
    y = network(2, 2, 1)
    y.backward()
    tab = visit(draw(y).html())
    wide = tab.evaluate(
        """() => [...document.querySelectorAll("#stage .card text")].filter((text) => {
          const cell = text.previousElementSibling;
          const room = cell?.tagName === "rect" ? Number(cell.getAttribute("width")) : Infinity;
          return text.getComputedTextLength() > room;
        }).map((text) => text.textContent)"""
    )
    assert wide == []


@pytest.mark.parametrize("style", ["card", "circuit"])
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_every_style_and_direction_steps_and_collapses(network, visit, style, direction):
    y = network(2, 2, 1)
    y.backward()
    tab = visit(draw(y, style=style, direction=direction, constants="show").html())
    for name in ("neuron2, 8 nodes", "layer2, 8 nodes"):
        tab.get_by_role("button", name=name, exact=True).first.press("Enter")
    assert tab.locator("#stage .closed:visible").count() == 2
    press(tab, "Home")
    press(tab, "ArrowRight", 52)
    assert tab.locator("#where").inner_text() == "backward 26 / 26"
    shown = tab.locator("#stage .closed text.value").all_text_contents()
    assert all(float(text) > 0 for text in shown)


@pytest.mark.parametrize("options", [{"hops": 1}, {"hops": 0}, {"wrt": "leaf"}])
def test_parts_of_a_graph_have_pages_too(network, visit, options):
    y = network(2, 2, 1)
    y.backward()
    order = autograd.topological_order(y)
    node = {"wrt": order[0]} if "wrt" in options else {"focus": order[10]}
    tab = visit(draw(y, **{**options, **node}).html())
    press(tab, "Home")
    press(tab, "ArrowRight", 52)
    assert tab.locator("#where").inner_text() == "backward 26 / 26"


def test_a_page_of_too_many_nodes_is_refused():
    y = Value(1.0)
    for _ in range(20_001):
        y = y + 1.0
    picture = draw(y, focus=y, hops=1)
    assert picture.svg.startswith("<svg")
    with pytest.raises(ValueError, match=r"20,002 nodes.*\.svg"):
        picture.html()


def test_the_page_fits_a_small_screen(small, visit):
    tab = visit(draw(small).html(), viewport={"width": 380, "height": 700})
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = tab.locator("#stage").bounding_box()
    assert box["height"] > 150


def test_a_notebook_shows_several_pictures_whole(small, network, visit):
    y = network(2, 2, 1)
    y.backward()
    picture = draw(y)
    outputs = [picture, draw(small), picture, draw(small, style="circuit")]
    cells = "".join(f"<div>{p._repr_mimebundle_()['text/html']}</div>" for p in outputs)
    box = f'<div style="width:500px;overflow:hidden">{cells}</div>'
    tab = visit(f'<!DOCTYPE html><meta charset="utf-8">{box}')
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    sizes = tab.evaluate(
        """() => [...document.querySelectorAll("svg")].map((svg) => [
          svg.getBoundingClientRect().width, svg.viewBox.baseVal.width,
          svg.parentElement.scrollWidth, getComputedStyle(svg.parentElement).overflowX])"""
    )
    assert len(sizes) == 4
    for width, natural, reachable, overflow in sizes:
        assert width == pytest.approx(natural, abs=1)
        assert reachable >= width - 1
        assert overflow == "auto"
