"""A program that is interrupted at random moments, and looks each time whether anything is broken.

`python interrupted.py SEED COUNT`: run by test_interrupts.py in processes of their own. Says what
broke, one line each, and how many interrupts it was in the end.
"""

import faulthandler
import gc
import random
import signal
import sys
import time

import numpy as np

import autograd as ag
from autograd import Value, compile, detect_anomaly, grad, hessian, profile, scope
from autograd._watch import watch

faulthandler.enable()
seed, wanted = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
armed = False
fired = 0
lost = []


def interrupt(number, frame):
    raise KeyboardInterrupt


def alarm(number, frame):
    """Handlers run between any two bytecodes, so this is Ctrl-C at any moment."""
    global armed, fired
    if armed:
        armed = False
        fired += 1
        signal.raise_signal(signal.SIGINT)


signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGALRM, alarm)
sys.unraisablehook = lambda unraisable: lost.append(unraisable.object)

weights = [Value(0.5), Value(-0.25), Value(2.0)]
rows = np.linspace(0.1, 1.0, 20_000)
kept_block = detect_anomaly()


def model(x):
    with scope("layer"):
        hidden = ag.tanh(x * weights[0] + weights[1])
        with scope("head"):
            return hidden * weights[2] + x


@detect_anomaly()
def watched():
    with scope("outer"), detect_anomaly():
        return model(Value(1.0))


@ag.custom_partials(lambda out, x: 2.0 * x)
def square(x):
    return grad(lambda y: y * y * y)(x) / 3.0


def generate():
    with scope("generator"), detect_anomaly():
        for i in range(5):
            yield model(Value(float(i)))


root = sum(model(Value(i / 64.0)) for i in range(64))


def swept():
    """Done once or not at all."""
    before = [w.grad for w in weights]
    try:
        root.backward()
    except KeyboardInterrupt:
        after = [w.grad for w in weights]
        for w, g in zip(weights, before, strict=True):
            w.grad = g
        root.backward()
        if after != before and after != [w.grad for w in weights]:
            print("backward() was done in part", before, after)
        raise


def user_held():
    with kept_block:
        return model(Value(1.0))


kernel = compile(lambda x: ag.exp(x) * x if x > 0.5 else x * 3.0)
by_rows = compile(lambda x: ag.sin(x) * x, in_axes=0)
mean = compile(lambda x, y: (x - y) ** 2, in_axes=0, reduce="mean")
threaded = compile(lambda x: ag.tanh(x * x), in_axes=0, threads=2)


def new_kernel():
    c = rng.uniform(1.0, 2.0)
    fresh = compile(lambda x: ag.exp(x) * c + x)
    return fresh(0.5) + fresh(0.25)  # the second runs machine code


cheap = [
    lambda: grad(lambda x: x * ag.sin(x))(1.0),
    lambda: grad(grad(lambda x: ag.exp(x) * x))(1.0),
    lambda: grad(lambda x: x * grad(lambda y: x * y * y)(x))(2.0),
    lambda: hessian(lambda v: v[0] * v[1] * v[0])([1.0, 2.0]),
    lambda: grad(square)(3.0),
    lambda: model(Value(1.0)),
    watched,
    user_held,
    lambda: [v.data for v in generate()],
    lambda: profile(model, Value(1.0)),
    swept,
    lambda: kernel(0.25) + kernel(0.75),
    lambda: kernel.grad(0.75),
    lambda: by_rows(rows[:50]),
    lambda: mean.value_and_grad(rows[:100], rows[:100]),
    lambda: threaded(rows),
]
dear = [new_kernel, lambda: mean.grad(rows, rows)]


def duration(f):
    f()
    started = time.perf_counter()
    f()
    return time.perf_counter() - started


def check(f):
    """Say what `f`, interrupted, left behind."""
    left = (watch.observers(), watch.inside(), Value(1.0).scope)
    if left != ([], False, ()):
        print("left behind:", left)
    found = grad(lambda x: x * x)(3.0)
    if type(found) is not float or found != 6.0:
        print("grad gives", repr(found))
    if (watch.busy, watch.count, watch.nested) != (False, 0, 0):
        print("busy:", watch.busy, watch.count, watch.nested)
    if signal.getsignal(signal.SIGINT) is not interrupt:
        print("the handler is", signal.getsignal(signal.SIGINT))


times = {f: duration(f) for f in cheap + dear}
rounds = seen = 0
while fired < wanted:
    rounds += 1
    f = rng.choice(dear if rounds % 20 == 0 else cheap)
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, max(rng.uniform(0.0, 1.1 * times[f]), 1e-6))
        f()
    except KeyboardInterrupt:
        seen += 1
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    try:
        check(f)
    except Exception as error:
        print("check:", repr(error))
    if rounds % 100 == 0:
        gc.collect()
        x = rng.uniform(0.1, 1.0)
        fresh = compile(lambda x: ag.exp(x) * x + 1.0)
        fresh(2.0)
        if abs(fresh(x) - (np.exp(x) * x + 1.0)) > 1e-12:
            print("a new kernel is wrong at", x)
        if kernel(0.25) != 0.75 or abs(by_rows(rows) - np.sin(rows) * rows).max() > 1e-12:
            print("an old kernel is wrong")
        if abs(threaded(rows) - np.tanh(rows * rows)).max() > 1e-12:
            print("rows over threads are wrong")
        if mean.value_and_grad(rows[:100], rows[:100])[0] != 0.0:
            print("a small batch is wrong")
print("interrupts", fired, "seen", seen, "lost", len(lost))
for one in lost[:5]:
    print("lost in", one, file=sys.stderr)
