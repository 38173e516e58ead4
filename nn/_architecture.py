"""What a plain MLP is, its numbers aside: checked where it comes from a file.

Knows no modules; the numbers of a network are one list, in the order of `parameters()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from typing import Any

from autograd import Primitive, primitives

Matrix = list[list[float]]
# The name of one activation for a whole layer, or one for each of its neurons.
Names = str | tuple[str, ...]


def activations() -> dict[str, Primitive]:
    """Return the primitives that take one argument, by name."""
    return {p.name: p for p in primitives().values() if p.arity - len(p.defaults) == 1}


def known_activation(name: str) -> Primitive:
    """Return the primitive of one argument of that name.

    Raises:
        ValueError: there is none.
    """
    known = activations()
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"activation {name!r} is no primitive of one argument{hint}")
    return known[name]


@dataclass(frozen=True)
class Architecture:
    """Inputs, neurons of each layer, activation of each layer, whether there are biases, scope."""

    inputs: int
    sizes: tuple[int, ...]
    activations: tuple[Names, ...]
    bias: bool = True
    name: str = ""

    def __str__(self) -> str:
        words = ", ".join(one if isinstance(one, str) else "mixed" for one in self.activations)
        bias = "" if self.bias else ", no biases"
        return f"{'-'.join(map(str, [self.inputs, *self.sizes]))} ({words}{bias})"

    def shapes(self) -> Iterator[tuple[int, int]]:
        """Yield (neurons, inputs) of each layer."""
        yield from zip(self.sizes, (self.inputs, *self.sizes), strict=False)

    @property
    def count(self) -> int:
        """How many parameters there are."""
        return sum(prod(shape) + self.bias * shape[0] for shape in self.shapes())

    def split(self, numbers: Sequence[float]) -> Iterator[tuple[Matrix, list[float]]]:
        """Yield (weights, biases) of each layer: a row for each neuron; biases may be []."""
        place = 0
        for neurons, inputs in self.shapes():
            width = inputs + self.bias
            rows = [list(numbers[place + i * width :][:width]) for i in range(neurons)]
            place += neurons * width
            yield [row[:inputs] for row in rows], [row[-1] for row in rows if self.bias]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "inputs": self.inputs,
            "sizes": list(self.sizes),
            "activations": [x if isinstance(x, str) else list(x) for x in self.activations],
            "bias": self.bias,
            "name": self.name,
        }

    @staticmethod
    def from_json(data: Any) -> Architecture:
        """Return what `to_json` was given; what it takes is bounded by the size of `data`.

        Raises:
            ValueError: it is nothing that `to_json` returns; the message says what is wrong.
        """
        names = ("inputs", "sizes", "activations", "bias", "name")
        if type(data) is not dict or set(data) != set(names):
            raise ValueError(f"an architecture has {', '.join(names)}, not {data!r:.100}")
        inputs, sizes, each, bias, name = (data[name] for name in names)
        if type(sizes) is not list or not sizes:
            raise ValueError(f"sizes are {sizes!r:.100}")
        for size in (inputs, *sizes):
            if type(size) is not int or size < 1:
                raise ValueError(f"a layer of size {size!r:.100}")
        if type(each) is not list or len(each) != len(sizes):
            raise ValueError(f"{len(sizes)} layers, and activations are {each!r:.100}")
        if type(bias) is not bool or type(name) is not str:
            raise ValueError(f"bias is {bias!r:.100}, name is {name!r:.100}")
        name.encode()  # or it could not be shown
        for size, one in zip(sizes, each, strict=True):
            if type(one) not in (str, list) or (type(one) is list and len(one) != size):
                raise ValueError(f"a layer of {size} neurons has the activation {one!r:.100}")
            for word in set(map(str, [one] if type(one) is str else one)):
                known_activation(word[:100])
        found = tuple(one if type(one) is str else tuple(map(str, one)) for one in each)
        return Architecture(inputs, tuple(sizes), found, bias, name)
