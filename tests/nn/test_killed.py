"""Runs killed at random moments, with callbacks, schedules and state that is no parameter.

They end with the same bits: parameters, history, what callbacks remember, and their files.
"""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import csv, pathlib, random, sys
import nn
from autograd import Value

which, folder, epochs = sys.argv[1], pathlib.Path(sys.argv[2]), 40
x, y = nn.two_moons(20, 0.1, random.Random(3))
model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(2))
loss, lr = nn.squared_error, nn.Warmup(5, nn.Cosine(0.05, 0.001, 100))
keywords = {"validation": (x[:7], y[:7]), "metrics": {"accuracy": nn.accuracy}}
kind = nn.Adam
stopping = nn.EarlyStopping(100)
callbacks = [
    stopping,
    nn.ModelCheckpoint(folder / "best.json"),
    nn.CSVLogger(folder / "log.csv"),
]
parameters = model.parameters()

if which == "rate by callback":
    kind, lr = nn.SGD, 0.1
    callbacks.append(lambda m, h: setattr(optimizer, "lr", optimizer.lr * 0.9))
if which == "early stopping":
    class Clamped:
        worst = 0.0

        def __call__(self, model, history):
            for parameter in model.parameters():
                self.worst = max(self.worst, abs(parameter.data))
                parameter.data = max(-1.0, min(1.0, parameter.data))

    stopping.patience, stopping.min_delta = 8, 0.002
    callbacks.append(Clamped())
if which == "dropout":
    class Dropout(nn.Module):
        def __init__(self):
            self.net, self.rng, self.count = model_inside, random.Random(7), 0

        def forward(self, x):
            self.count += 1
            return self.net([0.0 if self.rng.random() < 0.2 else one for one in x])

    model_inside = model
    model = Dropout()
if which == "annealed":
    weight = [1.0]
    loss = lambda o, t: weight[0] * (o - t) ** 2
    callbacks.append(lambda m, h: weight.__setitem__(0, weight[0] * 0.95))
if which == "compiled":
    keywords |= {"compiled": True, "penalty": lambda p: nn.l2(p, 0.01), "checkpoint_every": 3}
    stopping.monitor, stopping.mode, stopping.patience = "accuracy", "max", 12
    callbacks.append(nn.Histograms(7))
    first, second = (layer.parameters() for layer in model.layers)
    parameters = [{"params": first, "lr": 0.0, "amsgrad": True}, {"params": second, "beta1": 0.5}]
    callbacks.append(lambda m, h: optimizer.groups[0].__setitem__("lr", 0.001 * len(h)))
optimizer = kind(parameters, lr=lr)
print("ready", flush=True)
history = nn.fit(model, x, y, loss, optimizer, epochs, 6, callbacks=callbacks,
                 checkpoint=folder / "run.json", **{"compiled": False} | keywords)
best = nn.MLP(2, [4, 1], activation="tanh") if which != "dropout" else model
last = model.state_dict()
best.load(folder / "best.json")
print(len(history), last, best.state_dict(), history.loss, history.validation, history.metrics,
      optimizer.state_dict(), optimizer.settings(), vars(stopping),
      [vars(one) for one in callbacks[3:] if not hasattr(one, "__code__")],
      [line[:-1] for line in csv.reader((folder / "log.csv").read_text().splitlines())])
"""

CONFIGURATIONS = ["rate by callback", "early stopping", "dropout", "annealed", "compiled"]


def start(which, folder):
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, which, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def is_over(content):
    return content["ended"] or len(content["history"]["loss"]) == 40


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_a_killed_run_ends_with_the_same_bits(which, kills, tmp_path):
    if which == "compiled":
        pytest.importorskip("llvmlite")
    for name in ("first", "second"):  # by then machine code is in the cache
        with start(which, tmp_path / name) as run:
            assert run.stdout.readline() == "ready\n"
            began = time.perf_counter()
            whole = run.stdout.read()
        length = time.perf_counter() - began
    assert (int(whole.split()[0]) < 40) == (which in ("early stopping", "compiled"))
    rng = random.Random(which)
    folder = tmp_path / "killed"
    for _ in range(kills):
        with start(which, folder) as run:
            assert run.stdout.readline() == "ready\n"
            # Compiled runs are busy with other things than epochs at first.
            early, late = (0.75, 1.0) if which == "compiled" else (0.1, 0.1 + 1.2 / kills)
            time.sleep(rng.uniform(early, late) * length)
            run.send_signal(signal.SIGKILL)
            run.stdout.read()
        path = folder / "run.json"
        if path.exists() and is_over(json.loads(path.read_text())):
            path.unlink()  # before the kill: begin again
    for _ in range(2):
        with start(which, folder) as run:
            run.stdout.readline()
            assert run.stdout.read() == whole
