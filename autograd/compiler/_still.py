"""Is what a function can see still what it was? Asked at every call, so it is compiled.

Identities first; contents only of what can change in place. Knows nothing of why a place is watched
(`fingerprint` says).
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, MethodType
from typing import Any, Final, final

EMPTY: Final = object()  # what an empty cell or a missing name holds


@final
class Still:
    """Places of a program's state, and what each of them held.

    `cells` with `contents`; names in dictionaries (of globals); attributes; methods with the
    function behind them; lists and dicts with their entries, in order; and whatever else changes in
    place, as a function that gives its content and what that gave.
    """

    def __init__(self) -> None:
        self.cells: list[tuple[CellType, object]] = []
        self.names: list[tuple[dict[str, object], str, object]] = []
        self.attributes: list[tuple[Any, str, object]] = []
        self.methods: list[tuple[Any, str, object]] = []
        self.lists: list[tuple[list[object], list[object]]] = []
        self.dicts: list[tuple[dict[Any, object], list[object], list[object]]] = []
        self.others: list[tuple[Callable[[], object], object]] = []

    def settle(self) -> None:
        """Forget places that never hold the same twice, such as attributes made when asked for."""
        if self.holds():
            return
        self.attributes = [
            (owner, name, held)
            for owner, name, held in self.attributes
            if getattr(owner, name, EMPTY) is held
        ]
        self.others = [(content, held) for content, held in self.others if content() == held]

    def holds(self) -> bool:
        """Say whether every place still holds what it held."""
        try:
            return self._hold()
        except Exception:  # of somebody's `__getattr__`, where an attribute is gone
            return False

    def _hold(self) -> bool:
        for cell, held in self.cells:
            try:
                if cell.cell_contents is not held:
                    return False
            except ValueError:
                if held is not EMPTY:
                    return False
        for names, name, held in self.names:
            if names.get(name, EMPTY) is not held:
                return False
        for owner, name, held in self.attributes:
            if getattr(owner, name, EMPTY) is not held:
                return False
        for owner, name, held in self.methods:
            method = getattr(owner, name, EMPTY)
            if not isinstance(method, MethodType) or method.__func__ is not held:
                return False
        for entries, copy in self.lists:
            if len(entries) != len(copy):
                return False
            for i in range(len(copy)):
                if entries[i] is not copy[i]:
                    return False
        for table, keys, values in self.dicts:
            if len(table) != len(keys):
                return False
            i = 0
            for key, value in table.items():
                if i >= len(keys) or key is not keys[i] or value is not values[i]:
                    return False
                i += 1  # noqa: SIM113 - enumerate would build tuples here
        return all(content() == held for content, held in self.others)
