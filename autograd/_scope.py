"""Scopes: names for parts of a computation, for pictures and messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ._primitive import Extra, Node, Observer, watch


class _Scope(Observer):
    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path

    def made(self, node: Node) -> None:
        if node._extra is None:
            node._extra = Extra("", self.path, ())
        else:
            node._extra.scope = self.path


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Give every `Value` made inside the `with` block a place in the scope called `name`.

    Scopes nest; `Value.scope` is the tuple of their names, outermost first. Code that opens no
    scope pays nothing.

    Raises:
        TypeError: `name` is not a str.
    """
    if not isinstance(name, str):
        raise TypeError(f"scope(): name must be a str, not {name!r} ({type(name).__name__})")
    outer = [o.path for o in watch.observers() if isinstance(o, _Scope)]
    inner = _Scope((*(outer[-1] if outer else ()), name))
    watch.add(inner)
    try:
        yield
    finally:
        watch.remove(inner)
