"""Kernels that travel: pickles, JSON files, code on disk, other processes, other machines."""

import json
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import autograd
from autograd.compiler import compile, load_kernel
from autograd.compiler._execute import Batch, Code, Options, Point
from autograd.compiler.arguments import Rows
from autograd.compiler.files import FORMAT, VERSION
from autograd.compiler.native import Layout, Target, assembly, lower, machine_code
from autograd.compiler.program import Program
from autograd.documents import read_document, write_document


def f(x, table):
    if x > table["a"][0]:
        return x * table["a"][0]
    return autograd.sin(x) - table["b"]


TABLE = {"a": (0.5, 3), "b": 2.0}
X = np.linspace(-2.0, 2.0, 41)


def made(**more):
    return compile(f, wrt=(0, 1), in_axes=(0, None), **more)


def same(found, expected):
    return np.array_equal(found[0], expected[0]) and np.array_equal(
        found[1][1]["b"], expected[1][1]["b"]
    )


@pytest.fixture
def expected():
    return made().value_and_grad(X, TABLE)


# ---------------------------------------------------------------------------------- pickles


def test_a_pickled_kernel_computes_the_same_and_goes_on_recording(expected):
    kernel = made()
    kernel.value_and_grad(X[:3], TABLE)
    twin = pickle.loads(pickle.dumps(kernel))
    assert twin.stats.paths == 1
    assert same(twin.value_and_grad(X, TABLE), expected)
    assert twin.stats.paths == 2
    assert pickle.loads(pickle.dumps(made())).value_and_grad(X, TABLE)[0].shape == X.shape


def test_a_kernel_of_a_nameless_function_travels_with_it_or_not_at_all(monkeypatch):
    kernel = compile(lambda x: x * x if x > 0.0 else -x)
    assert kernel(3.0) == 9.0
    twin = pickle.loads(pickle.dumps(kernel))
    assert twin.stats.paths == 1
    assert [twin(4.0), twin(-4.0)] == [16.0, 4.0]
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(pickle.PicklingError, match="no name by which"):
        pickle.dumps(kernel)


def test_parameters_are_pickled_with_the_kernel():
    model = Model()
    kernel = compile(model.loss, wrt=model)
    kernel.value_and_grad(3.0)
    twin, copy = pickle.loads(pickle.dumps((kernel, model)))
    copy.w.data = 10.0
    assert twin.value_and_grad(3.0) == (30.0, [3.0])
    assert copy.w.grad == 3.0 + 3.0  # what it came with, and the new one
    assert model.w.grad == 3.0


class Model:
    def __init__(self):
        self.w = autograd.Value(2.0)

    def parameters(self):
        return [self.w]

    def loss(self, x):
        return self.w * x


# ------------------------------------------------------------------------------------- JSON


@pytest.fixture
def saved(tmp_path):
    kernel = made()
    kernel.value_and_grad(X, TABLE)
    kernel(X, TABLE)
    path = tmp_path / "kernel.json"
    kernel.save(path)
    return path


def test_a_saved_kernel_computes_the_same_without_the_function(saved, expected):
    kernel = load_kernel(saved)
    assert same(kernel.value_and_grad(X, TABLE), expected)
    assert np.array_equal(kernel(X, TABLE), expected[0])
    assert "f>" in repr(kernel)
    with pytest.raises(ValueError, match="another structure"):
        kernel.value_and_grad(X, {"a": (0.5, 4), "b": 2.0})
    again = saved.with_name("again.json")
    kernel.save(again)
    assert json.loads(again.read_text()) == json.loads(saved.read_text())


def test_arrays_lists_and_captured_values_are_saved(tmp_path):
    c = autograd.Value(2.0)
    kernel = compile(lambda x, y: [c * x[0, 1], y[1] * x[1, 0]])
    args = np.array([[1.0, 2.0], [3.0, 4.0]]), [5, 6.0, None]
    want = kernel(*args)
    kernel.save(tmp_path / "k.json")
    assert load_kernel(tmp_path / "k.json")(*args) == want
    axis = compile(lambda x: x[0] * x[1], in_axes=1)
    want = axis(args[0])
    axis.save(tmp_path / "k.json")
    assert np.array_equal(load_kernel(tmp_path / "k.json")(args[0]), want)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"sin"', '"cos"', "altered"),
        ('"version": 2', '"version": 3', "version 3"),
        ('"format": "', '"format": "x', "not a file of scalar-autograd kernel"),
        ("", "", "truncated"),
    ],
)
def test_damaged_files_are_refused(saved, old, new, message):
    text = saved.read_text()
    damaged = text.replace(old, new)
    if message == "truncated":
        damaged = text[:-20]
    assert damaged != text
    saved.write_text(damaged)
    with pytest.raises(ValueError, match=message):
        load_kernel(saved)


def rehash(saved, change):
    """Alter the file and give it a right hash again, as somebody hostile would."""
    kernel = read_document(saved, FORMAT, VERSION)
    change(kernel)
    write_document(saved, FORMAT, VERSION, kernel)


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k["families"][0]["paths"][0]["program"]["code"].append(["system", 0]),
        lambda k: k["families"][0]["paths"][0]["program"]["code"].append(["sin", 99]),
        lambda k: k["families"][0]["paths"][0]["program"]["code"].append(["sin", 0, 0]),
        lambda k: k["families"][0]["paths"][0]["program"]["outputs"].pop(),
        lambda k: k["families"][0]["paths"][0]["program"]["outputs"].append(-1),
        lambda k: k["families"][0]["paths"][0]["program"].pop("guards"),
        lambda k: k["families"][0]["paths"][0]["program"]["guards"].append(["is", 0, 0, True]),
        lambda k: k["families"][0]["paths"][0]["program"].update(inputs=10**9),
        lambda k: k["families"][0]["forms"].pop(),
        lambda k: k["families"][0]["forms"][0].update(axis="x"),
        lambda k: k["families"][0].update(mode="run"),
        lambda k: k.update(families=3),
        lambda k: k.update(reduce="max"),
        lambda k: k.pop("wrt"),
    ],
)
def test_files_that_make_no_sense_are_refused(saved, change):
    rehash(saved, change)
    with pytest.raises(ValueError, match="not a kernel"):
        load_kernel(saved)


def program(k):
    return k["families"][0]["paths"][0]["program"]


def form(k):
    return k["families"][0]["forms"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda k: form(k).update(leaves=[{"array": [100_000_000]}]), "does not fit its arguments"),
        (
            lambda k: (
                form(k).update(leaves=[{"array": [10**9]}]),
                program(k).update(inputs=10**9),
            ),
            "fit",
        ),
        (lambda k: form(k).update(leaves=[{"array": [10**30]}]), "not the form"),
        (lambda k: form(k).update(leaves=[{"array": [True]}]), "shape"),
        (lambda k: form(k).update(leaves=[{"array": 3}]), "shape 3"),
        (lambda k: form(k).update(leaves=[[3]]), "not the form"),
        (lambda k: form(k).update(axis=None), "in_axes does not fit"),
        (lambda k: k.update(in_axes=None), "in_axes does not fit"),
        (lambda k: k.update(in_axes=[0]), "in_axes has 1 entries"),
        (lambda k: k.update(in_axes=[False, None]), "in_axes is"),
        (lambda k: (k.update(in_axes=[7, None]), form(k).update(axis=7)), "not the form"),
        (lambda k: k.update(wrt=True), "wrt is True"),
        (lambda k: k.update(wrt=5), "wrt=5"),
        (lambda k: k.update(wrt=0), "does not fit its arguments"),
        (lambda k: k.update(fast=1), "fast is 1"),
        (lambda k: k.update(reduce="sum", in_axes=None), "in_axes says there are none"),
        (lambda k: k.update(name=["f"]), "the name"),
        (lambda k: k.update(name="\ud800"), "surrogates"),
        (lambda k: k.update(more=1), "nothing else"),
        (lambda k: k["families"].append(k["families"][0]), "twice"),
        (lambda k: k["families"][0].update(paths=[]), "nothing was recorded"),
        (lambda k: k["families"][0].update(mode=["value"]), "no mode"),
        (lambda k: k["families"][0].update(mode="hessian"), "does not fit"),
        (lambda k: program(k).update(constants=["0x1p99999"]), "too large"),
        (lambda k: program(k).update(constants=["1.0"]), "not how 1.0 is written"),
        (lambda k: program(k).update(constants=[1.0]), "not a program"),
        (lambda k: program(k).update(inputs=True), "True inputs"),
        (lambda k: program(k).update(outputs={"0": 1}), "outputs is no list"),
        (lambda k: program(k)["code"].append(["sin", True]), "refers to True"),
        (lambda k: program(k)["code"].append([["sin"], 0]), "not a program"),
        (lambda k: program(k)["code"].append([]), "not a program"),
        (lambda k: form(k).update(tree=[1, 2]), "not the form"),
        (lambda k: form(k).update(tree={"list": [0]}), "rows in a list"),
        (lambda k: k["families"][0]["forms"][1]["tree"].update(x=0), "not the form"),
        (lambda k: k["families"][0]["forms"][1]["leaves"].append(None), "no place in the tree"),
        (lambda k: k["families"][0]["forms"][1]["leaves"].pop(), "not the form"),
        (lambda k: k["families"][0]["forms"][1].update(tree={"tuple": [0, 0, 1, 2]}), "twice"),
        (lambda k: k["families"][0]["forms"][1]["leaves"].append({"static": 1.5}), "no place"),
        (lambda k: k["families"][0]["forms"][1].update(leaves=[{"static": 1.5}] * 3), "static"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_named(saved, change, words):
    rehash(saved, change)
    tracemalloc.start()
    with pytest.raises(ValueError, match=words) as caught:
        load_kernel(saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{saved}: not a kernel")
    assert peak < 16 * saved.stat().st_size + 65_536


def test_every_flipped_bit_of_a_kernel_is_found(saved):
    whole = saved.read_bytes()
    name = re.escape(str(saved))
    for place in range(len(whole)):
        flipped = bytes([whole[place] ^ (1 << place % 8)])
        saved.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with pytest.raises(ValueError, match=f"^{name}: "):
            load_kernel(saved)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b"{}", b"null", b"\0" * 99])
def test_what_is_no_kernel_at_all_is_refused(tmp_path, data):
    path = tmp_path / "kernel.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"kernel\.json: not a file of scalar-autograd kernel"):
        load_kernel(path)
    with pytest.raises(OSError, match=tmp_path.name):
        load_kernel(tmp_path)


def test_an_input_that_is_not_read_costs_nothing_until_it_is_given(tmp_path):
    kernel = compile(lambda x: x[0] * 2.0)
    kernel(np.ones(1_000_000))
    kernel.save(tmp_path / "k.json")
    tracemalloc.start()
    loaded = load_kernel(tmp_path / "k.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 65_536
    assert loaded(np.full(1_000_000, 3.0)) == 6.0


def test_a_long_program_is_loaded_in_memory_bounded_by_its_file(tmp_path):
    def long(x):
        y = x
        for i in range(5000):
            y = autograd.sin(y) if i % 2 else y * x
        return y

    kernel = compile(long)
    want = kernel(0.5)
    kernel.save(tmp_path / "k.json")
    tracemalloc.start()
    loaded = load_kernel(tmp_path / "k.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * (tmp_path / "k.json").stat().st_size
    assert loaded(0.5) == want


def test_code_knows_what_it_may_be_called_with():
    program = Program(2, (), (("mul", (0, 1)),), (2,))
    at_point = Code(program, Layout((False, False), (False,), point=True))
    by_rows = Code(program, Layout((True, False), (False,)))
    rows = Rows([np.ones((8, 1))], 8)
    with pytest.raises(RuntimeError, match="for one point can't be run over rows"):
        at_point.run(np.ones(2), Rows([], 8), Options())
    with pytest.raises(RuntimeError, match="for one point can't be run over rows"):
        Batch(at_point, (np.ones(8), np.ones(())), (0, None))
    with pytest.raises(RuntimeError, match="for rows can't be run at one point"):
        Point(by_rows)
    assert by_rows.run(np.ones(1), rows, Options())[0].tolist() == [[1.0] * 8]
    for shared, given in ((np.ones(0), rows), (np.ones(2), rows), (np.ones(1), Rows([], 8))):
        with pytest.raises(ValueError, match="of 2 inputs, 1 of them by rows, was given"):
            by_rows.run(shared, given, Options())


@pytest.mark.parametrize("name", ["with space.json", "ünï☃.json", "x" * 250 + ".json"])
def test_kernels_are_saved_as_whole_files_into_new_folders(tmp_path, name):
    kernel = compile(lambda x: x * 2.0)
    kernel(1.0)
    kernel.save(tmp_path / "new" / name)
    assert load_kernel(tmp_path / "new" / name)(4.0) == 8.0
    (tmp_path / "link").symlink_to(tmp_path / "new" / name)
    kernel.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_what_can_not_be_saved_says_so(tmp_path):
    model = Model()
    kernel = compile(model.loss, wrt=model)
    kernel(1.0)
    with pytest.raises(TypeError, match="wrt"):
        kernel.save(tmp_path / "k.json")
    odd = compile(lambda x, y: x * 2.0)
    odd(1.0, b"bytes")
    with pytest.raises(TypeError, match="can't be saved"):
        odd.save(tmp_path / "k.json")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- processes, machines

LARGE = np.random.default_rng(0).normal(size=200_001)


@pytest.mark.parametrize("reduce", [None, "sum"])
def test_a_process_pool_gives_the_same_bits(reduce):
    want = made(reduce=reduce).value_and_grad(LARGE, TABLE)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        kernel = made(reduce=reduce, executor=executor)
        assert same(kernel.value_and_grad(LARGE, TABLE), want)
        small = made(reduce=reduce, executor=executor).value_and_grad(X, TABLE)
    assert same(small, made(reduce=reduce).value_and_grad(X, TABLE))


def slow(x):
    y = x
    for _ in range(100):
        y = autograd.sin(y) * x
    return y


@pytest.mark.filterwarnings("ignore")  # Dask's own, about the worker that is killed
def test_a_cluster_that_loses_a_worker_gives_the_same_bits():
    distributed = pytest.importorskip("distributed")
    rows = np.random.default_rng(1).normal(size=1_000_001)
    want = compile(slow, in_axes=0, reduce="sum")(rows)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        kernel = compile(slow, in_axes=0, reduce="sum", executor=client.get_executor())
        found = []
        run = threading.Thread(target=lambda: found.append(kernel(rows)))
        run.start()
        victim = next(iter(cluster.workers.values()))
        deadline = time.monotonic() + 30.0
        while not client.processing().get(victim.worker_address):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(victim.pid, signal.SIGKILL)
        assert run.is_alive()
        run.join(60.0)
        assert found == [want]


# --------------------------------------------------------------------------- other machines


@pytest.mark.parametrize(
    ("triple", "cpu", "sign"),
    [
        ("aarch64-unknown-linux-gnu", "generic", b"\x7fELF"),
        ("x86_64-pc-windows-msvc", "x86-64", b"\x64\x86"),
        ("arm64-apple-macosx", "apple-m1", b"\xcf\xfa\xed\xfe"),
    ],
)
@pytest.mark.parametrize("point", [True, False])
def test_code_for_other_machines_is_generated(triple, cpu, sign, point):
    code = (("pow", (0, 1)), ("lgamma", (3,)), ("strong_mul", (4, 2)), ("relu", (5,)))
    program = Program(2, (0.5,), code, (5, 6), (("<", 0, 4, True),))
    layout = Layout((not point, False), (False, not point), point)
    target = Target(triple, cpu)
    source = lower(program, layout, target=target)
    assert machine_code(source, target).startswith(sign)
    text = assembly(source, target)
    assert "pow" in text
    assert ("fmul" in text) == (not triple.startswith("x86"))
