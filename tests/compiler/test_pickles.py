"""Kernels in other processes: the function travels, programs only with the function they are of."""

import pickle
import subprocess
import sys
import textwrap

import cloudpickle
import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler import compile

SCALE = 2.0
WEIGHT = Value(3.0)


class Model:
    def __init__(self):
        self.w = Value(2.0)

    def parameters(self):
        return [self.w]

    def loss(self, x):
        return self.w * x


MODEL = Model()


def scaled(x):
    return x * SCALE * WEIGHT if x > 0.0 else -x


def of_the_model(x):
    return MODEL.w * x


def test_programs_travel_with_a_function_that_has_not_changed(monkeypatch):
    kernel = compile(scaled)
    assert [kernel(1.0), kernel(-1.0), kernel.grad(2.0)] == [6.0, 1.0, 6.0]
    data = pickle.dumps(kernel)
    twin = pickle.loads(data)
    assert twin.stats.paths == 3
    assert [twin(1.0), twin(-1.0), twin.grad(2.0)] == [6.0, 1.0, 6.0]
    assert twin.stats.paths == 3
    WEIGHT.data = 4.0  # found again by its place, so its number is read at each call
    try:
        assert [twin(1.0), kernel(1.0)] == [8.0, 8.0]
    finally:
        WEIGHT.data = 3.0
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    other = pickle.loads(data)
    assert other.stats.paths == 0
    assert other(1.0) == 15.0
    monkeypatch.setattr(scaled, "__code__", (lambda x: x * 7.0).__code__)
    other = pickle.loads(data)
    assert other.stats.paths == 0
    assert other(1.0) == 7.0
    data = pickle.dumps(other)
    monkeypatch.setattr(scaled, "__code__", (lambda x: x + 7.0).__code__)  # the same names
    other = pickle.loads(data)
    assert other.stats.paths == 0
    assert other(1.0) == 8.0


def test_a_kernel_in_another_process(tmp_path):
    module = tmp_path / "priced.py"
    module.write_text("import autograd\nSTRIKE = 2.0\ndef price(x):\n    return x * x - STRIKE\n")
    script = """
        import pickle, sys, priced, autograd
        kernel = pickle.load(open("kernel", "rb"))
        paths = kernel.stats.paths
        print(paths, kernel(3.0), kernel.grad(3.0))
    """
    make = """
        import pickle, priced, autograd
        kernel = autograd.compile(priced.price)
        kernel(1.0), kernel.grad(1.0)
        pickle.dump(kernel, open("kernel", "wb"))
    """

    def run(text):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(text)],
            cwd=tmp_path,
            env={"PYTHONPATH": ":".join([str(tmp_path), *filter(None, sys.path)]), "PATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    run(make)
    assert run(script) == ["2", "7.0", "6.0"]
    module.write_text("def price(x):\n    return 10.0 * x\n")  # another function of that name
    assert run(script) == ["0", "30.0", "10.0"]


def test_what_is_differentiated_by_stays_the_one_the_function_knows():
    kernel = compile(of_the_model, wrt=MODEL)
    assert kernel.value_and_grad(3.0) == (6.0, [3.0])
    twin = pickle.loads(pickle.dumps(kernel))
    before = MODEL.w.grad
    assert twin.value_and_grad(3.0) == (6.0, [3.0])
    assert MODEL.w.grad == before + 3.0
    stranger = Model()
    with pytest.raises(pickle.PicklingError, match="keep it in a global of the module"):
        pickle.dumps(compile(of_the_model, wrt=stranger))
    local = Model()
    nameless = compile(lambda x: local.w * x, wrt=local)
    assert nameless.value_and_grad(3.0) == (6.0, [3.0])
    for data in (pickle.dumps(nameless), cloudpickle.dumps(nameless)):
        twin = pickle.loads(data)
        assert twin.value_and_grad(5.0) == (10.0, [5.0])
        assert local.w.grad == 3.0


def test_lambdas_closures_and_arrays_travel_by_value():
    table = {"k": np.array([1.0, 2.0])}
    kernel = compile(lambda x: x * table["k"][1], in_axes=0)
    want = kernel(np.arange(3.0)).tolist()
    twin = pickle.loads(pickle.dumps(kernel))
    assert twin.stats.paths == 1
    assert twin(np.arange(3.0)).tolist() == want
    table["k"][1] = 5.0  # the other has its own
    assert kernel(np.ones(1)).tolist() == [5.0]
    assert twin(np.ones(1)).tolist() == [2.0]


def test_rows_in_lists_travel_and_are_saved(tmp_path):
    kernel = compile(lambda x: float(len(x + x)) * x[0] * x[1], in_axes=0)
    rows = [[1.0, 2.0], [3.0, 4.0]]
    want = kernel(rows).tolist()
    assert pickle.loads(pickle.dumps(kernel))(rows).tolist() == want
    kernel.save(tmp_path / "k.json")
    loaded = autograd.load_kernel(tmp_path / "k.json")
    assert loaded(rows).tolist() == want
    with pytest.raises(ValueError, match="another structure"):
        loaded(np.array(rows))


def test_only_the_present_state_is_saved(tmp_path):
    scale = 2.0
    kernel = compile(lambda x: x * scale)
    kernel(1.0)
    scale = 3.0
    assert kernel(1.0) == 3.0
    kernel.save(tmp_path / "k.json")
    assert autograd.load_kernel(tmp_path / "k.json")(1.0) == 3.0
