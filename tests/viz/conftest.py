"""Graphs that several tests of pictures share."""

import itertools
import os
import random

import pytest

import autograd
from autograd import Value, primitives, scope

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def small() -> Value:
    """e = (a + b) * (b + 1), swept: de/da = 2, de/db = 5."""
    a, b = Value(2.0, "a"), Value(1.0, "b")
    c = a + b
    c.label = "c"
    d = b + 1.0
    d.label = "d"
    e = c * d
    e.label = "e"
    e.backward()
    return e


@pytest.fixture
def network():
    """A function from layer sizes to the (unswept) output of a sigmoid network with scopes."""

    def build(*sizes: int, seed: int = 0) -> Value:
        numbers = random.Random(seed)
        layer = [Value(numbers.uniform(-1, 1), f"x{i + 1}") for i in range(sizes[0])]
        for depth, size in enumerate(sizes[1:], 1):
            outputs = []
            for place in range(1, size + 1):
                with scope(f"layer{depth}"), scope(f"neuron{place}"):
                    total = Value(numbers.uniform(-1, 1), "b")
                    for i, x in enumerate(layer, 1):
                        total = total + Value(numbers.uniform(-1, 1), f"w{i}") * x
                    output = autograd.sigmoid(total)
                    output.label = f"h{depth}{place}"
                    outputs.append(output)
            layer = outputs
        return layer[0]

    return build


@pytest.fixture
def random_graph():
    """A function from a seed and a size to the root of a random graph with shared nodes."""

    def build(seed: int, size: int = 12, names=("add", "mul", "tanh", "sin", "sub")) -> Value:
        numbers = random.Random(seed)
        table = primitives()
        nodes: list[Value] = [Value(numbers.uniform(-1.5, 1.5), f"x{i}") for i in range(3)]
        for step in range(size):
            primitive = table[numbers.choice(names)]
            arguments: list[Value | float] = [
                numbers.choice(nodes[-6:]) for _ in range(primitive.arity)
            ]
            if len(arguments) > 1 and numbers.random() < 0.2:
                arguments[1] = round(numbers.uniform(-2, 2), 2)
            with scope(f"part{step // 5}"):
                nodes.append(primitive(*arguments))
        total = nodes[-1]
        for node in nodes[-4:-1]:
            total = total + node
        return total

    return build


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; on the project's own checks its absence is a failure."""
    reason = ""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        reason = "the playwright package is not installed"
    if not reason and not os.path.exists(CHROMIUM):
        reason = f"there is no {CHROMIUM}"
    if reason:
        if os.environ.get("SCALAR_AUTOGRAD_REQUIRE_BROWSER"):
            pytest.fail(f"browser tests must run here, but {reason}")
        pytest.skip(reason)
    with sync_playwright() as client:
        chromium = client.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, tmp_path):
    """A function that opens HTML text in a tab; complaints and requests fail the test."""
    tabs, problems, number = [], [], itertools.count()

    def open_page(html: str, **options):
        path = tmp_path / f"page{next(number)}.html"
        path.write_text(html, encoding="utf-8")
        tab = browser.new_page(**{"viewport": {"width": 1300, "height": 800}, **options})
        tab.on("console", lambda message: problems.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: problems.append(f"error: {error}"))
        tab.on("request", lambda request: problems.append(request.url))
        tab.goto(path.as_uri())
        assert problems == [path.as_uri()]
        problems.clear()
        tabs.append(tab)
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
    assert problems == []
