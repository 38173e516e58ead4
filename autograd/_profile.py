"""A small adjoint profiler: which source lines recorded how many nodes."""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ._block import refuse_unstarted
from ._primitive import Node, Observer
from ._watch import watching
from .anomaly import user_line

_NODE_BYTES: Final = 96  # of the compiled build; docs/benchmarks.md has the measurement


@dataclass(frozen=True)
class Profile:
    """What a call recorded; `str()` of it is a table.

    Attributes:
        result: what the profiled function returned.
        lines: (file, line number, nodes recorded there), most first.
        nodes: nodes in all.
    """

    result: Any
    lines: tuple[tuple[str, int, int], ...]
    nodes: int

    @property
    def bytes(self) -> int:
        """Memory that the nodes take while the graph is kept, in bytes."""
        return self.nodes * _NODE_BYTES

    def __str__(self) -> str:
        rows = [f"{'nodes':>10}  {'bytes':>12}  {'share':>6}  line"]
        for file, number, nodes in self.lines:
            source = linecache.getline(file, number).strip()
            rows.append(
                f"{nodes:>10,}  {nodes * _NODE_BYTES:>12,}  {nodes / self.nodes:>6.1%}  "
                f"{file}:{number}  {source}"
            )
        rows.append(f"{self.nodes:>10,}  {self.bytes:>12,}          in all")
        return "\n".join(rows)


class _Counter(Observer):
    def __init__(self) -> None:
        self.count: Counter[tuple[str, int]] = Counter()

    def wants_all(self) -> bool:
        return True

    def made(self, node: Node) -> None:
        self.count[user_line()] += 1


def profile(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Profile:
    """Return which lines of `f(*args, **kwargs)` recorded how many nodes, leaves included.

    Pass `Value`s for what is to be recorded, or profile a gradient function.

    Raises:
        TypeError: `f` returns a generator or coroutine, whose body has not run. Otherwise
            what `f` raises.
    """
    counter = _Counter()
    with watching(counter):
        result = f(*args, **kwargs)
    refuse_unstarted("profile", result)
    lines = tuple((file, line, n) for (file, line), n in counter.count.most_common())
    return Profile(result, lines, sum(counter.count.values()))
