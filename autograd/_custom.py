"""Primitives by users: the same row as ours, as a decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ._primitive import Interval, Node, Primitive, Special, register
from ._watch import on_floats


def primitive(
    *partials: Callable[..., Any] | None,
    domain: tuple[Interval, ...],
    special: tuple[Special, ...] = (),
    exact: Callable[..., Any] | None = None,
    symbol: str = "",
    defaults: tuple[float, ...] = (),
    selects: bool = False,
    name: str = "",
) -> Callable[[Callable[..., float]], Primitive]:
    """Return a decorator that makes a function of floats a registered primitive.

    One partial per argument, each a function of `(out, *args)` written with primitives and `+ - *`
    (None where it is zero everywhere); see `Primitive` for the other fields. The primitive then
    works in every mode and order, is a method of `Value`, shows in pictures, and can be tested with
    `autograd.testing.check_primitive`.

    Raises:
        TypeError, ValueError: a field is wrong, or the name is taken.
    """

    def decorate(fn: Callable[..., float]) -> Primitive:
        row = _row(
            fn,
            partials,
            name,
            domain=domain,
            special=special,
            exact=exact,
            symbol=symbol,
            defaults=defaults,
            selects=selects,
        )
        return register(row)

    return decorate


def custom_partials(
    *partials: Callable[..., Any] | None, symbol: str = "", name: str = ""
) -> Callable[[Callable[..., float]], Primitive]:
    """Return a decorator that gives a whole Python function of floats its own partials.

    For a function whose inside is not to be recorded: an iteration, a call into another library.
    It sees floats and returns a float; its derivative is what the partials say, to any order if
    they are written with primitives and derivative functions. Unlike `primitive` it is not
    registered: no method, no pickling. Its name is that of the function unless `name` is given.

    Raises:
        TypeError, ValueError: a field is wrong.
    """

    def decorate(fn: Callable[..., float]) -> Primitive:
        return _row(fn, partials, name, symbol=symbol)

    return decorate


def _apart(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` such that derivative functions in it give floats when it is given floats."""
    if not callable(f):
        return f  # for Primitive to refuse

    @functools.wraps(f)
    def evaluate(*args: Any) -> Any:
        if any(isinstance(x, Node) for x in args):
            return f(*args)
        with on_floats():
            return f(*args)

    return evaluate


def _check_arity(what: str, f: Callable[..., Any], arity: int, why: str) -> None:
    """Raise ValueError unless `f` can be called with `arity` arguments, as far as one can know."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # a builtin that does not tell
        return
    try:
        signature.bind(*[0.0] * arity)
    except TypeError:
        raise ValueError(f"{what} must take {arity} arguments, {why}; it is {signature}") from None


def _row(
    fn: Callable[..., float],
    partials: tuple[Callable[..., Any] | None, ...],
    name: str,
    **fields: Any,
) -> Primitive:
    """Return the primitive, after checking what can be called with what; `fields` are the row's."""
    row_name = name or getattr(fn, "__name__", "")
    arity = len(partials)
    _check_arity(f"primitive {row_name}: the function", fn, arity, "one for each partial")
    for i, partial in enumerate(partials):
        if callable(partial):
            _check_arity(
                f"primitive {row_name}: partial {i + 1}", partial, arity + 1, "(out, *args)"
            )
    return Primitive(
        row_name,
        _apart(fn),
        tuple([None if p is None else _apart(p) for p in partials]),
        **fields,
        doc=(fn.__doc__ or "").strip().partition("\n")[0],
    )
