"""Chains: one neuron per layer, four nodes in a row, and the pattern of their derivatives.

Node i hands q(i) = f_i(z(i)) on, where z(0) = x and z(i+1) = w(i,i+1) q(i); the cost is
C = (q(3) - y)^2 / 2. From the end of the chain,

    delta(0) = (q(3) - y) f_3'(z(3))
    delta(k+1) = delta(k) w(2-k,3-k) f_(2-k)'(z(2-k))
    dC/dw(i,i+1) = delta(2-i) q(i)

In a linear chain f is the identity, q(i) is x(i), and all f' are 1. With several nodes per layer
the products become those of matrices and nothing else changes: dC/dW(i,i+1) = delta(2-i) q(i)^T.

    python examples/chains.py -o chain.svg
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from typing import Any

import nn
from autograd import Value, cos, grad, identity, sigmoid, softplus, tanh

Function = Callable[[Any], Any]
Matrix = list[list[float]]

X, Y = 0.75, 0.4
WEIGHTS = [0.8, -1.1, 0.6]
LINEAR: list[Function] = [identity] * 4
MIXED: list[Function] = [sigmoid, tanh, softplus, cos]


def chain(weights: Sequence[Matrix], functions: Sequence[Function]) -> nn.Sequential:
    """Return the chain as a network: weights[i] leads from layer i to layer i+1, row by row."""
    layers = [
        nn.Layer(
            len(matrix[0]),
            len(matrix),
            function,
            bias=False,
            init=[w for row in matrix for w in row],
            name=f"{i} to {i + 1}",
        )
        for i, (matrix, function) in enumerate(zip(weights, functions[1:], strict=True))
    ]
    return nn.Sequential(*layers)


def gradients_by_graph(
    x: list[float], y: list[float], weights: Sequence[Matrix], functions: Sequence[Function]
) -> tuple[list[Matrix], Value]:
    """Return dC/dw of every weight as `backward()` finds it, and the cost."""
    net = chain(weights, functions)
    with nn.scopes():
        first = [functions[0](Value(xi, label="x")) for xi in x]
        cost: Value = nn.half_squared_error(net(first), y)
    cost.label = "C"
    cost.backward()
    return [[[w.grad for w in n.w] for n in layer.neurons] for layer in net.layers], cost


def gradients_by_pattern(
    x: list[float], y: list[float], weights: Sequence[Matrix], functions: Sequence[Function]
) -> list[Matrix]:
    """Return dC/dw of every weight by the formulas above."""
    z = [x]
    q = [[functions[0](xi) for xi in x]]
    for matrix, f in zip(weights, functions[1:], strict=True):
        z.append([sum(w * qi for w, qi in zip(row, q[-1], strict=True)) for row in matrix])
        q.append([f(zi) for zi in z[-1]])
    slopes = [[grad(f)(zi) for zi in zs] for f, zs in zip(functions, z, strict=True)]
    delta = [(qi - yi) * s for qi, yi, s in zip(q[-1], y, slopes[-1], strict=True)]
    found: list[Matrix] = []
    for i in reversed(range(len(weights))):
        found.insert(0, [[d * qi for qi in q[i]] for d in delta])
        back = [
            sum(d * row[j] for d, row in zip(delta, weights[i], strict=True))
            for j in range(len(q[i]))
        ]
        delta = [b * s for b, s in zip(back, slopes[i], strict=True)]
    return found


def show(
    title: str,
    x: list[float],
    y: list[float],
    weights: Sequence[Matrix],
    functions: Sequence[Function],
) -> None:
    """Print both kinds of derivative of every weight."""
    by_graph, cost = gradients_by_graph(x, y, weights, functions)
    by_pattern = gradients_by_pattern(x, y, weights, functions)
    print(f"{title}: C = {cost.data:.12f}")
    for i, (graph, pattern) in enumerate(zip(by_graph, by_pattern, strict=True)):
        for name, matrix in (("graph", graph), ("pattern", pattern)):
            numbers = " ".join(f"{g:+.12f}" for row in matrix for g in row)
            print(f"  dC/dw({i},{i + 1}) {name:8}{numbers}")


def several(rng: random.Random) -> list[Matrix]:
    """Return the weights of a chain with 2, 3, 2 and 1 nodes in its layers."""
    shapes = [(3, 2), (2, 3), (1, 2)]
    return [[[rng.uniform(-1.0, 1.0) for _ in range(n)] for _ in range(m)] for m, n in shapes]


def main(argv: list[str] | None = None) -> None:
    """Print the chains; draw the one with mixed activations if asked to."""
    options = argparse.ArgumentParser(description="Chains of neurons and their derivatives.")
    options.add_argument("-o", "--output", default="", help="where to write the picture (.svg)")
    arguments = options.parse_args(argv)

    weights = [[[w]] for w in WEIGHTS]
    reached = X * WEIGHTS[0] * WEIGHTS[1] * WEIGHTS[2]
    show("linear", [X], [Y], weights, LINEAR)
    show("an activation at every node", [X], [Y], weights, MIXED)
    show("linear, no error", [X], [reached], weights, LINEAR)
    show("several nodes per layer", [X, -0.3], [Y], several(random.Random(4)), MIXED)
    if arguments.output:
        import viz

        _, cost = gradients_by_graph([X], [Y], weights, MIXED)
        viz.draw(cost).save(arguments.output)


if __name__ == "__main__":
    main()
