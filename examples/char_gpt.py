"""A character-level GPT on scalars: the whole transformer, one number at a time.

It reads a name letter by letter and learns to guess the next letter. One block, four heads of
attention, sixteen numbers per letter, at most eight letters of context. Nothing here is a tensor:
a vector is a list, a matrix is a list of rows, and the arithmetic is Python's own.

The network does not know how gradients are made. It is written in `+ - * / **` and the three
functions `exp`, `log`, `relu` of a module `maths`; `autograd` is such a module, and it works on
plain floats as well as on `Value`s. Training runs it on `Value`s, sampling on floats, and
`python -m benchmarks eager` on the numbers of other libraries.

    python examples/char_gpt.py --steps 300
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

Scalar = Any  # a float, an autograd.Value, or anything else with Python's arithmetic
Vector = list[Scalar]
Matrix = list[Vector]

HEADS = 4
WIDTH = 16  # numbers that describe one letter; each head looks at WIDTH / HEADS of them
LENGTH = 8  # letters the network can look back on

MADE_UP_NAMES = """
    alora amaro anik arvela bastin belona berin brisa cadmor calisa coren dalia damaro delwin
    dorela elvan emira enora erin falo farela fenna galen garona hadrin halisa helora ilma iona
    irwen jarel jasmira jolan kalisa karo kelwin korin lamira larin lenora lorwen maris melora
    mirwen nadia nalo norin olma orela orwin pamela perin ralisa renor roswen salin selora sorin
    talia tarwen terin ulma uren valora velin wenda wilmar yara yelin zamira zorin
"""
NAMES = MADE_UP_NAMES.split()
ALPHABET = "." + "abcdefghijklmnopqrstuvwxyz"  # the dot stands before and after every name


def encode(name: str) -> list[int]:
    """Return the letters of `name` as numbers, a dot on either side, cut to the context."""
    return [ALPHABET.index(letter) for letter in f".{name}."][: LENGTH + 1]


# --- The parameters -----------------------------------------------------------------------------

SHAPES = {
    "letter": (len(ALPHABET), WIDTH),  # what a letter means
    "place": (LENGTH, WIDTH),  # what standing at the n-th place means
    "query": (WIDTH, WIDTH),  # what a letter looks for,
    "key": (WIDTH, WIDTH),  # what it can be found by,
    "value": (WIDTH, WIDTH),  # and what it tells those who find it
    "mix": (WIDTH, WIDTH),  # joins what the heads have found
    "widen": (4 * WIDTH, WIDTH),  # the two layers that think it over
    "narrow": (WIDTH, 4 * WIDTH),
    "guess": (len(ALPHABET), WIDTH),  # one score per possible next letter
}


def initial_parameters(rng: random.Random) -> list[float]:
    """Return all parameters of the network in one list, small and normally distributed."""
    count = sum(rows * columns for rows, columns in SHAPES.values())
    return [rng.gauss(0.0, 0.15) for _ in range(count)]


def matrices(parameters: Iterable[Scalar]) -> dict[str, Matrix]:
    """Return the flat list of parameters as the named matrices of `SHAPES`."""
    numbers = iter(parameters)
    return {
        name: [[next(numbers) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in SHAPES.items()
    }


# --- The network --------------------------------------------------------------------------------


def dot(x: Iterable[Scalar], y: Iterable[Scalar]) -> Scalar:
    """Return x[0] y[0] + x[1] y[1] + ..."""
    return sum(a * b for a, b in zip(x, y, strict=True))


def linear(matrix: Matrix, vector: Vector) -> Vector:
    """Return the matrix times the vector."""
    return [dot(row, vector) for row in matrix]


def add(x: Vector, y: Vector) -> Vector:
    """Return the sum of two vectors."""
    return [a + b for a, b in zip(x, y, strict=True)]


def normalise(vector: Vector) -> Vector:
    """Return the vector scaled so that the mean of its squares is one (RMS norm)."""
    scale = (dot(vector, vector) / len(vector) + 1e-5) ** -0.5
    return [x * scale for x in vector]


def softmax(scores: Vector, maths: Any) -> Vector:
    """Return the scores as probabilities: exp(s_i) / (exp(s_0) + exp(s_1) + ...)."""
    highest = max(scores)  # taken off first, so that exp cannot overflow
    powers = [maths.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


class Reader:
    """The network while it reads one name: its weights, and what it remembers of each letter.

    Letters are read in order and only earlier ones are remembered, so no letter can look ahead:
    that is all there is to causal attention.
    """

    def __init__(self, parameters: Iterable[Scalar], maths: Any) -> None:
        self.weights = matrices(parameters)
        self.maths = maths
        self.keys: list[Vector] = []
        self.values: list[Vector] = []

    def softmax(self, scores: Vector) -> Vector:
        """Return the scores as probabilities."""
        return softmax(scores, self.maths)

    def read(self, letter: int) -> Vector:
        """Return the probability of each possible next letter, having read `letter`."""
        weights = self.weights
        x = add(weights["letter"][letter], weights["place"][len(self.keys)])
        self.remember(normalise(x))
        return self.guess(x)

    def remember(self, x: Vector) -> None:
        """Keep what a letter can be found by, and what it tells those who find it."""
        self.keys.append(linear(self.weights["key"], x))
        self.values.append(linear(self.weights["value"], x))

    def guess(self, x: Vector, weigh: Callable[[int, Scalar], Scalar] | None = None) -> Vector:
        """Return the probability of each letter after `x`, which is among those remembered."""
        x = add(x, self.attend(normalise(x), weigh))
        x = add(x, self.think(normalise(x)))
        return self.softmax(linear(self.weights["guess"], normalise(x)))

    def attend(self, x: Vector, weigh: Callable[[int, Scalar], Scalar] | None = None) -> Vector:
        """Return what the four heads find in the letters remembered, this one included.

        `weigh(i, score)` may change the score of the i-th of them.
        """
        query = linear(self.weights["query"], x)
        size = WIDTH // HEADS
        found: Vector = []
        for start in range(0, WIDTH, size):
            head = slice(start, start + size)
            scores = [dot(query[head], key[head]) / size**0.5 for key in self.keys]
            if weigh is not None:
                scores = [weigh(i, score) for i, score in enumerate(scores)]
            attention = self.softmax(scores)
            found += [
                dot(attention, (value[i] for value in self.values))
                for i in range(start, start + size)
            ]
        return linear(self.weights["mix"], found)

    def think(self, x: Vector) -> Vector:
        """Return the answer of the two-layer network that stands behind the attention."""
        hidden = [self.maths.relu(h) for h in linear(self.weights["widen"], x)]
        return linear(self.weights["narrow"], hidden)


def loss(
    parameters: Iterable[Scalar], text: Sequence[int], maths: Any, kind: type[Reader] = Reader
) -> Scalar:
    """Return the mean surprise, -log(probability) in nats, at each next letter of `text`."""
    reader = kind(parameters, maths)
    surprises = [-maths.log(reader.read(seen)[coming]) for seen, coming in pairwise(text)]
    return sum(surprises) / len(surprises)


# --- Training and sampling ----------------------------------------------------------------------


class Adam:
    """Adam: each parameter steps by its averaged gradient over its averaged size.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
    """

    def __init__(self, parameters: list[Scalar]) -> None:
        self.parameters = parameters
        self.means = [0.0] * len(parameters)
        self.squares = [0.0] * len(parameters)
        self.steps = 0

    def step(self, rate: float) -> None:
        """Move every parameter against its gradient and set the gradient back to zero."""
        self.steps += 1
        for i, parameter in enumerate(self.parameters):
            self.means[i] += 0.1 * (parameter.grad - self.means[i])
            self.squares[i] += 0.01 * (parameter.grad**2 - self.squares[i])
            mean = self.means[i] / (1.0 - 0.9**self.steps)
            square = self.squares[i] / (1.0 - 0.99**self.steps)
            parameter.data -= rate * mean / (square**0.5 + 1e-8)
            parameter.grad = 0.0


def sample(parameters: list[float], maths: Any, rng: random.Random) -> str:
    """Return a name the network makes up, letter by letter until it says the dot."""
    reader = Reader(parameters, maths)
    name = ""
    letter = 0
    while len(name) < LENGTH:
        letter = rng.choices(range(len(ALPHABET)), reader.read(letter))[0]
        if letter == 0:
            break
        name += ALPHABET[letter]
    return name


def main(argv: list[str] | None = None) -> None:
    """Train on the built-in names; print the loss as it falls, then a few new names."""
    import autograd

    options = argparse.ArgumentParser(description="Train a small GPT on scalars.")
    options.add_argument("--steps", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    arguments = options.parse_args(argv)

    rng = random.Random(arguments.seed)
    parameters = [autograd.Value(number) for number in initial_parameters(rng)]
    optimizer = Adam(parameters)
    print(f"{len(parameters)} parameters, {len(NAMES)} names")

    every = max(1, arguments.steps // 10)
    recent: list[float] = []
    for step in range(1, arguments.steps + 1):
        surprise = loss(parameters, encode(rng.choice(NAMES)), autograd)
        surprise.backward()
        optimizer.step(rate=0.01 * (1.0 - (step - 1) / arguments.steps))
        recent.append(surprise.data)
        if step % every == 0:
            print(f"step {step:4d}  loss {sum(recent) / len(recent):.4f}")
            recent.clear()

    trained = [parameter.data for parameter in parameters]
    print("made up:", " ".join(sample(trained, autograd, rng) for _ in range(8)))


if __name__ == "__main__":
    main()
