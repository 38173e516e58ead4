import json

from autograd import Value
from viz import draw, name
from viz._snapshot import Snapshot
from viz._tree import DEEPEST


def test_the_tree(small):
    assert draw(small).text.splitlines() == [
        "e = c × d = 6, gradient 1",
        "├─ c = a + b = 3, gradient 2 (local derivative 2)",
        "│  ├─ a = 2, gradient 2 (local derivative 1)",
        "│  └─ b = 1, gradient 5 (local derivative 1)",
        "└─ d = b + 1 = 2, gradient 3 (local derivative 3)",
        "   └─ b (see above)",
    ]


def test_a_collapsed_tree(network):
    y = network(2, 2, 1)
    lines = draw(y, collapse="all").text.splitlines()
    assert lines[0].startswith("h21 [layer2 (8 nodes)] = 0.")
    assert lines[1].startswith("└─ layer1 (16 nodes) = ")


def test_a_deep_tree_stays_narrow():
    y = Value(1.0)
    for _ in range(1500):
        y = y + 1.0
    lines = draw(y).text.splitlines()
    assert len(lines) == 1501
    assert max(map(len, lines)) < 3 * DEEPEST + 80
    assert lines[-1].startswith("(1500) v0 = 1")


def test_json_has_every_number(small):
    data = json.loads(draw(small).json)
    snapshot = Snapshot(small)
    assert [node["value"] for node in data["nodes"]] == [n.value for n in snapshot.nodes]
    assert [node["gradient"] for node in data["nodes"]] == list(snapshot.gradients)
    assert data["nodes"][3]["operands"] == [{"node": 1, "partial": 1.0}, {"constant": 1.0}]
    assert data["root"] == 4


def test_json_has_no_bare_infinity():
    y = Value(0.0).log()
    text = draw(y).json
    data = json.loads(text, parse_constant=lambda word: pytest_fail(word))
    assert data["nodes"][1]["value"] == "-inf"
    assert data["nodes"][1]["gradient"] is None


def pytest_fail(word):
    raise AssertionError(word)


def test_name_labels_what_has_no_label():
    x, w, b = Value(1.0, "kept"), Value(2.0), Value(3.0)
    deep = {"k": [Value(4.0)]}
    cycle = []
    cycle.append(cycle)
    name(first=x, w=[w, (b, 5)], deep=deep, other=w, cycle=cycle, number=3)
    assert [x.label, w.label, b.label, deep["k"][0].label] == [
        "kept", "w[0]", "w[1][0]", "deep['k'][0]",
    ]  # fmt: skip


def test_name_takes_locals():
    def build():
        slope, shift = Value(2.0), Value(1.0)
        result = slope * 3.0 + shift
        name(**locals())
        return result

    assert draw(build()).text.splitlines()[0] == "result = v1 + shift = 7"
