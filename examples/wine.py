"""Wine: from a table to a saved model. A 13-8-3 network tells three cultivars by chemical analysis.

The table `wine.csv` has 178 wines: 13 measurements and the cultivar, 1 to 3. It is the data set
"Wine" by Stefan Aeberhard and M. Forina (UCI Machine Learning Repository, 1992,
doi:10.24432/C5PC7J), under the licence CC BY 4.0; columns were named and the cultivar put last.

A quarter is held out. Columns are standardised for training; afterwards that is put into the first
layer, so that the saved network takes measurements as they are in the table.

    python examples/wine.py -o wine.png --save wine.json --page wine.html --python wine_model.py
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import autograd
import nn
import viz

TABLE = Path(__file__).with_name("wine.csv")
EPOCHS = 40
BATCH = 16
CULTIVARS = 3


def data() -> tuple[list[Any], list[Any], list[int], list[int]]:
    """Return (x_train, x_test, y_train, y_test): measurements, and cultivars from 0 on."""
    x, y = nn.load_csv(TABLE, target="cultivar")
    return nn.train_test_split(x, [round(number) - 1 for number in y], 0.25, random.Random(3))


def train(
    net: nn.MLP, x: list[Any], y: list[int], film: viz.Training | None = None
) -> tuple[nn.History, nn.Standardizer]:
    """Return the history of training `net` on standardised columns, and what standardised them.

    The graph of the first wine's loss, before training and after every epoch, goes to `film`.
    """
    scale = nn.Standardizer().fit(x)
    rows, targets = scale(x), nn.one_hot(y, CULTIVARS)

    def show(*_: Any) -> None:
        if film is not None:
            with nn.scopes():
                outputs = net(rows[0])
                with autograd.scope("cross-entropy"):
                    loss = nn.cross_entropy(outputs, targets[0])
            loss.label = "loss"
            loss.backward()
            film.add(loss, f"epoch {len(film)}")
            net.zero_grad()

    show()
    history = nn.fit(
        *[net, rows, targets, nn.cross_entropy, nn.Adam(net.parameters(), lr=0.02), EPOCHS, BATCH],
        penalty=lambda parameters: nn.l2(parameters, 1e-4),
        metrics={"accuracy": lambda outputs, _: nn.accuracy(outputs, y)},
        callbacks=[show],
    )
    return history, scale


def on_raw_columns(net: nn.MLP, scale: nn.Standardizer) -> None:
    """Change the first layer so that the network takes columns that are not standardised."""
    for neuron in net.layers[0].neurons:
        for w, mean, deviation in zip(neuron.w, scale.mean, scale.deviation, strict=True):
            w.data /= deviation
            neuron.b.data -= w.data * mean


def main(argv: list[str] | None = None) -> None:
    """Train, print loss, accuracy and confusion matrix; write picture, page and model if asked."""
    options = argparse.ArgumentParser(description="Tell cultivars of wine.")
    options.add_argument("-o", "--output", default="", help="where to write the picture")
    options.add_argument("--page", default="", help="where to write a page of the training")
    options.add_argument("--save", default="", help="where to write the network")
    options.add_argument("--python", default="", help="where to write it as a Python module")
    arguments = options.parse_args(argv)

    x_train, x_test, y_train, y_test = data()
    net = nn.MLP(13, [8, 3], activation="tanh", init="xavier", rng=random.Random(1))
    film = viz.training() if arguments.page else None
    history, scale = train(net, x_train, y_train, film)
    on_raw_columns(net, scale)
    for epoch in (0, EPOCHS // 2, EPOCHS - 1):
        accuracy = history.metrics["accuracy"][epoch]
        print(f"epoch {epoch + 1:2}  loss {history.loss[epoch]:.6f}  accuracy {accuracy:.3f}")
    outputs = nn.predict(net, x_test)
    right = round(nn.accuracy(outputs, y_test) * len(y_test))
    print(f"held out: {right} of {len(y_test)} right")
    for row in nn.confusion_matrix(outputs, y_test):
        print("  " + " ".join(f"{count:3}" for count in row))
    if arguments.save:
        net.save(arguments.save)
        print(f"saved {nn.load(arguments.save).architecture()}")
    if arguments.python:
        text = net.to_python("cultivar_scores", x_test[:3])
        Path(arguments.python).write_text(text, encoding="utf-8")
    if film is not None:
        film.save(arguments.page)
    if arguments.output:
        plot(history, nn.confusion_matrix(outputs, y_test), arguments.output)


def plot(history: nn.History, counts: list[list[int]], path: str) -> None:
    """Write a picture of the training and of the confusion matrix."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1.0])
    epochs = range(1, len(history) + 1)
    left.semilogy(epochs, history.loss, color="C0")
    left.set(xlabel="epoch", title="training")
    left.set_ylabel("loss", color="C0")
    beside = left.twinx()
    beside.plot(epochs, history.metrics["accuracy"], color="C1")
    beside.set_ylabel("accuracy", color="C1")
    names = [f"{i + 1}" for i in range(CULTIVARS)]
    right.set(xlabel="said to be", ylabel="is", title="held out")
    right.set_xticks(range(CULTIVARS), names)
    right.set_yticks(range(CULTIVARS), names)
    right.imshow(counts, cmap="Blues")
    for r, row in enumerate(counts):
        for c, count in enumerate(row):
            light = count > max(map(max, counts)) / 2
            right.text(c, r, str(count), ha="center", va="center", color="w" if light else "k")
    figure.savefig(path)


if __name__ == "__main__":
    main()
