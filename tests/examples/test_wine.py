"""Wine: the table, the printed numbers, and the saved network judged by NumPy on raw columns."""

import re
import subprocess
import sys

import numpy as np
import pytest
import wine as example

import nn


def test_the_table_is_that_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = nn.load_csv(example.TABLE, target="cultivar")
    theirs = datasets.load_wine()
    assert x == theirs.data.tolist()
    assert y == [number + 1.0 for number in theirs.target.tolist()]


def test_from_the_table_to_a_saved_model(run, tmp_path):
    files = {name: tmp_path / f"wine{name}" for name in (".png", ".json", ".html", ".py")}
    text = run(
        example,
        *["-o", str(files[".png"]), "--save", str(files[".json"]), "--page", str(files[".html"])],
        *["--python", str(files[".py"])],
    )
    assert "saved 13-8-3 (tanh, identity)" in text
    _, x, _, y = example.data()
    net = nn.load(files[".json"])
    a = np.array(x)
    for layer, f in zip(net.layers, (np.tanh, lambda z: z), strict=True):
        weights = np.array([[w.data for w in n.w] for n in layer.neurons])
        a = f(a @ weights.T + np.array([n.b.data for n in layer.neurons]))
    said = a.argmax(axis=1)
    right = int((said == np.array(y)).sum())
    assert right >= 42
    assert f"held out: {right} of 44 right" in text
    matrix = [list(map(int, line.split())) for line in re.findall(r"^ +[\d ]+$", text, re.M)]
    pairs = list(zip(y, said.tolist(), strict=True))
    assert matrix == [[pairs.count((i, k)) for k in range(3)] for i in range(3)]
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", text)]
    assert losses[0] > losses[1] > losses[2] > 0.0
    assert files[".png"].stat().st_size > 5000
    page = files[".html"].read_text(encoding="utf-8")
    assert "play training" in page
    assert f"epoch {example.EPOCHS}" in page
    command = [sys.executable, "-I", str(files[".py"])]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "TestResults(failed=0, attempted=3)\n"


def test_raw_columns_give_what_standardised_ones_gave():
    x, _, y, _ = example.data()
    net = nn.MLP(13, [8, 3], activation="tanh", init="xavier")
    scale = nn.Standardizer().fit(x)
    wanted = nn.predict(net, scale(x[:5]))
    example.on_raw_columns(net, scale)
    for found, row in zip(nn.predict(net, x[:5]), wanted, strict=True):
        assert found == pytest.approx(row, rel=1e-9, abs=1e-12)
    assert set(y) == {0, 1, 2}
