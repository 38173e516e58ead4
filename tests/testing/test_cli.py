"""The commands check and certify: verdicts, exit codes, one line per mistake, JSON by schema."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.testing.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checking.md").read_text("utf-8")
SCHEMAS = {
    schema["title"]: schema
    for schema in map(json.loads, re.findall(r"```json\n(\{.*?\n\})\n```", PAGE, re.DOTALL))
}

BOWL = """\
import math
import autograd as ag

def f(x, y):
    return ag.sin(x) * y + x**2

def df(x, y):
    return math.cos(x) * y + 2 * x, math.sin(x)

def flipped(x, y):
    return math.cos(x) * y + 2 * x, -math.sin(x)

def sometimes(x, y):
    return math.cos(x) * y + 2 * x, math.sin(x) if x > 0 else 0.5

def root(x):
    return math.sqrt(x)

def root_slope(x):
    return 0.5 / math.sqrt(x)

def steps(x, n: int = 2):
    for _ in range(n):
        x = ag.cos(x)
    return x

def switch(x):
    return x * x if x > 1.0 else 3.0 * x

def switch_slope(x):
    return 2 * x if x > 1.0 else 3.0

def mixed(x, y):
    return ag.log(x) + y * y if x < 0 else ag.sqrt(x) + y * y

def huge(x):
    return ag.exp(x)

def relu(x):
    return ag.relu(x)

def half(x):
    return 0.5

def total(w):
    return sum(v * v for v in w)

def twice(w):
    return [2 * v for v in w]

def fails(x):
    print("about to fail")
    return 1 / {}[x]

def fails_later(x):
    raise KeyError(x)

def leaves(x):
    raise SystemExit(0)

def lost(x):
    return (1.0 - ag.cos(x)) / (x * x)

def several(*xs):
    return xs[0]

def keyword(*, x):
    return x

def hasty(x, y):
    p = 1.0
    for v in (x, y):
        p = p * v
        if p == 0:
            break
    return p

def hasty_slopes(x, y):
    return y, x
"""

ARRAYS = """\
import numpy as np

print("loaded")

def f(w, b):
    return np.sum(np.tanh(w) * b)

def df(w, b):
    return b * (1 - np.tanh(w) ** 2), float(np.sum(np.tanh(w)))

def wrong(w, b):
    return b * (1 - np.tanh(w)), float(np.sum(np.tanh(w)))
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    (tmp_path / "bowl.py").write_text(BOWL, "utf-8")
    (tmp_path / "arrays.py").write_text(ARRAYS, "utf-8")
    (tmp_path / "broken.py").write_text("def f(x):\n    return x +\n", "utf-8")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(0)\n", "utf-8")
    monkeypatch.chdir(tmp_path)

    def command(*words):
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return command


def as_json(out):
    content = json.loads(out, parse_constant=pytest.fail)
    conforms(content, SCHEMAS[content["format"]])
    return content


def conforms(x, schema, path="document"):
    """Hold a document against the part of JSON Schema that the page uses."""
    known = {"title", "description", "type", "const", "enum", "anyOf", "properties", "required"}
    assert set(schema) <= known | {"additionalProperties", "items", "minimum"}, path
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            try:
                return conforms(x, option, path)
            except AssertionError:
                continue
        raise AssertionError(f"{path}: {x!r} is none of {schema['anyOf']}")
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    if "type" in schema:
        assert isinstance(x, types[schema["type"]]), f"{path}: {x!r} is no {schema['type']}"
        assert not isinstance(x, bool) or schema["type"] == "boolean", path
    if "const" in schema:
        assert x == schema["const"], path
    if "enum" in schema:
        assert x in schema["enum"], path
    if "minimum" in schema:
        assert x >= schema["minimum"], path
    if isinstance(x, dict):
        assert set(schema.get("required", ())) <= set(x), f"{path}: {sorted(x)}"
        for key, entry in x.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            assert inner is not False, f"{path}.{key} is not in the schema"
            conforms(entry, inner, f"{path}.{key}")
    if isinstance(x, list):
        for i, entry in enumerate(x):
            conforms(entry, schema.get("items", {}), f"{path}[{i}]")
    return None


def test_the_schema_can_fail():
    schema = SCHEMAS["scalar-autograd check"]
    with pytest.raises(AssertionError):
        conforms({"format": "scalar-autograd check"}, schema)
    assert schema["additionalProperties"] is False


# -------------------------------------------------------------------------- check


def test_right(run):
    code, out, err = run("check", "bowl.py:f", "--against", "bowl.py:df", "--at", "x=1.2,y=3")
    assert (code, err) == (0, "")
    assert out.startswith("bowl.py:df: right\n")
    assert "0 undecided" in out


def test_wrong_says_where_and_how_to_see_it_again(run):
    words = ["check", "bowl.py:f", "--against", "bowl.py:flipped", "--at", "x=1.2,y=3"]
    code, out, err = run(*words)
    assert (code, err) == (1, "")
    assert "bowl.py:flipped: wrong" in out
    assert "derivative from flipped by y is wrong" in out
    again = re.search(r"scalar-autograd (check .*)", out)[1].replace('"', "").split()
    assert run(*again)[:2] == (code, out)


def test_orders(run):
    words = ["check", "bowl.py:f", "--at", "x=1.2,y=3", "--json"]
    counts = [as_json(run(*words, "--order", n)[1])["right"] for n in "123"]
    assert counts[0] < counts[1] < counts[2]
    assert as_json(run(*words)[1])["right"] == counts[1]
    words += ["--against", "bowl.py:df"]
    assert as_json(run(*words)[1])["right"] == counts[0] + 2
    assert as_json(run(*words, "--order", "3")[1])["right"] == counts[2] + 2


def test_json_of_each_verdict(run):
    words = ["check", "bowl.py:f", "--json", "--at", "x=1.2,y=3"]
    code, out, _ = run(*words, "--against", "bowl.py:df")
    content = as_json(out)
    assert (code, content["verdict"], content["mismatch"]) == (0, "right", None)
    assert content["right"] > 0
    code, out, _ = run(*words, "--against", "bowl.py:flipped")
    content = as_json(out)
    assert (code, content["verdict"], content["wrong"]) == (1, "wrong", 1)
    assert content["mismatch"]["at"] == {"x": 1.2, "y": 3.0}
    assert content["mismatch"]["argument"] == "y"
    assert content["mismatch"]["analytic"] == -content["mismatch"]["reference"]
    code, out, _ = run("check", "bowl.py:huge", "--json", "--at", "x=1e4")
    content = as_json(out)
    assert (code, content["verdict"], content["right"]) == (2, "undecided", 0)


def test_json_of_kinks_and_of_numbers_that_are_not_finite(run):
    code, out, _ = run(
        "check", "bowl.py:relu", "--against", "bowl.py:half", "--at", "x=0", "--json"
    )
    content = as_json(out)
    assert code == 0
    assert content["kinks"] == [{"operation": "relu(0.0) (operation 1)", "distance": 0.0}]
    code, out, _ = run("check", "bowl.py:f", "--json", "--at", "x=inf,y=nan")
    assert as_json(out)["verdict"] == "undecided"
    assert code == 2


def test_random_points_count_and_repeat(run):
    words = ["check", "bowl.py:f", "--against", "bowl.py:sometimes", "--random", "40", "--json"]
    code, out, err = run(*words)
    content = as_json(out)
    assert (code, err, content["points"]) == (1, "", 40)
    assert 0 < content["wrong"] < 40
    assert run(*words)[1] == out
    assert run(*words, "--seed", "1")[1] != out
    code, out, _ = run(*words, "--range", "x=0.5..2")
    assert (code, as_json(out)["wrong"]) == (0, 0)


def test_points_outside_the_domain_are_counted(run):
    words = ["check", "bowl.py:root", "--against", "bowl.py:root_slope", "--random", "30"]
    code, out, _ = run(*words, "--json")
    content = as_json(out)
    assert code == 0
    assert content["points"] + content["outside"] == 30
    assert content["outside"] > 5
    assert "not defined at" in run(*words)[1]
    code, out, _ = run(*words, "--range", "x=-2..-1")
    assert code == 2
    assert "undecided: the function is not defined at any of 30 points" in out


def test_whole_numbers_lists_arrays_and_defaults(run):
    assert run("check", "bowl.py:steps", "--at", "x=1,n=3")[0] == 0
    assert run("check", "bowl.py:steps", "--at", "x=1")[0] == 0
    words = ["check", "bowl.py:total", "--against", "bowl.py:twice"]
    assert run(*words, "--at", "w=[1, -2, 3]")[0] == 0
    assert run(*words, "--random", "5", "--range", "w[3]=-1..1")[0] == 0
    words = ["check", "arrays.py:f", "--json", "--against"]
    code, out, err = run(*words, "arrays.py:df", "--at", "w=[[1,2],[3,4]]", "--at", "b=-2")
    assert (code, err) == (0, "loaded\n")  # what the file prints is no part of the JSON
    assert as_json(out)["verdict"] == "right"
    code, out, _ = run(*words, "arrays.py:wrong", "--random", "3", "--range", "w[2,2]=-1..1")
    content = as_json(out)
    assert (code, content["mismatch"]["argument"]) == (1, "w[0, 0]")
    assert [len(row) for row in content["mismatch"]["at"]["w"]] == [2, 2]


def test_what_is_undecided_does_not_pass_unless_it_may(run):
    words = ["check", "bowl.py:mixed", "--at", "x=0,y=1", "--json"]
    code, out, _ = run(*words)
    content = as_json(out)
    assert (code, content["verdict"]) == (2, "undecided")
    assert sum(content["undecided_by"].values()) == content["undecided"] > 0
    assert content["right"] > 0
    assert run(*words, "--allow-undecided")[0] == 0
    assert "undecided: " in run(*words[:-1])[1]


def test_kinks_and_ties_are_listed(run):
    assert run("check", "bowl.py:relu", "--at", "x=0")[0] == 0
    words = ["check", "bowl.py:switch", "--against", "bowl.py:switch_slope", "--at", "x=1"]
    code, out, _ = run(*words, "--json")
    (tie,) = as_json(out)["ties"]
    assert code == 2
    assert tie["comparison"].startswith("1.0 > 1.0")
    assert "equal numbers compared: 1.0 > 1.0" in run(*words)[1]


def test_a_gradient_by_hand_is_not_blamed_for_ours(run):
    """The recorded product stops at 0, and its derivative by the library is wrong there."""
    at = ["--at", "x=0,y=3"]
    assert run("check", "bowl.py:hasty", *at)[0] == 1
    code, out, _ = run("check", "bowl.py:hasty", "--against", "bowl.py:hasty_slopes", *at)
    assert code == 0
    assert "this library's own derivative is wrong at this point" in out
    code, out, _ = run("check", "bowl.py:hasty", "--against", "bowl.py:sometimes", *at)
    assert (code, "derivative from sometimes by y" in out) == (1, True)


def test_a_pass_by_differences_is_no_exact_one(run):
    words = ["check", "bowl.py:root", "--against", "bowl.py:root_slope", "--at", "x=2"]
    content = as_json(run(*words, "--json")[1])
    assert content["exact"] is False
    assert 0 < content["unseen"] < 1e-9
    assert "would have gone unseen" in run(*words)[1]
    assert as_json(run("check", "bowl.py:huge", "--at", "x=1", "--json")[1])["exact"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("check", "the following arguments are required: FILE.py:FUNCTION"),
        ("check bowl.py", "expected path/to/file.py:function, found 'bowl.py'"),
        ("check nowhere.py:f --at x=1", "there is no file nowhere.py"),
        ("check bowl.py:nothing --at x=1", "bowl.py has no function nothing"),
        ("check broken.py:f --at x=1", "broken.py failed at line 2: SyntaxError"),
        ("check exits.py:f --at x=1", "exits.py failed at line 2: SystemExit: 0"),
        ("check bowl.py:f --at x=1", "y has no value: add --at y=NUMBER"),
        ("check bowl.py:f --at x=1,y=2,z=3", "z is not an argument of bowl.py:f; those are x, y"),
        ("check bowl.py:f --at x=1,x=2", "--at: x is given twice"),
        ("check bowl.py:f --at x", "--at: expected name=value, found 'x'"),
        ("check bowl.py:f --at x=__import__('os'),y=1", "neither a number nor a list of numbers"),
        ("check bowl.py:f --at x=[1,y=2", "has a [ that does not close"),
        ("check bowl.py:f --at x=1],y=2", "has a ] that opens nowhere"),
        ("check bowl.py:total --at w=[1,True]", "neither a number nor a list of numbers"),
        ("check bowl.py:steps --at x=1,n=2.5", "n is annotated as int, and 2.5 is none"),
        ("check bowl.py:f --random 0", "--random must be at least 1, not 0"),
        ("check bowl.py:f --random 5 --range x=3", "expected x=LOW..HIGH"),
        ("check bowl.py:f --random 5 --range x=3..1", "is no range of numbers from low to high"),
        ("check bowl.py:f --random 5 --range x=nan..1", "is no range of numbers from low to high"),
        ("check bowl.py:f --random 5 --range x[0]=0..1", "holds 0 numbers, of 1 to 10,000"),
        ("check bowl.py:f --range x=0..1 --at y=1", "--range is for --random"),
        ("check bowl.py:f --random 5 --range x=0..1 --at x=1", "both by --at and by --range"),
        ("check bowl.py:f --at x=1,y=2 --order 4", "--order: invalid choice: 4"),
        ("check bowl.py:f --bogus", "unrecognized arguments: --bogus"),
        ("check bowl.py:fails --at x=1", "failed at x=1.0: bowl.py at line 53: KeyError: 1.0"),
        ("check bowl.py:leaves --at x=1", "failed at x=1.0: bowl.py at line 59: SystemExit: 0"),
        (
            "check bowl.py:root --at x=-1",
            "is not defined at x=-1.0: bowl.py at line 17: ValueError",
        ),
        ("check bowl.py:root --at x=4", "root does not run on Values"),
        (
            "check bowl.py:huge --against bowl.py:fails_later --at x=1",
            "bowl.py at line 56: KeyError",
        ),
        ("check bowl.py:huge --against bowl.py:twice --at x=1", "nothing to judge at x=1.0"),
        ("check bowl.py:several --at x=1", "whose arguments have no names"),
        ("check bowl.py:keyword --at x=1", "takes x by keyword only"),
        (
            "check bowl.py:f --library torch --against bowl.py:df --at x=1,y=2",
            "leave --against out",
        ),
        ("check arrays.py:f --at w=[[1,2],[3]],b=1", "w is no array: its rows differ in length"),
        ("certify bowl.py:root --at x=4", "root does not run on Values"),
        ("certify bowl.py:f --at x=4", "y has no value"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, words, says):
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    line = err.splitlines()[-1]  # a file may print lines of its own
    assert line.startswith("scalar-autograd: ")
    assert says in line
    assert "Traceback" not in err


def test_progress_is_for_terminals(run, monkeypatch):
    words = ["check", "bowl.py:huge", "--random", "3"]
    assert run(*words)[2] == ""
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    assert run(*words)[2].endswith("\r3 of 3 points, 0 wrong\n")


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries_from_the_command_line(run, tmp_path, library):
    module = {"torch": "torch", "jax": "jax.numpy"}[library]
    pytest.importorskip(library)
    path = tmp_path / "other.py"
    path.write_text(
        f"import {module} as m\nimport autograd as ag\n"
        "def f(x, w):\n    return (m.sin(w) * x).sum()\n"
        "def truth(x, w):\n    return sum(ag.sin(v) * x for v in w)\n"
        "def untruth(x, w):\n    return sum(ag.cos(v) * x for v in w)\n",
        "utf-8",
    )
    words = ["check", "other.py:f", "--library", library, "--at", "x=2,w=[1,2]", "--json"]
    code, out, _ = run(*words, "--order", "2")
    assert (code, as_json(out)["verdict"]) == (0, "right")
    code, out, _ = run(*words, "--reference", "other.py:truth")
    assert as_json(out)["method"].startswith("the operations' definitions")
    code, _, err = run(*words, "--reference", "other.py:untruth")
    assert code == 2
    assert "reference= is another function than f" in err


# -------------------------------------------------------------------------- certify


def test_certify_is_a_table_and_json(run):
    code, out, err = run("certify", "bowl.py:lost", "--at", "x=1e-6")
    assert (code, err) == (0, "")
    rows = [line.split()[:3] for line in out.splitlines()]
    assert rows[0] == ["number", "value", "reference"]
    assert [line.split("  ")[0] for line in out.splitlines()[1:]] == ["value", "by x", "by x twice"]
    code, out, _ = run("certify", "bowl.py:lost", "--at", "x=1e-6", "--json")
    content = as_json(out)
    assert content["value"]["digits"] < 5
    assert content["value"]["blame"].startswith("sub(1.0,")
    assert [x["name"] for x in content["second"]] == ["by x twice"]
    assert as_json(run("certify", "bowl.py:huge", "--at", "x=1e4", "--json")[1])["value"] == {
        "name": "value",
        "value": "inf",
        "reference": "inf",
        "digits": None,
        "blame": "exp(10000.0) = inf (node 2)",
    }


def test_certify_can_demand_digits(run):
    assert run("certify", "bowl.py:lost", "--at", "x=1e-6", "--digits", "10")[0] == 1
    assert run("certify", "bowl.py:f", "--at", "x=1.2,y=3", "--digits", "10")[0] == 0
    assert run("certify", "bowl.py:huge", "--at", "x=1e4", "--digits", "10", "--order", "1")[0] == 2


# -------------------------------------------------------------------------- entry points


def test_the_console_script_hands_both_commands_on(run, tmp_path):
    from viz.cli import main as console

    words = ["check", "bowl.py:f", "--against", "bowl.py:flipped", "--at", "x=1.2,y=3"]
    assert console(words) == 1
    assert console(["certify", "bowl.py:f", "--at", "x=1.2,y=3"]) == 0


def test_it_runs_as_a_module_without_pictures(tmp_path):
    (tmp_path / "bowl.py").write_text(BOWL, "utf-8")
    words = [sys.executable, "-m", "autograd.testing", "check", "bowl.py:f", "--at", "x=1,y=2"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("the derivatives of bowl.py:f: right")
