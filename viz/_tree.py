"""A view as plain text and as data: for terminals, logs, screen readers and other programs."""

from typing import Any

from ._notes import node_formula
from ._snapshot import Snapshot
from ._text import json_number, number, printable
from ._view import Card, Edge, View

DEEPEST = 30
"""Levels that are indented; deeper ones say their depth instead, so that lines stay short."""


def write_tree(view: View) -> str:
    """The picture as a tree of lines, the output first; a card seen before is only named."""
    cards = {card.key: card for card in view.cards}
    operands: dict[str, list[Edge]] = {}
    for each in view.edges:
        operands.setdefault(each.target, []).append(each)
    roots = [card.key for card in view.cards if card.is_output]
    used = {edge.source for edge in view.edges}
    roots += [card.key for card in view.cards if card.key not in used and card.key not in roots]
    lines: list[str] = []
    seen: set[str] = set()
    # A line to come: its card, the edge that led to it, depth, indentation, whether it is last.
    stack: list[tuple[str, Edge | None, int, str, bool]] = [
        (key, None, 0, "", True) for key in reversed(roots)
    ]
    while stack:
        key, edge, depth, indent, last = stack.pop()
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if depth == 0:
            branch = below = ""
        elif depth > DEEPEST:
            branch, below = f"({depth}) ", ""
        text = _line(view, cards[key], edge, again=key in seen)
        lines.append(printable(f"{indent}{branch}{text}"))
        if key in seen:
            continue
        seen.add(key)
        inner = indent + below if depth < DEEPEST else ""
        edges = operands.get(key, [])
        for place, up in reversed(list(enumerate(edges, 1))):
            stack.append((up.source, up, depth + 1, inner, place == len(edges)))
    return "\n".join(lines) + "\n"


def _line(view: View, card: Card, edge: Edge | None, again: bool) -> str:
    name = _name(view, card)
    if again:
        return f"{name} (see above)"
    if card.kind == "more":
        return f"{card.name} more"
    words = name
    if card.kind not in ("group", "constant") and len(card.nodes) == 1 and card.operation:
        words += f" = {node_formula(view.snapshot, card.nodes[0], view.digits)}"
    if card.kind == "group":
        words += f" [{card.operation}]" if name != card.operation else ""
    words += f" = {card.value}" if name != card.value else ""
    if card.amount is not None:
        words += f", gradient {card.gradient}"
    if edge is not None and edge.partial is not None:
        words += f" (local derivative {number(edge.partial, view.digits)})"
    return words


def _name(view: View, card: Card) -> str:
    if len(card.nodes) == 1 and card.kind != "group":
        return view.snapshot.name(card.nodes[0])
    return card.name or card.operation


def graph_as_data(snapshot: Snapshot) -> dict[str, Any]:
    """The whole graph, for JSON: every node with its numbers; inf and nan as strings.

    `gradient` is the derivative of the root, `grad` what `.grad` held; operands are a node with its
    local derivative, or a constant.
    """
    nodes = []
    for index, node in enumerate(snapshot.nodes):
        partials = iter(node.partials)
        operands = [
            {"node": x, "partial": json_number(next(partials))}
            if isinstance(x, int)
            else {"constant": json_number(x)}
            for x in node.operands
        ]
        nodes.append(
            {
                "id": index,
                "label": node.label,
                "op": node.op,
                "value": json_number(node.value),
                "gradient": json_number(snapshot.gradients[index]) if snapshot.swept else None,
                "grad": json_number(node.grad),
                "scope": list(node.scope),
                "operands": operands,
            }
        )
    return {"root": snapshot.root, "nodes": nodes}
