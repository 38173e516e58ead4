"""Samples in parts: batches, training and tests, folds. By position, whatever labels rows have.

Randomness comes only from the `rng` given. Knows nothing of what samples are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from random import Random
from typing import Any

from ._data import in_order

Parts = tuple[list[Any], list[Any], list[Any], list[Any]]


def batches(count: int, size: int | None = None, rng: Random | None = None) -> Iterator[list[int]]:
    """Yield the numbers 0 ... count - 1 in lists of `size` (the last may be shorter).

    In order, or shuffled if there is an `rng`; all in one without a size.

    Raises:
        TypeError: `count` is no whole number.
        ValueError: `size` is less than 1.
    """
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise TypeError(f"batches: count must be a number of samples, not {type(count).__name__}")
    if size is not None and size < 1:
        raise ValueError(f"batches: size must be at least 1, not {size!r}")
    order = list(range(count))
    if rng is not None:
        rng.shuffle(order)
    step = size or max(count, 1)
    for start in range(0, count, step):
        yield order[start : start + step]


def train_test_split(x: Any, y: Any, test: float, rng: Random, *, stratify: Any = None) -> Parts:
    """Return (x_train, x_test, y_train, y_test), with the fraction `test` of all rows in the tests.

    Row i of x belongs to row i of y by position, also in tables that label their rows. Both parts
    keep the order of the rows.

    Args:
        stratify: the class of each row, usually y: then each class has its share of the tests,
            rounded up or down. None: rows are drawn without looking at them.

    Raises:
        TypeError: x or y is no sequence.
        ValueError: x and y (or stratify) differ in length, one part would be empty, or a class has
            one row only.
    """
    name = "train_test_split"
    x, y = _pair(name, x, y)
    held_out = round(len(x) * test)
    if not 0 < held_out < len(x):
        raise ValueError(f"{name}: {held_out} of {len(x)} rows for the tests")
    if stratify is None:
        (order,) = batches(len(x), None, rng)
        tests = order[:held_out]
    else:
        tests = []
        classes = _classes(name, stratify, len(x), 2)
        shares = _shares(classes, held_out, len(x), rng)
        for members, share in zip(classes, shares, strict=True):
            rng.shuffle(members)
            tests += members[:share]
    return _parts(x, y, set(tests))


def k_folds(x: Any, y: Any, k: int, rng: Random, *, stratify: Any = None) -> Iterator[Parts]:
    """Yield (x_train, x_test, y_train, y_test) k times; every row is in the tests once.

    The tests of two folds differ by one row at most in size, and in rows of each class as well if
    `stratify` says the class of each row (usually y).

    Raises:
        TypeError: x or y is no sequence.
        ValueError: k is less than 2 or more than there are rows (or rows of a class), or x, y and
            stratify differ in length.
    """
    name = "k_folds"
    x, y = _pair(name, x, y)
    if isinstance(k, bool) or not isinstance(k, int) or not 2 <= k <= len(x):
        raise ValueError(f"{name}: k must be a whole number from 2 to {len(x)} (rows), not {k!r}")
    classes = [list(range(len(x)))] if stratify is None else _classes(name, stratify, len(x), k)
    order: list[int] = []
    for members in classes:
        rng.shuffle(members)
        order += members
    # Dealt like cards, class after class, so that neither folds nor classes in them are uneven.
    folds = [set(order[i::k]) for i in range(k)]
    return (_parts(x, y, fold) for fold in folds)


def _pair(name: str, x: Any, y: Any) -> tuple[list[Any], list[Any]]:
    x, y = in_order(x, f"{name}: x"), in_order(y, f"{name}: y")
    if len(x) != len(y):
        raise ValueError(f"{name}: x has {len(x)} rows, y has {len(y)}")
    return x, y


def _classes(name: str, stratify: Any, count: int, least: int) -> list[list[int]]:
    """Return the rows of each class, in the order in which classes appear."""
    if stratify is True:
        raise TypeError(f"{name}: stratify must be the class of each row, such as y, not True")
    labels = in_order(stratify, f"{name}: stratify")
    if len(labels) != count:
        raise ValueError(f"{name}: x has {count} rows, stratify has {len(labels)}")
    classes: dict[Hashable, list[int]] = {}
    for i, label in enumerate(labels):
        classes.setdefault(tuple(label) if isinstance(label, list) else label, []).append(i)
    for label, members in classes.items():
        if len(members) < least:
            raise ValueError(
                f"{name}: class {label!r} has {len(members)} of at least {least} rows that it takes"
                " to have it in all parts"
            )
    return list(classes.values())


def _shares(classes: list[list[int]], held_out: int, count: int, rng: Random) -> list[int]:
    """Return how many of each class to hold out: its share rounded, so that they add up.

    Rounded down, and then up where rounding down took away most; among equals they are drawn.
    """
    exact = [divmod(len(members) * held_out, count) for members in classes]
    shares = [whole for whole, _ in exact]
    by_rest = list(range(len(exact)))
    rng.shuffle(by_rest)
    by_rest.sort(key=lambda i: -exact[i][1])
    for i in by_rest[: held_out - sum(shares)]:
        shares[i] += 1
    return shares


def _parts(x: list[Any], y: list[Any], tests: set[int]) -> Parts:
    kept = [i for i in range(len(x)) if i not in tests]
    held = sorted(tests)
    return [x[i] for i in kept], [x[i] for i in held], [y[i] for i in kept], [y[i] for i in held]
