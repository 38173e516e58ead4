"""The engine's primitives and their JavaScript lines agree, on every row of the table."""

import json
import math
import random

import pytest

from autograd import Value, javascript, primitives
from viz import _page


@pytest.fixture
def run_javascript(browser):
    """A function from the body of a JavaScript function to what that returns, in the browser."""
    tab = browser.new_page()
    yield lambda body: tab.evaluate(f"() => {{{body}}}")
    tab.close()


def arguments_of(primitive, numbers):
    points = [point for point, *_ in primitive.special]
    for _ in range(25):
        points.append(tuple(numbers.uniform(low, high) for low, high in primitive.domain))
    return points


def close(got, wanted):
    if math.isnan(wanted) or math.isinf(wanted):
        return str(got) == str(wanted)
    return math.isclose(got, wanted, rel_tol=2e-12, abs_tol=1e-13)


def test_every_primitive_has_a_line():
    assert javascript.FUNCTIONS.keys() == primitives().keys()


def test_values_and_partials_agree_with_the_engine(run_javascript):
    numbers = random.Random(7)
    table = primitives()
    calls, wanted = [], []
    for name, primitive in table.items():
        for point in arguments_of(primitive, numbers):
            value = primitive(*[Value(x) for x in point])
            literal = [javascript.javascript_number(x) for x in point]
            calls.append(f"[{json.dumps(name)},[{','.join(literal)}]]")
            wanted.append((name, point, value.data, value.partials))
    source = (
        javascript.emit(sorted(table))
        + f"const calls=[{','.join(calls)}];"
        + """
        return calls.map(([name, x]) => {
          const o = F[name](...x);
          return [o, ...D[name][0].map((d) => d ? d(o, ...x) : 0)].map(String);
        });"""
    )
    results = run_javascript(source)
    assert len(results) == len(wanted)
    wrong = []
    for (name, point, value, partials), row in zip(wanted, results, strict=True):
        got = [float(text.replace("Infinity", "inf")) for text in row]
        if not close(got[0], value):
            wrong.append((name, point, "value", got[0], value))
        for place, (mine, theirs) in enumerate(zip(got[1:], partials, strict=True)):
            if not close(mine, theirs):
                wrong.append((name, point, place, mine, theirs))
    assert not wrong


def test_numbers_are_literals(run_javascript):
    for x in (0.0, -0.0, 1.5, -2.0, 1e300, -1e-300, math.inf, -math.inf):
        literal = javascript.javascript_number(x)
        text = run_javascript(f"return String(1/(1/{literal}));")
        assert float(text.replace("Infinity", "inf")) == pytest.approx(x)


def test_a_registered_primitive_without_a_line_is_not_runnable(small):
    snapshot = _page.Snapshot(small)
    assert _page.runnable(snapshot)
    node = snapshot.nodes[-1]._replace(op="mystery")
    snapshot.nodes = (*snapshot.nodes[:-1], node)
    assert not _page.runnable(snapshot)
