import json
import math
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz import _layout
from viz.cli import main

NEURON = ["tanh(w1*x1 + w2*x2 + b)", "w1=-3", "x1=2", "w2=1", "x2=0", "b=6.8813735870195432"]


def run(capsys, *words):
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table(capsys):
    code, out, err = run(capsys, "draw", *NEURON)
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][:2] == ["name", "value"]
    numbers = {row[0]: (float(row[1]), float(row[2])) for row in rows[1:]}
    assert list(numbers) == ["w1", "x1", "w2", "x2", "b", "result"]
    slope = 1 - math.tanh(-6 + 6.8813735870195432) ** 2
    wanted = {"w1": 2, "x1": -3, "w2": 0, "x2": 1, "b": 1}
    for name, factor in wanted.items():
        assert numbers[name][1] == pytest.approx(factor * slope, rel=1e-12)
    assert numbers["result"][1] == 1.0


def test_json_says_the_same(capsys):
    code, out, _ = run(capsys, "draw", *NEURON, "--json")
    content = json.loads(out)
    assert code == 0
    assert content["result"] == math.tanh(-6 + 6.8813735870195432)
    assert content["variables"]["w1"] == {"value": -3.0, "derivative": pytest.approx(1.0)}


def test_json_is_strict_about_numbers(capsys):
    _, out, _ = run(capsys, "draw", "--json", "log(x)", "x=0")
    content = json.loads(out, parse_constant=pytest.fail)
    assert content["result"] == "-inf"


@pytest.mark.parametrize("suffix", ["svg", "png", "dot", "html", "json"])
def test_a_picture_is_written_by_suffix(capsys, tmp_path, suffix):
    path = tmp_path / f"neuron.{suffix}"
    code, _, err = run(capsys, "draw", *NEURON, "-o", str(path))
    assert (code, err) == (0, "")
    assert path.stat().st_size > 500


def test_options_may_stand_anywhere_and_expressions_begin_with_a_minus(capsys, tmp_path):
    path = str(tmp_path / "a.dot")
    for words in (["-o", path, "-x*2", "x=3"], ["-x*2", "-o", path, "x=3"], ["-x*2", "x=3"]):
        code, out, _ = run(capsys, "draw", *words)
        assert code == 0
        assert "-6.0" in out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["paint"],
        ["draw"],
        ["draw", "x"],
        ["draw", "x**", "x=1"],
        ["draw", "x+y", "x=1"],
        ["draw", "x", "x=1", "y=2"],
        ["draw", "foo(x)", "x=1"],
        ["draw", "x.y", "x=1"],
        ["draw", "x", "x=one"],
        ["draw", "x", "x=1", "--frobnicate"],
        ["draw", "x", "x=1", "-o"],
        ["draw", "x", "x=1", "-o", "picture.gif"],
        ["draw", "x", "x=1", "-o", "/nonexistent/folder/a.svg"],
        ["draw", "1+1"],
        ["draw", "1" * 10_000_000],
        ["draw", "(" * 10_000 + "x" + ")" * 10_000, "x=1"],
        ["draw", "-" * 10_000 + "x", "x=1"],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_mistakes_end_in_one_line_and_code_2(capsys, words):
    code, out, err = run(capsys, *words)
    assert code == 2
    assert out == ""
    assert err.startswith("scalar-autograd: error: ")
    assert err.count("\n") == 1
    assert len(err) < 500


def test_no_layout_program_is_one_line_and_no_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(_layout, "layout_program", lambda: None)
    code, _, err = run(capsys, "draw", "x*x", "x=1", "-o", str(tmp_path / "a.svg"))
    assert code == 2
    assert "graphviz-pure" in err
    assert list(tmp_path.iterdir()) == []
    code, _, _ = run(capsys, "draw", "x*x", "x=1", "-o", str(tmp_path / "a.dot"))
    assert code == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=20), max_size=4))
def test_any_arguments_end_in_a_result_or_one_line(words):
    words = ["draw", *(word for word in words if word not in ("-o", "--output", "-h", "--help"))]
    with open(os.devnull, "w", encoding="utf-8") as sink:
        out, sys.stdout = sys.stdout, sink
        err, sys.stderr = sys.stderr, sink
        try:
            code = main(words)
        except SystemExit as stop:
            code = stop.code
        finally:
            sys.stdout, sys.stderr = out, err
    assert code in (0, 2)


def test_python_m_viz_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "viz", "draw", "x**2", "x=3"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split() == ["x", "3.0", "6.0"]


SCRIPT = """
from helper import shift
from autograd import tanh

def neuron(w, x, b=0.5):
    total = w * x + shift(b)
    if total > 1:
        total = total * 2
    return tanh(total)

def broken(x):
    return x / undefined

def plain(x):
    return 3.0

NOT_A_FUNCTION = 3
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helper.py").write_text("def shift(b):\n    return b - 1.0\n")
    path = tmp_path / "mine.py"
    path.write_text(SCRIPT)
    return path


def test_a_function_of_ones_own_script_is_drawn(capsys, script, tmp_path):
    path = tmp_path / "out.svg"
    words = [f"{script}:neuron", "w=0.5", "x=0.25", "b=1.5", "-o", str(path), "--json"]
    code, out, err = run(capsys, "draw", *words)
    assert (code, err) == (0, "")
    content = json.loads(out)
    assert content["result"] == pytest.approx(math.tanh(0.625))
    assert content["variables"]["w"]["derivative"] == pytest.approx(
        0.25 * (1 - math.tanh(0.625) ** 2)
    )
    assert path.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("name", "bindings", "says"),
    [
        ("neuron", ["w=1"], "missing a required argument: 'x'"),
        ("neuron", ["w=1", "x=1", "q=1"], "unexpected keyword argument 'q'"),
        ("broken", ["x=1"], "at line 12: NameError"),
        ("plain", ["x=1"], "returned float"),
        ("missing", ["x=1"], "has no function missing"),
        ("NOT_A_FUNCTION", ["x=1"], "has no function"),
    ],
)
def test_mistakes_in_a_script_are_one_line(capsys, script, name, bindings, says):
    code, out, err = run(capsys, "draw", f"{script}:{name}", *bindings)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


def test_a_script_that_does_not_run_is_one_line(capsys, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("x = 1\ndef f(:\n")
    for source, says in ((path, "at line 2: SyntaxError"), (tmp_path / "no.py", "no file")):
        code, _, err = run(capsys, "draw", f"{source}:f", "x=1")
        assert code == 2
        assert says in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("form", "says"),
    [("text", "w1 → "), ("markdown", "### "), ("latex", r"\begin{align*}")],
)
def test_explain(capsys, form, says):
    code, out, _ = run(capsys, "explain", *NEURON, "--wrt", "w1", "--format", form)
    assert code == 0
    assert says in out


def test_explain_needs_to_know_the_variable(capsys):
    assert run(capsys, "explain", "x**2", "x=3")[1].splitlines()[0] == "∂result/∂x = 6"
    for words in (["x*y", "x=1", "y=2"], ["x*y", "x=1", "y=2", "--wrt", "z"]):
        code, _, err = run(capsys, "explain", *words)
        assert code == 2
        assert "there are x, y" in err


def test_quiz(capsys, tmp_path):
    path = tmp_path / "quiz.html"
    code, out, _ = run(capsys, "quiz", *NEURON, "-o", str(path))
    assert code == 0
    assert out.count("= ?") == 6
    assert "<html" in path.read_text(encoding="utf-8")
    answered = run(capsys, "quiz", *NEURON, "--answers")[1]
    assert "?" not in answered
    assert run(capsys, "quiz", *NEURON, "--seed", "5")[1] != out


def test_open_shows_the_file_in_the_browser(capsys, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(capsys, "draw", "x*x", "x=1", "-o", str(tmp_path / "a.svg"), "--open")
    run(capsys, "draw", "x*x", "x=1", "--open")
    assert opened[0] == (tmp_path / "a.svg").as_uri()
    assert opened[1].endswith("picture.html")


def test_help_is_help(capsys):
    code, out, _ = run(capsys, "draw", "--help")
    assert code == 0
    assert "NAME=VALUE" in out
