"""The compile benchmark: every task runs, and the workloads compute the right numbers."""

import importlib

import numpy as np
import pytest

pytest.importorskip("llvmlite")
benchmark = importlib.import_module("benchmarks.compile")

import autograd  # noqa: E402


@pytest.fixture(autouse=True)
def all_cores(monkeypatch):
    monkeypatch.setattr(benchmark, "one_core", lambda: None)


@pytest.mark.parametrize("section", benchmark.SECTIONS, ids=lambda section: section.title)
def test_our_side_of_every_section_runs(section):
    task = getattr(benchmark, section.task.split(":")[1])
    arguments = dict(section.ours.arguments)
    small = {"rows": 20, "repetitions": 1, "calls": 1, "sizes": [2, 3, 2], "size": 40}
    arguments.update({key: small[key] for key in small if key in arguments})
    measured = task(**arguments)
    assert measured.count >= 1
    assert all(len(times) >= 1 and min(times) > 0 for times in measured.phases.values())


def test_the_greeks_are_those_of_eager_code():
    value, greeks = benchmark.greeks("ours", 5)()
    columns = benchmark.markets(5)
    eager = autograd.value_and_grad(
        lambda *args: benchmark.price(autograd, *args), argnums=(0, 1, 2, 3, 4)
    )
    for i in range(5):
        want, slopes = eager(*(float(column[i]) for column in columns))
        assert value[i] == want
        assert [g[i] for g in greeks] == list(slopes)


def test_the_network_is_the_one_of_matrices():
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
    labels = np.eye(3)[rng.integers(0, 3, 7)]
    w = rng.normal(0.0, 0.3, 3 * 4 + 5 * 3)
    found, _ = benchmark.network("ours", [2, 4, 3], 7)()
    first, second = w[:12].reshape(4, 3), w[12:].reshape(3, 5)
    # Each row of a layer holds the start of its sum, then a weight per input.
    hidden = np.maximum(x @ first[:, 1:].T + first[:, 0], 0.0)
    scores = hidden @ second[:, 1:].T + second[:, 0]
    losses = np.log(np.exp(scores).sum(axis=1)) - (scores * labels).sum(axis=1)
    assert found == pytest.approx(losses.mean(), rel=1e-13)
