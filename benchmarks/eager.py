"""Eager: what one operation costs, recorded and differentiated, beside other libraries.

Each workload is written once, as ordinary Python over an abstract scalar (`_scalars.py`), and the
same text runs on every side. Where a peer is slow or recursive it gets a smaller one of the same
kind; every figure is per operation.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Target, Unit
from benchmarks._scalars import KINDS, Build, Floats
from benchmarks._worker import Measurement, repeat
from examples import char_gpt

# --- Workloads ----------------------------------------------------------------------------------

MLP_WIDTHS = (2, 16, 16, 1)
MLP_OPERATIONS = 642


def mlp(leaves: Sequence[Any], maths: Any) -> Callable[[], Any]:
    """Return the squared error of a 2-16-16-1 network with relu at one sample.

    642 operations: a product and a sum per weight, a relu per hidden neuron, and two for the error.
    """
    numbers = iter(leaves)
    layers = [
        [([next(numbers) for _ in range(inputs)], next(numbers)) for _ in range(outputs)]
        for inputs, outputs in pairwise(MLP_WIDTHS)
    ]
    sample = [next(numbers) for _ in range(MLP_WIDTHS[0])]

    def neuron(weights: list[Any], bias: Any, x: list[Any]) -> Any:
        return sum((w * xi for w, xi in zip(weights, x, strict=True)), bias)

    def run() -> Any:
        x = sample
        for layer in layers[:-1]:
            x = [maths.relu(neuron(weights, bias, x)) for weights, bias in layer]
        weights, bias = layers[-1][0]
        return (neuron(weights, bias, x) - 1.0) ** 2

    return run


def mlp_values() -> list[float]:
    """Return the weights and biases of the network, layer by layer, and the sample."""
    rng = random.Random(2)
    sizes = pairwise(MLP_WIDTHS)
    count = sum((inputs + 1) * outputs for inputs, outputs in sizes)
    return [rng.uniform(-1.0, 1.0) for _ in range(count + MLP_WIDTHS[0])]


def chain(leaves: Sequence[Any], operations: int) -> Callable[[], Any]:
    """Return x -> w x + b, applied again and again: every operation needs the one before."""
    x, w, b = leaves

    def run() -> Any:
        y = x
        for _ in range(operations // 2):
            y = y * w + b
        return y

    return run


def wide_sum(leaves: Sequence[Any]) -> Callable[[], Any]:
    """Return the sum of all leaves: as many operations as leaves."""

    def run() -> Any:
        return sum(leaves)

    return run


GPT_TEXT = char_gpt.encode("abcdefgh")  # LENGTH letters are read and as many guessed


def gpt(leaves: Sequence[Any], maths: Any) -> Callable[[], Any]:
    """Return the loss of the character-level GPT of `examples/char_gpt.py` on eight letters."""

    def run() -> Any:
        return char_gpt.loss(leaves, GPT_TEXT, maths)

    return run


def workload(name: str, kind: Floats, size: int) -> tuple[Build, list[float], int]:
    """Return what to build, its leaves' values, and how many operations it has."""
    match name:
        case "mlp":
            return partial(mlp, maths=kind.maths), mlp_values(), MLP_OPERATIONS
        case "chain":
            return partial(chain, operations=size), [0.5, 0.999, 0.001], size
        case "sum":
            return wide_sum, [1.0 / (1 + i) for i in range(size)], size
        case "gpt":
            parameters = char_gpt.initial_parameters(random.Random(1))
            return partial(gpt, maths=kind.maths), parameters, 1
    raise ValueError(f"no workload is named {name!r}")


# --- Tasks: what a worker runs ------------------------------------------------------------------


def times(
    name: str,
    kind: str,
    size: int = 0,
    steps: int = 1,
    repetitions: int = 5,
    collector: bool = True,
    warm: bool = True,
) -> Measurement:
    """Return the nanoseconds of running a workload forward, backward, and letting go of the graph.

    With `collector=False` Python's cyclic garbage collector is off for the whole measurement.
    """
    scalars = KINDS[kind]()
    build, values, operations = workload(name, scalars, size)
    scalars.program(build, values)
    if not collector:
        gc.disable()

    def step(lap: Callable[[str], None]) -> None:
        result = scalars.forward()
        lap("forward")
        if scalars.differentiates:
            scalars.backward(result)
            lap("backward")
        del result
        lap("free")

    return repeat(operations, repetitions, steps, step, warm)


def memory(name: str, kind: str, size: int) -> Measurement:
    """Return the bytes by which recording a workload makes the process grow (collector on)."""
    scalars = KINDS[kind]()
    build, values, operations = workload(name, scalars, size)
    scalars.program(build, values)
    gc.collect()
    before = _resident_bytes()
    result = scalars.forward()
    grown = _resident_bytes() - before
    del result
    return Measurement(operations, {"recorded": [grown]})


def _resident_bytes() -> int:
    """Return the resident size of this process (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as sizes:
        return int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- Sides and sections -------------------------------------------------------------------------

COMPILED = Environment("ours-compiled", build="compiled")
PURE = Environment("ours-pure", build="pure")
MICROGRAD = Environment("micrograd", ("micrograd==0.1.0",))
XAD = Environment("xad", ("xad==1.5.2",))
TORCH = Environment("torch", ("torch==2.13.0", "numpy"))
HIPS = Environment("hips-autograd", ("autograd==1.9.1",))

NANOSECONDS = Unit("ns per operation")
MILLISECONDS = Unit("ms per step", 1e6)
BYTES = Unit("bytes per node")


def side(
    label: str, environment: Environment, kind: str, target: Target | None = None, **arguments: Any
) -> Side:
    """Return a side that runs `kind` in `environment`."""
    return Side(label, environment, {"kind": kind, **arguments}, target)


def section(
    title: str,
    unit: Unit,
    ours: Side,
    *peers: Side,
    task: str = "times",
    limit: float = 0.0,
    note: str = "",
    **arguments: Any,
) -> Section:
    """Return a section whose sides all have `arguments`, except where they say otherwise."""

    def given(one: Side) -> Side:
        return Side(one.label, one.environment, {**arguments, **one.arguments}, one.target)

    sides = tuple(given(peer) for peer in peers)
    return Section(
        title, f"benchmarks.eager:{task}", unit, given(ours), sides, limit=limit, note=note
    )


SECTIONS = (
    section(
        "MLP 2-16-16-1, one sample",
        NANOSECONDS,
        side("ours, compiled", COMPILED, "ours", steps=100),
        side("plain floats, value only", COMPILED, "floats", Target(at_most=3), steps=100),
        side("micrograd", MICROGRAD, "micrograd", Target(at_least=20)),
        side("XAD", XAD, "xad", Target(at_least=10)),
        side("PyTorch scalars", TORCH, "torch"),
        side("HIPS autograd", HIPS, "hips", steps=1),
        side("ours, pure", PURE, "ours"),
        name="mlp",
        steps=20,
        repetitions=20,
    ),
    section(
        "MLP 2-16-16-1, one sample, pure build",
        NANOSECONDS,
        side("ours, pure", PURE, "ours"),
        side("micrograd", MICROGRAD, "micrograd", Target(at_least=3.5)),
        name="mlp",
        steps=20,
        repetitions=20,
    ),
    section(
        "A chain of 2,000,000",
        NANOSECONDS,
        side("ours, compiled", COMPILED, "ours"),
        side("plain floats, value only", COMPILED, "floats"),
        side("micrograd", MICROGRAD, "micrograd", size=400, steps=50),
        side("XAD", XAD, "xad", size=200_000),
        side("PyTorch scalars", TORCH, "torch", size=20_000),
        side("HIPS autograd", HIPS, "hips", size=2_000),
        side("ours, pure", PURE, "ours"),
        name="chain",
        size=2_000_000,
        repetitions=3,
        note="micrograd is recursive and ends with a RecursionError beyond about 1,000 nodes.",
    ),
    section(
        "A wide sum of 1,000,000",
        NANOSECONDS,
        side("ours, compiled", COMPILED, "ours"),
        side("plain floats, value only", COMPILED, "floats"),
        side("micrograd", MICROGRAD, "micrograd", size=400, steps=50),
        side("XAD", XAD, "xad", size=200_000),
        side("PyTorch scalars", TORCH, "torch", size=20_000),
        side("HIPS autograd", HIPS, "hips", size=1_000),
        side("ours, pure", PURE, "ours"),
        name="sum",
        size=1_000_000,
        repetitions=3,
    ),
    section(
        "GPT step, collector on",
        MILLISECONDS,
        side("ours, compiled", COMPILED, "ours", steps=5),
        side("plain floats, value only", COMPILED, "floats"),
        side("micrograd-style class", COMPILED, "reference", Target(at_least=9)),
        side("micrograd", MICROGRAD, "micrograd"),
        side("XAD", XAD, "xad"),
        side("PyTorch scalars", TORCH, "torch", repetitions=1),
        side("HIPS autograd", HIPS, "hips", steps=1, repetitions=1, warm=False),
        side("ours, pure", PURE, "ours"),
        name="gpt",
        steps=2,
    ),
    section(
        "GPT step, the loop pauses the collector",
        MILLISECONDS,
        side("ours, compiled", COMPILED, "ours", collector=False, steps=5),
        side("micrograd-style class, collector on", COMPILED, "reference", Target(at_least=13)),
        side("micrograd-style class, paused too", COMPILED, "reference", collector=False),
        name="gpt",
        steps=2,
    ),
    section(
        "Memory of a chain",
        BYTES,
        side("ours, compiled", COMPILED, "ours"),
        side("micrograd", MICROGRAD, "micrograd"),
        side("micrograd-style class", COMPILED, "reference"),
        side("XAD", XAD, "xad"),
        side("PyTorch scalars", TORCH, "torch", size=20_000),
        side("HIPS autograd", HIPS, "hips", size=20_000),
        side("ours, pure", PURE, "ours"),
        task="memory",
        name="chain",
        size=1_000_000,
        limit=112,
        note="Growth of the resident size of a fresh process, collector on, graph alive.",
    ),
)
