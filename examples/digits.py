"""Digits: a 64-32-10 network reads handwritten digits of 8 by 8 pixels.

The data set is scikit-learn's: 1,797 digits, a fifth of them held out. Adam in batches of 100 on
categorical cross-entropy. The picture shows held-out digits the network got wrong, beside its
confusion matrix.

    python examples/digits.py -o digits.png
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import nn

EPOCHS = 20
BATCH = 100


def data() -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return (x_train, x_test, y_train, y_test): pixels from 0 to 1, and the digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = (digits.data / 16.0).tolist()
    return nn.train_test_split(x, digits.target.tolist(), 0.2, random.Random(1))


def network() -> nn.MLP:
    """Return the untrained network: 64 pixels in, ten scores out."""
    return nn.MLP(64, [32, 10], init="he", rng=random.Random(4))


def train(
    net: nn.MLP, x: list[Any], y: list[Any], epochs: int = EPOCHS, compiled: bool | None = None
) -> nn.History:
    """Return the history of training `net`."""
    optimizer = nn.Adam(net.parameters(), lr=nn.Linear(0.04, 0.004, 300))
    targets = nn.one_hot(y, 10)
    return nn.fit(net, x, targets, nn.cross_entropy, optimizer, epochs, BATCH, compiled=compiled)


def main(argv: list[str] | None = None) -> None:
    """Train, print loss and accuracy, draw mistakes and confusion matrix if asked to."""
    options = argparse.ArgumentParser(description="Read handwritten digits.")
    options.add_argument("--epochs", type=int, default=EPOCHS)
    options.add_argument("-o", "--output", default="", help="where to write the picture")
    arguments = options.parse_args(argv)

    x_train, x_test, y_train, y_test = data()
    net = network()
    history = train(net, x_train, y_train, arguments.epochs)
    for epoch in sorted({0, len(history) // 2, len(history) - 1}):
        print(f"epoch {epoch + 1:2}  loss {history.loss[epoch]:.6f}")
    outputs = nn.predict(net, x_test)
    right = round(nn.accuracy(outputs, y_test) * len(y_test))
    print(f"held out: {right} of {len(y_test)} right, {100.0 * right / len(y_test):.1f} %")
    for row in nn.confusion_matrix(outputs, y_test):
        print("  " + " ".join(f"{count:3}" for count in row))
    if arguments.output:
        plot(x_test, y_test, outputs, arguments.output)


def plot(x: list[Any], y: list[int], outputs: list[Any], path: str) -> None:
    """Write a picture of up to twelve mistakes and the confusion matrix."""
    from matplotlib.figure import Figure

    said = [row.index(max(row)) for row in outputs]
    wrong = [i for i in range(len(y)) if said[i] != y[i]][:12]
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[1.2, 1.0])
    left, right = halves
    for place, i in enumerate(wrong):
        axes = left.add_subplot(3, 4, place + 1)
        axes.imshow([x[i][8 * r : 8 * r + 8] for r in range(8)], cmap="gray_r")
        axes.set_title(f"{y[i]}, read as {said[i]}", fontsize=9)
        axes.set_axis_off()
    axes = right.add_subplot(xlabel="read as", ylabel="is", xticks=range(10), yticks=range(10))
    counts = nn.confusion_matrix(outputs, y)
    axes.imshow(counts, cmap="Blues")
    for r, row in enumerate(counts):
        for c, count in enumerate(row):
            if count:
                axes.text(c, r, str(count), ha="center", va="center", fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
