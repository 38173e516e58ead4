"""What cards and edges say when asked: one sentence each, with all digits.

They are the tooltips, and the words for readers who cannot see the picture.
"""

import math

from ._snapshot import Node, Snapshot
from ._text import number
from ._view import Card, Edge, View


def formula(node: Node, words: list[str]) -> str:
    """The operation of `node` written out on operands called `words`."""
    infix = not node.symbol[:1].isalpha()
    if len(words) == 2 and infix:
        return f"{words[0]} {node.symbol} {words[1]}"
    if len(words) == 1 and node.op == "neg":
        return f"{node.symbol}{words[0]}"
    return f"{node.op if infix else node.symbol}({', '.join(words)})"


def node_formula(snapshot: Snapshot, index: int, digits: int = 3) -> str:
    """The operation of a node on the names of its operands."""
    node = snapshot.nodes[index]
    words = [number(x, digits) if isinstance(x, float) else snapshot.name(x) for x in node.operands]
    return formula(node, words)


def card_note(view: View, card: Card) -> str:
    """What `card` says about itself."""
    if card.kind == "more":
        return f"{card.name.removeprefix('⋯ ')} more, outside this picture"
    if not card.nodes:
        return f"constant {card.value}"
    return _group_note(view, card) if card.kind == "group" else _node_note(view, card)


def _node_note(view: View, card: Card) -> str:
    snapshot, (index,) = view.snapshot, card.nodes
    node, name = snapshot.nodes[index], snapshot.name(index)
    note = (
        f"{name} = {node_formula(snapshot, index, view.digits)}" if node.op else f"{name}, a leaf"
    )
    note += f"; value {node.value!r}"
    if card.amount is not None:
        note += f"; ∂{snapshot.name(snapshot.root)}/∂{name} = {card.amount!r}"
        if not node.op and card.amount != node.grad and not math.isnan(card.amount):
            note += f"; its .grad has accumulated {node.grad!r}"
    elif card.kind == "constant":
        note += "; does not depend on what is differentiated here"
    return note


def _group_note(view: View, card: Card) -> str:
    note = f"{card.operation}: {len(card.nodes)} nodes in one card"
    for index in card.results[:8]:
        note += f"; {view.snapshot.name(index)} = {view.snapshot.nodes[index].value!r}"
    return note


def edge_note(edge: Edge) -> str:
    """What `edge` says about itself: its local derivative and what flows back along it."""
    words = []
    if edge.merged > 1:
        words.append(f"{edge.merged} edges in one")
    if edge.partial is not None:
        words.append(f"local derivative {edge.partial!r}")
    if edge.contribution is not None:
        words.append(f"contributes {edge.contribution!r} to the gradient")
    return "; ".join(words) or "an operand that is not differentiated"
