"""Graphs as structure: order, depth, copies, pickles, freeing, threads."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
import time

import pytest

import autograd
from autograd import Value, check_graph, differentiate, topological_order

DEEP = 1_000_000


def chain(n: int, x: Value) -> Value:
    y = x
    for i in range(n):
        y = y * 1.000001 if i % 2 else y + 0.25
    return y


def test_order_is_parents_first_and_complete():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    c = a * b
    d = c + a
    e = autograd.where(b, d, c)
    order = topological_order(e)
    assert [id(v) for v in order] == [id(v) for v in (b, a, c, d, e)]
    assert check_graph(e) == 5
    assert topological_order(a) == [a]
    with pytest.raises(TypeError, match="topological_order"):
        topological_order(3.0)


def test_order_survives_what_other_walks_left_behind():
    a = Value(2.0)
    shared = a * a
    left, right = shared + 1.0, shared * 3.0
    both = left * right
    before = [id(v) for v in topological_order(both)]
    topological_order(right)
    topological_order(left)
    assert [id(v) for v in topological_order(both)] == before


def test_diamond_and_repeated_parents():
    a = Value(3.0)
    b = a + a
    c = b * b
    c.backward()
    assert (b.grad, a.grad) == (12.0, 24.0)


def test_backward_twice_doubles_leaves_only():
    a, b = Value(0.1), Value(0.2)
    y = a * b + a * 0.3 + a
    y.backward()
    once = (a.grad, b.grad)
    inner = [v.grad for v in topological_order(y) if v.op]
    y.backward()
    assert (a.grad, b.grad) == (2 * once[0], 2 * once[1])
    assert [v.grad for v in topological_order(y) if v.op] == inner
    assert y.grad == 1.0
    y.zero_grad()
    assert all(v.grad == 0.0 for v in topological_order(y))
    y.backward()
    assert (a.grad, b.grad) == once


def test_two_roots_sharing_a_subgraph_accumulate_in_leaves():
    a = Value(2.0)
    shared = a * a
    first, second = shared * 3.0, shared + a
    first.backward()
    second.backward()
    assert a.grad == 12.0 + 5.0
    assert shared.grad == 1.0


def test_a_leaf_as_root():
    a = Value(2.0)
    a.backward()
    a.backward()
    assert a.grad == 2.0


def test_check_graph_finds_what_is_wrong():
    with pytest.raises(TypeError, match="check_graph"):
        check_graph(3.0)
    a = Value(2.0)
    y = a * 3.0
    assert check_graph(y) == 2
    y._a = None
    with pytest.raises(ValueError, match="constant operands only"):
        check_graph(y)
    z = a * a
    z._prim = None
    with pytest.raises(ValueError, match="no primitive"):
        check_graph(z)


def test_a_million_deep():
    """Ordering, sweeping, printing, copying, pickling, freeing: nothing is recursive."""
    x = Value(1.0, "x")
    y = chain(DEEP, x)
    assert check_graph(y) == DEEP + 1
    y.backward()
    grad = x.grad
    assert grad > 1.0
    assert repr(y).startswith("Value(data=")
    twin = copy.deepcopy(y)
    y.zero_grad()
    assert x.grad == 0.0
    leaf = topological_order(twin)[0]
    assert (leaf.label, leaf.grad) == ("x", grad)
    twin.zero_grad()
    twin.backward()
    assert leaf.grad == grad
    del twin, leaf
    again = pickle.loads(pickle.dumps(y))
    again.backward()
    assert topological_order(again)[0].grad == grad
    del again
    assert differentiate(y, [x])[0].data == grad


def test_freeing_deep_and_wide_graphs_again_and_again():
    for _ in range(40):
        x = Value(1.0)
        y = chain(20_000, x)
        wide = autograd.sum([x * float(i) for i in range(2_000)])
        y.backward()
        del y, wide
    for _ in range(2_000):
        y = chain(200, Value(1.0))
        z = y * y
        del y
        assert z.data > 0.0


def test_freeing_inside_deeply_nested_containers():
    """The interpreter's own queue for deep frees must not be handed an object it cannot queue."""
    for _ in range(100):
        nested = None
        for i in range(400):
            nested = (Value(float(i)) * 2.0, [nested])
        del nested
        fresh = [Value(float(i)) + 1.0 for i in range(400)]
        assert [v.data for v in fresh] == [i + 1.0 for i in range(400)]


def test_freeing_from_many_threads():
    def work():
        for _ in range(30):
            y = chain(3_000, Value(1.0))
            y.backward()
            del y

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain(10, Value(1.0)).data > 1.0


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = Value(1.0)
        for _ in range(100):
            y = autograd.tanh(chain(50, x))
            y.backward()
            differentiate(y, [x])
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_deepcopy_keeps_what_is_shared():
    a = Value(2.0, "a")
    with autograd.scope("s"):
        b = autograd.where(1.0, a * a, a)
    y, z = b + 1.0, b * 2.0
    a2, y2, z2 = copy.deepcopy([a, y, z])
    assert y2.parents[0] is z2.parents[0]
    assert topological_order(y2)[0] is a2
    assert y2.parents[0].scope == ("s",)
    assert (a2.label, a2 is a) == ("a", False)
    y2.backward()
    assert (a2.grad, a.grad) == (4.0, 0.0)


def test_shallow_copy_shares_parents():
    a = Value(2.0)
    y = a * 3.0
    twin = copy.copy(y)
    assert twin is not y
    assert twin.parents[0] is a
    assert (twin.data, twin.op, twin.partials) == (6.0, "mul", (3.0,))


def test_pickle_keeps_leaves_shared():
    a = Value(2.0, "a")
    a.grad = 0.5
    with autograd.scope("outer"):
        b = a * 3.0
    b.label = "b"
    y = autograd.where(b, b, a)
    a2, y2, leaf = pickle.loads(pickle.dumps((a, y, Value(1.5))))
    assert topological_order(y2)[0] is a2
    assert (a2.label, a2.grad, leaf.data) == ("a", 0.5, 1.5)
    b2 = y2.parents[0]
    assert (b2.label, b2.scope, b2.op, b2.operands[1]) == ("b", ("outer",), "mul", 3.0)
    assert y2.parents[0] is y2.parents[1]
    y2.backward()
    assert a2.grad == 3.5


def test_an_exception_leaves_nothing_behind():
    a = Value(2.0)
    y = a * a
    with pytest.raises(TypeError):
        (y + 1.0) * "oops"
    with pytest.raises(TypeError):
        autograd.maximum(y, None)
    y.backward()
    assert a.grad == 4.0
    assert check_graph(y) == 2


PROGRAM = """
import random
from autograd import *
rng = random.Random(5)
leaves = [Value(rng.uniform(0.1, 2.0)) for _ in range(20)]
pool = list(leaves)
for _ in range(500):
    x, y = rng.choice(pool), rng.choice(pool)
    pool.append(rng.choice([x + y, x * y, tanh(x), x / (y * y + 1.0), sigmoid(x) - y, hypot(x, y)]))
total = sum(pool)
total.backward()
print([leaf.grad.hex() for leaf in leaves], total.data.hex())
"""


def test_the_same_bits_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert "0x" in outputs.pop()


def test_threads_with_graphs_of_their_own():
    results: dict[int, float] = {}

    def work(k: int) -> None:
        x = Value(1.0 + k)
        for _ in range(50):
            x.grad = 0.0
            y = chain(500, x)
            (y * y).backward()
        results[k] = x.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, grad in results.items():
        x = Value(1.0 + k)
        y = chain(500, x)
        (y * y).backward()
        assert x.grad == grad
    assert len(results) == 8


def test_threads_that_share_a_leaf_lose_no_gradient():
    shared = Value(3.0)
    rounds, workers = 200, 6
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:

        def work() -> None:
            for _ in range(rounds):
                (chain(10, shared * 1.0) * 0.0 + shared * 2.0).backward()
                time.sleep(0)

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert shared.grad == 2.0 * rounds * workers
