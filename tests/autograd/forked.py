"""A program that forks again and again while its threads compile, sweep and watch.

`python forked.py COUNT`: run by test_forks.py in a process of its own. Each child compiles, sweeps
and computes; what is wrong in one, or that it hangs, is told by its exit code.
"""

import faulthandler
import os
import random
import sys
import threading
import time
import traceback
import warnings

import numpy as np

import autograd as ag
from autograd import Value, compile, detect_anomaly, grad, scope
from autograd._watch import watch

faulthandler.enable()
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
count = int(sys.argv[1])
rows = np.linspace(0.1, 1.0, 20_000)
threaded = compile(lambda x: ag.tanh(x * x), in_axes=0, threads=2)
leaf = Value(1.0)
STEPS = 3000
over = False


def compiling(seed):
    rng = random.Random(seed)
    while not over:
        c = rng.uniform(1.0, 2.0)
        kernel = compile(lambda x, c=c: ag.exp(x) * c + x)
        assert [kernel(0.0), kernel(0.0)] == [c, c]  # the second runs machine code


def sweeping():
    y = leaf
    for _ in range(STEPS):
        y = y + leaf
    while not over:
        y.backward()  # adds STEPS + 1 each time


def running():
    while not over:
        threaded(rows)


def watching():
    while not over:
        with scope("elsewhere"), detect_anomaly():
            grad(lambda x: x * x)(3.0)


def child():
    """Return the exit code."""
    faulthandler.dump_traceback_later(30, exit=True)
    assert leaf.grad % (STEPS + 1) == 0.0, leaf.grad
    before = leaf.grad
    y = leaf * 2.0
    y.backward()
    assert leaf.grad == before + 2.0
    assert Value(1.0).scope == ()
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert grad(grad(lambda x: ag.exp(x) * x))(0.0) == 2.0
    assert not watch.busy
    c = random.uniform(1.0, 2.0)
    kernel = compile(lambda x: ag.exp(x) * c + x)
    assert [kernel(0.0), kernel(0.0)] == [c, c]
    assert abs(threaded(rows) - np.tanh(rows * rows)).max() < 1e-14
    return 0


work = [lambda: compiling(1), lambda: compiling(2), sweeping, running, watching]
threads = [threading.Thread(target=f, daemon=True) for f in work]
for thread in threads:
    thread.start()
bad = 0
for _ in range(count):
    time.sleep(random.uniform(0.0, 0.02))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = child()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        bad += 1
        print("a child ended with", status)
over = True
for thread in threads:
    thread.join(30)
print("forks", count, "bad", bad)
