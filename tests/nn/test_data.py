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


def test_batches_cover_everything_once():
    assert list(nn.batches(7, 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(nn.batches(3)) == [[0, 1, 2]]
    assert list(nn.batches(0, 3)) == []
    shuffled = list(nn.batches(100, 7, random.Random(1)))
    assert [len(batch) for batch in shuffled] == [7] * 14 + [2]
    order = [i for batch in shuffled for i in batch]
    assert sorted(order) == list(range(100)) != order
    assert list(nn.batches(100, 7, random.Random(1))) == shuffled
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        list(nn.batches(3, 0))


def test_train_test_split_keeps_pairs_together():
    x, y = [[float(i)] for i in range(20)], [10 * i for i in range(20)]
    parts = nn.train_test_split(x, y, 0.25, random.Random(4))
    assert list(map(len, parts)) == [15, 5, 15, 5]
    assert sorted(parts[0] + parts[1]) == x
    for samples, targets in (parts[::2], parts[1::2]):
        assert [10 * row[0] for row in samples] == targets
    assert nn.train_test_split(x, y, 0.25, random.Random(5)) != parts
    with pytest.raises(ValueError, match="20 rows, y has 3"):
        nn.train_test_split(x, y[:3], 0.25, random.Random(4))
    with pytest.raises(ValueError, match="0 of 20 rows"):
        nn.train_test_split(x, y, 0.0, random.Random(4))


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


# ----------------------------------------------------------------------------------- load_csv


def write(tmp_path, text):
    path = tmp_path / "d.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_load_csv_takes_the_target_from_any_column(tmp_path):
    path = write(tmp_path, "a,label,b\n1,0,2.5\n\n-3e2,1,4\n")
    want = ([[1.0, 2.5], [-300.0, 4.0]], [0.0, 1.0])
    for target in ("label", 1, -2):
        assert nn.load_csv(path, target=target) == want
    assert nn.load_csv(path)[1] == [2.5, 4.0]
    path = write(tmp_path, "\ufeff1;2\r\n3;4\r\n")
    assert nn.load_csv(path, header=False, delimiter=";") == ([[1.0], [3.0]], [2.0, 4.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3\n", r"d\.csv, line 3: 1 fields instead of 2"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 fields instead of 2"),
        ("a,b\n1,x\n", r"line 2, column 2 \(b\): 'x' is no number"),
        ("a,b\n1,\n", r"line 2, column 2 \(b\): '' is no number"),
        ("a,b\nnan,1\n", r"line 2, column 1 \(a\): 'nan' is not finite"),
        ("a,b\n1,1e999\n", "'1e999' is not finite"),
        ("a;b\n1;2\n", "line 1: one column only"),
        ("a,b\n", "holds no samples"),
        ("", "holds no samples"),
        (b"a,b\n1,\xff\n", "no text file in UTF-8"),
        ('a,b\n"1,2\n', "1 fields|EOF"),
    ],
)
def test_load_csv_names_the_line_and_the_reason(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        nn.load_csv(write(tmp_path, text))


def test_load_csv_knows_its_columns(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(ValueError, match="no column is named 'c'"):
        nn.load_csv(path, target="c")
    with pytest.raises(ValueError, match="target is column 2, but there are 2"):
        nn.load_csv(path, target=2)
    with pytest.raises(FileNotFoundError):
        nn.load_csv(tmp_path / "none.csv")
