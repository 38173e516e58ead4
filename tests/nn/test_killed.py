"""Runs killed at random moments, with state that is no parameter: they end with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import random, sys
import nn
from autograd import Value

which, path, epochs = sys.argv[1], sys.argv[2], 40
x, y = nn.two_moons(20, 0.1, random.Random(3))
model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(2))
loss, callbacks, lr = nn.squared_error, [], nn.Warmup(5, nn.Cosine(0.05, 0.001, 100))
keywords = {"validation": (x[:7], y[:7]), "metrics": {"accuracy": nn.accuracy}}
kind = nn.Adam

if which == "rate by callback":
    kind, lr = nn.SGD, 0.1
    callbacks.append(lambda m, h: setattr(optimizer, "lr", optimizer.lr * 0.9))
if which == "early stopping":
    class Patience:
        best, wait, kept = float("inf"), 0, None

        def __call__(self, model, history):
            self.wait += 1
            if history.validation[-1] < self.best - 0.002:
                self.best, self.wait, self.kept = history.validation[-1], 0, model.state_dict()
            if self.wait == 3:
                model.load_state_dict(self.kept)
                return True

    callbacks.append(Patience())
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
optimizer = kind(model.parameters(), lr=lr)
print("ready", flush=True)
history = nn.fit(model, x, y, loss, optimizer, epochs, 6, callbacks=callbacks, checkpoint=path,
                 **{"compiled": False} | keywords)
print(len(history), *[p.data.hex() for p in model.parameters()],
      *[loss.hex() for loss in history.loss + history.validation])
"""

KILLS = int(os.environ.get("KILLS", "3"))
CONFIGURATIONS = ["rate by callback", "early stopping", "dropout", "annealed", "compiled"]


def start(which, path):
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, which, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_a_killed_run_ends_with_the_same_bits(which, tmp_path):
    if which == "compiled":
        pytest.importorskip("llvmlite")
    with start(which, tmp_path / "whole.json") as run:
        assert run.stdout.readline() == "ready\n"
        began = time.perf_counter()
        whole = run.stdout.read()
    length = time.perf_counter() - began
    assert int(whole.split()[0]) <= 40
    rng = random.Random(which)
    for _ in range(KILLS):
        with start(which, tmp_path / "killed.json") as run:
            assert run.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.2, 0.7) * length)
            run.send_signal(signal.SIGKILL)
            run.stdout.read()
    for _ in range(2):
        with start(which, tmp_path / "killed.json") as run:
            run.stdout.readline()
            assert run.stdout.read() == whole
