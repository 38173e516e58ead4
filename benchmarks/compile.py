"""Compile: scalar functions as machine code, beside JAX, PyTorch tensors and CasADi.

First calls include everything a library does once (recording, generating code), but not importing
it. Every process keeps to one core.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from benchmarks._environments import Environment
from benchmarks._paired import Section, Side, Target, Unit
from benchmarks._worker import Measurement, clock, repeat

SQRT_HALF = 0.7071067811865476

# --- Workloads: each in the manner of the library it is for -------------------------------------


def one_core() -> None:
    """Keep this process, and every thread it starts, to one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def price(maths: Any, spot: Any, strike: Any, time: Any, rate: Any, volatility: Any) -> Any:
    """Return Black and Scholes' price of a call, with `exp`, `log`, `sqrt`, `erfc` of `maths`."""
    width = volatility * maths.sqrt(time)
    d1 = (maths.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / width
    d2 = d1 - width
    return spot * (0.5 * maths.erfc(-d1 * SQRT_HALF)) - strike * maths.exp(-rate * time) * (
        0.5 * maths.erfc(-d2 * SQRT_HALF)
    )


def markets(rows: int) -> list[Any]:
    """Return columns of spot, strike, time, rate and volatility."""
    rng = importlib.import_module("numpy").random.default_rng(1)
    ranges = [(50.0, 150.0), (50.0, 150.0), (0.1, 2.0), (0.01, 0.05), (0.1, 0.5)]
    return [rng.uniform(low, high, rows) for low, high in ranges]


def greeks(kind: str, rows: int) -> Callable[[], Any]:
    """Return the function that computes price and five Greeks of all rows."""
    columns = markets(rows)
    if kind == "jax":
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        maths = importlib.import_module("types").SimpleNamespace(
            exp=jax.numpy.exp,
            log=jax.numpy.log,
            sqrt=jax.numpy.sqrt,
            erfc=jax.scipy.special.erfc,
        )
        every = (0, 1, 2, 3, 4)
        compute = jax.jit(
            jax.vmap(jax.value_and_grad(lambda *args: price(maths, *args), argnums=every))
        )
        arrays = [jax.numpy.asarray(column) for column in columns]
        return lambda: jax.block_until_ready(compute(*arrays))
    if kind == "torch":
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        tensors = [torch.tensor(column, requires_grad=True) for column in columns]

        def tensor_greeks() -> Any:
            out = price(torch, *tensors)
            return out, torch.autograd.grad(out.sum(), tensors)

        return tensor_greeks
    autograd = importlib.import_module("autograd")
    kernel = autograd.compile(
        lambda *args: price(autograd, *args),
        wrt=(0, 1, 2, 3, 4),
        in_axes=0,
        fast=kind == "ours, fast",
    )
    return lambda: kernel.value_and_grad(*columns)


def scalar_loss(autograd: Any, sizes: list[int]) -> Callable[..., Any]:
    """Return the loss of a network on one row, in scalar code: squared error of one output, else
    cross-entropy."""

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        numbers = iter(parameters)
        values = list(x)
        for layer, width in enumerate(sizes[1:], 2):
            values = [sum((next(numbers) * v for v in values), next(numbers)) for _ in range(width)]
            if layer < len(sizes):
                values = [v.relu() for v in values]
        if len(values) == 1:
            return (values[0] - y[0]) ** 2
        return autograd.logsumexp(values) - sum(t * v for t, v in zip(y, values, strict=True))

    return loss


def network(kind: str, sizes: list[int], rows: int) -> Callable[[], Any]:
    """Return the function that computes the mean loss and the gradient of all parameters."""
    numpy = importlib.import_module("numpy")
    rng = numpy.random.default_rng(1)
    x, y = rng.normal(size=(rows, sizes[0])), rng.normal(size=(rows, sizes[-1]))
    if sizes[-1] > 1:
        y = numpy.eye(sizes[-1])[rng.integers(0, sizes[-1], rows)]
    if kind == "torch":
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        layers: list[Any] = []
        for n, m in pairwise(sizes):
            layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers[:-1])
        points, targets = torch.tensor(x), torch.tensor(y)
        ends = torch.nn.MSELoss() if sizes[-1] == 1 else torch.nn.CrossEntropyLoss()

        def tensor_step() -> Any:
            net.zero_grad()
            out = ends(net(points), targets)
            out.backward()
            return out

        return tensor_step
    autograd = importlib.import_module("autograd")
    kernel = autograd.compile(
        scalar_loss(autograd, sizes),
        in_axes=(None, 0, 0),
        reduce="mean",
        fast=kind == "ours, fast",
    )
    parameters = rng.normal(0.0, 0.3, sum((n + 1) * m for n, m in pairwise(sizes)))
    return lambda: kernel.value_and_grad(parameters, x, y)


def rosenbrock(x: Any) -> Any:
    """Return the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2."""
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def slope(kind: str, size: int) -> Callable[[], Any]:
    """Return the function that computes the gradient of Rosenbrock's function at one point."""
    numpy = importlib.import_module("numpy")
    x = numpy.linspace(-1.0, 1.0, size)
    if kind == "casadi":
        casadi = importlib.import_module("casadi")
        symbols = casadi.SX.sym("x", size)
        out = rosenbrock(casadi.vertsplit(symbols))
        function = casadi.Function("slope", [symbols], [casadi.gradient(out, symbols)])
        buffer, evaluate = function.buffer()
        given, result = numpy.array(x), numpy.zeros(size)
        buffer.set_arg(0, memoryview(given))
        buffer.set_res(0, memoryview(result))

        def buffered(_alive: Any = (function, buffer)) -> Any:  # `evaluate` keeps neither
            given[...] = x
            evaluate()
            return result.copy()

        return buffered
    gradient: Callable[[Any], Any] = importlib.import_module("autograd").compile(rosenbrock).grad
    return lambda: gradient(x)


def chain(size: int) -> Callable[[Any], Any]:
    """Return a function of about `size` operations."""
    autograd = importlib.import_module("autograd")

    def f(x: Any) -> Any:
        y = x
        for _ in range(size // 4):
            y = autograd.sin(y) * x + 0.5 * y
        return y

    return f


def newton(a: Any) -> Any:
    """Return the square root of `a`, in as many rounds as it takes."""
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def formula(kind: str) -> Callable[[], Any]:
    """Return the function that computes ten operations of two floats, and the gradient."""
    autograd = importlib.import_module("autograd")

    def f(x: Any, y: Any) -> Any:
        return autograd.sin(x) * autograd.exp(y) + x * y - autograd.tanh(x * y) * 0.5 + x / y

    kernel = autograd.compile(f, wrt=(0, 1))
    return lambda: kernel.value_and_grad(0.3, 0.7)


WORKLOADS: dict[str, Callable[..., Callable[[], Any]]] = {
    "greeks": greeks,
    "network": network,
    "slope": slope,
    "formula": formula,
}

# --- Tasks --------------------------------------------------------------------------------------


def first_call(workload: str, **arguments: Any) -> Measurement:
    """Return the nanoseconds until the first result, on eight rows where there are rows."""
    one_core()
    if "rows" in arguments:
        arguments["rows"] = 8
    run = WORKLOADS[workload](**arguments)  # imports; no library records or compiles before a call
    started = clock()
    run()
    return Measurement(1, {"first call": [clock() - started]})


def later_calls(workload: str, repetitions: int, steps: int = 1, **arguments: Any) -> Measurement:
    """Return the nanoseconds of one call, once everything is ready."""
    one_core()
    run = WORKLOADS[workload](**arguments)
    for _ in range(3):
        run()

    def step(lap: Callable[[str], None]) -> None:
        run()
        lap("call")

    return repeat(1, repetitions, steps, step)


def burst(workload: str, repetitions: int, calls: int, **arguments: Any) -> Measurement:
    """Return the nanoseconds of a call that is too short for the clock, from `calls` in a row."""
    one_core()
    run = WORKLOADS[workload](**arguments)
    run()

    def step(lap: Callable[[str], None]) -> None:
        for _ in range(calls):
            run()
        lap("call")

    return repeat(calls, repetitions, 1, step)


def first_result(size: int, how: str) -> Measurement:
    """Return the nanoseconds to the first result of a gradient kernel (which recording computes),
    or to the first that machine code computes."""
    one_core()
    kernel = importlib.import_module("autograd").compile(chain(size))
    started = clock()
    kernel.grad(0.3)
    if how == "code":
        kernel.grad(0.4)
    return Measurement(size, {"first result": [clock() - started]})


def rounds(kind: str, rows: int) -> Measurement:
    """Return the nanoseconds of Newton's iteration, value and derivative of every row."""
    one_core()
    numpy, autograd = importlib.import_module("numpy"), importlib.import_module("autograd")
    a = numpy.exp(numpy.random.default_rng(1).uniform(-3.0, 6.0, rows))
    if kind == "eager":
        both = autograd.value_and_grad(newton)
        numbers = a.tolist()

        def run() -> Any:
            return [both(x) for x in numbers]
    else:
        kernel = autograd.compile(newton, in_axes=0)

        def run() -> Any:
            return kernel.value_and_grad(a)

    def step(lap: Callable[[str], None]) -> None:
        run()
        lap("all rows")

    return repeat(rows, 3 if kind == "ours" else 1, 1, step, warm=kind == "ours")


def trust(workload: str, calls: int, **arguments: Any) -> Measurement:
    """Return what being sure costs, in millionths of `calls` calls from the first on: comparing
    some with the function itself, and looking at each whether the function has changed."""
    one_core()
    modules = [importlib.import_module(f"autograd.compiler.{room}") for room in ("points", "rows")]
    compare, spent, seen = modules[0].compare, [0], {}

    def timed(paths: Any, *rest: Any) -> None:
        started = clock()
        compare(paths, *rest)
        spent[0] += clock() - started
        seen[id(paths)] = paths

    for module in modules:
        setattr(module, "compare", timed)  # noqa: B010 - modules have no such attribute for mypy
    try:
        run = WORKLOADS[workload](kind="ours", **arguments)
        run()
        started = clock()
        for _ in range(calls):
            run()
        total = clock() - started
    finally:
        for module in modules:
            setattr(module, "compare", compare)  # noqa: B010
    (paths,) = seen.values()
    holds = paths.fingerprint.holds
    started = clock()
    for _ in range(calls):
        holds()
    looked = clock() - started
    shares = {"self-check": spent[0], "fingerprint": looked}
    return Measurement(1, {name: [round(1e6 * ns / total)] for name, ns in shares.items()})


# --- Sides and sections -------------------------------------------------------------------------

OURS = Environment("ours-compile", build="compiled", extras=("compile",))
JAX = Environment("jax", ("jax==0.10.2",))
TORCH = Environment("torch", ("torch==2.13.0", "numpy"))
CASADI = Environment("casadi", ("casadi==3.8.2", "numpy"))
MILLISECONDS, MICROSECONDS = Unit("ms", 1e6), Unit("us", 1e3)
ROWS = 1 << 20
SMALL, LARGE = [2, 16, 16, 1], [64, 32, 10]


def section(
    title: str,
    task: str,
    unit: Unit,
    arguments: dict[str, Any],
    ours: str,
    peers: dict[str, float],
    limit: float = 0.0,
) -> Section:
    """Return the section of one workload; `peers` gives how many times faster ours must be."""
    environments = {"jax": JAX, "torch": TORCH, "casadi": CASADI}
    labels = {"jax": "JAX, jit and vmap", "torch": "PyTorch tensors", "casadi": "CasADi, buffered"}
    return Section(
        title,
        f"benchmarks.compile:{task}",
        unit,
        Side(ours, OURS, {"kind": ours, **arguments}),
        tuple(
            Side(
                labels[kind],
                environments[kind],
                {"kind": kind, **arguments},
                Target(at_least=times) if times else None,
            )
            for kind, times in peers.items()
        ),
        limit,
    )


def networks(name: str, sizes: list[int], ready: float, times: dict[int, float]) -> list[Section]:
    """Return the sections of one network: the first call, then all rows at once."""
    about = {"workload": "network", "sizes": sizes}
    return [
        section(
            f"{name}, first call",
            "first_call",
            MILLISECONDS,
            {**about, "rows": 8},
            "ours",
            {"torch": 0.0},
            ready,
        ),
        *(
            section(
                f"{name}, {rows:,} rows",
                "later_calls",
                MICROSECONDS,
                {**about, "rows": rows, "repetitions": 300},
                "ours",
                {"torch": least},
            )
            for rows, least in times.items()
        ),
    ]


BLACK_SCHOLES = "Black-Scholes, price and 5 Greeks"
GREEKS = {"workload": "greeks", "rows": ROWS}

SECTIONS = (
    *(
        section(
            f"{BLACK_SCHOLES}, first call{more}",
            "first_call",
            MILLISECONDS,
            GREEKS,
            kind,
            {"jax": 0.0, "torch": 0.0},
            60.0,
        )
        for kind, more in (("ours", ""), ("ours, fast", ", fast=True"))
    ),
    section(
        f"{BLACK_SCHOLES}, {ROWS:,} rows",
        "later_calls",
        MILLISECONDS,
        {**GREEKS, "repetitions": 5},
        "ours",
        {"jax": 1.0, "torch": 0.0},
    ),
    section(
        f"{BLACK_SCHOLES}, {ROWS:,} rows, fast=True",
        "later_calls",
        MILLISECONDS,
        {**GREEKS, "repetitions": 5},
        "ours, fast",
        {"jax": 4.0, "torch": 5.0},
    ),
    *(
        Section(
            f"What being sure costs, in percent of {calls:,} calls: {text}",
            "benchmarks.compile:trust",
            Unit("%", 1e4),
            Side("ours", OURS, {"workload": workload, "calls": calls, **more}),
            limit=limit,
        )
        for text, workload, calls, more, limit in (
            ("ten operations of two floats", "formula", 100_000, {}, 0.0),
            ("MLP 2-16-16-1, 1,024 rows", "network", 20_000, {"sizes": SMALL, "rows": 1024}, 1.0),
        )
    ),
    *networks("MLP 2-16-16-1, value and all gradients", SMALL, 300.0, {1024: 2.5, 100: 8.0}),
    *networks("MLP 64-32-10 with cross-entropy", LARGE, 2000.0, {1024: 1.0, 100: 1.0}),
    *(
        section(
            f"Gradient of Rosenbrock at one point, {size} variables",
            "burst",
            MICROSECONDS,
            {"workload": "slope", "size": size, "repetitions": 20, "calls": 500},
            "ours",
            {"casadi": 1.0},
            3.0 + 1e-3 * 21 * (size - 1),  # operations recorded for value and gradient
        )
        for size in (20, 200)
    ),
    *(
        Section(
            f"Gradient of a program of {size:,} operations, first result {text}",
            "benchmarks.compile:first_result",
            Unit("us/operation", 1e3),
            Side("ours", OURS, {"size": size, "how": how}),
            limit=60.0,
        )
        for how, text in (("recording", "(computed by recording)"), ("code", "of machine code"))
        for size in (1000, 10_000, 100_000)
    ),
    Section(
        "Newton's iteration with `while`, 100,000 rows",
        "benchmarks.compile:rounds",
        Unit("ns/row"),
        Side("ours", OURS, {"kind": "ours", "rows": 100_000}),
        (Side("ours, eager", OURS, {"kind": "eager", "rows": 20_000}, Target(at_least=50.0)),),
    ),
)
