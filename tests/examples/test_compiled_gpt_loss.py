"""The compiled loss of the GPT against the eager one."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import itertools

import char_gpt
import compiled_gpt_loss as example

import autograd


def test_training_on_one_name():
    losses, _, kernel = example.train("al", 4)
    assert all(after < before for before, after in itertools.pairwise(losses))
    assert kernel.stats.paths == 1
    assert kernel.stats.guards == 0

    parameters = np.array(char_gpt.initial_parameters(random.Random(1)))
    text = tuple(char_gpt.encode("al"))
    compiled = kernel.value_and_grad(parameters, text)
    eager = autograd.value_and_grad(example.loss)(parameters, text)
    assert compiled[0] == eager[0] == losses[0]
    assert np.array_equal(compiled[1], eager[1])
    original = char_gpt.loss(parameters.tolist(), text, autograd)
    assert losses[0] == pytest.approx(original, rel=1e-13)


def test_printed_numbers(run):
    lines = run(example, "--name", "a", "--steps", "3").splitlines()
    losses, _, kernel = example.train("a", 3)
    assert lines[0] == f"loss {losses[0]:.4f} -> {losses[-1]:.4f} in 3 steps"
    assert lines[1].startswith(f"{kernel.stats.nodes:,} nodes")
