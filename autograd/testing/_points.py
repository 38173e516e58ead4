"""Arguments from words: `x=1.2,w=[1,2,3]`, and points drawn from ranges: `x=-2..2,w[3]=0..1`.

The words are literals, never evaluated. Knows signatures; knows nothing of derivatives.
"""

from __future__ import annotations

import ast
import inspect
import random
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LONGEST: Final = 100_000  # characters of a value
_MOST: Final = 10_000  # numbers in an argument
_NAME: Final = re.compile(r"\s*([^\W\d]\w*)\s*(?:\[([\d,\s]*)\])?\s*")
_BESIDE: Final = {")": "(", "]": "["}


class WordError(ValueError):
    """Words that say no arguments; one sentence."""


@dataclass(frozen=True)
class Range:
    """Numbers between `low` and `high`, in lists of this shape; () is a single number."""

    low: float
    high: float
    shape: tuple[int, ...] = ()

    def draw(self, rng: random.Random) -> Any:
        """Return a number, or lists of numbers."""
        return self._draw(rng, self.shape)

    def _draw(self, rng: random.Random, shape: tuple[int, ...]) -> Any:
        if not shape:
            return min(max(rng.uniform(self.low, self.high), self.low), self.high)
        return [self._draw(rng, shape[1:]) for _ in range(shape[0])]


EVERYWHERE: Final = Range(-2.0, 2.0)


def assignments(words: Sequence[str], option: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, what stands in brackets behind it, and the value of each `name=value`.

    Raises:
        WordError: a word is not of that form, or a name comes twice.
    """
    seen: set[str] = set()
    for word in (part for text in words for part in _parts(text, option)):
        left, equals, value = word.partition("=")
        matched = _NAME.fullmatch(left)
        if not equals or matched is None or not value.strip():
            raise WordError(f"{option}: expected name=value, found {_short(word)!r}")
        name = matched[1]
        if name in seen:
            raise WordError(f"{option}: {name} is given twice")
        seen.add(name)
        yield name, matched[2] or "", value.strip()


def _parts(text: str, option: str) -> list[str]:
    """Return the parts of `text` between commas outside brackets."""
    parts, stack = [""], []
    for character in text:
        if character in "([":
            stack.append(character)
        elif character in _BESIDE and (not stack or stack.pop() != _BESIDE[character]):
            raise WordError(f"{option}: {_short(text)!r} has a {character} that opens nowhere")
        if character == "," and not stack:
            parts.append("")
        else:
            parts[-1] += character
    if stack:
        raise WordError(f"{option}: {_short(text)!r} has a {stack[-1]} that does not close")
    return parts


def values(words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments that `--at` gives: floats, and lists of them.

    Raises:
        WordError: they are not numbers, or lists of numbers.
    """
    found = {}
    for name, index, text in assignments(words, "--at"):
        if index:
            raise WordError(f"--at: write the whole of {name}, as {name}=[1.0, 2.0]")
        try:
            found[name] = float(text)
            continue
        except ValueError:
            pass
        try:
            if len(text) > _LONGEST:
                raise ValueError
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = _floats(ast.literal_eval(text))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
            raise WordError(
                f"--at: {name}={_short(text)} is neither a number nor a list of numbers"
            ) from None
    return found


def _floats(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_floats(entry) for entry in x]
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise ValueError
    return float(x)


def ranges(words: Sequence[str]) -> dict[str, Range]:
    """Return the ranges that `--range` gives.

    Raises:
        WordError: they are not of the form `low..high`.
    """
    found = {}
    for name, index, text in assignments(words, "--range"):
        low, dots, high = text.partition("..")
        try:
            if not dots:
                raise ValueError
            bounds = float(low), float(high)
            shape = tuple(int(n) for n in index.split(",")) if index.strip() else ()
        except ValueError:
            raise WordError(
                f"--range: expected {name}=LOW..HIGH or {name}[N]=LOW..HIGH, "
                f"found {_short(f'{name}={text}')!r}"
            ) from None
        if not (-1e308 <= bounds[0] <= bounds[1] <= 1e308):
            raise WordError(f"--range: {name}={text} is no range of numbers from low to high")
        size = 1
        for n in shape:
            size *= n
        if not 1 <= size <= _MOST:
            raise WordError(f"--range: {name}[{index}] holds {size:,} numbers, of 1 to {_MOST:,}")
        found[name] = Range(*bounds, shape)
    return found


def points(
    f: Callable[..., Any],
    name: str,
    at: dict[str, Any],
    drawn: dict[str, Range],
    count: int | None,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Return points: the arguments of `f` by name, in its order; one, or `count` random ones.

    A whole number is a float, except for a parameter annotated as int. Arguments without a value
    or a range keep their default; with `count` they are drawn from -2 to 2 where they have none.

    Raises:
        WordError: a name is none of the function's arguments, or an argument has no value.
    """
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):
        raise WordError(f"{name} does not say what its arguments are called") from None
    several = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    for parameter in parameters.values():
        if parameter.kind in several:
            raise WordError(
                f"{name} takes {str(parameter)!r}, whose arguments have no names; check a function "
                "that names them"
            )
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and (
            parameter.default is inspect.Parameter.empty or parameter.name in {*at, *drawn}
        ):
            raise WordError(f"{name} takes {parameter.name} by keyword only, which is not checked")
    for given in (*at, *drawn):
        if given not in parameters:
            raise WordError(
                f"{given} is not an argument of {name}; those are {', '.join(parameters) or 'none'}"
            )
    for given in drawn:
        if given in at:
            raise WordError(f"{given} is given both by --at and by --range")
    if drawn and count is None:
        raise WordError("--range is for --random: say how many points, as --random 200")
    chosen: dict[str, Any] = {}
    for key, parameter in parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            continue
        whole = parameter.annotation in (int, "int")
        if key in at:
            chosen[key] = _whole(key, at[key]) if whole else at[key]
        elif key in drawn:
            if whole:
                raise WordError(f"{key} is an int, which is no number to differentiate by: --at")
            chosen[key] = drawn[key]
        elif parameter.default is not inspect.Parameter.empty:
            chosen[key] = parameter.default
        elif count is None or whole:
            raise WordError(f"{key} has no value: add --at {key}=NUMBER")
        else:
            chosen[key] = EVERYWHERE
    return _drawn(chosen, count, seed)


def _drawn(chosen: dict[str, Any], count: int | None, seed: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(seed)
    for _ in range(1 if count is None else count):
        yield {k: x.draw(rng) if isinstance(x, Range) else x for k, x in chosen.items()}


def _whole(name: str, x: Any) -> Any:
    if isinstance(x, list):
        return [_whole(name, entry) for entry in x]
    if not float(x).is_integer():
        raise WordError(f"--at: {name} is annotated as int, and {x!r} is none")
    return int(x)


def written(point: dict[str, Any]) -> str:
    """Return a point as `--at` takes it."""
    return ",".join(f"{name}={_plain(x)!r}" for name, x in point.items()).replace(" ", "")


def _plain(x: Any) -> Any:
    return x.tolist() if hasattr(x, "tolist") else x


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
