"""Kernel files by somebody hostile: the hash is right, the content is not.

Run as a program, `test_hostile.py SEED COUNT`, it damages COUNT files and prints what came of them;
as a test it does so in processes of their own, because what is sought for are crashes.
"""

import collections
import copy
import json
import math
import random
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd.compiler import compile, load_kernel, native
from autograd.compiler.files import FORMAT, VERSION
from autograd.documents import from_bytes, to_bytes

FLOOR = 64 * 1024  # bytes that any kernel may take
LARGE = 2_000  # numbers; arguments beyond are not made

# ------------------------------------------------------------------------------ good kernels


def branches(x, table):
    if x > table["a"][0]:
        return x * table["a"][0]
    return autograd.sin(x) - table["b"]


def nested(x, y):
    return [x["b"] * y[1][0, 1], (y[0] + x["a"][1], autograd.exp(y[1][1, 0]))]


CAPTURED = autograd.Value(2.5)
X = np.linspace(-2.0, 2.0, 11)
TABLE = {"a": (0.5, 3, "s", None), "b": 2.0}
MATRIX = np.arange(6.0).reshape(2, 3)


def good_kernels():
    kernel = compile(branches, wrt=(0, 1), in_axes=(0, None))
    kernel.value_and_grad(X, TABLE), kernel(X, TABLE)
    yield kernel
    kernel = compile(branches, wrt=1, in_axes=(0, None), reduce="mean", fast=True)
    kernel.value_and_grad(X, TABLE), kernel(X, TABLE), kernel.hessian(X, TABLE)
    yield kernel
    kernel = compile(branches)
    kernel(1.0, TABLE), kernel(-1.0, TABLE), kernel.grad(1.0, TABLE), kernel.hessian(-1.0, TABLE)
    kernel(1.0, {**TABLE, "b": True})
    yield kernel
    kernel = compile(nested, wrt=(1, -2))
    args = {"b": 1.5, "a": (False, 2.0)}, [0.5, np.ones((2, 2))]
    kernel(*args), kernel.jacobian(*args)
    yield kernel
    kernel = compile(lambda w, x: autograd.dot(list(w), list(x)) * CAPTURED, in_axes=(None, -1))
    kernel(np.ones(2), MATRIX), kernel.value_and_grad(np.ones(2), MATRIX)
    kernel.jacobian(np.ones(2), MATRIX)
    yield kernel
    kernel = compile(lambda x: autograd.sum([a * a for a in x]), in_axes=0, reduce="sum")
    kernel.value_and_grad(MATRIX), kernel(MATRIX)
    yield kernel
    kernel = compile(lambda x: (x[0] * autograd.inf, autograd.nan * x[1]))
    kernel(MATRIX[0])
    yield kernel


def by_name(x, *, scale, shift=1.0):
    return x * scale + shift


def of_lists(x):
    return autograd.dot(x[0], x[1]) * len(x)


def more_good_kernels():
    kernel = compile(by_name)
    kernel(1.0, scale=2.0), kernel.grad(1.0, shift=2.0, scale=3.0), kernel(1.0, scale=3)
    yield kernel
    kernel = compile(of_lists, in_axes=0)
    rows = [([1.0, 2.0], [3.0, 4.0])] * 3
    kernel(rows), kernel.grad(rows)
    yield kernel


def contents(folder):
    found = []
    for kernel in [*good_kernels(), *more_good_kernels()]:
        kernel.save(folder / "good.json")
        found.append(from_bytes((folder / "good.json").read_bytes(), "good", FORMAT, VERSION))
    return found


# ---------------------------------------------------------------------------------- mutations

NASTY = [
    None, True, False, 0, 1, 2, 3, -1, -2, 7, 10**9, 2**31, 2**63, -(2**63), 10**30, 10**400,
    0.0, 1.5, -0.0, 1e308, "", "x", "sum", "mean", "value", "value_and_grad", "jacobian", "hessian",
    "0x1p99999", "nan", "-nan", "inf", "-inf", "0x1.0000000000000p+0", "1", " 1", "<", "==", "sin",
    "pow", "where", "\ud800", "\0", "é" * 50, "a" * 300, [], {}, [[]], [0], [None], [0, 0], [1],
    [10**9], [10**9, 10**9], [100_000_000], [0, 10**18], [3], [3, -1], [True], [2.0], [2] * 65,
    ["sin", 0], ["<", 0, 0, True], {"list": [0]}, {"list": [0, 0]}, {"tuple": []},
    {"dict": {"a": 0}}, {"dict": []}, {"set": [0]}, {"static": 1}, {"static": 1.5},
    {"array": []}, {"array": [0]}, {"array": [2]}, {"array": [10**9]}, {"array": [0, 10**18]},
    {"array": [2] * 65}, {"array": [True]}, {"array": None}, {"array": {"a": 1}}, {"static": [1]},
    {"static": {"a": 1}}, {"static": 1, "x": 1}, {"list": "ab"}, {"list": {}},
]  # fmt: skip


def deep(rng):
    found = rng.choice([None, 0, []])
    for _ in range(rng.choice([20, 100, 400])):
        found = [found] if rng.random() < 0.5 else {rng.choice(["list", "tuple", "a"]): [found]}
    return found


def places(data):
    """Return (container, key) of everything inside."""
    found, waiting = [], [data]
    while waiting:
        at = waiting.pop()
        for key in at if isinstance(at, dict) else range(len(at)):
            found.append((at, key))
            if isinstance(at[key], (dict, list)):
                waiting.append(at[key])
    return found


def mutate(rng, data, others):
    """Change one thing, or a few that belong together."""
    where = places(data)
    if not where:
        return
    at, key = rng.choice(where)
    if rng.random() < 0.3:  # numbers, types and shapes more often than one of a hundred operands
        rare = [p for p in where if isinstance(p[1], str)]
        at, key = rng.choice(rare or where)
    old = at[key]
    what = rng.randrange(12)
    if what == 0 or (what == 1 and type(old) is not int):
        at[key] = copy.deepcopy(rng.choice(NASTY))
    elif what == 1:
        at[key] = rng.choice([old + 1, old - 1, -old, old * 2, bool(old), float(old), str(old)])
    elif what == 2:
        del at[key]
    elif what == 3 and isinstance(at, list):
        at.insert(key, copy.deepcopy(old))
    elif what == 4:
        other, place = rng.choice(where)
        at[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(old)
    elif what == 5:
        other, place = rng.choice(places(rng.choice(others)))
        at[key] = copy.deepcopy(other[place])
    elif what == 6 and isinstance(key, str):  # the same name elsewhere, in another kernel
        same = [o[k] for o, k in places(rng.choice(others)) if k == key]
        at[key] = copy.deepcopy(rng.choice(same)) if same else None
    elif what == 7 and isinstance(at, dict):
        at[rng.choice(["x", "axes", "static", "listed", "name"])] = copy.deepcopy(rng.choice(NASTY))
    elif what == 8:
        at[key] = deep(rng)
    elif what == 9 and isinstance(at, list):
        at[key:] = []
    else:
        agree(rng, data)


def agree(rng, data):
    """Change several parts so that they still seem to fit together."""
    families = data.get("families")
    if not isinstance(families, list) or not families:
        return
    try:
        family = rng.choice(families)
        i = rng.randrange(len(family["forms"]))
        form = family["forms"][i]
        what = rng.randrange(8)
        if what == 0:  # rows become a point, or a point rows
            axis = rng.choice([None, 0, -1, 1, 5, 10**20])
            data["in_axes"] = axis
            for each in families:
                for other in each["forms"]:
                    other["axis"] = axis
        elif what == 1:  # an array that is as large as can be
            n = rng.choice([2, 10**5, 10**9, 10**17])
            form["leaves"] = [x if x and "static" in x else {"array": [n]} for x in form["leaves"]]
            size = sum(
                math.prod(leaf["array"] if leaf else [])
                for other in family["forms"]
                for leaf in other["leaves"]
                if not leaf or "array" in leaf
            )
            for path in family["paths"]:
                path["program"]["inputs"] = size + len(path["captured"])
        elif what == 2:
            family["mode"] = rng.choice(["value", "value_and_grad", "jacobian", "hessian"])
        elif what == 3:  # as many outputs as you please
            path = rng.choice(family["paths"])
            n = rng.choice([0, 1, 3, 300])
            path["program"]["outputs"] = [rng.randrange(3)] * n
            path["out"] = {"tree": 0, "leaves": [{"array": [n]}], "axis": None, "listed": []}
        elif what == 4:
            data["wrt"] = rng.choice([0, 1, -1, [0], [0, 1], [1, 0], [0, 0], [], 2, -3])
            data["reduce"] = rng.choice([None, "sum", "mean"])
        elif what == 5:
            form["listed"] = rng.choices(["list", "tuple", "ndarray"], k=rng.randrange(4))
        elif what == 6:
            family["names"] = rng.sample(["scale", "shift", "x", "\ud800"], k=rng.randrange(3))
        else:
            path = rng.choice(family["paths"])
            path["captured"].append("0x1.8p+1")
            path["program"]["inputs"] += 1
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError, ValueError):
        return  # damaged already


# ----------------------------------------------------------------------------- what comes of it


def size(x):
    """Return how many numbers are in a result."""
    if isinstance(x, (list, tuple)):
        return sum(map(size, x))
    if isinstance(x, dict):
        return sum(map(size, x.values()))
    return x.size if isinstance(x, np.ndarray) else int(isinstance(x, float))


def arguments(rng, family, rows):
    """Return the arguments of a call, without and with names."""
    made = []
    for form in family.forms:
        if form.axis is None:
            made.append(form.result(rng.normal(size=form.size)))
            continue

        if form._listed:
            array = form.result(rng.normal(size=(form.size, rows)))
            made.append([nest(row, form._listed) for row in array])
            continue

        def place(x, axis=form.axis):
            if isinstance(x, dict):
                return {key: place(one) for key, one in x.items()}
            if isinstance(x, (list, tuple)):
                return type(x)(map(place, x))
            return np.moveaxis(x, 0, axis) if isinstance(x, np.ndarray) else x

        made.append(place(form.result(rng.normal(size=(form.size, rows)))))
    positional = len(made) - len(family.names)
    return made[:positional], dict(zip(family.names, made[positional:], strict=True))


def nest(row, kinds):
    if not kinds or kinds[0] is np.ndarray:
        return row if np.ndim(row) else float(row)
    return kinds[0](nest(x, kinds[1:]) for x in row)


def call(kernel, family, rng, rows):
    """Call a kernel in one mode; complain if what it returns is not as large as it must be."""
    settings = kernel._paths.settings
    many = rows if family.by_rows else 1
    each = many if settings.reduce is None else 1
    out = family.paths[0].out.size
    args, named = arguments(rng, family, rows)
    if family.mode == "value":
        assert size(kernel(*args, **named)) == out * each
        return
    by = [family.forms[i] for i in kernel._paths.wanted(family)]
    if family.mode == "value_and_grad":
        value, gradient = kernel.value_and_grad(*args, **named)
        assert size(value) == each
        assert size(gradient) == sum(
            form.size * (many if form.axis is not None else each) for form in by
        )
        return
    wanted = sum(form.size for form in by)
    if family.mode == "jacobian":
        assert size(kernel.jacobian(*args, **named)) == out * wanted * each
    else:
        assert size(kernel.hessian(*args, **named)) == wanted * wanted * each


def attempt(path, data, rng):
    """Load and call what may be a kernel; return what came of it."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        kernel = load_kernel(path)
        found = "loaded"
    except ValueError as error:
        found, message = "refused", str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * len(data) + FLOOR, (peak, len(data))
    if found == "refused":
        assert message.startswith(f"{path}: "), message
        assert len(message) < len(str(path)) + 500, message
        message.encode()
        return found
    assert repr(kernel)
    for family in list(kernel._paths.families.values()):
        if sum(form.size for form in family.forms) > LARGE:
            found = "too large to call"
            continue
        for rows in (11, 4099, 0):
            try:
                call(kernel, family, rng, rows)
                found = "called"
            except (ValueError, TypeError):  # another branch, no rows, ...
                pass
            if not family.by_rows:
                break
    return found


def attack(seed, count):
    """Return how often what came of `count` damaged files."""
    import resource

    rng = random.Random(seed)
    known = {}
    generate = native.machine_code

    def once(source, *args, **more):  # most programs are those of before
        key = source.text, args, str(more)
        if key not in known:
            known[key] = generate(source, *args, **more)
        return known[key]

    native.machine_code = once
    found = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = contents(folder)
        numbers = np.random.default_rng(seed)
        for content in good:  # whatever is imported late
            assert (
                attempt(folder / "good.json", to_bytes(FORMAT, VERSION, content), numbers)
                == "called"
            )
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + 2**29
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for i in range(count):
            content = copy.deepcopy(rng.choice(good))
            try:
                for _ in range(rng.choice([1, 1, 1, 2, 3])):
                    mutate(rng, content, good)
                data = to_bytes(FORMAT, VERSION, content)
            except (ValueError, RecursionError):  # too large or too deep to write
                found["not written"] += 1
                continue
            try:
                found[attempt(folder / "kernel.json", data, numbers)] += 1
            except BaseException:
                print(i, data.decode(), file=sys.stderr)
                raise
    return found


def in_a_process(seed, count):
    run = subprocess.run(
        [sys.executable, __file__, str(seed), str(count)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-5000:]
    return json.loads(run.stdout)


posix = pytest.mark.skipif(sys.platform == "win32", reason="memory can be limited on POSIX only")


@posix
def test_damaged_kernels_are_refused_or_right():
    found = in_a_process(1, 2000)
    assert found["refused"] > 1000
    assert found["called"] > 100


@posix
@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_damaged_kernels_are_refused_or_right(seed):
    found = in_a_process(seed, 10_000)
    assert found["called"] > 500
    print(found)


if __name__ == "__main__":
    print(json.dumps(attack(int(sys.argv[1]), int(sys.argv[2]))))
