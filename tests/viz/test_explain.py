import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value
from viz import explain


def leaves(y):
    return {node.label: node for node in autograd.topological_order(y) if not node.op}


def test_every_path_is_written_with_its_factors(small):
    told = explain(small, wrt=leaves(small)["b"])
    assert told.text.splitlines() == [
        "∂e/∂b = 5",
        "",
        "  b = 1",
        "  c = a + b = 3",
        "  d = b + 1 = 2",
        "  e = c × d = 6",
        "",
        "2 paths from b to e:",
        "  b → d → e:",
        "    ∂e/∂d · ∂d/∂b = 3 · 1 = 3",
        "  b → c → e:",
        "    ∂e/∂c · ∂c/∂b = 2 · 1 = 2",
        "∂e/∂b = 3 + 2 = 5",
    ]
    assert told.paths == 2
    assert [term.product for term in told.terms] == [3.0, 2.0]
    assert str(told) == told.text
    assert "5: 2 paths" in repr(told)


def test_a_square_has_two_paths():
    a = Value(3.0, "a")
    y = a * a
    y.label = "y"
    told = explain(y, a)
    assert told.paths == 2
    assert told.text.splitlines()[-1] == "∂y/∂a = 3 + 3 = 6"


def test_markdown_and_latex(small):
    told = explain(small, wrt=leaves(small)["b"])
    assert "| b → c → e | ∂e/∂c · ∂c/∂b = 2 · 1 = 2 |" in told.markdown
    assert told._repr_markdown_() == told.markdown
    paths = (
        r"\frac{\partial e}{\partial b} &= \frac{\partial e}{\partial d} \cdot "
        r"\frac{\partial d}{\partial b} + \frac{\partial e}{\partial c} \cdot "
        r"\frac{\partial c}{\partial b} \\"
    )
    assert told.latex.splitlines()[1:4] == [
        paths,
        r"&= 3 \cdot 1 + 2 \cdot 1 \\",
        "&= 5",
    ]


def test_names_are_escaped():
    x = Value(-2.0, "a|b_{*}$&")
    y = x * 1e-9
    y.label = "w12"
    told = explain(y, x)
    assert r"a\|b\_\{\*\}\$\&" in told.markdown
    assert r"\text{a|b\_\{*\}\$\&}" in told.latex
    assert r"\partial w_{12}" in told.latex
    assert r"1 \times 10^{-9}" in told.latex


def test_many_paths_are_grouped_and_give_the_gradient_exactly():
    x = Value(1.1, "x")
    y = x
    for _ in range(5):
        y = y * y + x
    told = explain(y, x)
    assert told.grouped
    assert told.paths == 63
    assert sum(term.paths for term in told.terms) == 63
    total = 0.0
    for term in told.terms:
        total += term.product
    assert total == told.gradient
    assert "grouped by the first edge" in told.text


def test_an_exponential_number_of_paths_is_counted_not_walked():
    x = Value(1.0, "x")
    y = x
    for _ in range(200):
        y = y * y
    told = explain(y, x)
    assert told.paths == 2**200
    assert len(told.terms) == 2


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_the_sum_is_the_gradient(seed, size):
    y = build(seed, size)
    y.backward()
    for leaf in leaves(y).values():
        told = explain(y, leaf, digits=17)
        assert told.gradient == leaf.grad
        scale = sum(abs(term.product) for term in told.terms)
        assert told.total == pytest.approx(leaf.grad, rel=1e-12, abs=1e-14 * scale)
        last = told.text.splitlines()[-1].rpartition("= ")[2]
        assert float(last.replace("−", "-")) == leaf.grad


def build(seed, size):
    import random

    numbers = random.Random(seed)
    table = autograd.primitives()
    nodes = [Value(numbers.uniform(-1, 1), f"x{i}") for i in range(2)]
    for _ in range(size):
        primitive = table[numbers.choice(["add", "mul", "tanh", "sub", "sin"])]
        nodes.append(primitive(*[numbers.choice(nodes[-4:]) for _ in range(primitive.arity)]))
    return nodes[-1]


def test_the_result_with_respect_to_itself(small):
    told = explain(small, small)
    assert told.gradient == 1.0
    assert told.text.splitlines()[-1] == "∂e/∂e = 1"
    assert told.latex.count("1") >= 2


def test_mistakes_are_named(small):
    with pytest.raises(ValueError, match="not part of the graph"):
        explain(small, Value(1.0))
    with pytest.raises(TypeError, match="wrt must be a Value"):
        explain(small, "b")
    with pytest.raises(ValueError, match="digits"):
        explain(small, small, digits=0)


def test_a_long_chain_is_explained_without_recursion():
    x = Value(0.1, "x")
    y = x
    for _ in range(3000):
        y = y * 1.0001
    told = explain(y, x)
    assert told.paths == 1
    assert told.grouped
    assert told.terms[0].product == told.gradient
    assert len(told.text) < 1000
