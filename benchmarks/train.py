"""Train: whole trainings, compile time counted, beside micrograd and PyTorch tensors.

Each workload exists once per library, in that library's own manner; data, network, optimiser and
number of steps are the same. `fit` takes its default way.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Target, Unit
from benchmarks._worker import Measurement

# --- Two moons: 100 points, 2-16-16-1, max margin and L2, 100 steps over all points --------------

STEPS = 100
STRENGTH = 1e-4


def moons() -> tuple[list[list[float]], list[float]]:
    """Return 100 points on two half circles with some noise, and their labels -1 and +1."""
    rng = random.Random(1)
    points, labels = [], []
    for i in range(100):
        angle, upper = math.pi * (i // 2) / 49, i % 2 == 0
        x, y = math.cos(angle), math.sin(angle)
        if not upper:
            x, y = 1.0 - x, 0.5 - y
        points.append([x + rng.gauss(0.0, 0.1), y + rng.gauss(0.0, 0.1)])
        labels.append(-1.0 if upper else 1.0)
    return points, labels


def moons_by_ours() -> float:
    import nn

    x, y = moons()
    net = nn.MLP(2, [16, 16, 1], rng=random.Random(2))
    optimizer = nn.SGD(net.parameters(), lr=nn.Linear(1.0, 0.1, STEPS))
    nn.fit(net, x, y, nn.hinge, optimizer, STEPS, penalty=lambda p: nn.l2(p, STRENGTH))
    return nn.accuracy(nn.predict(net, x), y)


def moons_by_micrograd() -> float:
    from micrograd.nn import MLP

    x, y = moons()
    random.seed(2)
    net = MLP(2, [16, 16, 1])
    scores: list[Any] = []
    for k in range(STEPS):
        scores = [net(row) for row in x]
        losses = [(1 + -label * score).relu() for label, score in zip(y, scores, strict=True)]
        penalty = STRENGTH * sum(p * p for p in net.parameters())
        net.zero_grad()
        (sum(losses) * (1.0 / len(losses)) + penalty).backward()
        for p in net.parameters():
            p.data -= (1.0 - 0.9 * k / STEPS) * p.grad
    return sum((s.data > 0) == (label > 0) for s, label in zip(scores, y, strict=True)) / len(y)


def moons_by_torch() -> float:
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(2)
    points, labels = moons()
    x, y = torch.tensor(points), torch.tensor(labels)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 1),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    for k in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 1.0 - 0.9 * k / STEPS
        optimizer.zero_grad()
        penalty = STRENGTH * sum((p * p).sum() for p in net.parameters())
        loss = torch.relu(1.0 - y * net(x)[:, 0]).mean() + penalty
        loss.backward()
        optimizer.step()
    return float(((net(x)[:, 0] > 0) == (y > 0)).double().mean())


# --- Digits and synthetic images: one hidden layer, cross-entropy, Adam, batches of 100 ----------

BATCH = 100


def digits() -> tuple[Any, Any, list[int]]:
    """Return scikit-learn's 8x8 digits, pixels from 0 to 1, their labels, and the sizes."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.data / 16.0, data.target, [64, 32, 10]


def images() -> tuple[Any, Any, list[int]]:
    """Return 10,000 images of 28x28: one of ten random patterns each, under noise."""
    import numpy

    rng = numpy.random.default_rng(1)
    labels = rng.integers(0, 10, 10_000)
    patterns = rng.random((10, 784))
    return patterns[labels] + rng.normal(0.0, 0.3, (10_000, 784)), labels, [784, 32, 10]


DATA = {"digits": digits, "images": images}


def classes_by_ours(data: str, epochs: int) -> Iterator[float]:
    """Train; yield the seconds to the end of the first update, then those of every epoch."""
    import nn

    x, labels, (inputs, *sizes) = DATA[data]()
    y = nn.one_hot(labels, 10)
    net = nn.MLP(inputs, sizes, init="he", rng=random.Random(1))
    optimizer = nn.Adam(net.parameters(), lr=0.01)
    started = time.perf_counter()
    history = nn.fit(net, x, y, nn.cross_entropy, optimizer, epochs, BATCH)
    passed = time.perf_counter() - started
    before = passed - sum(history.seconds)
    yield before + history.seconds[0] / math.ceil(len(y) / BATCH)
    yield from history.seconds


def classes_by_torch(data: str, epochs: int) -> Iterator[float]:
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    points, labels, (inputs, hidden, outputs) = DATA[data]()
    started = time.perf_counter()
    x, y = torch.tensor(points), torch.tensor(labels)
    net = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    begun = started
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            if epoch == start == 0:
                yield time.perf_counter() - started
        yield time.perf_counter() - begun
        begun = time.perf_counter()


# --- The scalar GPT on names, one name an update by Adam -----------------------------------------


def names_by_ours(steps: int) -> list[float]:
    """Return the loss of each step, trained as the example trains."""
    sys.path.append("examples")
    import char_gpt
    import names_gpt

    rng = random.Random(1)
    net = names_gpt.NamesGPT(rng)
    return names_gpt.train(net, char_gpt.NAMES, steps, rng)


def names_by_reference(steps: int) -> list[float]:
    """The same by the micrograd-style class and a tutorial's loop, which clips no gradients."""
    sys.path.append("examples")
    import char_gpt

    from benchmarks._scalars import Reference

    rng = random.Random(1)
    scalars = Reference()
    parameters = [scalars.leaf(number) for number in char_gpt.initial_parameters(rng)]
    optimizer = char_gpt.Adam(parameters)
    losses = []
    for step in range(steps):
        loss = char_gpt.loss(parameters, char_gpt.encode(rng.choice(char_gpt.NAMES)), scalars.maths)
        loss.backward()
        optimizer.step(0.01 * (1.0 - step / steps))
        losses.append(loss.data)
    return losses


# --- Tasks --------------------------------------------------------------------------------------

MOONS: dict[str, Callable[[], float]] = {
    "ours": moons_by_ours,
    "micrograd": moons_by_micrograd,
    "torch": moons_by_torch,
}
NAMES: dict[str, Callable[[int], list[float]]] = {
    "ours": names_by_ours,
    "reference": names_by_reference,
}
CLASSES: dict[str, Callable[[str, int], Iterator[float]]] = {
    "ours": classes_by_ours,
    "torch": classes_by_torch,
}


def whole_process(program: str, repetitions: int = 3) -> Measurement:
    """Return how long a fresh Python takes to run `program`, from start to end."""
    spent: list[int] = []
    for _ in range(repetitions):
        started = time.perf_counter_ns()
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        spent.append(time.perf_counter_ns() - started)
    return Measurement(1, {"process": spent})


def names_process(kind: str, steps: int) -> Measurement:
    """Return how long a fresh Python takes for that many steps, from start to end."""
    program = f"from benchmarks import train; train.NAMES[{kind!r}]({steps})"
    return Measurement(steps, whole_process(program, 1).phases)


def epoch(kind: str, data: str, epochs: int) -> Measurement:
    """Return the time of an epoch, the first two left out."""
    _, *seconds = CLASSES[kind](data, epochs)
    return Measurement(1, {"epoch": [round(1e9 * s) for s in seconds[2:]]})


def first_step(kind: str, data: str) -> Measurement:
    """Return the time to the end of the first update, data and imports at hand, and of an epoch."""
    step, _, second = CLASSES[kind](data, 2)
    return Measurement(1, {"first step": [round(1e9 * step)], "epoch": [round(1e9 * second)]})


# --- Sides and sections -------------------------------------------------------------------------

OURS = Environment("ours-train", ("scikit-learn==1.9.1",), build="compiled", extras=("compile",))
MICROGRAD = Environment("micrograd", ("micrograd==0.1.0",))
REFERENCE = Environment("python")
TORCH = Environment("torch-train", ("torch==2.13.0", "numpy", "scikit-learn==1.9.1"))
SECONDS = Unit("s", 1e9)
MILLISECONDS = Unit("ms", 1e6)


def _moons(kind: str) -> dict[str, str]:
    return {"program": f"from benchmarks import train; assert train.MOONS[{kind!r}]() == 1.0"}


def _digits(kind: str) -> dict[str, str]:
    return {"program": f"from benchmarks import train; list(train.CLASSES[{kind!r}]('digits', 20))"}


SECTIONS = (
    Section(
        "two moons, 100 steps, from process start to trained",
        "benchmarks.train:whole_process",
        SECONDS,
        Side("ours", OURS, _moons("ours")),
        (
            Side(
                "micrograd",
                MICROGRAD,
                {**_moons("micrograd"), "repetitions": 1},
                Target(at_least=100),
            ),
            Side("PyTorch tensors", TORCH, _moons("torch"), Target(at_least=1)),
        ),
    ),
    Section(
        "digits 64-32-10, 20 epochs of batches of 100, whole script",
        "benchmarks.train:whole_process",
        SECONDS,
        Side("ours", OURS, _digits("ours")),
        (Side("PyTorch tensors", TORCH, _digits("torch"), Target(at_most=1.5)),),
        note="Both scripts import scikit-learn for the data.",
    ),
    Section(
        "digits 64-32-10, one epoch",
        "benchmarks.train:epoch",
        MILLISECONDS,
        Side("ours", OURS, {"kind": "ours", "data": "digits", "epochs": 12}),
        (
            Side(
                "PyTorch tensors",
                TORCH,
                {"kind": "torch", "data": "digits", "epochs": 12},
                Target(at_least=1),
            ),
        ),
    ),
    Section(
        "784-32-10 on 10,000 synthetic images",
        "benchmarks.train:first_step",
        SECONDS,
        Side("ours", OURS, {"kind": "ours", "data": "images"}),
        (Side("PyTorch tensors", TORCH, {"kind": "torch", "data": "images"}),),
        note="Time to the end of the first update, compiling included, and of the second epoch.",
    ),
    Section(
        "GPT on names, 1,000 steps, from process start (ms per step)",
        "benchmarks.train:names_process",
        MILLISECONDS,
        Side("ours", OURS, {"kind": "ours", "steps": 1000}),
        (
            Side(
                "micrograd-style class (200 steps)",
                REFERENCE,
                {"kind": "reference", "steps": 200},
                Target(at_least=30),
            ),
        ),
        note="The class runs 200 steps from process start; a step of 1,000 would take as long.",
    ),
)
