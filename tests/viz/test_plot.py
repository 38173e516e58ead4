import builtins

import pytest

from autograd import Value
from viz import plot

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


@pytest.fixture
def axes():
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    yield ax
    pyplot.close(figure)


def test_the_loss_curve_has_every_loss(axes):
    ax = plot.loss_curve([Value(4.0), 2.0, 1], ax=axes)
    (line,) = ax.get_lines()
    assert list(line.get_ydata()) == [4.0, 2.0, 1.0]
    assert ax.get_yscale() == "log"


def test_a_loss_of_zero_stays_on_a_linear_axis(axes):
    assert plot.loss_curve([1.0, 0.0], ax=axes).get_yscale() == "linear"


def test_the_decision_boundary_covers_the_points(axes):
    points = [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    seen = []

    def predict(x, y):
        seen.append((x, y))
        return Value(x + y - 1.0)

    ax = plot.decision_boundary(predict, points, [-1, 1, -1], steps=20, ax=axes)
    assert len(seen) == 400
    assert min(x for x, _ in seen) < 0 < 1 < max(x for x, _ in seen)
    assert len(ax.collections) >= 3
    with pytest.raises(ValueError, match="0 points and 0 labels"):
        plot.decision_boundary(predict, [], [], ax=axes)


def test_the_histogram_has_a_step_per_layer(network, axes):
    y = network(2, 3, 1)
    ax = plot.gradient_histogram(y, ax=axes)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(names) == ["(no scope) (2)", "layer1 (9)", "layer2 (4)"]


def test_without_matplotlib_the_way_out_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"scalar-autograd\[plot\]"):
        plot.loss_curve([1.0])
