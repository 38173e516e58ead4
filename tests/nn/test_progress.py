"""The bar: where somebody watches, with the numbers of the epoch, and nowhere else."""

import random
import sys
import types

import pytest

import nn
from nn._progress import progress

auto = pytest.importorskip("tqdm.auto")


@pytest.fixture
def bars(monkeypatch):
    """What bars were asked to show."""
    found = []

    class Bar:
        def __init__(self, total, initial, unit, delay):
            assert (unit, delay) == ("epoch", 1.0)
            found.append([total, initial])

        def set_postfix(self, numbers, refresh):
            found[-1].append(numbers)

        def update(self):
            found[-1].append("update")

        def close(self):
            found[-1].append("close")

    monkeypatch.setattr(auto, "tqdm", Bar)
    return found


def train(**keywords):
    x, y = nn.two_moons(12, 0.1, random.Random(1))
    model = nn.MLP(2, [4, 1], rng=random.Random(2))
    optimizer = nn.SGD(model.parameters())
    metrics = {"accuracy": nn.accuracy}
    return nn.fit(
        model, x, y, nn.hinge, optimizer, 2, validation=(x, y), metrics=metrics, **keywords
    )


def shown(history, i):
    columns = {"loss": history.loss, "validation": history.validation} | history.metrics
    return {name: f"{column[i]:.4g}" for name, column in columns.items()}


def test_a_bar_in_a_terminal(bars, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    history = train()
    assert bars == [[2, 0, shown(history, 0), "update", shown(history, 1), "update", "close"]]
    assert capsys.readouterr() == ("", "")


def test_a_bar_in_a_notebook(bars, monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    train()
    assert len(bars) == 1


def test_no_bar_in_a_file_or_an_ipython_that_is_one(bars, monkeypatch):
    train()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    train()
    monkeypatch.setattr(sys, "stderr", None)
    train()
    assert bars == []


@pytest.mark.parametrize("verbose", [0, False])
def test_verbose_0_is_silent(bars, monkeypatch, verbose):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(verbose=verbose)
    assert bars == []


@pytest.mark.parametrize("verbose", [2, -1, "yes", None])
def test_another_verbose_is_refused(verbose):
    with pytest.raises(ValueError, match=r"verbose must be 0 \(silent\) or 1 \(a bar\), not"):
        train(verbose=verbose)


def test_no_bar_without_tqdm(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert len(train()) == 2


def test_a_resumed_bar_begins_where_it_was_and_ends_with_an_error(bars, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(KeyError), progress(3, 7, True):
        raise KeyError
    assert bars == [[7, 3, "close"]]


def test_the_real_bar_shows_loss_and_time_left(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    real = auto.tqdm
    monkeypatch.setattr(auto, "tqdm", lambda **k: real(**k | {"delay": 0, "mininterval": 0}))
    history = train()
    text = capsys.readouterr().err
    assert f"loss={history.loss[-1]:.4g}" in text
    assert "accuracy=" in text
    assert "2/2 [" in text
