"""The loss of the scalar GPT (char_gpt.py) as machine code: value and gradient of one name.

The letters of a name are whole numbers, hence static: each name has a program of its own, which
recording makes, once. It pays where a name comes up often, as in this training on a single one.
The network finds the largest score with `max`, which chooses a branch for every order the scores
can be in; here `autograd.softmax` takes its place, which keeps the choice inside the graph.

    python examples/compiled_gpt_loss.py --name ilma --steps 20
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Any

import char_gpt
import numpy as np

import autograd


class Reader(char_gpt.Reader):
    """The network while it reads, with a softmax that chooses no branch."""

    def softmax(self, scores: list[Any]) -> list[Any]:
        """Return the scores as probabilities."""
        return autograd.softmax(scores)


def loss(parameters: Any, text: tuple[int, ...]) -> Any:
    """Return char_gpt's loss of one name."""
    return char_gpt.loss(parameters, text, autograd, Reader)


def train(name: str, steps: int, rate: float = 0.05) -> tuple[list[float], list[float], Any]:
    """Return the loss before each step of gradient descent, the seconds it took, the kernel."""
    kernel = autograd.compile(loss)
    parameters = np.array(char_gpt.initial_parameters(random.Random(1)))
    text = tuple(char_gpt.encode(name))
    losses, seconds = [], []
    for _ in range(steps):
        started = time.perf_counter()
        value, gradient = kernel.value_and_grad(parameters, text)
        seconds.append(time.perf_counter() - started)
        losses.append(value)
        parameters -= rate * gradient
    return losses, seconds, kernel


def main(argv: list[str] | None = None) -> None:
    """Print the loss as it falls, and what compiling costs and gives."""
    options = argparse.ArgumentParser(description="The scalar GPT's loss, compiled.")
    options.add_argument("--name", default="ilma")
    options.add_argument("--steps", type=int, default=20)
    arguments = options.parse_args(argv)
    losses, seconds, kernel = train(arguments.name, arguments.steps)
    stats = kernel.stats
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f} in {len(losses)} steps")
    print(f"{stats.nodes:,} nodes recorded, {stats.instructions:,} instructions after the passes")
    print(f"first step {seconds[0]:.2f} s (recording), second {seconds[1]:.2f} s (generating code)")
    print(f"every further step {1e3 * min(seconds[2:]):.2f} ms")


if __name__ == "__main__":
    main()
