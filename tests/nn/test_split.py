"""Batches, training and tests, folds: every row where it belongs, classes in their shares."""

import random
from collections import Counter

import pytest

import nn


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


def test_labels_of_any_kind_are_split():
    names = [f"name {i}" for i in range(8)]
    parts = nn.train_test_split(list(range(8)), names, 0.5, random.Random(1))
    assert [f"name {i}" for i in parts[0] + parts[1]] == parts[2] + parts[3]


def test_batches_take_a_number():
    with pytest.raises(TypeError, match="count must be a number of samples, not list"):
        next(nn.batches([1.0, 2.0]))


def labelled(*counts):
    """Return rows and labels of so many of each class, mixed."""
    y = [name for name, count in zip("abcdef", counts, strict=False) for _ in range(count)]
    random.Random(8).shuffle(y)
    return [[float(i)] for i in range(len(y))], y


@pytest.mark.parametrize("counts", [(60, 30, 10), (7, 5, 3, 2), (50, 50), (99, 2), (3, 3, 3, 3)])
@pytest.mark.parametrize("test", [0.2, 0.25, 0.5, 0.7])
def test_a_stratified_split_gives_each_class_its_share(counts, test):
    x, y = labelled(*counts)
    parts = nn.train_test_split(x, y, test, random.Random(1), stratify=y)
    held_out = round(len(x) * test)
    assert len(parts[1]) == len(parts[3]) == held_out
    assert sorted(parts[0] + parts[1]) == x
    for samples, targets in (parts[::2], parts[1::2]):
        assert [y[int(row[0])] for row in samples] == targets
        assert samples == sorted(samples)
    for label, count in Counter(y).items():
        assert abs(parts[3].count(label) - count * held_out / len(x)) < 1.0
    again = nn.train_test_split(x, y, test, random.Random(1), stratify=y)
    assert again == parts
    assert nn.train_test_split(x, y, test, random.Random(2), stratify=y) != parts


def test_who_loses_most_by_rounding_down_is_rounded_up():
    x, y = labelled(7, 3)  # 2.1 and 0.9 of the tests
    for seed in range(9):
        held = nn.train_test_split(x, y, 0.3, random.Random(seed), stratify=y)[3]
        assert sorted(held) == ["a", "a", "b"]


def test_stratify_takes_columns_of_any_kind():
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    x, y = labelled(10, 6)
    want = nn.train_test_split(x, y, 0.25, random.Random(1), stratify=y)
    for labels in (numpy.array(y), pandas.Series(y, index=range(16, 0, -1)), tuple(y)):
        assert nn.train_test_split(x, y, 0.25, random.Random(1), stratify=labels) == want
    hot = nn.one_hot(y, ["a", "b"])
    assert nn.train_test_split(x, y, 0.25, random.Random(1), stratify=hot) == want
    assert [*nn.k_folds(x, y, 3, random.Random(1), stratify=hot)] == [
        *nn.k_folds(x, y, 3, random.Random(1), stratify=y)
    ]


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(("counts", "k"), [((13, 8, 5), 5), ((4, 4), 4), ((20,), 7), ((9, 3), 2)])
def test_folds_test_every_row_once(counts, k, stratified):
    x, y = labelled(*counts)
    rng = random.Random(3)
    folds = list(nn.k_folds(x, y, k, rng, stratify=y if stratified else None))
    assert len(folds) == k
    assert sorted(row for fold in folds for row in fold[1]) == x
    sizes = [len(fold[1]) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    for trains, tests, targets, held in folds:
        assert sorted(trains + tests) == x
        assert [y[int(row[0])] for row in trains] == targets
        assert [y[int(row[0])] for row in tests] == held
        assert tests == sorted(tests)
    if stratified:
        for label in set(y):
            shares = [fold[3].count(label) for fold in folds]
            assert max(shares) - min(shares) <= 1
    other = list(nn.k_folds(x, y, k, random.Random(4), stratify=y if stratified else None))
    assert other != folds


def test_folds_of_tables_go_by_position():
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    x, y = labelled(6, 4)
    want = list(nn.k_folds(x, y, 3, random.Random(1)))
    table = pandas.DataFrame(x, index=[0] * 10), pandas.Series(y, index=range(9, -1, -1))
    assert list(nn.k_folds(*table, 3, random.Random(1))) == want
    assert list(nn.k_folds(numpy.array(x), numpy.array(y), 3, random.Random(1))) == want


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda x, y, r: nn.k_folds(x, y, 1, r),
            ValueError,
            "k must be a whole number from 2 to 5",
        ),
        (lambda x, y, r: nn.k_folds(x, y, 6, r), ValueError, r"from 2 to 5 \(rows\), not 6"),
        (lambda x, y, r: nn.k_folds(x, y, 2.0, r), ValueError, r"not 2\.0"),
        (lambda x, y, r: nn.k_folds(x, y[:3], 2, r), ValueError, "x has 5 rows, y has 3"),
        (lambda x, y, r: nn.k_folds(x, y, 3, r, stratify=y), ValueError, "class 'b' has 2 of at"),
        (lambda x, y, r: nn.k_folds(x, y, 2, r, stratify=y[1:]), ValueError, "stratify has 4"),
        (
            lambda x, y, r: nn.train_test_split(x, y, 0.4, r, stratify=[*"aabbc"]),
            ValueError,
            "class 'c' has 1 of at least 2 rows",
        ),
        (
            lambda x, y, r: nn.train_test_split(x, y, 0.4, r, stratify=True),
            TypeError,
            "stratify must be the class of each row, such as y, not True",
        ),
        (
            lambda x, y, r: nn.train_test_split(x, y, 0.4, r, stratify="aabba"),
            TypeError,
            "stratify must be a sequence of samples",
        ),
    ],
)
def test_what_can_not_be_split_is_said_at_once(call, kind, words):
    x, y = [[float(i)] for i in range(5)], ["a", "a", "b", "a", "b"]
    with pytest.raises(kind, match=words):
        call(x, y, random.Random(1))
