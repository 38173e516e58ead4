"""Sweeps over a recorded graph: cotangents from the root down, tangents from the leaves up.

Each sweep exists twice. On floats it uses the partials that recording stored, and is fast. As graph
it applies the rules to the nodes themselves, so that its results can be differentiated again
(and compiled); both multiply and add in the same order, so they agree to the bit.

Strong zeros: what a zero cotangent is multiplied with does not matter, it contributes zero. And
where a primitive *selects* (`where`, `relu`, ...), a zero partial contributes zero even to an
infinite cotangent, because the result does not depend on that argument.

Forward mode meets the same path from its other end, so its rules are mirrored: what a zero
*partial* is multiplied with does not matter, while a zero tangent times an infinite partial is nan,
as reverse mode has it, which met the infinity first. But a tangent may be zero because something
was selected away, and then it must stay zero. Straight-line code cannot tell the two zeros apart by
their number, only by what they passed: beyond a primitive that selects (`past` it), a zero tangent
contributes zero.
"""

from __future__ import annotations

from math import copysign
from typing import Any, Final

from ._graph import check_partial, check_value, may_be_stale, order_of
from ._locks import interrupts_held, lock
from ._mypyc import i32
from ._primitive import Node, Primitive, operands_of, watch
from ._rules import mul, neg, strong_mul, where

# Sweeps write into the nodes (`_slot`, `_grad`). The lock makes graphs that share leaves safe to
# differentiate from many threads; a sweep holds the interpreter anyway, so it costs nothing. A fork
# waits for it, so that no child inherits gradients half done.
_lock: Final[Any] = lock(fork_waits=True)
# Compiled, a sweep is one step to whoever presses Ctrl-C; in plain Python it has to be made one.
_INTERRUPTIBLE: Final = __file__.endswith(".py")


def _turn() -> Any:
    """Return the lock, to be held during a sweep.

    Raises:
        RuntimeError: this thread is in the middle of a sweep, whose numbers would be overwritten.
    """
    if _lock._is_owned():
        raise RuntimeError(
            "backward() or a derivative was called in the middle of another sweep of this thread, "
            "by a signal handler or a __del__; let that only set a flag, and call it afterwards"
        )
    return _lock


def _does_not_depend(prim: Primitive, i: int, partial: float) -> bool:
    """Say whether a zero partial means that the result does not depend on operand `i` at all."""
    return partial == 0.0 and (prim.selects or prim.partials[i] is None)


def _pull(
    order: list[Node], roots: list[Node], seeds: list[float], ends: list[Node], level: i32
) -> Node | None:
    """Set the `_grad` of every node of `order` to its cotangent, given those of `roots`; return a
    leaf below `level` that was met, if any.

    Parents below `level` are not in `order` and belong to others. `ends` are the nodes where every
    path ends.
    """
    closed_over: Node | None = None
    _seed(order, roots, seeds)
    for node in reversed(order):
        ct = node._grad
        if ct == 0.0:
            continue
        parent = node._a
        if parent is not None:
            if parent._level >= level:
                parent._grad += ct * node._pa
            elif parent._prim is None:
                closed_over = parent
        parent = node._b
        if parent is not None:
            if parent._level >= level:
                parent._grad += ct * node._pb
            elif parent._prim is None:
                closed_over = parent
        if node._extra is not None:
            for parent, partial in node._extra.more:
                if parent is not None and parent._level >= level:
                    parent._grad += ct * partial
    # An infinite cotangent times the zero of a selecting primitive is rare, and shows: the nan
    # reaches an end. Then again, looking at each product.
    for node in ends:
        if node._grad != node._grad:
            break
    else:
        return closed_over
    _seed(order, roots, seeds)
    for node in reversed(order):
        ct = node._grad
        prim = node._prim
        if ct == 0.0 or prim is None:
            continue
        for i, (parent, partial) in enumerate(operands_of(node)):
            if parent is None or parent._level < level or _does_not_depend(prim, i, partial):
                continue
            parent._grad += ct * partial
    return closed_over


def _seed(order: list[Node], roots: list[Node], seeds: list[float]) -> None:
    for node in order:
        node._grad = 0.0
    for root, seed in zip(roots, seeds, strict=True):
        root._grad += seed


def backward(root: Node) -> None:
    """Fill in `_grad` below `root`: leaves accumulate, inner nodes are set.

    Ctrl-C comes before or after it, so that it is done once or not at all.
    """
    if _INTERRUPTIBLE:
        with interrupts_held():
            _backward(root)
    else:
        _backward(root)


def _backward(root: Node) -> None:
    with _turn():
        leaves: list[Node] = []
        order = order_of([root], 0, leaves)
        for node in leaves:
            node._pa = node._grad
        _pull(order, [root], [1.0], leaves, 0)
        for node in leaves:
            node._grad = node._pa + node._grad
            node._pa = 0.0


def zero_grad(root: Node) -> None:
    """Set `_grad` to 0 on every node below and including `root`."""
    with _turn():
        for node in order_of([root]):
            node._grad = 0.0


def move_gradients(leaves: list[Any], sums: list[float]) -> None:
    """Add the `_grad` of each leaf to its entry of `sums`, and set it to 0."""
    leaf: Node
    for i, leaf in enumerate(leaves):
        sums[i] += leaf._grad
        leaf._grad = 0.0


def cotangents(
    roots: list[Node],
    seeds: list[float],
    inputs: list[Node],
    level: i32,
    closed_over: list[Node] | None = None,
) -> list[float]:
    """Return the derivative of the seeded sum of `roots` by each of `inputs`, as floats. A leaf
    below `level` is added to `closed_over`, if given.

    `inputs` are nodes of this `level`, made for one call of a derivative function, and only nodes
    that depend on such are touched; whoever else holds nodes of the graph sees no `.grad` change.
    """
    with _turn():
        for node in inputs:
            node._grad = 0.0
        below = [
            (root, seed) for root, seed in zip(roots, seeds, strict=True) if root._level >= level
        ]
        order = order_of(roots, level)
        met = _pull(order, [root for root, _ in below], [seed for _, seed in below], inputs, level)
        if met is not None and closed_over is not None:
            closed_over.append(met)
        return [node._grad for node in inputs]


def levels_below(roots: list[Node]) -> set[int]:
    """Return the levels of all nodes that `roots` were made of, but for 0."""
    with _turn():
        return {node._level for node in order_of(roots, 1)}


def tangents(
    roots: list[Node], inputs: list[Node], directions: list[float], level: i32
) -> list[float]:
    """Return the derivative of each of `roots` along `directions`, one number per input.

    As with `cotangents`, `inputs` are nodes of this `level`. A node's tangent is kept in `_grad`.
    """
    with _turn():
        # An input has nothing of this level below it, so the inputs come first in the order.
        order = order_of(inputs + roots, level)
        n = len(inputs)
        for i, node in enumerate(order):
            if i < n:
                node._grad = directions[i]
                continue
            total = 0.0
            parent = node._a
            if parent is not None and parent._level >= level:
                total += parent._grad * node._pa
            parent = node._b
            if parent is not None and parent._level >= level:
                total += parent._grad * node._pb
            if node._extra is not None:
                for parent, partial in node._extra.more:
                    if parent is not None and parent._level >= level:
                        total += parent._grad * partial
            node._grad = total
        # A zero times what is not finite is rare, and shows, as in `_pull`.
        for root in roots:
            if root._grad != root._grad and root._level >= level:
                _push_carefully(order, directions, level)
                break
        return [root._grad if root._level >= level else 0.0 for root in roots]


def _push_carefully(order: list[Node], directions: list[float], level: i32) -> None:
    """Set the `_grad` of every node to its tangent, looking at each product."""
    reached: list[bool] = []
    past: list[bool] = []
    for at, node in enumerate(order):
        if at < len(directions):
            node._grad = directions[at]
            reached.append(directions[at] != 0.0)
            past.append(False)
            continue
        prim = node._prim
        total = 0.0
        is_reached = False
        is_past = False
        for i, (parent, partial) in enumerate(operands_of(node)):
            if prim is None or parent is None or parent._level < level:
                continue
            slot = parent._slot
            if not reached[slot] or prim.partials[i] is None:
                continue
            is_reached = True
            is_past = is_past or past[slot] or prim.selects
            rate = parent._grad
            if (past[slot] or prim.selects) and rate == 0.0:
                continue
            if partial == 0.0 and (prim.selects or not past[slot]):
                continue
            total += rate * partial
        node._grad = total
        reached.append(is_reached)
        past.append(is_past)


# ------------------------------------------------------------------------- the same as graph


def _times(prim: Primitive, rate: Any, partial: Any) -> Any:
    """Return `rate`, a cotangent, times `partial` as graph, or None for nothing."""
    if isinstance(partial, float):
        if partial == 0.0 and prim.selects:
            return None
        if partial == 1.0:
            return rate
        if partial == -1.0:
            return neg(rate)
    if isinstance(rate, float):
        if rate == 1.0:
            return partial
        product = mul(rate, partial)
        # A finite constant times the zero of what was not selected is zero anyway.
        selects = prim.selects and isinstance(partial, Node) and rate - rate != 0.0
        return where(partial, product, 0.0) if selects else product
    product = strong_mul(rate, partial)
    return where(partial, product, 0.0) if prim.selects and isinstance(partial, Node) else product


def _times_along(prim: Primitive, rate: Any, partial: Any, past: bool) -> Any:
    """Return `rate`, a tangent, times `partial` as graph, or None for nothing; `past` as above."""
    if past or prim.selects:
        if isinstance(rate, float) and rate == 0.0:
            return None
        return _times(prim, rate, partial)
    if isinstance(partial, float):
        if partial == 0.0:
            return 0.0
        if partial == 1.0:
            return rate
        if partial == -1.0:
            return neg(rate)
    if isinstance(rate, float) and rate - rate == 0.0:
        return partial if rate == 1.0 else mul(rate, partial)
    return strong_mul(partial, rate)


def _edges(node: Node, wanted: set[int]) -> list[tuple[Node, Any]]:
    """Return (parent, partial as graph) for the operands of `node` that are in `wanted`.

    Raises:
        StaleGraph: value or partials are not what was recorded.
    """
    prim = node._prim
    if prim is None:
        return []
    operands = operands_of(node)
    args = [number if parent is None else parent for parent, number in operands]
    compare = may_be_stale(prim, operands)
    if compare:
        check_value(node, operands)
    found: list[tuple[Node, Any]] = []
    for i, (parent, recorded) in enumerate(operands):
        partial = prim.partials[i]
        if parent is not None and partial is not None and id(parent) in wanted:
            rate = partial(node, *args)
            if not isinstance(rate, Node):
                rate = prim.real(rate, "a partial")
            if compare:
                now: float = rate._data if isinstance(rate, Node) else rate
                check_partial(node, i, recorded, now)
            found.append((parent, rate))
    return found


def _dependent(order: list[Node], inputs: list[Any]) -> set[int]:
    """Return the ids of `inputs` and of all nodes of `order` made from them."""
    found = {id(x) for x in inputs}
    for node in order:
        for parent, _ in operands_of(node):
            if parent is not None and id(parent) in found:
                found.add(id(node))
                break
    return found


def pull_graph(roots: list[Any], seeds: list[Any], inputs: list[Any], level: i32 = 0) -> list[Any]:
    """Return the derivative of the seeded sum of `roots` by each of `inputs`, as graph.

    Each entry is a `Value` that can be differentiated again, or a float where it is constant.
    """
    with _turn():
        order = order_of(roots, level)
    wanted = _dependent(order, inputs)
    cts: dict[int, Any] = {}
    for root, seed in zip(roots, seeds, strict=True):
        old = cts.get(id(root))
        cts[id(root)] = seed if old is None else old + seed
    for node in reversed(order):
        ct = cts.get(id(node))
        prim = node._prim
        if ct is None or prim is None or id(node) not in wanted:
            continue
        if isinstance(ct, float) and ct == 0.0:
            continue
        for parent, partial in _edges(node, wanted):
            part = _times(prim, ct, partial)
            if part is not None:
                old = cts.get(id(parent))
                cts[id(parent)] = part if old is None else old + part
    return _from_zero([cts.get(id(x), 0.0) for x in inputs])


def push_graph(
    roots: list[Any], inputs: list[Any], directions: list[Any], level: i32 = 0
) -> list[Any]:
    """Return the derivative of each of `roots` along `directions`, as graph."""
    with _turn():
        order = order_of(inputs + roots, level)
    wanted = _dependent(order, inputs)
    # A constant zero direction leads nowhere.
    rates: dict[int, Any] = {
        id(x): t
        for x, t in zip(inputs, directions, strict=True)
        if not (isinstance(t, float) and t == 0.0)
    }
    past: dict[int, bool] = dict.fromkeys(rates, False)  # of all that is reached
    given = {id(x) for x in inputs}
    for node in order:
        prim = node._prim
        if prim is None or id(node) in given or id(node) not in wanted:
            continue
        total: Any = None
        for parent, partial in _edges(node, wanted):
            if id(parent) not in past:
                continue
            beyond = past[id(parent)]
            past[id(node)] = past.get(id(node), False) or beyond or prim.selects
            rate = rates.get(id(parent))
            part = None if rate is None else _times_along(prim, rate, partial, beyond)
            if part is not None:
                total = part if total is None else total + part
        if total is not None:
            rates[id(node)] = total
    return _from_zero([rates.get(id(root), 0.0) for root in roots])


def _from_zero(found: list[Any]) -> list[Any]:
    """Return derivatives as the sums from +0.0 that they are on floats, so never as -0.0.

    Where a graph is recorded for other numbers too, each of them might be.
    """
    if watch.count != 0 and watch.freezes():
        return [x + 0.0 for x in found]
    zeros = [x if isinstance(x, float) else x._data for x in found]
    return [
        x + 0.0 if z == 0.0 and copysign(1.0, z) < 0.0 else x
        for x, z in zip(found, zeros, strict=True)
    ]
