"""Accuracy and confusion: the classes that outputs say, by number and by name."""

import math
import random

import pytest

import nn

np = pytest.importorskip("numpy")


def test_accuracy_and_confusion_matrix_for_one_output():
    outputs, targets = [0.5, -0.2, 0.1, -3.0], [1, 1, -1, -1]
    assert nn.accuracy(outputs, targets) == 0.5
    assert nn.confusion_matrix(outputs, targets) == [[1, 1], [1, 1]]
    assert nn.accuracy(outputs, [1.0, 0.0, 1.0, 0.0]) == 1.0
    probabilities = [0.9, 0.4, 0.6]
    assert nn.accuracy(probabilities, [1, 0, 1], threshold=0.5) == 1.0
    assert nn.confusion_matrix(probabilities, [1, 1, 1], threshold=0.5) == [[0, 0], [1, 2]]


def test_accuracy_and_confusion_matrix_for_classes():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = random.Random(6)
    outputs = [[rng.gauss(0.0, 1.0) for _ in range(4)] for _ in range(50)]
    labels = [rng.randrange(4) for _ in range(50)]
    said = [max(range(4), key=row.__getitem__) for row in outputs]
    want = metrics.confusion_matrix(labels, said, labels=range(4)).tolist()
    for targets in (labels, nn.one_hot(labels, 4), np.array(labels)):
        assert nn.confusion_matrix(outputs, targets) == want
        assert nn.accuracy(outputs, targets) == metrics.accuracy_score(labels, said)


@pytest.mark.parametrize(
    ("outputs", "targets", "words"),
    [
        ([], [], "no samples"),
        ([1.0], [1.0, 2.0], "1 outputs but 2"),
        ([[1.0, 2.0]], [2], "classes"),
        ([[1.0, 2.0]], [0.5], r"target 0\.5: there are 2 classes"),
        ([[1.0, 2.0]], [[0.0, 1.0, 0.0]], "number of outputs is 2"),
        ([1.0], [[1.0]], "number of outputs is 1"),
        ([math.nan], [1.0], "outputs: row 0 is nan"),
    ],
)
def test_accuracy_refuses(outputs, targets, words):
    with pytest.raises(ValueError, match=words):
        nn.accuracy(outputs, targets)


# ------------------------------------------------------------------------------ by name


def test_a_confusion_matrix_keeps_names_and_prints_a_table():
    outputs = [[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 1.0, 3.0], [0.0, 5.0, 3.0]]
    names = ["setosa", "rosa", "versicolor"]
    want = [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    by_name = ["setosa", "rosa", "versicolor", "versicolor"]
    for targets in ([0, 1, 2, 2], by_name, np.array(by_name), nn.one_hot(by_name, names)):
        found = nn.confusion_matrix(outputs, targets, names=names)
        assert found == want
        assert found.names == names
    assert str(found).splitlines() == [
        "true \\ said  setosa  rosa  versicolor",
        "setosa            1     0           0",
        "rosa              0     1           0",
        "versicolor        0     1           1",
    ]
    assert nn.confusion_matrix(outputs, [0, 1, 2, 2]).names == ["0", "1", "2"]
    assert nn.confusion_matrix(np.array(outputs), np.array([0, 1, 2, 2])) == want


def test_names_of_a_single_output():
    found = nn.confusion_matrix([0.5, 0.7, 0.2], [0, 1, 1], 0.6, names=["benign", "malignant"])
    assert found == [[1, 0], [1, 1]]
    by_name = ["benign", "malignant", "malignant"]
    for threshold in (0.6, 1e300, -1e300, 0.0):
        outputs = [threshold, math.nextafter(threshold, math.inf), threshold]
        found = nn.confusion_matrix(outputs, by_name, threshold, names=["benign", "malignant"])
        assert found == [[1, 0], [1, 1]]
    assert nn.confusion_matrix([1.0], [1.0]).names == ["no", "yes"]


@pytest.mark.parametrize(
    ("outputs", "targets", "names", "words"),
    [
        ([[1.0, 2.0]], [1], ["a", "b", "c"], "3 names for 2 classes"),
        ([1.0], [1], ["a"], "1 names for 2 classes"),
        ([[1.0, 2.0]], ["c"], ["a", "b"], "confusion_matrix: target 0 is 'c'; the classes are"),
        ([[1.0, 2.0]], ["a"], ["a", "a"], "a class is named twice"),
    ],
)
def test_names_that_do_not_fit_are_refused(outputs, targets, names, words):
    with pytest.raises(ValueError, match=words):
        nn.confusion_matrix(outputs, targets, names=names)


def test_a_confusion_matrix_plots(tmp_path):
    pytest.importorskip("matplotlib")
    outputs, targets = [[2.0, 1.0]] * 3 + [[0.0, 1.0]], [0, 0, 1, 1]
    figure = nn.confusion_matrix(outputs, targets, names=["a", "b"]).plot(tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["2", "0", "1", "1"]
    assert [one.get_text() for one in axes.get_xticklabels()] == ["a", "b"]
    assert axes.images[0].get_array().tolist() == [[1.0, 0.0], [0.5, 0.5]]
