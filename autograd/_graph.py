"""Order and structure of recorded graphs, and whether their numbers still hold; nothing here knows
how derivatives are put together.

Nothing is recursive: every function works on a graph a million nodes deep.
"""

from __future__ import annotations

from math import copysign, fabs
from typing import Any, Final

from . import _rules
from ._mypyc import i32
from ._primitive import Node, Operand, Primitive, operands_of

# Our own rows give the same bits whenever they are asked. What users write may depend on more, or
# take another way on `Value`s than on floats, with other last digits.
_ROWS: Final = frozenset([id(row) for row in vars(_rules).values() if isinstance(row, Primitive)])
_LOOSE: Final = 1e-9


class StaleGraph(ValueError):
    """A graph is read again, and a number in it is no longer what its operands give."""


def order_of(roots: list[Node], level: i32 = 0, leaves: list[Node] | None = None) -> list[Node]:
    """Return every node that `roots` were made of, and `roots`, parents before children.

    The order is that of a depth-first walk from each root in turn through its operands from first
    to last, so the same program gives the same order in every process. Nodes whose `_level` is
    below `level` are left out, with all beneath them: they do not depend on what a derivative of
    that level asks about. The leaves among them are added to `leaves`, if given.

    A node knows its place (`order[node._slot] is node`), and that test is also how the walk tells
    visited nodes: whatever an earlier walk left in `_slot`, it needs no clearing.
    """
    order: list[Any] = []  # of nodes; said to mypyc, that would mean a check at every look
    stack: list[Node] = []
    n: i32 = 0
    for root in roots:
        if root._level < level or (root._slot < n and order[root._slot] is root):
            continue
        node = root
        while True:
            parent = node._a
            if parent is not None:
                slot = parent._slot
                if (slot >= n or order[slot] is not parent) and parent._level >= level:
                    if parent._prim is not None:
                        stack.append(node)
                        node = parent
                        continue
                    parent._slot = n
                    order.append(parent)
                    n += 1
                    if leaves is not None:
                        leaves.append(parent)
            parent = node._b
            if parent is not None:
                slot = parent._slot
                if (slot >= n or order[slot] is not parent) and parent._level >= level:
                    if parent._prim is not None:
                        stack.append(node)
                        node = parent
                        continue
                    parent._slot = n
                    order.append(parent)
                    n += 1
                    if leaves is not None:
                        leaves.append(parent)
            if node._extra is not None:
                parent = _unvisited(node._extra.more, order, level, leaves)
                n = len(order)
                if parent is not None:
                    stack.append(node)
                    node = parent
                    continue
            node._slot = n
            order.append(node)
            n += 1
            if leaves is not None and node._prim is None:  # a root that is a leaf
                leaves.append(node)
            if not stack:
                break
            node = stack.pop()
    return order


def _unvisited(
    operands: tuple[Operand, ...], order: list[Any], level: i32, leaves: list[Node] | None
) -> Node | None:
    """Return the first of `operands` still to be walked; leaves are placed at once."""
    for node, _ in operands:
        if node is not None and node._level >= level:
            slot = node._slot
            if slot >= len(order) or order[slot] is not node:
                if node._prim is not None:
                    return node
                node._slot = len(order)
                order.append(node)
                if leaves is not None:
                    leaves.append(node)
    return None


def topological_order(root: Any) -> list[Any]:
    """Return every node that `root` was made of, and `root` last, parents before children.

    Deterministic; constants are not nodes and do not appear. The walk is iterative.
    """
    return order_of([_node(root, "topological_order")])


def _node(x: Any, function: str) -> Node:
    if not isinstance(x, Node):
        raise TypeError(f"{function}() takes a Value, not {x!r} ({type(x).__name__})")
    return x


def check_graph(root: Any) -> int:
    """Return the number of nodes below and including `root`, after checking every invariant.

    Raises:
        ValueError: what is wrong, and at which node: a parent after its child, a number of
            operands other than the primitive's arity, a leaf with operands, an inner node with
            constants only.
        StaleGraph: a number is not what the operands give now, because `.data` below was assigned.
        TypeError: `root` is no `Value`.
    """
    order = order_of([_node(root, "check_graph")])
    for i, node in enumerate(order):
        name = f"node {i} ({node!r})"
        prim = node._prim
        if node._slot != i or order[node._slot] is not node:
            raise ValueError(f"{name} is in the graph twice, or the graph changed meanwhile")
        if prim is None:
            if node._a is not None or node._b is not None:
                raise ValueError(f"{name} has operands but no primitive")
            continue
        operands = operands_of(node)
        if len(operands) != prim.arity:
            raise ValueError(f"{name} has {len(operands)} operands; {prim.name} takes {prim.arity}")
        if all(parent is None for parent, _ in operands):
            raise ValueError(f"{name} has constant operands only, so it should be a float")
        for parent, _ in operands:
            if parent is not None and parent._slot >= i:
                raise ValueError(f"{name} comes before its parent {parent!r}")
        numbers = check_value(node, operands)
        for at, (parent, recorded) in enumerate(operands):
            partial = prim.partials[at]
            if parent is not None and partial is not None:
                check_partial(node, at, recorded, prim.real(partial(*numbers), "a partial"))
    return len(order)


# ----------------------------------------------------------------------------- stale graphs


def may_be_stale(prim: Primitive, operands: list[Operand]) -> bool:
    """Say whether an operand may have been assigned: only leaves can be. What users wrote may
    depend on anything."""
    for parent, _ in operands:
        if parent is not None and parent._prim is None:
            return True
    return id(prim) not in _ROWS


def check_value(node: Node, operands: list[Operand]) -> list[float]:
    """Return the numbers that the partials of `node` see, its value and those of its operands.

    Raises:
        StaleGraph: they give another value now.
    """
    prim = node._prim
    numbers = [number if parent is None else parent._data for parent, number in operands]
    if prim is not None and id(prim) in _ROWS:
        now: float = prim.fn(*numbers)
        if now != node._data and (now == now or node._data == node._data):
            raise StaleGraph(_stale(node, "was", node._data, now))
    return [node._data, *numbers]


def check_partial(node: Node, at: int, recorded: float, now: float) -> None:
    """Raise StaleGraph if the partial of `node` by operand `at` is not as it was recorded."""
    if now == recorded:
        if now != 0.0 or copysign(1.0, now) == copysign(1.0, recorded):
            return
    elif now != now and recorded != recorded:
        return
    prim = node._prim
    if id(prim) not in _ROWS and (
        now == recorded or fabs(now - recorded) <= _LOOSE * max(fabs(now), fabs(recorded))
    ):
        return
    raise StaleGraph(_stale(node, f"had the partial by operand {at + 1}", recorded, now))


def _stale(node: Node, what: str, recorded: float, now: float) -> str:
    prim = node._prim
    numbers = [number if parent is None else parent._data for parent, number in operands_of(node)]
    name = "" if prim is None else f"{prim.name}({', '.join(map(repr, numbers))})"
    if node._extra is not None and node._extra.label:
        name = f"{node._extra.label} = {name}"
    why = ".data of a Value below it was assigned since"
    if id(prim) not in _ROWS:
        why += f", or {prim!r} depends on something else that changed"
    return (
        f"stale graph: {name} {what} {recorded!r} when it was recorded and would be {now!r} now: "
        f"{why}; record the graph again"
    )


# ------------------------------------------------------------------------------------ pickling

# The inner nodes of a graph as columns, which pickle without recursion: primitives, values,
# gradients, {index: (label, scope)}, and operands as (index among leaves followed by inner nodes,
# or -1 for a constant; partial or constant).
Columns = tuple[
    list[Primitive],
    list[float],
    list[float],
    dict[int, tuple[str, tuple[str, ...]]],
    list[tuple[tuple[int, float], ...]],
]


def flatten(order: list[Node]) -> tuple[list[Node], Columns]:
    """Return the leaves of a topological order, and its inner nodes as columns."""
    leaves = [node for node in order if node._prim is None]
    place: dict[int, int] = {id(leaf): i for i, leaf in enumerate(leaves)}
    prims: list[Primitive] = []
    data: list[float] = []
    grads: list[float] = []
    names: dict[int, tuple[str, tuple[str, ...]]] = {}
    operands: list[tuple[tuple[int, float], ...]] = []
    for node in order:
        prim = node._prim
        if prim is None:
            continue
        if node._extra is not None and (node._extra.label or node._extra.scope):
            names[len(prims)] = (node._extra.label, node._extra.scope)
        place[id(node)] = len(leaves) + len(prims)
        prims.append(prim)
        data.append(node._data)
        grads.append(node._grad)
        operands.append(
            tuple([(-1 if p is None else place[id(p)], number) for p, number in operands_of(node)])
        )
    return leaves, (prims, data, grads, names, operands)
