"""Scalars against matrices: the same 2-2-2-1 network trained both ways, gradient by gradient.

Sigmoid everywhere, half squared error, learning rate 0.5. The matrix form has samples as rows:

    a_l = sigmoid(a_(l-1) W_l + b_l)
    delta_L = (a_L - t) * a_L * (1 - a_L),   delta_l = (delta_(l+1) W_(l+1)^T) * a_l * (1 - a_l)
    dC/dW_l = a_(l-1)^T delta_l,             dC/db_l = the sum of delta_l over the samples

    python examples/matrix_form.py -o loss.png
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np

import nn

INPUT, TARGET = [0.5, 0.35], 0.725
RATE, ITERATIONS = 0.5, 500
Array = Any


class Matrices:
    """The network as weight matrices (one column per neuron) and bias rows."""

    def __init__(self, net: nn.MLP) -> None:
        self.w = [
            np.array([[w.data for w in n.w] for n in layer.neurons]).T for layer in net.layers
        ]
        self.b = [np.array([[n.b.data for n in layer.neurons]]) for layer in net.layers]

    def gradients(self, x: Array, t: Array) -> tuple[float, list[Array], list[Array]]:
        """Return the loss, dC/dW and dC/db of every layer for samples and targets in rows."""
        activations = [x]
        for w, b in zip(self.w, self.b, strict=True):
            activations.append(1.0 / (1.0 + np.exp(-(activations[-1] @ w + b))))
        error = activations[-1] - t
        delta = error * activations[-1] * (1.0 - activations[-1])
        weights: list[Array] = []
        biases: list[Array] = []
        for layer in reversed(range(len(self.w))):
            a = activations[layer]
            weights.insert(0, a.T @ delta)
            biases.insert(0, delta.sum(axis=0, keepdims=True))
            delta = (delta @ self.w[layer].T) * a * (1.0 - a)
        return 0.5 * float(np.sum(error**2)), weights, biases

    def update(self, weights: list[Array], biases: list[Array]) -> None:
        """Move against the gradients."""
        for layer in range(len(self.w)):
            self.w[layer] -= RATE * weights[layer]
            self.b[layer] -= RATE * biases[layer]


def flat(weights: list[Array], biases: list[Array]) -> list[float]:
    """Return matrices and rows in the order of `net.parameters()`."""
    layers = [np.vstack([w, b]).T.ravel() for w, b in zip(weights, biases, strict=True)]
    return [float(number) for layer in layers for number in layer]


def train(seed: int = 5) -> list[tuple[float, float, float]]:
    """Return each iteration's loss by scalars and by matrices, and how far gradients differ."""
    net = nn.MLP(
        2, [2, 2, 1], activation="sigmoid", output_activation="sigmoid", rng=random.Random(seed)
    )
    matrices = Matrices(net)
    optimizer = nn.SGD(net.parameters(), lr=RATE)
    found: list[tuple[float, float, float]] = []
    for _ in range(ITERATIONS):
        optimizer.zero_grad()
        loss = nn.half_squared_error(net(INPUT), TARGET)
        loss.backward()
        value, weights, biases = matrices.gradients(np.array([INPUT]), np.array([[TARGET]]))
        ours = [parameter.grad for parameter in net.parameters()]
        worst = max(abs(g - m) for g, m in zip(ours, flat(weights, biases), strict=True))
        found.append((loss.data, value, worst))
        optimizer.step()
        matrices.update(weights, biases)
    return found


def main(argv: list[str] | None = None) -> None:
    """Print the losses as they fall, and the largest difference of any gradient."""
    options = argparse.ArgumentParser(description="Scalars against matrices.")
    options.add_argument("-o", "--output", default="", help="where to write the plot of the loss")
    arguments = options.parse_args(argv)
    found = train()
    for i in (0, 1, 10, 50, 100, 200, ITERATIONS - 1):
        scalars, matrices, _ = found[i]
        print(f"iteration {i:3}  scalars {scalars:.12e}  matrices {matrices:.12e}")
    print(f"largest difference of a gradient: {max(row[2] for row in found):.1e}")
    if arguments.output:
        plot([row[0] for row in found], arguments.output)


def plot(losses: list[float], path: str) -> None:
    """Write the losses as a picture, on a logarithmic scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.add_subplot(xlabel="iteration", ylabel="half squared error", yscale="log")
    axes.plot(losses)
    figure.savefig(path)


if __name__ == "__main__":
    main()
