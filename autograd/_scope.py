"""Scopes: names for parts of a computation, for pictures and messages."""

from __future__ import annotations

from ._block import Block
from ._primitive import Extra, Node, Observer
from ._watch import watch


class _Scope(Observer):
    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path

    def made(self, node: Node) -> None:
        if node._extra is None:
            node._extra = Extra("", self.path, ())
        else:
            node._extra.scope = self.path


class scope(Block):
    """Give every `Value` made inside the `with` block a place in the scope called `name`.

    Scopes nest; `Value.scope` is the tuple of their names, outermost first. As a decorator it does
    so for the body of a function, a generator or a coroutine. Code that opens no scope pays
    nothing.

    Raises:
        TypeError: `name` is not a str.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"scope(): name must be a str, not {name!r} ({type(name).__name__})")
        super().__init__()
        self.name = name

    def observer(self) -> Observer:
        outer = [o.path for o in watch.observers() if isinstance(o, _Scope)]
        return _Scope((*(outer[-1] if outer else ()), str.__str__(self.name)))

    def again(self) -> scope:
        return scope(self.name)
