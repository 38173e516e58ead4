"""What one picture shows of a snapshot: cards, edges between them, and the clusters around them.

Here nodes are left out (`wrt`, `focus`), scopes become one card, repeated blocks become one
stack. Knows nothing of colours, DOT or layout.
"""

import math
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from ._palette import kind_of
from ._snapshot import Node, Snapshot
from ._text import number

Scope = tuple[str, ...]
Collapse = Literal["auto", "none", "all"]

TIMES = " \N{MULTIPLICATION SIGN}"

COLLAPSE_ABOVE = 150
"""Visible cards above which scopes are collapsed."""
LABELS_UP_TO = 300
"""Visible cards above which edges go without labels."""
LARGEST = 2000
"""Visible cards above which there is no picture."""


class GraphTooLarge(ValueError):
    """More cards would be visible than a picture can show; `.count` is how many."""

    def __init__(self, count: int, scoped: bool) -> None:
        self.count = count
        ways = [
            "focus=node, hops=3 (the surroundings of one node)",
            "wrt=leaf (what depends on that leaf)",
        ]
        if scoped:
            ways.insert(0, 'collapse="all" (one card for each scope)')
        else:
            ways.append(
                'building it inside `with autograd.scope("name"):` (one card for each scope)'
            )
        super().__init__(
            f"{count:,} cards would be visible, a picture shows at most {LARGEST:,}; "
            f"ways on: {'; '.join(ways)}"
        )


class Card(NamedTuple):
    """One card. `key` is unique in the picture and the same from run to run.

    `nodes` are the nodes it stands for (none: a constant, or what lies beyond the picture),
    `results` those of a `group` that are used outside it; `amount` is the gradient that colours
    it.
    """

    key: str
    kind: str
    name: str
    operation: str
    value: str
    gradient: str
    amount: float | None
    scope: Scope
    nodes: tuple[int, ...]
    is_output: bool = False
    results: tuple[int, ...] = ()
    group: Scope = ()


class Edge(NamedTuple):
    """One edge: from the card of an operand to the card that uses it.

    `partial` is the local derivative and `place` the operand's place (None and -1 where several
    edges were merged), `contribution` what the reverse sweep adds to the operand along this edge
    (None before `backward()`).
    """

    source: str
    target: str
    partial: float | None
    contribution: float | None
    place: int
    merged: int = 1


class View(NamedTuple):
    """A picture's content: cards in topological order, edges, and whether edges carry labels."""

    snapshot: Snapshot
    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    largest: float
    labelled: bool
    digits: int
    collapsed: tuple[Scope, ...]

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every cluster that holds a card, outer before inner, in order of first appearance."""
        found: dict[Scope, None] = {}
        for card in self.cards:
            for depth in range(1, len(card.scope) + 1):
                found.setdefault(card.scope[:depth])
        return tuple(found)


def operation_text(node: Node, constants: str, digits: int) -> str:
    """The header of an inner node; constant operands appear in it where they are not cards."""
    if constants == "show" or len(node.partials) == len(node.operands):
        return node.symbol
    words = [number(x, digits) if isinstance(x, float) else "·" for x in node.operands]
    if len(words) == 2 and not node.symbol[:1].isalpha():
        return f"{words[0]} {node.symbol} {words[1]}"
    return f"{node.symbol}({', '.join(words)})"


def make_view(
    snapshot: Snapshot,
    *,
    wrt: Collection[int] = (),
    collapse: Collapse | Collection[str] = "auto",
    focus: int | None = None,
    hops: int = 2,
    constants: Literal["inline", "show"] = "inline",
    digits: int = 3,
) -> View:
    """The view of `snapshot` under the options of `viz.draw`.

    Raises:
        GraphTooLarge: more than `LARGEST` cards would be visible.
    """
    shown = _on_the_way(snapshot, wrt) if wrt else [True] * len(snapshot.nodes)
    active = list(shown)
    if wrt:
        for child, node in enumerate(snapshot.nodes):
            if active[child]:
                for parent in node.parents:
                    shown[parent] = True
    if focus is not None:
        near = _near(snapshot, focus, hops)
        shown = [here and index in near for index, here in enumerate(shown)]
    sizes = Counter(node.scope for node, here in zip(snapshot.nodes, shown, strict=True) if here)
    groups = _groups(snapshot, shown, sizes, collapse)
    count = _visible(sizes, groups)
    if constants == "show":
        count += sum(
            isinstance(x, float)
            for node, here in zip(snapshot.nodes, shown, strict=True)
            if here and node.scope not in groups
            for x in node.operands
        )
    if count > LARGEST:
        raise GraphTooLarge(count, scoped=any(sizes))
    return _Assembly(snapshot, shown, active, groups, constants, digits).build()


def _on_the_way(snapshot: Snapshot, wrt: Collection[int]) -> list[bool]:
    """Which nodes depend on one of `wrt` (all below the root by construction)."""
    depends = [False] * len(snapshot.nodes)
    for index in wrt:
        depends[index] = True
    for index, node in enumerate(snapshot.nodes):
        if not depends[index]:
            depends[index] = any(depends[parent] for parent in node.parents)
    return depends


def _near(snapshot: Snapshot, focus: int, hops: int) -> set[int]:
    """The nodes at most `hops` edges from `focus`, in either direction."""
    distance = {focus: 0}
    queue = deque([focus])
    while queue:
        here = queue.popleft()
        if distance[here] == hops:
            continue
        for other in (*snapshot.nodes[here].parents, *(child for child, _ in snapshot.users[here])):
            if other not in distance:
                distance[other] = distance[here] + 1
                queue.append(other)
    return set(distance)


def _groups(
    snapshot: Snapshot,
    shown: list[bool],
    sizes: Mapping[Scope, int],
    collapse: Collapse | Collection[str],
) -> dict[Scope, Scope]:
    """For every scope that does not stay open: the scope whose card takes its nodes in."""
    if collapse == "none":
        return {}
    if collapse == "all":
        return {scope: scope[:1] for scope in sizes if scope}
    if collapse == "auto":
        return _automatic_groups(snapshot, shown, sizes)
    names = {collapse} if isinstance(collapse, str) else set(collapse)
    known = {"/".join(scope[:depth]) for scope in sizes for depth in range(1, len(scope) + 1)}
    if unknown := sorted(names - known):
        listed = ", ".join(sorted(known)) or "none: it was built outside any scope"
        raise ValueError(f"collapse: no scope {unknown[0]!r} in this graph; its scopes: {listed}")
    groups = {}
    for scope in sizes:
        for depth in range(1, len(scope) + 1):
            if "/".join(scope[:depth]) in names:
                groups[scope] = scope[:depth]
                break
    return groups


def _automatic_groups(
    snapshot: Snapshot, shown: list[bool], sizes: Mapping[Scope, int]
) -> dict[Scope, Scope]:
    """As few collapsed scopes as bring the picture down to `COLLAPSE_ABOVE` cards: inner first."""
    groups: dict[Scope, Scope] = {}
    for depth in range(max(map(len, sizes), default=0), 0, -1):
        if _visible(sizes, groups) <= COLLAPSE_ABOVE:
            break
        groups = {scope: scope[:depth] for scope in sizes if len(scope) >= depth}
        if _visible(sizes, groups) > COLLAPSE_ABOVE:
            stacked = _stack(snapshot, shown, groups)
            if _visible(sizes, stacked) <= COLLAPSE_ABOVE:
                return stacked
    return groups


def _visible(sizes: Mapping[Scope, int], groups: Mapping[Scope, Scope]) -> int:
    open_nodes = sum(size for scope, size in sizes.items() if scope not in groups)
    return open_nodes + len(set(groups.values()))


def _stack(
    snapshot: Snapshot, shown: list[bool], groups: Mapping[Scope, Scope]
) -> dict[Scope, Scope]:
    """`groups` with the identical blocks of one parent scope taken together.

    Blocks are identical when they hold the same operations, in the same order, wired in the same
    way; numbers and names may differ.
    """
    members: dict[Scope, list[int]] = {}
    for index, node in enumerate(snapshot.nodes):
        if shown[index] and node.scope in groups:
            members.setdefault(groups[node.scope], []).append(index)
    first: dict[object, Scope] = {}
    leader: dict[Scope, Scope] = {}
    for block, indices in members.items():
        place = {index: position for position, index in enumerate(indices)}
        shape = tuple(
            (
                node.op,
                tuple(place.get(x, -1) if isinstance(x, int) else x for x in node.operands),
            )
            for node in (snapshot.nodes[index] for index in indices)
        )
        leader[block] = first.setdefault((block[:-1], shape), block)
    return {scope: leader[block] for scope, block in groups.items()}


def with_names(view: View) -> View:
    """`view` with a name on every card of one node: pages and quizzes speak of all of them."""
    cards = (
        card._replace(name=view.snapshot.name(card.nodes[0]))
        if len(card.nodes) == 1 and card.kind != "group"
        else card
        for card in view.cards
    )
    return view._replace(cards=tuple(cards))


class _Assembly:
    """Cards and edges while they are put together."""

    def __init__(
        self,
        snapshot: Snapshot,
        shown: list[bool],
        active: list[bool],
        groups: Mapping[Scope, Scope],
        constants: str,
        digits: int,
    ) -> None:
        self.snapshot = snapshot
        self.active = active
        self.constants = constants
        self.digits = digits
        self.collapsed = tuple(sorted({scope[: len(to)] for scope, to in groups.items()}))
        self.gradients = snapshot.gradients if snapshot.swept else None
        self.owner: list[str | None] = []
        """The key of the card that shows each node, None where no card does."""
        self.blocks: dict[str, tuple[Scope, list[int]]] = {}
        """By key: the scope and the nodes of each card that stands for several."""
        self.outputs: dict[str, dict[int, None]] = {}
        """By key: the nodes of a block that other cards use (in order; the dict is a set)."""
        self.edges: dict[tuple[str, str, int], Edge] = {}
        self.constant_cards: list[Card] = []
        self.beyond: Counter[tuple[str, str]] = Counter()
        key_of: dict[Scope, str] = {}
        for index, node in enumerate(snapshot.nodes):
            group = groups.get(node.scope)
            key: str | None = None
            if not shown[index]:
                pass
            elif group is None:
                key = f"n{index}"
            else:
                key = key_of.setdefault(group, f"g{len(key_of)}")
                self.blocks.setdefault(key, (group, []))[1].append(index)
            self.owner.append(key)
        self.times = {
            key: len({scope[: len(group)] for scope, to in groups.items() if to == group})
            for key, (group, _) in self.blocks.items()
        }

    def build(self) -> View:
        for child, node in enumerate(self.snapshot.nodes):
            partials = iter(node.partials)
            for place, operand in enumerate(node.operands):
                if isinstance(operand, int):
                    self._connect(operand, child, place, next(partials))
                elif self.constants == "show" and self.owner[child] == f"n{child}":
                    self._constant(operand, child, place)
        if (top := self.owner[self.snapshot.root]) is not None:
            self._note_output(top, self.snapshot.root)
        cards = [*self._cards(), *self.constant_cards]
        for (key, side), times in self.beyond.items():
            more = f"{key}_{side}"
            cards.append(Card(more, "more", f"⋯ {times}", "", "", "", None, (), ()))
            ends = (more, key) if side == "in" else (key, more)
            self.edges[*ends, 0] = Edge(*ends, None, None, -1)
        sizes = (abs(card.amount) for card in cards if card.amount is not None)
        return View(
            self.snapshot,
            tuple(cards),
            tuple(self.edges.values()),
            max((size for size in sizes if math.isfinite(size)), default=0.0),
            len(cards) <= LABELS_UP_TO,
            self.digits,
            self.collapsed,
        )

    def _constant(self, constant: float, child: int, place: int) -> None:
        key = f"k{child}_{place}"
        scope = self.snapshot.nodes[child].scope
        shown = number(constant, self.digits)
        self.constant_cards.append(
            Card(key, "constant", "const", "", shown, number(None), None, scope, ())
        )
        self.edges[key, f"n{child}", place] = Edge(key, f"n{child}", None, None, place)

    def _note_output(self, key: str, index: int) -> None:
        if key in self.blocks:
            self.outputs.setdefault(key, {})[index] = None

    def _connect(self, parent: int, child: int, place: int, partial: float) -> None:
        """The edge from `parent` to `child`, where both have cards, and not the same one."""
        source, target = self.owner[parent], self.owner[child]
        if source is None or target is None:
            if source is not None and self.active[parent]:
                self.beyond[source, "out"] += 1
                self._note_output(source, parent)
            elif target is not None and self.active[child]:
                self.beyond[target, "in"] += 1
            return
        if source == target or not self.active[child]:
            return
        self._note_output(source, parent)
        contribution = None
        if self.gradients is not None and self.active[parent]:
            contribution = self.snapshot.nodes[child].flow(self.gradients[child], partial)
        plain = source not in self.blocks and target not in self.blocks
        local = partial if plain and self.active[parent] else None
        place = place if plain else -1
        new = Edge(source, target, local, contribution, place)
        key = (source, target, place)
        old = self.edges.get(key)
        self.edges[key] = new if old is None else _merged(old, new)

    def _cards(self) -> Iterator[Card]:
        done: set[str] = set()
        for index, key in enumerate(self.owner):
            if key is None or key in done:
                continue
            done.add(key)
            yield self._group_card(key) if key in self.blocks else self._node_card(key, index)

    def _node_card(self, key: str, index: int) -> Card:
        node, digits, active = self.snapshot.nodes[index], self.digits, self.active[index]
        gradient = self.gradients[index] if self.gradients is not None and active else None
        shown = number(gradient, digits)
        accumulated = gradient is not None and not node.op and node.grad != gradient
        if accumulated and not math.isnan(node.grad):
            shown += f" (Σ {number(node.grad, digits)})"
        return Card(
            key,
            kind_of(node.op) if active else "constant",
            node.label,
            operation_text(node, self.constants, digits) if active or not node.label else "",
            number(node.value, digits),
            shown,
            gradient,
            node.scope,
            (index,),
            is_output=index == self.snapshot.root,
        )

    def _group_card(self, key: str) -> Card:
        group, members = self.blocks[key]
        results = tuple(self.outputs.get(key, ())) or (members[-1],)
        values = [self.snapshot.nodes[index].value for index in results]
        slopes = [self.gradients[index] for index in results] if self.gradients is not None else []
        times = f"{TIMES}{self.times[key]}" if self.times[key] > 1 else ""
        return Card(
            key,
            "group",
            self.snapshot.nodes[results[0]].label if len(results) == 1 else "",
            f"{group[-1]}{times} ({len(members)} nodes)",
            _range(values, self.digits),
            _range(slopes, self.digits),
            max(slopes, key=abs, default=None),
            group[:-1],
            tuple(members),
            is_output=self.snapshot.root in results,
            results=results,
            group=group,
        )


def _merged(old: Edge, new: Edge) -> Edge:
    total = None
    if old.contribution is not None and new.contribution is not None:
        total = old.contribution + new.contribution
    return Edge(old.source, old.target, None, total, -1, old.merged + 1)


def _range(numbers: list[float], digits: int) -> str:
    if not numbers:
        return number(None)
    low, high = number(min(numbers), digits), number(max(numbers), digits)
    return low if low == high else f"{low} … {high}"
