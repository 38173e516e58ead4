"""A graph, frozen: every number and name of it copied, in topological order, with its own sweep.

Pictures, pages, explanations and quizzes are made from a `Snapshot` and never from `Value`s, so
later changes of the graph do not reach them, and the numbers of one picture always agree.
Knows the engine's public surface only; knows nothing of drawing.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, cast

from autograd import Value, topological_order


class Node(NamedTuple):
    """One node; `operands` are indices of earlier nodes (int) or constant operands (float)."""

    label: str
    op: str
    symbol: str
    value: float
    grad: float
    scope: tuple[str, ...]
    operands: tuple[int | float, ...]
    partials: tuple[float, ...]
    selects: bool

    def flow(self, cotangent: float, partial: float) -> float:
        """What the reverse sweep sends along one edge of this node, with the engine's zeros."""
        if cotangent == 0 or (partial == 0 and self.selects):
            return 0.0
        return cotangent * partial

    @property
    def parents(self) -> Iterator[int]:
        """Indices of the operands that are nodes, in order, aligned with `partials`."""
        return (operand for operand in self.operands if isinstance(operand, int))


class Snapshot:
    """All nodes below `root`, parents before children, the root last.

    `watched` are the indices of the nodes asked for; the `Value`s themselves are not kept.
    """

    def __init__(self, root: Value, watch: Sequence[Value] = ()) -> None:
        if not isinstance(root, Value):
            raise TypeError(
                f"viz needs a Value (the result of a computation), not {type(root).__name__}"
            )
        index: dict[Value, int] = {}
        nodes: list[Node] = []
        for value in cast(list[Value], topological_order(root)):
            index[value] = len(nodes)
            primitive = value.primitive
            nodes.append(
                Node(
                    value.label,
                    value.op,
                    primitive.symbol if primitive is not None else "",
                    value.data,
                    value.grad,
                    value.scope,
                    tuple([index[x] if isinstance(x, Value) else x for x in value.operands]),
                    value.partials,
                    primitive is not None and primitive.selects,
                )
            )
        self.nodes = tuple(nodes)
        for value in watch:
            if value not in index:
                raise ValueError(f"{value!r} is not part of the graph of this picture")
        self.watched = tuple(index[value] for value in watch)

    @property
    def root(self) -> int:
        """The index of the node that is differentiated."""
        return len(self.nodes) - 1

    @cached_property
    def swept(self) -> bool:
        """Whether gradients are shown: `backward()` has run, some node holds a gradient."""
        return any(node.grad != 0 for node in reversed(self.nodes))

    @cached_property
    def gradients(self) -> tuple[float, ...]:
        """d root / d node for every node, by a reverse sweep over the frozen partials.

        The same order and the same strong zeros as the engine's sweep, hence the same bits.
        """
        cotangents = [0.0] * len(self.nodes)
        cotangents[-1] = 1.0
        for child in range(self.root, -1, -1):
            cotangent = cotangents[child]
            if cotangent == 0:
                continue
            node = self.nodes[child]
            for parent, partial in zip(node.parents, node.partials, strict=True):
                cotangents[parent] += node.flow(cotangent, partial)
        return tuple(cotangents)

    @cached_property
    def users(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every node its uses: (child, place among the child's partials), last child first.

        That is the order in which the reverse sweep adds up a node's gradient.
        """
        users: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for child in range(self.root, -1, -1):
            for place, parent in enumerate(self.nodes[child].parents):
                users[parent].append((child, place))
        return tuple(map(tuple, users))

    def name(self, index: int) -> str:
        """What to call a node in text: its label, or v and its place in the order."""
        return self.nodes[index].label or f"v{index}"
