"""The example `examples/char_gpt.py`: it learns, its gradient is right, it cannot look ahead."""

import random
import re

import pytest

import autograd
from examples import char_gpt

TEXT = char_gpt.encode("mira")


def test_training_lowers_the_printed_loss_and_prints_names(capsys):
    char_gpt.main(["--steps", "20", "--seed", "3"])
    printed = capsys.readouterr().out
    losses = [float(text) for text in re.findall(r"loss (\d+\.\d+)", printed)]
    assert len(losses) == 10
    assert losses[-1] < losses[0] - 0.3
    names = re.search(r"made up: (.*)", printed)[1]
    assert set(names) <= set(char_gpt.ALPHABET + " ")


def test_the_same_seed_prints_the_same(capsys):
    outputs = []
    for _ in range(2):
        char_gpt.main(["--steps", "2", "--seed", "5"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_the_gradient_agrees_with_numerical_differences():
    numbers = char_gpt.initial_parameters(random.Random(1))
    parameters = [autograd.Value(number) for number in numbers]
    char_gpt.loss(parameters, TEXT, autograd).backward()
    for i in random.Random(2).sample(range(len(numbers)), 25):
        step = 1e-5

        def moved(by, i=i):
            there = [*numbers[:i], numbers[i] + by, *numbers[i + 1 :]]
            return char_gpt.loss(there, TEXT, autograd)

        numerical = (moved(step) - moved(-step)) / (2.0 * step)
        assert parameters[i].grad == pytest.approx(numerical, rel=1e-5, abs=1e-9)


def test_floats_and_values_give_the_same_loss():
    numbers = char_gpt.initial_parameters(random.Random(1))
    values = [autograd.Value(number) for number in numbers]
    loss = char_gpt.loss(numbers, TEXT, autograd)
    assert isinstance(loss, float)
    assert char_gpt.loss(values, TEXT, autograd).data == loss


def test_a_letter_does_not_see_what_comes_after_it():
    numbers = char_gpt.initial_parameters(random.Random(1))
    readings = []
    for last in "ab":
        reader = char_gpt.Reader(numbers, autograd)
        readings.append([reader.read(letter) for letter in char_gpt.encode(f"mir{last}")[:-1]])
    assert readings[0][:4] == readings[1][:4]
    assert readings[0][4] != readings[1][4]


def test_the_probabilities_of_the_next_letter_add_up_to_one():
    reader = char_gpt.Reader(char_gpt.initial_parameters(random.Random(1)), autograd)
    assert sum(reader.read(3)) == pytest.approx(1.0, abs=1e-14)


def test_long_names_are_cut_to_the_context():
    assert len(char_gpt.encode("abcdefghijkl")) == char_gpt.LENGTH + 1
    assert char_gpt.encode("az") == [0, 1, 26, 0]
