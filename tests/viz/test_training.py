import math

import pytest

import autograd
from autograd import Value
from viz import draw, training


def steps(count):
    """Yields the loss of each step while it trains."""
    w, b = Value(0.2, "w"), Value(0.0, "b")
    for step in range(count):
        x = 0.5 + 0.1 * step
        loss = (autograd.tanh(w * x + b) - 0.8) ** 2
        loss.label = "loss"
        loss.zero_grad()
        loss.backward()
        yield loss
        for leaf in (w, b):
            leaf.data -= 0.5 * leaf.grad


def test_every_step_has_its_own_numbers(visit):
    losses = []

    def run():
        for loss in steps(12):
            losses.append(loss.data)
            yield loss

    film = training(run())
    assert len(film) == 12
    assert losses[-1] < losses[0]
    tab = visit(film.html())
    assert tab.locator("#frame").get_attribute("max") == "11"
    for place in (0, 5, 11):
        tab.locator("#frame").fill(str(place))
        assert tab.locator("#frame-where").inner_text().startswith(f"step {place}: loss = ")
        values = tab.evaluate("picture.values")
        assert values[-1] == pytest.approx(losses[place], rel=1e-12)
    points = tab.locator("#spark-line").get_attribute("points").split()
    assert len(points) == 12
    tab.click("#frame-play")
    assert "pause" in tab.locator("#frame-play").inner_text()


def test_steps_can_be_added_one_by_one_or_as_pictures(tmp_path):
    film = training()
    for place, loss in enumerate(steps(3)):
        film.add(draw(loss) if place % 2 else loss, name=f"epoch {place}")
    path = film.save(tmp_path / "training.html")
    assert "epoch 2" in path.read_text(encoding="utf-8")
    assert repr(film) == "<Training: 3 steps>"


def test_another_program_is_named():
    x = Value(1.0, "x")
    with pytest.raises(ValueError, match=r"step 1 is another program.*node 1 differs"):
        training([x * x, x + x])
    with pytest.raises(ValueError, match="3 nodes instead of 2"):
        training([x * x, x * x * x])


def test_mistakes_are_named(tmp_path):
    with pytest.raises(ValueError, match="no graph"):
        training().html()
    with pytest.raises(ValueError, match=r"\.html"):
        training(steps(1)).save(tmp_path / "film.svg")
    with pytest.raises(TypeError, match="needs a Value"):
        training([3.0])


def test_infinite_numbers_are_frames_too(visit):
    def run():
        for x in (0.0, 1.0):
            yield Value(x, "x").log() * math.inf

    tab = visit(training(run()).html())
    assert tab.evaluate("picture.values.map(String)") == ["1", "0", "NaN"]
