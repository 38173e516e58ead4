import json
import re
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, scope
from viz import _layout, _text, draw

SVG = "{http://www.w3.org/2000/svg}"

PROGRAM = """
import autograd, viz
from autograd import Value, scope
x, w = Value(2.0, "x"), Value(-3.0, "w")
with scope("unit"):
    y = autograd.tanh(w * x + 6.5)
y.backward()
picture = viz.draw(y)
import sys
sys.stdout.buffer.write((picture.dot + picture.svg).encode())
"""


def by_class(svg, name):
    root = ET.fromstring(svg)
    return [g for g in root.iter(SVG + "g") if name in g.get("class", "").split()]


def texts(element):
    return ["".join(text.itertext()) for text in element.iter(SVG + "text")]


def cards(svg):
    return {texts(card)[0]: texts(card)[1:] for card in by_class(svg, "card")}


def test_cards_show_value_and_gradient(small):
    svg = draw(small).svg
    assert cards(svg) == {
        "a": ["2", "2"],
        "b": ["1", "5"],
        "c = +": ["3", "2"],
        "d = · + 1": ["2", "3"],
        "e = ×": ["6", "1"],
    }


def test_edges_show_local_derivatives(small):
    labels = [texts(link) for link in by_class(draw(small).svg, "link")]
    assert sorted(labels) == [["1"], ["1"], ["1"], ["2"], ["3"]]


def test_a_square_has_two_edges():
    a = Value(3.0, "a")
    y = a * a
    y.backward()
    picture = draw(y)
    assert len(by_class(picture.svg, "link")) == 2
    assert picture.dot.count("->") == 2


def test_before_backward_a_gradient_is_a_dash():
    a = Value(2.0, "a")
    y = a * 3.0
    assert cards(draw(y).svg) == {"a": ["2", "–"], "· × 3": ["6", "–"]}


def test_accumulated_gradients_are_marked_as_such():
    a = Value(2.0, "a")
    y = a * 3.0
    y.backward()
    y.backward()
    picture = draw(y)
    assert cards(picture.svg)["a"] == ["2", "3 (Σ 6)"]
    assert any("accumulated" in text for text in texts(by_class(picture.svg, "legend")[0]))


def test_constants_can_have_cards(small):
    shown = cards(draw(small, constants="show").svg)
    assert shown["const"] == ["1", "–"]
    assert shown["d = +"] == ["2", "3"]


def test_same_bytes_twice_and_in_another_process(small):
    assert draw(small).svg == draw(small).svg
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"<svg" in runs[0]


def test_a_picture_does_not_follow_the_graph(small):
    picture = draw(small)
    for leaf in small.parents[0].parents:
        leaf.data = 77.0
    small.parents[0].label = "other"
    small.zero_grad()
    assert cards(picture.svg)["c = +"] == ["3", "2"]


def test_the_output_is_marked(small):
    (card,) = by_class(draw(small).svg, "output")
    assert texts(card)[0] == "e = ×"


def test_scopes_are_nested_clusters(network):
    svg = draw(network(2, 2, 1)).svg
    names = [texts(box)[0] for box in by_class(svg, "cluster-box")]
    assert sorted(names) == ["layer1", "layer2", "neuron1", "neuron1", "neuron2"]


NASTY = [
    "<script>alert(1)</script>", '"', "\\", "\\N \\G \\l", "&amp;", "&", "<b>", "a\nb", "\x00\x1f",
    "]]>", "-->", "<!--", "'", "\u202e", "x" * 500, "{|}", "\\", "<", ">", "<<>>", "ŷ₁", "\ud800",
    "%", "${}", "`", "#{}", " ", "  a  b ", "\ufffe",
]  # fmt: skip


def shown_names(picture):
    svg_names = [texts(card)[0] for card in by_class(picture.svg, "card")]
    return svg_names, picture.dot


@pytest.mark.parametrize("label", NASTY)
@pytest.mark.parametrize("style", ["card", "circuit"])
def test_nasty_labels_are_text_everywhere(label, style):
    check_label(label, style)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1))
def test_any_label_is_text_everywhere(label):
    check_label(label, "card")


def check_label(label, style):
    x = Value(1.0, label)
    with autograd.scope(label):
        y = autograd.tanh(x)
    picture = draw(y, style=style)
    wanted = _text.printable(_text.shortened(label))
    root = ET.fromstring(picture.svg)
    assert wanted in [text for card in by_class(picture.svg, "card") for text in texts(card)]
    assert [texts(box)[0] for box in by_class(picture.svg, "cluster-box")] == [wanted]
    titles = ["".join(t.itertext()) for t in root.iter(SVG + "title")]
    assert any(_text.printable(label) in title for title in titles)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "text", "path", "polygon", "ellipse",
    }  # fmt: skip
    assert not any(
        name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib
    )
    # The layout program read the label as we meant it: the cluster's label comes back as text.
    result = _layout.json.loads(_layout.run_program(picture.dot, "json0"))
    labels = [thing["label"] for thing in result["objects"] if "bb" in thing]
    assert [ET.fromstring(f"<a>{found}</a>").text for found in labels] == [wanted]


def test_one_picture_in_two_outputs_has_two_sets_of_ids(small):
    picture = draw(small)
    first, second = (picture._repr_mimebundle_()["text/html"] for _ in range(2))
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "overflow:auto" in first


def test_every_id_is_unique_and_every_reference_resolves(small):
    svg = draw(small).svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    (named,) = re.findall(r'aria-labelledby="([^"]+)"', svg)
    assert set(named.split()) <= set(ids)


def test_cards_are_described_and_reachable_by_keyboard(small):
    for card in by_class(draw(small).svg, "card"):
        assert card.get("tabindex") == "0"
        assert "value" in card.find(SVG + "title").text
    described = ET.fromstring(draw(small).svg).find(SVG + "desc").text
    assert "e = 6.0" in described
    assert "b = 1, gradient 5" in described


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_themes(small, theme):
    svg = draw(small, theme=theme).svg
    assert ("prefers-color-scheme" in svg) == (theme == "auto")
    assert ("#11161d" in svg) == (theme != "light")


@pytest.mark.parametrize("suffix", ["svg", "dot", "png", "html", "json"])
def test_save_by_suffix(small, tmp_path, suffix):
    path = draw(small).save(tmp_path / f"picture.{suffix}")
    start = {
        "svg": b"<svg ",
        "dot": b"digraph {",
        "png": b"\x89PNG\r\n",
        "html": b"<!DOCTYPE html>",
        "json": b"{",
    }[suffix]
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [f"picture.{suffix}"]


@pytest.mark.parametrize("suffix", ["svg", "dot", "html", "json"])
@pytest.mark.parametrize("label", ["a\ud800b", "\udcff", "\ud83d\ude00", "\0"])
def test_any_label_can_be_saved(tmp_path, suffix, label):
    with scope(label):
        path = draw(Value(2.0, label) * 3.0).save(tmp_path / f"picture.{suffix}")
    if suffix == "json":
        assert json.loads(path.read_bytes())["nodes"][0]["label"] == json.loads(json.dumps(label))


def test_threads_save_the_same_picture(small, tmp_path):
    pictures, errors = [draw(small) for _ in range(4)], []

    def save(picture):
        try:
            for _ in range(30):
                picture.save(tmp_path / "picture.json")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(picture,)) for picture in pictures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [p.name for p in tmp_path.iterdir()] == ["picture.json"]


def test_a_failed_save_leaves_the_old_file_and_no_other(small, tmp_path, monkeypatch):
    path = tmp_path / "picture.svg"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        draw(small).save(path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unknown_suffix_is_named(small, tmp_path):
    with pytest.raises(ValueError, match=r"\.gif.*\.svg"):
        draw(small).save(tmp_path / "picture.gif")


@pytest.mark.parametrize(
    ("argument", "value"),
    [("style", "bubble"), ("direction", "XY"), ("constants", "hide"), ("theme", "pink"),
     ("digits", 0), ("hops", -1)],
)  # fmt: skip
def test_wrong_options_are_named(small, argument, value):
    with pytest.raises(ValueError, match=argument):
        draw(small, **{argument: value})


def test_a_single_leaf_is_a_picture():
    assert cards(draw(Value(3.0, "x")).svg) == {"x": ["3", "–"]}


def test_no_two_cards_overlap(network):
    svg = draw(network(3, 3, 1)).svg
    boxes = []
    for card in by_class(svg, "card"):
        x, y = map(float, re.findall(r"-?[\d.]+", card.get("transform")))
        frame = next(r for r in card.iter(SVG + "rect") if "frame" in r.get("class"))
        boxes.append((x, y, x + float(frame.get("width")), y + float(frame.get("height"))))
    assert len(boxes) > 20
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


@pytest.mark.skipif(shutil.which("dot") is None, reason="the system has no Graphviz")
@pytest.mark.parametrize("style", ["card", "circuit"])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_the_systems_dot_gives_the_same_structure(network, monkeypatch, style, direction):
    y = network(2, 2, 1)
    y.backward()

    def structure(svg):
        root = ET.fromstring(svg)
        return [(e.tag, e.get("id"), e.get("class"), e.text) for e in root.iter()]

    ours = structure(draw(y, style=style, direction=direction).svg)
    monkeypatch.setattr(_layout, "layout_program", lambda: shutil.which("dot"))
    assert structure(draw(y, style=style, direction=direction).svg) == ours


def test_importing_viz_loads_no_drawing_package():
    heavy = {"graphviz", "matplotlib", "numpy"}
    code = f"import sys, viz, viz.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    assert done.stdout == "[]\n"
