"""Names: the small GPT of `char_gpt.py` as a module, trained on a list of real names.

The names are those of a file (one to a line), or the 1,000 most frequent female first names that
the package `names` ships (from the US census of 1990), or, without that package, the made-up ones
of `char_gpt.py`. One name is one update by Adam.

Training is machine code: the surprise at one place of a name is recorded once and run over all
places. Letters are what differs from name to name, and a letter chooses parameters, which is
nothing a recorded program can do; so the letters' parameters are looked up before and go in as
numbers, and their gradients are added to where they came from. A name shorter than the context is
filled up, and what is not to be seen gets attention 0: one program does for all names.

    python examples/names_gpt.py --steps 2000 --save names.json -o names.png
    python examples/names_gpt.py --steps 0 --load names.json
"""

from __future__ import annotations

import argparse
import random
from math import inf
from pathlib import Path
from typing import Any

import char_gpt
import numpy
from char_gpt import LENGTH, WIDTH

import autograd
import nn
from autograd import Value


class Reader(char_gpt.Reader):
    """The network while it reads, with a softmax that chooses no branch."""

    def softmax(self, scores: list[Any]) -> list[Any]:
        """Return the scores as probabilities."""
        return autograd.softmax(scores)


class NamesGPT(nn.Module):
    """The GPT with its parameters as named matrices."""

    def __init__(self, rng: random.Random) -> None:
        numbers = iter(char_gpt.initial_parameters(rng))
        self.weights = {
            name: [[Value(next(numbers)) for _ in range(columns)] for _ in range(rows)]
            for name, (rows, columns) in char_gpt.SHAPES.items()
        }

    def forward(self, name: str) -> Any:
        """Return the mean surprise, in nats, at each next letter of `name`."""
        return char_gpt.loss(self.parameters(), char_gpt.encode(name), autograd, Reader)

    def sample(self, rng: random.Random) -> str:
        """Return a name that the network makes up."""
        numbers = [parameter.data for parameter in self.parameters()]
        return char_gpt.sample(numbers, autograd, rng)


def shipped_names() -> list[str]:
    """Return the names of the package `names`, else the made-up ones."""
    try:
        import names  # type: ignore[import-untyped]
    except ImportError:
        return char_gpt.NAMES
    lines = Path(names.FILES["first:female"]).read_text(encoding="ascii").splitlines()
    return usable([line.split()[0] for line in lines][:1000])


def usable(names: list[str]) -> list[str]:
    """Return, in lower case, the names of letters from a to z that fit into the context."""
    lower = [name.strip().lower() for name in names]
    return [
        name for name in lower if name.isascii() and name.isalpha() and len(name) < char_gpt.LENGTH
    ]


# --- Training -----------------------------------------------------------------------------------

LETTERS = len(char_gpt.ALPHABET) * WIDTH  # the parameters that letters choose, which come first


def surprise(letters: Any, others: Any, place: Any) -> Any:
    """Return the surprise at the letter that comes after one place of a name.

    Args:
        letters: the parameters of each letter read, filled up to the context.
        others: all parameters that no letter chooses.
        place: numbers that say where: 1 at the place, 1 up to it, 1 at the letter to come.
    """
    place = list(place)
    here, seen, coming = place[:LENGTH], place[LENGTH : 2 * LENGTH], place[2 * LENGTH :]
    reader = Reader([0.0] * LETTERS + list(others), autograd)
    flat = list(letters)
    rows = [flat[i * WIDTH : (i + 1) * WIDTH] for i in range(LENGTH)]
    each = [char_gpt.add(row, own) for row, own in zip(rows, reader.weights["place"], strict=True)]
    for x in each:
        reader.remember(char_gpt.normalise(x))
    x = [char_gpt.dot(here, column) for column in zip(*each, strict=True)]
    probabilities = reader.guess(x, lambda i, score: autograd.where(seen[i], score, -inf))
    return -autograd.log(char_gpt.dot(coming, probabilities))


def arguments(numbers: Any, codes: list[int]) -> tuple[Any, Any, Any]:
    """Return what `surprise` takes for every place of a name, as arrays."""
    table = numbers[:LETTERS].reshape(-1, WIDTH)
    letters = numpy.zeros((LENGTH, WIDTH))
    count = len(codes) - 1
    letters[:count] = table[codes[:-1]]
    here = numpy.eye(LENGTH)[:count]
    seen = numpy.tril(numpy.ones((LENGTH, LENGTH)))[:count]
    coming = numpy.eye(len(table))[codes[1:]]
    return letters.ravel(), numbers[LETTERS:], numpy.column_stack([here, seen, coming])


def by_graphs(letters: Any, others: Any, places: Any) -> tuple[float, tuple[Any, Any]]:
    """Return the mean of `surprise` and its gradient, graph after graph."""
    total, sums = 0.0, (numpy.zeros(len(letters)), numpy.zeros(len(others)))
    of_place = autograd.value_and_grad(surprise, argnums=(0, 1))
    for place in places.tolist():
        value, gradients = of_place(letters.tolist(), others.tolist(), place)
        total += value
        sums = (sums[0] + gradients[0], sums[1] + gradients[1])
    return total / len(places), (sums[0] / len(places), sums[1] / len(places))


def train(
    net: NamesGPT, names: list[str], steps: int, rng: random.Random, compiled: bool = True
) -> list[float]:
    """Return the loss of each step; every step learns from one name."""
    schedule = nn.Linear(0.01, 0.0, max(steps, 1))
    optimizer = nn.Adam(net.parameters(), lr=schedule, beta2=0.99, clip_norm=1.0)
    mean = by_graphs
    if compiled:
        mean = autograd.compile(
            surprise, wrt=(0, 1), in_axes=(None, None, 0), reduce="mean"
        ).value_and_grad
    numbers = numpy.array([parameter.data for parameter in net.parameters()])
    losses = []
    for _ in range(steps):
        codes = char_gpt.encode(rng.choice(names))
        loss, (of_letters, of_others) = mean(*arguments(numbers, codes))
        gradient = numpy.zeros(len(numbers))
        gradient[LETTERS:] = of_others
        table = gradient[:LETTERS].reshape(-1, WIDTH)
        numpy.add.at(table, codes[:-1], of_letters.reshape(-1, WIDTH)[: len(codes) - 1])
        numbers = optimizer.update(numbers, gradient)
        losses.append(float(loss))
    net.assign(numbers.tolist())
    return losses


def main(argv: list[str] | None = None) -> None:
    """Train, print the loss as it falls, then names that are not in the list."""
    options = argparse.ArgumentParser(description="Train a small GPT on names.")
    options.add_argument("--file", default="", help="names, one to a line")
    options.add_argument("--steps", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--eager", action="store_true", help="graph after graph: very slow")
    options.add_argument("--load", default="", help="weights to begin with")
    options.add_argument("--save", default="", help="where to write the weights")
    options.add_argument("-o", "--output", default="", help="where to write the plot of the loss")
    arguments = options.parse_args(argv)

    rng = random.Random(arguments.seed)
    if arguments.file:
        names = usable(Path(arguments.file).read_text(encoding="utf-8").splitlines())
        if not names:
            options.error(f"{arguments.file} holds no name of up to 7 letters from a to z")
    else:
        names = shipped_names()
    net = NamesGPT(rng)
    if arguments.load:
        net.load(arguments.load)
    print(f"{len(net.parameters())} parameters, {len(names)} names")

    losses = train(net, names, arguments.steps, rng, not arguments.eager)
    every = max(1, len(losses) // 10)
    for end in range(every, len(losses) + 1, every):
        mean = sum(losses[end - every : end]) / every
        print(f"steps {end - every + 1:5} to {end:5}  loss {mean:.6f}")
    if arguments.save:
        net.save(arguments.save)
    print("made up:", " ".join(net.sample(rng) for _ in range(10)))
    if arguments.output:
        plot(losses, arguments.output)


def plot(losses: list[float], path: str) -> None:
    """Write the losses as a picture, each averaged over the 50 steps up to it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="nats a letter")
    recent = [losses[max(0, i - 49) : i + 1] for i in range(len(losses))]
    axes.plot([sum(part) / len(part) for part in recent])
    figure.savefig(path)


if __name__ == "__main__":
    main()
