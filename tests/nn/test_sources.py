"""Networks as programs: run in a Python of their own to the bit, and in Node."""

import ast
import doctest
import json
import math
import random
import shutil
import subprocess
import sys

import pytest

import nn
from autograd import Primitive, register
from autograd._primitive import unregister
from nn._architecture import activations

ONE_ARGUMENT = sorted(activations())


def net(sizes=(3, 1), inputs=2, **keywords):
    return nn.MLP(inputs, list(sizes), rng=random.Random(1), **keywords)


def run(text, question):
    """Return what a Python without this package prints, after running the text as a module."""
    program = f"{text}\nimport sys\nassert 'autograd' not in sys.modules\n{question}\n"
    command = [sys.executable, "-I", "-c", program.replace("__main__", "nobody")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.stdout


def tried(text, tmp_path):
    """Return the results of the doctests in the text, run as a script."""
    path = tmp_path / "network.py"
    path.write_text(text, encoding="utf-8")
    ran = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.stdout


NETWORKS = [
    net(),
    net((4, 2), activation="tanh", output_activation="sigmoid"),
    net((3, 3), activation="gelu", bias=False),
    net((3, 3), activation=[["elu", "identity", "softplus"], ["exp", "identity", "silu"]]),
    net((5, 5, 1), inputs=1, activation="leaky_relu"),
    net((30, 2), inputs=12, activation="log_sigmoid"),
    net((2, 1), inputs=2, init="zero", output_activation="log"),
]


@pytest.mark.parametrize("model", NETWORKS, ids=lambda m: str(m.architecture()))
def test_the_python_gives_the_bits_of_the_network(model, tmp_path):
    rng = random.Random(2)
    rows = [[rng.gauss(0.0, 3.0) for _ in model.layers[0].neurons[0].w] for _ in range(20)]
    wanted = [nn.predict(model, [row])[0] for row in rows]
    assert run(model.to_python(), f"print([predict(row) for row in {rows}])") == f"{wanted}\n"
    assert tried(model.to_python(), tmp_path) == "TestResults(failed=0, attempted=3)\n"
    given = model.to_python("other_name", rows)
    assert tried(given, tmp_path) == "TestResults(failed=0, attempted=20)\n"
    assert f"other_name({rows[0]})\n    {wanted[0]!r}" in given


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_every_activation_can_be_written(name):
    model = net((4, 1), activation=name)
    row = [0.3, -0.2]
    assert run(model.to_python(), f"print(predict({row}))") == f"{model(row).data!r}\n"


def test_the_doctests_would_see_another_bit(tmp_path):
    model = net()
    weight = model.parameters()[0].data
    text = model.to_python().replace(repr(weight), repr(math.nextafter(weight, 9.0)))
    results = tried(text, tmp_path)
    assert "Expected:" in results
    assert results.endswith("attempted=3)\n")


def test_a_large_network_is_a_table_and_a_loop():
    small, large = net((3, 1)), net((300, 10), inputs=100)
    texts = small.to_python(), large.to_python()
    statements = [
        sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text))) for text in texts
    ]
    assert statements[0] == statements[1]  # more numbers, not more statements
    assert len(texts[1]) < 25 * len(large.parameters())
    assert "predict([((k * 7 + 7) % 19 - 9) / 10 for k in range(100)])" in texts[1]
    assert max(map(len, texts[1].splitlines())) < 250
    script = large.to_javascript()
    assert script.count("=>") == small.to_javascript().count("=>")


def test_the_wrong_number_of_inputs_is_refused_there_too():
    question = "try:\n    predict([1.0])\nexcept ValueError as error:\n    print(error)"
    assert run(net().to_python(), question) == "predict takes 2 numbers, got 1\n"


@pytest.mark.parametrize("way", ["to_python", "to_javascript"])
def test_what_can_not_be_written_is_refused(way):
    for name in ("", "a b", "1a", "f(", "x;y", "_hidden", "ünder", "class", "a\n", None, "a'"):
        with pytest.raises(ValueError, match=f"{way}: name must be one for a function, not"):
            getattr(net(), way)(name)
    with pytest.raises(ValueError, match="no plain MLP"):
        getattr(net(activation=lambda x: x), way)()
    broken = net()
    broken.parameters()[3].data = math.inf
    with pytest.raises(ValueError, match=r"'layers\.0\.neurons\.1\.w\.0' is inf"):
        getattr(broken, way)()
    with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
        getattr(net(), way)(inputs=[[1.0]])
    twice = Primitive("twice", lambda x: 2.0 * x, (lambda out, x: 2.0,), domain=((0.0, 1.0),))
    register(twice)
    try:
        with pytest.raises(ValueError, match="'twice' has no text"):
            getattr(net(activation=twice), way)()
    finally:
        unregister("twice")


@pytest.mark.parametrize("name", ["print", "doctest", "zip", "None", "match", "value_relu"])
def test_names_that_python_needs_are_refused(name):
    with pytest.raises(ValueError, match=r"name"):
        net().to_python(name)


@pytest.mark.parametrize("name", ["function", "Math", "eval", "module"])
def test_names_that_javascript_needs_are_refused(name):
    with pytest.raises(ValueError, match=r"name must be"):
        net().to_javascript(name)


def test_nothing_of_the_users_text_is_in_it():
    model = net(name='"""\n</script>`${1}` \\')
    for text in (model.to_python(), model.to_javascript()):
        assert "</script>" not in text
        assert "\\" not in text
    parser = doctest.DocTestParser()
    assert len(parser.get_examples(model.to_python())) == 3


@pytest.fixture(scope="module")
def node():
    """Return a function that runs a script in Node and gives what it printed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("there is no Node")

    def run_script(text):
        ran = subprocess.run([program, "-"], input=text, capture_output=True, text=True)
        assert ran.stderr == ""
        return json.loads(ran.stdout)

    return run_script


def numbers(output):
    """Return a JSON value with what JSON has no word for, as text, made floats again."""
    return list(map(float, output if isinstance(output, list) else [output]))


SAID = "(x) => JSON.stringify(x, (k, v) => typeof v === 'number' ? String(v) : v)"


@pytest.mark.parametrize("model", NETWORKS, ids=lambda m: str(m.architecture()))
def test_the_javascript_agrees(model, node):
    rng = random.Random(2)
    rows = [[rng.gauss(0.0, 1.0) for _ in model.layers[0].neurons[0].w] for _ in range(20)]
    text = model.to_javascript("score")
    found = node(f"{text}\nconsole.log(({SAID})([{rows}.map(score), score.examples]))")
    for output, row in zip(found[0], rows, strict=True):
        wanted = numbers(nn.predict(model, [row])[0])
        assert numbers(output) == pytest.approx(wanted, rel=1e-12, abs=1e-13, nan_ok=True)
    assert len(found[1]) == 3
    for row, output in found[1]:
        wanted = numbers(nn.predict(model, [list(map(float, row))])[0])
        assert numbers(output) == pytest.approx(wanted, rel=0.0, abs=0.0, nan_ok=True)


def test_every_activation_can_be_written_in_javascript(node):
    row = [0.3, -0.2]
    models = [net((4, 1), activation=name) for name in ONE_ARGUMENT]
    script = "".join(f"{m.to_javascript(f'f{i}')}\n" for i, m in enumerate(models))
    calls = ", ".join(f"f{i}({row})" for i in range(len(models)))
    found = node(f"{script}\nconsole.log(({SAID})([{calls}]))")
    for name, model, output in zip(ONE_ARGUMENT, models, found, strict=True):
        wanted = model(row).data
        assert float(output) == pytest.approx(wanted, rel=1e-11, nan_ok=True), name


def test_relu_networks_give_the_same_bits_in_javascript(node):
    model = net((6, 4, 1))
    rows = [[random.Random(i).gauss(0.0, 1.0) for _ in range(2)] for i in range(30)]
    found = node(f"{model.to_javascript()}\nconsole.log(JSON.stringify({rows}.map(predict)))")
    assert [x.hex() for x in map(float, found)] == [model(row).data.hex() for row in rows]
    refused = (
        f"{model.to_javascript()}\n"
        "try { predict([1]) } catch (error) { console.log(JSON.stringify(error.message)) }"
    )
    assert node(refused) == "predict takes 2 numbers, got 1"
