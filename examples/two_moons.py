"""Two moons: a 2-16-16-1 network learns where one half circle ends and the other begins.

100 points, max-margin loss with an L2 penalty, 100 steps of plain gradient descent on all points
at once with a falling rate.

    python examples/two_moons.py -o two_moons.png
    python examples/two_moons.py --eager
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import nn
from autograd import Value

STEPS = 100


def data() -> tuple[list[list[float]], list[float]]:
    """Return the points and their labels, -1 and +1."""
    return nn.two_moons(100, 0.1, random.Random(1))


def network() -> nn.MLP:
    """Return the untrained network."""
    return nn.MLP(2, [16, 16, 1], rng=random.Random(1337))


def penalty(parameters: list[Value]) -> Value:
    """Return 1e-4 times the sum of squares of all parameters."""
    loss: Value = nn.l2(parameters, 1e-4)
    return loss


def train(net: nn.MLP, compiled: bool | None = None) -> nn.History:
    """Return the history of training `net`."""
    x, y = data()
    optimizer = nn.SGD(net.parameters(), lr=nn.Linear(1.0, 0.1, STEPS))
    return nn.fit(net, x, y, nn.hinge, optimizer, STEPS, penalty=penalty, compiled=compiled)


def main(argv: list[str] | None = None) -> None:
    """Train, print loss and accuracy, plot the boundary if asked to."""
    options = argparse.ArgumentParser(description="Separate two moons.")
    options.add_argument("-o", "--output", default="", help="where to write the picture")
    options.add_argument("--eager", action="store_true", help="graph after graph, not machine code")
    arguments = options.parse_args(argv)

    net = network()
    x, y = data()
    history = train(net, compiled=False if arguments.eager else None)
    for step in (0, 10, 20, 50, STEPS - 1):
        print(f"step {step:3}  loss {history.loss[step]:.10f}")
    outputs = nn.predict(net, x)
    print(f"accuracy {100.0 * nn.accuracy(outputs, y):.0f} %")
    print(nn.confusion_matrix(outputs, y, names=["upper", "lower"]))
    if arguments.output:
        plot_boundary(net, x, y, arguments.output)


def plot_boundary(
    net: nn.MLP, x: list[list[float]], y: list[float], path: str, spacing: float = 0.08
) -> Any:
    """Write the plane coloured by the network's score, its zero line, and the points."""
    from matplotlib.figure import Figure

    across = [-1.6 + spacing * i for i in range(round(4.3 / spacing))]
    up = [-1.2 + spacing * i for i in range(round(3.0 / spacing))]
    scores = nn.predict(net, [[a, b] for b in up for a in across])
    grid = [scores[i * len(across) : (i + 1) * len(across)] for i in range(len(up))]
    figure = Figure(figsize=(6.0, 4.4), layout="constrained")
    axes = figure.add_subplot(title="two moons: score of a 2-16-16-1 network", aspect="equal")
    limit = max(abs(score) for score in scores)
    levels = [limit * i / 8 for i in range(-8, 9)]
    shades = axes.contourf(across, up, grid, levels=levels, cmap="RdBu", alpha=0.8)
    axes.contour(across, up, grid, levels=[0.0], colors="black", linewidths=1.5)
    colours = ["#b2182b" if label < 0 else "#2166ac" for label in y]
    left, height = zip(*x, strict=True)
    axes.scatter(left, height, c=colours, edgecolors="white", s=28, zorder=3)
    figure.colorbar(shades)
    figure.savefig(path)
    return figure


if __name__ == "__main__":
    main()
