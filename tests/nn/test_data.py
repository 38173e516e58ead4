"""Data helpers: what they make, and what they say about what they cannot use."""

import math
import random

import pytest

import nn


def test_standardizer_fits_and_inverts():
    numpy = pytest.importorskip("numpy")
    x = [[1.0, 10.0, 5.0], [2.0, 30.0, 5.0], [6.0, 20.0, 5.0]]
    scale = nn.Standardizer().fit(x)
    found = numpy.array(scale(x))
    array = numpy.array(x)
    want = (array - array.mean(axis=0)) / numpy.where(array.std(axis=0) == 0, 1, array.std(axis=0))
    numpy.testing.assert_allclose(found, want, atol=1e-15)
    numpy.testing.assert_allclose(scale.inverse(found), x, atol=1e-14)
    assert scale(array) == scale(x)


def test_standardizer_takes_given_numbers():
    assert nn.Standardizer([5.0, 4.0], [2.0, 0.5])([[7.0, 3.0]]) == [[1.0, -2.0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Standardizer([1.0], []), "1 means but 0 deviations"),
        (lambda: nn.Standardizer([1.0], [0.0]), "positive"),
        (lambda: nn.Standardizer()([[1.0]]), "fit first"),
        (lambda: nn.Standardizer().fit([]), "no rows"),
        (lambda: nn.Standardizer([1.0], [1.0])([[1.0, 2.0]]), "knows 1 columns, x has 2"),
        (lambda: nn.Standardizer().fit([[1.0], [math.nan]]), "row 1 holds nan"),
        (lambda: nn.Standardizer().fit([[1.0], [1.0, 2.0]]), "row 1 is .* another shape"),
    ],
)
def test_standardizer_refuses(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_one_hot():
    assert nn.one_hot([2, 0], 3) == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    numpy = pytest.importorskip("numpy")
    assert nn.one_hot(numpy.array([1]), 2) == [[0.0, 1.0]]
    for bad in (3, -1, 0.5):
        with pytest.raises(ValueError, match=rf"label 1 is {bad}; there are 3 classes"):
            nn.one_hot([0, bad], 3)


def test_one_hot_of_names():
    names = ["setosa", "virginica", "versicolor"]
    want = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert nn.one_hot(["versicolor", "setosa"], names) == want
    assert nn.one_hot([7, 3], (3, 5, 7)) == want
    assert nn.one_hot([True, False], [False, True]) == [[0.0, 1.0], [1.0, 0.0]]
    pandas = pytest.importorskip("pandas")
    assert nn.one_hot(pandas.Series(["versicolor", "setosa"], index=[5, 2]), names) == want
    with pytest.raises(ValueError, match=r"one_hot: label 1 is 'rosa'; the classes are \['setosa'"):
        nn.one_hot(["setosa", "rosa"], names)
    with pytest.raises(ValueError, match=r"a class is named twice: \['a', 'a'\]"):
        nn.one_hot(["a"], ["a", "a"])
    with pytest.raises(TypeError, match="labels that are names, give all names"):
        nn.one_hot(["a", "b"], 2)


def test_two_moons_lie_on_their_circles():
    points, labels = nn.two_moons(101, 0.0, random.Random(1))
    assert labels == [-1.0] * 51 + [1.0] * 50
    for (x, y), label in zip(points, labels, strict=True):
        centre = (0.0, 0.0) if label < 0 else (1.0, 0.5)
        assert math.dist((x, y), centre) == pytest.approx(1.0)
        assert y >= -1e-15 if label < 0 else y <= 0.5 + 1e-15
    noisy, _ = nn.two_moons(101, 0.1, random.Random(1))
    spread = [math.dist(p, q) for p, q in zip(points, noisy, strict=True)]
    assert math.sqrt(sum(d * d for d in spread) / 202) == pytest.approx(0.1, rel=0.2)


def test_two_moons_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    want, labels = datasets.make_moons(60, shuffle=False)
    points, ours = nn.two_moons(60, 0.0, random.Random(1))
    assert [value for row in points for value in row] == pytest.approx(want.ravel().tolist())
    assert [2 * label - 1 for label in labels] == ours


def test_spirals_turn_once_and_never_meet():
    points, labels = nn.spirals(90, 3, 0.0, random.Random(1))
    assert [labels.count(arm) for arm in range(3)] == [30] * 3
    for (x, y), arm in zip(points, labels, strict=True):
        radius = math.hypot(x, y)
        angle = math.atan2(y, x) / (2 * math.pi) - radius - arm / 3
        assert 0.0 < radius <= 1.0 + 1e-15
        assert angle - round(angle) == pytest.approx(0.0, abs=1e-12)


def test_xor():
    for (a, b), label in zip(*nn.xor(), strict=True):
        assert label == float(a != b)


# ------------------------------------------------------------------------- tables and arrays


def tables(x, y):
    """Yield x and y as tables and arrays, each with its rows labelled otherwise."""
    numpy = pytest.importorskip("numpy")
    yield "lists", x, y
    yield "tuples", tuple(map(tuple, x)), tuple(y)
    yield "arrays", numpy.array(x), numpy.array(y)
    pandas = pytest.importorskip("pandas")
    index = list(range(len(x)))
    random.Random(3).shuffle(index)
    yield "pandas", pandas.DataFrame(x, index=index), pandas.Series(y, index=index[::-1])
    yield "mixed", numpy.array(x), pandas.Series(y, index=index)
    yield "labels", x, pandas.Series(y, index=[f"row {i}" for i in index])
    yield "duplicates", pandas.DataFrame(x, index=[0] * len(x)), y
    try:
        import polars
    except ImportError:
        return
    yield "polars", polars.DataFrame(x, orient="row"), polars.Series(y)


def test_rows_go_together_by_position():
    x, y = [[float(i), -float(i)] for i in range(20)], [10.0 * i for i in range(20)]
    want = nn.train_test_split(x, y, 0.25, random.Random(4))
    loss = nn.squared_error
    for kind, a, b in tables(x, y):
        parts = nn.train_test_split(a, b, 0.25, random.Random(4))
        assert [list(map(float, row)) for row in parts[1]] == want[1], kind
        assert list(map(float, parts[3])) == want[3], kind
        for samples, targets in (parts[::2], parts[1::2]):
            assert [10.0 * row[0] for row in samples] == [float(t) for t in targets], kind
        assert nn.Standardizer().fit(a)(a) == nn.Standardizer().fit(x)(x)
        model = nn.Neuron(2, init=[0.5, 0.25, 0.0])
        history = nn.fit(model, a, b, loss, nn.SGD(model.parameters(), lr=1e-5), 2, 3)
        twin = nn.Neuron(2, init=[0.5, 0.25, 0.0])
        assert nn.fit(twin, x, y, loss, nn.SGD(twin.parameters(), lr=1e-5), 2, 3).loss == (
            history.loss
        ), kind


def test_numbers_are_one_column():
    numpy = pytest.importorskip("numpy")
    scale = nn.Standardizer().fit([1.0, 3.0, 5.0])
    assert (scale.mean, scale.deviation) == ([3.0], [math.sqrt(8.0 / 3.0)])
    for x in ([1.0, 5.0], numpy.array([1.0, 5.0])):
        assert scale(x) == pytest.approx([-1.2247448713915892, 1.2247448713915892])
        assert scale.inverse(scale(x)) == pytest.approx([1.0, 5.0])
    assert scale([[1.0], [5.0]]) == [[x] for x in scale([1.0, 5.0])]
    with pytest.raises(ValueError, match="knows 2 columns, x has 1"):
        nn.Standardizer([1.0, 2.0], [1.0, 1.0])([1.0, 2.0])


@pytest.mark.parametrize(
    ("x", "kind", "words"),
    [
        ({"a": [1.0]}, TypeError, "not a dict"),
        ({1.0, 2.0}, TypeError, "not a set"),
        ("12", TypeError, "not a str"),
        (5.0, TypeError, "must be a sequence of samples, not 5.0"),
        ([["1.5", 2.0]], TypeError, "row 0 holds something that is no number"),
        ([[1.0, 2.0], ["1_0", 2.0]], TypeError, "row 1 holds something that is no number"),
        ([{1.0, 2.0}], TypeError, "row 0 holds something that is no number"),
        ([{1.0: 2.0}], TypeError, "row 0 holds something that is no number"),
        ([[1.0, None]], TypeError, "row 0 holds something that is no number"),
        ([[1.0, 1j]], TypeError, "row 0 holds something that is no number"),
        ([1.0, [2.0]], ValueError, "row 1 is .*another shape"),
        ([[2.0], 1.0], ValueError, "row 1 is .*another shape"),
        (["1", "2"], TypeError, "row 0 must be a number"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(x, kind, words):
    with pytest.raises(kind, match=words):
        nn.Standardizer().fit(x)
    net = nn.Neuron(1)
    with pytest.raises((TypeError, ValueError), match=words):
        nn.fit(net, x, [1.0] * 2, nn.hinge, nn.SGD(net.parameters()), 1)
