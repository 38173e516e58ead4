"""Sweeps over a recorded graph: cotangents from the root down, tangents from the leaves up.

Each sweep exists twice. On floats it uses the partials that recording stored, and is fast. As graph
it applies the rules to the nodes themselves, so that its results can be differentiated again
(and compiled); both multiply and add in the same order, so they agree to the bit.

Strong zeros, everywhere: what a zero cotangent or tangent is multiplied with does not matter, it
contributes zero. And where a primitive *selects* (`where`, `relu`, ...), a zero partial contributes
zero even to an infinite cotangent, because the result does not depend on that argument.
"""

from __future__ import annotations

from typing import Any, Final

from ._graph import order_of
from ._locks import interrupts_held, lock
from ._mypyc import i32
from ._primitive import Node, Primitive, operands_of
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


def _times_partial(rate: float, partial: float, prim: Primitive | None) -> float:
    """Return a nonzero cotangent or tangent times a partial, 0 where `prim` selected otherwise."""
    product = rate * partial
    if product != product and partial == 0.0 and prim is not None and prim.selects:
        return 0.0
    return product


def _pull(
    order: list[Node], roots: list[Node], seeds: list[float], ends: list[Node], level: i32
) -> None:
    """Set the `_grad` of every node of `order` to its cotangent, given those of `roots`.

    Parents below `level` are not in `order` and belong to others. `ends` are the nodes where every
    path ends.
    """
    _seed(order, roots, seeds)
    for node in reversed(order):
        ct = node._grad
        if ct == 0.0:
            continue
        parent = node._a
        if parent is not None and parent._level >= level:
            parent._grad += ct * node._pa
        parent = node._b
        if parent is not None and parent._level >= level:
            parent._grad += ct * node._pb
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
        return
    _seed(order, roots, seeds)
    for node in reversed(order):
        ct = node._grad
        if ct != 0.0:
            for parent, partial in operands_of(node):
                if parent is not None and parent._level >= level:
                    parent._grad += _times_partial(ct, partial, node._prim)


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
    roots: list[Node], seeds: list[float], inputs: list[Node], level: i32
) -> list[float]:
    """Return the derivative of the seeded sum of `roots` by each of `inputs`, as floats.

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
        _pull(order, [root for root, _ in below], [seed for _, seed in below], inputs, level)
        return [node._grad for node in inputs]


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
            for parent, partial in operands_of(node):
                if parent is not None and parent._level >= level and parent._grad != 0.0:
                    total += _times_partial(parent._grad, partial, node._prim)
            node._grad = total
        return [root._grad if root._level >= level else 0.0 for root in roots]


# ------------------------------------------------------------------------- the same as graph


def _times(prim: Primitive, rate: Any, partial: Any) -> Any:
    """Return `rate` (a cotangent or tangent) times `partial` as graph, or None for nothing."""
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


def _edges(node: Node, wanted: set[int]) -> list[tuple[Node, Any]]:
    """Return (parent, partial as graph) for the operands of `node` that are in `wanted`."""
    prim = node._prim
    if prim is None:
        return []
    operands = operands_of(node)
    args = [number if parent is None else parent for parent, number in operands]
    found: list[tuple[Node, Any]] = []
    for i, (parent, _) in enumerate(operands):
        partial = prim.partials[i]
        if parent is not None and partial is not None and id(parent) in wanted:
            rate = partial(node, *args)
            found.append((parent, rate if isinstance(rate, Node) else prim.real(rate, "a partial")))
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
    return [cts.get(id(x), 0.0) for x in inputs]


def push_graph(
    roots: list[Any], inputs: list[Any], directions: list[Any], level: i32 = 0
) -> list[Any]:
    """Return the derivative of each of `roots` along `directions`, as graph."""
    with _turn():
        order = order_of(inputs + roots, level)
    wanted = _dependent(order, inputs)
    rates: dict[int, Any] = {id(x): t for x, t in zip(inputs, directions, strict=True)}
    for node in order:
        prim = node._prim
        if prim is None or id(node) in rates or id(node) not in wanted:
            continue
        total: Any = None
        for parent, partial in _edges(node, wanted):
            rate = rates.get(id(parent))
            if rate is None or (isinstance(rate, float) and rate == 0.0):
                continue
            part = _times(prim, rate, partial)
            if part is not None:
                total = part if total is None else total + part
        if total is not None:
            rates[id(node)] = total
    return [rates.get(id(root), 0.0) for root in roots]
